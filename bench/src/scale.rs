//! `bench scale`: how cost grows with what there is more of: CPUs, prefixes, windows, sources, rings, interfaces.
//!
//! Each round visits every size of every dimension in turn, so that a machine that drifts does so for all of them.
//! Where a cost grows faster than what it is the cost of, beyond what rounds differ by, a warning says so.

mod cpus;
mod growth;
mod interfaces;
mod mixes;
mod prefixes;
mod rings;
mod sizes;
mod sources;
mod streams;
mod under_test;
mod windows;

use anyhow::Result;
use clap::{Args, ValueEnum};
use testbed::Namespace;

use crate::affinity;
use crate::results::{self, Measurement};
use growth::Growth;

/// Measures how cost grows: with CPUs, observed prefixes, watched windows, sources, ring sizes, interfaces
#[derive(Args)]
pub struct Arguments {
    /// Rounds; in each, every size of everything is visited once, in turn
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Packets, or digests, of one visit
    #[arg(long, default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1 << 10..=1 << 24))]
    packets: u32,
    /// The most sources
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(10_000..=50_000_000))]
    most_sources: u32,
    /// What is to grow; may be repeated [default: all of them]
    #[arg(long = "of", value_enum)]
    of: Vec<Of>,
    /// A minute and a half: fewer packets, and as many rounds as tell growth from noise
    #[arg(long, conflicts_with_all = ["rounds", "packets"])]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What can grow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Of {
    Prefixes,
    Windows,
    Sources,
    Rings,
    Cpus,
    Interfaces,
}

/// The fewest rounds that tell growth from noise, see [`growth`].
const QUICK_ROUNDS: u32 = 10;
const QUICK_PACKETS: u32 = 1 << 17;

/// How much is to be measured.
#[derive(Clone, Copy)]
struct Extent {
    rounds: u32,
    packets: u32,
    most_sources: u32,
}

/// One thing that grows, at all of its sizes.
trait Dimension {
    /// Visits each size once; what is measured counts unless the round is to fill caches alone.
    fn round(&mut self, counts: bool) -> Result<()>;

    /// What came out, and what was checked on the way.
    fn finish(self: Box<Self>) -> Result<Outcome>;
}

/// What a dimension comes to.
struct Outcome {
    growths: Vec<Growth>,
    /// A sentence each.
    checked: Vec<String>,
    warnings: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

/// Measures the growth of all that was asked for.
pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let &Arguments { mut rounds, mut packets, most_sources, quick, .. } = arguments;
    if quick {
        (rounds, packets) = (QUICK_ROUNDS, QUICK_PACKETS);
    }
    let extent = Extent { rounds, packets, most_sources };
    let cpus = affinity::allowed()?;
    affinity::stay_on(cpus[0])?;
    let (sender, receiver) = (Namespace::new()?, Namespace::new()?);
    let wanted = |of: Of| arguments.of.is_empty() || arguments.of.contains(&of);
    let mut dimensions: Vec<Box<dyn Dimension + '_>> = Vec::new();
    let mut measurement = Measurement::default();
    if wanted(Of::Prefixes) {
        dimensions.push(Box::new(prefixes::Prefixes::new(extent, cpus[0])?));
    }
    if wanted(Of::Windows) {
        dimensions.push(Box::new(windows::Windows::new(extent, cpus[0])?));
    }
    if wanted(Of::Sources) {
        dimensions.push(Box::new(sources::Sources::new(extent, cpus[0])?));
    }
    if wanted(Of::Rings) {
        match cpus.get(1) {
            Some(&drain) => {
                let ends = [&sender, &receiver];
                dimensions.push(Box::new(rings::Rings::new(extent, ends, cpus[0], drain)?));
            }
            None => measurement
                .warnings
                .push("ring sizes were not measured: they take two CPUs, one that drains".into()),
        }
    }
    if wanted(Of::Cpus) {
        dimensions.push(Box::new(cpus::Cpus::new(extent, [&sender, &receiver], &cpus)?));
    }
    if wanted(Of::Interfaces) {
        dimensions.push(Box::new(interfaces::Interfaces::new(extent, [&sender, &receiver], cpus[0])?));
    }
    // A first round, to fill caches and branch predictors, does not count.
    for round in 0..=extent.rounds {
        for dimension in &mut dimensions {
            dimension.round(round > 0)?;
        }
    }
    for dimension in dimensions {
        let Outcome { growths, checked, warnings } = dimension.finish()?;
        for growth in growths {
            measurement.warnings.extend(growth.warnings());
            measurement.figures.push(growth.figure()?);
        }
        measurement.checked.extend(checked);
        measurement.warnings.extend(warnings);
    }
    Ok(measurement)
}

/// Slots of counters so that this CPU, and every one below it, has one of its own.
fn slots_up_to(cpu: usize) -> Option<std::num::NonZeroU32> {
    u32::try_from(cpu + 1).ok().and_then(std::num::NonZeroU32::new)
}
