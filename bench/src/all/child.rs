//! One benchmark as a process of its own, bounded in time.

use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::results::{Measurement, Outcome};

/// How often to look whether it has ended.
const MOMENT: Duration = Duration::from_millis(100);
/// What the line of an error begins with.
const OWN: &str = "apus-bench: ";
/// Of a line of what it says of its failure, in characters.
const LONGEST_LINE: usize = 400;
/// For who is asked to end, to do so in its own way.
const GRACE: Duration = Duration::from_secs(10);

pub struct Child<'a> {
    pub program: &'a Path,
    /// Without what asks for JSON.
    pub words: &'a [String],
    pub limit: Duration,
    /// Whether somebody wants all of it to end.
    pub interrupted: &'a AtomicBool,
}

/// How it ended.
struct Ended {
    status: ExitStatus,
    early: Option<Early>,
    answer: String,
    complaints: String,
}

/// Why it was ended.
#[derive(Clone, Copy)]
enum Early {
    TooLong,
    Interrupted,
}

impl Child<'_> {
    /// Runs it to its end; `tick` is called now and then.
    pub fn run(&self, tick: impl FnMut()) -> Outcome {
        match self.wait(tick) {
            Ok(ended) => outcome(&ended, self.limit),
            Err(error) => Outcome::Failed(format!("cannot run {}: {error}", self.program.display())),
        }
    }

    fn wait(&self, mut tick: impl FnMut()) -> io::Result<Ended> {
        let mut command = Command::new(self.program);
        // In a group of its own, which can be ended as a whole; Ctrl-C reaches it by way of this process.
        command.args(self.words).arg("--json").stdin(Stdio::null()).process_group(0);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (answer, complaints) = (read(child.stdout.take()), read(child.stderr.take()));
        let deadline = Instant::now() + self.limit;
        let mut early = None;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if self.interrupted.load(Ordering::Relaxed) {
                early = Some(Early::Interrupted);
            } else if Instant::now() > deadline {
                early = Some(Early::TooLong);
            }
            if early.is_some() {
                break end(&mut child)?;
            }
            tick();
            thread::sleep(MOMENT);
        };
        if !status.success() {
            // Whoever is killed removes nothing; and what runs in them would keep the pipes open.
            testbed::remove_left_by(child.id());
        }
        Ok(Ended { status, early, answer: text(answer), complaints: text(complaints) })
    }
}

/// Asks it to end, and after a while does not ask. Whoever is left of its group is ended with it.
fn end(child: &mut std::process::Child) -> io::Result<ExitStatus> {
    let group = Pid::from_raw(child.id().cast_signed());
    // Each fails only where nobody is left of it.
    let _asked = killpg(group, Signal::SIGTERM);
    let deadline = Instant::now() + GRACE;
    let mut status = None;
    while status.is_none() && Instant::now() < deadline {
        thread::sleep(MOMENT);
        status = child.try_wait()?;
    }
    let _ended = killpg(group, Signal::SIGKILL);
    status.map_or_else(|| child.wait(), Ok)
}

fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is no answer, and is found to be none.
        let _read = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        bytes
    })
}

fn text(reader: JoinHandle<Vec<u8>>) -> String {
    let bytes = reader.join().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn outcome(ended: &Ended, limit: Duration) -> Outcome {
    let Ended { status, early, answer, complaints } = ended;
    match early {
        Some(Early::TooLong) => {
            return Outcome::Failed(format!("it took longer than {} s, and was ended", limit.as_secs()));
        }
        Some(Early::Interrupted) => return Outcome::Failed("interrupted".into()),
        None => {}
    }
    if !status.success() {
        // Its last word begins with its name; a program that crashes says something else at the end.
        let said = complaints.rsplit_once(OWN).map_or(complaints.as_str(), |(_, last)| last);
        let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let (first, last) = (lines.next(), lines.next_back());
        let said: Vec<String> = [first, last].into_iter().flatten().map(bounded).collect();
        return Outcome::Failed(if said.is_empty() {
            status.to_string()
        } else {
            format!("{} ({status})", said.join("; "))
        });
    }
    match serde_json::from_str::<Measurement>(answer) {
        Ok(measurement) => Outcome::Measured(measurement),
        Err(error) => Outcome::Failed(format!("its answer is no measurement: {error}")),
    }
}

/// A line, without its middle where it is very long.
fn bounded(line: &str) -> String {
    let length = line.chars().count();
    if length <= LONGEST_LINE {
        return line.into();
    }
    let begin: String = line.chars().take(LONGEST_LINE / 2).collect();
    let end: String = line.chars().skip(length - LONGEST_LINE / 2).collect();
    format!("{begin} … {end}")
}

#[cfg(test)]
mod tests;
