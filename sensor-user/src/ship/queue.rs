//! Which intervals are on their way, and which have to wait for another try.

use std::collections::HashMap;
use std::time::Instant;

use wire::Name;

/// The most intervals that rest at a time; of more, those that are due soonest are tried again sooner.
const MOST_RESTING: usize = 1_024;

/// An interval that could not be stored.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    failures: u32,
    refused: bool,
}

/// The intervals that are not simply the next ones.
#[derive(Debug, Default)]
pub struct Queue {
    in_flight: Vec<Name>,
    resting: HashMap<Name, Rest>,
}

impl Queue {
    /// Names that are not to be begun now.
    #[must_use]
    pub fn without(&self, now: Instant) -> Vec<Name> {
        let resting = self.resting.iter().filter(|(_, rest)| rest.until > now).map(|(name, _)| *name);
        self.in_flight.iter().copied().chain(resting).collect()
    }

    /// When the first of those that rest is due.
    #[must_use]
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        self.resting.values().map(|rest| rest.until).filter(|until| *until > now).min()
    }

    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Intervals that the collector has refused and that are still here.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.resting.values().filter(|rest| rest.refused).count()
    }

    pub fn begin(&mut self, name: Name) {
        self.in_flight.push(name);
    }

    pub fn end(&mut self, name: &Name) {
        self.in_flight.retain(|other| other != name);
    }

    /// Forgets an interval that is done with.
    pub fn forget(&mut self, name: &Name) {
        self.resting.remove(name);
    }

    /// How often an interval has failed before.
    #[must_use]
    pub fn failures(&self, name: &Name) -> u32 {
        self.resting.get(name).map_or(0, |rest| rest.failures)
    }

    /// Lets an interval rest. Says whether it is the first time, of a refusal or of another failure.
    pub fn rest(&mut self, name: Name, until: Instant, refused: bool) -> bool {
        let before = self.resting.get(&name).copied();
        if before.is_none() && self.resting.len() >= MOST_RESTING {
            let soonest = self.resting.iter().min_by_key(|(_, rest)| rest.until).map(|(name, _)| *name);
            soonest.map(|soonest| self.resting.remove(&soonest));
        }
        let failures = before.map_or(0, |before| before.failures).saturating_add(1);
        self.resting.insert(name, Rest { until, failures, refused });
        before.is_none_or(|before| before.refused != refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn name(first: u64) -> Name {
        Name { epoch: 1, first, last: first }
    }

    #[test]
    fn what_rests_is_left_out_until_it_is_due() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut queue = Queue::default();
        queue.begin(name(1));
        assert!(queue.rest(name(2), later, true));
        assert_eq!(queue.without(now), [name(1), name(2)]);
        assert_eq!((queue.next_due(now), queue.refused(), queue.in_flight()), (Some(later), 1, 1));
        queue.end(&name(1));
        assert!(queue.without(later).is_empty());
        assert_eq!(queue.next_due(later), None);
        assert!(!queue.rest(name(2), later, true), "known");
        assert!(queue.rest(name(2), later, false), "another trouble");
        assert_eq!(queue.failures(&name(2)), 3);
        queue.forget(&name(2));
        assert_eq!(queue.failures(&name(2)), 0);
    }

    #[test]
    fn however_many_rest_they_are_bounded() {
        let now = Instant::now();
        let mut queue = Queue::default();
        for number in 0..2_000 {
            queue.rest(name(number), now + Duration::from_secs(number + 1), true);
        }
        let resting = queue.without(now);
        assert_eq!(resting.len(), MOST_RESTING);
        assert!(resting.contains(&name(1_999)) && !resting.contains(&name(0)));
    }
}
