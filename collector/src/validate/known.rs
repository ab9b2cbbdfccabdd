//! Intervals that are known, as far as another one's times are held against theirs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use wire::{Header, Name};

/// When an interval was, by its sensor's clock, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub name: Name,
    pub start: u64,
    pub end: u64,
    /// See [`Header::clock_step`].
    pub clock_step: i64,
}

impl From<&Header> for Span {
    fn from(header: &Header) -> Self {
        Self { name: header.name(), start: header.start, end: header.end, clock_step: header.clock_step }
    }
}

/// The intervals of the same epoch that come right before and right after one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// That whose last sequence is one less than the first of the one.
    pub before: Option<Span>,
    /// That whose first sequence is one more than the last of the one.
    pub after: Option<Span>,
}

/// Knows intervals.
pub trait KnownIntervals: Send + Sync {
    /// Those next to an interval, as far as they are known.
    fn neighbours(&self, sensor: &str, name: Name) -> Neighbours;

    /// Whether this interval is stored, and with counts of this SHA-256. A batch that would be refused is then answered
    /// as one that is stored, which a person may have seen to.
    fn is_stored(&self, _sensor: &str, _name: Name, _counts_hash: &[u8; 32]) -> bool {
        false
    }

    /// Told of every interval that was stored. Nothing to do for who reads what is stored.
    fn note(&self, _sensor: &str, _span: Span) {}
}

/// Intervals of a sensor that are kept.
const KEPT: usize = 4096;

/// Knows the intervals that were stored last since this process began.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<HashMap<String, Spans>>);

/// A sensor's intervals.
#[derive(Debug, Default)]
struct Spans {
    /// By epoch and first sequence; each with its place among the noted.
    spans: BTreeMap<(u64, u64), (u64, Span)>,
    /// The order in which they were noted: that of their times is the sensor's to choose.
    noted: BTreeMap<u64, (u64, u64)>,
    next: u64,
}

impl Spans {
    fn note(&mut self, span: Span) {
        let key = (span.name.epoch, span.name.first);
        if let Some((place, _)) = self.spans.insert(key, (self.next, span)) {
            self.noted.remove(&place);
        }
        self.noted.insert(self.next, key);
        self.next += 1;
        if self.noted.len() > KEPT
            && let Some((_, oldest)) = self.noted.pop_first()
        {
            self.spans.remove(&oldest);
        }
    }
}

impl KnownIntervals for InMemory {
    fn neighbours(&self, sensor: &str, name: Name) -> Neighbours {
        let sensors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Spans { spans, .. }) = sensors.get(sensor) else { return Neighbours::default() };
        let before = spans.range((name.epoch, 0)..(name.epoch, name.first)).next_back();
        let after = name.last.checked_add(1).and_then(|next| spans.get(&(name.epoch, next)));
        Neighbours {
            before: before
                .map(|(_, (_, span))| *span)
                .filter(|span| span.name.last.checked_add(1) == Some(name.first)),
            after: after.map(|(_, span)| *span),
        }
    }

    fn note(&self, sensor: &str, span: Span) {
        let mut sensors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sensors.entry(sensor.to_owned()).or_default().note(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(epoch: u64, sequence: u64) -> Span {
        Span { name: Name::one(epoch, sequence), start: 0, end: 0, clock_step: 0 }
    }

    #[test]
    fn epochs_of_the_future_push_nothing_out_that_was_noted_later() {
        let known = InMemory::default();
        (0..KEPT as u64).for_each(|epoch| known.note("a", span(u64::MAX - epoch, 1)));
        (1..=3).for_each(|sequence| known.note("a", span(1, sequence)));
        let neighbours = known.neighbours("a", Name::one(1, 2));
        assert_eq!((neighbours.before, neighbours.after), (Some(span(1, 1)), Some(span(1, 3))));
        // One that is noted again is young again, and takes no second place.
        (0..2 * KEPT as u64).for_each(|_| known.note("a", span(2, 1)));
        assert_eq!(known.neighbours("a", Name::one(1, 2)), neighbours);
        let sensors = known.0.lock().unwrap();
        assert_eq!((sensors["a"].spans.len(), sensors["a"].noted.len()), (KEPT, KEPT));
    }
}
