//! What is to be sent, and what was.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// How many packets, exactly.
    pub packets: u64,
    pub pace: Pace,
    /// The CPUs that send, each its share; none means the one that this thread is on.
    pub cpus: &'a [usize],
    /// Ends the sending early where it becomes true.
    pub stop: Option<&'a AtomicBool>,
}

/// How fast to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    FullSpeed,
    PacketsPerSecond(NonZeroU32),
}

impl Pace {
    fn share(self, among: u64) -> Self {
        match self {
            Self::FullSpeed => Self::FullSpeed,
            Self::PacketsPerSecond(rate) => {
                let share = u32::try_from(u64::from(rate.get()).div_ceil(among)).unwrap_or(u32::MAX);
                Self::PacketsPerSecond(NonZeroU32::new(share).unwrap_or(NonZeroU32::MIN))
            }
        }
    }
}

/// What was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub packets: u64,
    /// By kind, in the order of the mix.
    pub by_kind: Vec<u64>,
    pub elapsed: Duration,
    /// Processor time of the senders, in which the receiving program's is contained.
    pub processor_time: Duration,
}

impl Order<'_> {
    /// As many packets at full speed, from one CPU.
    #[must_use]
    pub const fn packets(packets: u64) -> Self {
        Self { packets, pace: Pace::FullSpeed, cpus: &[], stop: None }
    }

    /// The part of this order that is the sender's at `place`, of so many.
    pub(super) fn share(&self, place: u64, of: u64) -> Self {
        let one_more = u64::from(place < self.packets % of);
        Self { packets: self.packets / of + one_more, pace: self.pace.share(of), ..*self }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}
