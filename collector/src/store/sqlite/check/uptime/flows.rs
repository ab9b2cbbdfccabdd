//! How much of the up-time has its flows, against the intervals.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::super::interval::NEVER_CAME;
use super::super::super::rollup::spans;
use super::super::{Tell, breach};
use crate::store::Day;

/// From a day on, of which all intervals are kept. A day without a row is told by the check of the up-time itself.
pub fn by_day(connection: &Connection, from: i64, tell: Tell<'_>) -> rusqlite::Result<()> {
    let mut found: BTreeMap<(u32, String), u64> = BTreeMap::new();
    let mut statement = connection.prepare(&format!(
        "SELECT s.name, i.start, i.\"end\" FROM interval_raw i JOIN sensor s ON s.id = i.sensor
         WHERE i.flow_state <> {NEVER_CAME} OR i.observed = 0"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (start, end): (i64, i64) = (row.get(1)?, row.get(2)?);
        for (Day(day), nanoseconds) in spans(start.cast_unsigned(), end.cast_unsigned()) {
            if i64::from(day) >= from {
                let sum = found.entry((day, row.get(0)?)).or_default();
                // As the store's sum, which ends at the highest number of its column.
                *sum = sum.saturating_add(nanoseconds).min(i64::MAX.cast_unsigned());
            }
        }
    }
    let mut statement = connection.prepare(
        "SELECT u.day, s.name, u.with_flows FROM uptime_day_raw u JOIN sensor s ON s.id = u.sensor
         WHERE u.day >= ?1",
    )?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        let (day, sensor): (u32, String) = (row.get(0)?, row.get(1)?);
        let noted = row.get::<_, i64>(2)?.cast_unsigned();
        let brought = found.get(&(day, sensor.clone())).copied().unwrap_or(0);
        if noted != brought {
            let what = format!(
                "{noted} ns are noted with flows, but its intervals that brought theirs lasted {brought} ns"
            );
            breach(tell, format!("uptime_day of {}, sensor {sensor}: {what}", Day(day)));
        }
    }
    Ok(())
}
