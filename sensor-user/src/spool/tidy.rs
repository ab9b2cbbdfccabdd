//! Segments that are not needed any more.
//!
//! A segment of counts says of others' records that they are dead: that one was stored, or is part of a longer one. It
//! may go once nothing in it is alive, and what it says is said elsewhere for every record that is still on the disk.
//! Those of a removed file count as on the disk until the folder is durable without it.

use std::io;

use super::core::Core;
use super::living::Living;
use super::ranges::Ranges;
use super::record::{MARK, Mark, Position, Record, SEGMENT_HEADER, Series};
use super::voice::Kind;
use wire::Name;

impl Core {
    /// Removes what is not needed any more; says whether that made room.
    pub fn tidy(&mut self) -> bool {
        let before = self.bytes();
        while std::mem::take(&mut self.untidy) {
            let dead = |log: &super::segments::Log| -> Vec<u64> {
                let is_dead = |number: &u64, segment: &super::segments::Segment| {
                    segment.living == 0 && !segment.removed && !log.is_active(*number)
                };
                log.segments
                    .iter()
                    .filter(|(number, segment)| is_dead(number, segment))
                    .map(|(number, _)| *number)
                    .collect()
            };
            for number in dead(&self.flows) {
                if let Err(error) = self.flows.remove(&*self.disk, number) {
                    self.cannot_remove(Series::Flows, number, &error);
                }
            }
            for number in dead(&self.counts) {
                let marks = self.needed_without(number);
                let length = self.counts.segments.get(&number).map_or(0, |segment| segment.length);
                if marks.is_empty() || marks.len() as u64 * MARK * 2 <= length {
                    match self.retire(number, &marks) {
                        Ok(gone) => self.untidy |= gone,
                        Err(error) => self.cannot_remove(Series::Counts, number, &error),
                    }
                }
            }
        }
        self.bytes() < before
    }

    fn cannot_remove(&self, series: Series, number: u64, error: &io::Error) {
        let file = series.file(number);
        self.voice.tell(Kind::Removing, format_args!("cannot remove {file} from the spool: {error}"));
    }

    /// Says elsewhere what a segment says, durably, and removes it.
    pub fn retire(&mut self, number: u64, marks: &[Mark]) -> io::Result<bool> {
        if !marks.is_empty() {
            if !self.fits(marks.len() as u64 * MARK) {
                return Ok(false);
            }
            for mark in marks {
                self.counts.write(&*self.disk, &Record::Mark(*mark))?;
            }
            self.sync(Series::Counts)?;
        }
        self.counts.remove(&*self.disk, number)?;
        self.disk.sync_folder()?;
        self.counts.forget_removed();
        self.flows.forget_removed();
        Ok(true)
    }

    /// What has to be said elsewhere before a segment may go.
    pub fn needed_without(&self, number: u64) -> Vec<Mark> {
        // Nothing was ever said in it for sure.
        if self.counts.voids.get(&number) == Some(&0) {
            return Vec::new();
        }
        let others = || self.counts.segments.iter().filter(move |(other, _)| **other != number);
        let said: Vec<&Mark> = others()
            .filter(|(_, segment)| !segment.removed)
            .flat_map(|(_, segment)| &segment.marks)
            .collect();
        let is_said = |mark: &Mark| said.contains(&mark);
        let mut needed = Vec::new();

        let mut attempted: Vec<Name> =
            self.living.iter().filter(|living| living.attempted).map(|living| living.head.name).collect();
        let said_attempted: std::collections::HashSet<Name> = said
            .iter()
            .filter_map(|mark| if let Mark::Attempted(name) = mark { Some(*name) } else { None })
            .collect();
        attempted.retain(|name| !said_attempted.contains(name));
        needed.extend(attempted.into_iter().map(Mark::Attempted));

        let mut stored: Ranges = said
            .iter()
            .filter_map(|mark| if let Mark::Stored(name) = mark { Some(*name) } else { None })
            .collect();
        for name in others().flat_map(|(_, segment)| &segment.names) {
            if !stored.touches(name) {
                for gone in self.not_living(name) {
                    stored.insert(&gone);
                    needed.push(Mark::Stored(gone));
                }
            }
        }

        // What it does not say of them itself, nothing has relied on yet: what comes next does, and says it first.
        let says =
            |mark: &Mark| self.counts.segments.get(&number).is_some_and(|own| own.marks.contains(mark));
        let voids = self.counts.voids.iter().filter(|(other, _)| **other != number);
        let voids =
            voids.map(|(segment, offset)| Mark::Void(Position { segment: *segment, offset: *offset }));
        needed.extend(voids.filter(|void| says(void) && !is_said(void)));
        needed
    }

    /// The parts of a name that nothing alive has.
    fn not_living(&self, name: &Name) -> Vec<Name> {
        let mut parts = Vec::new();
        let mut first = Some(name.first);
        for living in self.living.overlapping(name) {
            let Name { first: living_first, last, .. } = living.head.name;
            if let Some(first) = first.filter(|first| *first < living_first) {
                parts.push(Name { epoch: name.epoch, first, last: living_first - 1 });
            }
            first = last.checked_add(1);
        }
        if let Some(first) = first.filter(|first| *first <= name.last) {
            parts.push(Name { epoch: name.epoch, first, last: name.last });
        }
        parts
    }

    /// Copies what is alive in the emptiest segment to where it is dense, where at most so many eighths of it are
    /// needed; says whether that made room.
    pub fn compact(&mut self, eighths: u64) -> bool {
        let before = self.bytes();
        let emptiest = self
            .counts
            .segments
            .iter()
            .filter(|(number, segment)| {
                segment.living > 0 && !segment.removed && !self.counts.is_active(**number)
            })
            .map(|(number, segment)| (segment.living_bytes * 1024 / segment.length.max(1), *number, segment))
            .min_by_key(|(share, number, _)| (*share, *number));
        let Some((_, number, segment)) = emptiest else { return false };
        let (length, living_bytes) = (segment.length, segment.living_bytes + SEGMENT_HEADER);
        let needed = living_bytes + self.needed_without(number).len() as u64 * MARK;
        if needed * 8 > length * eighths || !self.fits(needed) {
            return false;
        }
        if let Err(error) = self.copy_living(number) {
            let file = Series::Counts.file(number);
            self.voice.tell(Kind::Writing, format_args!("cannot copy what is left of {file}: {error}"));
            return false;
        }
        if self.counts.segments.get(&number).is_some_and(|segment| segment.living == 0) {
            let marks = self.needed_without(number);
            if let Err(error) = self.retire(number, &marks) {
                self.cannot_remove(Series::Counts, number, &error);
            }
        }
        self.bytes() < before
    }

    pub fn copy_living(&mut self, number: u64) -> io::Result<()> {
        let in_it = |living: &&Living| living.place.at.segment == number;
        let names: Vec<Name> = self.living.iter().filter(in_it).map(|living| living.head.name).collect();
        let mut copies: Vec<Living> = Vec::new();
        for name in names {
            let Some((head, counts)) = self.read_for_copy(&name) else { continue };
            let record = Record::Interval(&head, &counts);
            // As with merged ones: what is copied and not taken in is in the one segment that fails.
            if !copies.is_empty() && self.counts.rolls(record.length()) {
                self.take_copies(&mut copies)?;
            }
            let place = self.counts.write(&*self.disk, &record)?;
            if let Ok(living) = self.find(&name) {
                copies.push(Living { place, ..living.clone() });
            }
        }
        self.take_copies(&mut copies)
    }

    fn take_copies(&mut self, copies: &mut Vec<Living>) -> io::Result<()> {
        if !copies.is_empty() {
            self.sync(Series::Counts)?;
        }
        for copy in copies.drain(..) {
            self.take_out(&copy.head.name);
            self.insert(copy);
        }
        Ok(())
    }
}
