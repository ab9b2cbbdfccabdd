//! The XDP sensor: decode, classify, count, verdict; nothing else.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::marker::PhantomData;
use core::ptr;

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::helpers::generated::bpf_xdp_get_buff_len;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::XdpContext;
use sensor_ebpf::abi::{
    BANKS, Control, CpuCounters, Ipv4Range, Ipv6Range, OBSERVED_RANGES, WATCHED_WINDOWS as WINDOWS,
};
use sensor_ebpf::count::{Exclusive, Raise, Shared, WatchedWindows, count};
use sensor_ebpf::headers::Frame;
use sensor_ebpf::observed::{Observe, Ranges};
use sensor_ebpf::packet::{Packet, Then, decode_then};

const BPF_F_MMAPABLE: u32 = 1 << 10;

/// The agent resizes it: slots times banks.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(BANKS, BPF_F_MMAPABLE);
#[map]
static CONTROL: Array<Control> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// For user space alone: it lives here so that it is pinned and found with the others.
#[map]
static REPORTED: Array<CpuCounters> = Array::with_max_entries(2, BPF_F_MMAPABLE);

#[unsafe(no_mangle)]
static LAST_SLOT: u32 = 0;
#[unsafe(no_mangle)]
static LAST_SLOT_SHARED: u32 = 0;
#[unsafe(no_mangle)]
static MULTI_BUFFER: u32 = 0;
#[unsafe(no_mangle)]
static DROP_OBSERVED: u32 = 0;
#[unsafe(no_mangle)]
static OBSERVED_RESTRICTED: u32 = 0;
#[unsafe(no_mangle)]
static OBSERVED_IPV4_COUNT: u32 = 0;
#[unsafe(no_mangle)]
static OBSERVED_IPV6_COUNT: u32 = 0;
#[unsafe(no_mangle)]
static OBSERVED_IPV4: [Ipv4Range; OBSERVED_RANGES] =
    [Ipv4Range { first: u32::MAX, last: 0 }; OBSERVED_RANGES];
#[unsafe(no_mangle)]
static OBSERVED_IPV6: [Ipv6Range; OBSERVED_RANGES] =
    [Ipv6Range { first: [u64::MAX; 2], last: [0; 2] }; OBSERVED_RANGES];
#[unsafe(no_mangle)]
static WATCHED_WINDOW_COUNT: u32 = 0;
#[unsafe(no_mangle)]
static WATCHED_WINDOWS: [u32; WINDOWS] = [0; WINDOWS];

#[xdp(frags)]
pub fn sensor(context: XdpContext) -> u32 {
    observe(&context)
}

#[xdp]
pub fn sensor_single_buffer(context: XdpContext) -> u32 {
    observe(&context)
}

#[inline(always)]
fn observe(context: &XdpContext) -> u32 {
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
    let Some(counters) = COUNTERS.get_ptr_mut(slot * BANKS + (bank & 1)) else {
        return XDP_PASS;
    };
    if configured(&LAST_SLOT_SHARED) != 0 && cpu >= last_slot {
        observe_as::<Shared>(context, frame, counters)
    } else {
        observe_as::<Exclusive>(context, frame, counters)
    }
}

#[inline(always)]
fn observe_as<R: Raise>(context: &XdpContext, frame: Frame<'_>, counters: *mut CpuCounters) -> u32 {
    let bytes = frame_bytes(context, frame);
    decode_then(frame, &Configured, Counting::<R> { context, bytes, counters, manner: PhantomData })
}

/// Bytes of the frame. Only its first buffer lies between the two pointers, so the kernel is asked, where
/// it knows of more than one.
#[inline(always)]
fn frame_bytes(context: &XdpContext, frame: Frame<'_>) -> u64 {
    if configured(&MULTI_BUFFER) != 0 {
        // SAFETY: the context is the one that the kernel passed to this program.
        unsafe { bpf_xdp_get_buff_len(context.ctx) }
    } else {
        frame.length() as u64
    }
}

/// Counting a decoded packet in one slot, and its verdict.
struct Counting<'a, R> {
    #[cfg_attr(not(feature = "log"), expect(dead_code, reason = "for debug lines alone"))]
    context: &'a XdpContext,
    /// Bytes of the frame, in all its buffers.
    bytes: u64,
    counters: *mut CpuCounters,
    manner: PhantomData<R>,
}

impl<R: Raise> Then<'_> for Counting<'_, R> {
    type Result = u32;

    #[inline(always)]
    fn then(self, packet: Packet<'_>) -> u32 {
        let Self { bytes, counters, .. } = self;
        // In a debug build of the agent alone: a line for what should be rare.
        #[cfg(feature = "log")]
        if matches!(packet.outcome, sensor_ebpf::abi::Outcome::Malformed) {
            aya_log_ebpf::debug!(self.context, "malformed: {} bytes, IP protocol {}", bytes, packet.protocol);
        }
        // SAFETY: a whole value of the map, with no writer that `R` does not allow for.
        unsafe { count::<R>(counters, &packet, bytes, &Configured) };
        if packet.observed && configured(&DROP_OBSERVED) != 0 { XDP_DROP } else { XDP_PASS }
    }
}

/// What the agent put into `.rodata`: constants to the verifier, which removes what they switch off.
struct Configured;

impl Observe for Configured {
    #[inline(always)]
    fn ipv4(&self, destination: [u8; 4]) -> bool {
        configured(&OBSERVED_RESTRICTED) == 0 || ranges().ipv4(destination)
    }
    #[inline(always)]
    fn ipv6(&self, destination: &[u8; 16]) -> bool {
        configured(&OBSERVED_RESTRICTED) == 0 || ranges().ipv6(destination)
    }
}

#[inline(always)]
fn ranges() -> Ranges<'static> {
    Ranges {
        ipv4: as_set(&OBSERVED_IPV4),
        ipv4_count: configured(&OBSERVED_IPV4_COUNT),
        ipv6: as_set(&OBSERVED_IPV6),
        ipv6_count: configured(&OBSERVED_IPV6_COUNT),
    }
}

impl WatchedWindows for Configured {
    #[inline(always)]
    fn position(&self, window: u16) -> Option<usize> {
        let count = configured(&WATCHED_WINDOW_COUNT) as usize;
        let mut position = 0;
        while position < WINDOWS && position < count {
            // SAFETY: `position` is below the array's length. Volatile, as in `configured`.
            let watched =
                unsafe { ptr::read_volatile((&raw const WATCHED_WINDOWS).cast::<u32>().add(position)) };
            if watched == u32::from(window) {
                return Some(position);
            }
            position += 1;
        }
        None
    }
}

/// Reads a global as the agent set it, which the compiler must not take for its initial value.
#[inline(always)]
fn configured(global: &'static u32) -> u32 {
    // SAFETY: a reference to a static.
    unsafe { ptr::read_volatile(global) }
}

/// The same for a global that is read in place: hides its initial value from the compiler.
#[inline(always)]
fn as_set<T>(global: &'static T) -> &'static T {
    let mut pointer = ptr::from_ref(global);
    // SAFETY: one move; the pointer comes out as it went in.
    unsafe {
        core::arch::asm!("{0} = {0}", inout(reg) pointer, options(pure, nomem, nostack));
        &*pointer
    }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
