//! What this kernel can do, found out by asking it: never by its version.

use std::io;

use aya::programs::{ProgramError, ProgramType};
use aya::sys::{BpfHelper, is_helper_supported};

/// What differs between kernels that the agent supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// XDP programs may see packets of several buffers (Linux 5.18).
    pub multi_buffer: bool,
}

impl Features {
    /// Asks the kernel.
    ///
    /// # Errors
    /// Where the kernel does not let this process load programs at all.
    pub fn probe() -> Result<Self, ProgramError> {
        Ok(Self {
            // The helper and the program flag came in one release.
            multi_buffer: is_helper_supported(ProgramType::Xdp, BpfHelper::BPF_FUNC_xdp_get_buff_len)?,
        })
    }
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
    use super::highest;

    #[test]
    fn the_highest_cpu_of_a_list_with_gaps() {
        assert_eq!(highest("0\n"), Some(0));
        assert_eq!(highest("0-1\n"), Some(1));
        assert_eq!(highest("0,2-3,64-127\n"), Some(127));
        assert_eq!(highest("\n"), None);
    }
}
