//! Fewer, longer intervals.

use std::error::Error;
use std::io;

use bytes::Bytes;

use super::core::Core;
use super::living::Living;
use super::record::{Head, INTERVAL_HEAD, Place, Record, Series};
use super::voice::Kind;
use wire::Name;

/// Adds up counts, which the spool knows nothing of.
pub trait Merge: Send {
    /// The counts of intervals that follow each other, oldest first, as those of one interval; none where they cannot
    /// be one, such as those of different sensors.
    ///
    /// # Errors
    /// Where they cannot be read. They are left as they are.
    fn merge(&self, counts: &[Bytes]) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>>;
}

/// One that was written, and is not durable yet.
struct Written {
    parts: [Name; 2],
    merged: Living,
}

fn mergeable<'living>(living: impl Iterator<Item = &'living Living>) -> Vec<Name> {
    let free = |living: &&Living| living.released && !living.attempted && living.head.flows.is_none();
    living.filter(free).map(|living| living.head.name).collect()
}

impl Core {
    /// Merges neighbours in the older half of what may be merged, or else anywhere; says whether any were.
    pub fn merge_oldest(&mut self) -> bool {
        let all = mergeable(self.living.iter());
        let half = all.len().div_ceil(2).max(2).min(all.len());
        self.merge_pairs(&all[..half], |_, _| true) || self.merge_pairs(&all, |_, _| true)
    }

    /// Merges what ended before a time, so that it becomes the coarser the older it is: two neighbours once the younger
    /// one has as many sequences. Of any number of intervals the logarithm is left, and each count is summed up as often.
    pub fn merge_older(&mut self, time: u64) {
        loop {
            let old = mergeable(self.living.ended_before(time).into_iter());
            if !self.merge_pairs(&old, |older, younger| older.width() <= younger.width()) {
                break;
            }
        }
    }

    fn merge_pairs(&mut self, names: &[Name], which: impl Fn(&Name, &Name) -> bool) -> bool {
        let mut merged = 0;
        let mut batch: Vec<Written> = Vec::new();
        let mut batch_bytes = 0;
        let mut next = 0;
        while let [older, younger, ..] = names[next..] {
            next += 1;
            let Some(name) = older.joined(&younger).filter(|_| which(&older, &younger)) else { continue };
            let Some((head, counts)) = self.sum(name, &older, &younger) else { continue };
            let length = (INTERVAL_HEAD + counts.len()) as u64;
            // A batch lies in one segment: what a later one says is void is all of it or nothing.
            if !batch.is_empty()
                && (self.counts.rolls(length) || batch_bytes > self.roll_at || !self.fits(length))
            {
                match self.commit(&mut batch) {
                    Ok(count) => merged += count,
                    Err(error) => return self.merging_failed(&error, merged),
                }
                batch_bytes = 0;
                self.tidy();
            }
            if !self.fits(length) {
                break;
            }
            match self.counts.write(&*self.disk, &Record::Interval(&head, &counts)) {
                Ok(place) => batch.push(Written {
                    parts: [older, younger],
                    merged: Living { head, place, attempted: false, released: true },
                }),
                Err(error) => return self.merging_failed(&error, merged),
            }
            batch_bytes += length;
            next += 1;
        }
        match self.commit(&mut batch) {
            Ok(count) => merged += count,
            Err(error) => return self.merging_failed(&error, merged),
        }
        merged > 0
    }

    fn merging_failed(&self, error: &io::Error, merged: u64) -> bool {
        self.voice.tell(Kind::Writing, format_args!("cannot merge intervals in the spool: {error}"));
        merged > 0
    }

    /// What both are together, where they can be one.
    fn sum(&mut self, name: Name, older: &Name, younger: &Name) -> Option<(Head, Bytes)> {
        let (first, first_counts) = self.read_for_copy(older)?;
        let (second, second_counts) = self.read_for_copy(younger)?;
        let counts = match self.merge.merge(&[first_counts, second_counts]) {
            Ok(counts) => counts?,
            Err(error) => {
                self.voice.tell(Kind::Damage, format_args!("cannot merge {older} with {younger}: {error}"));
                return None;
            }
        };
        let head = Head {
            name,
            end: first.end.max(second.end),
            flow_rows: first.flow_rows.saturating_add(second.flow_rows),
            flow_packets: first.flow_packets.saturating_add(second.flow_packets),
            flows: None,
        };
        Some((head, counts))
    }

    /// Makes what was merged durable, and only then lets go of its parts.
    fn commit(&mut self, batch: &mut Vec<Written>) -> io::Result<u64> {
        if batch.is_empty() {
            return Ok(0);
        }
        self.sync(Series::Counts)?;
        let count = batch.len() as u64;
        for Written { parts, merged } in batch.drain(..) {
            parts.iter().for_each(|part| {
                self.take_out(part);
            });
            self.insert(merged);
        }
        self.totals.merged_intervals += 2 * count;
        self.voice
            .tell(Kind::Merging, "counts of old intervals are merged, for room or age: they become coarser");
        Ok(count)
    }

    /// An interval's record, for another one to take its place; nothing where it cannot be read.
    pub fn read_for_copy(&mut self, name: &Name) -> Option<(Head, Bytes)> {
        let Living { head, place, .. } = self.find(name).ok()?.clone();
        match super::read::counts(&*self.disk, name, place) {
            Ok(counts) => Some((head, counts)),
            Err(super::read::Failure::Damaged(bytes)) => {
                self.give_up(name, place, &bytes);
                None
            }
            Err(super::read::Failure::Io(error)) => {
                self.voice.tell(Kind::Reading, format_args!("cannot read {name} from the spool: {error}"));
                None
            }
        }
    }

    /// Takes out an interval whose record was found damaged.
    pub fn give_up(&mut self, name: &Name, place: Place, bytes: &[u8]) {
        // It may have been copied elsewhere meanwhile.
        if self.find(name).is_ok_and(|living| living.place == place) {
            let (file, offset) = (Series::Counts.file(place.at.segment), place.at.offset);
            let line = format_args!("{name} is damaged in {file} at {offset}: its counts are lost");
            self.voice.tell(Kind::Damage, line);
            self.quarantine.keep(Series::Counts, place.at.segment, offset, bytes);
            self.totals.damaged_intervals += 1;
            self.take_out(name);
        }
    }
}
