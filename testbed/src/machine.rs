//! How much may be asked of this machine: an emulated one is some fifty times as slow.

use std::num::NonZeroU32;
use std::time::Duration;

/// Set where the machine is emulated.
pub const VARIABLE: &str = "APUS_EMULATED";

const FEWER: u32 = 10;
const LONGER: u32 = 6;

fn is_emulated() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// So many packets, or what an emulated machine sends in about the time.
#[must_use]
pub fn packets(packets: u64) -> u64 {
    if is_emulated() { packets / u64::from(FEWER) } else { packets }
}

/// The same of packets per second.
#[must_use]
pub fn rate(per_second: NonZeroU32) -> NonZeroU32 {
    let fewer = if is_emulated() { per_second.get() / FEWER } else { per_second.get() };
    NonZeroU32::new(fewer).unwrap_or(NonZeroU32::MIN)
}

/// How long something that should come soon may take.
#[must_use]
pub fn patience(usual: Duration) -> Duration {
    if is_emulated() { usual * LONGER } else { usual }
}
