//! The rings, mapped: the consumer's end of the protocol in `sensor_ebpf::ring`.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use aya::Ebpf;
use sensor_ebpf::abi::{Control, Family, IPV4_SEGMENT, IPV6_SEGMENT, maps};
use sensor_ebpf::digest::{Ipv4Digest, Ipv4Segment, Ipv6Digest, Ipv6Segment};
use sensor_ebpf::ring::{Consumer, Make, Producer, RingPositions, append, readable};

use super::Digest;
use crate::mapping::{MappedArray, MappingError};
use crate::program::{Rings, segments};

/// The rings of all CPUs.
pub struct RingMaps {
    positions: MappedArray<RingPositions>,
    ipv4: MappedArray<Ipv4Segment>,
    ipv6: MappedArray<Ipv6Segment>,
    plan: Rings,
}

impl RingMaps {
    /// Rings in this process's memory alone, with no program behind them: what tests and benches use.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn in_process(plan: Rings) -> std::io::Result<Self> {
        let [positions, ipv4, ipv6] = plan.entries();
        Ok(Self {
            positions: MappedArray::in_process(positions)?,
            ipv4: MappedArray::in_process(ipv4)?,
            ipv6: MappedArray::in_process(ipv6)?,
            plan,
        })
    }

    /// Maps the rings of a loaded object.
    ///
    /// # Errors
    /// Where the maps are absent, or of another layout.
    pub fn new(ebpf: &Ebpf, plan: Rings) -> Result<Self, MappingError> {
        Self::from_mappings(
            MappedArray::of(maps::RINGS, ebpf)?,
            MappedArray::of(maps::IPV4_DIGESTS, ebpf)?,
            MappedArray::of(maps::IPV6_DIGESTS, ebpf)?,
            plan,
        )
    }

    /// From mappings that are there already.
    ///
    /// # Errors
    /// Where they are too small for the plan.
    pub fn from_mappings(
        positions: MappedArray<RingPositions>,
        ipv4: MappedArray<Ipv4Segment>,
        ipv6: MappedArray<Ipv6Segment>,
        plan: Rings,
    ) -> Result<Self, MappingError> {
        let [expected, expected_ipv4, expected_ipv6] = plan.entries();
        for (name, found, expected) in [
            (maps::RINGS, positions.entries(), expected),
            (maps::IPV4_DIGESTS, ipv4.entries(), expected_ipv4),
            (maps::IPV6_DIGESTS, ipv6.entries(), expected_ipv6),
        ] {
            if found < expected {
                return Err(MappingError::TooFew { name, found, expected });
            }
        }
        Ok(Self { positions, ipv4, ipv6, plan })
    }

    /// What there is of them.
    #[must_use]
    pub const fn plan(&self) -> Rings {
        self.plan
    }

    /// The ring of one CPU, the one with this slot. Only one of those who ask for it may drain it, and only the
    /// program, where there is one, may append.
    ///
    /// # Panics
    /// Where there is no such CPU.
    #[must_use]
    pub fn ring<D: RingDigest>(&self, cpu: u32) -> Ring<'_, D> {
        assert!(cpu < self.plan.cpus, "ring {cpu} of {}", self.plan.cpus);
        let (records, capacity) = D::records(self, cpu);
        Ring { positions: self.positions.entry(cpu), records, capacity: capacity.into(), memory: PhantomData }
    }

    /// How many digests wait to be read, and how many there is room for: of the fullest ring.
    #[must_use]
    pub fn fullest(&self) -> (u64, u64) {
        let of_cpu = |cpu| {
            let (ipv4, ipv6) = (self.ring::<Ipv4Digest>(cpu), self.ring::<Ipv6Digest>(cpu));
            [(ipv4.waiting(), ipv4.capacity), (ipv6.waiting(), ipv6.capacity)]
        };
        let fill = |(waiting, capacity): &(u64, u64)| {
            u128::from(*waiting) * u128::from(u32::MAX) / u128::from((*capacity).max(1))
        };
        (0..self.plan.cpus).flat_map(of_cpu).max_by_key(fill).unwrap_or((0, 0))
    }
}

/// The size of rings that a control record tells of.
#[must_use]
pub const fn rings_of(control: &Control, cpus: u32) -> Rings {
    Rings { cpus, records: control.ring_records, records_ipv6: control.ring_records_ipv6 }
}

/// A digest that has rings.
pub trait RingDigest: Digest {
    /// The first place of a CPU's ring, and how many there are.
    fn records(maps: &RingMaps, cpu: u32) -> (*mut Self, u32);
}

impl RingDigest for Ipv4Digest {
    fn records(maps: &RingMaps, cpu: u32) -> (*mut Self, u32) {
        let records = maps.plan.records;
        (maps.ipv4.entry(cpu * segments(records, IPV4_SEGMENT)).cast(), records)
    }
}

impl RingDigest for Ipv6Digest {
    fn records(maps: &RingMaps, cpu: u32) -> (*mut Self, u32) {
        let records = maps.plan.records_ipv6;
        (maps.ipv6.entry(cpu * segments(records, IPV6_SEGMENT)).cast(), records)
    }
}

/// One CPU's ring of one family. Segments follow each other in memory, so its places are an array.
pub struct Ring<'a, D> {
    positions: *mut RingPositions,
    pub(super) records: *mut D,
    pub(super) capacity: u64,
    memory: PhantomData<&'a RingMaps>,
}

impl<D: Digest> Ring<'_, D> {
    /// A ring in memory of one's own.
    ///
    /// # Safety
    /// The positions and `capacity` records must live as long as the ring, and `capacity` be a power of two.
    #[must_use]
    pub unsafe fn in_memory(positions: *mut RingPositions, records: *mut D, capacity: u64) -> Self {
        Self { positions, records, capacity, memory: PhantomData }
    }

    /// Digests written and not read yet.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let range = readable(self, u64::MAX);
        range.end - range.start
    }

    /// Gives at most `most` waiting digests to `each`, in order, and their places back. Says how many.
    ///
    /// For the one consumer of the ring.
    pub fn drain(&mut self, most: u64, mut each: impl FnMut(&[D])) -> u64 {
        // More than there is room for would not be the producer's doing.
        let range = readable(self, most.min(self.capacity));
        let mut position = range.start;
        while position < range.end {
            let place = position & (self.capacity - 1);
            let length = (range.end - position).min(self.capacity - place);
            // SAFETY: the places lie within the ring. Each was published, and is not written again before it
            // is released: below, after the last use of the slice.
            let part = unsafe {
                std::slice::from_raw_parts(
                    self.records.add(usize::try_from(place).unwrap_or(0)),
                    usize::try_from(length).unwrap_or(0),
                )
            };
            each(part);
            position += length;
        }
        if range.end > range.start {
            self.release(range.end);
        }
        range.end - range.start
    }

    fn word(&self, tail: bool) -> &AtomicU64 {
        let family = D::FAMILY as usize;
        // SAFETY: the positions live as long as the ring, and every process accesses them atomically.
        unsafe {
            let positions = self.positions;
            let word =
                if tail { &raw mut (*positions).tails[family] } else { &raw mut (*positions).heads[family] };
            AtomicU64::from_ptr(word)
        }
    }
}

/// The producer's end, as the program has it: for rings that no program writes to.
impl<D: Digest> Producer for Ring<'_, D> {
    type Record = D;

    fn head(&self) -> u64 {
        self.word(false).load(Ordering::Relaxed)
    }

    fn tail(&self) -> u64 {
        self.word(true).load(Ordering::Acquire)
    }

    fn write(&mut self, position: u64, record: impl Make<D>) -> bool {
        let place = usize::try_from(position & (self.capacity - 1)).unwrap_or(0);
        // SAFETY: a place of the ring, and by the protocol the producer's.
        unsafe { self.records.add(place).write(record.make()) };
        true
    }

    fn publish(&mut self, head: u64) {
        self.word(false).store(head, Ordering::Release);
    }
}

impl<D: Digest> Ring<'_, D> {
    /// Appends a record, or says that there is no room. For the one producer of the ring.
    pub fn append(&mut self, record: D) -> bool {
        append(self, self.capacity, record)
    }
}

impl<D: Digest> Consumer for Ring<'_, D> {
    fn head(&self) -> u64 {
        self.word(false).load(Ordering::Acquire)
    }

    fn tail(&self) -> u64 {
        self.word(true).load(Ordering::Relaxed)
    }

    fn release(&mut self, tail: u64) {
        // The reads of the records come before it, for the producer that sees it writes over them.
        self.word(true).store(tail, Ordering::Release);
    }
}

const _: () = assert!(Family::Ipv4 as usize == 0 && Family::Ipv6 as usize == 1);
