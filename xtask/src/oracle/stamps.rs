//! A second look at times: the stamps of a pcap's packet headers, where tshark's times are in doubt.
//!
//! A damaged fraction of a second may be a second and more, up to 2^32 µs. The sensor carries it over.
//! tshark makes nanoseconds of it in 32 bits, and from 4.3 s on they overflow. But tshark also
//! dissects capture files as files, and then prints the two numbers as they stand.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::clock::{Doubts, Stamps};
use super::file_type::{self, NANOSECOND_PCAP, PCAP};
use super::workshop::Workshop;

const FIELDS: [&str; 2] = ["pcap.packet.timestamp.sec", "pcap.packet.timestamp.usec"];

/// The stamps of a capture whose times raised these doubts, if it is one where they are justified.
pub fn settle(workshop: &Workshop, capture: &Path, doubts: Doubts) -> Result<Option<Stamps>> {
    let Doubts { beyond_a_second, finer_than_microseconds } = doubts;
    if !beyond_a_second && !finer_than_microseconds {
        return Ok(None);
    }
    let file_type = file_type::of(workshop, capture)?;
    match file_type.as_str() {
        PCAP => read(workshop, capture, 1_000).map(Some),
        NANOSECOND_PCAP if beyond_a_second => read(workshop, capture, 1).map(Some),
        _ => Ok(None),
    }
}

fn read(workshop: &Workshop, capture: &Path, nanoseconds_each: u64) -> Result<Stamps> {
    let mut tshark = workshop.tool("tshark");
    tshark.args(["-n", "-X", "read_format:MIME Files Format", "-r"]).arg(capture);
    tshark.args(["-T", "fields", "-E", "aggregator=,"]);
    for field in FIELDS {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().context("cannot start tshark")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    parse(&printed, nanoseconds_each).with_context(|| format!("tshark, of the file itself: {printed:?}"))
}

/// One line: all seconds, and all fractions.
pub fn parse(printed: &str, nanoseconds_each: u64) -> Result<Stamps> {
    let (seconds, fractions) = printed.trim_end_matches('\n').split_once('\t').context("two fields")?;
    let numbers = |text: &str| -> Result<Vec<u64>> {
        text.split(',').map(|number| number.parse().context("a stamp")).collect()
    };
    let (seconds, fractions) = (numbers(seconds)?, numbers(fractions)?);
    ensure!(seconds.len() == fractions.len(), "as many fractions as seconds");
    let stamps = seconds.iter().zip(&fractions);
    Ok(stamps.map(|(seconds, fraction)| seconds * 1_000_000_000 + fraction * nanoseconds_each).collect())
}
