//! The spool as a whole: what it promises, on a disk that fails, and with files that are damaged.

mod behaviour;
mod bounds;
mod damage;
mod disk;
mod failing;
mod folder;
mod model;
mod script;
mod world;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Interval, Limits, Merge, Name, Setup, Spool};
use disk::FaultDisk;

/// Counts that say a sum, a tag, and fill a record of some length.
pub fn counts(sum: u64, tag: u8, length: usize) -> Bytes {
    let mut bytes = sum.to_le_bytes().to_vec();
    bytes.push(tag);
    bytes.resize(length.max(9), 0xcc);
    bytes.into()
}

pub fn sum(counts: &[u8]) -> u64 {
    u64::from_le_bytes(counts[..8].try_into().unwrap())
}

/// Sums of the same tag are one.
pub struct Sums;

impl Merge for Sums {
    fn merge(&self, parts: &[Bytes]) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>> {
        let tag = parts[0][8];
        if parts.iter().any(|part| part[8] != tag) {
            return Ok(None);
        }
        let length = parts.iter().map(Bytes::len).max().unwrap();
        Ok(Some(counts(parts.iter().map(|part| sum(part)).sum(), tag, length)))
    }
}

pub const ROLL_AT: u64 = 600;
pub const RESERVE: u64 = 400;

pub const fn limits(max_bytes: u64) -> Limits {
    Limits { max_bytes, max_age: Duration::from_secs(1_000_000) }
}

/// A spool of small segments, which tells nothing, and for which time stands still.
pub fn setup(limits: Limits) -> Setup {
    let (say, clock) = (Box::new(|_: &str| {}), Arc::new(|| Duration::ZERO));
    Setup { limits, roll_at: ROLL_AT, reserve: RESERVE, merge: Box::new(Sums), say, clock }
}

pub fn open(disk: &FaultDisk, limits: Limits) -> Spool {
    let (spool, findings) = Spool::on(Arc::new(disk.clone()), setup(limits)).unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    spool.release_all();
    spool
}

pub fn flows_of(name: &Name, length: usize) -> Bytes {
    vec![(name.first % 251) as u8; length].into()
}

/// An interval that ends so many seconds after the epoch as its sequence says.
pub fn interval(sequence: u64, value: u64, flows: Option<usize>) -> Interval {
    let name = Name::one(1, sequence);
    Interval {
        name,
        end: sequence * 1_000_000_000,
        counts: counts(value, 0, 40),
        flows: flows.map(|length| flows_of(&name, length)),
        flow_rows: 2,
        flow_packets: 3,
    }
}

pub fn keep(spool: &Spool, interval: &Interval) -> bool {
    let kept = spool.append(interval).unwrap();
    spool.release(&interval.name).unwrap();
    kept.flows_kept
}

pub fn all(spool: &Spool) -> Vec<Name> {
    spool.oldest(usize::MAX, &|_| false)
}
