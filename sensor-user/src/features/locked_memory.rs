//! Kernels that count maps and programs as memory that a user has locked (before Linux 5.11), of which a process may
//! have little: RLIMIT_MEMLOCK, from which no capability exempts.

use std::io;

use crate::system::try_array;

/// What the process that asks ends with.
const IS_FREE: i32 = 0;
const IS_COUNTED: i32 = 1;
const IS_UNCLEAR: i32 = 2;

/// Whether this kernel counts maps as locked memory, asked by consequence: a process that may lock nothing makes the
/// smallest of arrays. One that may make none at all, for want of a capability, is told the same.
///
/// A helper came in the same release as the other way to count, but some vendors' kernels have the helper alone
/// (Google's COS). The limit is all threads', so that a process of its own lowers it, which shares nothing with this
/// one but its open files: were they copied, a link that another thread closes would stay for that moment.
///
/// # Errors
/// Where that process cannot be started, or the array is refused for another reason.
pub fn is_counted() -> io::Result<bool> {
    let sharing = libc::c_long::from(libc::CLONE_FILES);
    let nothing = 0_usize;
    // SAFETY: without a stack of its own, and without this one's memory, it is a fork. The child makes system calls, takes
    // no lock, and ends.
    let child = unsafe { libc::syscall(libc::SYS_clone, sharing, nothing, nothing, nothing, nothing) };
    match libc::pid_t::try_from(child) {
        Ok(0) => end_with_the_answer(),
        Ok(child) if child > 0 => match wait(child)? {
            IS_FREE => Ok(false),
            IS_COUNTED => Ok(true),
            _ => Err(io::Error::other("an array is refused even where memory may be locked")),
        },
        _ => Err(io::Error::last_os_error()),
    }
}

fn end_with_the_answer() -> ! {
    let answer = match limits().and_then(|limits| set(libc::rlimit { rlim_cur: 0, ..limits })) {
        Err(_) => IS_UNCLEAR,
        Ok(()) => match try_array(size_of::<u64>()) {
            Ok(()) => IS_FREE,
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => IS_COUNTED,
            Err(_) => IS_UNCLEAR,
        },
    };
    // SAFETY: ends the process, and nothing else.
    unsafe { libc::_exit(answer) }
}

/// What the child ended with.
fn wait(child: libc::pid_t) -> io::Result<i32> {
    let mut status = 0;
    // It tells of its end by no signal, as a child does that `__WALL` alone waits for.
    // SAFETY: the kernel writes the number that lives here.
    while unsafe { libc::waitpid(child, &raw mut status, libc::__WALL) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { IS_UNCLEAR })
}

/// Lets this process lock as much memory as it wants; refused without CAP_SYS_RESOURCE, where all is had that is left.
pub fn lift_limit() {
    let none = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let _refused_too = set(none)
        .or_else(|_| limits().and_then(|limits| set(libc::rlimit { rlim_cur: limits.rlim_max, ..limits })));
}

/// How many bytes this user may lock, by this process; nothing where there is no limit, or none is told.
#[must_use]
pub fn limit() -> Option<u64> {
    limits().ok().map(|limits| limits.rlim_cur).filter(|limit| *limit != libc::RLIM_INFINITY)
}

fn limits() -> io::Result<libc::rlimit> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes the structure that lives here.
    let told = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limits) } == 0;
    if told { Ok(limits) } else { Err(io::Error::last_os_error()) }
}

fn set(limits: libc::rlimit) -> io::Result<()> {
    // SAFETY: the kernel reads the structure that lives here.
    let is_set = unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limits) } == 0;
    if is_set { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With privilege or without, and on every kernel.
    #[test]
    fn asking_changes_no_limit_of_this_process() {
        let before = limits().unwrap();
        let answers: Vec<_> = (0..3).map(|_| is_counted().unwrap()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        let after = limits().unwrap();
        assert_eq!((before.rlim_cur, before.rlim_max), (after.rlim_cur, after.rlim_max));
    }
}
