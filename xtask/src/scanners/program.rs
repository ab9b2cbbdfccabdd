//! Programs in the namespaces, none of which outlives this process.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::search_path;

/// The network namespace that scanners run in. This process itself is in the target's.
pub const SCANNER: &str = "/run/netns/scanner";
/// The folder that [`hide_run`] has made; it ends with the namespaces.
const FOLDER: &str = "/run";
/// What is said, for whoever has to understand a failure.
const LOG: &str = "/run/log";
/// No scan takes a quarter of this.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// Puts an empty folder before the host's /run, where `ip` keeps the names of network namespaces: ours
/// is not seen outside.
pub fn hide_run() -> Result<()> {
    let mut mount = Command::new("mount");
    let status = mount.args(["-t", "tmpfs", "scanners", "/run"]).status().context("cannot start mount")?;
    ensure!(status.success(), "cannot mount a file system of our own ({status})");
    Ok(())
}

/// A command of these words that the kernel kills when this process ends.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).args(words);
    // Some scanners leave files where they are stopped.
    command.env("PATH", search_path::joined()).env("LC_ALL", "C").stdin(Stdio::null()).current_dir(FOLDER);
    command
}

/// Runs a command line to its end.
pub fn run(line: &str) -> Result<()> {
    finish(line, command(line.split_whitespace()))
}

/// Runs a command line to its end, in another network namespace.
pub fn run_within(network: &str, line: &str) -> Result<()> {
    finish(line, command_within(network, line.split_whitespace()))
}

pub fn command_within<'a>(network: &'a str, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = command([]);
    // Not `ip netns exec`, which shows another /sys.
    command.arg("nsenter").arg(format!("--net={network}")).arg("--").args(words);
    command
}

fn finish(line: &str, mut command: Command) -> Result<()> {
    let log = File::create(LOG).with_context(|| format!("cannot write {LOG}"))?;
    let errors = log.try_clone().with_context(|| format!("cannot write {LOG} twice"))?;
    let mut child = command.stdout(log).stderr(errors).spawn().context("cannot start setpriv")?;
    let status = wait(&mut child).with_context(|| format!("`{line}`"))?;
    // hping3 calls it a failure when nobody answers.
    let is_success = status.success() || line.starts_with("hping3") && status.code() == Some(1);
    let words = || fs::read_to_string(LOG).unwrap_or_default();
    ensure!(is_success, "`{line}` failed ({status}):\n{}", words().trim());
    Ok(())
}

fn wait(child: &mut Child) -> Result<ExitStatus> {
    let deadline = Instant::now() + LONGEST_RUN;
    loop {
        if let Some(status) = child.try_wait().context("lost sight of it")? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            bail!("still ran after {} seconds", LONGEST_RUN.as_secs());
        }
        thread::sleep(Duration::from_millis(10));
    }
}
