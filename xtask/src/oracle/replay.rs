//! The sensor's own counts and flows of a capture.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::counters::Counters;
use super::flows::{self, BY_SOURCE, BY_TUPLE, Schema, Table, Tables};
use super::sensor::{Played, Sensor};
use super::tshark::complaint;
use super::workshop::Workshop;

/// Exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

#[derive(Debug)]
pub struct Replay {
    pub counters: Counters,
    pub flows: Tables,
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

/// Twice, as flows are told apart in two ways.
pub fn replay(workshop: &Workshop, sensor: &Sensor, capture: &Path) -> Result<Replay> {
    let (counters, end, by_source) = replay_by(&BY_SOURCE, workshop, sensor, capture)?;
    let (same_counters, same_end, by_tuple) = replay_by(&BY_TUPLE, workshop, sensor, capture)?;
    ensure!(
        (&same_counters, &same_end) == (&counters, &end),
        "the sensor counts in another way when it tells flows apart in another"
    );
    Ok(Replay { counters, flows: Tables { by_source, by_tuple }, end })
}

fn replay_by(
    schema: &Schema,
    workshop: &Workshop,
    sensor: &Sensor,
    capture: &Path,
) -> Result<(Counters, End, Table)> {
    let Played { code, output, errors, flows, _file } = sensor.play(schema.flow_key, workshop, capture)?;
    let words = complaint(&errors);
    let end = match code {
        Some(0) => End::Complete,
        None | Some(PANICKED) => End::Crashed(format!("{}: {words}", ending(code))),
        Some(_) if words.is_empty() => End::Crashed(format!("{}, without a word", ending(code))),
        Some(_) => End::Refused(words.clone()),
    };
    if let End::Crashed(_) = end {
        return Ok((Counters::default(), end, Table::new()));
    }
    // It prints what it counted even of a capture that it cannot read to the end, or at all: without
    // a document it was not the capture that stopped it.
    let document = serde_json::from_slice(&output)
        .with_context(|| format!("no JSON document from the sensor, which says: {words}"))?;
    let counters = Counters::from_document(&document)?;
    let table = flows::read(schema, &flows)?;
    Ok((counters, end, table))
}

fn ending(code: Option<i32>) -> String {
    code.map_or_else(|| "killed by a signal".to_owned(), |code| format!("exit code {code}"))
}
