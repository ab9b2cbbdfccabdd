//! A second look: the rest of a packet, from a place that tshark did not reach, shown to it by itself.
//!
//! tshark stops at the first extension header whose options make no sense, while the sensor does not
//! look into options. So the packet's bytes from the place on are put behind an IPv4 header that has
//! the place's protocol number, and tshark dissects on from there: it finds IPv6 extension headers,
//! TCP, UDP and ICMP by that number in IPv4 too. And headers that ICMP errors quote are shown to it as
//! packets of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::carrier::Carriers;
use super::packet::{Packet, Place, Quoted, Step};
use super::row::Row;
use super::workshop::{WorkFile, Workshop};
use super::{network, quoted, tshark};

/// More than eight extension headers of the greatest length, less than an IPv4 packet can hold.
const BYTES_KEPT: usize = 20_000;

/// Which packet of the capture, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    pub number: u64,
    pub time: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub which: Which,
    pub place: Place,
}

/// An ICMP error that waits for what it quotes, at the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoting {
    pub which: Which,
    pub packet: Packet,
    pub offset: u64,
}

/// The bytes of packets, by number.
pub type Bytes = BTreeMap<u64, Vec<u8>>;

/// What tshark says of the packets that wait when it sees them from their place on.
pub fn look_again(
    workshop: &Workshop,
    bytes: &Bytes,
    waiting: &[Waiting],
) -> Result<Vec<(Waiting, Result<Step>)>> {
    let mut carriers = Carriers::new();
    for Waiting { which, place } in waiting {
        carriers.add(place.protocol, rest(bytes, *which, place.offset)?)?;
    }
    look_at(workshop, &carriers, waiting, |row, one| network::walk(row, one.place))
}

/// What tshark says of the headers that ICMP errors, all of one version, quote.
pub fn look_at_quoted(
    workshop: &Workshop,
    bytes: &Bytes,
    is_ipv4: bool,
    quoting: &[Quoting],
) -> Result<Vec<(Quoting, Result<Option<Quoted>>)>> {
    let mut packets = Carriers::of_version(is_ipv4);
    for Quoting { which, offset, .. } in quoting {
        packets.add_packet(&quoted::alone(is_ipv4, rest(bytes, *which, *offset)?)?)?;
    }
    look_at(workshop, &packets, quoting, |row, _| quoted::told_alone(row, is_ipv4))
}

fn rest(bytes: &Bytes, which: Which, offset: u64) -> Result<&[u8]> {
    let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(&which.number)?.get(offset..));
    rest.with_context(|| format!("tshark gives too few bytes of packet {}", which.number))
}

/// Each of `all` with what `decide` makes of the packet that was written for it.
fn look_at<One: Copy, Found>(
    workshop: &Workshop,
    packets: &Carriers,
    all: &[One],
    decide: impl Fn(&Row, &One) -> Result<Found>,
) -> Result<Vec<(One, Result<Found>)>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let file = workshop.file();
    fs::write(file.path(), packets.capture()).context("cannot write a work file")?;
    let (mut looks, mut remaining) = (Vec::new(), all.iter());
    tshark::read(workshop, file.path(), |row| {
        let one = remaining.next().context("more packets than were written")?;
        looks.push((*one, decide(row, one)));
        Ok(())
    })?;
    ensure!(remaining.next().is_none(), "fewer packets than were written");
    Ok(looks)
}

/// The first bytes of every packet that waits, as tshark dumps them.
pub fn bytes_of(workshop: &Workshop, capture: &Path, numbers: &BTreeSet<u64>) -> Result<Bytes> {
    let mut wanted: Bytes = numbers.iter().map(|number| (*number, Vec::new())).collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    // As no link type that tshark dissects: dissecting a raw packet makes it forget what follows it.
    let opaque = relabelled(workshop, capture, "user0")?;
    let mut tshark = workshop.tool("tshark");
    tshark.args(["-n", "-T", "ek", "-x", "-J", "frame", "-r"]).arg(opaque.path());
    let mut child =
        tshark.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot start tshark")?;
    let output = child.stdout.take().context("tshark's output cannot be read")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("tshark's output cannot be read")?;
        let Value::Object(document) = serde_json::from_str(&line).context("tshark's JSON")? else {
            continue;
        };
        // Every second line is for the database that this format was made for.
        let Some(layers) = document.get("layers") else {
            continue;
        };
        let number = layers["frame"]["frame_frame_number"].as_str().unwrap_or_default();
        let number: u64 = number.parse().context("tshark's packet number")?;
        if let Some(bytes) = wanted.get_mut(&number) {
            *bytes = from_hexadecimal(layers["frame_raw"].as_str().unwrap_or_default())?;
        }
    }
    child.wait().context("lost sight of tshark")?;
    Ok(wanted)
}

fn from_hexadecimal(text: &str) -> Result<Vec<u8>> {
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    let kept = &pairs[..pairs.len().min(BYTES_KEPT)];
    let byte = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair).context("tshark's hexadecimal digits")?;
        u8::from_str_radix(pair, 16).with_context(|| format!("{pair:?} is no byte"))
    };
    kept.iter().map(byte).collect()
}

/// The same capture under the name of another link type, in `editcap`'s words.
pub fn relabelled(workshop: &Workshop, capture: &Path, link_type: &str) -> Result<WorkFile> {
    let file = workshop.file();
    let mut editcap = workshop.tool("editcap");
    editcap.args(["-T", link_type]).arg(capture).arg(file.path());
    // On a capture that is cut short it complains when it has written all there is; whether every
    // packet is there is checked when they are read.
    editcap.output().context("cannot start editcap")?;
    Ok(file)
}
