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

/// What is known of a segment.
#[derive(Debug, Default)]
pub struct Segment {
    /// Bytes of its file.
    pub length: u64,
    /// From where on nothing in it counts.
    pub void_from: Option<u64>,
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
    roll_at: u64,
    active: Option<Active>,
    next: u64,
}

impl Log {
    /// A series with the segments that were found. Numbers up to `used` are never used again.
    pub fn new(series: Series, roll_at: u64, segments: BTreeMap<u64, Segment>, used: u64) -> Self {
        let last = segments.last_key_value().map_or(0, |(number, _)| *number);
        Self { series, segments, roll_at, active: None, next: last.max(used).saturating_add(1) }
    }

    /// Of all files that are there.
    pub fn bytes(&self) -> u64 {
        self.segments.values().filter(|segment| !segment.removed).map(|segment| segment.length).sum()
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
            self.seal(disk);
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
                }
                Ok(())
            }
            Err(error) => {
                self.fail(disk);
                Err(error)
            }
        }
    }

    fn begin(&mut self, disk: &dyn Disk) -> io::Result<()> {
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
        let void = |(number, segment): (&u64, &Segment)| {
            segment.void_from.map(|offset| Position { segment: *number, offset })
        };
        // Of flows there is nothing to find that counts do not refer to.
        if self.series == Series::Counts {
            let voids: Vec<Position> = self.segments.iter().filter_map(void).collect();
            for from in voids {
                self.put(disk, &Record::Mark(Mark::Void(from)))?;
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
            self.fail(disk);
            return Err(error);
        }
        active.named = true;
        if let Some(segment) = self.segments.get_mut(&active.number) {
            active.synced = segment.length;
            segment.marks.extend(active.pending.drain(..));
        }
        Ok(naming)
    }

    /// Ends the segment that is written. All in it that has to be durable is; what is not are marks that can be done
    /// without.
    pub fn seal(&mut self, disk: &dyn Disk) {
        let durable = |active: &Active| {
            self.segments.get(&active.number).is_none_or(|segment| active.synced == segment.length)
        };
        if !self.active.as_ref().is_none_or(durable)
            && let Err(error) = self.sync(disk)
        {
            log::warn!("cannot end a segment of the spool well: {error}");
        }
        self.active = None;
    }

    fn fail(&mut self, disk: &dyn Disk) {
        if let Some(active) = self.active.take()
            && let Some(segment) = self.segments.get_mut(&active.number)
        {
            segment.void_from = Some(active.synced);
            segment.length = disk.length(&self.series.file(active.number)).unwrap_or(segment.length);
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
                if let Some(segment) = self.segments.get_mut(&number) {
                    segment.removed = true;
                }
                Ok(())
            }
        }
    }

    /// Forgets the segments that were removed, which is durable now.
    pub fn forget_removed(&mut self) {
        self.segments.retain(|_, segment| !segment.removed);
    }
}
