//! A registry's statistics: what it has delegated, where to, as of a day.
//!
//! The format is the registries' own ("RIR statistics exchange format", and its extension):
//! lines of fields between `|`. A header, `2|registry|serial|records|start|end|offset`; for each type of resource a
//! summary, `registry|*|type|*|count|summary`; records, `registry|cc|type|start|value|date|status` and, extended,
//! `|opaque-id` and more; and comments from `#` on.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::registry::Registry;
use crate::store::{Day, UNKNOWN, read_region};

/// What is delegated in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub registry: Registry,
    /// The last day that it is of.
    pub date: Day,
    /// Addresses that are allocated or assigned, in the order of the file.
    pub records: Vec<Record>,
}

/// Addresses that follow each other, delegated to one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub range: Range,
    /// Two capital letters.
    pub region: [u8; 2],
    /// Its line in the file.
    pub line: u32,
}

/// First and last address. Of IPv6 the upper 64 bits: nobody is delegated less than a /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Range {
    V4(u32, u32),
    V6(u64, u64),
}

/// What is wrong with a file, and on which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Fault {
    pub line: u32,
    pub what: String,
}

/// Types of resources.
const TYPES: [&str; 3] = ["asn", "ipv4", "ipv6"];
/// What gzip begins a file with.
const GZIP: &[u8] = b"\x1f\x8b";

impl Statistics {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that is not of the format, or does not belong into this file; where lines are missing.
    pub fn parse(content: &[u8]) -> Result<Self, Fault> {
        if content.starts_with(GZIP) {
            return Err(fault(1, "it is compressed: unpack it first (gunzip)"));
        }
        let mut reading: Option<Reading> = None;
        let mut number = 0;
        for bytes in content.split(|byte| *byte == b'\n') {
            number += 1;
            let line = std::str::from_utf8(bytes).map(str::trim);
            // A comment may be in whatever encoding.
            if bytes.trim_ascii().first().is_none_or(|byte| *byte == b'#') {
                continue;
            }
            let line = line.map_err(|_| fault(number, "it is not text"))?;
            match &mut reading {
                None => reading = Some(header(line).map_err(|what| fault(number, what))?),
                Some(reading) => reading.line(line, number).map_err(|what| fault(number, what))?,
            }
        }
        let reading = reading.ok_or_else(|| fault(1, "there is nothing in it"))?;
        reading.finish().map_err(|what| fault(number, what))
    }
}

fn fault(line: u32, what: impl Into<String>) -> Fault {
    Fault { line, what: what.into() }
}

/// A file that has been read up to some line.
struct Reading {
    statistics: Statistics,
    /// Records of each type, and how many there have to be.
    found: [u64; TYPES.len()],
    expected: [Option<u64>; TYPES.len()],
}

fn header(line: &str) -> Result<Reading, String> {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let beginning: String = line.chars().take(40).collect();
    let [version, registry, _serial, _records, _start, end, _offset, ..] = fields[..] else {
        return Err(format!(
            "it begins with {beginning:?}, and not with a header such as 2|afrinic|20260505|19286|00000000|20260505|00000"
        ));
    };
    if version != "2" && !version.starts_with("2.") {
        return Err(format!("its format has version {version:?}, and 2 is the one that is known"));
    }
    let registry = Registry::of(registry).ok_or_else(|| {
        let known = Registry::ALL.map(Registry::name).join(", ");
        format!("it is of {registry:?}, and not of one registry: {known}")
    })?;
    let date = date(end).ok_or_else(|| format!("its last day is {end:?}, and not one such as 20260505"))?;
    let statistics = Statistics { registry, date, records: Vec::new() };
    Ok(Reading { statistics, found: [0; 3], expected: [None; 3] })
}

/// A day as eight digits.
fn date(text: &str) -> Option<Day> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]).parse().ok()
}

impl Reading {
    fn line(&mut self, line: &str, number: u32) -> Result<(), String> {
        let mut fields = line.split('|').map(str::trim);
        let mut field = || fields.next();
        let [Some(registry), Some(region), Some(kind), Some(start), Some(value)] =
            std::array::from_fn(|_| field())
        else {
            return Err(format!("{line:?} is no record: it has fewer than seven fields"));
        };
        let own = self.statistics.registry;
        if Registry::of(registry) != Some(own) {
            return Err(format!("{registry:?} has no records in a file of {own}"));
        }
        let place = TYPES.iter().position(|name| kind.eq_ignore_ascii_case(name));
        let place = place.ok_or_else(|| format!("{kind:?} is none of {}", TYPES.join(", ")))?;
        // The date, or in a summary the word for it.
        let date = field();
        if region == "*" && date == Some("summary") {
            let count = value.parse().map_err(|_| format!("{value:?} is no number of records"))?;
            return match self.expected[place].replace(count) {
                None => Ok(()),
                Some(_) => Err(format!("a second summary of {kind}")),
            };
        }
        let status =
            field().ok_or_else(|| format!("{line:?} is no record: it has fewer than seven fields"))?;
        self.found[place] += 1;
        let is_delegated = match status.to_ascii_lowercase().as_str() {
            "allocated" | "assigned" => true,
            "available" | "reserved" => false,
            _ => return Err(format!("{status:?} is none of allocated, assigned, available, reserved")),
        };
        let range = match place {
            1 => v4(start, value)?,
            2 => v6(start, value)?,
            _ => return Ok(()),
        };
        let region = code(region)?;
        // Those without a region are in none, as if they were not there.
        if let Some(region) = region.filter(|_| is_delegated) {
            self.statistics.records.push(Record { range, region, line: number });
        }
        Ok(())
    }

    fn finish(self) -> Result<Statistics, String> {
        if self.expected == [None; 3] {
            return Err("it ends without a summary: it is not whole, get it again".into());
        }
        for ((kind, found), expected) in TYPES.iter().zip(self.found).zip(self.expected) {
            let expected = expected.unwrap_or(0);
            if found != expected {
                return Err(format!(
                    "it ends after {found} records of {kind}, and its summary says {expected}: it is not whole, get it \
                     again"
                ));
            }
        }
        Ok(self.statistics)
    }
}

/// A region's code, whether it is an ISO 3166-1 code of today or not; `None` where there is none.
fn code(text: &str) -> Result<Option<[u8; 2]>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match read_region(text) {
        Some(UNKNOWN) => Ok(None),
        // `UK` has been written where `GB` is meant.
        Some([b'U', b'K']) => Ok(Some(*b"GB")),
        Some(letters) => Ok(Some(letters)),
        None => Err(format!("{text:?} is no region: it has to be two letters, or nothing")),
    }
}

/// So many addresses from the first one on; the number needs not be a power of two.
fn v4(start: &str, count: &str) -> Result<Range, String> {
    let first: Ipv4Addr = start.parse().map_err(|_| format!("{start:?} is no address of IPv4"))?;
    let first = first.to_bits();
    let number = count.parse::<u64>().ok().filter(|count| *count > 0);
    let more = number.and_then(|number| u32::try_from(number - 1).ok());
    let last = more.and_then(|more| first.checked_add(more));
    last.map(|last| Range::V4(first, last))
        .ok_or_else(|| format!("{count:?} is not how many addresses there can be from {start} on"))
}

/// A prefix.
fn v6(start: &str, length: &str) -> Result<Range, String> {
    let address: Ipv6Addr = start.parse().map_err(|_| format!("{start:?} is no address of IPv6"))?;
    let length: u32 = length.parse().ok().filter(|length| *length <= 64).ok_or_else(|| {
        format!("{length:?} is no length of a prefix up to 64, the longest that is delegated")
    })?;
    let bits = address.to_bits();
    let first = u64::try_from(bits >> 64).unwrap_or(u64::MAX);
    let others = u64::MAX.checked_shr(length).unwrap_or(0);
    if first & others != 0 || bits & u128::from(u64::MAX) != 0 {
        return Err(format!("{start}/{length} has bits beyond its length"));
    }
    Ok(Range::V6(first, first | others))
}
