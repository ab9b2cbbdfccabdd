//! What the counters of a capture should be, by tshark's word alone.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Result, ensure};

use super::counters::Counters;
use super::link::{self, RAW_IP};
use super::packet::Step;
use super::row::{Field, Row};
use super::second_look::{self, Waiting};
use super::tshark;
use super::workshop::Workshop;
use super::{expectation, network};

/// How the capture ends for a reader that understands the sensor's link types only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Complete,
    /// Cut short or damaged, and tshark's words for it.
    Broken(String),
    /// Goes on with a packet of another link layer: tshark's number for it.
    OtherLink {
        packet: u64,
        encapsulation: String,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => formatter.write_str("read to the end"),
            Self::Broken(complaint) => write!(formatter, "stopped ({complaint})"),
            Self::OtherLink { packet, encapsulation } => {
                write!(formatter, "packet {packet} is of another link layer ({encapsulation})")
            }
        }
    }
}

#[derive(Debug)]
pub struct Judgement {
    pub counters: Counters,
    pub ending: Ending,
    /// Packets that tshark decided only when shown their rest.
    pub second_looks: u64,
    /// Packets of which tshark gives too few facts, and which.
    pub undecided: Vec<String>,
}

pub fn judge(workshop: &Workshop, capture: &Path) -> Result<Judgement> {
    let mut judge = Judge::default();
    let ending = tshark::read(workshop, capture, |row| judge.first_look(row))?;
    judge.look_at_raw(workshop, capture)?;
    let second_looks = judge.waiting.len() as u64;
    judge.look_again(workshop, capture)?;
    let Judge { counters, stopped, undecided, .. } = judge;
    let ending = match (stopped, ending) {
        (Some(ending), _) => ending,
        (None, tshark::Ending::Complete) => Ending::Complete,
        (None, tshark::Ending::Broken(complaint)) => Ending::Broken(complaint),
    };
    Ok(Judgement { counters, ending, second_looks, undecided })
}

#[derive(Default)]
struct Judge {
    counters: Counters,
    stopped: Option<Ending>,
    /// Packets of captures of raw IP, to be judged when relabelled.
    raw: BTreeSet<u64>,
    waiting: Vec<Waiting>,
    undecided: Vec<String>,
}

impl Judge {
    fn first_look(&mut self, row: &Row) -> Result<()> {
        if self.stopped.is_some() {
            return Ok(());
        }
        let packet = row.fact(Field::FrameNumber)?;
        let encapsulation = row.number(Field::FrameEncapsulation, 0)?;
        if !encapsulation.is_some_and(link::is_supported) {
            let text = row.text(Field::FrameEncapsulation, 0).unwrap_or("none").to_owned();
            self.stopped = Some(Ending::OtherLink { packet, encapsulation: text });
            return Ok(());
        }
        expectation::count_frame(&mut self.counters, row.fact(Field::FrameLength)?);
        if encapsulation == Some(RAW_IP) {
            self.raw.insert(packet);
        } else {
            let step = link::link(row).and_then(|link| network::decide(row, link));
            self.take(packet, step);
        }
        Ok(())
    }

    fn look_at_raw(&mut self, workshop: &Workshop, capture: &Path) -> Result<()> {
        if self.raw.is_empty() {
            return Ok(());
        }
        // As raw IPv4: as raw IP, tshark guesses from the first bytes whether it is PPP.
        let relabelled = second_look::relabelled(workshop, capture, "rawip4")?;
        let mut expected = std::mem::take(&mut self.raw);
        tshark::read(workshop, relabelled.path(), |row| {
            let packet = row.fact(Field::FrameNumber)?;
            if expected.remove(&packet) {
                let step = link::raw_link(row).and_then(|link| network::decide(row, link));
                self.take(packet, step);
            }
            Ok(())
        })?;
        ensure!(expected.is_empty(), "editcap lost {} packets of raw IP", expected.len());
        Ok(())
    }

    fn look_again(&mut self, workshop: &Workshop, capture: &Path) -> Result<()> {
        let bytes = second_look::bytes_of(workshop, capture, &self.waiting)?;
        while !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            for (one, step) in second_look::look_again(workshop, &bytes, &waiting)? {
                match step {
                    Ok(Step::LookAgain(place)) if place.offset <= one.place.offset => {
                        let Waiting { packet, place } = one;
                        self.undecided.push(format!(
                            "packet {packet}: nothing of protocol {} at byte {}",
                            place.protocol, place.offset
                        ));
                    }
                    step => self.take(one.packet, step),
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, packet: u64, step: Result<Step>) {
        match step {
            Ok(Step::Decided(decided)) => expectation::count(&mut self.counters, &decided),
            Ok(Step::LookAgain(place)) => self.waiting.push(Waiting { packet, place }),
            Err(error) => self.undecided.push(format!("packet {packet}: {error:#}")),
        }
    }
}
