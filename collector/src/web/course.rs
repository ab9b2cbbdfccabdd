//! Answers over time as a figure: a value for each hour or day, and a gap where nobody was observing.

use std::collections::BTreeMap;

use super::answers::Entry;
use super::look::Period;
use super::names::Names;
use super::observed::Observed;
use super::topics::{self, COURSE, RANKING, width};
use super::words;
use crate::language::{Language, Text};
use crate::report::model::{Figure, Series, Style};
use crate::store::{Day, Facet, FacetValue, Span, Value};

/// An hour or a day.
pub type Place = (Day, Option<u32>);

/// Its name: such as `2026-01-31`, or `2026-01-31 07:00`.
pub fn name_of(place: Place) -> String {
    match place {
        (day, Some(hour)) => format!("{day} {hour:02}:00"),
        (day, None) => day.to_string(),
    }
}

/// The hour or day that a row begins with, and the columns behind it.
pub fn place(span: Span, row: &[Value]) -> Option<(Place, &[Value])> {
    let Some((Value::Text(day), rest)) = row.split_first() else { return None };
    let day = day.parse().ok()?;
    match span {
        Span::Days(..) => Some(((day, None), rest)),
        Span::Hours(..) => match rest.split_first()? {
            (Value::Integer(hour), rest) => Some(((day, u32::try_from(*hour).ok()), rest)),
            _ => None,
        },
    }
}

pub fn integer(value: Option<&Value>) -> Option<u64> {
    match value {
        Some(Value::Integer(number)) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn unit(span: Span) -> Text {
    let word = if matches!(span, Span::Hours(..)) { words::PER_HOUR } else { words::PER_DAY };
    text(word)
}

fn text(word: words::Word) -> Text {
    Text::new(word.of(Language::English), word.of(Language::Japanese))
}

/// Packets over time by a facet, of the values that are drawn.
pub fn packets(facet: Facet, entry: &Entry, observed: &Observed, names: &Names) -> Option<Figure> {
    let (span, course, ranking) = (entry.span, entry.find(COURSE)?, entry.find(RANKING)?);
    let mut found: BTreeMap<(FacetValue, Place), u64> = BTreeMap::new();
    for row in &course.answer.rows {
        if let Some((place, rest)) = place(span, row)
            && let Some(value) = topics::value(facet, rest)
        {
            found.insert((value, place), integer(rest.get(width(facet)))?);
        }
    }
    let places = span.places();
    let drawn = ranking.answer.rows.iter().take(topics::DRAWN).filter_map(|row| topics::value(facet, row));
    let series = drawn.enumerate().map(|(number, value)| {
        let sensor = match &value {
            FacetValue::Sensor(name) => Some(name.as_str()),
            _ => None,
        };
        let of = |place: &Place| {
            let packets = found.get(&(value.clone(), *place)).copied();
            // What was counted was observed, whatever the up-time says.
            let is_zero = || observed.absent(*place, sensor).is_none();
            packets.or_else(|| is_zero().then_some(0)).map(|packets| packets as f64)
        };
        let name = |language| names.of(&value, language);
        Series {
            id: format!("s{number}"),
            name: Text::new(name(Language::English), name(Language::Japanese)),
            values: places.iter().map(of).collect(),
            is_on_right_axis: false,
        }
    });
    Some(Figure {
        id: super::topics::Topic::Packets(facet).name().into(),
        title: text(words::facet_title(facet)),
        style: Style::Lines,
        unit: unit(span),
        right_unit: None,
        days: places.iter().copied().map(name_of).collect(),
        series: series.collect(),
    })
}

/// Source addresses of each day.
pub fn sources(entry: &Entry, observed: &Observed) -> Option<Figure> {
    let (span, by_day) = (entry.span, entry.find(topics::BY_DAY)?);
    let found: BTreeMap<Place, u64> = by_day
        .answer
        .rows
        .iter()
        .filter_map(|row| {
            let (place, rest) = place(span, row)?;
            Some((place, integer(rest.first())?))
        })
        .collect();
    let places = span.places();
    let of = |place: &Place| {
        let sources = found.get(place).copied();
        let is_zero = || observed.absent(*place, None).is_none();
        sources.or_else(|| is_zero().then_some(0)).map(|sources| sources as f64)
    };
    Some(Figure {
        id: topics::Topic::SourceCount.name().into(),
        title: text(words::SOURCES_TITLE),
        style: Style::Lines,
        unit: text(words::SOURCES_PER_DAY),
        right_unit: None,
        days: places.iter().copied().map(name_of).collect(),
        series: vec![Series {
            id: "s0".into(),
            name: text(words::SOURCES),
            values: places.iter().map(of).collect(),
            is_on_right_axis: false,
        }],
    })
}

/// How long an hour or day of a period is that has come to its end, in seconds.
pub const fn seconds_of(period: Period) -> f64 {
    match period {
        Period::Day => 3_600.0,
        Period::Week | Period::Quarter => 86_400.0,
    }
}
