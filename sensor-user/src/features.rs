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
    /// CPUs that this kernel may ever bring up.
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
        let possible = aya::util::nr_cpus().map_err(|(_, error)| error)?;
        let online = aya::util::online_cpus().map_err(|(_, error)| error)?;
        let possible = u32::try_from(possible).unwrap_or(u32::MAX).max(1);
        let online_end = online.into_iter().max().map_or(1, |highest| highest + 1);
        Ok(Self { possible, online_end: online_end.min(possible) })
    }
}
