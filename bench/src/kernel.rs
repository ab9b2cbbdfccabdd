//! `bench kernel`: what one packet costs in the kernel, without a network.
//!
//! A generator program writes each packet anew and tail-calls the program under test, all within
//! `BPF_PROG_TEST_RUN`. The generator's own cost is in every figure alike, so the difference to the bare
//! drop is what the program under test costs. What counts is the processor's time.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aya::Ebpf;
use aya::maps::{MapData, ProgramArray};
use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use clap::{Args, ValueEnum};
use nix::time::{ClockId, clock_gettime};
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest};
use sensor_ebpf::generate::names;
use sensor_user::config::Options;
use sensor_user::digests::RingMaps;
use sensor_user::program::{self, Alone};
use sensor_user::table::grouped;
use sensor_user::watcher::Watcher;
use testbed::Generator;
use testbed::mix::{self, Mix};

use crate::ceiling;
use crate::noise;
use crate::other_build::OtherBuild;
use crate::results::{self, Aim, Bar, Better, Figure, Measurement};
use crate::statistics::Spread;

/// Measures nanoseconds per packet: bare drop, decoding, the sensor without and with digests, and kernel hash tables
#[derive(Args)]
pub struct Arguments {
    /// Rounds; in each, every variant is run once, in turn
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Packets of one variant in one round
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    packets: u32,
    /// What the packets are
    #[arg(long, value_enum, default_value_t = Traffic::Uniform)]
    traffic: Traffic,
    /// How many IPv4 sources they are from, where sources are random; 0 for all that there can be
    #[arg(long, default_value_t = 1_000_000)]
    sources: u32,
    /// Another build of the sensor's object, measured in the same rounds, both without and with digests
    #[arg(long, value_name = "NAME=PATH")]
    beside: Vec<OtherBuild>,
    /// Leave the kernel's hash tables out, which take most of a run's time
    #[arg(long)]
    without_hash_tables: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Traffic {
    /// TCP SYNs with random sources, ports and sequence numbers: the worst for caches
    Uniform,
    /// The mix of the demo: a telescope's popular ports, backscatter, UDP, ICMP, IPv6, malformed
    Telescope,
}

impl Traffic {
    pub fn mix(self) -> Mix {
        match self {
            Self::Uniform => mix::uniform(mix::UniformLength::SixtyFour),
            Self::Telescope => mix::telescope(),
        }
    }
}

const DROP: &str = "drop";
const UNIT: &str = "ns per packet";
/// What a frame is before the generator has written the first packet into it.
const FRAME_LENGTH: usize = 64;

/// Aims for the medians above the bare drop.
const AIMS: [(&str, f64); 2] = [("sensor", 25.0), ("sensor+digest", 45.0)];

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let Arguments { rounds, packets, .. } = *arguments;
    let mut generator = Source::load(&arguments.traffic.mix().from_sources(arguments.sources))?;
    let mut variants = load_variants(arguments)?;
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
    let mut alone = Vec::new();
    let names: Vec<String> = variants.iter().map(|variant| variant.name.clone()).collect();
    // A first round, to fill caches and branch predictors, is not counted.
    for round in 0..=rounds {
        let by_itself = ceiling::nanoseconds_alone(&mut generator.generator, packets)?;
        if round > 0 {
            alone.push(by_itself);
        }
        for (index, variant) in variants.iter_mut().enumerate() {
            let nanoseconds = generator.time(variant, packets)?;
            if round > 0 {
                figures[index].push(nanoseconds);
            }
        }
    }
    let drop = names.iter().position(|name| name == DROP).context("no bare drop among the variants")?;
    let above = |place: usize| -> Vec<f64> {
        figures[place].iter().zip(&figures[drop]).map(|(own, drop)| own - drop).collect()
    };
    let aim = |(name, aim): (&str, f64)| {
        let place = names.iter().position(|other| other == name)?;
        let measured = Spread::new(above(place))?.median;
        let of = format!("{name} above the bare drop");
        Some(Aim { of, aim, measured, unit: UNIT.into(), better: Better::Lower })
    };
    let pairs = figures.iter().zip(&names).zip(figures.iter().zip(&names).skip(1));
    let not_told =
        pairs.filter_map(|((first, its), (second, other))| noise::of_pair((its, first), (other, second)));
    let noisy = Spread::new(figures[drop].clone()).and_then(|spread| noise::of_rounds(DROP, &spread));
    let bars = [Bar::of_rounds("generator alone", alone)].into_iter();
    let bars =
        bars.chain(names.iter().zip(&figures).map(|(name, rounds)| Bar::of_rounds(name, rounds.clone())));
    let others = (0..names.len()).filter(|place| *place != drop);
    let others = others.map(|place| Bar::of_rounds(&names[place], above(place))).collect();
    Ok(Measurement {
        figures: vec![
            Figure::bars(
                "above_drop",
                "A packet, above the bare drop of the same round",
                UNIT,
                Better::Lower,
                others,
            ),
            Figure::bars(
                "ns_per_packet",
                "A packet, the generator's part with it",
                UNIT,
                Better::Lower,
                bars.collect(),
            ),
        ],
        aims: AIMS.into_iter().filter_map(aim).collect(),
        checked: vec![format!(
            "each variant had {} packets in {rounds} rounds, each made by the generator and given to it; no digest was lost",
            grouped(u64::from(rounds) * u64::from(packets))
        )],
        warnings: noisy.into_iter().chain(not_told).collect(),
    })
}

pub struct Variant {
    pub name: String,
    pub ebpf: Ebpf,
    pub program: &'static str,
    /// Where it writes digests, to be emptied between runs, and what it says of those lost.
    pub rings: Option<(RingMaps, Watcher)>,
}

fn load_variants(arguments: &Arguments) -> Result<Vec<Variant>> {
    let mut variants = Vec::new();
    for (name, program) in [(DROP, "bare_drop"), ("decode", "decode_only")] {
        let mut ebpf = Ebpf::load(sensor_objects::BASELINE).context("cannot load the baseline programs")?;
        program::xdp(&mut ebpf, program)?.load()?;
        variants.push(Variant { name: name.into(), ebpf, program, rings: None });
    }
    let sensor = |name: &str, digests, object: &[u8]| sensor(name, digests, object, arguments.packets);
    for (name, digests) in [("sensor", false), ("sensor+digest", true)] {
        variants.push(sensor(name, digests, sensor_objects::SENSOR)?);
    }
    for build in &arguments.beside {
        let object = build.read()?;
        for (kind, digests) in [("sensor", false), ("sensor+digest", true)] {
            variants.push(build.explain(sensor(&build.label(kind), digests, &object))?);
        }
    }
    if arguments.without_hash_tables {
        return Ok(variants);
    }
    for (name, program) in [("sensor+hash", "flow_hash"), ("sensor+LRU hash", "flow_lru_hash")] {
        let mut ebpf =
            Ebpf::load(sensor_objects::ALTERNATIVES).context("cannot load the programs with hash tables")?;
        program::xdp(&mut ebpf, program)?.load()?;
        variants.push(Variant { name: name.into(), ebpf, program, rings: None });
    }
    Ok(variants)
}

fn sensor(name: &str, digests: bool, object: &[u8], packets: u32) -> Result<Variant> {
    // A ring takes all of a run, so that no digest is lost, which would be cheaper.
    let options = Options {
        digests: Some(digests),
        ring_records: NonZeroU32::new(packets.max(1)),
        ..Options::default()
    };
    let Alone { ebpf, name: program, plan } = Alone::load_object(&options.resolve()?, object)?;
    let rings =
        digests.then(|| anyhow::Ok((RingMaps::new(&ebpf, plan.rings)?, Watcher::new(&ebpf)?))).transpose()?;
    Ok(Variant { name: name.into(), ebpf, program, rings })
}

impl Variant {
    fn empty_rings(&self, packets: u64) -> Result<()> {
        let Some((rings, watcher)) = &self.rings else {
            return Ok(());
        };
        let mut digests = 0;
        for cpu in 0..rings.plan().cpus {
            digests += rings.ring::<Ipv4Digest>(cpu).drain(u64::MAX, |_| {});
            digests += rings.ring::<Ipv6Digest>(cpu).drain(u64::MAX, |_| {});
        }
        let lost: u64 = watcher.glance().digests_lost.iter().sum();
        ensure!(lost == 0, "{lost} digests were lost, which is cheaper than writing them");
        ensure!(digests > 0 && digests <= packets, "{packets} packets, {digests} digests");
        Ok(())
    }
}

/// The generator program, which makes a packet and calls the program under test.
pub struct Source {
    generator: Generator,
    under_test: ProgramArray<MapData>,
}

impl Source {
    pub fn load(mix: &Mix) -> Result<Self> {
        let mut generator = Generator::new(mix)?;
        let ebpf = generator.ebpf_mut();
        program::xdp(ebpf, names::GENERATE_AND_CALL)?.load()?;
        let under_test = ebpf.take_map(names::UNDER_TEST).context("the generator has no UNDER_TEST")?;
        Ok(Self { generator, under_test: under_test.try_into()? })
    }

    pub fn made(&self) -> u64 {
        self.generator.generated().iter().sum()
    }

    pub fn time(&mut self, variant: &mut Variant, packets: u32) -> Result<f64> {
        let tested: &Xdp = program::xdp(&mut variant.ebpf, variant.program)?;
        self.under_test.set(0, tested.fd()?, 0).context("cannot set the program under test")?;
        let made = self.made();
        let program = program::xdp(self.generator.ebpf_mut(), names::GENERATE_AND_CALL)?;
        let frame = [0_u8; FRAME_LENGTH];
        let options = TestRunOptions { data_in: Some(&frame), repeat: packets, ..TestRunOptions::default() };
        // The processor's time and not the clock's: a run that repeats begins and ends with waiting for
        // an RCU grace period, tens of milliseconds in which nothing is measured.
        let start = processor_time()?;
        program.test_run(options)?;
        let elapsed = processor_time()? - start;
        let made = self.made() - made;
        ensure!(made == u64::from(packets), "the generator made {made} packets of {packets}");
        variant.empty_rings(made)?;
        Ok(elapsed.as_secs_f64() * 1e9 / f64::from(packets))
    }
}

/// Processor time of this thread so far.
pub fn processor_time() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("cannot read the processor's time")?;
    Ok(time.into())
}
