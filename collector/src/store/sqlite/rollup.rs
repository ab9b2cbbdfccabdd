//! Sums by day, put together in memory for a group of batches, and added to the store's in the order of their keys.
//!
//! A sum that many share ends at the highest number that its column holds: what one sensor says of itself must never
//! keep another one's batch from the store.

mod uptime;

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::AddAssign;

use rusqlite::{Connection, params};
use wire::{Counter, FlowKey, Header, Row};

use super::address::Address;
use super::failure::failure;
use super::flows::{TICK, times};
use super::interval::signed;
use super::kind;
use super::place::Places;
use crate::store::{Day, NANOSECONDS_OF_DAY, NANOSECONDS_OF_HOUR, StoreError};
pub use uptime::Flows;
use uptime::Uptime;

/// Sums that wait before they are added, so that memory does not grow with the batch.
const MOST_SOURCES: usize = 1 << 19;
const MOST_OTHERS: usize = 1 << 18;

/// Sums of rows and counters that are not in the store yet.
pub struct Rollups<'a> {
    places: &'a Places<'a>,
    begins: Begins,
    /// By hour since the Unix epoch; by the first hour of the day where the day has no sums by hour.
    ports: HashMap<(u32, i64, i64, i64), Sum>,
    sources: Vec<SourceRow>,
    counters: HashMap<(u32, i64, i64), u64>,
    uptime: Uptime,
}

/// From which days on there are sums that are not of all days.
#[derive(Clone, Copy)]
pub struct Begins {
    /// Those by hour.
    pub hours: Day,
    /// Those of watched windows.
    pub windows: Day,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    packets: u64,
    bytes: u64,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

#[derive(Clone, Copy)]
struct SourceRow {
    day: u32,
    source: Address,
    kind: i64,
    place: i64,
    sensor: i64,
    sum: Sum,
    /// Milliseconds from the day's start.
    first: i64,
    last: i64,
}

impl SourceRow {
    const fn key(&self) -> (u32, Address, i64, i64, i64) {
        (self.day, self.source, self.kind, self.place, self.sensor)
    }
}

/// The last moment of an interval; an end at midnight is the day's before.
pub fn last_moment(header: &Header) -> u64 {
    last_of(header.start, header.end)
}

pub fn last_of(start: u64, end: u64) -> u64 {
    start.max(end.saturating_sub(1))
}

fn sorted<K: Ord + Hash + Copy, V: Copy>(map: &mut HashMap<K, V>) -> Vec<(K, V)> {
    let mut rows: Vec<(K, V)> = map.drain().collect();
    rows.sort_unstable_by_key(|(key, _)| *key);
    rows
}

impl<'a> Rollups<'a> {
    pub fn new(places: &'a Places<'a>, begins: Begins) -> Self {
        Self {
            places,
            begins,
            ports: HashMap::new(),
            sources: Vec::new(),
            counters: HashMap::new(),
            uptime: Uptime::default(),
        }
    }

    /// Adds the counters of an interval, and what its flows lack, to the day of its last moment; and how long it was.
    pub fn add_counters(&mut self, sensor: i64, header: &Header, counters: &[Counter], flows: Flows) {
        let Day(day) = Day::of(last_moment(header));
        for counter in counters {
            let sum = self.counters.entry((day, sensor, counter_number(counter))).or_default();
            *sum = sum.saturating_add(counter.packets);
        }
        self.uptime.add(sensor, header, flows, self.begins);
    }

    /// Adds a row of flows, to the day of its first packet; no day that its interval has no moment of.
    ///
    /// # Errors
    /// Where the table of regions of that day cannot be had.
    pub fn add_flow(&mut self, sensor: i64, header: &Header, row: &Row) -> Result<(), StoreError> {
        let (first, lasting) = times(row, header.start);
        let first = header.start.saturating_add_signed(first.saturating_mul(TICK));
        let seen = first.clamp(header.start, last_moment(header));
        let day = Day::of(seen);
        let hour = if day >= self.begins.hours { hour_of(seen) } else { day.0.saturating_mul(HOURS_OF_DAY) };
        let place = self.places.place(row.source.as_ref(), day)?;
        // A row of a flow by tuple is kept without a window, too.
        let has_window = header.flows.is_some_and(|flows| flows.key == FlowKey::Source);
        let window = row.window.filter(|window| has_window && header.watched_windows.contains(window));
        let kind = kind::of(row, window);
        let sum = Sum { packets: row.packets, bytes: row.bytes };
        *self.ports.entry((hour, sensor, kind & kind::WITHOUT_WINDOW, place)).or_default() += sum;
        if let Some(source) = row.source {
            let first = (first.cast_signed() - day.start().cast_signed()).div_euclid(TICK);
            let source = source.into();
            let last = first + lasting;
            self.sources.push(SourceRow { day: day.0, source, kind, place, sensor, sum, first, last });
        }
        Ok(())
    }

    /// Takes over what waits in another one.
    pub fn merge(&mut self, mut other: Rollups<'_>) {
        for (key, sum) in other.ports.drain() {
            *self.ports.entry(key).or_default() += sum;
        }
        self.sources.append(&mut other.sources);
        for (key, packets) in other.counters.drain() {
            let sum = self.counters.entry(key).or_default();
            *sum = sum.saturating_add(packets);
        }
        self.uptime.merge(other.uptime);
    }

    /// Whether it is time to add what waits.
    pub fn is_full(&self) -> bool {
        self.sources.len() >= MOST_SOURCES
            || self.ports.len() >= MOST_OTHERS
            || self.counters.len() >= MOST_OTHERS
    }

    /// Adds all that waits to the store's sums.
    pub fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.note_days(connection).map_err(failure)?;
        self.flush_ports(connection)?;
        self.flush_sources(connection)?;
        let mut statement = connection
            .prepare_cached(
                "INSERT INTO counter_day_raw (day, sensor, counter, packets) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET packets = min(packets + excluded.packets, 9223372036854775807)",
            )
            .map_err(failure)?;
        for ((day, sensor, counter), packets) in sorted(&mut self.counters) {
            statement.execute(params![day, sensor, counter, signed(packets)]).map_err(failure)?;
        }
        self.uptime.flush(connection).map_err(failure)
    }

    /// Has each day that sums are of in the calendar, by which people's questions find them.
    fn note_days(&self, connection: &Connection) -> rusqlite::Result<()> {
        let ports = self.ports.keys().map(|key| key.0 / HOURS_OF_DAY);
        let days: BTreeSet<u32> =
            ports.chain(self.counters.keys().map(|key| key.0)).chain(self.uptime.days()).collect();
        let mut statement = connection.prepare_cached(
            "INSERT INTO calendar (day, text) VALUES (?1, date(?1 * 86400, 'unixepoch')) ON CONFLICT DO NOTHING",
        )?;
        days.into_iter().try_for_each(|day| statement.execute([day]).map(drop))
    }

    fn flush_ports(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection
            .prepare_cached(
                "INSERT INTO port_day_raw (day, sensor, kind, place, packets, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET packets = min(packets + excluded.packets, 9223372036854775807),
                     bytes = min(bytes + excluded.bytes, 9223372036854775807)",
            )
            .map_err(failure)?;
        let mut by_hour = connection
            .prepare_cached(
                "INSERT INTO port_hour_raw (day, hour, sensor, kind, place, packets, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET packets = min(packets + excluded.packets, 9223372036854775807),
                     bytes = min(bytes + excluded.bytes, 9223372036854775807)",
            )
            .map_err(failure)?;
        let mut days = Vec::with_capacity(self.ports.len());
        for ((hour, sensor, kind, place), sum) in sorted(&mut self.ports) {
            let (day, hour) = (hour / HOURS_OF_DAY, hour % HOURS_OF_DAY);
            days.push(((day, sensor, kind, place), sum));
            if Day(day) >= self.begins.hours {
                let (packets, bytes) = (signed(sum.packets), signed(sum.bytes));
                by_hour.execute(params![day, hour, sensor, kind, place, packets, bytes]).map_err(failure)?;
            }
        }
        days.sort_unstable_by_key(|(key, _)| *key);
        for same in days.chunk_by(|(one, _), (other, _)| one == other) {
            let Some(&((day, sensor, kind, place), _)) = same.first() else { continue };
            let mut sum = Sum::default();
            same.iter().for_each(|(_, more)| sum += *more);
            let (packets, bytes) = (signed(sum.packets), signed(sum.bytes));
            statement.execute(params![day, sensor, kind, place, packets, bytes]).map_err(failure)?;
        }
        Ok(())
    }

    fn flush_sources(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection
            .prepare_cached(
                "INSERT INTO source_day_raw (day, source, kind, place, packets, bytes, first, lasting, sensors)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO UPDATE SET packets = min(packets + excluded.packets, 9223372036854775807),
                     bytes = min(bytes + excluded.bytes, 9223372036854775807),
                     first = min(first, excluded.first),
                     lasting = max(first + lasting, excluded.first + excluded.lasting)
                         - min(first, excluded.first),
                     sensors = sensors_merge(sensors, excluded.sensors)",
            )
            .map_err(failure)?;
        self.sources.sort_unstable_by_key(SourceRow::key);
        for same in self.sources.chunk_by(|one, other| one.key() == other.key()) {
            let Some((&(mut row), others)) = same.split_first() else { continue };
            for other in others {
                row.sum += other.sum;
                row.first = row.first.min(other.first);
                row.last = row.last.max(other.last);
            }
            let SourceRow { day, source, kind, place, sensor, sum, first, last } = row;
            let (packets, bytes) = (signed(sum.packets), signed(sum.bytes));
            statement
                .execute(params![day, source, kind, place, packets, bytes, first, last - first, sensor])
                .map_err(failure)?;
        }
        self.sources.clear();
        Ok(())
    }
}

/// A counter as one number, see the schema.
pub fn counter_number(counter: &Counter) -> i64 {
    i64::from(counter.dimension as u8) << 16 | i64::from(counter.key)
}

const HOURS_OF_DAY: u32 = 24;

/// The hour of a moment, since the Unix epoch.
fn hour_of(nanoseconds: u64) -> u32 {
    u32::try_from(nanoseconds / NANOSECONDS_OF_HOUR).unwrap_or(u32::MAX)
}

/// How much of each hour, since the Unix epoch, lies between two moments.
pub fn spans_by_hour(start: u64, end: u64) -> impl Iterator<Item = (u32, u64)> {
    let hours = hour_of(start)..=hour_of(end);
    hours.filter_map(move |hour| {
        let begins = u64::from(hour) * NANOSECONDS_OF_HOUR;
        let (from, to) = (begins.max(start), begins.saturating_add(NANOSECONDS_OF_HOUR).min(end));
        (to > from).then(|| (hour, to - from))
    })
}

/// How much of each day lies between two moments.
pub fn spans(start: u64, end: u64) -> impl Iterator<Item = (Day, u64)> {
    let days = Day::of(start).0..=Day::of(end).0;
    days.map(Day).filter_map(move |day| {
        let from = day.start().max(start);
        let to = day.start().saturating_add(NANOSECONDS_OF_DAY).min(end);
        (to > from).then(|| (day, to - from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_split_at_hours() {
        let spans = |start, end| spans_by_hour(start, end).collect::<Vec<_>>();
        let hour = NANOSECONDS_OF_HOUR;
        assert_eq!(spans(5 * hour - 3, 7 * hour + 1), [(4, 3), (5, hour), (6, hour), (7, 1)]);
        assert_eq!(spans(5 * hour, 6 * hour), [(5, hour)]);
        // An interval of days without hours is handed over with a start after its end.
        assert_eq!(spans(9 * hour, 6 * hour), []);
    }

    #[test]
    fn a_span_is_split_at_midnights() {
        let day = Day(19_782);
        let spans = |start, end| spans(start, end).map(|(day, long)| (day.0, long)).collect::<Vec<_>>();
        assert_eq!(spans(day.start() - 5, day.start()), [(19_781, 5)]);
        assert_eq!(spans(day.start(), day.start()), []);
        let end = day.start() + NANOSECONDS_OF_DAY + 7;
        assert_eq!(spans(day.start() - 5, end), [(19_781, 5), (19_782, NANOSECONDS_OF_DAY), (19_783, 7)]);
    }
}
