//! Sizes of rings: which part of the digests is lost at full speed, while the agent's own thread drains on another CPU.

use std::num::NonZeroU32;

use anyhow::{Context as _, Result};
use aya::Ebpf;
use aya::programs::XdpMode;
use sensor_user::config::{Action, Options};
use sensor_user::program::{self, Alone, Plan};
use sensor_user::watcher::Watcher;
use testbed::{Generator, Link, Namespace, Order, mix};

use super::growth::{Growth, Kind, Work};
use super::{Dimension, Extent, Outcome, slots_up_to};
use crate::draining::{Drained, Draining};
use crate::results::{Better, Scale};

const SIZES: [u32; 8] = [1 << 6, 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 19];
/// Sources of the packets, as many as one interval has flows.
const SOURCES: u32 = 1_000_000;
/// Packets of one visit, for each of other dimensions: the largest ring must not take all of them.
const TIMES: u64 = 4;

pub struct Rings<'a> {
    link: Link<'a>,
    generator: Generator,
    sensors: Vec<Sensor>,
    packets: u64,
    cpu: usize,
    drain: usize,
    lost: Growth,
    waiting: Growth,
    written: u64,
    counted: u64,
}

struct Sensor {
    ebpf: Ebpf,
    program: &'static str,
    plan: Plan,
    watcher: Watcher,
}

impl<'a> Rings<'a> {
    pub fn new(
        extent: Extent,
        [sender, receiver]: [&'a Namespace; 2],
        cpu: usize,
        drain: usize,
    ) -> Result<Self> {
        let kind = |name, title, unit, scale| Kind {
            name,
            title,
            unit,
            better: Better::Lower,
            work: Work::None,
            size: "digests that a ring holds",
            sizes_scale: Scale::Logarithmic,
            scale,
        };
        let lost = kind("rings_lost", "Ring sizes: digests lost at full speed", "%", Scale::Linear);
        let waiting = kind(
            "rings_waiting",
            "Ring sizes: the most digests waiting at full speed",
            "digests",
            Scale::Logarithmic,
        );
        let labels = ["one CPU sends and receives, another drains"];
        Ok(Self {
            link: Link::between(sender, receiver)?,
            generator: Generator::new(&mix::telescope().from_sources(SOURCES))?,
            sensors: SIZES.iter().map(|records| Sensor::load(*records, cpu)).collect::<Result<_>>()?,
            packets: u64::from(extent.packets) * TIMES,
            cpu,
            drain,
            lost: Growth::new(lost, &labels, &SIZES.map(f64::from)),
            waiting: Growth::new(waiting, &labels, &SIZES.map(f64::from)),
            written: 0,
            counted: 0,
        })
    }

    fn visit(&mut self, place: usize) -> Result<Drained> {
        let Sensor { ebpf, program, plan, watcher } = &mut self.sensors[place];
        let end = &self.link.telescope;
        let drain = u32::try_from(self.drain).ok();
        let draining = Draining::start(ebpf, plan.rings, watcher, drain)?;
        let program = program::xdp(ebpf, program)?;
        let attached = end.namespace.within(|| program.attach_to_if_index(end.index, XdpMode::Driver))?;
        let attached = attached.context("cannot attach to a veth pair")?;
        let cpus = [self.cpu];
        let sent = self.generator.send(&self.link, &Order { cpus: &cpus, ..Order::packets(self.packets) });
        program.detach(attached)?;
        let (sent, drained) = (sent?, draining.finish()?);
        let counted = drained.totals.packets;
        anyhow::ensure!(sent.packets == counted, "{} packets sent, {counted} counted", sent.packets);
        self.counted += counted;
        self.written += drained.written;
        Ok(drained)
    }
}

impl Sensor {
    fn load(records: u32, cpu: usize) -> Result<Self> {
        let observed = mix::OBSERVED.iter().map(|prefix| prefix.parse());
        let options = Options {
            observed: Some(observed.collect::<Result<_, _>>()?),
            action: Some(Action::Drop),
            ring_records: NonZeroU32::new(records),
            counter_cpus: slots_up_to(cpu),
            ..Options::default()
        };
        let Alone { ebpf, name: program, plan } = Alone::load(&options.resolve()?)?;
        let watcher = Watcher::new(&ebpf)?;
        Ok(Self { ebpf, program, plan, watcher })
    }
}

impl Dimension for Rings<'_> {
    #[expect(clippy::cast_precision_loss, reason = "parts, of which only the first digits matter")]
    fn round(&mut self, counts: bool) -> Result<()> {
        for place in 0..SIZES.len() {
            let Drained { written, lost, most_waiting, .. } = self.visit(place)?;
            if counts {
                self.lost.note(0, place, lost as f64 / (written + lost) as f64 * 100.0);
                self.waiting.note(0, place, most_waiting as f64);
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let checked = format!(
            "sent {0} through rings of all sizes, counted {0}; {1} digests written, as many read",
            self.counted, self.written
        );
        Ok(Outcome { growths: vec![self.lost, self.waiting], checked: vec![checked], warnings: Vec::new() })
    }
}
