//! A spool in memory that notes what is done with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use wire::{Counter, Dimension, Header, Name};

use super::super::{Source, SourceError};

/// What happened, in order, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Attempted(Name),
    /// The collector has read the head of a request.
    Arrived(Name),
    Stored(Name),
}

#[derive(Default)]
pub struct Spool {
    waiting: Mutex<BTreeMap<Name, Vec<Bytes>>>,
    pub events: Mutex<Vec<Event>>,
    /// Intervals that cannot be read.
    pub unreadable: Mutex<Vec<Name>>,
    /// Nothing can be noted, as on a disk that is full; and how often it was tried.
    pub full: AtomicBool,
    pub tried: AtomicUsize,
    /// Whoever asks for intervals panics.
    pub panics: AtomicBool,
    /// Intervals that are merged into another one just when they are to be sent, and into which.
    pub merged: Mutex<Vec<(Name, Name)>>,
}

pub fn name(sequence: u64) -> Name {
    Name { epoch: 1_700_000_000_000_000_000, first: sequence, last: sequence }
}

/// The longest flows of a batch.
static FLOWS: LazyLock<Bytes> = LazyLock::new(|| vec![7; 102_000].into());

/// The parts of a batch: real counts, and flows that nobody reads here.
pub fn parts(name: Name) -> Vec<Bytes> {
    let header = Header {
        sensor: "sensor".into(),
        epoch: name.epoch,
        first: name.first,
        last: name.last,
        start: name.epoch,
        end: name.epoch + 1,
        ..Header::default()
    };
    let counters = [Counter { dimension: Dimension::Packets, key: 0, packets: 1 }];
    let counts = wire::counts(&header, &counters).unwrap();
    vec![counts.into(), FLOWS.slice(..100_000 + usize::try_from(name.first).unwrap())]
}

impl Spool {
    /// Intervals 1 to this.
    pub fn of(intervals: u64) -> Arc<Self> {
        let spool = Self::default();
        (1..=intervals).for_each(|sequence| spool.add(sequence));
        Arc::new(spool)
    }

    pub fn add(&self, sequence: u64) {
        self.waiting.lock().unwrap().insert(name(sequence), parts(name(sequence)));
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.lock().unwrap().is_empty()
    }

    pub fn waiting(&self) -> Vec<u64> {
        self.waiting.lock().unwrap().keys().map(|name| name.first).collect()
    }

    pub fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    pub fn arrived(&self) -> Vec<u64> {
        let events = self.events();
        let arrived = events.iter().filter_map(|event| match event {
            Event::Arrived(name) => Some(name.first),
            _ => None,
        });
        arrived.collect()
    }
}

impl Source for Spool {
    fn oldest(&self, most: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name> {
        assert!(!self.panics.load(Ordering::SeqCst), "the spool panics, as this test has asked for");
        let waiting = self.waiting.lock().unwrap();
        waiting.keys().filter(|name| !is_out(name)).take(most).copied().collect()
    }

    fn read(&self, name: &Name) -> Result<Option<Vec<Bytes>>, SourceError> {
        if self.unreadable.lock().unwrap().contains(name) {
            return Err("the disk is broken".into());
        }
        Ok(self.waiting.lock().unwrap().get(name).cloned())
    }

    fn mark_attempted(&self, name: &Name) -> Result<(), SourceError> {
        let mut merged = self.merged.lock().unwrap();
        if let Some(place) = merged.iter().position(|(old, _)| old == name) {
            let (_, new) = merged.remove(place);
            let mut waiting = self.waiting.lock().unwrap();
            waiting.retain(|name, _| name.first < new.first || name.last > new.last);
            waiting.insert(new, parts(new));
            return Err("no such interval".into());
        }
        self.tried.fetch_add(1, Ordering::SeqCst);
        if self.full.load(Ordering::SeqCst) {
            return Err("the disk is full".into());
        }
        self.note(Event::Attempted(*name));
        Ok(())
    }

    fn mark_stored(&self, name: &Name) -> Result<(), SourceError> {
        self.note(Event::Stored(*name));
        self.waiting.lock().unwrap().remove(name).map(drop).ok_or_else(|| "stored twice".into())
    }
}
