//! What the kernel can do, by asking it to.

use std::io;

use aya::programs::{ProgramError, ProgramType};
use aya::sys::is_program_supported;
use sensor_ebpf::abi::CpuCounters;

use super::line::{Line, PERMISSION};
use crate::features::requirement::{ARRAYS, LARGE_VALUES, LINKS, OLDEST_RELEASE, Requirement, is_unknown};
use crate::features::{Features, locked_memory_limit};
use crate::system::try_mappable_array;

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// This process may not ask.
    Forbidden,
    /// Something else came in between.
    Unclear(String),
}

const PROGRAMS: Requirement = Requirement { name: "XDP programs", since: "4.8" };
const MULTI_BUFFER: Requirement = Requirement { name: "multi-buffer XDP", since: "5.18" };
const MEMORY: &str = "memory of maps";

/// Lines about everything but links, which take a program.
pub fn lines(features: &Result<Features, ProgramError>) -> Vec<Line> {
    let programs = is_program_supported(ProgramType::Xdp);
    let multi_buffer = features.as_ref().map(|features| features.multi_buffer);
    let group_memory = features.as_ref().ok().map(|features| features.group_memory);
    vec![
        required(&PROGRAMS, &asked(programs.as_ref().copied())),
        required(&ARRAYS, &created(&try_mappable_array(size_of::<u64>()))),
        required(&LARGE_VALUES, &created(&try_mappable_array(size_of::<CpuCounters>()))),
        multi_buffer_line(&asked(multi_buffer)),
        memory_line(group_memory, locked_memory_limit()),
    ]
}

/// `limit` is what this process may lock, after it has tried to be allowed more.
fn memory_line(group_memory: Option<bool>, limit: Option<u64>) -> Line {
    match (group_memory, limit) {
        (Some(true), _) => Line::pass(MEMORY, "counted as the control group's: no limit of its own"),
        (Some(false), None) => {
            Line::pass(MEMORY, "counted as locked memory, of which this process may have any amount")
        }
        (Some(false), Some(limit)) => Line::fail(
            MEMORY,
            format!("counted as locked memory, of which this process may have {} KiB", limit >> 10),
            "run as root, or with CAP_SYS_RESOURCE, or with `ulimit -l unlimited`",
        ),
        (None, _) => Line::warn(MEMORY, "not known: the kernel could not be asked", PERMISSION),
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
        Answer::Unclear(why) => Line::fail(name, format!("not known: {why}"), newer),
    }
}

fn multi_buffer_line(answer: &Answer) -> Line {
    let Requirement { name, since } = MULTI_BUFFER;
    match answer {
        Answer::Yes => Line::pass(name, "this kernel has it: jumbo frames need no generic mode"),
        Answer::Forbidden => Line::fail(name, "not known: no permission to ask", PERMISSION),
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
        assert_eq!(memory_line(Some(true), Some(1 << 16)).status, Status::Pass);
        assert_eq!(memory_line(Some(false), None).status, Status::Pass);
        let line = memory_line(Some(false), Some(1 << 16));
        assert!(line.status == Status::Fail && line.found.contains("64 KiB"), "{line:?}");
        assert_eq!(memory_line(None, None).status, Status::Warn);
    }

    #[test]
    fn links_that_could_not_be_tried_apart_do_not_fail() {
        assert_eq!(links(Some(&Answer::Forbidden)).status, Status::Warn);
        assert_eq!(links(None).status, Status::Warn);
        assert_eq!(links(Some(&Answer::No)).status, Status::Fail);
    }
}
