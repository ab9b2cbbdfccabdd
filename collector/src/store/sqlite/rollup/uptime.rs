//! How long sensors were counting, with flows or without, and which windows they watched meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::ops::AddAssign;

use rusqlite::{Connection, params};
use wire::Header;

use super::{Begins, HOURS_OF_DAY, last_moment, sorted, spans, spans_by_hour};
use crate::store::Day;
use crate::store::sqlite::interval::signed;

/// Sums that are not in the store yet.
#[derive(Default)]
pub struct Uptime {
    days: HashMap<(u32, i64), Sum>,
    /// By hour since the Unix epoch.
    hours: HashMap<(u32, i64), u64>,
    /// Nanoseconds with flows, by window.
    windows: HashMap<(u32, i64, u16), u64>,
}

/// Nanoseconds, those of them whose flows are known, and packets that are in no flow.
#[derive(Clone, Copy, Default)]
struct Sum {
    nanoseconds: u64,
    with_flows: u64,
    missing: u64,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.nanoseconds = self.nanoseconds.saturating_add(other.nanoseconds);
        self.with_flows = self.with_flows.saturating_add(other.with_flows);
        self.missing = self.missing.saturating_add(other.missing);
    }
}

/// What is known of an interval's flows.
#[derive(Clone, Copy)]
pub struct Flows {
    /// Whether it brought them, or had none to bring.
    pub are_known: bool,
    /// Observed packets that are in none of them.
    pub packets_missing: u64,
}

impl Uptime {
    pub fn add(&mut self, sensor: i64, header: &Header, flows: Flows, begins: Begins) {
        // A list that has a window twice watches it once.
        let windows: BTreeSet<u16> = header.watched_windows.iter().copied().collect();
        for (day, nanoseconds) in spans(header.start, header.end) {
            let with_flows = if flows.are_known { nanoseconds } else { 0 };
            *self.days.entry((day.0, sensor)).or_default() += Sum { nanoseconds, with_flows, missing: 0 };
            for window in windows.iter().filter(|_| flows.are_known && day >= begins.windows) {
                let sum = self.windows.entry((day.0, sensor, *window)).or_default();
                *sum = sum.saturating_add(nanoseconds);
            }
        }
        if flows.packets_missing > 0 {
            let Day(day) = Day::of(last_moment(header));
            *self.days.entry((day, sensor)).or_default() +=
                Sum { missing: flows.packets_missing, ..Sum::default() };
        }
        for (hour, nanoseconds) in spans_by_hour(header.start.max(begins.hours.start()), header.end) {
            let sum = self.hours.entry((hour, sensor)).or_default();
            *sum = sum.saturating_add(nanoseconds);
        }
    }

    /// The days that there is something of.
    pub fn days(&self) -> impl Iterator<Item = u32> {
        self.days.keys().map(|key| key.0)
    }

    pub fn merge(&mut self, mut other: Self) {
        for (key, sum) in other.days.drain() {
            *self.days.entry(key).or_default() += sum;
        }
        for (key, nanoseconds) in other.hours.drain() {
            let sum = self.hours.entry(key).or_default();
            *sum = sum.saturating_add(nanoseconds);
        }
        for (key, nanoseconds) in other.windows.drain() {
            let sum = self.windows.entry(key).or_default();
            *sum = sum.saturating_add(nanoseconds);
        }
    }

    /// Adds all that waits to the store's sums.
    pub fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO uptime_day_raw (day, sensor, nanoseconds, with_flows, missing) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET
                 nanoseconds = min(nanoseconds + excluded.nanoseconds, 9223372036854775807),
                 with_flows = min(with_flows + excluded.with_flows, 9223372036854775807),
                 missing = min(missing + excluded.missing, 9223372036854775807)",
        )?;
        for ((day, sensor), Sum { nanoseconds, with_flows, missing }) in sorted(&mut self.days) {
            let [nanoseconds, with_flows, missing] = [nanoseconds, with_flows, missing].map(signed);
            statement.execute(params![day, sensor, nanoseconds, with_flows, missing])?;
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO uptime_hour_raw (day, hour, sensor, nanoseconds) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET
                 nanoseconds = min(nanoseconds + excluded.nanoseconds, 9223372036854775807)",
        )?;
        for ((hour, sensor), nanoseconds) in sorted(&mut self.hours) {
            let (day, hour) = (hour / HOURS_OF_DAY, hour % HOURS_OF_DAY);
            statement.execute(params![day, hour, sensor, signed(nanoseconds)])?;
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO window_day_raw (day, sensor, watched_window, nanoseconds) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET
                 nanoseconds = min(nanoseconds + excluded.nanoseconds, 9223372036854775807)",
        )?;
        for ((day, sensor, window), nanoseconds) in sorted(&mut self.windows) {
            statement.execute(params![day, sensor, window, signed(nanoseconds)])?;
        }
        Ok(())
    }
}
