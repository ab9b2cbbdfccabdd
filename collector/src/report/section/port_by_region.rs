//! `port_by_region`: a port's packets, stacked by source region, and since when there are more of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{
    Context, Counting, date, nothing_observed, packets_unit, region_code, region_label, section, stack,
    top_regions,
};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::ports::Cube;
use crate::report::destination::Destination;
use crate::report::model::{Section, Style};
use crate::report::numbers::{lasting_rise, mean, percent, rounded, share, written};
use crate::report::period::ReportPeriod;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub port: Destination,
    /// Regions that are told apart.
    #[serde(default = "default_regions")]
    pub regions: usize,
}

pub const fn default_regions() -> usize {
    5
}

pub struct PortByRegion {
    destination: Destination,
    regions: usize,
    cube: Cube,
}

impl PortByRegion {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod) -> Self {
        let cube = Cube::new(Some(settings.port), period);
        Self { destination: settings.port, regions: settings.regions, cube }
    }
}

/// A cube's days by region, and the means of these.
pub struct ByRegion {
    pub days: BTreeMap<[u8; 2], Vec<Option<f64>>>,
    pub means: BTreeMap<[u8; 2], f64>,
}

pub fn by_region(cube: &Cube, context: &Context<'_>) -> ByRegion {
    let of = |region: [u8; 2]| (region, context.current(&cube.days(|other, _| other == region)));
    let days: BTreeMap<_, _> = cube.regions().into_iter().map(of).collect();
    let means = days.iter().map(|(region, days)| (*region, mean(days).unwrap_or(0.0))).collect();
    ByRegion { days, means }
}

impl Counting for PortByRegion {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: vec![&mut self.cube], counters: Vec::new() }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let destination = self.destination;
        let label = destination.label(context.services);
        let title = Text::new(
            format!("{}: packets by source region", label.en),
            format!("{}宛のパケットの送信元地域別の観測状況", label.ja),
        );
        let all = self.cube.days(|_, _| true);
        let (Some(current), previous) = context.means(&all) else {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        };
        let ByRegion { days, means } = by_region(&self.cube, context);
        let top = top_regions(&means, self.regions);
        let sum: f64 = means.values().sum();
        let seen = context.observed.seen(&all);
        let rise = lasting_rise(&seen, context.period.offset());
        let value = written(current);
        let mut summary = vec![Text::new(
            format!("{value} packets to {} came per sensor per day.", label.en),
            format!("{}宛のパケットは、センサー1台あたり1日平均{value}パケットでした。", label.ja),
        )];
        if let Some(rise) = rise {
            let (date, times) = (date(context.period.day(rise.first)), written(rise.after / rise.before));
            let words = if rise.before > 0.0 {
                Text::new(
                    format!(
                        "They rose on {} and stayed high: {times} times the days before, by the median.",
                        date.en
                    ),
                    format!("{}ごろから増加し、その後の中央値は増加前の{times}倍となりました。", date.ja),
                )
            } else {
                Text::new(
                    format!("They began on {}, and stayed.", date.en),
                    format!("{}ごろから観測され始め、その後も継続しました。", date.ja),
                )
            };
            summary.push(words);
        }
        if let Some((region, part)) =
            top.first().and_then(|region| Some((*region, share(*means.get(region)?, sum)?)))
        {
            let (name, part) = (region_label(region), percent(part));
            summary.push(Text::new(
                format!("{part} of them came from {}.", name.en),
                format!("送信元地域は{}が{part}を占めました。", name.ja),
            ));
        }
        let regions: Vec<_> = top
            .iter()
            .map(|region| {
                let mean = means.get(region).copied().unwrap_or(0.0);
                json!({
                    "region": region_code(*region),
                    "packets_per_sensor_per_day": rounded(mean),
                    "share": share(mean, sum),
                })
            })
            .collect();
        let facts = json!({
            "port": destination.port(),
            "transport": destination.transport(),
            "packets_per_sensor_per_day": rounded(current),
            "previous_packets_per_sensor_per_day": previous.map(rounded),
            "regions": regions,
            "first_day_of_rise": rise.map(|rise| context.period.day(rise.first).to_string()),
            "median_before_rise": rise.map(|rise| rounded(rise.before)),
            "median_since_rise": rise.map(|rise| rounded(rise.after)),
        });
        let figure_title = Text::new(
            format!("Packets to {} by source region", label.en),
            format!("{}宛のパケットの送信元地域別観測数の推移", label.ja),
        );
        let count = context.period.all_days() - context.period.offset();
        let figure = context.figure(figure_title, Style::Stacked, packets_unit(), stack(&days, &top, count));
        section(title, summary, vec![figure], facts)
    }
}
