//! Cargo, called from one of its own programs.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

use crate::search_path;

pub fn command() -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.env("PATH", search_path::joined());
    command
}

/// Where the workspace is, and what is built of it.
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let output = command()
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        ensure!(output.status.success(), "cargo does not describe the workspace ({})", output.status);
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo's description")?;
        let folder = |name: &str| {
            metadata[name].as_str().map(PathBuf::from).with_context(|| format!("cargo does not tell {name}"))
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }
}

/// Cargo with a subcommand, to build programs that need no library: a folder of their own keeps them apart from the
/// others, and the flags are not those of the build's own programs. `more` are further flags of the compiler.
pub fn static_command(subcommand: &str, more: &str) -> Result<Command> {
    let target = host()?;
    let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
    let mut command = command();
    command.args([subcommand, "--target", &target]);
    // These would win, and are meant for the local build.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_RUSTFLAGS");
    command.env(variable, format!("-C target-feature=+crt-static {more}"));
    Ok(command)
}

/// The compiler's own target.
fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .env("PATH", search_path::joined())
        .output()
        .context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned));
    host.context("rustc does not tell its target")
}

/// The two programs that ship.
pub struct Programs {
    pub sensor: PathBuf,
    pub collector: PathBuf,
}

impl Programs {
    /// Builds both.
    pub fn build(profile: &str) -> Result<Self> {
        let [sensor, collector] = programs(profile, ["apus-sensor", "apus-collector"])?;
        Ok(Self { sensor, collector })
    }

    /// Tells a program of the testbed where they are.
    pub fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("APUS_SENSOR", &self.sensor).env("APUS_COLLECTOR", &self.collector)
    }
}

/// Builds the sensor as tests do: its XDP programs are those that ship.
pub fn sensor() -> Result<PathBuf> {
    Programs::build("checked").map(|programs| programs.sensor)
}

/// Builds the sensor that ships: it needs no library.
pub fn static_sensor() -> Result<PathBuf> {
    let [sensor] = built_by(static_command("build", "")?, "release", ["apus-sensor"])?;
    Ok(sensor)
}

/// Builds the collector that ships.
pub fn collector() -> Result<PathBuf> {
    let [collector] = programs("release", ["apus-collector"])?;
    Ok(collector)
}

/// Builds the program that asks the verifier.
pub fn verifier() -> Result<PathBuf> {
    let [verifier] = programs("checked", ["apus-verifier"])?;
    Ok(verifier)
}

/// Builds a program of the testbed, and those that ship, and becomes it.
pub fn become_testbed_program(profile: &str, program: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let [path, sensor, collector] = programs(profile, [program, "apus-sensor", "apus-collector"])?;
    let mut command = Command::new(path);
    Programs { sensor, collector }.tell(&mut command);
    command.args(arguments).env("PATH", search_path::joined());
    become_program(command)
}

/// Builds programs, and says where cargo put them: the target folder may be anywhere.
///
/// As those of the whole workspace: a package by itself might want other features of what they share, and the world
/// would be built twice.
pub fn programs<const N: usize>(profile: &str, programs: [&str; N]) -> Result<[PathBuf; N]> {
    let mut command = command();
    command.arg("build");
    built_by(command, profile, programs)
}

/// The same by a cargo that has its subcommand already.
fn built_by<const N: usize>(
    mut command: Command,
    profile: &str,
    programs: [&str; N],
) -> Result<[PathBuf; N]> {
    command.args(["--profile", profile, "--workspace"]);
    command.args(programs.iter().flat_map(|program| ["--bin", program]));
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let messages = child.stdout.take().context("cargo's messages cannot be read")?;

    let mut executables: [Option<PathBuf>; N] = [const { None }; N];
    for line in BufReader::new(messages).lines() {
        let line = line.context("cargo's messages cannot be read")?;
        for (executable, program) in executables.iter_mut().zip(programs) {
            *executable = executable_in(&line, program).or(executable.take());
        }
    }
    let status = child.wait().context("lost sight of cargo")?;
    if !status.success() {
        bail!("building {} failed ({status}); what cargo says is above", programs.join(" and "));
    }
    for (executable, program) in executables.iter().zip(programs) {
        ensure!(executable.is_some(), "cargo built {program} and does not say where");
    }
    Ok(executables.map(Option::unwrap_or_default))
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
