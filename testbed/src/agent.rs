//! The real agent, as a process of its own.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{End, Process, mix, process, program};

const NAME: &str = "apus-sensor";
/// How long it may take to load its program, on a machine with much else to do.
const LONGEST_START: Duration = Duration::from_mins(1);
/// How long it may take to print its last interval.
const LONGEST_STOP: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(50);

/// What the agent says.
enum Said {
    /// On its standard output: an interval.
    Interval(Value),
    /// On its standard error.
    Words(String),
}

/// A running agent, attached to an interface. It is killed on drop.
pub struct Agent {
    process: Process,
    program: PathBuf,
    pins: PathBuf,
    said: Receiver<Said>,
    words: Vec<String>,
    intervals: Vec<Value>,
}

/// Where the agent's program is: where `cargo xtask` has built it, or beside this program.
///
/// # Errors
/// Where it is at neither place.
pub fn find_agent() -> Result<PathBuf> {
    program::find("APUS_SENSOR", NAME)
}

/// Where the benchmarks' program is, in the same way.
///
/// # Errors
/// Where it is at neither place.
pub fn find_bench() -> Result<PathBuf> {
    program::find("APUS_BENCH", "apus-bench")
}

impl Agent {
    /// Starts it, dropping what the mixes of this testbed send unless `arguments` have another `--action`, and
    /// returns when it is attached.
    ///
    /// # Errors
    /// Where it does not attach, or `is_interrupted` says that nobody waits for it any more.
    pub fn start(
        program: &Path,
        end: &End<'_>,
        pins: &Path,
        arguments: &[&str],
        is_interrupted: impl Fn() -> bool,
    ) -> Result<Self> {
        let mut command = end.namespace.command(program);
        command.args(["run", "--interface", &end.interface, "--output", "json"]);
        if !arguments.contains(&"--action") {
            command.args(["--action", "drop"]);
        }
        command.args(arguments);
        command.args(mix::OBSERVED.iter().flat_map(|prefix| ["--observed", prefix]));
        command.arg("--pin-directory").arg(pins);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::spawn(command)?;
        let (sender, said) = channel();
        let (output, error) = (process.stdout.take(), process.stderr.take());
        let interval = |line: String| serde_json::from_str(&line).map_or(Said::Words(line), Said::Interval);
        listen(output.context("the agent's output cannot be read")?, sender.clone(), interval);
        listen(error.context("the agent's messages cannot be read")?, sender, Said::Words);
        let (program, pins) = (program.into(), pins.into());
        let mut agent = Self { process, program, pins, said, words: Vec::new(), intervals: Vec::new() };
        let deadline = Instant::now() + LONGEST_START;
        while agent.attachment().is_empty() {
            ensure!(!is_interrupted(), "interrupted");
            agent.listen()?;
            ensure!(
                Instant::now() < deadline,
                "the agent does not attach; it says: {}",
                agent.words.join("; ")
            );
            thread::sleep(MOMENT);
        }
        Ok(agent)
    }

    /// Its own words on how it is attached; empty before it is.
    #[must_use]
    pub fn attachment(&self) -> String {
        let words = self.words.iter().find_map(|words| words.split_once("attached to "));
        words.map(|(_, how)| how.to_owned()).unwrap_or_default()
    }

    /// Takes in what it has said.
    ///
    /// # Errors
    /// Where the agent is no more.
    pub fn listen(&mut self) -> Result<()> {
        let ended = self.process.try_wait().context("lost sight of the agent")?;
        while let Ok(said) = self.said.try_recv() {
            self.note(said);
        }
        if let Some(status) = ended {
            bail!("the agent ended by itself ({status}); it said: {}", self.words.join("; "));
        }
        Ok(())
    }

    fn note(&mut self, said: Said) {
        match said {
            Said::Interval(interval) => self.intervals.push(interval),
            Said::Words(words) => self.words.push(words),
        }
    }

    /// Kills it outright.
    pub fn kill(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }

    /// The intervals so far.
    #[must_use]
    pub fn intervals(&self) -> &[Value] {
        &self.intervals
    }

    /// Tells it to stop, waits until it has, and gives every interval, the last one included.
    ///
    /// # Errors
    /// Where it does not stop, or has failed.
    pub fn stop(&mut self) -> Result<Vec<Value>> {
        let process = Pid::from_raw(self.process.id().cast_signed());
        self.listen()?;
        kill(process, Signal::SIGTERM).context("cannot stop the agent")?;
        let deadline = Instant::now() + LONGEST_STOP;
        let status = loop {
            if let Some(status) = self.process.try_wait().context("lost sight of the agent")? {
                break status;
            }
            ensure!(Instant::now() < deadline, "the agent does not stop");
            thread::sleep(MOMENT);
        };
        // Until both of its streams have come to their end.
        while let Ok(said) = self.said.recv_timeout(LONGEST_STOP) {
            self.note(said);
        }
        ensure!(status.success(), "the agent failed ({status}); it said: {}", self.words.join("; "));
        Ok(std::mem::take(&mut self.intervals))
    }

    /// Processor time that it has used so far, in all its threads.
    ///
    /// # Errors
    /// Where it is no more.
    pub fn processor_time(&self) -> Result<Duration> {
        process::processor_time(self.process.id())
    }

    /// The most memory that it has had at a time, in bytes.
    ///
    /// # Errors
    /// Where it is no more.
    pub fn most_memory(&self) -> Result<u64> {
        process::most_memory(self.process.id())
    }

    /// Removes what the agent leaves attached and pinned for its successor.
    ///
    /// # Errors
    /// Where something is left.
    pub fn detach(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        crate::run(command.arg("detach").arg("--pin-directory").arg(&self.pins))?;
        ensure!(!self.pins.exists(), "the agent has detached, and left {} behind", self.pins.display());
        Ok(())
    }
}

/// Passes lines on from a thread of its own, until the stream ends.
fn listen(
    stream: impl Read + Send + 'static,
    to: Sender<Said>,
    said: impl Fn(String) -> Said + Send + 'static,
) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if to.send(said(line)).is_err() {
                break;
            }
        }
    });
}
