//! What the kernel can do, by asking it to.

use std::io;

use aya::programs::{ProgramError, ProgramType};
use aya::sys::is_program_supported;
use sensor_ebpf::abi::CpuCounters;

use super::line::{Line, PERMISSION};
use crate::features::requirement::{ARRAYS, LARGE_VALUES, LINKS, OLDEST_RELEASE, Requirement, is_unknown};
use crate::features::{Features, lacks_locked_memory, locked_memory};
use crate::privileges::LOCKED_MEMORY;
use crate::system::try_mappable_array;

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// This process may not ask.
    Forbidden,
    /// This process may lock no more memory, as which this kernel counts what it was asked with.
    LockedMemory,
    /// Something else came in between.
    Unclear(String),
}

const PROGRAMS: Requirement = Requirement { name: "XDP programs", since: "4.8" };
const MULTI_BUFFER: Requirement = Requirement { name: "multi-buffer XDP", since: "5.18" };
const MEMORY: &str = "memory of maps";

/// Lines about everything but links, which take a program. `needed` is what the sensor's maps take, in bytes, where that
/// is known.
pub fn lines(features: &Result<Features, ProgramError>, needed: Option<u64>) -> Vec<Line> {
    let programs = is_program_supported(ProgramType::Xdp);
    let multi_buffer = features.as_ref().map(|features| features.multi_buffer);
    let group_memory = features.as_ref().ok().map(|features| features.group_memory);
    // Where programs may be loaded, it is for memory alone that something is refused.
    let told = |answer: Answer, error: Option<&io::Error>| match answer {
        Answer::Forbidden if group_memory == Some(false) && error.is_some_and(lacks_locked_memory) => {
            Answer::LockedMemory
        }
        answer => answer,
    };
    let made = |value_size| {
        let result = try_mappable_array(value_size);
        told(created(&result), result.as_ref().err())
    };
    let error = programs.as_ref().err().and_then(|error| match error {
        ProgramError::SyscallError(error) => Some(&error.io_error),
        _ => None,
    });
    let arrays = made(size_of::<u64>());
    let mut lines = vec![
        required(&PROGRAMS, &told(asked(programs.as_ref().copied()), error)),
        required(&ARRAYS, &arrays),
    ];
    // Where there are no such arrays, the size of their values is no lack of its own.
    if arrays != Answer::No {
        lines.push(required(&LARGE_VALUES, &made(size_of::<CpuCounters>())));
    }
    lines.push(multi_buffer_line(&asked(multi_buffer)));
    let locked =
        group_memory.map(|is_free| if is_free { Locked::Free } else { Locked::UpTo(locked_memory::limit()) });
    lines.push(memory_line(locked, needed.unwrap_or(0)));
    lines
}

/// What the memory of maps counts as.
#[derive(Clone, Copy, Debug)]
enum Locked {
    /// Not as locked memory.
    Free,
    /// As locked memory, of which this user may have so many bytes; any amount, where there is no number. Asked after this
    /// process has tried to be allowed more.
    UpTo(Option<u64>),
}

/// `needed` in bytes.
fn memory_line(locked: Option<Locked>, needed: u64) -> Line {
    let limit = match locked {
        None => return Line::warn(MEMORY, "not known: the kernel could not be asked", PERMISSION),
        Some(Locked::Free) => {
            return Line::pass(MEMORY, "counted as the control group's: no limit of its own");
        }
        Some(Locked::UpTo(None)) => {
            return Line::pass(MEMORY, "counted as locked memory, of which this process may have any amount");
        }
        Some(Locked::UpTo(Some(limit))) => limit,
    };
    let found = format!(
        "counted as locked memory, of which this user may have {} KiB in all, and the sensor takes {} KiB",
        limit >> 10,
        needed >> 10
    );
    // What others of this user have is in it, too, and the kernel does not tell of that.
    if needed > limit {
        Line::fail(MEMORY, found, LOCKED_MEMORY)
    } else {
        Line::warn(MEMORY, found, LOCKED_MEMORY)
    }
}

/// The line about links; no answer where there was no program to ask with.
pub fn links(answer: Option<&Answer>) -> Line {
    let Some(answer) = answer else {
        return Line::warn(LINKS.name, "not tried: it takes the sensor program", "see sensor program");
    };
    match answer {
        Answer::Forbidden => Line::warn(
            LINKS.name,
            "not tried: it takes a network namespace of its own, and so CAP_SYS_ADMIN",
            "run as root, or name an --interface: attaching to it shows the same",
        ),
        answer => required(&LINKS, answer),
    }
}

fn asked(answer: Result<bool, &ProgramError>) -> Answer {
    match answer {
        Ok(true) => Answer::Yes,
        Ok(false) => Answer::No,
        Err(error) => Answer::from(error),
    }
}

fn created(result: &io::Result<()>) -> Answer {
    match result {
        Ok(()) => Answer::Yes,
        Err(error) if is_unknown(error) => Answer::No,
        Err(error) => Answer::from(error),
    }
}

impl From<&ProgramError> for Answer {
    fn from(error: &ProgramError) -> Self {
        match error {
            ProgramError::SyscallError(error) => Self::from(&error.io_error),
            error => Self::Unclear(error.to_string()),
        }
    }
}

impl From<&io::Error> for Answer {
    fn from(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::Forbidden,
            _ => Self::Unclear(error.to_string()),
        }
    }
}

fn required(feature: &Requirement, answer: &Answer) -> Line {
    let Requirement { name, since } = feature;
    let newer =
        format!("it came with Linux {since}, and CONFIG_BPF_SYSCALL; run Linux {OLDEST_RELEASE} or later");
    match answer {
        Answer::Yes => Line::pass(name, "this kernel has them"),
        Answer::No => Line::fail(name, "this kernel has none", newer),
        Answer::Forbidden => Line::fail(name, "not known: no permission to ask", PERMISSION),
        Answer::LockedMemory => {
            Line::fail(name, "not known: no more memory may be locked to ask with", LOCKED_MEMORY)
        }
        Answer::Unclear(why) => Line::fail(name, format!("not known: {why}"), newer),
    }
}

fn multi_buffer_line(answer: &Answer) -> Line {
    let Requirement { name, since } = MULTI_BUFFER;
    match answer {
        Answer::Yes => Line::pass(name, "this kernel has it: jumbo frames need no generic mode"),
        Answer::Forbidden | Answer::LockedMemory => {
            Line::fail(name, "not known: no permission to ask", PERMISSION)
        }
        Answer::No => Line::warn(
            name,
            "this kernel has none: interfaces with jumbo frames are attached in generic mode",
            format!("run Linux {since} or later, where there are jumbo frames"),
        ),
        Answer::Unclear(why) => {
            Line::warn(name, format!("not known: {why}"), format!("run Linux {since} or later"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Status;
    use super::*;

    fn error(number: i32) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(number))
    }

    #[test]
    fn errors_are_told_apart() {
        assert_eq!(created(&Ok(())), Answer::Yes);
        assert_eq!(created(&error(libc::EINVAL)), Answer::No);
        assert_eq!(created(&error(libc::E2BIG)), Answer::No);
        assert_eq!(created(&error(libc::EPERM)), Answer::Forbidden);
        assert!(matches!(created(&error(libc::ENOMEM)), Answer::Unclear(_)));
        assert_eq!(asked(Ok(false)), Answer::No);
        assert!(matches!(asked(Err(&ProgramError::NotLoaded)), Answer::Unclear(_)));
    }

    #[test]
    fn what_the_sensor_cannot_do_without_fails() {
        let status = |answer| required(&ARRAYS, &answer).status;
        assert_eq!(status(Answer::Yes), Status::Pass);
        assert_eq!(status(Answer::No), Status::Fail);
        assert_eq!(status(Answer::Forbidden), Status::Fail);
        assert!(required(&ARRAYS, &Answer::No).remedy.unwrap().contains("Linux 5.5"));
        assert_eq!(required(&ARRAYS, &Answer::Forbidden).remedy.unwrap(), PERMISSION);
    }

    #[test]
    fn multi_buffer_packets_are_a_matter_of_speed() {
        assert_eq!(multi_buffer_line(&Answer::Yes).status, Status::Pass);
        assert_eq!(multi_buffer_line(&Answer::No).status, Status::Warn);
        assert_eq!(multi_buffer_line(&Answer::Forbidden).status, Status::Fail);
    }

    #[test]
    fn locked_memory_is_enough_or_too_little() {
        use Locked::{Free, UpTo};
        assert_eq!(memory_line(Some(Free), 1 << 20).status, Status::Pass);
        assert_eq!(memory_line(Some(UpTo(None)), 1 << 20).status, Status::Pass);
        let line = memory_line(Some(UpTo(Some(1 << 16))), 1 << 20);
        assert!(line.status == Status::Fail && line.found.contains("64 KiB"), "{line:?}");
        assert!(line.remedy.unwrap().contains("LimitMEMLOCK="));
        // Enough for the sensor, if nobody else has any.
        assert_eq!(memory_line(Some(UpTo(Some(1 << 20))), 1 << 20).status, Status::Warn);
        assert_eq!(memory_line(None, 0).status, Status::Warn);
    }

    #[test]
    fn a_question_that_takes_locked_memory_is_no_want_of_permission() {
        let line = required(&ARRAYS, &Answer::LockedMemory);
        assert_eq!((line.status, line.remedy.as_deref()), (Status::Fail, Some(LOCKED_MEMORY)));
    }

    #[test]
    fn links_that_could_not_be_tried_apart_do_not_fail() {
        assert_eq!(links(Some(&Answer::Forbidden)).status, Status::Warn);
        assert_eq!(links(None).status, Status::Warn);
        assert_eq!(links(Some(&Answer::No)).status, Status::Fail);
    }
}
