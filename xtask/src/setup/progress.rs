//! Runs a long command, showing that it lives without repeating all it says.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, Write, stderr};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::command_line::CommandLine;

const TAIL_LINES: usize = 20;
/// Where nothing can be overwritten, as in a log, a line now and then is enough.
const LOG_EVERY: Duration = Duration::from_secs(10);
/// Short enough for one row of any terminal.
const SHOWN_LETTERS: usize = 66;

pub struct Outcome {
    pub success: bool,
    pub ending: ExitStatus,
    pub tail: String,
}

impl Outcome {
    /// What apt warned of or failed at.
    pub fn remarks(&self) -> String {
        let remark =
            |line: &&str| ["W:", "E:", "Err:"].iter().any(|mark| line.trim_start().starts_with(mark));
        self.tail.lines().filter(remark).map(|line| format!("{line}\n")).collect()
    }
}

pub fn run(command_line: &CommandLine, mut command: Command) -> Result<Outcome> {
    eprintln!("setup: {command_line}");
    // One pipe for both streams keeps their order.
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone().context("cannot make a pipe")?).stderr(writer);
    let mut child = command.spawn().with_context(|| {
        format!("cannot start `{command_line}`: is {} on the PATH?", command_line.program)
    })?;
    // It holds the writing ends, and while it does the pipe has no end.
    drop(command);

    let mut tail = VecDeque::with_capacity(TAIL_LINES);
    let mut display = Display::new();
    let mut lines = BufReader::new(reader).split(b'\n');
    while let Some(line) = lines.next().transpose().context("cannot read what it says")? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        display.show(&line);
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(format!("  {line}\n"));
    }
    let status = child.wait().with_context(|| format!("lost sight of `{command_line}`"))?;
    display.finish();
    Ok(Outcome { success: status.success(), ending: status, tail: tail.into_iter().collect() })
}

struct Display {
    overwrite: bool,
    started: Instant,
    shown: Instant,
}

impl Display {
    fn new() -> Self {
        let now = Instant::now();
        Self { overwrite: stderr().is_terminal(), started: now, shown: now }
    }

    fn show(&mut self, line: &str) {
        if !self.overwrite && self.shown.elapsed() < LOG_EVERY {
            return;
        }
        self.shown = Instant::now();
        let seconds = self.started.elapsed().as_secs();
        let shown: String = line.trim().chars().take(SHOWN_LETTERS).collect();
        if self.overwrite {
            eprint!("\r\x1b[2K  {seconds} s: {shown}");
            // A progress line that cannot be shown is no reason to stop installing.
            let _ = stderr().flush();
        } else {
            eprintln!("  {seconds} s: {shown}");
        }
    }

    fn finish(&self) {
        if self.overwrite {
            eprint!("\r\x1b[2K");
        }
    }
}
