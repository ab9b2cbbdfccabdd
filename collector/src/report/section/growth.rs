//! `growth`: a port's packets against the period before, and the regions that they come from.

use serde::Deserialize;
use serde_json::json;

use super::port_by_region::{ByRegion, by_region, default_regions};
use super::{
    Context, Counting, nothing_observed, packets_unit, region_code, region_label, section, series,
    top_regions,
};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::ports::Cube;
use crate::report::destination::Destination;
use crate::report::model::{Block, Cell, Column, ColumnKind, Section, Style, Table};
use crate::report::numbers::{percent, rounded, share, written};
use crate::report::period::ReportPeriod;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub port: Destination,
    #[serde(default = "default_regions")]
    pub regions: usize,
}

pub struct Growth {
    settings: Settings,
    cube: Cube,
}

/// What a region has to do with it.
struct OfRegion {
    region: [u8; 2],
    /// Packets per sensor per day.
    mean: f64,
    share: Option<f64>,
    /// Against the previous period, where it had any.
    growth: Option<f64>,
}

impl Growth {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod) -> Self {
        Self { settings: settings.clone(), cube: Cube::new(Some(settings.port), period) }
    }
}

impl Counting for Growth {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: vec![&mut self.cube], counters: Vec::new() }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let Settings { port, regions } = self.settings;
        let label = port.label(context.services);
        let title = Text::new(
            format!("{} against the previous period", label.en),
            format!("{}宛のパケットの前の期間との比較", label.ja),
        );
        let all = self.cube.days(|_, _| true);
        let (Some(current), previous) = context.means(&all) else {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        };
        let growth = previous.filter(|previous| *previous > 0.0).map(|previous| rounded(current / previous));
        let (now, before) = (written(current), previous.map(written));
        let first = match (growth, before) {
            (Some(growth), Some(before)) => Text::new(
                format!(
                    "{} had {now} packets per sensor per day, after {before}: {growth:.1} times as many.",
                    label.en
                ),
                format!(
                    "{}宛のパケットはセンサー1台あたり1日平均{now}パケットで、前の期間の{before}パケットの{growth:.1}倍でした。",
                    label.ja
                ),
            ),
            (None, Some(_)) => Text::new(
                format!("{} had {now} packets per sensor per day, after none at all.", label.en),
                format!(
                    "{}宛のパケットはセンサー1台あたり1日平均{now}パケットで、前の期間には観測されていませんでした。",
                    label.ja
                ),
            ),
            (_, None) => Text::new(
                format!(
                    "{} had {now} packets per sensor per day; the previous period was not observed.",
                    label.en
                ),
                format!(
                    "{}宛のパケットはセンサー1台あたり1日平均{now}パケットでした。前の期間の観測データはありません。",
                    label.ja
                ),
            ),
        };
        let mut summary = vec![first];
        let ByRegion { means, days: _ } = by_region(&self.cube, context);
        let sum: f64 = means.values().sum();
        let top = top_regions(&means, regions);
        let part = |region: [u8; 2]| share(means.get(&region).copied().unwrap_or(0.0), sum);
        if let Some((region, part)) = top.first().and_then(|region| Some((*region, part(*region)?))) {
            let (name, part) = (region_label(region), percent(part));
            summary.push(Text::new(
                format!("{part} of them came from {}.", name.en),
                format!("送信元地域は{}が{part}を占めました。", name.ja),
            ));
        }
        let of_region = |region: &[u8; 2]| {
            let (_, previous) = context.means(&self.cube.days(|other, _| other == *region));
            let mean = means.get(region).copied().unwrap_or(0.0);
            let growth = previous.filter(|previous| *previous > 0.0).map(|previous| rounded(mean / previous));
            OfRegion { region: *region, mean: rounded(mean), share: part(*region), growth }
        };
        let of_regions: Vec<OfRegion> = top.iter().map(of_region).collect();
        let column = |id: &str, name: Text, kind| Column { id: id.into(), name, kind };
        let row = |OfRegion { region, mean, share, growth }: &OfRegion| {
            let cell = |value: Option<f64>| value.map_or(Cell::Nothing, Cell::Number);
            vec![Cell::Text(region_label(*region)), Cell::Number(*mean), cell(*share), cell(*growth)]
        };
        let table_title = Text::new(
            format!("Source regions of {}", label.en),
            format!("{}宛のパケットの送信元地域", label.ja),
        );
        let table = Table {
            id: String::new(),
            title: table_title,
            columns: vec![
                column("region", Text::new("Region", "送信元地域"), ColumnKind::Text),
                column("packets_per_sensor_per_day", packets_unit(), ColumnKind::Decimal),
                column("share", Text::new("Share", "割合"), ColumnKind::Share),
                column(
                    "growth",
                    Text::new("Against the previous period", "前の期間との比"),
                    ColumnKind::Ratio,
                ),
            ],
            rows: of_regions.iter().map(row).collect(),
        };
        let region_facts = of_regions.iter().map(|OfRegion { region, mean, share, growth }| {
            json!({
                "region": region_code(*region), "share": share,
                "packets_per_sensor_per_day": mean, "growth": growth,
            })
        });
        let facts = json!({
            "port": port.port(),
            "transport": port.transport(),
            "packets_per_sensor_per_day": rounded(current),
            "previous_packets_per_sensor_per_day": previous.map(rounded),
            "growth": growth,
            "regions": region_facts.collect::<Vec<_>>(),
        });
        let line = series(port.id(), label.clone(), context.current(&all));
        let figure_title =
            Text::new(format!("Packets to {}", label.en), format!("{}宛のパケット観測数の推移", label.ja));
        let figure = context.figure(figure_title, Style::Lines, packets_unit(), vec![line]);
        section(title, summary, vec![figure, Block::Table(table)], facts)
    }
}
