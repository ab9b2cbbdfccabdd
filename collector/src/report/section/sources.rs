//! `sources`: how many addresses a port's packets come from.

use serde::Deserialize;
use serde_json::json;

use super::ranking::peak;
use super::{
    Context, Counting, date, nothing_observed, region_code, region_label, section, series, sources_unit,
    too_many_ipv6,
};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::addresses::AddressSet;
use crate::report::counting::sources::{ByDay, SourceCounter};
use crate::report::destination::Destination;
use crate::report::model::{Section, Style};
use crate::report::numbers::{mean, rounded, written};
use crate::report::period::ReportPeriod;
use crate::report::sections::Region;
use crate::store::{Match, SourceRow};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub port: Destination,
    pub region: Option<Region>,
}

pub struct Sources<'a> {
    settings: Settings,
    counter: Counter<'a>,
}

/// Distinct sources by day, and over the period.
struct Counter<'a> {
    by_day: ByDay<'a, ()>,
    all: AddressSet,
}

impl SourceCounter for Counter<'_> {
    fn matches(&self) -> &[Match] {
        self.by_day.matches()
    }

    fn take(&mut self, day: usize, row: &SourceRow<'_>) {
        self.by_day.take(day, row);
        self.all.insert(row.source);
    }
}

impl Sources<'_> {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod) -> Self {
        let region = settings.region.map(|Region(region)| region);
        let matches = settings.port.matches().into_iter().map(|one| Match { region, ..one }).collect();
        let counter =
            Counter { by_day: ByDay::new(matches, period, |_| Some(())), all: AddressSet::default() };
        Self { settings: settings.clone(), counter }
    }
}

impl Counting for Sources<'_> {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: Vec::new(), counters: vec![&mut self.counter] }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let Settings { port, region } = self.settings;
        let label = port.label(context.services);
        let label = match region {
            Some(Region(region)) => {
                let from = region_label(region);
                Text::new(format!("{} from {}", label.en, from.en), format!("{}からの{}", from.ja, label.ja))
            }
            None => label,
        };
        let title = Text::new(
            format!("Source addresses of {}", label.en),
            format!("{}宛のパケットの送信元IPアドレス数の推移", label.ja),
        );
        let values = context.of_period(&self.counter.by_day.sources(()));
        let (Some(mean), Some((day, most))) = (mean(&values), peak(&values)) else {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        };
        let all = self.counter.all.len();
        let on = date(context.day(day));
        let summary = Text::new(
            format!(
                "{} came from {} addresses a day, {} in all; the most were {} on {}.",
                label.en,
                written(mean),
                written(all as f64),
                written(most),
                on.en
            ),
            format!(
                "{}宛のパケットの送信元IPアドレス数は1日平均{}件、期間全体で{}件でした。最も多かったのは{}の{}件です。",
                label.ja,
                written(mean),
                written(all as f64),
                on.ja,
                written(most)
            ),
        );
        let facts = json!({
            "port": port.port(),
            "transport": port.transport(),
            "region": region.map(|Region(region)| region_code(region)),
            "sources_per_day": rounded(mean),
            "sources": all,
            "is_cut": self.counter.all.is_full(),
            "most_sources": most,
            "most_sources_day": context.day(day).to_string(),
        });
        let line = series(port.id(), label, values);
        let figure = context.figure(title.clone(), Style::Lines, sources_unit(), vec![line]);
        let mut summary = vec![summary];
        summary.extend(self.counter.all.is_full().then(too_many_ipv6));
        section(title, summary, vec![figure], facts)
    }
}
