//! The real agent, as a process in a namespace of its own, and what it printed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Bpffs, Namespace, Process, document, find_agent, machine, mix};

/// Flags for a sensor that observes what the testbed's mixes send to.
pub const OBSERVING: [&str; 4] = ["--observed", mix::OBSERVED[0], "--observed", mix::OBSERVED[1]];
/// How long an agent may take for anything that it is asked to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// A place for sensors: a namespace, and a BPF file system to pin in. Everything in it is gone on drop.
pub struct Host {
    pub namespace: Namespace,
    bpffs: Bpffs,
    logs: TempDir,
}

/// An agent that was started on a host.
pub struct Agent {
    process: Process,
    output: PathBuf,
    errors: PathBuf,
}

/// What a command printed, and how it ended.
pub struct Finished {
    pub code: Option<i32>,
    pub output: String,
    pub errors: String,
}

impl Host {
    pub fn new() -> Result<Self> {
        Ok(Self { namespace: Namespace::new()?, bpffs: Bpffs::new()?, logs: TempDir::new()? })
    }

    /// Where this host's sensor is pinned.
    pub fn pins(&self) -> PathBuf {
        self.bpffs.path().join("apus")
    }

    /// Starts `apus-sensor run`, and waits until it is attached.
    pub fn start(&self, name: &str, arguments: &[&str]) -> Result<Agent> {
        self.start_prepared(name, arguments, |_| {})
    }

    /// The same with a clock that a library makes of a file: how far it is from this machine's.
    pub fn start_with_clock(
        &self,
        name: &str,
        arguments: &[&str],
        clock: Option<(&Path, &Path)>,
    ) -> Result<Agent> {
        self.start_prepared(name, arguments, |command| {
            if let Some((library, offset)) = clock {
                // Read each time: it is there to be changed. What passes stays what passes.
                command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", offset);
                command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
            }
        })
    }

    /// The same after something was done to its process.
    pub fn start_prepared(
        &self,
        name: &str,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Agent> {
        let (output, errors) =
            (self.logs.path().join(format!("{name}.out")), self.logs.path().join(format!("{name}.err")));
        let mut command = self.command(&self.pins(), "run")?;
        prepare(&mut command);
        command.args(arguments).stdout(File::create(&output)?).stderr(File::create(&errors)?);
        let mut agent = Agent { process: Process::spawn(&mut command)?, output, errors };
        wait_until("the agent attaches", || {
            let errors = agent.errors()?;
            if let Some(status) = agent.process.try_wait()? {
                bail!("the agent ended with {status}: {errors}");
            }
            Ok(errors.contains("attached to "))
        })?;
        Ok(agent)
    }

    /// Runs one command of the agent to its end.
    pub fn run(&self, subcommand: &str, arguments: &[&str]) -> Result<Finished> {
        self.run_in(&self.pins(), subcommand, arguments)
    }

    /// The same with another pinned set.
    pub fn run_in(&self, pins: &Path, subcommand: &str, arguments: &[&str]) -> Result<Finished> {
        Finished::of(self.command(pins, subcommand)?.args(arguments))
    }

    /// The same after something was done to its process.
    pub fn run_prepared(
        &self,
        subcommand: &str,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Finished> {
        let mut command = self.command(&self.pins(), subcommand)?;
        prepare(&mut command);
        Finished::of(command.args(arguments))
    }

    /// `apus-sensor status --json`.
    pub fn status(&self) -> Result<Value> {
        let Finished { code, output, errors } = self.run("status", &["--json"])?;
        ensure!(code == Some(0), "no status: {errors}");
        Ok(serde_json::from_str(&output)?)
    }

    /// A command of the agent, in the namespace.
    pub fn command(&self, pins: &Path, subcommand: &str) -> Result<Command> {
        let mut command = self.namespace.command(find_agent()?);
        command.arg(subcommand).arg("--pin-directory").arg(pins);
        Ok(command)
    }
}

impl Finished {
    fn of(command: &mut Command) -> Result<Self> {
        let output = command.output()?;
        Ok(Self {
            code: output.status.code(),
            output: String::from_utf8(output.stdout)?,
            errors: String::from_utf8(output.stderr)?,
        })
    }
}

impl Agent {
    /// Kills it outright, as the kernel does where memory is short.
    pub fn kill(mut self) -> Result<Vec<Value>> {
        self.process.kill()?;
        self.process.wait()?;
        self.intervals()
    }

    /// Sends the signal, waits for the end, and gives the intervals that it printed.
    pub fn stop(mut self, signal: Signal) -> Result<(ExitStatus, Vec<Value>)> {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal)?;
        let status = self.wait()?;
        Ok((status, self.intervals()?))
    }

    /// Waits for an end that comes by itself.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let mut status = None;
        wait_until("the agent ends", || {
            status = self.process.try_wait()?;
            Ok(status.is_some())
        })?;
        status.context("the agent did not end")
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// What it said on the standard error so far.
    pub fn errors(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.errors)?)
    }

    /// The intervals that it printed so far. A line without its end was cut off by a kill.
    pub fn intervals(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.output)?;
        text.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }
}

/// The sum of all intervals. An agent that was killed between printing an interval and noting it prints
/// its packets again under the same number: then the later line counts.
pub fn sum(intervals: &[Value]) -> Value {
    let mut total = document::empty();
    for (place, interval) in intervals.iter().enumerate() {
        let printed_again =
            intervals[place + 1..].iter().any(|later| later["sequence"] == interval["sequence"]);
        if !printed_again {
            document::add(&mut total, interval);
        }
    }
    total
}

/// Waits for something that should come soon.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let patience = machine::patience(PATIENCE);
    let deadline = Instant::now() + patience;
    while !is_so()? {
        ensure!(Instant::now() < deadline, "waited {patience:?} in vain until {what}");
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
