//! `group_share`: how much of a region's packets comes from a group of addresses, such as known scanners.

use sensor_ebpf::abi::TrafficClass;
use serde::Deserialize;
use serde_json::json;

use super::{Context, Counting, nothing_observed, region_code, region_label, section, series};
use crate::groups::Group;
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::sources::ByDay;
use crate::report::destination::Destination;
use crate::report::model::{Section, Style};
use crate::report::numbers::{percent, rounded, share};
use crate::report::period::ReportPeriod;
use crate::report::sections::Region;
use crate::store::Match;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub group: String,
    pub region: Option<Region>,
    pub port: Option<Destination>,
}

pub struct GroupShare<'a> {
    settings: Settings,
    /// By whether they are in the group.
    counter: ByDay<'a, bool>,
}

impl<'a> GroupShare<'a> {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod, group: &'a Group) -> Self {
        let all = || vec![Match { class: Some(TrafficClass::Scan), ..Match::default() }];
        let region = settings.region.map(|Region(region)| region);
        let matches = settings.port.map_or_else(all, Destination::matches);
        let matches = matches.into_iter().map(|one| Match { region, ..one }).collect();
        let counter = ByDay::new(matches, period, |row| Some(group.contains(row.source, row.day)));
        Self { settings: settings.clone(), counter }
    }
}

impl Counting for GroupShare<'_> {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: Vec::new(), counters: vec![&mut self.counter] }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let Settings { group, region, port } = &self.settings;
        let from = region.map(|Region(region)| region_label(region));
        let to = port.map(|port| port.label(context.services));
        let what = Text::new(
            [
                Some("packets".to_owned()),
                from.as_ref().map(|from| format!("from {}", from.en)),
                to.as_ref().map(|to| format!("to {}", to.en)),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
            [
                from.as_ref().map(|from| format!("{}からの", from.ja)),
                to.as_ref().map(|to| format!("{}宛の", to.ja)),
                Some("パケット".to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect::<String>(),
        );
        let title = Text::new(
            format!("Share of {group} in {}", what.en),
            format!("{}に占める「{group}」の割合", what.ja),
        );
        if context.observed.days().0 == 0 {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        }
        let (inside, outside) = (self.counter.packets(true), self.counter.packets(false));
        let days: Vec<Option<f64>> = inside
            .iter()
            .zip(&outside)
            .enumerate()
            .map(|(day, (inside, outside))| {
                let is_observed = context.observed.is_observed(context.period.offset() + day);
                // Of no packets there is no share.
                share(*inside, inside + outside).filter(|_| is_observed).map(|share| rounded(share * 100.0))
            })
            .collect();
        let (part, rest) = (inside.iter().sum::<f64>(), outside.iter().sum::<f64>());
        let whole = part + rest;
        let all = share(part, whole);
        let summary = match all {
            None => Text::new(
                format!("There were no {}, and so no share of them.", what.en),
                format!("{}は観測されなかったため、割合はありません。", what.ja),
            ),
            Some(all) => Text::new(
                format!("{} of the {} came from addresses of {group}.", percent(all), what.en),
                format!("{}の{}は「{group}」に含まれるIPアドレスからのものでした。", what.ja, percent(all)),
            ),
        };
        let facts = json!({
            "group": group,
            "region": region.map(|Region(region)| region_code(region)),
            "port": port.and_then(Destination::port),
            "transport": port.map(Destination::transport),
            "share": all, "group_packets": part, "packets": whole,
        });
        let unit = Text::new("per cent of packets", "パケット数に占める割合(%)");
        let line = series("share", Text::same(group.clone()), days);
        let figure = context.figure(title.clone(), Style::Lines, unit, vec![line]);
        section(title, vec![summary], vec![figure], facts)
    }
}
