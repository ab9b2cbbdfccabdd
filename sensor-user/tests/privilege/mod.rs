//! The privilege contract: a test that may not touch the kernel says so and skips, and fails where
//! `APUS_PRIVILEGED=required` declares that it may.

use std::io::Write as _;

use sensor_user::features::Features;

/// Whether the test that asks may go on.
pub fn privileged() -> bool {
    let missing = match (
        caps::has_cap(None, caps::CapSet::Effective, caps::Capability::CAP_SYS_ADMIN),
        Features::probe(),
    ) {
        (Ok(true), Ok(_)) => return true,
        (Ok(true), Err(error)) => error.to_string(),
        (Ok(false), _) => "this process has no CAP_SYS_ADMIN".into(),
        (Err(error), _) => error.to_string(),
    };
    let required = std::env::var_os("APUS_PRIVILEGED").is_some_and(|value| value == "required");
    assert!(!required, "cannot run, though APUS_PRIVILEGED says that it must: {missing}");
    // Not `eprintln`, which the test harness keeps to itself where a test passes.
    let _told_as_well_as_can_be = writeln!(std::io::stderr(), "skipped: {missing}");
    false
}
