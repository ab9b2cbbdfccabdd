//! What the counters and flows of a capture should be, by tshark's word alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Result, ensure};

use super::clock::{Clock, Doubts};
use super::counters::Counters;
use super::flows::{Flows, Tables};
use super::link::{self, RAW_IP};
use super::packet::Step;
use super::row::{Field, Row};
use super::second_look::{self, Bytes, Quoting, Waiting, Which};
use super::tshark;
use super::workshop::Workshop;
use super::{expectation, network, stamps};

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
    pub flows: Tables,
    pub ending: Ending,
    /// Packets that tshark decided only when shown their rest.
    pub second_looks: u64,
    /// Packets of which tshark gives too few facts, and which.
    pub undecided: Vec<String>,
}

pub fn judge(workshop: &Workshop, capture: &Path) -> Result<Judgement> {
    let (judgement, doubts) = judge_by(workshop, capture, Clock::default())?;
    match stamps::settle(workshop, capture, doubts)? {
        None => Ok(judgement),
        Some(stamps) => Ok(judge_by(workshop, capture, Clock::of(stamps))?.0),
    }
}

fn judge_by(workshop: &Workshop, capture: &Path, clock: Clock) -> Result<(Judgement, Doubts)> {
    let mut judge = Judge { clock, ..Judge::default() };
    let ending = tshark::read(workshop, capture, |row| judge.first_look(row))?;
    judge.look_at_raw(workshop, capture)?;
    let second_looks = judge.look_again(workshop, capture)?;
    let Judge { counters, flows, clock, stopped, undecided, .. } = judge;
    let flows = flows.tables(clock.interval());
    let ending = match (stopped, ending) {
        (Some(ending), _) => ending,
        (None, tshark::Ending::Complete) => Ending::Complete,
        (None, tshark::Ending::Broken(complaint)) => Ending::Broken(complaint),
    };
    Ok((Judgement { counters, flows, ending, second_looks, undecided }, clock.doubts))
}

#[derive(Default)]
struct Judge {
    counters: Counters,
    flows: Flows,
    clock: Clock,
    stopped: Option<Ending>,
    /// Packets of captures of raw IP, to be judged when relabelled, and when they came.
    raw: BTreeMap<u64, u64>,
    waiting: Vec<Waiting>,
    quoting: Vec<Quoting>,
    undecided: Vec<String>,
}

impl Judge {
    fn first_look(&mut self, row: &Row) -> Result<()> {
        if self.stopped.is_some() {
            return Ok(());
        }
        let number = row.fact(Field::FrameNumber)?;
        let encapsulation = row.number(Field::FrameEncapsulation, 0)?;
        if !encapsulation.is_some_and(link::is_supported) {
            let text = row.text(Field::FrameEncapsulation, 0).unwrap_or("none").to_owned();
            self.stopped = Some(Ending::OtherLink { packet: number, encapsulation: text });
            return Ok(());
        }
        let which = Which { number, time: self.clock.at(number, row.text(Field::FrameTime, 0))? };
        expectation::count_frame(&mut self.counters, row.fact(Field::FrameLength)?);
        if encapsulation == Some(RAW_IP) {
            self.raw.insert(number, which.time);
        } else {
            let step = link::link(row).and_then(|link| network::decide(row, link));
            self.take(which, step);
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
            let number = row.fact(Field::FrameNumber)?;
            if let Some(time) = expected.remove(&number) {
                let step = link::raw_link(row).and_then(|link| network::decide(row, link));
                self.take(Which { number, time }, step);
            }
            Ok(())
        })?;
        ensure!(expected.is_empty(), "editcap lost {} packets of raw IP", expected.len());
        Ok(())
    }

    /// Gives the number of packets that took it.
    fn look_again(&mut self, workshop: &Workshop, capture: &Path) -> Result<u64> {
        let waiting = self.waiting.iter().map(|one| one.which.number);
        let numbers: BTreeSet<u64> = waiting.chain(self.quoting.iter().map(|one| one.which.number)).collect();
        let bytes = second_look::bytes_of(workshop, capture, &numbers)?;
        while !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            for (one, step) in second_look::look_again(workshop, &bytes, &waiting)? {
                match step {
                    Ok(Step::LookAgain(place)) if place.offset <= one.place.offset => {
                        let Waiting { which, place } = one;
                        self.undecided.push(format!(
                            "packet {}: nothing of protocol {} at byte {}",
                            which.number, place.protocol, place.offset
                        ));
                    }
                    step => self.take(one.which, step),
                }
            }
        }
        self.look_at_quoted(workshop, &bytes)?;
        Ok(numbers.len() as u64)
    }

    fn look_at_quoted(&mut self, workshop: &Workshop, bytes: &Bytes) -> Result<()> {
        let quoting = std::mem::take(&mut self.quoting);
        let is_ipv4 = |one: &Quoting| one.packet.ip.is_some_and(|ip| ip.is_ipv4());
        let (ipv4, ipv6): (Vec<_>, Vec<_>) = quoting.into_iter().partition(is_ipv4);
        for (is_ipv4, quoting) in [(true, ipv4), (false, ipv6)] {
            for (one, quoted) in second_look::look_at_quoted(workshop, bytes, is_ipv4, &quoting)? {
                self.take(one.which, quoted.map(|quoted| one.packet.quoting(quoted).into()));
            }
        }
        Ok(())
    }

    fn take(&mut self, which: Which, step: Result<Step>) {
        match step {
            Ok(Step::Decided(decided)) => {
                expectation::count(&mut self.counters, &decided);
                self.flows.add(which, &decided);
            }
            Ok(Step::LookAgain(place)) => self.waiting.push(Waiting { which, place }),
            Ok(Step::LookAtQuoted { packet, offset }) => {
                self.quoting.push(Quoting { which, packet, offset });
            }
            Err(error) => self.undecided.push(format!("packet {}: {error:#}", which.number)),
        }
    }
}
