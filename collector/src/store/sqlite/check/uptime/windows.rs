//! How long windows were watched, against the intervals.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::super::super::interval::NEVER_CAME;
use super::super::super::rollup::spans;
use super::super::reached::each_interval;
use super::super::{Tell, breach};
use super::added;
use crate::store::Day;

/// From a day on, of which all intervals are kept.
pub fn by_day(connection: &Connection, from: i64, tell: Tell<'_>) -> rusqlite::Result<()> {
    let mut found: BTreeMap<(u32, String, u16), u64> = BTreeMap::new();
    let columns = format!(
        "s.name, (i.flow_state <> {NEVER_CAME} OR i.observed = 0) AND i.watched_windows <> '[]', i.watched_windows"
    );
    each_interval(connection, &columns, |row, start, end| {
        if !row.get::<_, bool>(1)? {
            return Ok(());
        }
        // A list that is none is told already.
        let windows = row.get_ref(2)?.as_str().map(serde_json::from_str::<BTreeSet<u16>>);
        let Ok(Ok(windows)) = windows else { return Ok(()) };
        for (Day(day), nanoseconds) in spans(start, end) {
            if i64::from(day) < from {
                continue;
            }
            for window in &windows {
                let sum = found.entry((day, row.get(0)?, *window)).or_default();
                *sum = added(*sum, nanoseconds);
            }
        }
        Ok(())
    })?;
    let mut statement = connection.prepare(
        "SELECT w.day, s.name, w.watched_window, w.nanoseconds FROM window_day_raw w JOIN sensor s ON s.id = w.sensor
         WHERE w.day >= ?1",
    )?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        let (day, sensor, window): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let noted = row.get::<_, i64>(3)?.cast_unsigned();
        let (Ok(day), Ok(window)) = (u32::try_from(day), u16::try_from(window)) else {
            let what = "there is no such day, or no such window (0 to 65535)";
            breach(tell, format!("window_day of day {day}, sensor {sensor}, window {window}: {what}"));
            continue;
        };
        let lasted = found.remove(&(day, sensor.clone(), window)).unwrap_or(0);
        if noted != lasted {
            let what = format!("{noted} ns are noted, but its intervals that watched it lasted {lasted} ns");
            breach(tell, format!("window_day of {}, sensor {sensor}, window {window}: {what}", Day(day)));
        }
    }
    for ((day, sensor, window), lasted) in found {
        let what = format!("{lasted} ns are not noted");
        breach(tell, format!("window_day of {}, sensor {sensor}, window {window}: {what}", Day(day)));
    }
    Ok(())
}
