//! tcpdump, for as long as a scan takes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};

use super::program::{self, SCANNER};
use super::scan::View;

/// Every packet is written as it comes: nothing is left to be written when tcpdump is stopped.
/// As root to the end, or the kernel would forget to kill it with this process.
const TCPDUMP: [&str; 8] =
    ["tcpdump", "--immediate-mode", "--packet-buffered", "-n", "-Z", "root", "--snapshot-length", "0"];

pub struct Recording {
    tcpdump: Child,
}

impl Recording {
    /// Returns when packets are being written.
    pub fn start(view: View, capture: &Path) -> Result<Self> {
        let (interface, direction) = match view {
            View::Telescope => ("target", "in"),
            View::Conversation => ("target", "inout"),
            View::Backscatter => ("scanner", "in"),
        };
        let words = TCPDUMP.into_iter().chain(["--interface", interface, "--direction", direction, "-w"]);
        let mut command = match view {
            View::Backscatter => program::command_within(SCANNER, words),
            View::Telescope | View::Conversation => program::command(words),
        };
        let mut tcpdump =
            command.arg(capture).stderr(Stdio::piped()).spawn().context("cannot start setpriv")?;
        let words = tcpdump.stderr.take().context("tcpdump's words cannot be read")?;
        let recording = Self { tcpdump };
        let mut words = BufReader::new(words);
        let mut said = String::new();
        while !said.contains("listening on") {
            let length = words.read_line(&mut said).context("tcpdump's words cannot be read")?;
            ensure!(length > 0, "tcpdump does not listen:\n{}", said.trim());
        }
        Ok(recording)
    }

    /// Returns when nothing is being written any more.
    pub fn stop(mut self) -> Result<()> {
        let ended = self.tcpdump.try_wait().context("lost sight of tcpdump")?;
        ensure!(ended.is_none(), "tcpdump did not listen to the end: is there room for the capture?");
        Ok(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}
