//! One series of segments, and how it grows.
//!
//! A segment in which a write or an fsync failed is never written to again: the kernel may have dropped what it could
//! not write, and say nothing of it the next time. What was not durable there is void, which the next segment's first
//! records say, should it be found on the disk after all.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::disk::{Disk, DiskFile};
use super::record::{Mark, Place, Position, Record, SEGMENT_HEADER, Series, segment_header};
use wire::Name;

/// How often a file's name may be taken already.
const NAMES_TRIED: u64 = 1000;
/// So many segments may be there in which nothing could be written, and which cannot be removed either.
const MOST_FAILED: usize = 16;

/// What is known of a segment.
#[derive(Debug, Default)]
pub struct Segment {
    /// Bytes of its file.
    pub length: u64,
    /// The interval of each record that counts, alive or not.
    pub names: Vec<Name>,
    /// What it says for sure, that is, durably.
    pub marks: HashSet<Mark>,
    /// Intervals alive whose record, or whose flows, are in it; and these records' bytes.
    pub living: u64,
    pub living_bytes: u64,
    /// The latest end of an interval whose flows are in it.
    pub newest_end: u64,
    /// Its file is removed, which is not durable yet: it may come back.
    pub removed: bool,
}

struct Active {
    number: u64,
    file: Box<dyn DiskFile>,
    /// How much of it is durable.
    synced: u64,
    /// Whether its name is.
    named: bool,
    /// Said in it, behind what is durable.
    pending: Vec<Mark>,
}

/// The segments of one series.
pub struct Log {
    pub series: Series,
    pub segments: BTreeMap<u64, Segment>,
    /// From where on nothing in a segment counts.
    pub voids: BTreeMap<u64, u64>,
    /// Of all files that are there.
    bytes: u64,
    roll_at: u64,
    active: Option<Active>,
    next: u64,
    /// Why a segment failed the last time.
    last_error: Option<io::Error>,
}

impl Log {
    /// A series with the segments that were found. Numbers up to `used` are never used again.
    pub fn new(series: Series, roll_at: u64, segments: BTreeMap<u64, Segment>, used: u64) -> Self {
        let last = segments.last_key_value().map_or(0, |(number, _)| *number);
        Self {
            series,
            bytes: segments.values().map(|segment| segment.length).sum(),
            segments,
            voids: BTreeMap::new(),
            roll_at,
            active: None,
            next: last.max(used).saturating_add(1),
            last_error: None,
        }
    }

    /// Of all files that are there.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn is_active(&self, number: u64) -> bool {
        self.active.as_ref().is_some_and(|active| active.number == number)
    }

    /// Whether a record of that length begins another segment.
    pub fn rolls(&self, length: u64) -> bool {
        let Some(active) = &self.active else { return true };
        let present = self.segments.get(&active.number).map_or(0, |segment| segment.length);
        present > SEGMENT_HEADER && present + length > self.roll_at
    }

    /// Writes a record. It is there for sure once [`Log::sync`] says so.
    ///
    /// # Errors
    /// Those of the disk, and a write that is short. Nothing since the last [`Log::sync`] counts then.
    pub fn write(&mut self, disk: &dyn Disk, record: &Record<'_>) -> io::Result<Place> {
        if self.rolls(record.length()) {
            self.seal(disk)?;
            self.begin(disk)?;
        }
        self.put(disk, record)
    }

    fn put(&mut self, disk: &dyn Disk, record: &Record<'_>) -> io::Result<Place> {
        let number = self.active.as_ref().map_or(0, |active| active.number);
        let offset = self.segments.get(&number).map_or(0, |segment| segment.length);
        let at = Position { segment: number, offset };
        let (bytes, crc) = record.encode(at);
        self.put_bytes(disk, &bytes)?;
        if let (Record::Mark(mark), Some(active)) = (record, &mut self.active) {
            active.pending.push(*mark);
        }
        Ok(Place { at, length: bytes.len() as u32, crc })
    }

    fn put_bytes(&mut self, disk: &dyn Disk, bytes: &[u8]) -> io::Result<()> {
        let Some(active) = &mut self.active else {
            return Err(io::Error::other("no segment is open"));
        };
        let written = active.file.write(bytes).and_then(|written| match written {
            all if all == bytes.len() => Ok(()),
            some => Err(io::Error::new(
                io::ErrorKind::WriteZero,
                format!("{some} of {} bytes were written", bytes.len()),
            )),
        });
        match written {
            Ok(()) => {
                if let Some(segment) = self.segments.get_mut(&active.number) {
                    segment.length += bytes.len() as u64;
                    self.bytes += bytes.len() as u64;
                }
                Ok(())
            }
            Err(error) => {
                self.fail(disk, &error);
                Err(error)
            }
        }
    }

    fn begin(&mut self, disk: &dyn Disk) -> io::Result<()> {
        self.remove_failed(disk)?;
        let mut tried = 0;
        let (number, file) = loop {
            let number = self.next;
            match disk.create(&self.series.file(number)) {
                // Somebody's file: a removed one of ours that is back, or a foreign one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < NAMES_TRIED => {
                    self.next += 1;
                    tried += 1;
                }
                Err(error) => return Err(error),
                Ok(file) => break (number, file),
            }
        };
        self.next = number + 1;
        self.segments.insert(number, Segment::default());
        self.active = Some(Active { number, file, synced: 0, named: false, pending: Vec::new() });
        self.put_bytes(disk, &segment_header(self.series, number))?;
        // Of flows there is nothing to find that counts do not refer to.
        if self.series == Series::Counts {
            for (segment, offset) in self.voids.clone() {
                self.put(disk, &Record::Mark(Mark::Void(Position { segment, offset })))?;
            }
        }
        Ok(())
    }

    /// Makes durable what was written, and says whether the folder was made durable with it: then every file that was
    /// removed before is gone.
    ///
    /// # Errors
    /// Those of the disk. Nothing since the last success counts then.
    pub fn sync(&mut self, disk: &dyn Disk) -> io::Result<bool> {
        let Some(active) = &mut self.active else { return Ok(false) };
        let naming = !active.named;
        let synced = active.file.sync().and_then(|()| if naming { disk.sync_folder() } else { Ok(()) });
        if let Err(error) = synced {
            self.fail(disk, &error);
            return Err(error);
        }
        active.named = true;
        if let Some(segment) = self.segments.get_mut(&active.number) {
            active.synced = segment.length;
            segment.marks.extend(active.pending.drain(..));
        }
        Ok(naming)
    }

    /// Ends the segment that is written, once all of it is durable.
    ///
    /// # Errors
    /// Those of the disk. Nothing since the last [`Log::sync`] counts then, of which there may be marks that something
    /// relies on before it asks for a sync itself.
    pub fn seal(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let durable = |active: &Active| {
            self.segments.get(&active.number).is_none_or(|segment| active.synced == segment.length)
        };
        if !self.active.as_ref().is_none_or(durable) {
            self.sync(disk)?;
        }
        self.active = None;
        Ok(())
    }

    /// Ends the segment that is written: nothing of it counts that is not durable.
    pub fn fail(&mut self, disk: &dyn Disk, error: &io::Error) {
        let Some(active) = self.active.take() else { return };
        let Some(segment) = self.segments.get_mut(&active.number) else { return };
        self.last_error = Some(io::Error::new(error.kind(), error.to_string()));
        self.voids.insert(active.number, active.synced);
        let length = disk.length(&self.series.file(active.number)).unwrap_or(segment.length);
        self.bytes = self.bytes - segment.length + length;
        segment.length = length;
        if active.synced == 0 {
            // Nobody relies on any of it. Where it cannot be removed now, that is tried again.
            let _tried_again = self.remove(disk, active.number);
        }
    }

    /// Removes the segments in which nothing was ever durable, and makes that durable, so that nothing has to be said of
    /// them.
    ///
    /// # Errors
    /// Where that fails, and they are too many.
    fn remove_failed(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let failed: Vec<u64> =
            self.voids.iter().filter(|(_, from)| **from == 0).map(|(number, _)| *number).collect();
        let is_here =
            |log: &Self, number: &u64| log.segments.get(number).is_some_and(|segment| !segment.removed);
        let mut gone = Ok(());
        for number in &failed {
            if is_here(self, number) {
                gone = gone.and_then(|()| self.remove(disk, *number));
            }
        }
        if !failed.is_empty() {
            let synced = disk.sync_folder();
            if synced.is_ok() {
                self.forget_removed();
            }
            gone = gone.and(synced);
        }
        match gone {
            Err(error) if failed.len() >= MOST_FAILED => {
                let cause = self.last_error.as_ref().unwrap_or(&error);
                let count = failed.len();
                let text = format!("{cause}; and {count} files that it failed in cannot be removed: {error}");
                Err(io::Error::new(cause.kind(), text))
            }
            _ => Ok(()),
        }
    }

    /// Removes a segment's file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove(&mut self, disk: &dyn Disk, number: u64) -> io::Result<()> {
        if self.is_active(number) {
            self.active = None;
        }
        match disk.remove(&self.series.file(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                if let Some(segment) = self.segments.get_mut(&number).filter(|segment| !segment.removed) {
                    segment.removed = true;
                    self.bytes -= segment.length;
                }
                Ok(())
            }
        }
    }

    /// Forgets the segments that were removed, which is durable now.
    pub fn forget_removed(&mut self) {
        self.segments.retain(|_, segment| !segment.removed);
        self.voids.retain(|number, _| self.segments.contains_key(number));
    }
}
