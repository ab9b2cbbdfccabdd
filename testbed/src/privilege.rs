//! The privilege contract: a test that may not touch the kernel says so and skips, and fails where the
//! environment declares that it may.

use std::thread;

use caps::{CapSet, Capability};
use sensor_user::features::Features;

use crate::aside::skips;

/// Set to `required` wherever a skipped test must not pass for a test.
pub const VARIABLE: &str = "APUS_PRIVILEGED";

/// Loading and attaching XDP programs, mapping their maps, making network namespaces. The second comprises CAP_BPF and
/// CAP_PERFMON, which kernels have that are new enough for the sensor.
const NEEDED: [Capability; 2] = [Capability::CAP_NET_ADMIN, Capability::CAP_SYS_ADMIN];

/// Whether the test that asks may go on. Where not, it has been said on standard error.
///
/// # Panics
/// Where the privilege is absent, and declared as required.
#[must_use]
pub fn privileged() -> bool {
    let Some(missing) = missing() else {
        return true;
    };
    let test = thread::current();
    let test = test.name().unwrap_or("a test");
    assert!(
        std::env::var_os(VARIABLE).is_none_or(|value| value != "required"),
        "{test} cannot run, though {VARIABLE} says that it must: {missing}"
    );
    skips(missing);
    false
}

/// What stands against privileged tests here, if anything does.
fn missing() -> Option<String> {
    for capability in NEEDED {
        match caps::has_cap(None, CapSet::Effective, capability) {
            Ok(true) => {}
            Ok(false) => return Some(format!("this process has no {capability}")),
            Err(error) => return Some(format!("cannot read this process's capabilities: {error}")),
        }
    }
    // In a container one may have every capability, and the kernel refuses all the same.
    Features::probe().err().map(|error| error.to_string())
}
