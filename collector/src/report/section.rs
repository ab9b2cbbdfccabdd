//! The kinds of sections, and what they have in common.

pub mod backscatter;
pub mod group_overlap;
pub mod group_share;
pub mod growth;
pub mod outside_series;
pub mod port_by_region;
pub mod ranking;
pub mod region_days;
pub mod signature_split;
pub mod sources;

use std::collections::BTreeMap;

use serde_json::Value;

use super::counting::Parts;
use super::counting::ports::PortCounts;
use super::model::{Block, Figure, Section, Series, Style};
use super::observed::Observed;
use super::period::ReportPeriod;
use crate::language::Text;
use crate::services::Services;
use crate::store::Day;

pub use crate::store::region_code;

/// What sections are finished with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub period: &'a ReportPeriod,
    pub observed: &'a Observed,
    pub counts: &'a PortCounts,
    pub services: &'a Services,
}

/// A section whose numbers are being counted.
pub trait Counting {
    /// What it has counted for it.
    fn parts(&mut self) -> Parts<'_>;

    /// The section; its id, and those of its blocks, are given to it later.
    fn finish(&mut self, context: &Context<'_>) -> Section;
}

impl Context<'_> {
    /// Of values for the days of both periods, those of this one, absent where nobody observed.
    #[must_use]
    pub fn current(&self, values: &[f64]) -> Vec<Option<f64>> {
        self.observed.seen(values).split_off(self.period.offset())
    }

    /// Values for the days of this period, absent where nobody observed.
    #[must_use]
    pub fn of_period(&self, values: &[f64]) -> Vec<Option<f64>> {
        let offset = self.period.offset();
        let seen = |(place, value): (usize, &f64)| {
            self.observed.is_observed(offset + place).then(|| super::numbers::rounded(*value))
        };
        values.iter().enumerate().map(seen).collect()
    }

    /// The means of the period and of the one before, over the days that were observed.
    #[must_use]
    pub fn means(&self, values: &[f64]) -> (Option<f64>, Option<f64>) {
        let all = self.observed.seen(values);
        let (previous, current) = all.split_at(self.period.offset());
        (super::numbers::mean(current), super::numbers::mean(previous))
    }

    /// A day of the period, counted from its first.
    #[must_use]
    pub const fn day(&self, place: usize) -> Day {
        Day(self.period.from.0 + place as u32)
    }

    /// A figure of the period's days.
    #[must_use]
    pub fn figure(&self, title: Text, style: Style, unit: Text, series: Vec<Series>) -> Block {
        let days = self.period.days();
        Block::Figure(Figure { id: String::new(), title, style, unit, right_unit: None, days, series })
    }
}

/// A section without its ids.
#[must_use]
pub fn section(title: Text, summary: Vec<Text>, blocks: Vec<Block>, facts: Value) -> Section {
    let facts: BTreeMap<String, Value> = match facts {
        Value::Object(facts) => facts.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    Section { id: String::new(), title, summary, blocks, facts }
}

#[must_use]
pub fn series(id: impl Into<String>, name: Text, values: Vec<Option<f64>>) -> Series {
    Series { id: id.into(), name, values, is_on_right_axis: false }
}

/// What packets are counted in.
#[must_use]
pub fn packets_unit() -> Text {
    Text::new("packets per sensor per day", "センサー1台あたりの1日のパケット数")
}

#[must_use]
pub fn sources_unit() -> Text {
    Text::new("source addresses per day", "1日あたりの送信元IPアドレス数")
}

/// That there were more addresses of IPv6 than could be told apart.
#[must_use]
pub fn too_many_ipv6() -> Text {
    let most = super::numbers::written(super::counting::addresses::MOST_IPV6 as f64);
    Text::new(
        format!(
            "Of IPv6, {most} addresses are told apart: there were more, which are not counted in the period's sum."
        ),
        format!("IPv6アドレスは{most}件まで区別しています。これを超えた分は、期間全体の件数に含まれません。"),
    )
}

/// A region's name and code.
#[must_use]
pub fn region_label(region: [u8; 2]) -> Text {
    let code = region_code(region);
    if region == crate::store::UNKNOWN {
        return Text::new("unknown", "不明");
    }
    match crate::regions::names::region_name(region) {
        Some(name) => Text::new(format!("{} ({code})", name.en), format!("{}({code})", name.ja)),
        None => Text::same(code),
    }
}

/// A day in words.
#[must_use]
pub fn date(day: Day) -> Text {
    let text = day.to_string();
    let mut parts = text.splitn(3, '-').map(|part| part.trim_start_matches('0').to_owned());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(number)) => {
            Text::new(text.clone(), format!("{year}年{month}月{number}日"))
        }
        _ => Text::same(text),
    }
}

/// That nobody observed: the one thing that there is to say then.
#[must_use]
pub fn nothing_observed() -> Text {
    Text::new(
        "No sensor was observing in this period, so there is nothing to report: that is not the same as no packets.",
        "この期間に稼働していたセンサーはなく、報告できる観測データはありません。パケットが届かなかったという意味ではありません。",
    )
}

/// The regions with the most, and those that are left; ties by code.
#[must_use]
pub fn top_regions(means: &BTreeMap<[u8; 2], f64>, most: usize) -> Vec<[u8; 2]> {
    let mut regions: Vec<_> = means.iter().filter(|(_, mean)| **mean > 0.0).collect();
    regions.sort_by(|(one, a), (other, b)| b.total_cmp(a).then(one.cmp(other)));
    regions.into_iter().take(most).map(|(region, _)| *region).collect()
}

/// Days by region, the top ones by themselves and the others as one, for a stack.
#[must_use]
pub fn stack(days: &BTreeMap<[u8; 2], Vec<Option<f64>>>, top: &[[u8; 2]], count: usize) -> Vec<Series> {
    let mut all: Vec<Series> = top
        .iter()
        .filter_map(|region| {
            let id = region_code(*region).to_ascii_lowercase();
            Some(series(id, region_label(*region), days.get(region)?.clone()))
        })
        .collect();
    let mut others: Vec<Option<f64>> = vec![None; count];
    let mut is_any = false;
    for (_, values) in days.iter().filter(|(region, _)| !top.contains(region)) {
        for (sum, value) in others.iter_mut().zip(values) {
            if let Some(value) = value {
                is_any |= *value > 0.0;
                *sum = Some(super::numbers::rounded(sum.unwrap_or(0.0) + value));
            }
        }
    }
    if is_any {
        all.push(series("others", Text::new("others", "その他"), others));
    }
    all
}
