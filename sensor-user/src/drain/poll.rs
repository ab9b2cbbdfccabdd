//! How long to pause between two passes: not at all where digests come fast, and long enough to cost nothing
//! where few come; but never so long that a ring could fill up meanwhile.

use std::time::Duration;

use crate::program::Rings;

/// The longest pause. At 5 million packets per second a ring of the usual size is a tenth full after it.
const LONGEST: Duration = Duration::from_millis(10);
/// The fastest that one CPU is thought to write digests: a fourth of a ring at this rate is a pause.
const NANOSECONDS_FOR_EACH_DIGEST: u64 = 25;
/// Digests of one pass that are worth another one at once.
const MANY: u64 = 1_024;

pub struct Pauses {
    longest: Duration,
    next: Duration,
}

impl Pauses {
    pub fn new(rings: Rings) -> Self {
        let smallest = u64::from(rings.records.min(rings.records_ipv6 * 8));
        let quarter = Duration::from_nanos(smallest / 4 * NANOSECONDS_FOR_EACH_DIGEST);
        let longest = quarter.clamp(Duration::from_micros(1), LONGEST);
        Self { longest, next: longest }
    }

    /// The pause after a pass that has read so many digests.
    pub fn after(&mut self, read: u64) -> Duration {
        if read >= MANY {
            self.next = self.longest / 8;
            return Duration::ZERO;
        }
        let pause = self.next;
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(records: u32) -> Rings {
        Rings { cpus: 2, records, records_ipv6: records / 8 }
    }

    #[test]
    fn idle_rings_are_looked_at_a_hundred_times_a_second() {
        let mut pauses = Pauses::new(rings(1 << 19));
        let idle: Duration = (0..100).map(|_| pauses.after(0)).sum();
        assert!(idle >= Duration::from_millis(300), "{idle:?}");
        assert!(pauses.after(0) <= LONGEST);
    }

    #[test]
    fn full_rings_are_drained_without_a_pause() {
        let mut pauses = Pauses::new(rings(1 << 19));
        assert_eq!(pauses.after(MANY), Duration::ZERO);
        assert!(pauses.after(0) < Duration::from_millis(1));
    }

    #[test]
    fn a_small_ring_has_no_time_to_fill_up() {
        let mut pauses = Pauses::new(rings(64));
        assert!((0..100).all(|_| pauses.after(0) <= Duration::from_micros(1)));
    }
}
