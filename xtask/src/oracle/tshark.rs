//! tshark, asked for the fields of every packet of a capture.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use anyhow::{Context, Result};

use super::row::{AGGREGATOR, Field, Row, SEPARATOR};
use super::workshop::Workshop;

/// Every packet is to be judged by itself and by what is in it.
const PREFERENCES: [&str; 7] = [
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    // A length of 0 is to be shown as the 0 that it is.
    "ip.tso_support:FALSE",
    "ipv6.tso_support:FALSE",
];

/// tshark has dissectors of their own for these tags, with other fields; one will do for all three.
const DECODED_AS: [&str; 2] = ["ethertype==0x88a8,vlan", "ethertype==0x9100,vlan"];

/// What tshark says of the file when it has read what it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Complete,
    Broken(String),
}

/// Gives every packet's fields to `each`, in the order of the capture.
pub fn read(workshop: &Workshop, capture: &Path, mut each: impl FnMut(&Row) -> Result<()>) -> Result<Ending> {
    let mut command = workshop.tool("tshark");
    command.arg("-n").arg("-r").arg(capture);
    for preference in PREFERENCES {
        command.args(["-o", preference]);
    }
    for decoded_as in DECODED_AS {
        command.args(["-d", decoded_as]);
    }
    command.args(["-T", "fields", "-E", "occurrence=a", "-E", "header=n", "-E", "quote=n"]);
    command.arg("-E").arg(format!("separator={SEPARATOR}"));
    command.arg("-E").arg(format!("aggregator={AGGREGATOR}"));
    for name in Field::NAMES {
        command.args(["-e", name]);
    }
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot start tshark")?;
    let output = child.stdout.take().context("tshark's output cannot be read")?;
    let mut complaints = child.stderr.take().context("tshark's errors cannot be read")?;
    // Read aside, so that tshark never waits for room in either pipe.
    let complaints = thread::spawn(move || {
        let mut text = Vec::new();
        complaints.read_to_end(&mut text).map(|_| text)
    });
    for line in BufReader::new(output).lines() {
        let line = line.context("tshark's output cannot be read")?;
        each(&Row::parse(&line)?)?;
    }
    let status = child.wait().context("lost sight of tshark")?;
    let complaints = complaints.join().ok().context("tshark's errors cannot be read")??;
    if status.success() {
        return Ok(Ending::Complete);
    }
    let complaints = complaint(&String::from_utf8_lossy(&complaints));
    Ok(Ending::Broken(format!("tshark: {status}: {complaints}")))
}

/// What is left of a program's standard error without the reproach that root gets.
pub fn complaint(standard_error: &str) -> String {
    let lines: Vec<&str> = standard_error
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Running as user"))
        .collect();
    lines.join(" | ")
}
