//! What is alive, and how it becomes so.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::disk::Disk;
use super::error::{SpoolError, no_room};
use super::merge::Merge;
use super::quarantine::Quarantine;
use super::record::{
    FLOWS_HEAD, Head, INTERVAL_HEAD, MARK, MAXIMUM_BODY, Mark, Place, Record, SEGMENT_HEADER, Series,
};
use super::segments::Log;
use super::status::Totals;
use super::{Interval, Kept, Limits};
use wire::Name;

/// How often a full disk is met with fewer bytes of counts before it is called full.
const SQUEEZES: u32 = 8;

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

/// The spool behind its lock.
pub struct Core {
    pub disk: Arc<dyn Disk>,
    pub limits: Limits,
    pub roll_at: u64,
    pub merge: Box<dyn Merge>,
    /// By epoch and first sequence. No two share a sequence.
    pub living: BTreeMap<(u64, u64), Living>,
    pub counts: Log,
    pub flows: Log,
    pub quarantine: Quarantine,
    pub totals: Totals,
    /// A segment may have become needless.
    pub untidy: bool,
}

impl Core {
    /// Keeps an interval: says so once it is durable.
    ///
    /// # Errors
    /// Where it is not kept. It may be found nevertheless by who opens the spool anew.
    pub fn append(&mut self, interval: &Interval) -> Result<Kept, SpoolError> {
        let name = interval.name;
        self.accept(interval)?;
        self.expire(interval.end);
        let needed = (INTERVAL_HEAD + interval.counts.len()) as u64;
        if !self.make_room(needed) {
            return Err(SpoolError::Full { name, needed });
        }
        let mut flows = interval.flows.as_ref();
        if flows.is_some_and(|flows| !self.make_room_for_flows(needed, flows.len() as u64)) {
            flows = None;
        }
        let mut failures = 0;
        let mut flows_failures = 0;
        let mut squeezed = 0;
        let living = loop {
            let (series, error) = match self.try_append(interval, flows) {
                Ok(living) => break living,
                Err(failed) => failed,
            };
            // What failed left a segment that may be good for nothing.
            self.untidy = true;
            if no_room(&error) {
                self.tidy();
                if self.drop_oldest_flows() {
                    continue;
                }
                if flows.take().is_some() {
                    continue;
                }
                squeezed += 1;
                if squeezed <= SQUEEZES && self.squeeze() {
                    continue;
                }
                return Err(SpoolError::Full { name, needed });
            }
            log::warn!("cannot write {name} to the spool, which goes on in another file: {error}");
            match series {
                Series::Flows => flows_failures += 1,
                Series::Counts => failures += 1,
            }
            if flows_failures > 1 {
                flows = None;
            }
            if failures > 1 {
                return Err(SpoolError::Write { source: error });
            }
        };
        let flows_kept = interval.flows.is_none() || living.head.flows.is_some();
        if !flows_kept {
            self.totals.dropped.add(&living.head);
            log::warn!("no room for the flows of {name}: its counts are kept");
        }
        self.insert(living);
        self.tidy();
        Ok(Kept { flows_kept })
    }

    fn accept(&self, interval: &Interval) -> Result<(), SpoolError> {
        let name = interval.name;
        if name.first > name.last {
            return Err(SpoolError::Backwards { name });
        }
        let longest = interval.flows.as_ref().map_or(0, Bytes::len).max(interval.counts.len());
        if longest > MAXIMUM_BODY - INTERVAL_HEAD {
            return Err(SpoolError::TooLong { name, length: longest });
        }
        let stored = |mark: &Mark| matches!(mark, Mark::Stored(stored) if stored.overlaps(&name));
        let was_here = self.counts.segments.values().any(|segment| segment.marks.iter().any(stored));
        if was_here || self.overlapping(&name).next().is_some() {
            return Err(SpoolError::AlreadyKept { name });
        }
        Ok(())
    }

    /// What is alive and shares a sequence with a name.
    pub fn overlapping(&self, name: &Name) -> impl Iterator<Item = &Living> {
        let name = *name;
        let before = self.living.range(..(name.epoch, name.first)).next_back();
        let within = self.living.range((name.epoch, name.first)..=(name.epoch, name.last));
        before
            .into_iter()
            .chain(within)
            .map(|(_, living)| living)
            .filter(move |living| living.head.name.overlaps(&name))
    }

    pub fn find(&self, name: &Name) -> Result<&Living, SpoolError> {
        self.living
            .get(&(name.epoch, name.first))
            .filter(|living| living.head.name == *name)
            .ok_or(SpoolError::Unknown { name: *name })
    }

    /// Flows first, then what refers to them. An error says in which series.
    fn try_append(
        &mut self,
        interval: &Interval,
        flows: Option<&Bytes>,
    ) -> Result<Living, (Series, io::Error)> {
        let mut head = Head {
            name: interval.name,
            end: interval.end,
            flow_rows: interval.flow_rows,
            flow_packets: interval.flow_packets,
            flows: None,
        };
        if let Some(flows) = flows {
            let record = Record::Flows(interval.name, flows);
            let written = self.flows.write(&*self.disk, &record);
            let place = written.and_then(|place| self.sync(Series::Flows).map(|()| place));
            head.flows = Some(place.map_err(|error| (Series::Flows, error))?);
        }
        let written = self.counts.write(&*self.disk, &Record::Interval(&head, &interval.counts));
        let place = written.and_then(|place| self.sync(Series::Counts).map(|()| place));
        let place = place.map_err(|error| (Series::Counts, error))?;
        Ok(Living { head, place, attempted: false, released: false })
    }

    /// Makes durable what was written to a series.
    pub fn sync(&mut self, series: Series) -> io::Result<()> {
        let log = match series {
            Series::Counts => &mut self.counts,
            Series::Flows => &mut self.flows,
        };
        if log.sync(&*self.disk)? {
            self.counts.forget_removed();
            self.flows.forget_removed();
        }
        Ok(())
    }

    /// Takes in an interval whose record is durable.
    pub fn insert(&mut self, living: Living) {
        let Head { name, end, flows, .. } = living.head;
        if let Some(segment) = self.counts.segments.get_mut(&living.place.at.segment) {
            segment.names.push(name);
            segment.living += 1;
            segment.living_bytes += u64::from(living.place.length);
        }
        if let Some(segment) = flows.and_then(|place| self.flows.segments.get_mut(&place.at.segment)) {
            segment.living += 1;
            segment.newest_end = segment.newest_end.max(end);
        }
        self.living.insert((name.epoch, name.first), living);
    }

    /// Takes out an interval: its record is there, but is not what counts.
    pub fn take_out(&mut self, name: &Name) -> Option<Living> {
        self.find(name).ok()?;
        let living = self.living.remove(&(name.epoch, name.first))?;
        if let Some(segment) = self.counts.segments.get_mut(&living.place.at.segment) {
            segment.living = segment.living.saturating_sub(1);
            segment.living_bytes = segment.living_bytes.saturating_sub(u64::from(living.place.length));
            self.untidy |= segment.living == 0;
        }
        let flows = living.head.flows;
        if let Some(segment) = flows.and_then(|place| self.flows.segments.get_mut(&place.at.segment)) {
            segment.living = segment.living.saturating_sub(1);
            self.untidy |= segment.living == 0;
        }
        Some(living)
    }

    /// Notes, durably, that an interval is about to be sent.
    ///
    /// # Errors
    /// Where it must not be sent.
    pub fn mark_attempted(&mut self, name: &Name) -> Result<(), SpoolError> {
        let living = self.find(name)?;
        if !living.released {
            return Err(SpoolError::Unreleased { name: *name });
        }
        if living.attempted {
            return Ok(());
        }
        let mut failures = 0;
        let mut squeezed = 0;
        loop {
            let written = self.counts.write(&*self.disk, &Record::Mark(Mark::Attempted(*name)));
            let Err(error) = written.and_then(|_| self.sync(Series::Counts)) else { break };
            self.untidy = true;
            if no_room(&error) {
                self.tidy();
                squeezed += 1;
                let made = self.drop_oldest_flows() || (squeezed <= SQUEEZES && self.squeeze());
                // It may be part of another one now.
                self.find(name)?;
                if made {
                    continue;
                }
                return Err(SpoolError::Full { name: *name, needed: MARK });
            }
            failures += 1;
            if failures > 1 {
                return Err(SpoolError::Write { source: error });
            }
        }
        if let Some(living) = self.living.get_mut(&(name.epoch, name.first)) {
            living.attempted = true;
        }
        Ok(())
    }

    /// The collector has it.
    ///
    /// # Errors
    /// Where it is not here.
    pub fn mark_stored(&mut self, name: &Name) -> Result<(), SpoolError> {
        self.find(name)?;
        self.take_out(name);
        // Not made durable: should it be lost, the interval is sent once more, and the collector says so once more.
        if let Err(error) = self.counts.write(&*self.disk, &Record::Mark(Mark::Stored(*name))) {
            log::warn!("cannot note in the spool that {name} is stored: it may be sent again: {error}");
        }
        self.tidy();
        Ok(())
    }

    pub fn bytes(&self) -> u64 {
        self.counts.bytes() + self.flows.bytes()
    }

    /// Whether records of counts of that length can be written within the spool's size, by itself.
    pub fn fits(&self, length: u64) -> bool {
        let voids =
            self.counts.segments.values().filter(|segment| segment.void_from.is_some()).count() as u64;
        self.bytes() + length + SEGMENT_HEADER + voids * MARK <= self.limits.max_bytes
    }

    /// Whether there is room for more of the caller's counts, and flows with them. What the spool needs to make room by
    /// itself, which is to merge its longest interval with another one, and the marks of what is here, are kept free.
    pub fn has_room(&self, counts: u64, flows: u64) -> bool {
        let marks = 2 * MARK * (self.living.len() as u64 + 1);
        let longest = self.living.values().map(|living| u64::from(living.place.length)).max().unwrap_or(0);
        self.fits(counts + flows + marks + self.roll_at + longest.max(counts))
    }

    fn make_room_for_flows(&mut self, needed: u64, flows: u64) -> bool {
        let flows = flows + FLOWS_HEAD as u64 + SEGMENT_HEADER;
        self.tidy();
        while !self.has_room(needed, flows) {
            if !self.drop_oldest_flows() {
                return false;
            }
        }
        true
    }
}
