//! What is under way, for who waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

/// Says on standard error what is being done for a quarter.
pub struct Progress {
    name: String,
    began: Instant,
    is_terminal: bool,
}

impl Progress {
    pub fn new(name: String) -> Self {
        Self { name, began: Instant::now(), is_terminal: io::stderr().is_terminal() }
    }

    /// The next step: over the last one on a terminal, else a line of its own.
    pub fn say(&self, step: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        let line = format!("{} {seconds:>5.1} s  {step}", self.name);
        let text = if self.is_terminal { format!("\r\x1b[K{line}") } else { format!("{line}\n") };
        let mut output = io::stderr().lock();
        // Nobody looks where it is closed.
        let _nobody_looks = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }

    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            let _nobody_looks = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
