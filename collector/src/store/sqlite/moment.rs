//! How far the store had come.

use rusqlite::Connection;

use crate::store::Moment;

/// What every commit moves on, the last interval's id, and what retention does as it begins to remove something. It goes
/// on in small steps, but of days before its horizon alone, of which nothing whole is to be had any more.
pub fn told(connection: &Connection) -> rusqlite::Result<Moment> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce((SELECT max(id) FROM interval_raw), 0) || ' '
             || coalesce((SELECT group_concat(what || ':' || day, ' ') FROM (SELECT what, day FROM horizon ORDER BY what)), '')",
    )?;
    statement.query_row([], |row| row.get(0)).map(Moment)
}
