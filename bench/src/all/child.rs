//! One benchmark as a process of its own, bounded in time.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use testbed::Namespace;

use crate::results::{Measurement, Outcome};

/// How often to look whether it has ended.
const MOMENT: Duration = Duration::from_millis(100);
/// What the line of an error begins with.
const OWN: &str = "apus-bench: ";
/// Of what it says of its failure.
const MOST_LINES: usize = 3;

pub struct Child<'a> {
    pub program: &'a Path,
    /// Without what asks for JSON.
    pub words: &'a [String],
    pub limit: Duration,
}

/// How it ended.
struct Ended {
    /// Absent where it took too long.
    status: Option<ExitStatus>,
    answer: String,
    complaints: String,
}

impl Child<'_> {
    /// Runs it to its end; `tick` is called now and then.
    pub fn run(&self, tick: impl FnMut()) -> Outcome {
        match self.wait(tick) {
            Ok(ended) => outcome(&ended, self.limit),
            Err(error) => Outcome::Failed(format!("cannot run {}: {error}", self.program.display())),
        }
    }

    fn wait(&self, mut tick: impl FnMut()) -> std::io::Result<Ended> {
        let mut command = Command::new(self.program);
        // In this process group, so that Ctrl-C is for both.
        command.args(self.words).arg("--json").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (answer, complaints) = (read(child.stdout.take()), read(child.stderr.take()));
        let deadline = Instant::now() + self.limit;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                break None;
            }
            tick();
            thread::sleep(MOMENT);
        };
        if status.is_none_or(|status| !status.success()) {
            // Whoever is killed removes nothing; and what runs in them would keep the pipes open.
            Namespace::remove_those_of(child.id());
        }
        Ok(Ended { status, answer: text(answer), complaints: text(complaints) })
    }
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
    let Ended { status, answer, complaints } = ended;
    let Some(status) = status else {
        return Outcome::Failed(format!("it took longer than {} s, and was ended", limit.as_secs()));
    };
    if !status.success() {
        // Its last word begins with its name; a program that crashes says something else at the end.
        let last = complaints.rsplit_once(OWN).map(|(_, last)| last);
        let lines: Vec<&str> =
            last.unwrap_or(complaints).lines().filter(|line| !line.trim().is_empty()).collect();
        let from = if last.is_some() { 0 } else { lines.len().saturating_sub(MOST_LINES) };
        let said = lines.iter().skip(from).take(MOST_LINES).copied().collect::<Vec<_>>().join("; ");
        return Outcome::Failed(if said.is_empty() {
            status.to_string()
        } else {
            format!("{said} ({status})")
        });
    }
    match serde_json::from_str::<Measurement>(answer) {
        Ok(measurement) => Outcome::Measured(measurement),
        Err(error) => Outcome::Failed(format!("its answer is no measurement: {error}")),
    }
}

#[cfg(test)]
mod tests;
