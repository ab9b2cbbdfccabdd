//! A quarter's report that is made up: nothing in it was observed anywhere.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::language::Text;
use crate::report::model::{
    Block, Cell, Column, ColumnKind, FORMAT, Figure, Matrix, MatrixRow, Report, Section, SensorDays, Series,
    Span, Style, Table,
};

mod findings;
mod tops;

const DAYS: usize = 92;
/// Days on which no sensor was observing.
const GAPS: [std::ops::Range<usize>; 2] = [25..32, 70..71];

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn days(count: usize) -> Vec<String> {
    let first: Date = "2024-07-01".parse().unwrap();
    first.series(jiff::Span::new().days(1)).take(count).map(|date| date.to_string()).collect()
}

fn is_gap(day: usize) -> bool {
    GAPS.iter().any(|gap| gap.contains(&day))
}

/// Around a base, changed by a day's factor.
fn values(seed: u64, days: usize, base: f64, factor: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
    let mut dice = Dice(seed);
    (0..days)
        .map(|day| {
            let value = base * factor(day) * (0.85 + 0.3 * dice.roll());
            (!is_gap(day % DAYS))
                .then(|| if value > 1e6 { value.round() } else { (value * 10.0).round() / 10.0 })
        })
        .collect()
}

fn series(name: Text, values: Vec<Option<f64>>) -> Series {
    Series { id: name.en.to_lowercase(), name, values, is_on_right_axis: false }
}

fn figure(id: &str, title: (&str, &str), style: Style, unit: (&str, &str), series: Vec<Series>) -> Block {
    let days = days(series.first().map_or(DAYS, |series| series.values.len()));
    let (title, unit) = (Text::new(title.0, title.1), Text::new(unit.0, unit.1));
    Block::Figure(Figure { id: id.into(), title, style, unit, right_unit: None, days, series })
}

fn section(id: &str, title: (&str, &str), summary: &[(&str, &str)], blocks: Vec<Block>) -> Section {
    let summary = summary.iter().map(|(en, ja)| Text::new(*en, *ja)).collect();
    Section { id: id.into(), title: Text::new(title.0, title.1), summary, blocks, facts: BTreeMap::new() }
}

fn column(id: &str, name: (&str, &str), kind: ColumnKind) -> Column {
    Column { id: id.into(), name: Text::new(name.0, name.1), kind }
}

fn top(id: &str, title: (&str, &str), what: (&str, &str), names: &[(&str, &str, Option<f64>)]) -> Block {
    let columns = vec![
        column("rank", ("Rank", "順位"), ColumnKind::Rank),
        column("name", what, ColumnKind::Text),
        column("previous_rank", ("Previous quarter", "前四半期の順位"), ColumnKind::Rank),
        column(
            "packets",
            ("Packets per sensor per day", "1センサー1日あたりのパケット数"),
            ColumnKind::Count,
        ),
        column("share", ("Share", "割合"), ColumnKind::Share),
        column("growth", ("Against the previous quarter", "前四半期比"), ColumnKind::Ratio),
    ];
    let rows = names.iter().enumerate().map(|(at, (en, ja, previous))| {
        let packets = 2_310.4 / (at as f64 + 1.0);
        vec![
            Cell::Number(at as f64 + 1.0),
            Cell::Text(Text::new(*en, *ja)),
            previous.map_or(Cell::Nothing, Cell::Number),
            Cell::Number(packets.round()),
            Cell::Number((packets / 9.8).round() / 1_000.0),
            Cell::Number([0.97, 1.8, 1.1, 0.62, 2.4][at % 5]),
        ]
    });
    Block::Table(Table { id: id.into(), title: Text::new(title.0, title.1), columns, rows: rows.collect() })
}

const PACKETS: (&str, &str) = ("packets per sensor per day", "1センサー1日あたりのパケット数");
const SOURCES: (&str, &str) = ("source addresses per day", "1日あたりの送信元アドレス数");

/// All of it.
pub fn report() -> Report {
    let span = |name: &str, from: &str, to: &str, days| Span {
        name: Some(name.into()),
        from: from.into(),
        to: to.into(),
        days,
    };
    let sensor = |name: &str, observed_days, previous_observed_days| SensorDays {
        sensor: name.into(),
        observed_days,
        previous_observed_days,
    };
    let mut sections = tops::sections();
    sections.extend(findings::sections());
    Report {
        format: FORMAT,
        title: Text::new(
            "Internet Threat Monitoring, July to September 2024 (made up)",
            "インターネット定点観測レポート（2024年7～9月・架空のデータ）",
        ),
        period: span("2024Q3", "2024-07-01", "2024-10-01", 92),
        previous: span("2024Q2", "2024-04-01", "2024-07-01", 91),
        sensors: vec![
            sensor("tokyo-1", 84.0, 91.0),
            sensor("osaka-1", 81.5, 90.2),
            sensor("fukuoka-1", 40.25, 0.0),
        ],
        sections,
        sources: vec![
            Text::new(
                "Source regions: delegated-extended statistics of AFRINIC, APNIC, ARIN, LACNIC and RIPE NCC, in force on each day.",
                "送信元地域：AFRINIC、APNIC、ARIN、LACNIC、RIPE NCCの割り当て統計ファイル（観測日に有効なもの）による。",
            ),
            Text::new(
                "Names of ports: IANA's registry of services. A name does not mean that the traffic speaks it.",
                "ポートの名称：IANAのサービス名登録簿による。名称はその通信の内容を意味するものではない。",
            ),
        ],
    }
}
