//! Giving up every privilege once the sensor is attached.
//!
//! What the agent does from then on needs none: it reads and writes maps that are mapped already, waits
//! with membarrier, and makes, writes and removes files that its own user may.

use std::io;

use caps::errors::CapsError;
use caps::{CapSet, Capability};
use nix::errno::Errno;

/// Why privileges are still there.
#[derive(Debug, thiserror::Error)]
pub enum CapabilityError {
    #[error("{0} threads run already, and each has privileges of its own to drop; please report this")]
    Threads(usize),
    #[error("cannot count this process's threads in /proc/self/task: {0}; mount /proc")]
    Uncounted(io::Error),
    #[error("cannot forbid this process new privileges: {0}")]
    NewPrivileges(Errno),
    #[error("cannot drop the {which} capabilities: {source}")]
    Kept { which: &'static str, source: CapsError },
}

/// Drops every capability of this process, for good, and forbids it to gain any by running a program.
///
/// After it the kernel refuses `bpf(2)` most of what it can be asked, so that everything has to be
/// attached, pinned and mapped before.
///
/// # Errors
/// Where the kernel refuses, or other threads run: capabilities belong to a thread, and a thread only
/// inherits those that its maker has when it starts.
pub fn drop_all() -> Result<(), CapabilityError> {
    let threads = std::fs::read_dir("/proc/self/task").map_err(CapabilityError::Uncounted)?.count();
    if threads != 1 {
        return Err(CapabilityError::Threads(threads));
    }
    nix::sys::prctl::set_no_new_privs().map_err(CapabilityError::NewPrivileges)?;
    // The bounding set can be dropped only by those who may set capabilities. For all others it means
    // nothing: it limits what running a program can gain, which is now nothing anyway.
    let may_set_capabilities = caps::has_cap(None, CapSet::Permitted, Capability::CAP_SETPCAP)
        .map_err(|source| CapabilityError::Kept { which: "bounding", source })?;
    if may_set_capabilities {
        caps::raise(None, CapSet::Effective, Capability::CAP_SETPCAP)
            .map_err(|source| CapabilityError::Kept { which: "bounding", source })?;
        clear("bounding", CapSet::Bounding)?;
    }
    clear("ambient", CapSet::Ambient)?;
    clear("inheritable", CapSet::Inheritable)?;
    // And with them the effective ones.
    clear("permitted", CapSet::Permitted)
}

fn clear(which: &'static str, set: CapSet) -> Result<(), CapabilityError> {
    caps::clear(None, set).map_err(|source| CapabilityError::Kept { which, source })
}
