//! The spool's files, to the byte. All numbers are little-endian.
//!
//! # Files
//! `counts-<number>.segment` and `flows-<number>.segment`, the number in decimal with at least ten digits. They are
//! written from beginning to end, and never changed. Numbers of a series only grow.
//!
//! | offset | bytes | of a file's header |
//! |---|---|---|
//! | 0 | 8 | `APUSSPL` and a line feed |
//! | 8 | 2 | version of the format: 1 |
//! | 10 | 1 | series: 1 counts, 2 flows |
//! | 11 | 1 | 0 |
//! | 12 | 8 | the segment's number, as in its name |
//! | 20 | 4 | CRC-32 (IEEE) of the 20 bytes before |
//!
//! These 24 bytes are the same in every version, so that a version that is not known is told from damage.
//!
//! # Records
//! | offset | bytes | of a record |
//! |---|---|---|
//! | 0 | 8 | sync marker `a9 41 50 55 53 9d 0d 0a` |
//! | 8 | 1 | kind: 1 interval, 2 attempted, 3 stored, 4 void, 5 flows |
//! | 9 | 3 | 0 |
//! | 12 | 4 | length of the body |
//! | 16 | 4 | CRC-32 (IEEE) of the segment's number (8 bytes), the record's offset (8 bytes), the 16 bytes before, the body |
//! | 20 | | body |
//!
//! The checksum knows where the record is: what looks like a record within another one's body is none.
//!
//! # Bodies
//! A *name* is epoch, first and last sequence: three numbers of 8 bytes.
//!
//! - interval (counts): name; end in nanoseconds since the Unix epoch (8); rows of flows (8); packets in flows (8);
//!   segment (8), offset (8), length (4) and CRC-32 (4) of the record of its flows, all 0 where it has none; counts.
//! - attempted (counts): name of an interval that was sent, or is about to be.
//! - stored (counts): name of an interval that the collector has stored. No record of any of its sequences matters.
//! - void (counts): segment (8) and offset (8), from which on nothing in that segment was ever acknowledged.
//! - flows (flows): name; flows.

use wire::Name;

/// Of a file's header.
pub const SEGMENT_HEADER: u64 = 24;
/// Of a record, before its body.
pub const RECORD_HEADER: usize = 20;
/// A whole record that marks something; the longest of them.
pub const MARK: u64 = RECORD_HEADER as u64 + 24;
/// What an interval's record has before its counts.
pub const INTERVAL_HEAD: usize = RECORD_HEADER + 72;
/// What a record of flows has before the flows.
pub const FLOWS_HEAD: usize = RECORD_HEADER + 24;
/// The longest body: what recovery can hold in memory on a small machine.
pub const MAXIMUM_BODY: usize = 1 << 30;

pub const MARKER: [u8; 8] = [0xa9, b'A', b'P', b'U', b'S', 0x9d, 0x0d, 0x0a];
const MAGIC: [u8; 8] = *b"APUSSPL\n";
pub const VERSION: u16 = 1;

const INTERVAL: u8 = 1;
const ATTEMPTED: u8 = 2;
const STORED: u8 = 3;
const VOID: u8 = 4;
const FLOWS: u8 = 5;

/// One of the two series of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    Counts = 1,
    Flows = 2,
}

impl Series {
    /// Name of one of its files, without its ending.
    pub fn stem(self, segment: u64) -> String {
        match self {
            Self::Counts => format!("counts-{segment:010}"),
            Self::Flows => format!("flows-{segment:010}"),
        }
    }

    pub fn file(self, segment: u64) -> String {
        format!("{}.segment", self.stem(segment))
    }

    /// Series and number that a file's name tells, where it is one of ours.
    pub fn of_file(name: &str) -> Option<(Self, u64)> {
        let stem = name.strip_suffix(".segment")?;
        let (series, number) = match stem.split_once('-')? {
            ("counts", number) => (Self::Counts, number),
            ("flows", number) => (Self::Flows, number),
            _ => return None,
        };
        let number = number.parse().ok()?;
        // Only as we write it: no sign, no more zeros.
        (series.file(number) == name).then_some((series, number))
    }
}

/// Where a record is: segment and offset. Later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub segment: u64,
    pub offset: u64,
}

/// A whole record: where, how long with its header, and its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Position,
    pub length: u32,
    pub crc: u32,
}

/// What an interval's record says besides its counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub name: Name,
    /// Nanoseconds since the Unix epoch.
    pub end: u64,
    pub flow_rows: u64,
    pub flow_packets: u64,
    pub flows: Option<Place>,
}

/// A fact, noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    Attempted(Name),
    Stored(Name),
    /// Nothing of a segment counts from an offset on.
    Void(Position),
}

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub enum Record<'bytes> {
    Interval(&'bytes Head, &'bytes [u8]),
    Mark(Mark),
    Flows(Name, &'bytes [u8]),
}

/// A record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'bytes> {
    Interval(Head, &'bytes [u8]),
    Mark(Mark),
    Flows(Name, &'bytes [u8]),
}

/// Why there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It goes on beyond the end.
    Torn,
    Damaged,
}

impl Record<'_> {
    /// Of the whole record.
    pub const fn length(&self) -> u64 {
        let length = match self {
            Self::Interval(_, counts) => INTERVAL_HEAD + counts.len(),
            Self::Mark(Mark::Void(_)) => RECORD_HEADER + 16,
            Self::Mark(_) => RECORD_HEADER + 24,
            Self::Flows(_, flows) => FLOWS_HEAD + flows.len(),
        };
        length as u64
    }

    /// The record's bytes, and its checksum.
    pub fn encode(&self, at: Position) -> (Vec<u8>, u32) {
        let (kind, numbers, payload): (u8, Vec<u64>, &[u8]) = match *self {
            Self::Interval(head, counts) => {
                let Head { name, end, flow_rows, flow_packets, flows } = *head;
                let [segment, offset, shape] = flows.map_or([0; 3], |place| {
                    let shape = u64::from(place.length) | (u64::from(place.crc) << 32);
                    [place.at.segment, place.at.offset, shape]
                });
                let numbers = [end, flow_rows, flow_packets, segment, offset, shape];
                (INTERVAL, numbers_of(name).into_iter().chain(numbers).collect(), counts)
            }
            Self::Mark(Mark::Attempted(name)) => (ATTEMPTED, numbers_of(name).into(), &[]),
            Self::Mark(Mark::Stored(name)) => (STORED, numbers_of(name).into(), &[]),
            Self::Mark(Mark::Void(from)) => (VOID, vec![from.segment, from.offset], &[]),
            Self::Flows(name, flows) => (FLOWS, numbers_of(name).into(), flows),
        };
        let body_length = numbers.len() * 8 + payload.len();
        let mut bytes = Vec::with_capacity(RECORD_HEADER + body_length);
        bytes.extend(MARKER);
        bytes.extend([kind, 0, 0, 0]);
        // Bodies are held to MAXIMUM_BODY where they come in.
        bytes.extend((body_length as u32).to_le_bytes());
        bytes.extend([0; 4]);
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(payload);
        let crc = checksum(at, &bytes);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        (bytes, crc)
    }
}

const fn numbers_of(name: Name) -> [u64; 3] {
    [name.epoch, name.first, name.last]
}

fn checksum(at: Position, record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&at.segment.to_le_bytes());
    hasher.update(&at.offset.to_le_bytes());
    hasher.update(&record[..16]);
    hasher.update(&record[RECORD_HEADER..]);
    hasher.finalize()
}

fn number(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
}

fn short(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

/// The record that begins the bytes, which are those of a segment from a position on.
///
/// # Errors
/// Where there is none. One that was torn is only called so where all that is left of it is as it would be.
pub fn decode(at: Position, bytes: &[u8]) -> Result<(Entry<'_>, Place), Unread> {
    let marker = &bytes[..bytes.len().min(MARKER.len())];
    if bytes.is_empty() || !MARKER.starts_with(marker) {
        return Err(Unread::Damaged);
    }
    let (Some(length), Some(crc)) = (short(bytes, 12), short(bytes, 16)) else {
        return Err(Unread::Torn);
    };
    let length = length as usize;
    if !(INTERVAL..=FLOWS).contains(&bytes[8]) || bytes[9..12] != [0; 3] || length > MAXIMUM_BODY {
        return Err(Unread::Damaged);
    }
    let record = bytes.get(..RECORD_HEADER + length).ok_or(Unread::Torn)?;
    if checksum(at, record) != crc {
        return Err(Unread::Damaged);
    }
    let entry = body(record[8], &record[RECORD_HEADER..]).ok_or(Unread::Damaged)?;
    // MAXIMUM_BODY and a header fit.
    Ok((entry, Place { at, length: record.len() as u32, crc }))
}

fn body(kind: u8, body: &[u8]) -> Option<Entry<'_>> {
    let name = || {
        let name = Name { epoch: number(body, 0)?, first: number(body, 8)?, last: number(body, 16)? };
        (name.first <= name.last).then_some(name)
    };
    match kind {
        INTERVAL => {
            let (length, crc) = (short(body, 64)?, short(body, 68)?);
            let at = Position { segment: number(body, 48)?, offset: number(body, 56)? };
            let head = Head {
                name: name()?,
                end: number(body, 24)?,
                flow_rows: number(body, 32)?,
                flow_packets: number(body, 40)?,
                flows: (length > 0).then_some(Place { at, length, crc }),
            };
            Some(Entry::Interval(head, &body[72..]))
        }
        ATTEMPTED if body.len() == 24 => Some(Entry::Mark(Mark::Attempted(name()?))),
        STORED if body.len() == 24 => Some(Entry::Mark(Mark::Stored(name()?))),
        VOID if body.len() == 16 => {
            Some(Entry::Mark(Mark::Void(Position { segment: number(body, 0)?, offset: number(body, 8)? })))
        }
        FLOWS => Some(Entry::Flows(name()?, body.get(24..)?)),
        _ => None,
    }
}

/// A file's first bytes.
pub fn segment_header(series: Series, segment: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([series as u8, 0]);
    bytes.extend(segment.to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// What a file's first bytes say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    Ours,
    /// Of a format that is not known here.
    Version(u16),
    /// Another series' or number's: someone has renamed it.
    Other,
    /// It ends before its header does.
    Torn,
    Damaged,
}

pub fn read_segment_header(series: Series, segment: u64, bytes: &[u8]) -> Header {
    let whole = segment_header(series, segment);
    let Some(header) = bytes.get(..whole.len()) else {
        return if whole.starts_with(bytes) { Header::Torn } else { Header::Damaged };
    };
    if header == whole {
        return Header::Ours;
    }
    if header[..8] != MAGIC || short(header, 20) != Some(crc32fast::hash(&header[..20])) {
        return Header::Damaged;
    }
    match u16::from_le_bytes([header[8], header[9]]) {
        VERSION => Header::Other,
        version => Header::Version(version),
    }
}

#[cfg(test)]
mod tests;
