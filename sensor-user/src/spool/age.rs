//! How old intervals are: by the ends they say, as far as these can be believed.
//!
//! An interval's end is read from a clock that people and machines set. One wrong reading must not make all that is here
//! old, for what is dropped for its age does not come back. So what counts as now goes on at most as fast as a clock that
//! nobody sets allows: one hour may be made up at once, and later as much again as has really passed.

use std::time::Duration;

use super::voice::Clock;

/// How far now may leap.
const LEAP: Duration = Duration::from_hours(1);

pub struct Age {
    clock: Clock,
    /// What counted as now, in nanoseconds since the Unix epoch, and when.
    now: Option<u64>,
    at: Duration,
    /// How much of a leap is left.
    leap: Duration,
}

impl Age {
    /// Begins with when the newest interval ended that is here.
    pub fn new(clock: Clock, newest: Option<u64>) -> Self {
        let at = clock();
        Self { clock, now: newest, at, leap: LEAP }
    }

    /// What counts as now when an interval ended, in nanoseconds since the Unix epoch.
    pub fn now(&mut self, end: u64) -> u64 {
        let time = (self.clock)();
        let passed = time.saturating_sub(self.at);
        self.at = time;
        self.leap = self.leap.saturating_add(passed).min(LEAP);
        // An interval that is the first of all has nothing to make old.
        let expected = self.now.map_or(end, |now| now.saturating_add(nanoseconds(passed)));
        let now = end.min(expected.saturating_add(nanoseconds(self.leap)));
        self.leap = self.leap.saturating_sub(Duration::from_nanos(now.saturating_sub(expected)));
        self.now = Some(now);
        now
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const HOUR: u64 = 3600 * 1_000_000_000;

    #[test]
    fn now_leaps_an_hour_and_makes_up_as_much_as_passes() {
        let hours = Arc::new(AtomicU64::new(7));
        let clock = Arc::clone(&hours);
        let mut age =
            Age::new(Arc::new(move || Duration::from_hours(clock.load(Ordering::Relaxed))), Some(100 * HOUR));
        assert_eq!(age.now(101 * HOUR), 101 * HOUR);
        // However often it is said.
        for _ in 0..1000 {
            assert_eq!(age.now(9000 * HOUR), 101 * HOUR);
        }
        hours.fetch_add(10, Ordering::Relaxed);
        assert_eq!(age.now(9000 * HOUR), 112 * HOUR);
        assert_eq!(age.now(111 * HOUR), 111 * HOUR);
        hours.fetch_add(2, Ordering::Relaxed);
        assert_eq!(age.now(113 * HOUR), 113 * HOUR);
        assert_eq!(age.now(114 * HOUR), 114 * HOUR);
    }
}
