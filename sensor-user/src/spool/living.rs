//! The intervals that are here, and what is asked of them so often that it is always known.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Head, Place};
use wire::Name;

/// An interval that is here.
#[derive(Clone, Debug)]
pub struct Living {
    pub head: Head,
    pub place: Place,
    /// It was sent, or may have been: it is never merged.
    pub attempted: bool,
    /// Its caller has noted it, so it may be sent.
    pub released: bool,
}

/// Epoch and first sequence: no two intervals share a sequence.
type Key = (u64, u64);

const fn key(name: &Name) -> Key {
    (name.epoch, name.first)
}

#[derive(Debug, Default)]
pub struct Intervals {
    all: BTreeMap<Key, Living>,
    /// When each ended.
    ends: BTreeSet<(u64, Key)>,
    /// How many records there are of each length.
    lengths: BTreeMap<u32, u64>,
    attempted: u64,
}

impl Intervals {
    pub fn len(&self) -> u64 {
        self.all.len() as u64
    }

    pub const fn attempted(&self) -> u64 {
        self.attempted
    }

    /// When the first of them ended, in nanoseconds since the Unix epoch.
    pub fn oldest_end(&self) -> Option<u64> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// When the last of them ended.
    pub fn newest_end(&self) -> Option<u64> {
        self.ends.last().map(|(end, _)| *end)
    }

    /// Of the longest record.
    pub fn longest(&self) -> u64 {
        self.lengths.last_key_value().map_or(0, |(length, _)| u64::from(*length))
    }

    /// By epoch and first sequence.
    pub fn iter(&self) -> impl Iterator<Item = &Living> {
        self.all.values()
    }

    /// Those that ended before a time, by epoch and first sequence.
    pub fn ended_before(&self, time: u64) -> Vec<&Living> {
        let mut keys: Vec<Key> = self.ends.range(..(time, (0, 0))).map(|(_, key)| *key).collect();
        keys.sort_unstable();
        keys.iter().filter_map(|key| self.all.get(key)).collect()
    }

    pub fn find(&self, name: &Name) -> Option<&Living> {
        self.all.get(&key(name)).filter(|living| living.head.name == *name)
    }

    /// The last one of an epoch.
    pub fn last(&self, epoch: u64) -> Option<Name> {
        self.all.range((epoch, 0)..=(epoch, u64::MAX)).next_back().map(|(_, living)| living.head.name)
    }

    /// At most so many that are released, without some.
    pub fn oldest(&self, count: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name> {
        let released = self.iter().filter(|living| living.released).map(|living| living.head.name);
        released.filter(|name| !is_out(name)).take(count).collect()
    }

    /// What shares a sequence with a name.
    pub fn overlapping(&self, name: &Name) -> impl Iterator<Item = &Living> {
        let name = *name;
        let before = self.all.range(..key(&name)).next_back();
        let within = self.all.range(key(&name)..=(name.epoch, name.last));
        before
            .into_iter()
            .chain(within)
            .map(|(_, living)| living)
            .filter(move |living| living.head.name.overlaps(&name))
    }

    pub fn insert(&mut self, living: Living) {
        let key = key(&living.head.name);
        self.remove(&key);
        self.ends.insert((living.head.end, key));
        *self.lengths.entry(living.place.length).or_default() += 1;
        self.attempted += u64::from(living.attempted);
        self.all.insert(key, living);
    }

    pub fn take(&mut self, name: &Name) -> Option<Living> {
        self.find(name)?;
        self.remove(&key(name))
    }

    fn remove(&mut self, key: &Key) -> Option<Living> {
        let living = self.all.remove(key)?;
        self.ends.remove(&(living.head.end, *key));
        self.attempted -= u64::from(living.attempted);
        if let Some(count) = self.lengths.get_mut(&living.place.length) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&living.place.length);
            }
        }
        Some(living)
    }

    pub fn release(&mut self, name: &Name) {
        if let Some(living) = self.all.get_mut(&key(name)) {
            living.released = true;
        }
    }

    pub fn release_all(&mut self) {
        self.all.values_mut().for_each(|living| living.released = true);
    }

    pub fn attempt(&mut self, name: &Name) {
        if let Some(living) = self.all.get_mut(&key(name)) {
            self.attempted += u64::from(!living.attempted);
            living.attempted = true;
        }
    }

    /// Leaves those without flows whose flows something is true of; says what they were.
    pub fn drop_flows(&mut self, which: impl Fn(&Place) -> bool) -> Vec<Head> {
        let mut dropped = Vec::new();
        for living in self.all.values_mut() {
            if living.head.flows.is_some_and(|place| which(&place)) {
                dropped.push(living.head);
                living.head.flows = None;
            }
        }
        dropped
    }

    /// Leaves one without its flows.
    pub fn drop_flows_of(&mut self, name: &Name) {
        if let Some(living) = self.all.get_mut(&key(name)) {
            living.head.flows = None;
        }
    }
}

#[cfg(test)]
mod tests;
