//! What aya does not ask of `bpf(2)`: an array or a program with flags, and a link and nothing else.
//!
//! aya attaches by netlink where the kernel refuses a link. What netlink attaches cannot be pinned, and
//! stays when the process dies. The records are the first fields of `union bpf_attr` in
//! `include/uapi/linux/bpf.h`; the kernel takes what is left out for zero.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use aya_obj::generated::{
    BPF_F_MMAPABLE, BPF_F_XDP_HAS_FRAGS, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE, bpf_attach_type, bpf_cmd,
    bpf_map_type, bpf_prog_type,
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
    try_array_with(value_size, BPF_F_MMAPABLE)
}

/// The same with one that cannot be mapped, which every kernel with `bpf(2)` has.
///
/// # Errors
/// Those of the kernel.
pub fn try_array(value_size: usize) -> io::Result<()> {
    try_array_with(value_size, 0)
}

fn try_array_with(value_size: usize, flags: u32) -> io::Result<()> {
    let creation = MapCreation {
        kind: bpf_map_type::BPF_MAP_TYPE_ARRAY as u32,
        key_size: 4,
        value_size: u32::try_from(value_size).map_err(|_| io::ErrorKind::InvalidInput)?,
        entries: 1,
        flags,
    };
    // SAFETY: the record is the one of this command, which gives a new descriptor.
    unsafe { descriptor(bpf_cmd::BPF_MAP_CREATE, &creation) }.map(drop)
}

/// `BPF_PROG_LOAD`.
#[repr(C)]
struct ProgramLoading {
    kind: u32,
    instructions: u32,
    code: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// Loads an XDP program that lets every packet pass.
fn load_passing(flags: u32) -> io::Result<OwnedFd> {
    /// `r0 = XDP_PASS; exit`.
    const PASS: [u64; 2] = [0x0000_0002_0000_00b7, 0x95];
    let loading = ProgramLoading {
        kind: bpf_prog_type::BPF_PROG_TYPE_XDP as u32,
        instructions: 2,
        code: PASS.as_ptr().expose_provenance() as u64,
        license: c"GPL".as_ptr().expose_provenance() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags,
    };
    // SAFETY: the record is the one of this command, what it points to is constant, and it gives a new descriptor.
    unsafe { descriptor(bpf_cmd::BPF_PROG_LOAD, &loading) }
}

/// Whether this kernel knows of packets of several buffers, which it tells by the flag of programs for them before it looks
/// at memory or privilege.
#[must_use]
pub fn knows_multi_buffer() -> bool {
    !load_passing(BPF_F_XDP_HAS_FRAGS).is_err_and(|error| error.raw_os_error() == Some(libc::EINVAL))
}

/// Whether this kernel attaches XDP programs by links: one that knows how is asked to attach a program in the driver of
/// the loopback interface, which has no XDP; one that does not, does not know the question.
///
/// # Errors
/// Where it does not even load that program, which lets every packet pass.
pub fn can_link_xdp() -> io::Result<bool> {
    const LOOPBACK: u32 = 1;
    let program = load_passing(0)?;
    match create_link(program.as_fd(), LOOPBACK, AttachMode::Native) {
        Err(error) => Ok(error.raw_os_error() != Some(libc::EINVAL)),
        Ok(_detached_at_once) => Ok(true),
    }
}

/// Attaches an XDP program by a link, which detaches it again when it is closed and not pinned.
///
/// # Errors
/// Those of the kernel and of the interface's driver.
pub fn create_link(program: BorrowedFd<'_>, interface: u32, mode: AttachMode) -> io::Result<OwnedFd> {
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
    unsafe { descriptor(bpf_cmd::BPF_LINK_CREATE, &creation) }
}

/// `BPF_LINK_UPDATE`.
#[repr(C)]
struct LinkUpdate {
    link: i32,
    program: i32,
    flags: u32,
}

/// Puts another program in the place of a link's own, between two packets: the driver need not begin anew.
///
/// # Errors
/// Those of the kernel and of the interface's driver.
pub fn update_link(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    let update = LinkUpdate { link: link.as_raw_fd(), program: program.as_raw_fd(), flags: 0 };
    // SAFETY: the record is the one of this command.
    unsafe { call(bpf_cmd::BPF_LINK_UPDATE, &update) }.map(drop)
}

/// `BPF_OBJ_PIN`, and `BPF_OBJ_GET`, which wants no object.
#[repr(C)]
struct Pinning {
    path: u64,
    object: i32,
    flags: u32,
}

/// Pins an object at a path on a BPF file system.
///
/// # Errors
/// Those of the kernel.
pub fn pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let pinning =
        Pinning { path: path.as_ptr().expose_provenance() as u64, object: object.as_raw_fd(), flags: 0 };
    // SAFETY: the record is the one of this command, and its path lives until it is done.
    unsafe { call(bpf_cmd::BPF_OBJ_PIN, &pinning) }.map(drop)
}

/// `BPF_LINK_DETACH`.
#[repr(C)]
struct Detaching {
    link: i32,
}

/// Detaches a pinned link now. Removing the file would do it as well, but a moment later.
///
/// # Errors
/// Those of the kernel.
pub fn detach_link(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let opening = Pinning { path: path.as_ptr().expose_provenance() as u64, object: 0, flags: 0 };
    // SAFETY: the record is the one of this command, its path lives until it is done, and it gives a new
    // descriptor.
    let link = unsafe { descriptor(bpf_cmd::BPF_OBJ_GET, &opening) }?;
    // SAFETY: the record is the one of this command.
    unsafe { call(bpf_cmd::BPF_LINK_DETACH, &Detaching { link: link.as_raw_fd() }) }.map(drop)
}

/// # Safety
/// The record is the one of the command, and the command's result a descriptor that nobody else has.
unsafe fn descriptor<T>(command: bpf_cmd, record: &T) -> io::Result<OwnedFd> {
    // SAFETY: as the caller promises.
    let result = unsafe { call(command, record) }?;
    // SAFETY: fresh from the kernel, as the caller promises.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

/// # Safety
/// The record is the one of the command, and what it points to lives.
unsafe fn call<T>(command: bpf_cmd, record: &T) -> io::Result<i32> {
    // SAFETY: the kernel reads as many bytes as it is told that there are.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command as u32, &raw const *record, size_of::<T>()) };
    i32::try_from(result).ok().filter(|result| *result >= 0).ok_or_else(io::Error::last_os_error)
}
