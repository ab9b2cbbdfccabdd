//! Tables 1 and 2, and figures 1 and 2: the ports and the regions with the most packets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Context, date, nothing_observed, packets_unit, region_code, region_label, section, series};
use crate::language::Text;
use crate::report::destination::Destination;
use crate::report::model::{Block, Cell, Column, ColumnKind, Section, Series, Style, Table};
use crate::report::numbers::{mean, rounded, written};

/// A rank of the period before is told down to here.
pub const RANKS: usize = 10;

/// One that has a rank.
struct Ranked<T> {
    what: T,
    value: f64,
    previous_rank: Option<usize>,
}

/// In the order of their values; of those that are equal, in their own.
fn ranked<T: Copy + Ord>(values: impl Iterator<Item = (T, f64)>) -> Vec<(T, f64)> {
    let mut all: Vec<(T, f64)> = values.filter(|(_, value)| *value > 0.0).collect();
    all.sort_by(|(one, a), (other, b)| b.total_cmp(a).then(one.cmp(other)));
    all
}

fn compared<T: Copy + Ord>(
    current: impl Iterator<Item = (T, f64)>,
    previous: impl Iterator<Item = (T, f64)>,
    top: usize,
) -> Vec<Ranked<T>> {
    let before = ranked(previous);
    let rank =
        |what: T| before.iter().take(RANKS).position(|(other, _)| *other == what).map(|place| place + 1);
    let current = ranked(current).into_iter().take(top);
    current.map(|(what, value)| Ranked { what, value, previous_rank: rank(what) }).collect()
}

/// The destinations that table 1 has, so that their days can be counted.
fn destinations(context: &Context<'_>, top: usize) -> Vec<Ranked<Destination>> {
    let (days, previous_days) = context.observed.days();
    let of = |totals: &'_ [f64], days: usize| -> Vec<(Destination, f64)> {
        let days = days.max(1) as f64;
        let used = totals.iter().enumerate().filter(|(_, total)| **total > 0.0);
        used.map(|(number, total)| (Destination::with_number(number), rounded(total / days))).collect()
    };
    let previous = of(&context.counts.previous_totals, previous_days);
    compared(of(&context.counts.totals, days).into_iter(), previous.into_iter(), top)
}

/// The destinations of table 1, first rank first.
#[must_use]
pub fn top_destinations(context: &Context<'_>, top: usize) -> Vec<Destination> {
    destinations(context, top).into_iter().map(|one| one.what).collect()
}

/// Words that the tables of ports and of regions differ in.
struct Words {
    title: Text,
    table: Text,
    figure: Text,
    column: (&'static str, Text),
    first: fn(&Text, &str) -> Text,
}

/// The ports with the most packets; `days` are theirs, in the order of [`top_destinations`].
#[must_use]
pub fn ports(context: &Context<'_>, top: usize, days: &[Vec<f64>]) -> Section {
    let words = Words {
        title: Text::new("Destination ports", "宛先ポート番号別の観測状況"),
        table: Text::new(format!("Top {top} destination ports"), format!("宛先ポート番号トップ{top}")),
        figure: Text::new(
            "Packets to the top destination ports",
            format!("宛先ポート番号別パケット観測数トップ{top}の推移"),
        ),
        column: ("service", Text::new("Service", "宛先ポート番号")),
        first: |name, value| {
            Text::new(
                format!(
                    "The port with the most packets was {}, with {value} packets per sensor per day.",
                    name.en
                ),
                format!(
                    "最も多く観測された宛先ポートは{}で、センサー1台あたり1日平均{value}パケットでした。",
                    name.ja
                ),
            )
        },
    };
    let ranks = destinations(context, top);
    let label = |destination: Destination| destination.label(context.services);
    let fact = |destination: Destination| {
        json!({
            "service": destination.label(context.services).en,
            "port": destination.port(),
            "transport": destination.transport(),
        })
    };
    let current: Vec<_> = days.iter().map(|days| context.current(days)).collect();
    ranking(context, words, &ranks, label, fact, |destination| destination.id(), current)
}

/// The regions with the most packets, of every kind of scan.
#[must_use]
pub fn regions(context: &Context<'_>, top: usize) -> Section {
    let words = Words {
        title: Text::new("Source regions", "送信元地域別の観測状況"),
        table: Text::new(format!("Top {top} source regions"), format!("送信元地域トップ{top}")),
        figure: Text::new(
            "Packets from the top source regions",
            format!("送信元地域別パケット観測数トップ{top}の推移"),
        ),
        column: ("region", Text::new("Region", "送信元地域")),
        first: |name, value| {
            Text::new(
                format!("Most packets came from {}: {value} per sensor per day.", name.en),
                format!(
                    "最も多く観測された送信元地域は{}で、センサー1台あたり1日平均{value}パケットでした。",
                    name.ja
                ),
            )
        },
    };
    let means: BTreeMap<[u8; 2], (Option<f64>, Option<f64>)> =
        context.counts.regions.iter().map(|(region, days)| (*region, context.means(days))).collect();
    let current = means.iter().map(|(region, (mean, _))| (*region, rounded(mean.unwrap_or(0.0))));
    let previous = means.iter().map(|(region, (_, mean))| (*region, rounded(mean.unwrap_or(0.0))));
    let ranks = compared(current, previous, top);
    let days = ranks.iter().map(|one| {
        let days = context.counts.regions.get(&one.what);
        days.map_or_else(Vec::new, |days| context.current(days))
    });
    let days: Vec<_> = days.collect();
    let fact = |region: [u8; 2]| json!({ "region": region_code(region) });
    let id = |region: [u8; 2]| region_code(region).to_ascii_lowercase();
    ranking(context, words, &ranks, region_label, fact, id, days)
}

fn ranking<T: Copy>(
    context: &Context<'_>,
    words: Words,
    ranks: &[Ranked<T>],
    label: impl Fn(T) -> Text,
    fact: impl Fn(T) -> Value,
    id: impl Fn(T) -> String,
    days: Vec<Vec<Option<f64>>>,
) -> Section {
    let (observed, previous_observed) = context.observed.days();
    let facts = |ranks: Vec<Value>| {
        json!({
            "ranks": ranks, "observed_days": observed, "previous_observed_days": previous_observed,
        })
    };
    if observed == 0 {
        return section(words.title, vec![nothing_observed()], Vec::new(), facts(Vec::new()));
    }
    let Some(first) = ranks.first() else {
        let nothing = Text::new(
            "The sensors were observing, and no scan reached them.",
            "センサーは稼働していましたが、スキャンパケットは観測されませんでした。",
        );
        return section(words.title, vec![nothing], Vec::new(), facts(Vec::new()));
    };
    let mut summary = vec![(words.first)(&label(first.what), &written(first.value))];
    if previous_observed == 0 {
        summary.push(Text::new(
            "No sensor was observing in the previous period, so that there are no previous ranks.",
            "前の期間に稼働していたセンサーはないため、前期の順位はありません。",
        ));
    }
    if let Some((day, value)) = peak(&days[0]) {
        let (date, value) = (date(context.day(day)), written(value));
        summary.push(Text::new(
            format!("Its highest day was {}, with {value}.", date.en),
            format!("最も多かった日は{}で、{value}パケットでした。", date.ja),
        ));
    }
    let table = table(&words, ranks, &label, previous_observed > 0);
    let lines: Vec<Series> =
        ranks.iter().zip(days).map(|(one, days)| series(id(one.what), label(one.what), days)).collect();
    let rank_facts = ranks.iter().zip(1..).map(|(one, rank)| {
        let mut fact = fact(one.what);
        fact["rank"] = json!(rank);
        fact["previous_rank"] = json!(one.previous_rank);
        fact["packets_per_sensor_per_day"] = json!(one.value);
        fact
    });
    let rank_facts = rank_facts.collect();
    let figure = context.figure(words.figure, Style::Lines, packets_unit(), lines);
    section(words.title, summary, vec![Block::Table(table), figure], facts(rank_facts))
}

fn table<T: Copy>(
    words: &Words,
    ranks: &[Ranked<T>],
    label: &impl Fn(T) -> Text,
    with_previous: bool,
) -> Table {
    let column = |id: &str, name: Text, kind| Column { id: id.into(), name, kind };
    let mut columns = vec![
        column("rank", Text::new("Rank", "順位"), ColumnKind::Count),
        column(words.column.0, words.column.1.clone(), ColumnKind::Text),
        column("packets_per_sensor_per_day", packets_unit(), ColumnKind::Decimal),
    ];
    if with_previous {
        columns.push(column("previous_rank", Text::new("Previous rank", "前の期間の順位"), ColumnKind::Rank));
    }
    let rows = ranks.iter().zip(1_u32..).map(|(one, rank)| {
        let mut row =
            vec![Cell::Number(f64::from(rank)), Cell::Text(label(one.what)), Cell::Number(one.value)];
        if with_previous {
            row.push(one.previous_rank.map_or(Cell::Nothing, |rank| Cell::Number(rank as f64)));
        }
        row
    });
    Table { id: String::new(), title: words.table.clone(), columns, rows: rows.collect() }
}

/// The first of the highest days.
#[must_use]
pub fn peak(values: &[Option<f64>]) -> Option<(usize, f64)> {
    mean(values)?;
    let mut highest: Option<(usize, f64)> = None;
    for (day, value) in values.iter().enumerate() {
        if let Some(value) = value.filter(|value| highest.is_none_or(|(_, most)| *value > most)) {
            highest = Some((day, value));
        }
    }
    highest
}
