//! Which intervals are on their way, and which have to wait for another try.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::time::Instant;

use wire::Name;

/// After every other name in order.
const LAST: Name = Name { epoch: u64::MAX, first: u64::MAX, last: u64::MAX };

/// Why an interval rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The collector does not take it.
    Refused,
    /// It cannot be had from where it waits.
    Unreadable,
    /// An attempt has failed, which may be this interval's doing.
    Failed,
}

/// An interval that could not be stored.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    failures: u32,
    refused: bool,
    unreadable: bool,
}

impl Rest {
    /// Whether it is tried again only where there is room beside all others, so that however many there are like it,
    /// they stand in no one's way.
    const fn comes_last(&self) -> bool {
        self.refused || self.unreadable
    }
}

/// The intervals that are not simply the next ones: never more than wait, since each is forgotten when it is gone.
#[derive(Debug, Default)]
pub struct Queue {
    in_flight: Vec<Name>,
    resting: HashMap<Name, Rest>,
    /// The same by when they are due.
    due: BTreeSet<(Instant, Name)>,
    refused: usize,
}

impl Queue {
    /// Whether an interval is none of the next ones: it is on its way, or rests, or comes last.
    #[must_use]
    pub fn passes_over(&self, name: &Name, now: Instant) -> bool {
        let rests = |rest: &Rest| rest.until > now || rest.comes_last();
        self.in_flight.contains(name) || self.resting.get(name).is_some_and(rests)
    }

    /// At most so many that come last and are due, those first that have been due for longest.
    #[must_use]
    pub fn last(&self, most: usize, now: Instant) -> Vec<Name> {
        let due = self.due.range(..=(now, LAST)).map(|(_, name)| name);
        let comes_last = |name: &&Name| self.resting.get(name).is_some_and(Rest::comes_last);
        let waiting = due.filter(comes_last).filter(|name| !self.in_flight.contains(name));
        waiting.take(most).copied().collect()
    }

    /// When the first of those that rest is due.
    #[must_use]
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        let later = (Bound::Excluded((now, LAST)), Bound::Unbounded);
        self.due.range(later).next().map(|(until, _)| *until)
    }

    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Intervals that the collector has refused and that are still here.
    #[must_use]
    pub const fn refused(&self) -> usize {
        self.refused
    }

    /// It could be read, and is on its way.
    pub fn begin(&mut self, name: Name) {
        self.in_flight.push(name);
        if let Some(rest) = self.resting.get_mut(&name) {
            rest.unreadable = false;
        }
    }

    pub fn end(&mut self, name: &Name) {
        self.in_flight.retain(|other| other != name);
    }

    /// Forgets an interval that is done with.
    pub fn forget(&mut self, name: &Name) {
        if let Some(rest) = self.resting.remove(name) {
            self.due.remove(&(rest.until, *name));
            self.refused -= usize::from(rest.refused);
        }
    }

    /// How often an interval has failed before.
    #[must_use]
    pub fn failures(&self, name: &Name) -> u32 {
        self.resting.get(name).map_or(0, |rest| rest.failures)
    }

    /// Lets an interval rest. Says whether it is the first time for this reason. One that was refused once counts as
    /// refused until it is gone, whatever else becomes of it.
    pub fn rest(&mut self, name: Name, until: Instant, why: Why) -> bool {
        let before = self.resting.get(&name).copied();
        self.forget(&name);
        let was = before.unwrap_or(Rest { until, failures: 0, refused: false, unreadable: false });
        let rest = Rest {
            until,
            failures: was.failures.saturating_add(1),
            refused: was.refused || why == Why::Refused,
            unreadable: was.unreadable || why == Why::Unreadable,
        };
        self.refused += usize::from(rest.refused);
        self.due.insert((until, name));
        self.resting.insert(name, rest);
        match why {
            Why::Refused => !was.refused,
            Why::Unreadable => !was.unreadable,
            Why::Failed => before.is_none(),
        }
    }
}

#[cfg(test)]
mod tests;
