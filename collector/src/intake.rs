//! What takes in a batch that was found to be good: the store, as those see it who bring batches.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use wire::Batch;

/// A batch that passed every check that needs nothing but itself.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub batch: Batch,
    /// The batch as it came.
    pub bytes: Bytes,
    /// When its last byte had come, by this host's clock, in nanoseconds since the Unix epoch.
    pub arrived: u64,
    /// When its sensor sent it, by the sensor's clock, in nanoseconds since the Unix epoch.
    pub sent: Option<u64>,
}

/// The store's word that an interval is safe on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whether it was there before: nothing has been counted twice.
    pub already: bool,
}

/// Why a batch was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// For good: another interval has its name, or the sequences of another include some of its own.
    #[error("it contradicts what is stored: {0}")]
    Conflict(String),
    /// For good: it has a figure that no store can hold.
    #[error("no store can hold it: {0}")]
    Refused(String),
    /// For now.
    #[error("the store is busy: {reason}")]
    Busy { reason: String, retry_after: Duration },
    /// For as long as a person has not mended it: a full disk, a damaged file.
    #[error("the store cannot commit: {0}")]
    Failed(String),
}

/// Called once, when it is known what became of a batch.
pub type Reply = Box<dyn FnOnce(Result<Receipt, IntakeError>) + Send>;

/// Takes in batches.
pub trait Intake: Send + Sync {
    /// Queues a batch, without waiting, and calls `reply` once it is safe on disk, or will not be. A reply that is
    /// dropped says that it will not be.
    fn submit(&self, accepted: Accepted, reply: Reply);
}

/// This host's clock, in nanoseconds since the Unix epoch.
#[must_use]
pub fn unix_nanoseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
