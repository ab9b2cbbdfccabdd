//! The store in one file: SQLite, with a write-ahead log.

mod address;
mod backup;
mod check;
mod commit;
mod conditions;
mod failure;
mod flows;
mod functions;
mod hours;
mod interval;
mod interval_days;
mod kind;
mod ledger;
mod moment;
mod overview;
mod place;
mod question;
mod retain;
mod rollup;
mod rows;
mod scan;
mod schema;
mod slices;
mod stored;
mod sum;
mod sums;
#[cfg(test)]
mod tests;
mod victims;
mod views;
mod windows;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use rusqlite::{Connection, OpenFlags};
use wire::Name;

use super::{
    Answer, Day, Finding, Incoming, Interval, IntervalDay, Moment, Outcome, Period, PortKey, PortRow,
    PortSum, Question, Reader, Regions, Retained, RollupFilter, RowFilter, SensorOverview, SourceKey,
    SourceOrder, SourceRow, SourceSum, Store, StoreError, Table, UnknownRegions, Uptime, VictimFlow, Watched,
};
use crate::retention::Retention;
use failure::failure;

/// How long one who writes waits for another one, or for a reader that is in the way.
const PATIENCE: Duration = Duration::from_secs(10);
/// Statements that are kept ready.
const STATEMENTS: usize = 64;
/// Pages of the log before they are moved into the file: 64 MiB, so that pages that change often move once.
const LOG_PAGES: i64 = 16_384;
/// What the log is cut to once it has been moved.
const LOG_BYTES: i64 = 256 << 20;

/// How a store is opened.
#[derive(Clone)]
pub struct SqliteOptions {
    /// Bytes of pages that are kept in memory by the one who writes.
    pub cache_bytes: u64,
    /// Whether rows of flows are kept besides their sums.
    pub keep_flows: bool,
    /// Days that sums by hour are kept, as far as one who adds to the store needs to know: see `Retention`.
    pub hour_days: Option<u32>,
    pub regions: Arc<dyn Regions>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 256 << 20,
            keep_flows: true,
            hour_days: Some(8),
            regions: Arc::new(UnknownRegions),
        }
    }
}

/// The store, for the one who writes.
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    options: SqliteOptions,
}

impl SqliteStore {
    /// Opens the store, made where it is not there, and brought to this program's version where it is older.
    ///
    /// # Errors
    /// Where the file cannot be used, is not a store, or a newer program's.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        Self::open_with(path, options, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens a store that is there, brought to this program's version where it is older.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and where it is not there.
    pub fn open_existing(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.into() });
        }
        Self::open_with(path, options, OpenFlags::empty())
    }

    fn open_with(path: &Path, options: SqliteOptions, more: OpenFlags) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let mut connection = Connection::open_with_flags(path, flags)
            .map_err(|error| StoreError::Open { path: path.into(), what: error.to_string() })?;
        prepare(&connection, options.cache_bytes)?;
        schema::migrate(&mut connection, path)?;
        // An answer to a sensor is a promise: what it removes from its spool must outlive a power cut here.
        connection.pragma_update(None, "synchronous", "FULL").map_err(failure)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(failure)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES).map_err(failure)?;
        Ok(Self { path: path.into(), connection, options })
    }
}

fn prepare(connection: &Connection, cache_bytes: u64) -> Result<(), StoreError> {
    connection.busy_timeout(PATIENCE).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let kibibytes = i64::try_from(cache_bytes >> 10).unwrap_or(i64::MAX);
    connection.pragma_update(None, "cache_size", -kibibytes.max(1 << 10)).map_err(failure)?;
    functions::register(connection).map_err(failure)
}

impl Store for SqliteStore {
    fn commit(&mut self, group: &[Incoming]) -> Result<Vec<Outcome>, StoreError> {
        let Self { connection, options, path: _ } = self;
        let (keep_flows, hour_days) = (options.keep_flows, options.hour_days);
        commit::Committer { connection, regions: &*options.regions, keep_flows, hour_days }.commit(group)
    }

    fn retain(&mut self, retention: &Retention, today: Day, most_rows: u32) -> Result<Retained, StoreError> {
        retain::step(&mut self.connection, retention, today, most_rows)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteReader::open(&self.path)?))
    }
}

/// Bytes of pages that one who reads keeps in memory.
const READER_CACHE: u64 = 64 << 20;

/// The store, for one who reads.
pub struct SqliteReader {
    path: PathBuf,
    connection: Connection,
}

impl SqliteReader {
    /// Opens a store that is there. It may be written meanwhile.
    ///
    /// # Errors
    /// Where it is not there, is not a store, or another version's.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.into() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |error: rusqlite::Error| StoreError::Open {
            path: path.into(),
            what: format!(
                "{error}; to read it, this user needs to be able to read the file and those beside it that end in -wal and -shm"
            ),
        };
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        prepare(&connection, READER_CACHE)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|error| {
            match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => {
                    StoreError::Foreign { path: path.into(), found: 0 }
                }
                _ => failed(error),
            }
        })?;
        schema::check(&connection, path)?;
        connection.execute_batch(&views::create()).map_err(failure)?;
        connection.pragma_update(None, "query_only", true).map_err(failure)?;
        Ok(Self { path: path.into(), connection })
    }

    /// Has all that `read` asks for come from the same moment.
    fn at_one_moment<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.connection.is_autocommit() {
            // All is of the moment at which it was told to stay.
            return read(&self.connection);
        }
        let transaction = self.connection.unchecked_transaction().map_err(failure)?;
        read(&transaction)
    }
}

impl Reader for SqliteReader {
    fn intervals(&self, sensor: Option<&str>, period: Period) -> Result<Vec<Interval>, StoreError> {
        overview::intervals(&self.connection, sensor, period).map_err(failure)
    }

    fn port_sums(
        &self,
        filter: &RollupFilter,
        by: &[PortKey],
        most: usize,
    ) -> Result<Vec<PortSum>, StoreError> {
        sums::ports(&self.connection, filter, by, most).map_err(failure)
    }

    fn source_sums(
        &self,
        filter: &RollupFilter,
        by: &[SourceKey],
        most: usize,
    ) -> Result<Vec<SourceSum>, StoreError> {
        sums::sources(&self.connection, filter, by, most).map_err(failure)
    }

    fn sensor_numbers(&self) -> Result<Vec<(u32, String)>, StoreError> {
        rows::sensor_numbers(&self.connection).map_err(failure)
    }

    fn port_rows(&self, filter: &RowFilter, take: &mut dyn FnMut(&PortRow)) -> Result<(), StoreError> {
        rows::ports(&self.connection, filter, take).map_err(failure)
    }

    fn source_rows(
        &self,
        filter: &RowFilter,
        order: SourceOrder,
        take: &mut dyn FnMut(&SourceRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        rows::sources(&self.connection, filter, order, take)
    }

    fn victim_flows(
        &self,
        period: Period,
        take: &mut dyn FnMut(&VictimFlow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        victims::flows(&self.connection, period, take)
    }

    fn uptime(&self, sensor: Option<&str>, period: Period) -> Result<Vec<Uptime>, StoreError> {
        overview::uptime(&self.connection, sensor, period).map_err(failure)
    }

    fn watched(&self, period: Period) -> Result<Vec<Watched>, StoreError> {
        windows::watched(&self.connection, period).map_err(failure)
    }

    fn interval_days(&self, period: Period) -> Result<Vec<IntervalDay>, StoreError> {
        self.at_one_moment(|connection| interval_days::of(connection, period).map_err(failure))
    }

    fn stay(&self) -> Result<Moment, StoreError> {
        self.go_on()?;
        self.connection.execute_batch("BEGIN").map_err(failure)?;
        // A transaction begins with its first question.
        moment::told(&self.connection).map_err(failure)
    }

    fn go_on(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").map_err(failure)
    }

    fn sensors(&self, period: Period) -> Result<Vec<SensorOverview>, StoreError> {
        self.at_one_moment(|connection| overview::sensors(connection, period).map_err(failure))
    }

    fn verify(&self, tell: &mut dyn FnMut(Finding)) -> Result<(), StoreError> {
        self.at_one_moment(|connection| {
            check::check(connection, tell);
            Ok(())
        })
    }

    fn is_stored(&self, sensor: &str, name: Name, counts_hash: &[u8; 32]) -> Result<bool, StoreError> {
        self.at_one_moment(|connection| {
            stored::is_stored(connection, sensor, name, counts_hash).map_err(failure)
        })
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.at_one_moment(|connection| backup::backup(connection, &self.path, to))
    }

    fn query(&mut self, sql: &str, most_rows: usize, within: Duration) -> Result<Answer, StoreError> {
        question::answer(&mut self.connection, sql, most_rows, within)
    }

    fn sql_of(&self, question: &Question) -> String {
        slices::sql(question)
    }

    fn answer(&mut self, question: &Question, within: Duration) -> Result<Answer, StoreError> {
        slices::answer(&mut self.connection, question, within)
    }

    fn version(&self) -> Result<u64, StoreError> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0));
        version.map(i64::cast_unsigned).map_err(failure)
    }

    fn scan(
        &self,
        table: Table,
        period: Period,
        take: &mut dyn FnMut(RecordBatch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        scan::scan(&self.connection, table, period, take)
    }
}
