//! `apus-sensor run`: attached, and an interval's counts at every interval.

mod agent;
mod clock;
mod signals;

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use wire::WireError;

use crate::attach::{AttachError, attach};
use crate::capabilities::CapabilityError;
use crate::config::{
    Action, ConfigError, CountingFlags, FlowsFormat, Mode, Options, Output, PinFlags, Settings,
};
use crate::drain::{self, DrainError};
use crate::evidence::{self, EvidenceError, EvidenceOptions};
use crate::flows::file::FlowsFileError;
use crate::flows::folder::FlowsFolder;
use crate::flows::law::Since;
use crate::keep::{self, KeepError, SpoolFlags};
use crate::metrics::{self, MetricsError, MetricsFlags};
use crate::pins::PinError;
use crate::ship::ShipFlags;
use agent::{Agent, Rooms};

/// Attaches the sensor and prints every interval's counts, until it is told to stop
///
/// On SIGINT or SIGTERM it prints the last, partial interval and exits. The program stays attached and
/// goes on counting, so that the next `run` misses nothing; `apus-sensor detach` removes it.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    counting: CountingFlags,
    /// Interface to attach to; may be repeated
    #[arg(short, long = "interface", value_name = "NAME")]
    interfaces: Option<Vec<String>>,
    /// How to attach [default: auto]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// What becomes of packets to observed destinations [default: pass]
    #[arg(long, value_enum)]
    action: Option<Action>,
    /// How many CPUs have counters of their own; the others share one set [default: 64]
    #[arg(long, value_name = "NUMBER")]
    counter_cpus: Option<NonZeroU32>,
    /// Keep packets as evidence in files in this folder; which ones, the configuration's [evidence] says
    #[arg(long, value_name = "FOLDER")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    pins: PinFlags,
    /// How intervals are shown [default: json]
    #[arg(long, value_enum)]
    output: Option<Output>,
    /// Whether digests are written, and flows made of them [default: true]
    #[arg(long, value_name = "true|false")]
    digests: Option<bool>,
    /// Digests in the ring of each CPU, rounded up to a power of two [default: 524288, on many CPUs fewer]
    #[arg(long, value_name = "NUMBER")]
    ring_records: Option<NonZeroU32>,
    /// CPU to drain the rings on [default: any]
    #[arg(long, value_name = "CPU")]
    drain_cpu: Option<u32>,
    /// Folder to write the flows of every interval to [default: none]
    #[arg(long, value_name = "FOLDER")]
    flows: Option<PathBuf>,
    /// Format of those files [default: parquet]
    #[arg(long, value_enum)]
    flows_format: Option<FlowsFormat>,
    #[command(flatten)]
    spool: SpoolFlags,
    #[command(flatten)]
    ship: ShipFlags,
    #[command(flatten)]
    metrics: MetricsFlags,
    /// Detach when told to stop, and leave nothing pinned
    #[arg(long)]
    detach_on_exit: bool,
}

/// Why the sensor does not run, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Capability(#[from] CapabilityError),
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
    #[error("cannot print an interval: {0}; the sensor stays attached, and its counts are kept")]
    Output(io::Error),
    #[error("a counter has shrunk, which none may: something else writes to the pinned maps of {path}")]
    Shrunk { path: std::path::PathBuf },
    #[error("the sensor was detached from outside; its last interval is printed")]
    Detached,
    #[error("conservation was broken in {0} intervals, please report it: their lines name the sums")]
    Conservation(u64),
    #[error(
        "the sensor was detached from outside, and its last interval could not be kept: its counts are lost"
    )]
    DetachedUnkept,
    #[error("the last interval is not kept; what it has counted stays in the kernel, for the next `run`")]
    Unkept,
    #[error("cannot make an interval's batch: {0}; please report it")]
    Batch(#[from] WireError),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error(transparent)]
    Drain(#[from] DrainError),
    #[error(transparent)]
    Flows(#[from] FlowsFileError),
}

impl Arguments {
    fn settings(&self) -> Result<Settings, ConfigError> {
        let flags = Options {
            interfaces: self.interfaces.clone(),
            mode: self.mode,
            action: self.action,
            counter_cpus: self.counter_cpus,
            digests: self.digests,
            ring_records: self.ring_records,
            drain_cpu: self.drain_cpu,
            flows: self.flows.clone(),
            flows_format: self.flows_format,
            evidence: self
                .evidence
                .clone()
                .map(|folder| EvidenceOptions { folder: Some(folder), ..EvidenceOptions::default() }),
            spool: self.spool.options(),
            ship: self.ship.options(),
            metrics: self.metrics.options(),
            pin_directory: self.pins.pin_directory.clone(),
            output: self.output,
            ..Options::default()
        };
        flags.or(self.counting.options()?).resolve()
    }
}

/// Runs until a signal comes.
///
/// # Errors
/// Where the sensor cannot be attached, or something is wrong while it runs.
pub fn run(arguments: &Arguments, output: impl io::Write) -> Result<(), RunError> {
    let settings = arguments.settings()?;
    // Before attaching, so that no signal ends this process between that and its last interval.
    let signals = Signals::new([SIGINT, SIGTERM]).map_err(RunError::Signals)?;
    let folder = |path: &PathBuf| FlowsFolder::open(path, settings.flows_format, settings.flow_key);
    let folder = settings.flows.as_ref().map(folder).transpose()?;
    // All that can be wrong with the configuration is found before anything is attached.
    drain::check_cpu(settings.drain_cpu)?;
    let evidence = evidence::prepare(&settings)?;
    let keeper = keep::Prepared::new(&settings)?;
    let metrics = settings.metrics.as_ref().map(metrics::Prepared::open).transpose()?;
    for notice in metrics.iter().flat_map(metrics::Prepared::notices) {
        eprintln!("apus-sensor: {notice}");
    }
    let rooms = Rooms { folder, evidence, keeper, metrics };
    let (sensor, notices) = attach(&settings)?;
    notices.iter().for_each(|notice| eprintln!("apus-sensor: {notice}"));
    let (pins, is_fresh) = (sensor.pins.clone(), sensor.since == Since::ItsBeginning);
    let begun = Agent::begin(settings, sensor, rooms, signals, output);
    let (mut agent, signals) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            if is_fresh {
                // The first error is the one to tell of.
                let _second = pins.remove_all();
            }
            return Err(error);
        }
    };
    let ended = agent.run(&signals);
    // Not where something went wrong: then what is counted and not printed yet stays to be had.
    if arguments.detach_on_exit && ended.is_ok() && agent.sensor.lock.is_current() {
        agent.sensor.pins.remove_all()?;
        agent.wait_until_detached();
    }
    agent.end();
    ended?;
    match agent.breached {
        0 => Ok(()),
        intervals => Err(RunError::Conservation(intervals)),
    }
}
