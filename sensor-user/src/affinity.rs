//! On which CPUs a thread may run, and does.

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Whether this thread may run on the CPU.
///
/// # Errors
/// Where the kernel does not say.
pub fn is_allowed(cpu: u32) -> Result<bool, Errno> {
    Ok(sched_getaffinity(Pid::from_raw(0))?.is_set(cpu as usize).unwrap_or(false))
}

/// Binds this thread to the CPU.
///
/// # Errors
/// Where the kernel refuses.
pub fn stay_on(cpu: u32) -> Result<(), Errno> {
    let mut only = CpuSet::new();
    only.set(cpu as usize)?;
    sched_setaffinity(Pid::from_raw(0), &only)
}
