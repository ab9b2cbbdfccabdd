//! Logging: each observed packet's digest into the ring of the CPU that it came in on.

use core::arch::asm;
use core::marker::PhantomData;
#[cfg(bpf_target_arch = "x86_64")]
use core::sync::atomic::{Ordering, compiler_fence};

use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use sensor_ebpf::abi::{Family, IPV4_SEGMENT, IPV6_SEGMENT, TrafficClass};
use sensor_ebpf::classify::traffic_class;
use sensor_ebpf::count::{Raise, count_digest};
use sensor_ebpf::digest::{Ipv4Digest, Ipv4Segment, Ipv6Digest, Ipv6Segment, marks};
use sensor_ebpf::headers::{Ipv4, Ipv6};
use sensor_ebpf::packet::{Network, Packet};
use sensor_ebpf::ring::{Make, Producer, RingPositions, append};

use crate::configured::{RING_RECORDS, RING_RECORDS_IPV6, configured};
use crate::observe::{BPF_F_MMAPABLE, Log, Place};

// The agent resizes them: a ring for each CPU with a slot of its own, in as many segments as it takes.
#[map]
static RINGS: Array<RingPositions> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static IPV4_DIGESTS: Array<Ipv4Segment> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static IPV6_DIGESTS: Array<Ipv6Segment> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Digests into the CPU's ring. CPUs that share a slot have none: theirs are counted as lost.
pub struct ToRings;

impl Log for ToRings {
    #[inline(always)]
    fn log<R: Raise>(place: Place, packet: &Packet<'_>, signatures: u8) {
        if configured(&RING_RECORDS) == 0 {
            return;
        }
        let Place { slot, bank, counters } = place;
        let class = traffic_class(packet);
        let marks = if bank == 0 { signatures } else { signatures | marks::BANK };
        let (family, written) = match packet.network {
            Network::Ipv4(header) => {
                (Family::Ipv4, R::EXCLUSIVE && write::<Ipv4Digest>(slot, Of { header, packet, class, marks }))
            }
            Network::Ipv6(header) => {
                (Family::Ipv6, R::EXCLUSIVE && write::<Ipv6Digest>(slot, Of { header, packet, class, marks }))
            }
            Network::None => return,
        };
        // SAFETY: a whole value of the map, with no writer that `R` does not allow for.
        unsafe { count_digest::<R>(counters, family, written) };
    }
}

/// What a digest is made of.
struct Of<'a, H> {
    header: &'a H,
    packet: &'a Packet<'a>,
    class: TrafficClass,
    marks: u8,
}

impl Make<Ipv4Digest> for Of<'_, Ipv4> {
    #[inline(always)]
    fn make(self) -> Ipv4Digest {
        Ipv4Digest::new(self.header, self.packet, self.class, self.marks)
    }
}

impl Make<Ipv6Digest> for Of<'_, Ipv6> {
    #[inline(always)]
    fn make(self) -> Ipv6Digest {
        Ipv6Digest::new(self.header, self.packet, self.class, self.marks)
    }
}

/// A digest that has rings.
trait Digest: Sized {
    const FAMILY: Family;
    /// Digests in a segment, a power of two.
    const SEGMENT: usize;

    /// Digests in a ring, a power of two.
    fn ring_records() -> u32;

    /// The first place of the segment with this index in the map.
    fn segment(index: u32) -> Option<*mut Self>;

    /// Writes it to its place, word by word, where field by field would take three times as many stores.
    ///
    /// # Safety
    /// The place is the producer's.
    unsafe fn put(self, place: *mut Self);
}

impl Digest for Ipv4Digest {
    const FAMILY: Family = Family::Ipv4;
    const SEGMENT: usize = IPV4_SEGMENT;

    #[inline(always)]
    fn ring_records() -> u32 {
        configured(&RING_RECORDS)
    }

    #[inline(always)]
    fn segment(index: u32) -> Option<*mut Self> {
        IPV4_DIGESTS.get_ptr_mut(index).map(|segment| segment.cast())
    }

    #[inline(always)]
    unsafe fn put(self, place: *mut Self) {
        // SAFETY: the caller's promise, and a digest is 4 words long.
        unsafe { put_words(place.cast(), self.words()) }
    }
}

impl Digest for Ipv6Digest {
    const FAMILY: Family = Family::Ipv6;
    const SEGMENT: usize = IPV6_SEGMENT;

    #[inline(always)]
    fn ring_records() -> u32 {
        configured(&RING_RECORDS_IPV6)
    }

    #[inline(always)]
    fn segment(index: u32) -> Option<*mut Self> {
        IPV6_DIGESTS.get_ptr_mut(index).map(|segment| segment.cast())
    }

    #[inline(always)]
    unsafe fn put(self, place: *mut Self) {
        // SAFETY: the caller's promise, and a digest is 8 words long.
        unsafe { put_words(place.cast(), self.words()) }
    }
}

/// # Safety
/// There is room for the words.
#[inline(always)]
unsafe fn put_words<const N: usize>(place: *mut u64, words: [u64; N]) {
    let mut index = 0;
    while index < N {
        // Volatile, because LLVM would put a call of `memset`, which goes byte by byte, in place of two zeros.
        // SAFETY: the caller's promise.
        unsafe { place.add(index).write_volatile(words[index]) };
        index += 1;
    }
}

#[inline(always)]
fn write<D: Digest>(slot: u32, digest: impl Make<D>) -> bool {
    let Some(positions) = RINGS.get_ptr_mut(slot) else {
        return false;
    };
    let mut ring = CpuRing::<D> { slot, positions, record: PhantomData };
    append(&mut ring, u64::from(D::ring_records()), digest)
}

/// The ring of one CPU and family, as its producer sees it.
struct CpuRing<D> {
    slot: u32,
    positions: *mut RingPositions,
    record: PhantomData<D>,
}

impl<D: Digest> Producer for CpuRing<D> {
    type Record = D;

    #[inline(always)]
    fn head(&self) -> u64 {
        // SAFETY: a look-up that succeeded; this CPU alone writes it.
        unsafe { (&raw const (*self.positions).heads).cast::<u64>().add(D::FAMILY as usize).read() }
    }

    #[inline(always)]
    fn tail(&self) -> u64 {
        // SAFETY: a look-up that succeeded. Volatile: user space writes it.
        unsafe { (&raw const (*self.positions).tails).cast::<u64>().add(D::FAMILY as usize).read_volatile() }
    }

    #[inline(always)]
    fn write(&mut self, position: u64, digest: impl Make<D>) -> bool {
        let records = D::ring_records();
        // A ring smaller than a segment has a segment to itself.
        let segments = if records as usize > D::SEGMENT { records / D::SEGMENT as u32 } else { 1 };
        let place = position as u32 & (records - 1);
        let segment = self.slot * segments + place / D::SEGMENT as u32;
        let Some(first) = D::segment(segment) else {
            return false;
        };
        let mut place = place as usize;
        // In assembly, because LLVM might find the mask needless, and the verifier wants to see it.
        // SAFETY: one arithmetic instruction on a register.
        unsafe {
            asm!("{0} &= {1}", inout(reg) place, const { D::SEGMENT - 1 }, options(pure, nomem, nostack))
        };
        // SAFETY: `place` is below the segment's length, and by the protocol this place is the producer's.
        unsafe { digest.make().put(first.add(place)) };
        true
    }

    #[inline(always)]
    fn publish(&mut self, head: u64) {
        // SAFETY: a look-up that succeeded; this CPU alone writes it.
        let place = unsafe { (&raw mut (*self.positions).heads).cast::<u64>().add(D::FAMILY as usize) };
        // SAFETY: a live word of the map.
        unsafe { store_release(place, head) };
    }
}

/// Stores a word after every store before it. This machine keeps stores in order, so it is enough that
/// the compiler does; and no instruction set before the fourth has a store with release.
///
/// # Safety
/// `place` must point to a live, aligned word.
#[cfg(bpf_target_arch = "x86_64")]
#[inline(always)]
unsafe fn store_release(place: *mut u64, value: u64) {
    compiler_fence(Ordering::Release);
    // SAFETY: the caller's promise.
    unsafe { place.write_volatile(value) };
}

/// Stores a word after every store before it. An exchange is fully ordered on every machine
/// (Documentation/bpf/standardization/instruction-set.rst, tools/memory-model); a plain store is not.
///
/// # Safety
/// `place` must point to a live, aligned word.
#[cfg(not(bpf_target_arch = "x86_64"))]
#[inline(always)]
unsafe fn store_release(place: *mut u64, value: u64) {
    // SAFETY: the caller's promise.
    unsafe { asm!("{1} = xchg_64({0} + 0, {1})", in(reg) place, inout(reg) value => _) };
}
