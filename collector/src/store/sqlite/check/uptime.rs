//! Up-time against the intervals, of days whose intervals are all kept.

mod flows;
mod windows;

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::flows::LATEST;
use super::super::rollup::{spans, spans_by_hour};
use super::reached::{can_be, each_interval};
use super::{Tell, breach, horizon};
use crate::store::{Day, NANOSECONDS_OF_DAY, utc};

pub fn by_day(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    times(connection, tell)?;
    let from = horizon(connection, "counters")?.max(horizon(connection, "sums")?);
    let spans = |start, end| spans(start, end).map(|(Day(day), long)| (day, long)).collect();
    let name = |day| format!("uptime_day of {}", Day(day));
    compare(connection, ("uptime_day_raw", "u.day"), from, &spans, &name, tell)?;
    flows::by_day(connection, from, tell)?;
    windows::by_day(connection, from, tell)
}

pub fn by_hour(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let from = horizon(connection, "counters")?.max(horizon(connection, "hours")?);
    let begin = u64::try_from(from).unwrap_or(0).saturating_mul(NANOSECONDS_OF_DAY);
    // Of a long interval only what has sums by hour is split by hours.
    let spans = |start: u64, end| spans_by_hour(start.max(begin), end).collect();
    let name = |hour: u32| format!("uptime_hour of {}, hour {}", Day(hour / 24), hour % 24);
    let table = ("uptime_hour_raw", "u.day * 24 + u.hour");
    compare(connection, table, from.saturating_mul(24), &spans, &name, tell)
}

/// As the store's sum, which ends at the highest number of its column.
fn added(sum: u64, more: u64) -> u64 {
    sum.saturating_add(more).min(i64::MAX.cast_unsigned())
}

/// Tells of intervals with times that cannot be: they are damaged, and cover no part of any day.
fn times(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT s.name, i.epoch, i.first, i.start, i.\"end\" FROM interval_raw i JOIN sensor s ON s.id = i.sensor
         ORDER BY i.id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (start, end): (i64, i64) = (row.get(3)?, row.get(4)?);
        if can_be(start, end) {
            continue;
        }
        let (sensor, epoch, first): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let latest = utc(LATEST);
        let what = format!("it is noted from {start} to {end} ns, which cannot be; 0 to {latest} can");
        breach(tell, format!("sensor {sensor}, epoch {epoch}, interval {first}: {what}"));
    }
    Ok(())
}

/// Compares a table's sums by some unit of time with the intervals' spans; from a unit on.
fn compare(
    connection: &Connection,
    (table, unit): (&str, &str),
    from: i64,
    spans: &dyn Fn(u64, u64) -> Vec<(u32, u64)>,
    name: &dyn Fn(u32) -> String,
    tell: Tell<'_>,
) -> rusqlite::Result<()> {
    let mut found: BTreeMap<(u32, String), u64> = BTreeMap::new();
    each_interval(connection, "s.name", |row, start, end| {
        for (place, nanoseconds) in spans(start, end) {
            if i64::from(place) >= from {
                let sum = found.entry((place, row.get(0)?)).or_default();
                *sum = added(*sum, nanoseconds);
            }
        }
        Ok(())
    })?;
    let mut statement = connection.prepare(&format!(
        "SELECT {unit}, s.name, u.nanoseconds FROM {table} u JOIN sensor s ON s.id = u.sensor
         WHERE {unit} >= ?1"
    ))?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        let (place, sensor): (u32, String) = (row.get(0)?, row.get(1)?);
        let noted = row.get::<_, i64>(2)?.cast_unsigned();
        let lasted = found.remove(&(place, sensor.clone())).unwrap_or(0);
        if noted != lasted {
            let what = format!("{noted} ns are noted, but its intervals lasted {lasted} ns");
            breach(tell, format!("{}, sensor {sensor}: {what}", name(place)));
        }
    }
    for ((place, sensor), lasted) in found {
        breach(tell, format!("{}, sensor {sensor}: {lasted} ns are not noted", name(place)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
