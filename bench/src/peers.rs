//! `bench peers`: the sensor beside those that do a part of its work, on the same packets.
//!
//! One veth pair; the generator sends on the first CPU that this process may use, which also receives, as a NIC's interrupt
//! does; whatever a system has of processes runs on the second. In each round the order is another (see [`turns`]). Each
//! system is started anew for every lot of packets, and its own words at the end are its count. See `docs/peers.md`.

mod af_packet;
mod bed;
mod count;
mod figures;
mod packages;
mod processes;
mod rounds;
mod search;
mod system;
mod traffic;
mod turns;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use testbed::{Bpffs, Link, Namespace};

use crate::affinity;
use crate::results::{self, Measurement};
use bed::Bed;
use figures::Outcome;
use packages::Packages;
use rounds::Rounds;
use system::System;
use traffic::Traffic;

/// Measures sensor, limit and peers on the same packets: highest rate without loss, loss, CPU, memory
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    extent: Extent,
    /// What is sent; may be repeated [default: all of them]
    #[arg(long, value_enum)]
    traffic: Vec<Traffic>,
    /// Only those in whose name this is; may be repeated. Bare drop and sensor are always measured
    #[arg(long)]
    only: Vec<String>,
    /// A million sources alone, two rounds, one search of three steps, within three minutes
    #[arg(long, conflicts_with_all = ["rounds", "round_seconds", "searches", "steps", "step_seconds", "at_most", "traffic"])]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Count on this interface until a signal comes: as what the baseline on AF_PACKET is started
    #[arg(long, hide = true)]
    af_packet: Option<String>,
    /// How many of its workers
    #[arg(long, hide = true, default_value_t = 1)]
    workers: usize,
}

/// How much is measured.
#[derive(Args, Clone, Copy)]
struct Extent {
    /// Rounds at full rate; in each, every system has its turn, in another order
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds that a round sends for
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    round_seconds: f64,
    /// Searches for the highest rate without loss
    #[arg(long, default_value_t = 2)]
    searches: u32,
    /// Steps of a search
    #[arg(long, default_value_t = 6)]
    steps: u32,
    /// Seconds that a step sends for
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    step_seconds: f64,
    /// Begin nothing more after so many seconds
    #[arg(long)]
    at_most: Option<u64>,
}

const QUICK: Extent =
    Extent { rounds: 2, round_seconds: 0.5, searches: 1, steps: 3, step_seconds: 1.0, at_most: Some(165) };

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|seconds| (0.1..=60.0).contains(seconds)).ok_or_else(|| "0.1 to 60".into())
}

impl Arguments {
    fn traffic(&self) -> &[Traffic] {
        match (self.quick, self.traffic.as_slice()) {
            (true, _) => &[Traffic::MillionSources],
            (false, []) => &Traffic::ALL,
            (false, some) => some,
        }
    }

    fn extent(&self) -> Extent {
        if self.quick { QUICK } else { self.extent }
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    if let Some(interface) = &arguments.af_packet {
        return af_packet::run(interface, arguments.workers);
    }
    results::show(&measure(arguments)?, arguments.json)
}

/// Measures all of it.
///
/// # Errors
/// Where the testbed, the bare drop or the sensor fails; not where a peer does, which is then absent.
pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let listening: Vec<_> = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .map(|signal| signal_hook::flag::register(signal, Arc::clone(&interrupted)))
        .collect::<Result<_, _>>()
        .context("cannot listen for signals")?;
    let measured = measure_until(arguments, &interrupted);
    for signal in listening {
        signal_hook::low_level::unregister(signal);
    }
    measured
}

fn measure_until(arguments: &Arguments, interrupted: &AtomicBool) -> Result<Measurement> {
    let [send_cpu, run_cpu] = affinity::sender_and_other(None, None)?;
    let cpus = affinity::allowed()?;
    let (sender, receiver, bpffs) = (Namespace::new()?, Namespace::new()?, Bpffs::new()?);
    let link = Link::between(&sender, &receiver)?;
    link.receive_without_xdp()?;
    // For those who are asked for their count on 127.0.0.1.
    receiver.run("ip", &["link", "set", "dev", "lo", "up"])?;
    let packages = Packages::look();
    let bed =
        Bed { link: &link, bpffs: &bpffs, packages: &packages, interrupted, send_cpu, run_cpu, cpus: &cpus };
    let mut systems = System::all()?;
    let only = &arguments.only;
    systems.retain(|system| {
        system.is_limit()
            || system.is_sensor()
            || only.is_empty()
            || only.iter().any(|part| system.name.contains(part.as_str()))
    });
    let extent = arguments.extent();
    let traffic = arguments.traffic();
    let mut measurement = Measurement::default();
    let each = extent
        .at_most
        .map(|seconds| Duration::from_secs(seconds) / u32::try_from(traffic.len()).unwrap_or(1));
    for traffic in traffic {
        let mut rounds = Rounds::new(&bed, &systems, *traffic, extent, each)?;
        rounds.run()?;
        let outcome = Outcome { traffic: *traffic, systems: &systems, seen: &rounds.seen };
        measurement.figures.extend(outcome.figures());
        measurement.aims.extend(outcome.aims()?);
        measurement.warnings.extend(outcome.warnings());
        measurement.checked.extend(rounds.checked);
        measurement.warnings.extend(rounds.warnings);
    }
    Ok(measurement)
}
