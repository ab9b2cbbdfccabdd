//! `apus-sensor run`: attached, and an interval's counts at every interval.

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use crossbeam_channel::{Receiver, at, bounded, select};
use jiff::Timestamp;
use sensor_ebpf::abi::AttachMode;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::attach::{AttachError, Notice, Sensor, attach, unix_nanoseconds};
use crate::capabilities::{self, CapabilityError};
use crate::config::{
    Action, ConfigError, CountingFlags, FlowsFormat, Mode, Options, Output, PinFlags, Settings,
};
use crate::document::Document;
use crate::drain::{self, DrainError, DrainThread};
use crate::evidence::{self, EvidenceError, EvidenceOptions, EvidenceThread};
use crate::flows::file::FlowsFileError;
use crate::flows::folder::{FlowsFolder, Span};
use crate::flows::law::Since;
use crate::flows::{Limits, Settled};
use crate::interface::Interface;
use crate::interval::{Interval, timestamp, write};
use crate::logs::Lines;
use crate::pins::PinError;
use crate::table::grouped;

/// How long the kernel may take to detach what is no longer pinned.
const LONGEST_DETACHING: Duration = Duration::from_secs(1);

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
    let (sensor, notices) = attach(&settings)?;
    notices.iter().for_each(|notice| eprintln!("apus-sensor: {}", describe(notice)));
    let (pins, is_fresh) = (sensor.pins.clone(), sensor.since == Since::ItsBeginning);
    let begun = Agent::begin(settings, sensor, folder, evidence, output).and_then(|agent| {
        let signals = messages(signals).map_err(RunError::Signals)?;
        Ok((agent, signals))
    });
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
    ended?;
    match agent.breached {
        0 => Ok(()),
        intervals => Err(RunError::Conservation(intervals)),
    }
}

/// Hands the rings to a thread of their own, where digests are on.
fn start_draining(settings: &Settings, sensor: &mut Sensor) -> Result<Option<DrainThread>, DrainError> {
    if !settings.digests {
        return Ok(None);
    }
    let rings = sensor.state.rings.take().filter(|rings| rings.plan().is_on()).ok_or(DrainError::Rings)?;
    let bank = sensor.state.control().active_bank;
    DrainThread::start(rings, Limits::new(settings), bank, settings.drain_cpu).map(Some)
}

/// The threads come first, so that they have ended when the sensor's lock is let go of.
struct Agent<W> {
    drain: Option<DrainThread>,
    evidence: Option<EvidenceThread>,
    settings: Settings,
    sensor: Sensor,
    /// Whether every digest of the open interval is this agent's to read.
    since: Since,
    folder: Option<FlowsFolder>,
    output: W,
    /// Intervals whose sums did not hold.
    breached: u64,
}

impl<W: io::Write> Agent<W> {
    /// Gives up every privilege, and starts the threads.
    fn begin(
        settings: Settings,
        mut sensor: Sensor,
        folder: Option<FlowsFolder>,
        evidence: Option<evidence::Prepared>,
        output: W,
    ) -> Result<Self, RunError> {
        let evidence = evidence.map(|evidence| evidence.open(&sensor)).transpose()?;
        // What remains is reading memory that is mapped and writing to files. It has to come before any other thread,
        // since each has capabilities of its own.
        capabilities::drop_all()?;
        folder.as_ref().map(FlowsFolder::probe).transpose()?;
        std::mem::replace(&mut sensor.lines, Lines::NONE).keep_printing();
        let drain = start_draining(&settings, &mut sensor)?;
        let evidence = evidence.map(evidence::Opened::start).transpose()?;
        let since = sensor.since;
        Ok(Self { drain, evidence, settings, sensor, since, folder, output, breached: 0 })
    }

    fn run(&mut self, signals: &Receiver<()>) -> Result<(), RunError> {
        let mut next = Instant::now() + self.settings.interval;
        loop {
            let stopped = wait(signals, next);
            let detached = !self.sensor.lock.is_current();
            if let Some(evidence) = self.evidence.as_mut().filter(|_| stopped || detached) {
                evidence.end();
            }
            self.report()?;
            if detached {
                return Err(RunError::Detached);
            }
            self.warn_of_lost_interfaces();
            if stopped {
                return Ok(());
            }
            // Late by more than an interval, as after a suspend, there is nothing to catch up with.
            next += self.settings.interval;
            if next < Instant::now() {
                next = Instant::now() + self.settings.interval;
            }
        }
    }

    /// Without privilege only the removal of a link's file detaches it, and that a moment later.
    fn wait_until_detached(&self) {
        let deadline = Instant::now() + LONGEST_DETACHING;
        let is_attached = |interface: &Interface| interface.link().is_ok_and(|link| link.xdp.is_some());
        while self.sensor.interfaces.iter().any(is_attached) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A device may go, or someone take the program off it, without a word to the agent.
    fn warn_of_lost_interfaces(&self) {
        for interface in self
            .sensor
            .interfaces
            .iter()
            .filter(|interface| interface.link().map_or(true, |link| link.xdp.is_none()))
        {
            eprintln!(
                "apus-sensor: warning: {} is gone, or the program on it: its packets are not counted; run again",
                interface.name
            );
        }
    }

    /// Ends an interval: cut, print, and only then note it as reported. An agent killed in between
    /// prints those packets again, in the next one's first interval; none is ever left out.
    fn report(&mut self) -> Result<(), RunError> {
        let state = &self.sensor.state;
        let control = state.control();
        let mut cut = state.watcher.cut();
        let end = unix_nanoseconds();
        let finished = self.drain.as_ref().map(DrainThread::finish).transpose()?;
        let counted = cut
            .totals
            .since(&state.reported())
            .ok_or_else(|| RunError::Shrunk { path: self.sensor.pins.path().into() })?;
        let since = std::mem::replace(&mut self.since, Since::ItsBeginning);
        let settled = finished.as_ref().map(|finished| Settled::new(&finished.flows, &counted, since));
        cut.breaches.extend(settled.iter().flat_map(|settled| settled.breaches.iter().cloned()));
        for breach in &cut.breaches {
            eprintln!("apus-sensor: CONSERVATION BREACH: {breach}");
        }
        self.breached += u64::from(!cut.breaches.is_empty());
        let windows = state.windows();
        let interval = Interval {
            sensor: self.settings.sensor.clone(),
            epoch: time(control.epoch_unix_nanoseconds),
            sequence: control.sequence + 1,
            start: time(control.reported_unix_nanoseconds),
            end: time(end),
            conservation_breaches: cut.breaches,
            digests: settled.as_ref().map(|settled| settled.digests),
            flows: settled.as_ref().map(|settled| settled.flows),
            rings: finished.as_ref().map(|finished| finished.fullest.into()),
            evidence: self.evidence.as_mut().map(|evidence| evidence.report(&counted)),
            counts: Document::new(&counted, &windows),
        };
        if let (Some(folder), Some(finished)) = (&self.folder, &finished) {
            let Interval { epoch, sequence, .. } = interval;
            let span = Span { epoch, sequence, start: control.reported_unix_nanoseconds, end };
            // Counts are kept all the same, and the next interval's flows may find room again.
            if let Err(error) = folder.write(span, &finished.flows) {
                eprintln!("apus-sensor: warning: {}", crate::one_line(&error));
            }
        }
        write(&mut self.output, self.settings.output, &interval, &counted, &windows)
            .map_err(RunError::Output)?;
        state.set_reported(&cut.totals, end);
        Ok(())
    }
}

fn time(nanoseconds: u64) -> Timestamp {
    timestamp(i128::from(nanoseconds))
}

/// Waits for the deadline or a signal; says whether it was a signal.
fn wait(signals: &Receiver<()>, deadline: Instant) -> bool {
    select! {
        recv(signals) -> _ => true,
        recv(at(deadline)) -> _ => false,
    }
}

/// A message for each of the signals, those included that came before. A further one while a message waits kills at once.
fn messages(mut signals: Signals) -> io::Result<Receiver<()>> {
    let (sender, receiver) = bounded(1);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if sender.try_send(()).is_err() {
                // The default action; should it be refused, the first signal is still being served.
                let _refused = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    })?;
    Ok(receiver)
}

fn describe(notice: &Notice) -> String {
    match notice {
        Notice::Resumed => "found a pinned sensor; its counters go on".into(),
        Notice::Replaced => "its configuration or program was another one, and is replaced".into(),
        Notice::Rings(rings) => format!(
            "rings of {} IPv4 and {} IPv6 digests on each of {} CPUs, {} MiB in all",
            grouped(rings.records.into()),
            grouped(rings.records_ipv6.into()),
            rings.cpus,
            rings.kernel_memory() >> 20
        ),
        Notice::Kept { interface } => format!("attached to {interface} already"),
        Notice::Attached { interface, driver, mode } => {
            let mode = match mode {
                AttachMode::Native => "native",
                AttachMode::Generic => "generic",
            };
            format!("attached to {interface} ({mode}, driver {driver})")
        }
        Notice::FellBack { interface, reason } => {
            format!(
                "warning: {interface} does not take XDP natively ({reason}); in the network stack it is slower"
            )
        }
        Notice::Removed { interface } => format!("no longer attached to {interface}"),
        Notice::OwnAddressDropped { interface, address } => {
            format!("warning: packets to {address}, this host's own address on {interface}, are dropped")
        }
    }
}
