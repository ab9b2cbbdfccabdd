//! Tests that need root.

/// Whether a test that needs root can run. Where it cannot it says so; and where the environment says
/// that it must, as `cargo xtask test` does by `APUS_PRIVILEGED=required`, it fails.
///
/// # Panics
/// In that last case.
#[must_use]
pub fn is_privileged() -> bool {
    if nix::unistd::geteuid().is_root() {
        return true;
    }
    let is_required = std::env::var_os("APUS_PRIVILEGED").is_some_and(|value| value == "required");
    assert!(!is_required, "this test needs root, and APUS_PRIVILEGED=required forbids to skip it");
    eprintln!("skipped: needs root");
    false
}
