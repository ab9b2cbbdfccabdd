//! Processes that end with the value that stands for them.

use std::fs::{self, File};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::{Error, command};

/// How long a killed process may take to be gone.
const LONGEST_DEATH: Duration = Duration::from_secs(5);

/// A process that runs beside this one, and is killed on drop where it still does.
pub struct Process(Child);

impl Process {
    /// Starts it, in a process group of its own: what a terminal sends to this group is not for it.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn spawn(command: &mut Command) -> std::result::Result<Self, Error> {
        let spawned = command.process_group(0).spawn();
        spawned.map(Self).map_err(|source| Error::Start { program: command::name(command), source })
    }
}

impl Deref for Process {
    type Target = Child;
    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Processor time that a process has used so far, in all its threads.
///
/// # Errors
/// Where it is no more.
pub fn processor_time(process: u32) -> Result<Duration> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{process}/task")).context("the process is no more")? {
        let text = match fs::read_to_string(task?.path().join("schedstat")) {
            // A thread that has ended meanwhile; what the others have used is still theirs.
            Err(error) if has_ended(&error) => continue,
            text => text?,
        };
        let nanoseconds = text.split_whitespace().next().context("no processor time")?;
        total += nanoseconds.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// The most memory that a process has had at a time, in bytes.
///
/// # Errors
/// Where it is no more.
pub fn most_memory(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes = line.trim().strip_suffix("kB").context("no kB")?.trim().parse::<u64>()?;
    Ok(kibibytes << 10)
}

/// Kills every process in a network namespace, and waits until they have ended.
///
/// Nobody but those who started them will have put processes there: the namespace is this testbed's own.
pub(crate) fn kill_all_in(namespace: &File) -> io::Result<()> {
    let inode = namespace.metadata()?.ino();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that has ended meanwhile needs no killing, and its number may be another's.
        let Ok(handle) = handle(process) else {
            continue;
        };
        let is_inside = fs::metadata(entry.path().join("ns/net")).is_ok_and(|its| its.ino() == inode);
        if is_inside && process.cast_unsigned() != std::process::id() {
            kill(&handle)?;
        }
    }
    Ok(())
}

/// A file descriptor for a process, which stays that process's even when its number is used again.
fn handle(process: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: two integers in, a new descriptor or an error out.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    let descriptor = i32::try_from(descriptor).unwrap_or(-1);
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn kill(process: &OwnedFd) -> io::Result<()> {
    let nothing = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a live descriptor; without a siginfo the kernel makes one.
    let sent =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, nothing, 0) };
    if sent != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut ended = libc::pollfd { fd: process.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let milliseconds = i32::try_from(LONGEST_DEATH.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one descriptor, which lives.
    if unsafe { libc::poll(&raw mut ended, 1, milliseconds) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
