//! The sensor's own program, loaded for a trial and attached for an instant.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use aya::programs::ProgramError;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use sensor_ebpf::abi::AttachMode;

use super::kernel::Answer;
use super::line::PERMISSION;
use crate::config::{Action, Settings};
use crate::privileges;
use crate::program::{Alone, LoadError, Plan};
use crate::system::create_link;

/// The loopback interface is the first of every network namespace.
const LOOPBACK: u32 = 1;

/// How loading went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loaded {
    pub seconds: f64,
    /// Instructions that the verifier went through (Linux 5.16).
    pub instructions: Option<u32>,
    pub machine_code_bytes: u32,
    pub plan: Plan,
}

/// The program in the kernel, unpinned: it goes when this does.
pub struct Trial {
    alone: Alone,
    pub loaded: Loaded,
}

impl Trial {
    /// Loads it, with maps of its own.
    ///
    /// # Errors
    /// Those of [`Alone::load_as`].
    pub fn load(settings: &Settings, plan: Plan) -> Result<Self, LoadError> {
        // A trial drops no packet, not even for an instant.
        let passing = Settings { action: Action::Pass, ..settings.clone() };
        let begin = Instant::now();
        let mut alone = Alone::load_as(&passing, plan)?;
        let seconds = begin.elapsed().as_secs_f64();
        let information = alone.program()?.info()?;
        let loaded = Loaded {
            seconds,
            instructions: information.verified_instruction_count(),
            machine_code_bytes: information.size_jitted(),
            plan,
        };
        Ok(Self { alone, loaded })
    }

    /// Attaches the program to an interface, and detaches it at once.
    ///
    /// # Errors
    /// Those of the kernel and of the interface's driver.
    pub fn attach(&mut self, interface: u32, mode: AttachMode) -> io::Result<()> {
        create_link(self.descriptor().map_err(io::Error::other)?, interface, mode).map(drop)
    }

    /// Attaches the program by a link in a network namespace of its own, where it is in nobody's way.
    pub fn attach_apart(&mut self) -> Answer {
        let program = match self.descriptor() {
            Ok(program) => program,
            Err(error) => return Answer::Unclear(error.to_string()),
        };
        // The namespace is that of a thread, and ends with it.
        let attempt = || match unshare(CloneFlags::CLONE_NEWNET) {
            Err(Errno::EPERM) => Answer::Forbidden,
            Err(error) => Answer::Unclear(format!("no network namespace of its own: {error}")),
            Ok(()) => match create_link(program, LOOPBACK, AttachMode::Generic) {
                Ok(_detached_at_once) => Answer::Yes,
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Answer::No,
                Err(error) => Answer::Unclear(error.to_string()),
            },
        };
        std::thread::scope(|scope| scope.spawn(attempt).join())
            .unwrap_or_else(|_| Answer::Unclear("the attempt panicked".into()))
    }

    fn descriptor(&mut self) -> Result<BorrowedFd<'_>, LoadError> {
        Ok(self.alone.program()?.fd()?.as_fd())
    }
}

/// Why the program is not in the kernel, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub found: String,
    /// What to do, where the reason says.
    pub remedy: Option<&'static str>,
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Permission => {
                Self { found: "no permission to load it".into(), remedy: Some(PERMISSION) }
            }
            LoadError::LockedMemory { limit, needed } => Self {
                found: format!(
                    "{} KiB of locked memory are too much for a user who may have {} KiB",
                    needed >> 10,
                    limit >> 10
                ),
                remedy: Some(privileges::LOCKED_MEMORY),
            },
            LoadError::Memory { mebibytes } => Self {
                found: format!("the kernel gives no memory for {mebibytes} MiB of counters"),
                remedy: Some("lower --counter-cpus, or raise the memory limit of the control group"),
            },
            LoadError::Program(ProgramError::LoadError { io_error, verifier_log }) => {
                let log = verifier_log.to_string();
                let reason = last_words(&log).map_or_else(|| io_error.to_string(), str::to_owned);
                Self { found: format!("the verifier rejects it: {reason}"), remedy: None }
            }
            error => Self { found: crate::one_line(&error), remedy: None },
        }
    }
}

/// The last line of a verifier's log before its statistics.
fn last_words(log: &str) -> Option<&str> {
    const STATISTICS: [&str; 4] = ["processed ", "verification time ", "stack depth ", "END"];
    let is_statistics = |line: &&str| STATISTICS.iter().any(|start| line.starts_with(start));
    log.lines().map(str::trim).rfind(|line| !line.is_empty() && !is_statistics(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifiers_last_words_come_before_its_statistics() {
        let log = "1334: (1f) r0 -= r1\nR0 pointer -= pointer prohibited\nverification time 306 usec\n\
                   stack depth 88\nprocessed 38 insns (limit 1000000) max_states_per_insn 0\n\n";
        assert_eq!(last_words(log), Some("R0 pointer -= pointer prohibited"));
        assert_eq!(last_words("processed 1 insns\n"), None);
    }
}
