//! How many of what: slots of counters, rings of digests, and the kernel memory that they take.

use std::num::NonZeroU32;

use sensor_ebpf::abi::{
    BANKS, Control, CpuCounters, EVIDENCE_SMALLEST_RING, IPV4_SEGMENT, IPV6_SEGMENT, Ipv4Range, Ipv6Range,
    LARGEST_RING,
};
use sensor_ebpf::digest::{Ipv4Segment, Ipv6Segment};
use sensor_ebpf::ring::RingPositions;

use super::LoadError;
use crate::config::Settings;
use crate::evidence;
use crate::features::{Cpus, Features};

/// Digests in a ring unless configured otherwise: 100 ms at 5 million packets per second, rounded up.
const DEFAULT_RECORDS: u32 = 1 << 19;
/// The smallest ring: two are on one page of nothing else.
const FEWEST_RECORDS: u32 = 1 << 6;
/// IPv4 digests for each IPv6 digest that there is room for: IPv6 knocks far less often.
const IPV4_FOR_EACH_IPV6: u32 = 8;
/// What all rings together take at most, unless configured otherwise.
const DEFAULT_RING_MEMORY: u64 = 512 << 20;

/// The program as it is to be loaded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub features: Features,
    pub slots: Slots,
    pub rings: Rings,
    /// Bytes of the ring buffer of evidence.
    pub evidence_ring_bytes: u32,
}

impl Plan {
    /// What these settings come to on this machine.
    ///
    /// # Errors
    /// Where the kernel does not let this process load programs, or does not tell of its CPUs.
    pub fn probe(settings: &Settings) -> Result<Self, LoadError> {
        let features = Features::probe().map_err(LoadError::probe)?;
        Ok(Self::new(settings, Cpus::probe()?, features))
    }

    /// What these settings come to with these CPUs.
    #[must_use]
    pub fn new(settings: &Settings, cpus: Cpus, features: Features) -> Self {
        Self::with_slots(settings, Slots::plan(cpus, settings.counter_cpus), features)
    }

    /// The same with these slots.
    #[must_use]
    pub fn with_slots(settings: &Settings, slots: Slots, features: Features) -> Self {
        Self {
            features,
            slots,
            rings: Rings::plan(slots, settings.digests, settings.ring_records),
            evidence_ring_bytes: if settings.evidence.is_some() {
                evidence::RING_BYTES
            } else {
                EVIDENCE_SMALLEST_RING
            },
        }
    }

    /// Whether packets are handed over as evidence.
    #[must_use]
    pub const fn keeps_evidence(&self) -> bool {
        self.evidence_ring_bytes > EVIDENCE_SMALLEST_RING
    }

    /// Kernel memory of all maps and of `.rodata`, in bytes.
    #[must_use]
    pub fn kernel_memory(&self) -> u64 {
        self.slots.kernel_memory() + self.rings.kernel_memory() + u64::from(self.evidence_ring_bytes)
    }
}

/// How CPUs share slots of counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Slots in all.
    pub count: u32,
    /// Whether the last one is for every CPU without one of its own.
    pub last_is_shared: bool,
}

impl Slots {
    /// A slot for each CPU that is up, at most `limit`; and one for all others, where there can be any.
    #[must_use]
    pub fn plan(cpus: Cpus, limit: NonZeroU32) -> Self {
        let exclusive = cpus.online_end.min(limit.get());
        Self::existing(cpus, (exclusive + 1).min(cpus.possible))
    }

    /// The plan behind a set of counters with so many slots.
    #[must_use]
    pub const fn existing(cpus: Cpus, count: u32) -> Self {
        Self { count, last_is_shared: count < cpus.possible }
    }

    /// Slots that are one CPU's own.
    #[must_use]
    pub const fn exclusive(self) -> u32 {
        self.count - self.last_is_shared as u32
    }

    /// Kernel memory of counters, control record and `.rodata`, in bytes.
    #[must_use]
    pub fn kernel_memory(self) -> u64 {
        let counters = size_of::<CpuCounters>() as u64;
        let ranges = (size_of::<Ipv4Range>() + size_of::<Ipv6Range>()) * sensor_ebpf::abi::OBSERVED_RANGES;
        counters * u64::from(self.count * BANKS + 2) + (size_of::<Control>() + ranges) as u64
    }
}

/// Rings of digests: two, one for each IP version, for each slot that is one CPU's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rings {
    /// CPUs that have rings.
    pub cpus: u32,
    /// Digests in a ring of IPv4, a power of two; 0 where no digests are written.
    pub records: u32,
    /// Digests in a ring of IPv6, a power of two; 0 where no digests are written.
    pub records_ipv6: u32,
}

impl Rings {
    /// Rings of the size asked for; or else of the usual size, but on hosts with many CPUs as much smaller
    /// as keeps all of them within 512 MiB.
    #[must_use]
    pub fn plan(slots: Slots, digests: bool, records: Option<NonZeroU32>) -> Self {
        if !digests {
            return Self { cpus: 0, records: 0, records_ipv6: 0 };
        }
        let cpus = slots.exclusive();
        if let Some(records) = records {
            return Self::of(cpus, records.get());
        }
        let mut rings = Self::of(cpus, DEFAULT_RECORDS);
        // A ring smaller than a segment takes no less.
        while rings.kernel_memory() > DEFAULT_RING_MEMORY && rings.records as usize > IPV4_SEGMENT {
            rings = Self::of(cpus, rings.records / 2);
        }
        rings
    }

    fn of(cpus: u32, records: u32) -> Self {
        let records = records.clamp(FEWEST_RECORDS, LARGEST_RING).next_power_of_two();
        Self { cpus, records, records_ipv6: (records / IPV4_FOR_EACH_IPV6).max(FEWEST_RECORDS) }
    }

    /// Whether digests are written at all.
    #[must_use]
    pub const fn is_on(self) -> bool {
        self.records > 0
    }

    /// Entries of the three maps: positions, IPv4 segments, IPv6 segments. A map has one at least.
    #[must_use]
    pub const fn entries(self) -> [u32; 3] {
        let cpus = if self.cpus == 0 { 1 } else { self.cpus };
        [cpus, cpus * segments(self.records, IPV4_SEGMENT), cpus * segments(self.records_ipv6, IPV6_SEGMENT)]
    }

    /// Kernel memory of the three maps, in bytes.
    #[must_use]
    pub fn kernel_memory(self) -> u64 {
        let [positions, ipv4, ipv6] = self.entries().map(u64::from);
        positions * size_of::<RingPositions>() as u64
            + ipv4 * size_of::<Ipv4Segment>() as u64
            + ipv6 * size_of::<Ipv6Segment>() as u64
    }
}

/// Segments of one ring.
#[must_use]
pub const fn segments(records: u32, segment: usize) -> u32 {
    if records as usize > segment { records / segment as u32 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(count: u32) -> Slots {
        Slots { count, last_is_shared: false }
    }

    #[test]
    fn usual_rings_hold_a_tenth_of_a_second() {
        let rings = Rings::plan(slots(2), true, None);
        assert_eq!(rings, Rings { cpus: 2, records: 524_288, records_ipv6: 65_536 });
        assert_eq!(rings.entries(), [2, 128, 32]);
        assert_eq!(rings.kernel_memory(), 2 * 128 + (40 << 20));
    }

    #[test]
    fn many_cpus_have_smaller_rings() {
        for count in [1, 13, 26, 64, 500, 4_000] {
            let rings = Rings::plan(slots(count), true, None);
            assert!(
                rings.kernel_memory() <= DEFAULT_RING_MEMORY || rings.records as usize == IPV4_SEGMENT,
                "{rings:?}"
            );
            assert!(rings.records.is_power_of_two() && rings.records_ipv6.is_power_of_two());
        }
        assert_eq!(Rings::plan(slots(64), true, None).records, 131_072);
    }

    #[test]
    fn a_size_that_is_asked_for_is_rounded_up_and_no_ring_is_too_small() {
        let of = |records| Rings::plan(slots(1), true, NonZeroU32::new(records));
        assert_eq!((of(1).records, of(1).records_ipv6), (64, 64));
        assert_eq!((of(1_000).records, of(1_000).records_ipv6), (1_024, 128));
        assert_eq!(of(8_193).entries(), [1, 2, 1]);
        assert_eq!(of(u32::MAX).records, LARGEST_RING);
    }

    #[test]
    fn no_digests_no_rings() {
        let rings = Rings::plan(slots(3), false, NonZeroU32::new(1 << 20));
        assert!(!rings.is_on());
        assert_eq!(rings.entries(), [1, 1, 1]);
    }

    #[test]
    fn a_shared_slot_has_no_ring() {
        assert_eq!(Slots { count: 3, last_is_shared: true }.exclusive(), 2);
        assert_eq!(Rings::plan(Slots { count: 1, last_is_shared: true }, true, None).entries(), [1, 64, 16]);
    }
}
