//! What the host is, read from where the kernel tells it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use nix::unistd::{AccessFlags, access};

use crate::features::Cpus;
use crate::pins::Pins;
use crate::program::{Rings, Slots};

/// The place where the sensor is to be pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinPlace {
    pub directory: PathBuf,
    /// It, or the nearest folder above it that exists.
    pub existing: PathBuf,
    pub is_bpffs: bool,
    /// Why this process may not make files there.
    pub refusal: Option<nix::errno::Errno>,
}

/// What counters and rings take, and what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub slots: Slots,
    pub rings: Rings,
    pub cpus: Cpus,
    pub cpus_online: u32,
    /// In bytes.
    pub available: Option<u64>,
    /// Whether a pinned sensor has it already.
    pub taken: bool,
}

impl Memory {
    /// In bytes.
    pub fn needed(&self) -> u64 {
        self.slots.kernel_memory() + self.rings.kernel_memory()
    }
}

/// The release of the running kernel.
pub fn kernel_release() -> String {
    nix::sys::utsname::uname()
        .map_or_else(|error| error.to_string(), |name| name.release().to_string_lossy().into_owned())
}

/// The JIT's switch, which other network namespaces than the first do not show.
pub fn jit_switch() -> Option<u32> {
    fs::read_to_string("/proc/sys/net/core/bpf_jit_enable").ok()?.trim().parse().ok()
}

/// Looks at the folder for pins.
///
/// # Errors
/// Where the folder that exists cannot be looked at.
pub fn pin_place(directory: &Path) -> io::Result<PinPlace> {
    let absolute = std::path::absolute(directory)?;
    let existing = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    Ok(PinPlace {
        directory: directory.into(),
        is_bpffs: statfs(existing)?.filesystem_type() == BPF_FS_MAGIC,
        refusal: access(existing, AccessFlags::W_OK | AccessFlags::X_OK).err(),
        existing: existing.into(),
    })
}

/// What these slots and rings would take.
pub fn memory(slots: Slots, rings: Rings, cpus: Cpus, pins: &Pins) -> Memory {
    let online =
        aya::util::online_cpus().map_or(cpus.online_end, |online| u32::try_from(online.len()).unwrap_or(1));
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    Memory { slots, rings, cpus, cpus_online: online, available, taken: pins.has_maps() }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        let text = "MemTotal:       24684028 kB\nMemAvailable:   23709952 kB\nBuffers: 1 kB\n";
        assert_eq!(available(text), Some(23_709_952 << 10));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn a_place_that_is_no_bpf_file_system_is_seen_from_the_nearest_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = pin_place(&folder.path().join("a/b")).unwrap();
        assert_eq!(place.existing, folder.path());
        assert!(!place.is_bpffs);
        assert_eq!(place.refusal, None);
    }
}
