//! What is alive, and how it becomes so.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::age::Age;
use super::disk::Disk;
use super::error::{SpoolError, no_room, over_limit};
use super::living::{Intervals, Living};
use super::merge::Merge;
use super::quarantine::Quarantine;
use super::ranges::Ranges;
use super::record::{
    FLOWS_HEAD, Head, INTERVAL_HEAD, MARK, MAXIMUM_BODY, Place, Record, SEGMENT_HEADER, Series,
};
use super::reserve::Reserve;
use super::segments::Log;
use super::status::{Dropped, Totals};
use super::voice::{Kind, Voice};
use super::{Interval, Kept, Limits};
use wire::Name;

/// How often a full disk is met with fewer bytes of counts before it is called full.
pub const SQUEEZES: u32 = 8;

/// The spool behind its lock.
pub struct Core {
    pub disk: Arc<dyn Disk>,
    pub limits: Limits,
    pub roll_at: u64,
    pub merge: Box<dyn Merge>,
    pub living: Intervals,
    /// What the collector has stored, as far as it is known.
    pub stored: Ranges,
    pub counts: Log,
    pub flows: Log,
    pub quarantine: Quarantine,
    pub reserve: Reserve,
    pub age: Age,
    pub voice: Arc<Voice>,
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
        self.voice.flush();
        self.expire(interval.end);
        let needed = (INTERVAL_HEAD + interval.counts.len()) as u64;
        let max_bytes = self.limits.max_bytes;
        if self.taken_by(needed) > max_bytes {
            return Err(SpoolError::TooSmallFor { name, needed: self.spool_for(needed), max_bytes });
        }
        self.mend().map_err(|source| SpoolError::Write { source })?;
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
            let reserved = self.make_reserve().map_err(|error| (Series::Counts, error));
            let (series, error) = match reserved.and_then(|()| self.try_append(interval, flows)) {
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
                // What little room is left without the reserve is for the notes of what is sent.
                if squeezed <= SQUEEZES && self.reserve.is_here() && self.squeeze() {
                    continue;
                }
                return Err(SpoolError::Full { name, needed });
            }
            let line =
                format_args!("cannot write {name} to the spool, which goes on in another file: {error}");
            self.voice.tell(Kind::Writing, line);
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
            self.voice.tell_dropped(
                Dropped::of(&living.head),
                format_args!("there is no room for those of {name}"),
            );
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
        if self.stored.touches(&name) || self.living.overlapping(&name).next().is_some() {
            return Err(SpoolError::AlreadyKept { name });
        }
        Ok(())
    }

    pub fn find(&self, name: &Name) -> Result<&Living, SpoolError> {
        self.living.find(name).ok_or(SpoolError::Unknown { name: *name })
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
            let written = if self.fits(record.length() + (INTERVAL_HEAD + interval.counts.len()) as u64) {
                self.flows.write(&*self.disk, &record)
            } else {
                Err(over_limit())
            };
            let place = written.and_then(|place| self.sync(Series::Flows).map(|()| place));
            head.flows = Some(place.map_err(|error| (Series::Flows, error))?);
        }
        let written = self.write(&Record::Interval(&head, &interval.counts));
        let place = written.and_then(|place| self.sync(Series::Counts).map(|()| place));
        let place = place.map_err(|error| (Series::Counts, error))?;
        Ok(Living { head, place, attempted: false, released: false })
    }

    /// Writes a record of counts, where the spool's size allows for it.
    pub fn write(&mut self, record: &Record<'_>) -> io::Result<Place> {
        if !self.fits(record.length()) {
            return Err(over_limit());
        }
        self.counts.write(&*self.disk, record)
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
        self.living.insert(living);
    }

    /// Takes out an interval: its record is there, but is not what counts.
    pub fn take_out(&mut self, name: &Name) -> Option<Living> {
        let living = self.living.take(name)?;
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

    pub fn bytes(&self) -> u64 {
        self.counts.bytes() + self.flows.bytes()
    }

    /// Whether records of counts of that length can be written within the spool's size, by itself.
    pub fn fits(&self, length: u64) -> bool {
        let voids = self.counts.voids.len() as u64;
        self.bytes() + length + SEGMENT_HEADER + voids * MARK <= self.limits.max_bytes
    }

    /// Whether there is room for more of the caller's counts, and flows with them. What the spool needs to make room by
    /// itself, which is to merge its longest interval with another one, and the marks of what is here, are kept free.
    pub fn has_room(&self, counts: u64, flows: u64) -> bool {
        let marks = 2 * MARK * (self.living.len() + 1);
        self.fits(counts + flows + marks + self.roll_at + self.living.longest().max(counts))
    }

    /// What a spool with nothing in it needs to take in counts of a length, by the same reckoning.
    const fn taken_by(&self, counts: u64) -> u64 {
        2 * counts + 2 * MARK + self.roll_at + SEGMENT_HEADER
    }

    /// The least size of a spool that takes in counts of a length. A larger one has larger segments.
    fn spool_for(&self, counts: u64) -> u64 {
        let besides = self.taken_by(counts) - self.roll_at;
        let mut size = besides + self.roll_at;
        loop {
            let roll_at = Limits { max_bytes: size, ..self.limits }.roll_at().max(self.roll_at);
            match besides + roll_at {
                needed if needed <= size => return size,
                needed => size = needed,
            }
        }
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
