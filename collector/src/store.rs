//! What the collector keeps, and the questions it answers.
//!
//! [`Store`] is who writes, [`Reader`] who reads; neither knows of an engine. Plain structs go in and come out, so that
//! a cluster can stand where one file does. `docs/store.md` says what is kept, and why so.

mod day;
mod error;
mod incoming;
mod regions;
mod report;
mod rows;
mod slice;
pub mod sqlite;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::RecordBatch;
use wire::Name;

pub use day::{Day, NANOSECONDS_OF_DAY, NANOSECONDS_OF_HOUR, Period, moment, utc};
pub use error::StoreError;
pub use incoming::{Incoming, Outcome, counts_hash};
pub use regions::{
    REGION_NUMBERS, RegionTable, Regions, UNKNOWN, UnknownRegions, read_region, region_code, region_number,
    region_of,
};
pub use report::{
    Answer, Finding, FindingKind, Interval, IntervalDay, Kept, Moment, PortKey, PortSum, RollupFilter,
    SensorOverview, SourceKey, SourceSum, Uptime, Value, Watched,
};
pub use rows::{Bits, Match, PortRow, RowFilter, Selector, SensorsSeen, SourceOrder, SourceRow, VictimFlow};
pub use slice::{Facet, FacetValue, Hour, Question, Service, Slice, Span};
pub use table::{Column, ColumnKind, Table};

use crate::config::StoreFlags;
use crate::retention::Retention;

/// Where a store is, for commands that open one.
#[derive(Clone, Debug, clap::Args)]
pub struct StoreArguments {
    #[command(flatten)]
    pub flags: StoreFlags,
    /// The file itself, such as a backup, in place of the one in that folder
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
}

impl StoreArguments {
    /// Opens the store for reading.
    ///
    /// # Errors
    /// Where it is not there, not a store, or another program's.
    pub fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let file = match &self.store {
            Some(file) => file.clone(),
            None => self.flags.options()?.resolve()?.store_file(),
        };
        Ok(Box::new(sqlite::SqliteReader::open(&file)?))
    }
}

/// What one step of retention has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    pub rows_removed: u64,
    /// Whether there is nothing left to do today.
    pub done: bool,
}

/// The one who writes. A store has at most one at a time.
pub trait Store: Send {
    /// Stores every batch of the group that is not stored yet, each as a whole.
    ///
    /// Says what became of each, in the order of the group. It has reached the disk when this returns.
    ///
    /// # Errors
    /// Where the store cannot be written. The group may be tried again: what of it is in the store is counted once.
    fn commit(&mut self, group: &[Incoming]) -> Result<Vec<Outcome>, StoreError>;

    /// Removes some of what has outlived its time: at most about `most_rows` rows, so that batches need not wait.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn retain(&mut self, retention: &Retention, today: Day, most_rows: u32) -> Result<Retained, StoreError>;

    /// Another one who reads, of what is committed by the time of each question.
    ///
    /// # Errors
    /// Where the store cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// One who reads, and cannot write.
pub trait Reader: Send {
    /// The intervals that are kept of one sensor, or of all, and ended in the period; by sensor, epoch, and sequence.
    ///
    /// # Errors
    /// Where the store cannot be read; of every other question too.
    fn intervals(&self, sensor: Option<&str>, period: Period) -> Result<Vec<Interval>, StoreError>;

    /// Sums of flows by day, sensor, and service; most packets first.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn port_sums(
        &self,
        filter: &RollupFilter,
        by: &[PortKey],
        most: usize,
    ) -> Result<Vec<PortSum>, StoreError>;

    /// Sums of flows by day, source, and service; most packets first.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn source_sums(
        &self,
        filter: &RollupFilter,
        by: &[SourceKey],
        most: usize,
    ) -> Result<Vec<SourceSum>, StoreError>;

    /// The number of each sensor's name, by which rows tell sensors; they mean nothing in another store.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn sensor_numbers(&self) -> Result<Vec<(u32, String)>, StoreError>;

    /// Hands over rows of `port_day`, in the order of their days and, within a day, of their sensors' numbers.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn port_rows(&self, filter: &RowFilter, take: &mut dyn FnMut(&PortRow)) -> Result<(), StoreError>;

    /// Hands over rows of `source_day`; those of one source on one day follow each other.
    ///
    /// # Errors
    /// As [`Reader::intervals`]; and that of `take`.
    fn source_rows(
        &self,
        filter: &RowFilter,
        order: SourceOrder,
        take: &mut dyn FnMut(&SourceRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Hands over the flows of backscatter that are kept and name a victim, by victim, protocol, and first packet.
    ///
    /// # Errors
    /// As [`Reader::intervals`]; and that of `take`.
    fn victim_flows(
        &self,
        period: Period,
        take: &mut dyn FnMut(&VictimFlow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// How long each sensor was counting, by day: a day that is not among them was not observed at all.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn uptime(&self, sensor: Option<&str>, period: Period) -> Result<Vec<Uptime>, StoreError>;

    /// How long each sensor watched each window, by day, sensor, and window. Of days whose intervals were gone before the
    /// store had sums of it, there is nothing.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn watched(&self, period: Period) -> Result<Vec<Watched>, StoreError>;

    /// What the intervals that are kept tell of each day of a period, by sensor and day.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn interval_days(&self, period: Period) -> Result<Vec<IntervalDay>, StoreError>;

    /// Has every question from here on be answered as of this moment, until [`Reader::go_on`]. What is written meanwhile
    /// stays in the log for as long.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn stay(&self) -> Result<Moment, StoreError>;

    /// Has questions be answered as of the time that they are asked again.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn go_on(&self) -> Result<(), StoreError>;

    /// Every sensor that ever sent an interval; its figures are of the period.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn sensors(&self, period: Period) -> Result<Vec<SensorOverview>, StoreError>;

    /// Reads the store again and tells what is wrong or missing in it.
    ///
    /// # Errors
    /// Where it cannot be read at all.
    fn verify(&self, tell: &mut dyn FnMut(Finding)) -> Result<(), StoreError>;

    /// Whether exactly this interval, with counts of this hash, is stored; or was, and retention has removed it since.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn is_stored(&self, sensor: &str, name: Name, counts_hash: &[u8; 32]) -> Result<bool, StoreError>;

    /// Writes a copy, as the store is at one moment, to a file that is not there yet.
    ///
    /// # Errors
    /// Where it cannot be read, or the copy cannot be written.
    fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// Answers a question in the engine's SQL, which cannot change anything.
    ///
    /// # Errors
    /// Where it is no such question, or takes too long.
    fn query(&mut self, sql: &str, most_rows: usize, within: Duration) -> Result<Answer, StoreError>;

    /// A question about a slice in the engine's SQL: asked so, [`Reader::query`] has the same answer.
    fn sql_of(&self, question: &Question) -> String;

    /// Answers a question about a slice; at most a million rows of it.
    ///
    /// # Errors
    /// As [`Reader::query`].
    fn answer(&mut self, question: &Question, within: Duration) -> Result<Answer, StoreError>;

    /// A number that is another one once something was committed since it was told.
    ///
    /// # Errors
    /// As [`Reader::intervals`].
    fn version(&self) -> Result<u64, StoreError>;

    /// Hands over the rows of a table that belong to the period, some at a time.
    ///
    /// # Errors
    /// As [`Reader::intervals`]; and that of `take`.
    fn scan(
        &self,
        table: Table,
        period: Period,
        take: &mut dyn FnMut(RecordBatch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
pub(crate) mod conformance;
