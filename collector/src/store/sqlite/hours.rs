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
    let arrived = group.iter().map(|incoming| Day::of(incoming.arrived)).min().unwrap_or_default();
    if let Some(noted) = noted.map(Day) {
        return if group.is_empty() { Ok(noted) } else { lower_horizon(connection, noted, arrived) };
    }
    let first = hour_days.map_or(Day(0), |days| arrived.before(days));
    if !group.is_empty() {
        raise_horizon(connection, first)?;
    }
    Ok(first)
}

/// Has sums by hour begin tomorrow at the latest: what is noted may be by a clock that was months ahead, and there would
/// be none for as long.
///
/// Never so early that a day would count as whole of which something was added, or removed, without them.
fn lower_horizon(connection: &Connection, noted: Day, arrived: Day) -> rusqlite::Result<Day> {
    let tomorrow = Day(arrived.0.saturating_add(1));
    if noted <= tomorrow {
        return Ok(noted);
    }
    let least: u32 = connection
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(day) + 1 FROM calendar WHERE day < ?1), 0),
                 coalesce((SELECT max(day) FROM horizon WHERE what IN ('sums', 'counters')), 0))",
        )?
        .query_row([noted.0], |row| row.get(0))?;
    let first = tomorrow.max(Day(least)).min(noted);
    if first < noted {
        connection.prepare_cached("UPDATE horizon SET day = ?1 WHERE what = 'hours'")?.execute([first.0])?;
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

#[cfg(test)]
mod tests;
