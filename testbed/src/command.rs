//! Programs that are run to their end, and whose failure is an error with their own words.

use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};

use crate::Error;

/// How often a program is started again that a signal has ended.
const RESTARTS: u32 = 3;

/// Runs a program to its end, and gives what it wrote.
///
/// In a process group of its own: Ctrl-C in a terminal goes to the whole group, and must not kill the
/// very `ip` that cleans up. A signal in the moment before the program has that group ends it before it
/// has done anything, and it is started again.
///
/// # Errors
/// Where it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<String, Error> {
    command.process_group(0).stdin(Stdio::null());
    let mut restarts = 0;
    let output = loop {
        let output = command.output().map_err(|source| Error::Start { program: name(command), source })?;
        if output.status.signal().is_none() || restarts == RESTARTS {
            break output;
        }
        restarts += 1;
    };
    if !output.status.success() {
        return Err(Error::Command {
            command: line(command),
            message: format!("{}, {}", output.status, String::from_utf8_lossy(&output.stderr).trim()),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `ip` with these arguments.
pub fn ip(arguments: &[&str]) -> Result<String, Error> {
    run(Command::new("ip").args(arguments))
}

pub fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Says what went wrong where no error can be given. Not `eprintln`, which panics where nobody listens.
pub fn complain(problem: std::fmt::Arguments<'_>) {
    let _nobody_listens = writeln!(io::stderr(), "testbed: {problem}");
}
