//! How far it is: a line for each benchmark, which a terminal shows anew every second.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::results::Outcome;

pub struct Progress {
    name: &'static str,
    expected: Duration,
    begun: Instant,
    /// Seconds that the line shows.
    shown: Option<u64>,
}

impl Progress {
    pub fn begin(name: &'static str, expected: Duration) -> Self {
        Self { name, expected, begun: Instant::now(), shown: None }
    }

    /// Shows it anew, where that is another line.
    pub fn tick(&mut self) {
        let seconds = self.begun.elapsed().as_secs();
        let is_terminal = io::stderr().is_terminal();
        // In a file, a line at the beginning will do.
        if self.shown == Some(seconds) || (self.shown.is_some() && !is_terminal) {
            return;
        }
        self.shown = Some(seconds);
        let line = format!("{:<10} {:>4} s of about {} s", self.name, seconds, self.expected.as_secs());
        write(&if is_terminal { format!("\r{line}\x1b[K") } else { format!("{line}\n") });
    }

    /// Shows how it ended, and says how many seconds it took.
    pub fn end(&self, outcome: &Outcome) -> f64 {
        let seconds = self.begun.elapsed().as_secs_f64();
        let words = match outcome {
            Outcome::Measured(measurement) => {
                let missed = measurement.aims.iter().filter(|aim| !aim.is_met()).count();
                let figures = format!("figures: {}", measurement.figures.len());
                let aims = if missed > 0 { format!(", aims missed: {missed}") } else { String::new() };
                let warnings = measurement.warnings.len();
                let warnings = if warnings > 0 { format!(", warnings: {warnings}") } else { String::new() };
                format!("{seconds:>4.0} s: {figures}{aims}{warnings}")
            }
            Outcome::Failed(reason) => format!("{seconds:>4.0} s: FAILED: {reason}"),
            Outcome::LeftOut(reason) => format!("       not run: {reason}"),
        };
        let begin = if io::stderr().is_terminal() { "\r" } else { "" };
        let clear = if begin.is_empty() { "" } else { "\x1b[K" };
        write(&format!("{begin}{:<10} {words}{clear}\n", self.name));
        seconds
    }
}

/// Who has closed the terminal does not want to see it.
fn write(text: &str) {
    let _nobody_looks = io::stderr().write_all(text.as_bytes());
}
