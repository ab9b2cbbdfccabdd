//! Which windows sensors watched, by day.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::{Day, Period, Watched};

/// The first day of which it is known: of a store that an older program began, the first one whose intervals were all
/// kept when it was brought to this version.
pub fn first_day(connection: &Connection) -> rusqlite::Result<Day> {
    let mut statement = connection.prepare_cached("SELECT day FROM horizon WHERE what = 'windows'")?;
    Ok(Day(statement.query_row([], |row| row.get(0)).optional()?.unwrap_or_default()))
}

/// How long each sensor watched each window, by day, sensor, and window.
pub fn watched(connection: &Connection, period: Period) -> rusqlite::Result<Vec<Watched>> {
    let (from, to) = period.bounds();
    let mut statement = connection.prepare_cached(
        "SELECT w.day, s.name, w.watched_window, w.nanoseconds FROM window_day_raw w JOIN sensor s ON s.id = w.sensor
         WHERE w.day >= ?1 AND w.day < ?2 AND w.watched_window BETWEEN 0 AND 65535
         ORDER BY w.day, s.name, w.watched_window",
    )?;
    let rows = statement.query_map(params![from.0, to.0], |row| {
        let nanoseconds = row.get::<_, i64>(3)?.cast_unsigned();
        Ok(Watched { day: Day(row.get(0)?), sensor: row.get(1)?, window: row.get(2)?, nanoseconds })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests;
