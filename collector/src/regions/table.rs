//! A version of the table: the files of several registries together.
//!
//! Where records have addresses in common, which happens while addresses are handed from one registry to another, the
//! one with the fewest addresses counts; of equal ones that of the newer file; of equally new files that of the registry
//! that is first by its name.

use std::cmp::Reverse;
use std::net::IpAddr;

use super::Registry;
use super::ranges::{Ranges, apart};
use super::statistics::{Range, Record, Statistics};
use crate::store::{Day, RegionTable};

/// Regions by address, of both families.
#[derive(Clone, Debug)]
pub struct Table {
    version: u32,
    v4: Ranges<u32>,
    v6: Ranges<u64>,
}

/// Which of two records counts, the higher one: fewer addresses, newer file, registry, later line.
pub type Rank = (Reverse<u64>, Day, Reverse<Registry>, u32);

/// The rank of a record among those that have addresses in common with it.
#[must_use]
pub fn rank(file: &Statistics, record: &Record) -> Rank {
    let more = match record.range {
        Range::V4(first, last) => u64::from(last - first),
        Range::V6(first, last) => last - first,
    };
    (Reverse(more), file.date, Reverse(file.registry), record.line)
}

impl Table {
    /// Puts files together.
    #[must_use]
    pub fn new(version: u32, files: &[Statistics]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for file in files {
            for record in &file.records {
                let rank = rank(file, record);
                match record.range {
                    Range::V4(first, last) => v4.push((first, last, rank, record.region)),
                    Range::V6(first, last) => v6.push((first, last, rank, record.region)),
                }
            }
        }
        Self { version, v4: Ranges::new(apart(v4)), v6: Ranges::new(apart(v6)) }
    }

    /// Bytes that it has in memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.v4.memory() + self.v6.memory()
    }

    /// How many regions begin in IPv4, and in IPv6.
    #[must_use]
    pub fn lengths(&self) -> (usize, usize) {
        (self.v4.len(), self.v6.len())
    }
}

impl RegionTable for Table {
    fn region(&self, address: &IpAddr) -> [u8; 2] {
        match address {
            IpAddr::V4(address) => self.v4.region(address.to_bits()),
            IpAddr::V6(address) => self.v6.region(u64::try_from(address.to_bits() >> 64).unwrap_or(0)),
        }
    }

    fn version(&self) -> u32 {
        self.version
    }
}
