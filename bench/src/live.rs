//! `bench live`: packets through a driver, into an attached sensor.
//!
//! The generator sends from one end of a veth pair, at full speed from one CPU; an XDP program is attached
//! natively at the other. The bare drop is what the path can carry; the sensor has to keep most of it, and
//! to have counted exactly what was sent. With digests, another thread reads them meanwhile, as the agent does, and
//! drops them.

mod reader;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aya::Ebpf;
use aya::programs::XdpMode;
use clap::Args;
use sensor_user::config::{Action, Options};
use sensor_user::digests::RingMaps;
use sensor_user::program::{self, Alone};
use sensor_user::table::grouped;
use sensor_user::watcher::Watcher;
use testbed::{Generator, Link, Namespace, Order, mix};

use crate::ceiling;
use crate::kernel::Traffic;
use crate::noise;
use crate::other_build::OtherBuild;
use crate::results::{self, Aim, Bar, Better, Figure, Measurement};
use crate::statistics::Spread;
use reader::Reader;

/// Measures packets per second over a veth pair: bare drop, the attached sensor, and the same with digests
#[derive(Args)]
pub struct Arguments {
    /// Rounds; in each, every variant is run once, in turn
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Packets sent to one variant in one round
    #[arg(long, default_value_t = 4_194_304, value_parser = clap::value_parser!(u64).range(1..))]
    packets: u64,
    /// What the packets are
    #[arg(long, value_enum, default_value_t = Traffic::Uniform)]
    traffic: Traffic,
    /// Another build of the sensor's object, measured in the same rounds, both without and with digests
    #[arg(long, value_name = "NAME=PATH")]
    beside: Vec<OtherBuild>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const DROP: &str = "drop";
const SENSOR: &str = "sensor";
const WITH_DIGESTS: &str = "sensor+digest";
/// Of the bare drop, in per cent.
const AIM: f64 = 85.0;
/// Packets that the generator makes by itself in one round, for its own ceiling.
const ALONE: u32 = 1_000_000;

struct Variant {
    name: String,
    ebpf: Ebpf,
    program: &'static str,
    /// Where it counts, and where it writes digests.
    watcher: Option<Watcher>,
    rings: Option<RingMaps>,
    rates: Vec<Rate>,
    digests: u64,
}

/// One round's millions of packets per second.
struct Rate {
    /// By the clock, in which the generator's waiting for RCU grace periods is contained.
    clock: f64,
    /// By the time of the one processor that sends and receives.
    processor: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let (sender, receiver) = (Namespace::new()?, Namespace::new()?);
    let link = Link::between(&sender, &receiver)?;
    let mut generator = Generator::new(&arguments.traffic.mix())?;
    let mut variants = load_variants(&arguments.beside)?;
    let (mut sent, mut alone) = (0, Vec::new());
    // A first round, to fill caches and branch predictors, is not counted in the rates.
    for round in 0..=arguments.rounds {
        let ceiling = 1e3 / ceiling::nanoseconds_alone(&mut generator, ALONE)?;
        for variant in &mut variants {
            let rate = variant.measure(&mut generator, &link, arguments.packets)?;
            if round > 0 {
                variant.rates.push(rate);
            }
        }
        if round > 0 {
            alone.push(ceiling);
        }
        sent += arguments.packets;
    }
    let counted = variants.iter().filter_map(|variant| variant.checked(sent).transpose());
    let checked = counted.collect::<Result<Vec<_>>>()?;
    let ceiling = Spread::new(alone.clone()).context("no rounds")?.median;
    Ok(Measurement {
        figures: figures(&variants, alone),
        aims: [
            aim("by the clock", &variants, |rate| rate.clock),
            aim("by processor time", &variants, |rate| rate.processor),
        ]
        .into_iter()
        .flatten()
        .collect(),
        checked,
        warnings: warnings(&variants, ceiling)?,
    })
}

fn load_variants(beside: &[OtherBuild]) -> Result<Vec<Variant>> {
    let mut drop = Ebpf::load(sensor_objects::BASELINE).context("cannot load the baseline programs")?;
    program::xdp(&mut drop, "bare_drop")?.load()?;
    let drop = Variant {
        name: DROP.into(),
        ebpf: drop,
        program: "bare_drop",
        watcher: None,
        rings: None,
        rates: Vec::new(),
        digests: 0,
    };
    let own = sensor_objects::SENSOR;
    let mut variants = vec![drop, sensor(SENSOR, false, own)?, sensor(WITH_DIGESTS, true, own)?];
    for build in beside {
        let object = build.read()?;
        for (kind, digests) in [(SENSOR, false), (WITH_DIGESTS, true)] {
            variants.push(build.explain(sensor(&build.label(kind), digests, &object))?);
        }
    }
    Ok(variants)
}

fn sensor(name: &str, digests: bool, object: &[u8]) -> Result<Variant> {
    // It drops as well, so that both leave the network stack out.
    let options = Options {
        observed: Some(mix::OBSERVED.iter().map(|prefix| prefix.parse()).collect::<Result<_, _>>()?),
        action: Some(Action::Drop),
        digests: Some(digests),
        ..Options::default()
    };
    let Alone { ebpf, name: program, plan } = Alone::load_object(&options.resolve()?, object)?;
    let rings = digests.then(|| RingMaps::new(&ebpf, plan.rings)).transpose()?;
    let watcher = Some(Watcher::new(&ebpf)?);
    Ok(Variant { name: name.into(), ebpf, program, watcher, rings, rates: Vec::new(), digests: 0 })
}

impl Variant {
    /// Attaches, sends, detaches.
    fn measure(&mut self, generator: &mut Generator, link: &Link<'_>, packets: u64) -> Result<Rate> {
        let end = &link.telescope;
        let program = program::xdp(&mut self.ebpf, self.program)?;
        let attached = end.namespace.within(|| program.attach_to_if_index(end.index, XdpMode::Driver))?;
        let attached = attached.context("cannot attach to the veth pair")?;
        let reader = self.rings.take().map(Reader::start);
        let sent = generator.send(link, &Order::packets(packets));
        if let Some(reader) = reader {
            let (rings, digests) = reader.stop()?;
            self.rings = Some(rings);
            self.digests += digests;
        }
        program.detach(attached)?;
        let sent = sent?;
        #[expect(clippy::cast_precision_loss, reason = "a rate, of which only the first digits matter")]
        let millions = |time: Duration| sent.packets as f64 / time.as_secs_f64() / 1e6;
        Ok(Rate { clock: millions(sent.elapsed), processor: millions(sent.processor_time) })
    }

    /// What it has counted, held against what was sent.
    fn checked(&self, sent: u64) -> Result<Option<String>> {
        let (Some(watcher), name) = (&self.watcher, &self.name) else {
            return Ok(None);
        };
        let cut = watcher.cut();
        ensure!(cut.breaches.is_empty(), "conservation is broken: {}", cut.breaches[0]);
        let counted = cut.totals.packets;
        ensure!(sent == counted, "{sent} packets sent to {name}, {counted} counted");
        let mut words = format!("{name}: sent {}, counted {}", grouped(sent), grouped(counted));
        if self.rings.is_some() {
            let lost = self.lost();
            words.push_str(&format!("; {} digests read, {} lost", grouped(self.digests), grouped(lost)));
        }
        Ok(Some(words))
    }

    fn lost(&self) -> u64 {
        self.watcher.as_ref().map_or(0, |watcher| watcher.glance().digests_lost.iter().sum())
    }

    fn rates(&self, rate: fn(&Rate) -> f64) -> Vec<f64> {
        self.rates.iter().map(rate).collect()
    }

    /// Of the bare drop in the same round, in per cent.
    fn shares(&self, drop: &Self, rate: fn(&Rate) -> f64) -> Vec<f64> {
        self.rates.iter().zip(&drop.rates).map(|(own, drop)| rate(own) / rate(drop) * 100.0).collect()
    }
}

fn figures(variants: &[Variant], alone: Vec<f64>) -> Vec<Figure> {
    let (drop, others) = (&variants[0], &variants[1..]);
    let rates = |rate: fn(&Rate) -> f64| {
        variants.iter().map(move |variant| Bar::of_rounds(&variant.name, variant.rates(rate)))
    };
    let shares = |rate: fn(&Rate) -> f64| {
        others.iter().map(|variant| Bar::of_rounds(&variant.name, variant.shares(drop, rate))).collect()
    };
    let unit = "million packets/s";
    let by_processor =
        [Bar::of_rounds("generator alone", alone)].into_iter().chain(rates(|rate| rate.processor));
    let (clock, processor) = ("by the clock", "by processor time");
    let higher =
        |name: &str, title: String, unit: &str, bars| Figure::bars(name, &title, unit, Better::Higher, bars);
    vec![
        higher(
            "share",
            format!("Of the bare drop in the same round, {clock}"),
            "%",
            shares(|rate| rate.clock),
        ),
        higher(
            "share_by_cpu",
            format!("Of the bare drop in the same round, {processor}"),
            "%",
            shares(|rate| rate.processor),
        ),
        higher("rate", format!("What the path carries, {clock}"), unit, rates(|rate| rate.clock).collect()),
        higher("rate_by_cpu", format!("What the path carries, {processor}"), unit, by_processor.collect()),
    ]
}

fn aim(how: &str, variants: &[Variant], rate: fn(&Rate) -> f64) -> Option<Aim> {
    let [drop, sensor, ..] = variants else { return None };
    let measured = Spread::new(sensor.shares(drop, rate))?.median;
    let of = format!("the sensor's share of the bare drop, {how}");
    Some(Aim { of, aim: AIM, measured, unit: "%".into(), better: Better::Higher })
}

fn warnings(variants: &[Variant], ceiling: f64) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let spread = |variant: &Variant| Spread::new(variant.rates(|rate| rate.processor)).context("no rounds");
    let dropped = spread(&variants[0])?.median;
    warnings.extend(noise::of_rounds(DROP, &spread(&variants[0])?));
    let limit = format!("'{DROP}' in the same run");
    for (place, variant) in variants.iter().enumerate() {
        let ceiling = if place == 0 { ("the generator alone", ceiling) } else { (limit.as_str(), dropped) };
        warnings.extend(noise::near_ceiling(&variant.name, spread(variant)?.median, ceiling));
    }
    let rates = |variant: &Variant| variant.rates(|rate| rate.processor);
    for (first, second) in variants.iter().zip(&variants[1..]) {
        warnings.extend(noise::of_pair((&first.name, &rates(first)), (&second.name, &rates(second))));
    }
    for variant in variants {
        let lost = variant.lost();
        if lost > 0 {
            warnings.push(format!(
                "{} digests of {} were lost, which is cheaper than writing them: the reader had no CPU of its own",
                grouped(lost),
                variant.name
            ));
        }
    }
    Ok(warnings)
}
