//! What this kernel can do, found out by asking it: never by its version.

pub mod locked_memory;
pub mod requirement;

use std::io;
use std::path::Path;

use aya::programs::{ProgramError, ProgramType};
use aya::sys::{BpfHelper, is_helper_supported};
use serde::Serialize;

use crate::privileges::Privileges;
use crate::system::knows_multi_buffer;
pub use requirement::Missing;

/// What differs between kernels that the agent supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// XDP programs may see packets of several buffers (Linux 5.18).
    pub multi_buffer: bool,
    /// Maps and programs count as memory of the control group (Linux 5.11), and no more as memory that this user has
    /// locked, of which a process may have little.
    pub group_memory: bool,
}

impl Features {
    /// Asks the kernel. Where maps count as locked memory, this process may have as much as it wants from here on.
    ///
    /// # Errors
    /// Where the kernel does not let this process load programs at all. Too little memory that may be locked is no error
    /// here: what there is may yet do, and where it does not, loading says so.
    pub fn probe() -> Result<Self, ProgramError> {
        let helper = |helper| is_helper_supported(ProgramType::Xdp, helper);
        let group_memory = match locked_memory::is_counted() {
            Ok(is_counted) => !is_counted,
            // Where no other process can be asked: this helper came in the same release.
            Err(_) => helper(BpfHelper::BPF_FUNC_ktime_get_coarse_ns).unwrap_or(false),
        };
        if !group_memory {
            // Before anything is loaded: all of a user's maps and programs count, and others may have used the limit up.
            locked_memory::lift_limit();
        }
        // The helper and the program flag came in one release.
        let multi_buffer = match helper(BpfHelper::BPF_FUNC_xdp_get_buff_len) {
            Err(error) if !group_memory && is_for_locked_memory(&error) => knows_multi_buffer(),
            answer => answer?,
        };
        Ok(Self { multi_buffer, group_memory })
    }
}

/// Whether a kernel that counts programs as locked memory refused one for that alone.
fn is_for_locked_memory(error: &ProgramError) -> bool {
    matches!(error, ProgramError::SyscallError(error) if lacks_locked_memory(&error.io_error))
}

/// The same of any refusal: a process that has every privilege it takes, but may lock only so much.
#[must_use]
pub fn lacks_locked_memory(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EPERM)
        && locked_memory::limit().is_some()
        && Privileges::read().is_ok_and(Privileges::are_enough)
}

/// What the agent does without, or in another way, because this kernel wants it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// The program sees packets of one buffer; interfaces with jumbo frames are attached in the network stack.
    SingleBuffer,
    /// Maps are locked memory, and the limit of this process was raised for them.
    LockedMemory,
    /// The program is interpreted.
    Interpreter,
    /// No types of the kernel's own; nothing asks for them.
    NoBtf,
}

impl Fallback {
    /// Those in force; `compiled` is whether the program became machine code, where that is known.
    #[must_use]
    pub fn in_force(features: Features, compiled: Option<bool>, btf: bool) -> Vec<Self> {
        let Features { multi_buffer, group_memory } = features;
        let all = [
            (!multi_buffer, Self::SingleBuffer),
            (!group_memory, Self::LockedMemory),
            (compiled == Some(false), Self::Interpreter),
            (!btf, Self::NoBtf),
        ];
        all.into_iter().filter(|(is_in_force, _)| *is_in_force).map(|(_, fallback)| fallback).collect()
    }

    /// What it comes to, in words.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::SingleBuffer => "packets of one buffer only",
            Self::LockedMemory => "maps are locked memory",
            Self::Interpreter => "the program is interpreted, which is slow",
            Self::NoBtf => "no BTF, which is not needed",
        }
    }
}

/// Whether the kernel describes its types.
#[must_use]
pub fn has_btf() -> bool {
    Path::new("/sys/kernel/btf/vmlinux").exists()
}

/// CPUs as the kernel numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpus {
    /// One more than the highest CPU that this kernel may ever bring up.
    pub possible: u32,
    /// One more than the highest CPU that is up now.
    pub online_end: u32,
}

impl Cpus {
    /// Asks the kernel.
    ///
    /// # Errors
    /// Where `/sys/devices/system/cpu` cannot be read.
    pub fn probe() -> io::Result<Self> {
        let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible")?;
        let online = aya::util::online_cpus().map_err(|(_, error)| error)?;
        let possible = highest(&possible).map_or(1, |highest| highest + 1);
        let online_end = online.into_iter().max().map_or(1, |highest| highest + 1);
        Ok(Self { possible, online_end: online_end.min(possible) })
    }
}

/// The highest number in a list of CPUs such as `0,2-3`.
fn highest(list: &str) -> Option<u32> {
    list.trim().split([',', '-']).filter_map(|number| number.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_is_in_force_where_the_kernel_lacks_what_it_stands_for() {
        let all = Features { multi_buffer: true, group_memory: true };
        assert_eq!(Fallback::in_force(all, Some(true), true), []);
        // Where it is not known, it is not claimed.
        assert_eq!(Fallback::in_force(all, None, true), []);
        let none = Features { multi_buffer: false, group_memory: false };
        let expected =
            [Fallback::SingleBuffer, Fallback::LockedMemory, Fallback::Interpreter, Fallback::NoBtf];
        assert_eq!(Fallback::in_force(none, Some(false), false), expected);
    }

    #[test]
    fn the_highest_cpu_of_a_list_with_gaps() {
        assert_eq!(highest("0\n"), Some(0));
        assert_eq!(highest("0-1\n"), Some(1));
        assert_eq!(highest("0,2-3,64-127\n"), Some(127));
        assert_eq!(highest("\n"), None);
    }
}
