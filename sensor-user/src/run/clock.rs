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

/// What this agent last knew of both clocks: the end of the last interval, or its own start.
pub struct Clock {
    last: Now,
    /// Whether the interval that is open began then, and not before the agent did.
    is_end: bool,
}

impl Clock {
    /// At an agent's start.
    #[must_use]
    pub const fn starting(now: Now) -> Self {
        Self { last: now, is_end: false }
    }

    /// When the interval that ends now began and ended, and by how much the clock was set in it. `reported` is
    /// when the one before it ended, in nanoseconds since the Unix epoch, by the clock of that moment.
    ///
    /// An interval is as long as it was, whatever the clock says. Only what passed before the agent started is believed
    /// of the clock: it is neither less than nothing nor more than this machine has run.
    pub fn span(&self, reported: u64, now: Now) -> (RangeInclusive<u64>, i64) {
        let Self { last, is_end } = self;
        let before = if *is_end { 0 } else { last.unix.saturating_sub(reported).min(last.boot) };
        let began = now.unix.saturating_sub(before.saturating_add(now.boot.saturating_sub(last.boot)));
        if u128::from(began.abs_diff(reported)) < SMALLEST_STEP.as_nanos() {
            return (reported.min(now.unix)..=now.unix, 0);
        }
        (began..=now.unix, began.checked_signed_diff(reported).unwrap_or_default())
    }

    /// Notes that an interval has ended.
    pub fn note(&mut self, end: Now) {
        *self = Self { last: end, is_end: true };
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

    fn ended(unix: u64, boot: u64) -> Clock {
        let mut clock = Clock::starting(now(1, 1));
        clock.note(now(unix, boot));
        clock
    }

    #[test]
    fn intervals_follow_each_other() {
        let mut clock = Clock::starting(now(1_010, 1_010));
        assert_eq!(span(&clock, 1_000, now(1_060, 1_060)), ([1_000, 1_060], 0));
        clock.note(now(1_060, 1_060));
        assert_eq!(span(&clock, 1_060, now(1_120, 1_120)), ([1_060, 1_120], 0));
    }

    #[test]
    fn a_clock_that_is_set_makes_no_interval_longer_or_shorter() {
        let clock = ended(1_060, 60);
        assert_eq!(span(&clock, 1_060, now(4_720, 120)), ([4_660, 4_720], 3_600));
        assert_eq!(span(&clock, 1_060, now(520, 120)), ([460, 520], -600));
    }

    /// What drifts is not set: not the smallest gap between intervals.
    #[test]
    fn a_clock_that_is_kept_right_is_not_set() {
        let late = Now { unix: 1_120 * SECOND + 50_000_000, boot: 120 * SECOND };
        assert_eq!(ended(1_060, 60).span(1_060 * SECOND, late), (1_060 * SECOND..=late.unix, 0));
    }

    /// The first interval of an agent, which another one began: what passed between them, and since it started.
    #[test]
    fn a_clock_that_is_set_while_no_agent_runs_or_right_after_is_noticed() {
        // Back by an hour while none ran.
        assert_eq!(
            span(&Clock::starting(now(6_400, 9_010)), 10_000, now(6_460, 9_070)),
            ([6_400, 6_460], -3_600)
        );
        // Forward from 1970 right after the start, by the network.
        let first = Clock::starting(now(5, 5));
        assert_eq!(span(&first, 5, now(1_700_000_060, 65)), ([1_700_000_000, 1_700_000_060], 1_699_999_995));
        // Forward while none ran: the machine is not as old as that.
        let machine = Clock::starting(now(1_700_000_000, 300));
        assert_eq!(
            span(&machine, 20, now(1_700_000_060, 360)),
            ([1_699_999_700, 1_700_000_060], 1_699_999_680)
        );
    }
}
