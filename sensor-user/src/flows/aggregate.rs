//! The flows of one interval, in bounded memory.

use sensor_ebpf::abi::Family;
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest};
use serde::Serialize;
use wire::{FlowKey, FlowsHeader, Row};

use super::key::{BySource, ByTuple, Flow};
use super::table::{Entry, Table};
use super::targets::{Numbering, TargetStore};
use crate::config::Settings;
use crate::digests::{Address4, Address6};
use crate::prefixes::ObservedRanges;

/// Flows for each set of targets that is larger than a few: a block of 256 bytes.
const FLOWS_FOR_EACH_BLOCK: u32 = 4;
/// Flows for each overflow row that keeps all but its source.
const FLOWS_FOR_EACH_OVERFLOW: u32 = 4;

/// Overflow rows that there is always room for: scans by port and three signatures; answers, other TCP and UDP by
/// port and ZMap's; ICMP by type and code; and protocols; in both IP versions.
const MOST_COARSE_ROWS: usize = (8 + 2 + 2 + 2 + 2 + 2 + 2) * (1 << 16);
/// An index with nothing in it.
const FEWEST_BYTES: usize = 1 << 13;

/// How many flows an interval may have, and by what they are told apart.
#[derive(Clone)]
pub struct Limits {
    key: FlowKey,
    max_flows: u32,
    ipv4: Numbering<Address4>,
    ipv6: Numbering<Address6>,
}

impl Limits {
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self::of(settings.flow_key, settings.max_flows, &settings.ranges)
    }

    /// The same from its parts.
    #[must_use]
    pub fn of(key: FlowKey, max_flows: u32, observed: &ObservedRanges) -> Self {
        Self { key, max_flows, ipv4: Numbering::new(observed), ipv6: Numbering::new(observed) }
    }

    /// Bytes that an interval's flows take at most, whatever comes: every flow of the larger family, with as many
    /// targets as take most room, vectors that have just doubled, and every overflow row that there can be.
    #[must_use]
    pub fn most_memory(&self) -> usize {
        let flow = size_of::<Entry<ByTuple<Ipv6Digest>>>().max(size_of::<Entry<BySource<Ipv6Digest>>>());
        // An index has at most three slots of a word for each flow.
        let slots = 3 * size_of::<u64>();
        let targets = 2 * (TargetStore::<Address6>::LIST + TargetStore::<Address6>::BLOCK / 4);
        let flows = (self.max_flows + self.max_flows / FLOWS_FOR_EACH_OVERFLOW) as usize;
        (flows + MOST_COARSE_ROWS) * (flow + slots + targets) + 4 * FEWEST_BYTES
    }
}

/// The flows of one interval.
pub struct Flows {
    tables: Tables,
    room: u32,
    room_of_overflow: u32,
    /// Digests added, by [`sensor_ebpf::abi::Family`].
    pub digests: [u64; 2],
}

enum Tables {
    BySource(Pair<BySource<Ipv4Digest>>, Pair<BySource<Ipv6Digest>>),
    ByTuple(Pair<ByTuple<Ipv4Digest>>, Pair<ByTuple<Ipv6Digest>>),
}

/// Flows of one family, and what is beyond the limit.
struct Pair<F: Flow> {
    flows: Table<F>,
    overflow: Table<F>,
}

/// An interval's flows in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub rows: u64,
    pub packets: u64,
    /// Rows that stand for packets of many sources, beyond the limit of flows.
    pub overflow_rows: u64,
    pub overflow_packets: u64,
}

impl From<FlowsHeader> for Summary {
    fn from(header: FlowsHeader) -> Self {
        let FlowsHeader { key: _, rows, packets, overflow_rows, overflow_packets } = header;
        Self { rows, packets, overflow_rows, overflow_packets }
    }
}

impl Flows {
    /// No flows yet; about as many expected as `earlier` had.
    #[must_use]
    pub fn new(limits: &Limits, earlier: Option<&Self>) -> Self {
        let Limits { key, max_flows, ipv4, ipv6 } = limits;
        let blocks = (max_flows / FLOWS_FOR_EACH_BLOCK) as usize;
        let [expected4, expected6] = earlier.map_or([0; 2], Self::flows);
        let tables = match key {
            FlowKey::Source => Tables::BySource(
                Pair::new(expected4, blocks, ipv4.clone()),
                Pair::new(expected6, blocks, ipv6.clone()),
            ),
            FlowKey::FlowTuple => Tables::ByTuple(
                Pair::new(expected4, blocks, ipv4.clone()),
                Pair::new(expected6, blocks, ipv6.clone()),
            ),
        };
        let room_of_overflow = max_flows / FLOWS_FOR_EACH_OVERFLOW;
        Self { tables, room: *max_flows, room_of_overflow, digests: [0; 2] }
    }

    /// Adds IPv4 digests, all seen at `now`, in nanoseconds since the Unix epoch.
    pub fn add_ipv4(&mut self, digests: &[Ipv4Digest], now: u64) {
        let Self { tables, room, room_of_overflow, digests: [added, _] } = self;
        *added += digests.len() as u64;
        match tables {
            Tables::BySource(pair, _) => pair.add(digests, now, room, room_of_overflow),
            Tables::ByTuple(pair, _) => pair.add(digests, now, room, room_of_overflow),
        }
    }

    /// Adds IPv6 digests, all seen at `now`, in nanoseconds since the Unix epoch.
    pub fn add_ipv6(&mut self, digests: &[Ipv6Digest], now: u64) {
        let Self { tables, room, room_of_overflow, digests: [_, added] } = self;
        *added += digests.len() as u64;
        match tables {
            Tables::BySource(_, pair) => pair.add(digests, now, room, room_of_overflow),
            Tables::ByTuple(_, pair) => pair.add(digests, now, room, room_of_overflow),
        }
    }

    /// Gives every flow to `each`, by family: those with sources first, in the order of their first packets.
    pub fn for_each(&self, mut each: impl FnMut(Row)) {
        self.pairs().into_iter().for_each(|pair| pair.for_each(true, &mut each));
    }

    /// The same without their targets, which takes a fraction of the time.
    pub fn for_each_without_targets(&self, mut each: impl FnMut(Row)) {
        self.pairs().into_iter().for_each(|pair| pair.for_each(false, &mut each));
    }

    /// What holds flows, by family, whatever their key.
    fn pairs(&self) -> [&dyn Rows; 2] {
        match &self.tables {
            Tables::BySource(ipv4, ipv6) => [ipv4, ipv6],
            Tables::ByTuple(ipv4, ipv6) => [ipv4, ipv6],
        }
    }

    /// The key that tells them apart.
    #[must_use]
    pub const fn key(&self) -> FlowKey {
        match self.tables {
            Tables::BySource(..) => FlowKey::Source,
            Tables::ByTuple(..) => FlowKey::FlowTuple,
        }
    }

    /// Bytes that all of it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.pairs().map(Rows::memory).iter().sum()
    }

    /// Flows with sources, by family.
    #[must_use]
    pub fn flows(&self) -> [usize; 2] {
        self.pairs().map(Rows::flows)
    }

    /// How many there are.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.pairs().into_iter().for_each(|pair| pair.add_to(&mut summary));
        summary
    }
}

/// A pair of tables, whatever its flows.
trait Rows {
    fn for_each(&self, with_targets: bool, each: &mut dyn FnMut(Row));
    fn memory(&self) -> usize;
    fn flows(&self) -> usize;
    fn add_to(&self, summary: &mut Summary);
}

impl<F: Flow> Pair<F> {
    fn new(expected: usize, blocks: usize, numbering: Numbering<super::key::AddressOf<F>>) -> Self {
        Self {
            flows: Table::new(expected, blocks, numbering.clone()),
            overflow: Table::new(0, blocks / 16, numbering),
        }
    }

    fn add(&mut self, digests: &[F::Digest], now: u64, room: &mut u32, room_of_overflow: &mut u32) {
        let Self { flows, overflow } = self;
        flows.add(digests, now, room, |digest| {
            let key = F::key(digest);
            let before = overflow.len();
            let has_room = *room_of_overflow > 0;
            if !overflow.add_as(F::without_source(key), digest, now, has_room) {
                // So few can be told apart by this that there is always room.
                overflow.add_as(F::coarse(key), digest, now, true);
            } else if overflow.len() > before {
                *room_of_overflow -= 1;
            }
        });
    }
}

/// What a flow says. Without its targets it has one at least: looking for them is a look into memory far away.
fn row<F: Flow>(flow: &Entry<F>, table: &Table<F>, overflow: bool, with_targets: bool) -> Row {
    let Entry { packets, bytes, first_seen, last_seen, time_to_live_minimum, time_to_live_maximum, .. } =
        *flow;
    let mut row = Row {
        overflow,
        packets,
        bytes,
        first_seen,
        last_seen,
        time_to_live_minimum,
        time_to_live_maximum,
        ..Row::new(Family::Ipv4)
    };
    F::describe(&flow.key, &flow.detail, &mut row);
    if overflow {
        (row.source, row.victim) = (None, None);
    }
    if with_targets {
        (row.targets, row.targets_counted) = F::targets(&flow.detail, table.store());
    }
    row
}

impl<F: Flow> Rows for Pair<F> {
    fn for_each(&self, with_targets: bool, each: &mut dyn FnMut(Row)) {
        for (table, overflow) in [(&self.flows, false), (&self.overflow, true)] {
            for flow in table.flows() {
                each(row(flow, table, overflow, with_targets));
            }
        }
    }

    fn memory(&self) -> usize {
        self.flows.memory() + self.overflow.memory()
    }

    fn flows(&self) -> usize {
        self.flows.len()
    }

    fn add_to(&self, summary: &mut Summary) {
        let packets = |table: &Table<F>| table.flows().iter().map(|flow| flow.packets).sum::<u64>();
        summary.rows += self.flows.len() as u64;
        summary.packets += packets(&self.flows);
        summary.overflow_rows += self.overflow.len() as u64;
        summary.overflow_packets += packets(&self.overflow);
    }
}
