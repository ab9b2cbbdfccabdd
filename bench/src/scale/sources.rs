//! Sources, up to ten million: in the kernel, which logs each packet's and looks none up, and in the agent's flows.

use std::num::NonZeroU32;

use anyhow::{Result, ensure};
use sensor_user::config::{FlowKey, Options};
use sensor_user::flows::{Flows, Limits};
use sensor_user::prefixes::ObservedRanges;

use super::growth::{Growth, Kind, Work};
use super::mixes::plain;
use super::under_test::{Beside, Sensor};
use super::{Dimension, Extent, Outcome, sizes};
use crate::drain;
use crate::results::{Better, Scale};

/// The fewest flows whose making takes long enough to be timed.
const FEWEST_MADE: u32 = 10_000;

pub struct Sources {
    numbers: Vec<u32>,
    /// The traffic of each number.
    traffic: Vec<Beside>,
    sensor: Sensor,
    digests: drain::Source,
    /// Digests of one visit.
    most_digests: u32,
    kernel: Growth,
    steady: Growth,
    filling: Growth,
    /// Digests that have become flows.
    added: u64,
}

impl Sources {
    pub fn new(extent: Extent, cpu: usize) -> Result<Self> {
        let numbers = sizes::up_to(extent.most_sources, 10);
        let traffic =
            numbers.iter().map(|sources| Beside::new(&plain().from_sources(*sources), extent.packets));
        // A ring takes all of a visit, so that no digest is lost, which would be cheaper.
        let ring_records = NonZeroU32::new(extent.packets);
        let floats = |numbers: &[u32]| numbers.iter().map(|number| f64::from(*number)).collect::<Vec<_>>();
        let made: Vec<u32> = numbers.iter().copied().filter(|sources| *sources >= FEWEST_MADE).collect();
        let kind = |name, title, unit, work| Kind {
            name,
            title,
            unit,
            better: Better::Lower,
            work,
            size: "sources",
            sizes_scale: Scale::Logarithmic,
            scale: Scale::Linear,
        };
        let kernel = kind(
            "sources_kernel",
            "Sources in the kernel: counting and a digest, above the bare drop",
            "ns per packet",
            Work::Same,
        );
        let steady = kind(
            "sources_drain",
            "Sources in the agent: a digest of a flow that is there",
            "ns per digest",
            Work::Same,
        );
        let filling = kind(
            "sources_flows",
            "Sources in the agent: a digest that makes a flow",
            "ns per flow",
            Work::Each,
        );
        Ok(Self {
            traffic: traffic.collect::<Result<_>>()?,
            sensor: Sensor::load(Options { ring_records, ..Options::default() }, cpu)?,
            digests: drain::Source::new(),
            most_digests: extent.packets,
            kernel: Growth::new(kernel, &["sensor with digests"], &floats(&numbers)),
            steady: Growth::new(steady, &["any flow"], &floats(&numbers)),
            filling: Growth::new(filling, &["a new flow each"], &floats(&made)),
            numbers,
            added: 0,
        })
    }

    /// One interval of so many sources: each of them once, and then any of them. Nanoseconds of a digest in both.
    fn interval(&mut self, sources: u32) -> Result<[f64; 2]> {
        let limits = Limits::of(FlowKey::Source, sources + sources / 8 + 8, &ObservedRanges::new(&[])?);
        let mut flows = Flows::new(&limits, None);
        let filling = self.digests.measure(&mut flows, drain::Sources::Each(sources))?;
        let any = drain::Sources::Any { of: sources, digests: self.most_digests };
        let steady = self.digests.measure(&mut flows, any)?;
        let (summary, added) = (flows.summary(), flows.digests.iter().sum::<u64>());
        ensure!(
            summary.rows == u64::from(sources) && summary.packets == added,
            "{added} digests of {sources} sources became {summary:?}"
        );
        self.added += added;
        Ok([1e9 / filling, 1e9 / steady])
    }
}

impl Dimension for Sources {
    fn round(&mut self, counts: bool) -> Result<()> {
        let mut of_filling = 0;
        for (place, sources) in self.numbers.clone().into_iter().enumerate() {
            let traffic = &mut self.traffic[place];
            let cost = -traffic.drop()? + traffic.sensor(&mut self.sensor)?;
            let [filling, steady] = self.interval(sources)?;
            if !counts {
                continue;
            }
            self.kernel.note(0, place, cost);
            self.steady.note(0, place, steady);
            if sources >= FEWEST_MADE {
                self.filling.note(0, of_filling, filling);
                of_filling += 1;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let totals = self.sensor.totals()?;
        let (written, lost) = (totals.digests.iter().sum::<u64>(), totals.digests_lost.iter().sum::<u64>());
        ensure!(written == totals.packets && lost == 0, "{} packets, {written} digests", totals.packets);
        let checked = format!(
            "{written} packets, as many digests; {} digests in memory became flows, as many as there were sources",
            self.added
        );
        let growths = vec![self.kernel, self.steady, self.filling];
        Ok(Outcome { growths, checked: vec![checked], warnings: Vec::new() })
    }
}
