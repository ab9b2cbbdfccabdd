//! Of what attacks cannot be known: rows of flows are kept for less time than sums, or not at all.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::store::{Day, NANOSECONDS_OF_DAY, Period, Reader, StoreError};

/// Share of a sensor's up-time that may lack its rows without being told: intervals cross midnights.
const LEAST_SHARE: f64 = 0.001;

/// A sensor, parts of whose time attacks are not known of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unknown {
    pub sensor: String,
    /// Days' worth of up-time in the period, and of it those with rows of flows.
    pub observed_days: f64,
    pub days_with_flow_rows: f64,
    /// First and last day that lacks some.
    pub first_day: String,
    pub last_day: String,
}

/// How much of the period the sensors were up, and the flows of how much of that are kept as rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    pub period_days: u32,
    /// Days on which at least one sensor was up.
    pub observed_days: usize,
    /// `spoofed_dos` is not known there.
    pub spoofed_dos_unknown: Vec<Unknown>,
}

/// A sensor's days of up-time, those of them with rows, and the first and last day that lacks some.
#[derive(Default)]
struct Up {
    all: f64,
    known: f64,
    lacking: Option<(Day, Day)>,
}

/// Compares up-time with the intervals whose rows are kept.
///
/// # Errors
/// Where the store cannot be read.
pub fn coverage(reader: &dyn Reader, from: Day, to: Day) -> Result<Coverage, StoreError> {
    let period = Period::days(from, to);
    let intervals = reader.interval_days(period)?;
    let kept: BTreeMap<(&str, Day), u64> =
        intervals.iter().map(|told| ((&*told.sensor, told.day), told.with_rows)).collect();
    let uptime = reader.uptime(None, period)?;
    let days = |nanoseconds: u64| (nanoseconds as f64 / NANOSECONDS_OF_DAY as f64).min(1.0);
    let mut sensors: BTreeMap<&str, Up> = BTreeMap::new();
    let mut observed: Vec<Day> = Vec::new();
    for up in uptime.iter().filter(|up| up.nanoseconds > 0) {
        observed.push(up.day);
        let with_rows = kept.get(&(&*up.sensor, up.day)).copied().unwrap_or(0).min(up.nanoseconds);
        let Up { all, known, lacking } = sensors.entry(&up.sensor).or_default();
        *all += days(up.nanoseconds);
        *known += days(with_rows);
        if days(with_rows) < days(up.nanoseconds) * (1.0 - LEAST_SHARE) {
            *lacking = Some((lacking.map_or(up.day, |(first, _)| first), up.day));
        }
    }
    observed.dedup();
    let unknown = sensors.into_iter().filter_map(|(sensor, Up { all, known, lacking })| {
        let (first, last) = lacking?;
        Some(Unknown {
            sensor: sensor.into(),
            observed_days: rounded(all),
            days_with_flow_rows: rounded(known),
            first_day: first.to_string(),
            last_day: last.to_string(),
        })
    });
    let spoofed_dos_unknown = unknown.collect();
    Ok(Coverage { period_days: to.0 - from.0, observed_days: observed.len(), spoofed_dos_unknown })
}

fn rounded(days: f64) -> f64 {
    (days * 1e6).round() / 1e6
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "attacks are not known of sensor {} but for {:.2} of the {:.2} days that it was up: from {} to {} rows of \
             flows are missing",
            self.sensor, self.days_with_flow_rows, self.observed_days, self.first_day, self.last_day
        )
    }
}
