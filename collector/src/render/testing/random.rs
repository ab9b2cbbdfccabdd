//! Reports at random: words of anyone, numbers of any kind, lists of lengths that do not match.

use proptest::prelude::*;

use crate::language::Text;
use crate::report::model::{
    Block, Cell, Column, ColumnKind, FORMAT, Figure, Matrix, MatrixRow, Report, Section, SensorDays, Series,
    Span, Style, Table,
};

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        Just("<script>alert(1)</script>".to_owned()),
        Just("\" onload=\"x\" a='".to_owned()),
        Just("]]></svg><!-- &nbsp; | `code` **b** [l](https://a.test)\n# h".to_owned()),
        Just("\u{0}\u{1b}[2J\u{202e}\u{fffe}\u{feff}\u{85}".to_owned()),
        Just("東京都渋谷区のルーター".repeat(12)),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    (word(), word()).prop_map(|(en, ja)| Text { en, ja })
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1e6,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, 1e-9, 5e-324, 1e12, 1e300, -1e308, f64::NAN, f64::INFINITY]),
    ]
}

fn days() -> impl Strategy<Value = Vec<String>> {
    let of_length = |length: usize| {
        let first: jiff::civil::Date = "2023-12-30".parse().unwrap();
        first.series(jiff::Span::new().days(1)).take(length).map(|date| date.to_string()).collect()
    };
    prop_oneof![
        4 => prop::sample::select(vec![0, 1, 2, 7, 31, 92, 366]).prop_map(of_length),
        1 => prop::collection::vec(word(), 0..5),
    ]
}

fn series() -> impl Strategy<Value = Series> {
    let values = prop::collection::vec(prop::option::weighted(0.8, number()), 0..100);
    (word(), text(), values, prop::bool::weighted(0.2))
        .prop_map(|(id, name, values, is_on_right_axis)| Series { id, name, values, is_on_right_axis })
}

pub fn figure() -> impl Strategy<Value = Figure> {
    let style = prop_oneof![Just(Style::Lines), Just(Style::Stacked)];
    let rest = (prop::option::of(text()), days(), prop::collection::vec(series(), 0..13));
    (word(), text(), style, text(), rest).prop_map(|(id, title, style, unit, (right_unit, days, series))| {
        Figure { id, title, style, unit, right_unit, days, series }
    })
}

pub fn matrix() -> impl Strategy<Value = Matrix> {
    let count = prop_oneof![4 => 0..2_000_u64, 1 => any::<u64>()];
    let values = prop::collection::vec(prop::option::weighted(0.8, count), 0..40);
    let row = (text(), values).prop_map(|(name, values)| MatrixRow { name, values });
    (word(), text(), text(), days(), prop::collection::vec(row, 0..6))
        .prop_map(|(id, title, unit, days, rows)| Matrix { id, title, unit, days, rows })
}

fn table() -> impl Strategy<Value = Table> {
    use ColumnKind::{Count, Decimal, Rank, Ratio, Share, Text as Words};
    let kind = prop::sample::select(vec![Words, Count, Decimal, Share, Ratio, Rank]);
    let column = (word(), text(), kind).prop_map(|(id, name, kind)| Column { id, name, kind });
    let cell = prop_oneof![Just(Cell::Nothing), number().prop_map(Cell::Number), text().prop_map(Cell::Text)];
    let rows = prop::collection::vec(prop::collection::vec(cell, 0..6), 0..6);
    (word(), text(), prop::collection::vec(column, 0..6), rows).prop_map(|(id, title, columns, rows)| Table {
        id,
        title,
        columns,
        rows,
    })
}

fn span() -> impl Strategy<Value = Span> {
    (prop::option::of(word()), word(), word(), any::<u32>()).prop_map(|(name, from, to, days)| Span {
        name,
        from,
        to,
        days,
    })
}

pub fn report() -> impl Strategy<Value = Report> {
    let block = prop_oneof![
        figure().prop_map(Block::Figure),
        matrix().prop_map(Block::Matrix),
        table().prop_map(Block::Table)
    ];
    let section =
        (word(), text(), prop::collection::vec(text(), 0..3), prop::collection::vec(block, 0..3)).prop_map(
            |(id, title, summary, blocks)| Section { id, title, summary, blocks, facts: Default::default() },
        );
    let sensor = (word(), number(), number()).prop_map(|(sensor, observed_days, previous_observed_days)| {
        SensorDays { sensor, observed_days, previous_observed_days }
    });
    let lists = (
        prop::collection::vec(sensor, 0..9),
        prop::collection::vec(section, 0..3),
        prop::collection::vec(text(), 0..3),
    );
    (text(), span(), span(), lists).prop_map(|(title, period, previous, (sensors, sections, sources))| {
        Report { format: FORMAT, title, period, previous, sensors, sections, sources }
    })
}
