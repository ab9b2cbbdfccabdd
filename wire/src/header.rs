//! What a batch says of its interval besides counters and flows.

use std::fmt;

use serde::Serialize;

use crate::law::{ByFamily, Digests};
use crate::row::FlowKey;

/// Which interval it is. A sensor has one with each name; intervals that were merged have the sequences from the
/// first one's to the last one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name {
    /// When the counters began at zero, nanoseconds since the Unix epoch.
    pub epoch: u64,
    /// Sequence numbers in the epoch, from 1; both included.
    pub first: u64,
    pub last: u64,
}

impl Name {
    /// The name of an interval as it was counted: one sequence.
    #[must_use]
    pub const fn one(epoch: u64, sequence: u64) -> Self {
        Self { epoch, first: sequence, last: sequence }
    }

    /// Whether every sequence of the other one is in this one.
    #[must_use]
    pub const fn covers(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.first <= other.first && other.last <= self.last
    }

    /// Whether they share a sequence.
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.first <= other.last && other.first <= self.last
    }

    /// Both as one, where the other one follows this one with no sequence between them.
    #[must_use]
    pub fn joined(&self, next: &Self) -> Option<Self> {
        let adjacent = self.epoch == next.epoch && self.last.checked_add(1) == Some(next.first);
        adjacent.then_some(Self { epoch: self.epoch, first: self.first, last: next.last })
    }

    /// How many sequences it has, less one.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.last.saturating_sub(self.first)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, first, last } = self;
        if first == last {
            write!(formatter, "interval {first} of epoch {epoch}")
        } else {
            write!(formatter, "intervals {first} to {last} of epoch {epoch}")
        }
    }
}

/// The one row of table `intervals`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Header {
    /// Name of the sensor, which its certificate has to bear.
    pub sensor: String,
    /// Start of its counters, nanoseconds since the Unix epoch; and sequence numbers, see [`Name`].
    pub epoch: u64,
    pub first: u64,
    pub last: u64,
    /// Nanoseconds since the Unix epoch by the sensor's clock; the start is not after the end.
    pub start: u64,
    pub end: u64,
    /// Nanoseconds by which the sensor's clock was set, forward or back, in the interval: what it shows besides
    /// what has passed.
    pub clock_step: i64,
    /// The agent's version.
    pub program_version: String,
    /// Version of the counters' layout, [`sensor_ebpf::abi::ABI_VERSION`].
    pub abi_version: u32,
    /// Version of the signatures' rules, [`sensor_ebpf::abi::SIGNATURES_VERSION`].
    pub signatures_version: u32,
    /// Addresses that are observed; 0 where every destination is.
    pub observed_ipv4: u64,
    pub observed_ipv6_prefixes: u32,
    /// Windows that have counters, in the order of those.
    pub watched_windows: Vec<u16>,
    /// Laws of conservation that the agent saw broken, in words.
    pub breaches: Vec<String>,
    /// What became of the digests; absent where they are off.
    pub digests: Option<Digests>,
    /// The flows, in short; absent with the digests.
    pub flows: Option<FlowsHeader>,
    /// The most digests that waited in a ring, and what it holds.
    pub ring_most_waiting: u64,
    pub ring_records: u64,
}

/// What the flows of an interval come to. A batch without table `flows` has lost them on its way, for want of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlowsHeader {
    pub key: FlowKey,
    pub rows: u64,
    pub packets: u64,
    /// Rows that stand for packets of many sources.
    pub overflow_rows: u64,
    pub overflow_packets: u64,
}

impl FlowsHeader {
    /// Rows of both kinds.
    #[must_use]
    pub const fn all_rows(&self) -> u64 {
        self.rows.saturating_add(self.overflow_rows)
    }

    /// Packets in rows of both kinds.
    #[must_use]
    pub const fn all_packets(&self) -> u64 {
        self.packets.saturating_add(self.overflow_packets)
    }
}

impl Header {
    /// Which interval it is.
    #[must_use]
    pub const fn name(&self) -> Name {
        Name { epoch: self.epoch, first: self.first, last: self.last }
    }

    /// Observed packets that were in no flow when the interval ended.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.digests.as_ref().map_or(0, Digests::missing)
    }
}

impl Digests {
    /// The figures in the order of their columns.
    #[must_use]
    pub const fn figures(&self) -> [u64; 7] {
        let Self { written, lost, unread, off } = self;
        [written.ipv4, written.ipv6, lost.ipv4, lost.ipv6, unread.ipv4, unread.ipv6, *off]
    }

    /// The same from the figures.
    #[must_use]
    pub const fn from_figures(figures: [u64; 7]) -> Self {
        let [written4, written6, lost4, lost6, unread4, unread6, off] = figures;
        Self {
            written: ByFamily { ipv4: written4, ipv6: written6 },
            lost: ByFamily { ipv4: lost4, ipv6: lost6 },
            unread: ByFamily { ipv4: unread4, ipv6: unread6 },
            off,
        }
    }
}
