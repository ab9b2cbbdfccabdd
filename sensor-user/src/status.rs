//! `apus-sensor status`: what is attached, since when, how, and what it has counted.

use std::io;

use aya::programs::Xdp;
use aya_obj::programs::XdpAttachType;
use clap::Args;
use jiff::Timestamp;
use sensor_ebpf::abi::{AttachMode, CpuCounters, InterfaceRecord};
use serde::Serialize;

use crate::config::{ConfigError, SetFlags};
use crate::digests::RingMaps;
use crate::document::Document;
use crate::features::{Cpus, Fallback, Features, has_btf};
use crate::flows::law::ByFamily;
use crate::interface::Interface;
use crate::interval::{RingFill, timestamp};
use crate::pins::{PinError, Pins};
use crate::program::{Rings, Slots};
use crate::state::{State, StateError, unpadded};
use crate::table::{self, grouped};

/// Shows what is attached, since when, in which mode, and the totals
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    set: SetFlags,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("cannot read which CPUs there are: {0}")]
    Cpus(io::Error),
    #[error(
        "no sensor is pinned in {path}: start one with `apus-sensor run`, or name another --pin-directory"
    )]
    Absent { path: std::path::PathBuf },
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
    #[error("cannot print: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Debug, Serialize)]
struct Status {
    pin_directory: std::path::PathBuf,
    /// Whether an agent runs on the set; without one the counts still go on.
    agent_running: bool,
    epoch: Timestamp,
    intervals_reported: u64,
    last_interval_end: Timestamp,
    action: &'static str,
    kernel_memory_bytes: u64,
    /// What this kernel lacks, and is done without; nothing where this process may not ask.
    fallbacks: Option<Vec<Fallback>>,
    /// Slots of counters, the last of them shared by several CPUs or not.
    counter_slots: u32,
    last_slot_is_shared: bool,
    /// Rings of digests, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    rings: Option<RingStatus>,
    interfaces: Vec<AttachedInterface>,
    /// Totals since the epoch, read while counting goes on.
    totals: Document,
}

/// Rings of digests, and how full the fullest of them is now.
#[derive(Clone, Copy, Debug, Serialize)]
struct RingStatus {
    cpus: u32,
    records: u32,
    records_ipv6: u32,
    #[serde(flatten)]
    fill: RingFill,
    /// Since the epoch.
    digests_written: ByFamily,
    digests_lost: ByFamily,
}

#[derive(Debug, Serialize)]
struct AttachedInterface {
    name: String,
    index: u32,
    mode: &'static str,
    driver: String,
    attached: Timestamp,
    /// Whether an XDP program is on it, seen from this network namespace, and its link pinned.
    linked: bool,
}

/// Prints the status.
///
/// # Errors
/// Where nothing is pinned, or it cannot be read.
pub fn run(arguments: &Arguments, mut output: impl io::Write) -> Result<(), StatusError> {
    let pins = Pins::new(&arguments.set.pin_directory()?);
    if !pins.exists()? || !pins.map(sensor_ebpf::abi::maps::CONTROL).exists() {
        return Err(StatusError::Absent { path: pins.path().into() });
    }
    let state = State::open(&pins)?;
    let totals = state.watcher.glance();
    let windows = state.windows();
    let status = Status::new(&pins, &state, &totals, Document::new(&totals, &windows))?;
    if arguments.json {
        serde_json::to_writer(&mut output, &status)?;
        writeln!(output)?;
        return Ok(());
    }
    let seconds = Timestamp::now().duration_since(status.epoch).as_secs_f64();
    write!(output, "{}", status.header())?;
    write!(output, "{}", table::render(&totals, &windows, Some(seconds)))?;
    Ok(())
}

/// By the kernel's own word, and by the pinned program's.
fn fallbacks(pins: &Pins) -> Option<Vec<Fallback>> {
    let features = Features::probe().ok()?;
    let program = Xdp::from_pin(pins.program(), XdpAttachType::Interface).ok();
    let compiled = program.and_then(|program| program.info().ok()).map(|info| info.size_jitted() > 0);
    Some(Fallback::in_force(features, compiled, has_btf()))
}

fn has_program(record: &InterfaceRecord) -> bool {
    Interface::find(&unpadded(&record.name)).is_ok_and(|interface| {
        interface.index == record.index && interface.link().is_ok_and(|link| link.xdp.is_some())
    })
}

impl RingStatus {
    fn new(rings: &RingMaps, counted: &CpuCounters) -> Option<Self> {
        let Rings { cpus, records, records_ipv6 } = rings.plan();
        rings.plan().is_on().then(|| Self {
            cpus,
            records,
            records_ipv6,
            fill: rings.fullest().into(),
            digests_written: counted.digests.into(),
            digests_lost: counted.digests_lost.into(),
        })
    }
}

impl Status {
    fn new(pins: &Pins, state: &State, counted: &CpuCounters, totals: Document) -> Result<Self, StatusError> {
        let control = state.control();
        let slots = Slots::existing(Cpus::probe().map_err(StatusError::Cpus)?, control.slots);
        let rings = state.rings.as_ref().map(RingMaps::plan);
        let links = pins.links()?;
        let time = |nanoseconds: u64| timestamp(i128::from(nanoseconds));
        let interface = |record: &InterfaceRecord| AttachedInterface {
            name: unpadded(&record.name),
            index: record.index,
            mode: if record.mode == AttachMode::Native as u32 { "native" } else { "generic" },
            driver: unpadded(&record.driver),
            attached: time(record.attached_unix_nanoseconds),
            linked: links.contains(&record.index) && has_program(record),
        };
        Ok(Self {
            pin_directory: pins.path().into(),
            agent_running: pins.is_locked(),
            epoch: time(control.epoch_unix_nanoseconds),
            intervals_reported: control.sequence,
            last_interval_end: time(control.reported_unix_nanoseconds),
            action: if control.drop_observed == 0 { "pass" } else { "drop" },
            kernel_memory_bytes: slots.kernel_memory()
                + rings.map_or(0, Rings::kernel_memory)
                + u64::from(control.evidence_ring_bytes),
            fallbacks: fallbacks(pins),
            counter_slots: slots.count,
            last_slot_is_shared: slots.last_is_shared,
            rings: state.rings.as_ref().and_then(|rings| RingStatus::new(rings, counted)),
            interfaces: control.interfaces.iter().filter(|record| record.index != 0).map(interface).collect(),
            totals,
        })
    }

    fn header(&self) -> String {
        let mut text = String::new();
        for interface in &self.interfaces {
            let AttachedInterface { name, index: _, mode, driver, attached, linked } = interface;
            let link = if *linked {
                ""
            } else {
                ", but not on it now: run again, or look from its network namespace"
            };
            text += &format!("{name}: {mode} XDP, driver {driver}, since {attached:.0}{link}\n");
        }
        text += &format!(
            "action {}; {} KiB of kernel memory in {} slots{}\n",
            self.action,
            grouped(self.kernel_memory_bytes >> 10),
            self.counter_slots,
            if self.last_slot_is_shared { ", the last shared" } else { "" },
        );
        if let Some(fallbacks) = self.fallbacks.as_ref().filter(|fallbacks| !fallbacks.is_empty()) {
            let words: Vec<_> = fallbacks.iter().map(|fallback| fallback.says()).collect();
            text += &format!("this kernel: {}\n", words.join("; "));
        }
        if let Some(RingStatus { cpus, records, fill, digests_lost, .. }) = &self.rings {
            text += &format!(
                "digests in rings of {} on each of {cpus} CPUs, {} wait in the fullest; {} lost since the epoch\n",
                grouped((*records).into()),
                grouped(fill.most_waiting),
                grouped(digests_lost.sum()),
            );
        }
        text += &format!(
            "agent {}; {} intervals reported, the last up to {:.0}\n",
            if self.agent_running { "running" } else { "not running, counting goes on" },
            self.intervals_reported,
            self.last_interval_end,
        );
        text
    }
}
