//! CPUs, each of which sends by a pair of its own and receives there, all at once, into one program.

use anyhow::Result;
use testbed::{Generator, Namespace, mix};

use super::growth::{Growth, Kind, Work};
use super::streams::{Receiver, Streams};
use super::{Dimension, Extent, Outcome, sizes};
use crate::results::{Better, Scale};

/// Packets of a CPU in one visit, for each of other dimensions: a run at full speed begins and ends with waiting for
/// RCU grace periods, which the rate by the clock must not be.
const TIMES: u64 = 4;

pub struct Cpus<'a> {
    cpus: Vec<usize>,
    numbers: Vec<u32>,
    generators: Vec<Generator>,
    streams: Vec<Streams<'a>>,
    packets: u64,
    rate: Growth,
    cost: Growth,
}

impl<'a> Cpus<'a> {
    pub fn new(extent: Extent, ends: [&'a Namespace; 2], cpus: &[usize]) -> Result<Self> {
        let numbers = sizes::up_to(u32::try_from(cpus.len())?, 2);
        let places: Vec<f64> = numbers.iter().copied().map(f64::from).collect();
        let kind = |name, title, unit, better, work| Kind {
            name,
            title,
            unit,
            better,
            work,
            size: "CPUs",
            sizes_scale: Scale::Linear,
            scale: Scale::Linear,
        };
        let rate = kind(
            "cpus_rate",
            "CPUs, each with a veth pair of its own, by the clock",
            "million packets/s",
            Better::Higher,
            Work::None,
        );
        let cost = kind(
            "cpus_cost",
            "CPUs: processor time of sending and receiving a packet",
            "ns per packet",
            Better::Lower,
            Work::Each,
        );
        let mix = mix::uniform(mix::UniformLength::SixtyFour);
        Ok(Self {
            generators: cpus.iter().map(|_| Generator::new(&mix)).collect::<Result<_, _>>()?,
            streams: Receiver::BOTH
                .iter()
                .map(|receiver| Streams::new(ends, cpus.len(), *receiver))
                .collect::<Result<_>>()?,
            cpus: cpus.to_vec(),
            numbers,
            packets: u64::from(extent.packets) * TIMES,
            rate: Growth::new(rate, &Receiver::LABELS, &places),
            cost: Growth::new(cost, &Receiver::LABELS, &places),
        })
    }
}

impl Dimension for Cpus<'_> {
    fn round(&mut self, counts: bool) -> Result<()> {
        for (place, number) in self.numbers.iter().enumerate() {
            let cpus = &self.cpus[..*number as usize];
            for (line, streams) in self.streams.iter_mut().enumerate() {
                let flood = streams.at_once(&mut self.generators, cpus, self.packets)?;
                if counts {
                    self.rate.note(line, place, flood.million_packets_per_second());
                    self.cost.note(line, place, flood.nanoseconds_per_packet());
                }
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let checked = self.streams.iter().map(Streams::check).collect::<Result<Vec<_>>>()?;
        let mut warnings = Vec::new();
        if self.numbers.len() == 1 {
            warnings.push("growth with CPUs cannot be seen with one CPU".into());
        }
        Ok(Outcome {
            growths: vec![self.rate, self.cost],
            checked: checked.into_iter().flatten().collect(),
            warnings,
        })
    }
}
