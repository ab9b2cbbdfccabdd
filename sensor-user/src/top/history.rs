//! Totals of the last minute, and how many seconds that is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::counters::Totals;

/// Slices of the minute: it moves on by one at a time. Each takes the memory of all counters.
pub const SLICES: usize = 6;
const SLICE: Duration = Duration::from_secs(10);

/// A look at the counters.
struct Moment {
    at: Instant,
    totals: Totals,
}

/// Looks at the counters: at the beginning of each slice, and the last two.
pub struct History {
    beginnings: VecDeque<Moment>,
    before: Moment,
    latest: Moment,
}

/// What was counted in a time.
pub struct Counted {
    pub seconds: f64,
    pub totals: Totals,
}

impl History {
    pub fn new(totals: Totals, at: Instant) -> Self {
        let moment = || Moment { at, totals: totals.clone() };
        Self { beginnings: VecDeque::from([moment()]), before: moment(), latest: moment() }
    }

    pub fn add(&mut self, totals: Totals, at: Instant) {
        self.before = std::mem::replace(&mut self.latest, Moment { at, totals });
    }

    /// Begins a new slice with the latest look where it is time to; says whether it was.
    pub fn roll(&mut self) -> bool {
        let Moment { at, totals } = &self.latest;
        let is_time = self.beginnings.back().is_none_or(|beginning| *at - beginning.at >= SLICE);
        if is_time {
            if self.beginnings.len() == SLICES {
                self.beginnings.pop_front();
            }
            self.beginnings.push_back(Moment { at: *at, totals: totals.clone() });
        }
        is_time
    }

    pub fn totals(&self) -> &Totals {
        &self.latest.totals
    }

    /// Between the last two looks; `None` where a counter has shrunk.
    pub fn refresh(&self) -> Option<Counted> {
        self.since(&self.before)
    }

    /// Since the oldest slice began: up to a minute; `None` where a counter has shrunk.
    pub fn minute(&self) -> Option<Counted> {
        self.since(self.beginnings.front().unwrap_or(&self.before))
    }

    fn since(&self, earlier: &Moment) -> Option<Counted> {
        let seconds = (self.latest.at - earlier.at).as_secs_f64();
        Some(Counted { seconds, totals: self.latest.totals.since(&earlier.totals)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_moves_on_a_slice_at_a_time() {
        let start = Instant::now();
        let mut history = History::new(Totals::default(), start);
        for second in 1..=125_u64 {
            let mut totals = Totals::default();
            totals.counters_mut().packets = 10 * second;
            history.add(totals, start + Duration::from_secs(second));
            let (refresh, minute) = (history.refresh().unwrap(), history.minute().unwrap());
            assert_eq!((refresh.seconds, refresh.totals.packets), (1.0, 10));
            let expected = if second <= 60 { second } else { 50 + (second - 1) % 10 + 1 };
            assert_eq!((minute.seconds, minute.totals.packets), (expected as f64, 10 * expected));
            assert_eq!(history.roll(), second % 10 == 0);
        }
    }

    #[test]
    fn a_counter_that_shrinks_is_no_difference() {
        let start = Instant::now();
        let mut totals = Totals::default();
        totals.counters_mut().packets = 5;
        let mut history = History::new(totals, start);
        history.add(Totals::default(), start + Duration::from_secs(1));
        assert!(history.refresh().is_none() && history.minute().is_none());
    }
}
