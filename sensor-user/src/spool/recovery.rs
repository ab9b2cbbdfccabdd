//! What is in a folder that an agent has left, in whatever state.

mod judge;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::Setup;
use super::age::Age;
use super::core::Core;
use super::disk::Disk;
use super::error::{Finding, SpoolError};
use super::living::{Intervals, Living};
use super::quarantine::Quarantine;
use super::ranges::Ranges;
use super::record::{
    Entry, Head, Header, Mark, Place, Position, SEGMENT_HEADER, Series, read_segment_header,
};
use super::reserve::{RESERVE, Reserve};
use super::scan::{Gap, scan};
use super::segments::{Log, Segment};
use super::status::{Dropped, Totals};
use super::voice::Voice;

/// The folder that unreadable bytes go to, which is ours.
const QUARANTINE: &str = "quarantine";
/// How much of a file is read at once where reading all of it fails.
const PIECE: u64 = 1 << 12;

/// What is read from all segments of counts.
#[derive(Default)]
struct Found {
    intervals: Vec<(Head, Place)>,
    marks: Vec<(Position, Mark)>,
    /// By segment. Their bytes may be as many as the spool's: they are read again one by one.
    gaps: Vec<(u64, Gap)>,
}

impl Core {
    /// Reads all that is in the folder. Nothing is released.
    ///
    /// # Errors
    /// Where the folder cannot be read, or holds what only another version can.
    pub fn open(disk: Arc<dyn Disk>, setup: Setup) -> Result<(Self, Vec<Finding>), SpoolError> {
        let Setup { limits, roll_at, reserve, merge, say, clock } = setup;
        let voice = Arc::new(Voice::new(say, Arc::clone(&clock)));
        let mut findings = Vec::new();
        let mut files = Files::list(&*disk, &mut findings)?;
        let mut found = files.read_counts(&*disk, &mut findings)?;
        files.check_flows(&*disk, &mut findings)?;
        let voids = found.remove_void();
        let quarantine = Quarantine::open(Arc::clone(&disk), limits.max_bytes, Arc::clone(&voice))
            .map_err(|source| SpoolError::Read { file: QUARANTINE.into(), source })?;

        let mark_number =
            |(_, mark): &(Position, Mark)| if let Mark::Void(from) = mark { from.segment } else { 0 };
        let counts_used = found.marks.iter().map(mark_number).max().unwrap_or(0).max(files.counts_used);
        let flows_number = |(head, _): &(Head, Place)| head.flows.map_or(0, |place| place.at.segment);
        let flows_used = found.intervals.iter().map(flows_number).max().unwrap_or(0).max(files.flows_used);

        let mut core = Self {
            counts: Log::new(Series::Counts, roll_at, files.counts, counts_used),
            flows: Log::new(Series::Flows, roll_at, files.flows, flows_used),
            living: Intervals::default(),
            stored: Ranges::default(),
            reserve: Reserve::new(reserve, files.reserve),
            age: Age::new(Arc::clone(&clock), None),
            voice,
            totals: Totals::default(),
            // Of what an agent left behind, some may be needless.
            untidy: true,
            disk,
            limits,
            roll_at,
            merge,
            quarantine,
        };
        for (number, offset) in voids {
            if core.counts.segments.contains_key(&number) {
                core.counts.voids.insert(number, offset);
            }
        }
        let damaged = core.report_gaps(&found.gaps, &mut findings);
        core.take_in(found, damaged, &mut findings);
        core.age = Age::new(clock, core.living.newest_end());
        // A full disk is no reason to refuse what is there.
        let _tried_again_by_who_appends = core.make_reserve();
        Ok((core, findings))
    }

    /// Tells of unreadable bytes and keeps them; says whether any may have been more than the end of what a crash cut
    /// short.
    fn report_gaps(&mut self, gaps: &[(u64, Gap)], findings: &mut Vec<Finding>) -> bool {
        for (number, gap) in gaps {
            let file = Series::Counts.file(*number);
            let Gap { offset, length, torn } = *gap;
            let read = || read_range(&*self.disk, &file, offset..offset + length);
            if !self.quarantine.keep_read(Series::Counts, *number, offset, length, read) {
                findings.push(Finding::QuarantineFull { file: file.clone(), offset, length });
            }
            findings.push(if torn {
                Finding::Torn { file, offset, length }
            } else {
                Finding::Damaged { file, offset, length }
            });
        }
        gaps.iter().any(|(_, gap)| !gap.torn)
    }

    fn take_in(&mut self, found: Found, damaged: bool, findings: &mut Vec<Finding>) {
        let judged = judge::judge(&found.intervals, found.marks.iter().map(|(_, mark)| mark));
        findings.extend(judged.lost.iter().map(|name| Finding::Lost { name: *name }));
        for (position, mark) in &found.marks {
            if let Mark::Stored(name) = mark {
                self.stored.insert(name);
            }
            if let Some(segment) = self.counts.segments.get_mut(&position.segment) {
                segment.marks.insert(*mark);
            }
        }
        for (head, place) in &judged.dead {
            if let Some(segment) = self.counts.segments.get_mut(&place.at.segment) {
                segment.names.push(head.name);
            }
        }
        let mut missing = Dropped::default();
        for (mut head, place, attempted) in judged.living {
            let has = |flows: &Place| {
                let end = flows.at.offset.saturating_add(u64::from(flows.length));
                self.flows.segments.get(&flows.at.segment).is_some_and(|segment| segment.length >= end)
            };
            if head.flows.is_some_and(|flows| !has(&flows)) {
                missing.add(&head);
                head.flows = None;
            }
            // What cannot be read may have been the mark that says that one was sent.
            let attempted = attempted || damaged;
            self.insert(Living { head, place, attempted, released: false });
        }
        if missing.intervals > 0 {
            let Dropped { intervals, rows, packets } = missing;
            findings.push(Finding::FlowsMissing { intervals, rows, packets });
        }
    }
}

impl Found {
    /// Takes out what was never acknowledged, and says from where on, by segment. What a later segment says of an
    /// earlier one counts unless it is void itself.
    fn remove_void(&mut self) -> HashMap<u64, u64> {
        let mut voids: HashMap<u64, u64> = HashMap::new();
        let is_void = |voids: &HashMap<u64, u64>, segment: u64, offset: u64| {
            voids.get(&segment).is_some_and(|from| offset >= *from)
        };
        self.marks.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
        for (position, mark) in &self.marks {
            if let Mark::Void(from) = mark
                && from.segment < position.segment
                && !is_void(&voids, position.segment, position.offset)
            {
                let known = voids.entry(from.segment).or_insert(from.offset);
                *known = from.offset.min(*known);
            }
        }
        self.marks.retain(|(position, _)| !is_void(&voids, position.segment, position.offset));
        self.intervals.retain(|(_, place)| !is_void(&voids, place.at.segment, place.at.offset));
        self.gaps.retain(|(segment, gap)| !is_void(&voids, *segment, gap.offset));
        voids
    }
}

/// The files that are the spool's.
#[derive(Default)]
struct Files {
    counts: BTreeMap<u64, Segment>,
    flows: BTreeMap<u64, Segment>,
    /// The highest numbers of files that are none of ours, though they are called so.
    counts_used: u64,
    flows_used: u64,
    /// How long the reserve is, where there is one.
    reserve: Option<u64>,
}

impl Files {
    fn list(disk: &dyn Disk, findings: &mut Vec<Finding>) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::Read { file: "folder".into(), source };
        let mut files = Self::default();
        let mut entries = disk.list("").map_err(failed)?;
        entries.sort_unstable();
        for (file, length) in entries {
            match (Series::of_file(&file), length) {
                (Some((Series::Counts, number)), Some(length)) => {
                    files.counts.insert(number, Segment { length, ..Segment::default() });
                }
                (Some((Series::Flows, number)), Some(length)) => {
                    files.flows.insert(number, Segment { length, ..Segment::default() });
                }
                (None, Some(length)) if file == RESERVE => files.reserve = Some(length),
                _ if file == QUARANTINE => {}
                _ => findings.push(Finding::Foreign { file }),
            }
        }
        // An agent that was killed has written what is not durable yet, and here it will be relied on.
        let synced = (files.counts.keys().map(|number| Series::Counts.file(*number)))
            .chain(files.flows.keys().map(|number| Series::Flows.file(*number)))
            .try_for_each(|file| disk.settle(&file))
            .and_then(|()| disk.sync_folder());
        synced.map_err(|source| SpoolError::Write { source })?;
        Ok(files)
    }

    fn read_counts(&mut self, disk: &dyn Disk, findings: &mut Vec<Finding>) -> Result<Found, SpoolError> {
        let mut found = Found::default();
        let mut others = Vec::new();
        for (&number, segment) in &mut self.counts {
            let file = Series::Counts.file(number);
            let bytes = read_all(disk, &file, segment.length)?;
            segment.length = bytes.len() as u64;
            match read_segment_header(Series::Counts, number, &bytes) {
                Header::Ours => {}
                Header::Version(version) => return Err(SpoolError::Version { file, version }),
                Header::Other => {
                    findings.push(Finding::Foreign { file });
                    others.push(number);
                    continue;
                }
                Header::Torn => {
                    if !bytes.is_empty() {
                        let gap = Gap { offset: 0, length: bytes.len() as u64, torn: true };
                        found.gaps.push((number, gap));
                    }
                    continue;
                }
                Header::Damaged => {
                    findings.push(Finding::Header { file });
                    if (bytes.len() as u64) < SEGMENT_HEADER {
                        let gap = Gap { offset: 0, length: bytes.len() as u64, torn: false };
                        found.gaps.push((number, gap));
                        continue;
                    }
                }
            }
            let gaps = scan(number, &bytes, |entry, place| match entry {
                Entry::Interval(head, _) => found.intervals.push((head, place)),
                Entry::Mark(mark) => found.marks.push((place.at, mark)),
                // Not in this series: as good as nothing.
                Entry::Flows(..) => {}
            });
            found.gaps.extend(gaps.into_iter().map(|gap| (number, gap)));
        }
        for number in others {
            self.counts.remove(&number);
            self.counts_used = self.counts_used.max(number);
        }
        Ok(found)
    }

    /// Flows are checked when they are read; here only whose they are.
    fn check_flows(&mut self, disk: &dyn Disk, findings: &mut Vec<Finding>) -> Result<(), SpoolError> {
        let mut others = Vec::new();
        for &number in self.flows.keys() {
            let file = Series::Flows.file(number);
            let header = disk.read(&file, 0, SEGMENT_HEADER).unwrap_or_default();
            match read_segment_header(Series::Flows, number, &header) {
                Header::Ours | Header::Torn => {}
                Header::Version(version) => return Err(SpoolError::Version { file, version }),
                Header::Other => {
                    findings.push(Finding::Foreign { file });
                    others.push(number);
                }
                Header::Damaged => findings.push(Finding::Header { file }),
            }
        }
        for number in others {
            self.flows.remove(&number);
            self.flows_used = self.flows_used.max(number);
        }
        Ok(())
    }
}

/// All of a file. Where the disk cannot read some of it, that is zeros, which are no record.
fn read_all(disk: &dyn Disk, file: &str, length: u64) -> Result<Vec<u8>, SpoolError> {
    read_range(disk, file, 0..length).map_err(|source| SpoolError::Read { file: file.into(), source })
}

/// The same with some of a file.
fn read_range(disk: &dyn Disk, file: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
    let first = match disk.read(file, range.start, range.end - range.start) {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error,
    };
    let mut bytes = Vec::new();
    let mut failures = 0;
    let mut pieces = 0;
    for offset in range.clone().step_by(PIECE as usize) {
        let piece = PIECE.min(range.end - offset);
        pieces += 1;
        bytes.extend(disk.read(file, offset, piece).unwrap_or_else(|_| {
            failures += 1;
            vec![0; piece as usize]
        }));
    }
    // Then it is more than a spot: who opens it later may have more luck.
    if failures == pieces { Err(first) } else { Ok(bytes) }
}
