//! When lanes may read: now and then none of them does.
//!
//! The store's log begins anew only at a moment at which nobody reads from it. Lanes that take turns would leave none, and
//! the log would grow for as long as somebody looks at the page.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::web::topics::Weight;

/// Lanes read for at most so many times what they then are quiet for, but for a question that takes longer.
const TIMES_QUIET: u32 = 10;

/// Lets lanes read, and has all of them quiet together for a while again and again.
pub struct Gate {
    quiet: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

/// A lane's leave to read, until it is dropped.
pub struct Passed<'a> {
    gate: &'a Gate,
    weight: Weight,
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        self.gate.state().end(self.weight, Instant::now());
        self.gate.changed.notify_all();
    }
}

impl Gate {
    /// `quiet` is how long all of them are.
    pub fn new(quiet: Duration) -> Self {
        Self { quiet, state: Mutex::new(State::new(quiet, Instant::now())), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a lane may read; none once it is told to end.
    pub fn pass(&self, weight: Weight, stopping: &AtomicBool) -> Option<Passed<'_>> {
        let mut state = self.state();
        while !stopping.load(Ordering::SeqCst) {
            match state.begin(weight, self.quiet, Instant::now()) {
                Ok(()) => return Some(Passed { gate: self, weight }),
                Err(wait) => {
                    let wait = wait.min(Duration::from_secs(1));
                    (state, _) =
                        self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        None
    }

    /// Has those who wait see that it is to end.
    pub fn wake(&self) {
        self.changed.notify_all();
    }
}

struct State {
    reading: [bool; Weight::ALL.len()],
    /// Since when nobody reads.
    quiet_since: Instant,
    /// From when on nobody begins to, until they have been quiet.
    due: Instant,
}

impl State {
    fn new(quiet: Duration, now: Instant) -> Self {
        Self { reading: Default::default(), quiet_since: now, due: now + quiet * TIMES_QUIET }
    }

    /// Has a lane read from now on, or says how long it has to wait at most before it asks again.
    fn begin(&mut self, weight: Weight, quiet: Duration, now: Instant) -> Result<(), Duration> {
        let is_read = self.reading.contains(&true);
        let quiet_for = now.saturating_duration_since(self.quiet_since);
        if !is_read && quiet_for >= quiet {
            self.due = now + quiet * TIMES_QUIET;
        }
        // As long as a heavier question goes on, lighter ones that wait would only wait in vain.
        let is_in_vain = self.reading.iter().skip(weight as usize + 1).any(|reading| *reading);
        if now >= self.due && !is_in_vain {
            return Err(if is_read { quiet } else { quiet.saturating_sub(quiet_for) });
        }
        self.reading[weight as usize] = true;
        Ok(())
    }

    fn end(&mut self, weight: Weight, now: Instant) {
        self.reading[weight as usize] = false;
        if !self.reading.contains(&true) {
            self.quiet_since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(2);

    /// Lanes that always have another question, each of so many milliseconds.
    fn longest_quiet(costs: [u64; 3], from: u64, to: u64) -> Duration {
        let begin = Instant::now();
        let at = |millisecond: u64| begin + Duration::from_millis(millisecond);
        let mut state = State::new(QUIET, begin);
        let mut ends = [None; 3];
        let (mut quiet, mut longest) = (0, 0);
        for now in 0..to {
            for (weight, cost) in Weight::ALL.into_iter().zip(costs) {
                let end = &mut ends[weight as usize];
                if *end == Some(now) {
                    state.end(weight, at(now));
                    *end = None;
                }
                if end.is_none() && state.begin(weight, QUIET, at(now)).is_ok() {
                    *end = Some(now + cost);
                }
            }
            quiet = if ends.iter().all(Option::is_none) { quiet + 1 } else { 0 };
            longest = if now >= from { longest.max(quiet) } else { 0 };
        }
        Duration::from_millis(longest)
    }

    #[test]
    fn all_lanes_are_quiet_together_however_much_is_asked() {
        for costs in [[7, 7, 7], [50, 900, 40_000], [3_000, 20_000, 7_000], [1, 60_000, 1]] {
            // Within any stretch of the longest question, and what is between two times of quiet.
            let stretch = costs.iter().sum::<u64>() + 25_000;
            for from in [0, stretch, 2 * stretch] {
                let quiet = longest_quiet(costs, from, from + stretch);
                assert!(quiet >= QUIET - Duration::from_millis(2), "{costs:?} from {from}: {quiet:?}");
            }
        }
    }

    #[test]
    fn who_comes_after_a_while_does_not_wait() {
        let begin = Instant::now();
        let mut state = State::new(QUIET, begin);
        let later = begin + Duration::from_secs(3600);
        assert_eq!(state.begin(Weight::Light, QUIET, later), Ok(()));
        assert_eq!(state.begin(Weight::Heavy, QUIET, later), Ok(()));
        state.end(Weight::Light, later + QUIET * TIMES_QUIET);
        // Behind a heavy one it goes on; a heavy one would not.
        let due = later + QUIET * TIMES_QUIET;
        assert_eq!(state.begin(Weight::Light, QUIET, due), Ok(()));
        state.end(Weight::Heavy, due);
        assert_eq!(state.begin(Weight::Heavy, QUIET, due), Err(QUIET));
        state.end(Weight::Light, due);
        assert_eq!(state.begin(Weight::Light, QUIET, due), Err(QUIET));
        assert_eq!(state.begin(Weight::Light, QUIET, due + QUIET), Ok(()));
    }
}
