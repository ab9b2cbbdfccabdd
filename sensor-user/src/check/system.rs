//! The two questions to `bpf(2)` that aya does not ask: an array with flags, and a link and nothing else.
//!
//! aya attaches by netlink where the kernel refuses a link; a trial must not, because what netlink
//! attaches stays when the process dies. The records are the first fields of `union bpf_attr` in
//! `include/uapi/linux/bpf.h`; the kernel takes what is left out for zero.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use aya_obj::generated::{
    BPF_F_MMAPABLE, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE, bpf_attach_type, bpf_cmd, bpf_map_type,
};
use sensor_ebpf::abi::AttachMode;

/// `BPF_MAP_CREATE`.
#[repr(C)]
struct MapCreation {
    kind: u32,
    key_size: u32,
    value_size: u32,
    entries: u32,
    flags: u32,
}

/// `BPF_LINK_CREATE`.
#[repr(C)]
struct LinkCreation {
    program: i32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

/// Makes an array of one value that can be mapped, and lets go of it.
///
/// # Errors
/// Those of the kernel.
pub fn try_mappable_array(value_size: usize) -> io::Result<()> {
    let creation = MapCreation {
        kind: bpf_map_type::BPF_MAP_TYPE_ARRAY as u32,
        key_size: 4,
        value_size: u32::try_from(value_size).map_err(|_| io::ErrorKind::InvalidInput)?,
        entries: 1,
        flags: BPF_F_MMAPABLE,
    };
    // SAFETY: the record is the one of this command, which gives a new descriptor.
    unsafe { call(bpf_cmd::BPF_MAP_CREATE, &creation) }.map(drop)
}

/// Attaches an XDP program by a link, and detaches it at once by closing the link.
///
/// # Errors
/// Those of the kernel and of the interface's driver.
pub fn try_link(program: BorrowedFd<'_>, interface: u32, mode: AttachMode) -> io::Result<()> {
    let creation = LinkCreation {
        program: program.as_raw_fd(),
        interface,
        attach_type: bpf_attach_type::BPF_XDP as u32,
        flags: match mode {
            AttachMode::Native => XDP_FLAGS_DRV_MODE,
            AttachMode::Generic => XDP_FLAGS_SKB_MODE,
        },
    };
    // SAFETY: the record is the one of this command, which gives a new descriptor.
    unsafe { call(bpf_cmd::BPF_LINK_CREATE, &creation) }.map(drop)
}

/// # Safety
/// The record is the one of the command, and the command's result a descriptor that nobody else has.
unsafe fn call<T>(command: bpf_cmd, record: &T) -> io::Result<OwnedFd> {
    // SAFETY: the kernel reads as many bytes as it is told that there are.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command as u32, &raw const *record, size_of::<T>()) };
    match i32::try_from(result) {
        // SAFETY: fresh from the kernel, as the caller promises.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}
