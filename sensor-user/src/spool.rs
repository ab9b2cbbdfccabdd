//! The spool: intervals on disk, from when they are counted until the collector has stored them. It is the only truth
//! between agent and collector; what an interval's counts and flows look like it does not know.
//!
//! Counts and flows are in two series of append-only segments ([`record`] has them to the byte), so that dropping detail
//! is removing whole files. What is dropped when, and why nothing is counted twice, is in `docs/spool.md`.

mod age;
mod core;
mod disk;
mod error;
mod living;
mod marks;
mod mend;
mod merge;
mod quarantine;
mod ranges;
mod read;
pub mod record;
mod recovery;
mod reserve;
mod room;
mod scan;
mod segments;
mod status;
mod tidy;
mod voice;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use nix::time::{ClockId, clock_gettime};

use self::core::Core;
use self::disk::{Disk, Folder};
use self::read::Failure;
use self::record::{Place, Series};
use self::voice::{Clock, Kind};
use crate::folder::Refusal;

pub use error::{Finding, SpoolError};
pub use merge::Merge;
pub use status::{Dropped, Status};
pub use voice::Say;
pub use wire::Name;

/// Fewer bytes are no spool: a segment of counts has to fit some times over.
pub const LEAST_BYTES: u64 = 1 << 20;
/// What is kept free on the disk, besides the spool's size: marks for hundreds of intervals, or some that are merged.
const RESERVE_BYTES: u64 = 128 << 10;

/// How much the spool keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of all segments. What is in quarantine comes on top: at most a sixteenth of this, and at most 16 MiB. So does a
    /// reserve of 128 KiB.
    pub max_bytes: u64,
    /// Flows of intervals that ended so long before the newest one are dropped, and their counts merged. An end is
    /// believed as far as time has passed on a clock that nobody sets.
    pub max_age: Duration,
}

impl Limits {
    /// The length at which a segment is followed by another one.
    fn roll_at(&self) -> u64 {
        (self.max_bytes / 64).clamp(64 << 10, 64 << 20)
    }
}

/// All that makes a spool besides its disk.
struct Setup {
    limits: Limits,
    /// The length at which a segment is followed by another one, and that of the reserve.
    roll_at: u64,
    reserve: u64,
    merge: Box<dyn Merge>,
    say: Say,
    clock: Clock,
}

/// An interval, to be kept or as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    pub name: Name,
    /// When it ended, in nanoseconds since the Unix epoch.
    pub end: u64,
    pub counts: Bytes,
    /// None where it had none, or they were dropped, merged away or damaged.
    pub flows: Option<Bytes>,
    /// What is in the flows, or was: to be told should they be dropped.
    pub flow_rows: u64,
    pub flow_packets: u64,
}

/// An interval's counts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Kept {
    /// Not so where there was no room for its flows.
    pub flows_kept: bool,
}

/// An open spool. All threads may use it at once; no call waits for more than the disk.
pub struct Spool {
    disk: Arc<dyn Disk>,
    core: Mutex<Core>,
}

impl Spool {
    /// Opens the spool in a folder, made where it is not there, and tells what was found in it that should be known.
    /// Nothing can be sent before it is released: [`Spool::release_all`]. What happens to it from then on that should be
    /// known, it says: of each kind at most one line a minute, and then how many more there were.
    ///
    /// # Errors
    /// Where the folder is not this agent's to write, or of another agent or version, or the limits are none.
    pub fn open(
        folder: &Path,
        limits: Limits,
        merge: Box<dyn Merge>,
        say: Say,
    ) -> Result<(Self, Vec<Finding>), SpoolError> {
        if limits.max_bytes < LEAST_BYTES {
            return Err(SpoolError::TooSmall { given: limits.max_bytes, least: LEAST_BYTES });
        }
        let disk = Folder::open(folder).map_err(|refusal| match refusal {
            Refusal::Busy => SpoolError::Busy { folder: folder.into() },
            Refusal::Failed(source) => SpoolError::Folder { folder: folder.into(), source },
        })?;
        let boot = || clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from);
        let (roll_at, reserve, clock) = (limits.roll_at(), RESERVE_BYTES, Arc::new(boot));
        Self::on(Arc::new(disk), Setup { limits, roll_at, reserve, merge, say, clock })
    }

    fn on(disk: Arc<dyn Disk>, setup: Setup) -> Result<(Self, Vec<Finding>), SpoolError> {
        let (core, findings) = Core::open(Arc::clone(&disk), setup)?;
        Ok((Self { disk, core: Mutex::new(core) }, findings))
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(|poisoned| {
            let mut core = poisoned.into_inner();
            core.void_half_done();
            self.core.clear_poison();
            core
        })
    }

    /// Keeps an interval: once this returns it is durable. It cannot be sent before [`Spool::release`].
    ///
    /// # Errors
    /// Where it is not kept. Then the caller keeps counting: what it could not give is in what it gives next. Should
    /// the agent die before that, the interval may be found all the same ([`Spool::last`]).
    pub fn append(&self, interval: &Interval) -> Result<Kept, SpoolError> {
        self.lock().append(interval)
    }

    /// Lets an interval be sent, after its caller has noted it for good.
    ///
    /// # Errors
    /// Where it is not here.
    pub fn release(&self, name: &Name) -> Result<(), SpoolError> {
        let mut core = self.lock();
        core.find(name)?;
        core.living.release(name);
        Ok(())
    }

    /// Lets all be sent that is here, after the caller has compared its notes with [`Spool::last`].
    pub fn release_all(&self) {
        self.lock().living.release_all();
    }

    /// The last interval of an epoch that is here.
    #[must_use]
    pub fn last(&self, epoch: u64) -> Option<Name> {
        self.lock().living.last(epoch)
    }

    /// At most so many intervals that may be sent, oldest first by epoch and sequence, without those that `is_out` says
    /// are on their way already.
    #[must_use]
    pub fn oldest(&self, count: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name> {
        self.lock().living.oldest(count, is_out)
    }

    /// Counts of an interval.
    ///
    /// # Errors
    /// Where it is not here, or cannot be read. One that is damaged is given up.
    pub fn read_counts(&self, name: &Name) -> Result<Bytes, SpoolError> {
        loop {
            let place = self.lock().find(name)?.place;
            let failure = match read::counts(&*self.disk, name, place) {
                Ok(counts) => return Ok(counts),
                Err(failure) => failure,
            };
            let mut core = self.lock();
            if core.find(name)?.place != place {
                // It was copied elsewhere in between.
                continue;
            }
            let file = Series::Counts.file(place.at.segment);
            return Err(match failure {
                Failure::Io(source) => SpoolError::Read { file, source },
                Failure::Damaged(bytes) => {
                    core.give_up(name, place, &bytes);
                    SpoolError::Damaged { name: *name, file, offset: place.at.offset }
                }
            });
        }
    }

    /// All of an interval. Flows that are damaged, or whose file is gone, are left out, and counted as damaged.
    ///
    /// # Errors
    /// Where it is not here, or cannot be read now. One whose counts are damaged is given up.
    pub fn read(&self, name: &Name) -> Result<Interval, SpoolError> {
        let counts = self.read_counts(name)?;
        let head = self.lock().find(name)?.head;
        let flows = match head.flows.map(|place| (place, read::flows(&*self.disk, name, place))) {
            None => None,
            Some((_, Ok(flows))) => Some(flows),
            Some((place, Err(Failure::Io(source)))) if source.kind() != io::ErrorKind::NotFound => {
                // It may do the next time: too many files are open, memory is short, the disk is busy failing.
                return Err(SpoolError::Read { file: Series::Flows.file(place.at.segment), source });
            }
            Some((place, Err(failure))) => {
                self.lock().give_up_flows(name, place, failure);
                None
            }
        };
        let self::record::Head { end, flow_rows, flow_packets, .. } = head;
        Ok(Interval { name: *name, end, counts, flows, flow_rows, flow_packets })
    }

    /// Notes for good that an interval is about to be sent. It is never merged from now on, since the collector may have
    /// it.
    ///
    /// # Errors
    /// Where it must not be sent: it is not here any more, or the note is not durable.
    pub fn mark_attempted(&self, name: &Name) -> Result<(), SpoolError> {
        self.lock().mark_attempted(name)
    }

    /// The collector says that it has stored an interval: it is not needed here any more.
    ///
    /// # Errors
    /// Where it is not here.
    pub fn mark_stored(&self, name: &Name) -> Result<(), SpoolError> {
        self.lock().mark_stored(name)
    }

    /// The spool in numbers.
    #[must_use]
    pub fn status(&self) -> Status {
        self.lock().status()
    }
}

impl Core {
    /// After a panic in the middle of some call: what it wrote and did not make durable is void, as after a crash.
    /// Otherwise the next fsync would make it count.
    fn void_half_done(&mut self) {
        let error = io::Error::other("a thread of the agent panicked");
        self.voice.tell(Kind::Panic, format_args!("{error}; what it had not kept yet is not in the spool"));
        self.counts.fail(&*self.disk, &error);
        self.flows.fail(&*self.disk, &error);
        self.untidy = true;
    }

    /// Leaves an interval without its flows, which cannot be read.
    fn give_up_flows(&mut self, name: &Name, place: Place, failure: Failure) {
        let here = self.find(name).is_ok_and(|living| living.head.flows == Some(place));
        // Else they were dropped in between.
        let Some(head) = self.living.find(name).filter(|_| here).map(|living| living.head) else { return };
        let (file, offset) = (Series::Flows.file(place.at.segment), place.at.offset);
        self.living.drop_flows_of(name);
        self.totals.dropped.add(&head);
        self.totals.damaged_flows += 1;
        if let Some(segment) = self.flows.segments.get_mut(&place.at.segment) {
            segment.living = segment.living.saturating_sub(1);
            self.untidy |= segment.living == 0;
        }
        match failure {
            Failure::Io(error) => {
                let line = format_args!("flows of {name} are lost, and with them {file}: {error}");
                self.voice.tell(Kind::Damage, line);
            }
            Failure::Damaged(bytes) => {
                let line = format_args!("flows of {name} are damaged in {file} at {offset}: they are lost");
                self.voice.tell(Kind::Damage, line);
                self.quarantine.keep(Series::Flows, place.at.segment, offset, &bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests;
