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

    /// Told of every interval that was stored. Nothing to do for who reads what is stored.
    fn note(&self, _sensor: &str, _span: Span) {}
}

/// Intervals of a sensor that are kept.
const KEPT: usize = 4096;

/// A sensor's intervals by epoch and first sequence.
type Spans = BTreeMap<(u64, u64), Span>;

/// Knows the youngest intervals that were stored since this process began.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<HashMap<String, Spans>>);

impl KnownIntervals for InMemory {
    fn neighbours(&self, sensor: &str, name: Name) -> Neighbours {
        let sensors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(spans) = sensors.get(sensor) else { return Neighbours::default() };
        let before = spans.range((name.epoch, 0)..(name.epoch, name.first)).next_back();
        let after = name.last.checked_add(1).and_then(|next| spans.get(&(name.epoch, next)));
        Neighbours {
            before: before
                .map(|(_, span)| *span)
                .filter(|span| span.name.last.checked_add(1) == Some(name.first)),
            after: after.copied(),
        }
    }

    fn note(&self, sensor: &str, span: Span) {
        let mut sensors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spans = sensors.entry(sensor.to_owned()).or_default();
        spans.insert((span.name.epoch, span.name.first), span);
        if spans.len() > KEPT {
            spans.pop_first();
        }
    }
}
