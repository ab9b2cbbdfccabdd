//! What the agent put into `.rodata`: constants to the verifier, which removes what they switch off.

use core::ptr;

use sensor_ebpf::abi::{Ipv4Range, Ipv6Range, OBSERVED_RANGES, WATCHED_WINDOWS as WINDOWS};
use sensor_ebpf::count::WatchedWindows;
use sensor_ebpf::evidence::EvidenceFilter;
use sensor_ebpf::observed::{Observe, Ranges};

#[unsafe(no_mangle)]
pub static LAST_SLOT: u32 = 0;
#[unsafe(no_mangle)]
pub static LAST_SLOT_SHARED: u32 = 0;
#[unsafe(no_mangle)]
pub static RING_RECORDS: u32 = 0;
#[unsafe(no_mangle)]
pub static RING_RECORDS_IPV6: u32 = 0;
#[unsafe(no_mangle)]
pub static MULTI_BUFFER: u32 = 0;
#[unsafe(no_mangle)]
pub static DROP_OBSERVED: u32 = 0;
#[unsafe(no_mangle)]
pub static OBSERVED_RESTRICTED: u32 = 0;
#[unsafe(no_mangle)]
pub static OBSERVED_IPV4_COUNT: u32 = 0;
#[unsafe(no_mangle)]
pub static OBSERVED_IPV6_COUNT: u32 = 0;
#[unsafe(no_mangle)]
pub static OBSERVED_IPV4: [Ipv4Range; OBSERVED_RANGES] =
    [Ipv4Range { first: u32::MAX, last: 0 }; OBSERVED_RANGES];
#[unsafe(no_mangle)]
pub static OBSERVED_IPV6: [Ipv6Range; OBSERVED_RANGES] =
    [Ipv6Range { first: [u64::MAX; 2], last: [0; 2] }; OBSERVED_RANGES];
#[unsafe(no_mangle)]
pub static WATCHED_WINDOW_COUNT: u32 = 0;
#[unsafe(no_mangle)]
pub static WATCHED_WINDOWS: [u32; WINDOWS] = [0; WINDOWS];

#[unsafe(no_mangle)]
pub static EVIDENCE_FILTER: EvidenceFilter = EvidenceFilter::EVERYTHING;

/// The rules of `sensor_ebpf`, as configured.
pub struct Configured;

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
pub fn configured(global: &'static u32) -> u32 {
    // SAFETY: a reference to a static.
    unsafe { ptr::read_volatile(global) }
}

/// The same for a global that is read in place: hides its initial value from the compiler.
#[inline(always)]
pub fn as_set<T>(global: &'static T) -> &'static T {
    let mut pointer = ptr::from_ref(global);
    // SAFETY: one move; the pointer comes out as it went in.
    unsafe {
        core::arch::asm!("{0} = {0}", inout(reg) pointer, options(pure, nomem, nostack));
        &*pointer
    }
}
