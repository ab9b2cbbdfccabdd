//! From which day on there are sums by hour.
//!
//! They are of the newest days alone, so that an import of years past neither takes their room nor their time. The first
//! such day is noted with the store: before it nothing is added, from it on they are whole.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::{Day, Incoming};

/// The first day that has sums by hour; of a new store, some days before its first batch arrived.
pub fn first_day(
    connection: &Connection,
    group: &[Incoming],
    hour_days: Option<u32>,
) -> rusqlite::Result<Day> {
    let noted = connection
        .prepare_cached("SELECT day FROM horizon WHERE what = 'hours'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if let Some(day) = noted {
        return Ok(Day(day));
    }
    let arrived = group.iter().map(|incoming| Day::of(incoming.arrived)).min().unwrap_or_default();
    let first = hour_days.map_or(Day(0), |days| arrived.before(days));
    if !group.is_empty() {
        raise_horizon(connection, first)?;
    }
    Ok(first)
}

/// Notes that there are none before the day.
pub fn raise_horizon(connection: &Connection, day: Day) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO horizon (what, day) VALUES ('hours', ?1)
         ON CONFLICT DO UPDATE SET day = excluded.day WHERE day < excluded.day",
    )?;
    statement.execute(params![day.0]).map(drop)
}
