//! What comes in, and what becomes of it.

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use wire::{Batch, Limits, WireError};

/// A batch that came in.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub batch: Batch,
    /// Of the part with the counts, by which a repetition is told from another interval of the same name.
    pub counts_hash: [u8; 32],
    /// By the collector's clock, nanoseconds since the Unix epoch.
    pub arrived: u64,
    /// By the sensor's clock, where it said so, nanoseconds since the Unix epoch.
    pub sent: Option<u64>,
    /// Bytes as it came.
    pub bytes: u64,
}

impl Incoming {
    /// Reads a batch as it came.
    ///
    /// # Errors
    /// Those of [`Batch::read`].
    pub fn read(bytes: &Bytes, limits: &Limits, arrived: u64, sent: Option<u64>) -> Result<Self, WireError> {
        Ok(Self::new(Batch::read(bytes, limits)?, bytes, arrived, sent))
    }

    /// A batch that was read from these bytes.
    #[must_use]
    pub fn new(batch: Batch, bytes: &Bytes, arrived: u64, sent: Option<u64>) -> Self {
        let counts = bytes.get(..batch.counts_length).unwrap_or(bytes);
        Self { counts_hash: counts_hash(counts), batch, arrived, sent, bytes: bytes.len() as u64 }
    }

    /// Rows of flows, by its header.
    #[must_use]
    pub fn flow_rows(&self) -> u64 {
        let flows = self.batch.header.flows.filter(|_| self.batch.has_flows());
        flows.map_or(0, |flows| flows.all_rows())
    }
}

/// SHA-256 of the part with the counts.
#[must_use]
pub fn counts_hash(counts: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, counts).as_ref());
    hash
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Stored,
    /// It is stored already, and was not counted again.
    AlreadyStored,
    /// What is stored of its name is something else; nothing of it was stored.
    Conflict {
        reason: String,
    },
    /// No store could hold it; nothing of it was stored, and it is no use to send it again.
    Refused {
        reason: String,
    },
}
