//! Programs that are run to their end, and whose failure is an error with their own words.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::Error;

/// Runs a program and gives what it wrote.
///
/// In a process group of its own: Ctrl-C in a terminal goes to the whole group, and must not kill the
/// very `ip` that cleans up.
pub fn run(command: &mut Command) -> Result<String, Error> {
    let output = command
        .process_group(0)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start { program: name(command), source })?;
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
