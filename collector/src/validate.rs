//! Whether a batch can be true: its names, its times, the laws of conservation, and its flows against its counters.

mod conservation;
mod known;
mod name;
mod refusal;
mod time;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wire::{Batch, Limits, WireError};

use crate::store::counts_hash;
pub use known::{InMemory, KnownIntervals, Neighbours, Span};
pub use name::{NameError, check as check_sensor_name};
pub use refusal::{Fault, Refusal, Word};

/// What is asked of a batch besides being one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub limits: Limits,
    /// By how much an interval may end after this host's clock.
    pub max_clock_ahead: Duration,
    /// By how much an interval may have ended before this host's clock.
    pub oldest: Duration,
    /// Whether times are taken as they are: a person vouches for them.
    pub trust_times: bool,
}

/// Checks batches.
#[derive(Clone)]
pub struct Validator {
    rules: Rules,
    known: Arc<dyn KnownIntervals>,
}

impl Validator {
    #[must_use]
    pub fn new(rules: Rules, known: Arc<dyn KnownIntervals>) -> Self {
        Self { rules, known }
    }

    /// The intervals that it compares with.
    #[must_use]
    pub fn known(&self) -> &dyn KnownIntervals {
        &*self.known
    }

    /// Reads a batch and holds it against everything that is known. `certified` is the name in the certificate of who
    /// sent it, and `now` this host's clock in nanoseconds since the Unix epoch. It never panics.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(&self, bytes: &Bytes, certified: Option<&str>, now: u64) -> Result<Batch, Refusal> {
        // What its author did not foresee costs this batch alone.
        let read = catch_unwind(AssertUnwindSafe(|| self.read_unguarded(bytes, certified, now)));
        read.unwrap_or_else(|_| Err(Refusal::unread(certified, Fault::Panic)))
    }

    /// Whether what these bytes hold is stored, although it is refused: a person took it in. It may wait for the store.
    #[must_use]
    pub fn is_stored(&self, bytes: &Bytes, refusal: &Refusal) -> bool {
        let Refusal { sensor: Some(sensor), name: Some(name), counts_length: Some(length), .. } = refusal
        else {
            return false;
        };
        let counts = bytes.get(..*length).filter(|_| refusal.may_be_stored());
        counts.is_some_and(|counts| self.known.is_stored(sensor, *name, &counts_hash(counts)))
    }

    fn read_unguarded(&self, bytes: &Bytes, certified: Option<&str>, now: u64) -> Result<Batch, Refusal> {
        let batch = Batch::read(bytes, &self.rules.limits).map_err(|error| {
            Refusal::unread(
                certified,
                match error {
                    WireError::Version { .. } => Fault::Version(error),
                    error => Fault::Malformed(error),
                },
            )
        })?;
        match self.check(&batch, certified, now) {
            Ok(()) => Ok(batch),
            Err(fault) => Err(Refusal::of_batch(&batch, fault)),
        }
    }

    fn check(&self, batch: &Batch, certified: Option<&str>, now: u64) -> Result<(), Fault> {
        let header = &batch.header;
        name::check(&header.sensor)?;
        if let Some(certified) = certified.filter(|certified| *certified != header.sensor) {
            return Err(Fault::Foreign { certified: certified.into(), sensor: header.sensor.clone() });
        }
        conservation::check_header(header)?;
        if !self.rules.trust_times {
            time::check(header, &self.rules, now)?;
            time::check_order(header, &self.known.neighbours(&header.sensor, header.name()))?;
        }
        conservation::check(batch, time::of_flows(header, &self.rules))
    }
}

#[cfg(test)]
mod tests;
