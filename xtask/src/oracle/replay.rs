//! The sensor's own counts of a capture.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::counters::Counters;
use super::tshark::complaint;

/// Exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

#[derive(Debug)]
pub struct Replay {
    pub counters: Counters,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Complete,
    /// It reported why it read no further, in these words.
    Refused(String),
    /// It ended in a way that no capture must make it end.
    Crashed(String),
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => formatter.write_str("read to the end"),
            Self::Refused(words) => write!(formatter, "stopped ({words})"),
            Self::Crashed(words) => write!(formatter, "crashed ({words})"),
        }
    }
}

pub fn replay(sensor: &Path, capture: &Path) -> Result<Replay> {
    let output = Command::new(sensor)
        .args(["replay", "--json"])
        .arg(capture)
        .output()
        .with_context(|| format!("cannot start {}", sensor.display()))?;
    let words = complaint(&String::from_utf8_lossy(&output.stderr));
    let end = match output.status.code() {
        Some(0) => End::Complete,
        None | Some(PANICKED) => End::Crashed(format!("{}: {words}", output.status)),
        Some(_) if words.is_empty() => End::Crashed(format!("{}, without a word", output.status)),
        Some(_) => End::Refused(words.clone()),
    };
    if let End::Crashed(_) = end {
        return Ok(Replay { counters: Counters::default(), end });
    }
    // It prints what it counted even of a capture that it cannot read to the end, or at all: without
    // a document it was not the capture that stopped it.
    let document = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("no JSON document from the sensor, which says: {words}"))?;
    let counters = Counters::from_document(&document)?;
    Ok(Replay { counters, end })
}
