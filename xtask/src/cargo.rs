//! Cargo, called from one of its own programs.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::search_path;

pub fn command() -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.env("PATH", search_path::joined());
    command
}

/// Builds one program as it ships, and says where cargo put it.
pub fn release_program(program: &str) -> Result<PathBuf> {
    self::program("release", program)
}

/// Builds one program, and says where cargo put it: the target folder may be anywhere.
///
/// As one of the whole workspace: a package by itself might want other features of what they share, and the world
/// would be built twice.
pub fn program(profile: &str, program: &str) -> Result<PathBuf> {
    let mut command = command();
    command.args(["build", "--profile", profile, "--workspace", "--bin", program]);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let messages = child.stdout.take().context("cargo's messages cannot be read")?;

    let mut executable = None;
    for line in BufReader::new(messages).lines() {
        let line = line.context("cargo's messages cannot be read")?;
        executable = executable_in(&line, program).or(executable);
    }
    let status = child.wait().context("lost sight of cargo")?;
    if !status.success() {
        bail!("building {program} failed ({status}); what cargo says is above");
    }
    executable.with_context(|| format!("cargo built {program} and does not say where"))
}

/// Cargo writes one JSON object per line; a program that is built, or fresh, is an artifact.
fn executable_in(line: &str, program: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_program = message["reason"] == "compiler-artifact" && message["target"]["name"] == program;
    let executable = message["executable"].as_str().filter(|_| is_program)?;
    Some(PathBuf::from(executable))
}

/// Becomes the program. So Ctrl-C and every other signal reach it and nobody else, nothing has to
/// wait while it cleans up after itself, and its exit code is the caller's. Returns only when it
/// cannot be started.
pub fn become_program(mut command: Command) -> Result<ExitCode> {
    let name = command.get_program().to_string_lossy().into_owned();
    Err(anyhow!(command.exec()).context(format!("cannot start {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_read_from_cargos_messages() {
        let artifact = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],
            "name":"apus-sensor"},"executable":"/elsewhere/release/apus-sensor","fresh":true}"#;
        let expected = Some(PathBuf::from("/elsewhere/release/apus-sensor"));
        assert_eq!(executable_in(artifact, "apus-sensor"), expected);
        assert_eq!(executable_in(artifact, "apus-demo"), None);
    }

    #[test]
    fn other_messages_hold_no_executable() {
        let library = r#"{"reason":"compiler-artifact","target":{"name":"apus-sensor"},
            "executable":null}"#;
        for line in [library, r#"{"reason":"build-finished","success":true}"#, "", "not JSON"] {
            assert_eq!(executable_in(line, "apus-sensor"), None, "{line}");
        }
    }
}
