//! Sums by port and by source against the rows of flows, of days whose flows are all kept.
//!
//! Each day looks at the intervals that reach into it alone: most of them end in it, and are found by their end; those
//! that go on are carried from day to day. What it takes grows with the days, and not with their square.

use rusqlite::{Connection, params};

use super::super::kind::WITHOUT_WINDOW;
use super::super::views::{BYTES, ROW_BITS, SEEN};
use super::reached::{Crossing, Reached};
use super::{Tell, breach, horizon};
use crate::store::{Day, NANOSECONDS_OF_DAY, NANOSECONDS_OF_HOUR};

pub fn of_flows(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let hours_from = horizon(connection, "hours")?;
    let from = horizon(connection, "counters")?.max(horizon(connection, "sums")?);
    let Reached { days, crossing } = Reached::read(connection)?;
    let mut crossing = crossing.into_iter().peekable();
    let mut going_on: Vec<Crossing> = Vec::new();
    for (day, is_gone) in days {
        while let Some(more) = crossing.next_if(|(first, _, _)| *first <= day) {
            going_on.push(more);
        }
        going_on.retain(|(_, last, _)| *last > day);
        if is_gone || i64::from(day) < from {
            continue;
        }
        let ids: Vec<i64> = going_on.iter().map(|(_, _, id)| *id).collect();
        // Plain numbers have no form that JSON lacks.
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        of_day(connection, (day, &ids), i64::from(day) >= hours_from, tell)?;
    }
    Ok(())
}

/// Compares the sums of a day, and those of its hours, with the rows of the intervals that end in it or are told.
fn of_day(
    connection: &Connection,
    (day, going_on): (u32, &str),
    has_hours: bool,
    tell: Tell<'_>,
) -> rusqlite::Result<()> {
    let nanoseconds = NANOSECONDS_OF_DAY;
    let rows = |raw: &str, columns: &str, more: &str| {
        format!(
            "SELECT {columns}, f.packets AS packets, {BYTES} AS bytes FROM interval_raw i
             CROSS JOIN {raw} f ON f.id >= i.id << {ROW_BITS} AND f.id < (i.id + 1) << {ROW_BITS}
             WHERE i.id IN (SELECT id FROM interval_raw
                 WHERE \"end\" >= ?1 * {nanoseconds} AND \"end\" <= (?1 + 1) * {nanoseconds}
                 UNION ALL SELECT value FROM json_each(?2))
             AND {SEEN} / {nanoseconds} = ?1 {more}"
        )
    };
    let both = |columns: &str, more: &str| {
        format!("{} UNION ALL {}", rows("flow_raw", columns, more), rows("tuple_raw", columns, more))
    };
    let mut compare = |rollup: &str, keys: &str, rows: &str| {
        let (wrong, absent) = differences(connection, (day, going_on), (rollup, keys), rows)?;
        if wrong + absent > 0 {
            let day = Day(day);
            breach(
                tell,
                format!(
                    "{rollup} of {day}: {wrong} sums are not those of the flows, {absent} of the flows' are not there"
                ),
            );
        }
        Ok::<_, rusqlite::Error>(())
    };
    let ports = both(&format!("i.sensor AS a, f.kind & {WITHOUT_WINDOW} AS b, 0 AS c"), "");
    compare("port_day", "sensor, kind, 0", &ports)?;
    if has_hours {
        let hour = format!("{SEEN} / {NANOSECONDS_OF_HOUR} % 24 AS c");
        let hours = both(&format!("i.sensor AS a, f.kind & {WITHOUT_WINDOW} AS b, {hour}"), "");
        compare("port_hour", "sensor, kind, hour", &hours)?;
    }
    let sources = both(
        "f.source AS a, watched_kind(f.kind, i.watched_windows) AS b, 0 AS c",
        "AND f.source IS NOT NULL AND length(f.source) > 0",
    );
    compare("source_day", "source, kind, 0", &sources)
}

/// Sums that are not those of the rows, and those of the rows that are no sum.
fn differences(
    connection: &Connection,
    (day, going_on): (u32, &str),
    (rollup, keys): (&str, &str),
    rows: &str,
) -> rusqlite::Result<(i64, i64)> {
    let kept =
        format!("SELECT {keys}, sum(packets), sum(bytes) FROM {rollup}_raw WHERE day = ?1 GROUP BY 1, 2, 3");
    let found = format!("SELECT a, b, c, sum(packets), sum(bytes) FROM ({rows}) GROUP BY 1, 2, 3");
    let count = |one: &str, other: &str| {
        let sql = format!("SELECT count(*) FROM (SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other}))");
        connection.query_row(&sql, params![day, going_on], |row| row.get(0))
    };
    Ok((count(&kept, &found)?, count(&found, &kept)?))
}

#[cfg(test)]
mod tests;
