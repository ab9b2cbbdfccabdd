//! Interfaces, to all of which one program is attached, as one sensor's is: the same number of packets by one of them,
//! or by several in turn, on one CPU.

use anyhow::Result;
use testbed::{Generator, Namespace, mix};

use super::growth::{Growth, Kind, Work};
use super::streams::{Receiver, Streams};
use super::{Dimension, Extent, Outcome};
use crate::results::{Better, Scale};

const SIZES: [u8; 4] = [1, 2, 4, 8];
/// Packets of one visit, for each of other dimensions: each interface has a run of its own, which takes some time to begin.
const TIMES: u64 = 4;

pub struct Interfaces<'a> {
    cpu: usize,
    generator: Generator,
    streams: Vec<Streams<'a>>,
    packets: u64,
    cost: Growth,
}

impl<'a> Interfaces<'a> {
    pub fn new(extent: Extent, ends: [&'a Namespace; 2], cpu: usize) -> Result<Self> {
        let most = usize::from(SIZES[SIZES.len() - 1]);
        let kind = Kind {
            name: "interfaces",
            title: "Interfaces with traffic, of eight with one program: processor time of sending and receiving",
            unit: "ns per packet",
            better: Better::Lower,
            work: Work::Same,
            size: "interfaces",
            sizes_scale: Scale::Linear,
            scale: Scale::Linear,
        };
        Ok(Self {
            cpu,
            generator: Generator::new(&mix::uniform(mix::UniformLength::SixtyFour))?,
            streams: Receiver::BOTH
                .iter()
                .map(|receiver| Streams::new(ends, most, *receiver))
                .collect::<Result<_>>()?,
            packets: u64::from(extent.packets) * TIMES,
            cost: Growth::new(kind, &Receiver::LABELS, &SIZES.map(f64::from)),
        })
    }
}

impl Dimension for Interfaces<'_> {
    fn round(&mut self, counts: bool) -> Result<()> {
        for (place, number) in SIZES.into_iter().enumerate() {
            for (line, streams) in self.streams.iter_mut().enumerate() {
                let flood = streams.in_turn(&mut self.generator, self.cpu, number.into(), self.packets)?;
                if counts {
                    self.cost.note(line, place, flood.nanoseconds_per_packet());
                }
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let checked = self.streams.iter().map(Streams::check).collect::<Result<Vec<_>>>()?;
        Ok(Outcome {
            growths: vec![self.cost],
            checked: checked.into_iter().flatten().collect(),
            warnings: Vec::new(),
        })
    }
}
