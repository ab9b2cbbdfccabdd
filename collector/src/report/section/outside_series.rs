//! `outside_series`: somebody else's numbers beside ours, on an axis of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::{Context, Counting, nothing_observed, packets_unit, region_code, region_label, section, series};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::ports::Cube;
use crate::report::destination::Destination;
use crate::report::model::{Block, Figure, Section, Style};
use crate::report::numbers::{mean, rounded, written};
use crate::report::period::ReportPeriod;
use crate::report::sections::{Region, Words};
use crate::store::Day;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// CSV of dates and values; relative to the file of sections.
    pub file: PathBuf,
    pub name: Words,
    /// What its values count.
    pub unit: Words,
    /// Ours: packets to a port, or from a region, or both; of all scans where neither is told.
    pub port: Option<Destination>,
    pub region: Option<Region>,
}

/// Why a series cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {what}; lines are a date and a value, such as 2024-04-01,1234", .path.display())]
    Line { path: PathBuf, line: usize, what: String },
}

/// Reads dates and values. The first line may be a heading; empty lines are let pass.
///
/// # Errors
/// Where it cannot be read, or a line is something else, or a date comes twice.
pub fn read(path: &Path) -> Result<BTreeMap<Day, f64>, SeriesError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SeriesError::Unreadable { path: path.into(), source })?;
    let mut values = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() {
            continue;
        }
        let failed = |what: String| SeriesError::Line { path: path.into(), line, what };
        let fields: Vec<&str> = content.split(',').map(|field| field.trim().trim_matches('"')).collect();
        let &[date, value] = fields.as_slice() else {
            return Err(failed(format!("{} fields in place of two", fields.len())));
        };
        let is_heading = line == 1 && !date.starts_with(|first: char| first.is_ascii_digit());
        if is_heading {
            continue;
        }
        let day: Day = date.parse().map_err(|error| failed(format!("\"{date}\" is not a date ({error})")))?;
        let number = value.parse().ok().filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| failed(format!("\"{value}\" is not a number")))?;
        if values.insert(day, number).is_some() {
            return Err(failed(format!("{day} is there twice")));
        }
    }
    Ok(values)
}

pub struct OutsideSeries {
    settings: Settings,
    values: BTreeMap<Day, f64>,
    cube: Cube,
}

impl OutsideSeries {
    /// Reads the file, which is relative to a folder.
    ///
    /// # Errors
    /// Those of [`read`].
    pub fn new(settings: &Settings, period: &ReportPeriod, folder: &Path) -> Result<Self, SeriesError> {
        let values = read(&folder.join(&settings.file))?;
        Ok(Self { settings: settings.clone(), values, cube: Cube::new(settings.port, period) })
    }
}

impl Counting for OutsideSeries {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: vec![&mut self.cube], counters: Vec::new() }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let Settings { name, unit, port, region, file: _ } = &self.settings;
        let name = name.text();
        let ours = port
            .map_or_else(|| Text::new("all scans", "すべてのスキャン"), |port| port.label(context.services));
        let ours = match region {
            Some(Region(region)) => {
                let from = region_label(*region);
                Text::new(format!("{} from {}", ours.en, from.en), format!("{}からの{}", from.ja, ours.ja))
            }
            None => ours,
        };
        let title =
            Text::new(format!("{} and {}", ours.en, name.en), format!("{}と{}の推移", ours.ja, name.ja));
        let wanted = region.map(|Region(region)| region);
        let all = self.cube.days(|region, _| wanted.is_none_or(|wanted| wanted == region));
        let current = context.current(&all);
        let count = current.len();
        // Their days are theirs: they may have observed where we did not.
        let theirs: Vec<Option<f64>> =
            (0..count).map(|day| self.values.get(&context.day(day)).map(|value| rounded(*value))).collect();
        let ends = |values: &[Option<f64>]| {
            let mut seen = values.iter().flatten();
            let first = seen.next().copied();
            (first, seen.next_back().copied().or(first))
        };
        let (first, last) = ends(&theirs);
        let mut summary = Vec::new();
        match mean(&current) {
            None => summary.push(nothing_observed()),
            Some(mean) => summary.push(Text::new(
                format!("{}: {} packets per sensor per day.", ours.en, written(mean)),
                format!("{}：センサー1台あたり1日平均{}パケットでした。", ours.ja, written(mean)),
            )),
        }
        summary.push(match (first, last) {
            (Some(first), Some(last)) => Text::new(
                format!("{}: {} at the beginning, {} at the end.", name.en, written(first), written(last)),
                format!("{}：期間の初めは{}、終わりは{}でした。", name.ja, written(first), written(last)),
            ),
            _ => Text::new(
                format!("{}: there are no values of this period.", name.en),
                format!("{}：この期間の値はありません。", name.ja),
            ),
        });
        let facts = json!({
            "port": port.and_then(Destination::port),
            "transport": port.map(Destination::transport),
            "region": wanted.map(region_code),
            "packets_per_sensor_per_day": mean(&current).map(rounded),
            "outside_first": first,
            "outside_last": last,
            "outside_mean": mean(&theirs).map(rounded),
            "outside_days": theirs.iter().flatten().count(),
        });
        let mut outside = series("outside", name.clone(), theirs);
        outside.is_on_right_axis = true;
        let figure = Figure {
            id: String::new(),
            title: title.clone(),
            style: Style::Lines,
            unit: packets_unit(),
            right_unit: Some(unit.text()),
            days: context.period.days(),
            series: vec![series("ours", ours, current), outside],
        };
        section(title, summary, vec![Block::Figure(figure)], facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<BTreeMap<Day, f64>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("series.csv");
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn dates_and_values_are_read() {
        let values = written("\u{feff}date,value\r\n2024-04-01,1\n\n\"2024-04-03\", 2.5\n").unwrap();
        let values: Vec<_> = values.into_iter().map(|(day, value)| (day.to_string(), value)).collect();
        assert_eq!(values, [("2024-04-01".into(), 1.0), ("2024-04-03".into(), 2.5)]);
        assert!(written("").unwrap().is_empty());
        assert!(read(Path::new("/nowhere")).unwrap_err().to_string().contains("/nowhere"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, words) in [
            ("date,value\n2024-04-01", 2, "1 fields"),
            ("2024-04-01,1,2", 1, "3 fields"),
            ("2024-04-01,1\ndate,value", 2, "not a date"),
            ("2024-02-30,1", 1, "not a date"),
            ("2024-04-01,1e999", 1, "not a number"),
            ("2024-04-01,nan", 1, "not a number"),
            ("2024-04-01,1\n\n2024-04-01,2", 3, "twice"),
        ] {
            let error = written(text).unwrap_err();
            assert!(error.contains(&format!("line {line}:")) && error.contains(words), "{text}: {error}");
        }
    }
}
