//! The way of one packet: decode, classify, count, log, verdict, evidence.

use core::marker::PhantomData;
use core::ptr;

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::helpers::generated::bpf_xdp_get_buff_len;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use aya_ebpf::programs::XdpContext;
use sensor_ebpf::abi::{BANKS, Control, CpuCounters, Outcome};
use sensor_ebpf::count::{Exclusive, Raise, Shared, count};
use sensor_ebpf::headers::Frame;
use sensor_ebpf::packet::{Packet, Then, decode_then};

use crate::configured::{Configured, DROP_OBSERVED, LAST_SLOT, LAST_SLOT_SHARED, MULTI_BUFFER, configured};

pub const BPF_F_MMAPABLE: u32 = 1 << 10;

/// The agent resizes it: slots times banks.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(BANKS, BPF_F_MMAPABLE);
#[map]
pub static CONTROL: Array<Control> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// For user space alone: it lives here so that it is pinned and found with the others.
#[map]
static REPORTED: Array<CpuCounters> = Array::with_max_entries(2, BPF_F_MMAPABLE);

#[inline(always)]
pub fn observe<L: Log, E: Evidence>(context: &XdpContext) -> u32 {
    // SAFETY: the kernel gives a program pointers to a readable packet, and the verifier holds it to them.
    let frame = unsafe {
        Frame::from_pointers(
            ptr::with_exposed_provenance(context.data()),
            ptr::with_exposed_provenance(context.data_end()),
        )
    };
    // Neither look-up can fail: the index of one is constant, and that of the other bounded by the
    // agent's own size of the map. The verifier wants to see the branch all the same.
    let Some(control) = CONTROL.get_ptr(0) else {
        return XDP_PASS;
    };
    // SAFETY: a look-up that succeeded points to a whole value. Volatile: user space writes it.
    let bank = unsafe { ptr::read_volatile(&raw const (*control).active_bank) };
    // SAFETY: no arguments, no side effects.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let last_slot = configured(&LAST_SLOT);
    let slot = if cpu < last_slot { cpu } else { last_slot };
    let bank = bank & 1;
    let Some(counters) = COUNTERS.get_ptr_mut(slot * BANKS + bank) else {
        return XDP_PASS;
    };
    let place = Place { slot, bank, counters };
    let shared = configured(&LAST_SLOT_SHARED) != 0 && cpu >= last_slot;
    let end = if shared {
        observe_as::<Shared, L, E>(context, frame, place)
    } else {
        observe_as::<Exclusive, L, E>(context, frame, place)
    };
    E::keep(context, counters, shared, end)
}

/// What is done with packets besides, behind them all: decoding ends in many places, and this in one.
pub trait Evidence {
    /// What is known at the end of decoding.
    type End: Copy;

    /// The end of a packet that is not observed.
    fn unobserved(verdict: u32) -> Self::End;
    /// The end of an observed packet.
    fn observed(verdict: u32, packet: &Packet<'_>, frame: Frame<'_>, signatures: u8) -> Self::End;
    /// Keeps the packet, where it should be kept, and gives the verdict.
    fn keep(context: &XdpContext, counters: *mut CpuCounters, shared: bool, end: Self::End) -> u32;
}

/// No evidence: the end is the verdict.
pub struct NotKept;

impl Evidence for NotKept {
    type End = u32;

    #[inline(always)]
    fn unobserved(verdict: u32) -> u32 {
        verdict
    }
    #[inline(always)]
    fn observed(verdict: u32, _packet: &Packet<'_>, _frame: Frame<'_>, _signatures: u8) -> u32 {
        verdict
    }
    #[inline(always)]
    fn keep(_context: &XdpContext, _counters: *mut CpuCounters, _shared: bool, verdict: u32) -> u32 {
        verdict
    }
}

#[inline(always)]
fn observe_as<R: Raise, L: Log, E: Evidence>(context: &XdpContext, frame: Frame<'_>, place: Place) -> E::End {
    let bytes = frame_bytes(context.ctx, frame);
    decode_then(frame, &Configured, Counting::<R, L, E> { context, frame, bytes, place, manner: PhantomData })
}

/// Bytes of the frame. Only its first buffer lies between the two pointers, so the kernel is asked, where
/// it knows of more than one.
#[inline(always)]
pub fn frame_bytes(context: *mut xdp_md, frame: Frame<'_>) -> u64 {
    if configured(&MULTI_BUFFER) != 0 {
        // SAFETY: the context is the one that the kernel passed to this program.
        unsafe { bpf_xdp_get_buff_len(context) }
    } else {
        frame.length() as u64
    }
}

/// Where a packet is counted.
#[derive(Clone, Copy)]
pub struct Place {
    pub slot: u32,
    pub bank: u32,
    pub counters: *mut CpuCounters,
}

/// What is kept of an observed packet besides its counts.
pub trait Log {
    /// Logs one packet, with its signatures.
    fn log<R: Raise>(place: Place, packet: &Packet<'_>, signatures: u8);
}

/// Counting a decoded packet in one slot, logging it, and its verdict.
struct Counting<'a, R, L, E> {
    #[cfg_attr(not(feature = "log"), expect(dead_code, reason = "for debug lines alone"))]
    context: &'a XdpContext,
    frame: Frame<'a>,
    /// Bytes of the frame, in all its buffers.
    bytes: u64,
    place: Place,
    manner: PhantomData<(R, L, E)>,
}

impl<'a, R: Raise, L: Log, E: Evidence> Then<'a> for Counting<'a, R, L, E> {
    type Result = E::End;

    #[inline(always)]
    fn then(self, packet: Packet<'a>) -> E::End {
        let Self { frame, bytes, place, .. } = self;
        // In a debug build of the agent alone: a line for what should be rare.
        #[cfg(feature = "log")]
        if matches!(packet.outcome, Outcome::Malformed) {
            aya_log_ebpf::debug!(self.context, "malformed: {} bytes, IP protocol {}", bytes, packet.protocol);
        }
        // SAFETY: a whole value of the map, with no writer that `R` does not allow for.
        let signatures = unsafe { count::<R>(place.counters, &packet, bytes, &Configured) };
        let verdict = if packet.observed && configured(&DROP_OBSERVED) != 0 { XDP_DROP } else { XDP_PASS };
        match packet.outcome {
            Outcome::Malformed | Outcome::NonIp | Outcome::Unobserved => E::unobserved(verdict),
            _ => {
                L::log::<R>(place, &packet, signatures);
                E::observed(verdict, &packet, frame, signatures)
            }
        }
    }
}
