//! Windows that sources were seen with against those that sensors watched, of days some of whose flows are gone.
//!
//! The rows of flows tell each source's window as long as all of a day are kept: see [`super::sums`]. Afterwards nothing
//! tells which of its watched windows a source had, or that it had one; but no sensor has told a window that it did not
//! watch on that day. Once the intervals are gone, nothing tells of those without any length what they watched.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::address::SensorSet;
use super::super::kind::WITHOUT_WINDOW;
use super::super::windows::first_day;
use super::reached::{Days, Reached, each_interval};
use super::{Tell, breach, horizon};
use crate::store::Day;

/// Windows of intervals without any length, which `window_day` has not: by day, sensor, and window.
type Brief = BTreeSet<(u32, i64, i64)>;

pub fn windows(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let intervals_from = horizon(connection, "sums")?.max(horizon(connection, "counters")?);
    let reached = Reached::read(connection)?.days;
    let brief = brief(connection)?;
    let Day(windows_from) = first_day(connection)?;
    let mut days = Days::of(connection, "source_day_raw", intervals_from.max(windows_from.into()))?;
    while let Some(day) = days.advance()? {
        // Told by the calendar's check, and by that of stray days.
        let Ok(day) = u32::try_from(day) else { return Ok(()) };
        // Else flows tell it, or no interval reaches into the day.
        if reached.get(&day) == Some(&true) {
            of_day(connection, day, &brief, tell)?;
        }
    }
    Ok(())
}

fn brief(connection: &Connection) -> rusqlite::Result<Brief> {
    let mut brief = Brief::new();
    each_interval(connection, "i.sensor, i.watched_windows", |row, start, end| {
        if start == end
            && let Ok(Ok(windows)) = row.get_ref(1)?.as_str().map(serde_json::from_str::<Vec<u16>>)
        {
            let (Day(day), sensor) = (Day::of(start), row.get(0)?);
            brief.extend(windows.into_iter().map(|window| (day, sensor, window.into())));
        }
        Ok(())
    })?;
    Ok(brief)
}

fn of_day(
    connection: &Connection,
    day: u32,
    brief: &Brief,
    tell: Tell<'_>,
) -> rusqlite::Result<()> {
    let mut is_watched = connection.prepare_cached(
        "SELECT 1 FROM window_day_raw WHERE day = ?1 AND sensor = ?2 AND watched_window = ?3",
    )?;
    let mut name = connection.prepare_cached("SELECT name FROM sensor WHERE id = ?1")?;
    let mut unwatched: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (window, sensors) in told(connection, day, tell)? {
        for sensor in sensors.ids() {
            if !brief.contains(&(day, sensor, window)) && !is_watched.exists(params![day, sensor, window])? {
                unwatched.entry(sensor).or_default().push(window);
            }
        }
    }
    for (sensor, windows) in unwatched {
        let name: Option<String> = name.query_row([sensor], |row| row.get(0)).optional()?;
        let name = name.unwrap_or_else(|| format!("number {sensor}, which there is not"));
        let (count, such) = (windows.len(), windows.first().copied().unwrap_or_default());
        let what = format!("{count} windows that it did not watch were seen by it, such as {such}");
        breach(tell, format!("source_day of {}, sensor {name}: {what}", Day(day)));
    }
    Ok(())
}

/// The windows that sources of a day were seen with, and by whom.
fn told(connection: &Connection, day: u32, tell: Tell<'_>) -> rusqlite::Result<BTreeMap<i64, SensorSet>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT ((kind >> 32) & 131071) - 1, sensors FROM source_day_raw WHERE day = ?1 AND kind & {} <> 0",
        !WITHOUT_WINDOW
    ))?;
    let mut rows = statement.query([day])?;
    let mut told: BTreeMap<i64, SensorSet> = BTreeMap::new();
    let mut unreadable = 0_u64;
    while let Some(row) = rows.next()? {
        if told.entry(row.get(0)?).or_default().add(row.get_ref(1)?).is_err() {
            unreadable += 1;
        }
    }
    if unreadable > 0 {
        breach(tell, format!("source_day of {}: {unreadable} rows have sensors that cannot be", Day(day)));
    }
    Ok(told)
}

#[cfg(test)]
mod tests;
