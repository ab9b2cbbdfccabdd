//! The tables, and how a file gets them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failure::failure;
use crate::store::StoreError;

/// "APUS": what `file` and others tell the store's file by.
const APPLICATION: i64 = 0x4150_5553;

/// Each brings a file from the version of its place to the next.
const MIGRATIONS: [&str; 6] = [
    include_str!("schema.sql"),
    include_str!("calendar.sql"),
    include_str!("beyond.sql"),
    include_str!("hours.sql"),
    include_str!("flowtime.sql"),
    include_str!("windows.sql"),
];

/// The version that this program writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// What takes back each migration but the first.
#[cfg(test)]
const BACK: [&str; MIGRATIONS.len() - 1] = [
    "DROP TABLE calendar",
    "UPDATE flow_raw SET beyond = beyond + 40 * packets; UPDATE tuple_raw SET beyond = beyond + 40 * packets;
     ALTER TABLE flow_raw RENAME COLUMN beyond TO bytes; ALTER TABLE tuple_raw RENAME COLUMN beyond TO bytes",
    "DROP TABLE port_hour_raw; DROP TABLE uptime_hour_raw; DROP INDEX interval_sensor_end; DELETE FROM horizon",
    "ALTER TABLE uptime_day_raw DROP COLUMN with_flows",
    "DROP TABLE window_day_raw; ALTER TABLE uptime_day_raw DROP COLUMN missing; DELETE FROM horizon WHERE what = 'windows'",
];

/// Makes of a store what an older program would have left.
#[cfg(test)]
pub fn back_to(connection: &Connection, version: usize) {
    for back in BACK[version - 1..].iter().rev() {
        connection.execute_batch(back).unwrap();
    }
    connection.pragma_update(None, "user_version", version as i64).unwrap();
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(failure)
}

/// Brings a file to this program's version, and refuses what is not a store, or a newer one.
///
/// # Errors
/// Where it refuses, or the file cannot be written.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let objects = |connection: &Connection| -> Result<i64, StoreError> {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failure)
    };
    if pragma(connection, "application_id")? == 0 && objects(connection)? == 0 {
        // Space of removed rows can be given back in small steps; it has to be said before the first table.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failure)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failure)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    let is_new = pragma(&transaction, "application_id")? == 0 && objects(&transaction)? == 0;
    if is_new {
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(failure)?;
    }
    let version = check_application(&transaction, path)?;
    let done = usize::try_from(version).unwrap_or(0);
    for migration in &MIGRATIONS[done.min(MIGRATIONS.len())..] {
        transaction.execute_batch(migration).map_err(failure)?;
    }
    transaction.pragma_update(None, "user_version", VERSION).map_err(failure)?;
    transaction.commit().map_err(failure)
}

/// Refuses what this program cannot read as it is.
///
/// # Errors
/// Where it refuses.
pub fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = check_application(connection, path)?;
    if found < VERSION {
        return Err(StoreError::Older { path: path.into(), found, known: VERSION });
    }
    Ok(())
}

fn check_application(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let found = pragma(connection, "application_id")?;
    if found != APPLICATION {
        return Err(StoreError::Foreign { path: path.into(), found });
    }
    let found = pragma(connection, "user_version")?;
    if found > VERSION {
        return Err(StoreError::Newer { path: path.into(), found, known: VERSION });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_or_newer_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let mut connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(migrate(&mut connection, &path), Err(StoreError::Foreign { .. })));
        let path = folder.path().join("other");
        let mut connection = Connection::open(&path).unwrap();
        migrate(&mut connection, &path).unwrap();
        migrate(&mut connection, &path).unwrap();
        assert!(check(&connection, &path).is_ok());
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(matches!(migrate(&mut connection, &path), Err(StoreError::Newer { .. })));
        assert!(matches!(check(&connection, &path), Err(StoreError::Newer { .. })));
        assert_eq!(pragma(&connection, "auto_vacuum").unwrap(), 2);
    }
}
