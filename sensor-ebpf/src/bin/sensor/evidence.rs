//! Evidence: packets that the filter matches, whole or their beginning, into a ring buffer.

use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::map;
use aya_ebpf::maps::RingBuf;
use aya_ebpf::programs::XdpContext;
use core::arch::asm;
use core::ptr;
use sensor_ebpf::abi::{CpuCounters, EVIDENCE_SMALLEST_RING, EVIDENCE_SNAP, EvidenceSkip};
use sensor_ebpf::count::{Exclusive, Shared, count_evidence};
use sensor_ebpf::evidence::{EvidenceFilter, EvidenceRecord, Traits};
use sensor_ebpf::headers::Frame;
use sensor_ebpf::packet::Packet;

use crate::configured::{EVIDENCE_FILTER, as_set};
use crate::observe::{CONTROL, Evidence, frame_bytes};

/// The agent looks for records by itself: no packet has to wake it.
const BPF_RB_NO_WAKEUP: u64 = 1;

/// The agent resizes it, where evidence is kept.
#[map]
static EVIDENCE_RECORDS: RingBuf = RingBuf::with_byte_size(EVIDENCE_SMALLEST_RING, 0);

/// Evidence is kept of packets that the filter matches.
pub struct Kept;

/// What a packet's way has come to, in one register: the verdict, and above it the traits that evidence is chosen
/// by.
#[derive(Clone, Copy)]
pub struct End(u64);

impl End {
    const VERDICT_BITS: u32 = 8;

    #[inline(always)]
    fn new(verdict: u32, traits: Traits) -> Self {
        Self(u64::from(verdict) | traits.0 << Self::VERDICT_BITS)
    }
}

impl Evidence for Kept {
    type End = End;

    #[inline(always)]
    fn unobserved(verdict: u32) -> End {
        End::new(verdict, Traits::UNOBSERVED)
    }

    #[inline(always)]
    fn observed(verdict: u32, packet: &Packet<'_>, frame: Frame<'_>, signatures: u8) -> End {
        End::new(verdict, Traits::new(packet, frame, signatures))
    }

    #[inline(always)]
    fn keep(context: &XdpContext, counters: *mut CpuCounters, shared: bool, End(end): End) -> u32 {
        let traits = Traits(end >> End::VERDICT_BITS);
        if traits.is_observed() {
            keep(context.ctx, counters, traits, shared.into());
        }
        (end & ((1 << End::VERDICT_BITS) - 1)) as u32
    }
}

/// Hands a packet over where the filter matches, and counts what became of it.
///
/// A function of its own in the kernel too, so that it has its own registers: what it needs costs the counting
/// nothing.
#[inline(never)]
fn keep(context: *mut xdp_md, counters: *mut CpuCounters, traits: Traits, shared: u64) {
    let filter = as_set(&EVIDENCE_FILTER);
    let packet = Bytes::of(context);
    if !filter.matches(traits) || !matches_source(filter, packet, traits) {
        return;
    }
    let skipped = hand_over(context, packet, filter.snap_length as usize, traits);
    // SAFETY: a whole value of the map; in this manner its other counters are raised as well.
    unsafe {
        if shared != 0 {
            count_evidence::<Shared>(counters, skipped);
        } else {
            count_evidence::<Exclusive>(counters, skipped);
        }
    }
}

#[inline(always)]
fn hand_over(context: *mut xdp_md, packet: Bytes, snap: usize, traits: Traits) -> Option<EvidenceSkip> {
    let Some(control) = CONTROL.get_ptr(0) else {
        return Some(EvidenceSkip::Gate);
    };
    // SAFETY: a look-up that succeeded points to a whole value. Volatile: user space writes it.
    if unsafe { ptr::read_volatile(&raw const (*control).evidence_gate) } != 0 {
        return Some(EvidenceSkip::Gate);
    }
    let Some(mut entry) = EVIDENCE_RECORDS.reserve::<EvidenceRecord>(0) else {
        return Some(EvidenceSkip::Ring);
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the record is reserved and this program's alone; the context is the kernel's.
    unsafe {
        (*record).nanoseconds = bpf_ktime_get_ns();
        (*record).interface = (*context).ingress_ifindex;
        (*record).original_length = frame_bytes(context, packet.frame()) as u32;
        (*record).class = traits.class();
        (*record).signatures = traits.signatures();
        (*record).spare = [0; 2];
        let snap = if snap > EVIDENCE_SNAP { EVIDENCE_SNAP } else { snap };
        (*record).captured_length = packet.copy((&raw mut (*record).bytes).cast(), snap) as u32;
    }
    entry.submit(BPF_RB_NO_WAKEUP);
    None
}

#[inline(always)]
fn matches_source(filter: &EvidenceFilter, packet: Bytes, traits: Traits) -> bool {
    if filter.sources_restricted == 0 {
        return true;
    }
    let mut offset = traits.source_offset();
    // In assembly, because LLVM knows the mask to be needless, and the verifier does not.
    // SAFETY: one arithmetic instruction on a register.
    unsafe { asm!("{0} &= 63", inout(reg) offset, options(pure, nomem, nostack)) };
    if traits.is_ipv6() {
        packet.at::<[u8; 16]>(offset).is_some_and(|source| filter.matches_ipv6(&source))
    } else {
        packet.at::<[u8; 4]>(offset).is_some_and(|source| filter.matches_ipv4(source))
    }
}

/// The packet's first buffer.
#[derive(Clone, Copy)]
struct Bytes {
    start: usize,
    end: usize,
}

impl Bytes {
    #[inline(always)]
    fn of(context: *mut xdp_md) -> Self {
        // SAFETY: the context is the one that the kernel passed.
        unsafe { Self { start: (*context).data as usize, end: (*context).data_end as usize } }
    }

    #[inline(always)]
    fn frame(&self) -> Frame<'_> {
        // SAFETY: the kernel gives a program pointers to a readable packet.
        unsafe {
            Frame::from_pointers(
                ptr::with_exposed_provenance(self.start),
                ptr::with_exposed_provenance(self.end),
            )
        }
    }

    /// What lies at the offset, at any alignment.
    #[inline(always)]
    fn at<T: Copy>(&self, offset: usize) -> Option<T> {
        let mut place = self.start + offset;
        // Without it the compiler would add the offset anew for the read, which to the verifier is another
        // pointer, and not a checked one.
        // SAFETY: the pointer comes out as it went in.
        unsafe { asm!("{0} = {0}", inout(reg) place, options(pure, nomem, nostack)) };
        if place + size_of::<T>() > self.end {
            return None;
        }
        // SAFETY: the whole of it lies inside the packet, and all that is read here is plain bytes.
        Some(unsafe { ptr::with_exposed_provenance::<T>(place).read_unaligned() })
    }

    /// Copies as much of the packet as there is, but not more than `snap` bytes, and says how many.
    ///
    /// # Safety
    /// There is room for [`EVIDENCE_SNAP`] bytes, and `snap` is not more.
    #[inline(always)]
    unsafe fn copy(&self, target: *mut u8, snap: usize) -> usize {
        let mut offset = 0;
        while offset + 8 <= snap {
            let Some(eight) = self.at::<u64>(offset) else {
                break;
            };
            // SAFETY: by the caller's promise.
            unsafe { target.add(offset).cast::<u64>().write_unaligned(eight) };
            offset += 8;
        }
        // Fewer than eight bytes are left, of the packet or of what is asked for.
        let end = if offset + 7 < snap { offset + 7 } else { snap };
        while offset < end {
            let Some(byte) = self.at::<u8>(offset) else {
                break;
            };
            // SAFETY: by the caller's promise.
            unsafe { target.add(offset).write(byte) };
            offset += 1;
        }
        offset
    }
}
