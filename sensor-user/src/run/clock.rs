//! When intervals begin and end, by a clock that may be set meanwhile.

use std::ops::RangeInclusive;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Less than this is the daily work of whatever keeps the clock right.
const SMALLEST_STEP: Duration = Duration::from_millis(100);

/// The time, in nanoseconds: since the Unix epoch, and since this machine started, which nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub unix: u64,
    boot: u64,
}

impl Now {
    /// Both clocks, as good as at once.
    pub fn read() -> Self {
        // Linux has had it since 2.6.39; without it no step is noticed.
        let boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from);
        Self {
            unix: crate::attach::unix_nanoseconds(),
            boot: u64::try_from(boot.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// The end of the last interval, where this agent saw it.
#[derive(Default)]
pub struct Clock(Option<Now>);

impl Clock {
    /// When the interval that ends now began and ended, and by how much the clock was set in it. `reported` is
    /// when the one before it ended, in nanoseconds since the Unix epoch, by the clock of that moment.
    ///
    /// An interval is as long as it was, whatever the clock says.
    pub fn span(&self, reported: u64, now: Now) -> (RangeInclusive<u64>, i64) {
        // Time does not run backwards: where it seems to, the clock was set back by at least so much.
        let back = now.unix.checked_signed_diff(reported).unwrap_or_default().min(0);
        let as_it_seems = (reported.min(now.unix)..=now.unix, back);
        let Some(last) = self.0 else { return as_it_seems };
        let began = now.unix.saturating_sub(now.boot.saturating_sub(last.boot));
        if u128::from(began.abs_diff(reported)) < SMALLEST_STEP.as_nanos() {
            return as_it_seems;
        }
        (began..=now.unix, began.checked_signed_diff(reported).unwrap_or_default())
    }

    /// Notes that an interval has ended.
    pub fn note(&mut self, end: Now) {
        self.0 = Some(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn now(unix: u64, boot: u64) -> Now {
        Now { unix: unix * SECOND, boot: boot * SECOND }
    }

    fn span(clock: &Clock, reported: u64, now: Now) -> ([u64; 2], i64) {
        let (span, step) = clock.span(reported * SECOND, now);
        ([span.start() / SECOND, span.end() / SECOND], step / SECOND.cast_signed())
    }

    #[test]
    fn intervals_follow_each_other() {
        let mut clock = Clock::default();
        assert_eq!(span(&clock, 1_000, now(1_060, 60)), ([1_000, 1_060], 0));
        clock.note(now(1_060, 60));
        assert_eq!(span(&clock, 1_060, now(1_120, 120)), ([1_060, 1_120], 0));
    }

    #[test]
    fn a_clock_that_is_set_makes_no_interval_longer_or_shorter() {
        let mut clock = Clock::default();
        clock.note(now(1_060, 60));
        assert_eq!(span(&clock, 1_060, now(4_720, 120)), ([4_660, 4_720], 3_600));
        assert_eq!(span(&clock, 1_060, now(520, 120)), ([460, 520], -600));
    }

    /// What drifts is not set: not the smallest gap between intervals.
    #[test]
    fn a_clock_that_is_kept_right_is_not_set() {
        let mut clock = Clock::default();
        clock.note(now(1_060, 60));
        let late = Now { unix: 1_120 * SECOND + 50_000_000, boot: 120 * SECOND };
        assert_eq!(clock.span(1_060 * SECOND, late), (1_060 * SECOND..=late.unix, 0));
    }

    /// After a start there is nothing to measure with but that time never runs backwards.
    #[test]
    fn a_new_agent_believes_the_clock() {
        assert_eq!(span(&Clock::default(), 1_000, now(400, 5)), ([400, 400], -600));
        assert_eq!(span(&Clock::default(), 1_000, now(4_000, 5)), ([1_000, 4_000], 0));
    }
}
