//! `bench drain`: digests from a ring into flows, on one core, by the agent's own code.
//!
//! The ring is in this process's memory and full of digests of random sources; filling it anew is not measured.
//! An interval begins with an empty table, so its first digests make flows, and later ones find them: both are
//! measured apart.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use sensor_ebpf::abi::TrafficClass;
use sensor_ebpf::digest::{Facts, Ipv4Digest};
use sensor_ebpf::ring::RingPositions;
use sensor_user::config::FlowKey;
use sensor_user::digests::Ring;
use sensor_user::flows::{Flows, Limits};
use sensor_user::prefixes::ObservedRanges;
use sensor_user::table::grouped;

use crate::kernel::processor_time;
use crate::results::{self, Aim, Bar, Better, Figure, Measurement};
use crate::statistics::Spread;

/// Measures digests per second and core: from rings into flows
#[derive(Args)]
pub struct Arguments {
    /// Rounds, each of them an interval for every number of flows
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Distinct flows; may be repeated
    #[arg(long, default_values_t = [10_000, 1_000_000, 10_000_000], value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    flows: Vec<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Digests in the ring.
const RECORDS: usize = 1 << 20;
/// Digests that the agent reads at once.
const BATCH: u64 = 4_096;
/// Flows of the case that there is an aim for.
const AIMED_AT: u32 = 1_000_000;
const UNIT: &str = "million digests/s";
/// The least digests of a measurement.
const LEAST: u32 = 1 << 23;

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

#[expect(clippy::cast_precision_loss, reason = "MiB of a table")]
pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let mut source = Source::new();
    // Every flow with one of its own; and the usual limit, where most packets are beyond it.
    let mut cases: Vec<(u32, u32)> =
        arguments.flows.iter().map(|flows| (*flows, flows + flows / 8)).collect();
    cases.extend(arguments.flows.iter().filter(|flows| **flows > 1_000_000).map(|flows| (*flows, 1_000_000)));
    let mut rates: Vec<[Vec<f64>; 2]> = vec![[Vec::new(), Vec::new()]; cases.len()];
    let mut memory = vec![0; cases.len()];
    let mut all = 0;
    for _ in 0..arguments.rounds {
        for (place, (distinct, max_flows)) in cases.iter().enumerate() {
            let observed = ObservedRanges::new(&[])?;
            let mut flows = Flows::new(&Limits::of(FlowKey::Source, *max_flows, &observed), None);
            let filling = source.measure(&mut flows, Sources::Each(*distinct))?;
            let steady = source.measure(&mut flows, Sources::Any { of: *distinct, digests: LEAST })?;
            rates[place][0].push(filling);
            rates[place][1].push(steady);
            memory[place] = flows.memory();
            let summary = flows.summary();
            let added: u64 = flows.digests.iter().sum();
            ensure!(
                summary.packets + summary.overflow_packets == added,
                "{added} digests became {summary:?}"
            );
            all += added;
        }
    }
    let label = |(distinct, max_flows): &(u32, u32)| {
        let [distinct, most] = [distinct, max_flows].map(|flows| grouped(u64::from(*flows)));
        format!("{distinct} flows, room for {most}")
    };
    let bars = |which: usize| -> Vec<Bar> {
        let millions = |rates: &[Vec<f64>; 2]| rates[which].iter().map(|rate| rate / 1e6).collect();
        cases.iter().zip(&rates).map(|(case, rates)| Bar::of_rounds(&label(case), millions(rates))).collect()
    };
    let steady_of_aim = cases.iter().zip(&rates).find(|(case, _)| case.0 == AIMED_AT && case.1 > case.0);
    let aim = |rates: &[Vec<f64>; 2]| {
        let measured = Spread::new(rates[1].clone())?.median / 1e6;
        let of = format!("digests of {} flows that are there, per core", grouped(AIMED_AT.into()));
        Some(Aim { of, aim: 10.0, measured, unit: "million/s".into(), better: Better::Higher })
    };
    let mebibytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    let memory = cases.iter().zip(memory).map(|(case, bytes)| Bar::once(&label(case), mebibytes(bytes)));
    Ok(Measurement {
        aims: steady_of_aim.and_then(|(_, rates)| aim(rates)).into_iter().collect(),
        figures: vec![
            Figure::bars(
                "filling",
                "Digests while flows are made, one of each",
                UNIT,
                Better::Higher,
                bars(0),
            ),
            Figure::bars(
                "steady",
                "Digests of any of the flows that are there",
                UNIT,
                Better::Higher,
                bars(1),
            ),
            Figure::bars("memory", "Memory of the flow table", "MiB", Better::Lower, memory.collect()),
        ],
        checked: vec![format!("{} digests, each in a flow or counted as beyond the limit", grouped(all))],
        warnings: Vec::new(),
    })
}

/// Whose digests come.
#[derive(Clone, Copy)]
pub enum Sources {
    /// One of each of so many, in an order that leaps about.
    Each(u32),
    /// So many digests, of any of so many, drawn at random.
    Any { of: u32, digests: u32 },
}

/// A ring, and digests for it.
pub struct Source {
    positions: Box<RingPositions>,
    records: Vec<Ipv4Digest>,
    random: u64,
}

impl Source {
    pub fn new() -> Self {
        let positions =
            RingPositions { heads: [0; 2], spare: [0; 6], tails: [0; 2], spare_of_consumer: [0; 6] };
        Self {
            positions: Box::new(positions),
            records: vec![Ipv4Digest::default(); RECORDS],
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Aggregates that many digests, and gives how many a second of processor time.
    pub fn measure(&mut self, flows: &mut Flows, sources: Sources) -> Result<f64> {
        let (mut elapsed, mut added) = (Duration::ZERO, 0);
        let digests = match sources {
            Sources::Each(distinct) => distinct,
            Sources::Any { digests, .. } => digests,
        };
        while added < u64::from(digests) {
            let left = u64::from(digests) - added;
            self.fill(sources, added, left.min(RECORDS as u64));
            // SAFETY: positions and records live as long as the ring, and nothing else touches them.
            let mut ring = unsafe {
                Ring::in_memory(&raw mut *self.positions, self.records.as_mut_ptr(), RECORDS as u64)
            };
            let start = processor_time()?;
            loop {
                let read = ring.drain(BATCH, |digests| flows.add_ipv4(digests, added));
                added += read;
                if read == 0 {
                    break;
                }
            }
            elapsed += processor_time()? - start;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate, of which only the first digits matter")]
        Ok(added as f64 / elapsed.as_secs_f64())
    }

    /// Writes so many scans of one port to the ring: a flow for each source.
    fn fill(&mut self, sources: Sources, first: u64, number: u64) {
        let start = self.positions.heads[0];
        for place in 0..number {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let drawn = match sources {
                // An odd factor takes each number below 2^32 to another one.
                Sources::Each(_) => (first + place).wrapping_mul(0x9e37_79b1) & 0xffff_ffff,
                Sources::Any { of, .. } => {
                    let any = (self.random >> 32).wrapping_mul(u64::from(of)) >> 32;
                    any.wrapping_mul(0x9e37_79b1) & 0xffff_ffff
                }
            };
            let source = u32::try_from(drawn).unwrap_or(0).to_be_bytes();
            let [target, ..] = self.random.to_le_bytes();
            let position = usize::try_from(start + place).unwrap_or(0) & (RECORDS - 1);
            self.records[position] = Ipv4Digest {
                source,
                // A few of the telescope's addresses for each source.
                destination: [198, 51, 100, target & 3],
                facts: Facts {
                    destination_port: 23_u16.to_be_bytes(),
                    length: 60_u16.to_be_bytes(),
                    time_to_live: target,
                    protocol: 6,
                    tcp_flags: 2,
                    class: TrafficClass::Scan as u8,
                    ..Facts::default()
                },
                ..Ipv4Digest::default()
            };
        }
        self.positions.heads[0] += number;
    }
}
