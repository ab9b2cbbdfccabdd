//! The agent while it runs: an interval after the other, each kept before it is noted.

use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use jiff::Timestamp;
use sensor_ebpf::abi::CpuCounters;
use signal_hook::iterator::Signals;

use super::RunError;
use super::clock::{Clock, Now};
use super::signals::{messages, wait};
use crate::attach::Sensor;
use crate::batch::Facts;
use crate::capabilities;
use crate::config::Settings;
use crate::conservation;
use crate::document::Document;
use crate::drain::{DrainError, DrainThread};
use crate::evidence::{self, EvidenceThread};
use crate::flows::folder::{FlowsFolder, Span};
use crate::flows::law::Since;
use crate::flows::{Limits, Settled};
use crate::interface::Interface;
use crate::interval::{Interval, RingFill, timestamp, write};
use crate::keep::{Keeper, Prepared, TakenUp};
use crate::logs::Lines;
use crate::metrics::{self, Board, MetricsThread};

/// How long the kernel may take to detach what is no longer pinned.
const LONGEST_DETACHING: Duration = Duration::from_secs(1);

/// The threads come first, so that they have ended when the sensor's lock is let go of.
pub struct Agent<W> {
    drain: Option<DrainThread>,
    evidence: Option<EvidenceThread>,
    keeper: Option<Keeper>,
    metrics: Option<(Board, MetricsThread)>,
    settings: Settings,
    pub sensor: Sensor,
    /// Whether every digest of the open interval is this agent's to read.
    since: Since,
    clock: Clock,
    folder: Option<FlowsFolder>,
    output: W,
    /// Intervals whose sums did not hold.
    pub breached: u64,
}

/// What is opened before anything is attached.
pub struct Rooms {
    pub folder: Option<FlowsFolder>,
    pub evidence: Option<evidence::Prepared>,
    pub keeper: Option<Prepared>,
    pub metrics: Option<metrics::Prepared>,
}

impl<W: io::Write> Agent<W> {
    /// Gives up every privilege, and starts the threads.
    pub fn begin(
        settings: Settings,
        mut sensor: Sensor,
        rooms: Rooms,
        signals: Signals,
        output: W,
    ) -> Result<(Self, Receiver<()>), RunError> {
        let clock = Clock::starting(Now::read());
        let Rooms { folder, evidence, keeper, metrics } = rooms;
        let evidence = evidence.map(|evidence| evidence.open(&sensor)).transpose()?;
        // What remains is reading memory that is mapped, writing to files and talking to a collector. It has to come
        // before any other thread, since each has capabilities of its own.
        capabilities::drop_all()?;
        folder.as_ref().map(FlowsFolder::probe).transpose()?;
        std::mem::replace(&mut sensor.lines, Lines::NONE).keep_printing();
        let signals = messages(signals).map_err(RunError::Signals)?;
        // First of all, for the rings do not wait: a large spool takes a while to be read.
        let drain = start_draining(&settings, &mut sensor)?;
        let evidence = evidence.map(evidence::Opened::start).transpose()?;
        let (keeper, taken_up) = match keeper.map(|keeper| keeper.open(&sensor.state)).transpose()? {
            None => (None, None),
            Some((keeper, taken_up)) => (Some(keeper), taken_up),
        };
        let board = metrics.as_ref().map(|_| board(&settings, keeper.as_ref()));
        let metrics = metrics.zip(board.clone()).map(|(metrics, board)| metrics.start(board)).transpose()?;
        let metrics = board.zip(metrics);
        let since = sensor.since;
        let mut agent = Self {
            drain,
            evidence,
            keeper,
            metrics,
            settings,
            sensor,
            since,
            clock,
            folder,
            output,
            breached: 0,
        };
        if let Some(taken_up) = taken_up {
            agent.tell(&taken_up)?;
        }
        Ok((agent, signals))
    }

    /// Prints an interval that an agent before this one has kept and not noted, and so perhaps not printed.
    fn tell(&mut self, taken_up: &TakenUp) -> Result<(), RunError> {
        let TakenUp { header, counted } = taken_up;
        let windows = &header.watched_windows;
        eprintln!("apus-sensor: found interval {} kept and not noted; it is now", header.last);
        let rings = RingFill { most_waiting: header.ring_most_waiting, records: header.ring_records };
        let interval = Interval {
            sensor: header.sensor.clone(),
            epoch: time(header.epoch),
            sequence: header.last,
            start: time(header.start),
            end: time(header.end),
            conservation_breaches: header.breaches.clone(),
            digests: header.digests,
            flows: header.flows.map(Into::into),
            rings: header.digests.map(|_| rings),
            evidence: None,
            counts: Document::new(counted, windows),
        };
        write(&mut self.output, self.settings.output, &interval, counted, windows).map_err(RunError::Output)
    }

    pub fn run(&mut self, signals: &Receiver<()>) -> Result<(), RunError> {
        let mut next = Instant::now() + self.settings.interval;
        loop {
            let stopped = wait(signals, next);
            let detached = !self.sensor.lock.is_current();
            if let Some(evidence) = self.evidence.as_mut().filter(|_| stopped || detached) {
                evidence.end();
            }
            let is_kept = self.report()?;
            if detached {
                return Err(if is_kept { RunError::Detached } else { RunError::DetachedUnkept });
            }
            if stopped && !is_kept {
                return Err(RunError::Unkept);
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

    /// Gives what waits a last chance to be shipped.
    pub fn end(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.end();
        }
    }

    /// Without privilege only the removal of a link's file detaches it, and that a moment later.
    pub fn wait_until_detached(&self) {
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

    /// Ends an interval: cut, keep, and only then note it as reported. An agent killed in between has it kept or
    /// counts those packets again, in the next one's first interval; none is ever left out.
    ///
    /// Says whether it is kept. Where there is no room for it, it goes on: what it has counted is part of what
    /// it will have counted.
    fn report(&mut self) -> Result<bool, RunError> {
        let state = &self.sensor.state;
        let control = state.control();
        let mut cut = state.watcher.cut();
        let now = Now::read();
        let finished = self.drain.as_ref().map(DrainThread::finish).transpose()?;
        let counted = cut
            .totals
            .since(&state.reported())
            .ok_or_else(|| RunError::Shrunk { path: self.sensor.pins.path().into() })?;
        let since = std::mem::replace(&mut self.since, Since::ItsBeginning);
        let settled = finished.as_ref().map(|finished| Settled::new(&finished.flows, &counted, since));
        // What breaks between two cuts is broken in their difference, and what broke before is not.
        for breach in conservation::breaches(&counted) {
            if !cut.breaches.iter().any(|other| other.left == breach.left && other.right == breach.right) {
                cut.breaches.push(breach);
            }
        }
        cut.breaches.extend(settled.iter().flat_map(|settled| settled.breaches.iter().cloned()));
        for breach in &cut.breaches {
            eprintln!("apus-sensor: CONSERVATION BREACH: {breach}");
        }
        self.breached += u64::from(!cut.breaches.is_empty());
        let windows = state.windows();
        let (span, clock_step) = self.clock.span(control.reported_unix_nanoseconds, now);
        let facts = Facts {
            settings: &self.settings,
            epoch: control.epoch_unix_nanoseconds,
            sequence: control.sequence + 1,
            span,
            clock_step,
            breaches: &cut.breaches,
            digests: settled.as_ref().map(|settled| settled.digests),
            summary: settled.as_ref().map(|settled| settled.flows),
            rings: finished.as_ref().map(|finished| finished.fullest.into()),
            counted: &counted,
            watched_windows: &windows,
            flows: finished.as_ref().map(|finished| &finished.flows),
        };
        if let (Some(folder), Some(flows)) = (&self.folder, facts.flows) {
            let (start, end) = (*facts.span.start(), *facts.span.end());
            let span = Span { epoch: time(facts.epoch), sequence: facts.sequence, start, end };
            // Counts are kept all the same, and the next interval's flows may find room again.
            if let Err(error) = folder.write(span, flows) {
                eprintln!("apus-sensor: warning: {}", crate::one_line(&error));
            }
        }
        let kept = match &mut self.keeper {
            None => None,
            Some(keeper) => {
                let batch = facts.batch()?;
                if let Err(error) = keeper.keep(&batch) {
                    eprintln!(
                        "apus-sensor: warning: {}; the interval goes on, and its counts stay in the kernel",
                        crate::one_line(&error)
                    );
                    publish(self.metrics.as_ref(), &facts, &cut.totals, false);
                    // Its flows are gone with it: their digests have been read.
                    self.since = Since::Later;
                    return Ok(false);
                }
                Some(batch.name)
            }
        };
        publish(self.metrics.as_ref(), &facts, &cut.totals, true);
        let interval = Interval {
            sensor: self.settings.sensor.clone(),
            epoch: time(facts.epoch),
            sequence: facts.sequence,
            start: time(*facts.span.start()),
            end: time(*facts.span.end()),
            conservation_breaches: cut.breaches.iter().map(ToString::to_string).collect(),
            digests: facts.digests,
            flows: facts.summary,
            rings: facts.rings,
            evidence: self.evidence.as_mut().map(|evidence| evidence.report(&counted)),
            counts: Document::new(&counted, &windows),
        };
        write(&mut self.output, self.settings.output, &interval, &counted, &windows)
            .map_err(RunError::Output)?;
        self.sensor.state.set_reported(&cut.totals, now.unix);
        if let (Some(keeper), Some(name)) = (&mut self.keeper, kept) {
            keeper.release(&name);
        }
        self.clock.note(now);
        Ok(true)
    }
}

/// Puts the interval up for whoever watches.
fn publish(metrics: Option<&(Board, MetricsThread)>, facts: &Facts<'_>, totals: &CpuCounters, is_kept: bool) {
    if let Some((board, _)) = metrics {
        board.publish(&report(facts, totals, is_kept));
    }
}

/// Where metrics find their numbers.
fn board(settings: &Settings, keeper: Option<&Keeper>) -> Board {
    let top_ports = settings.metrics.as_ref().map_or(0, |metrics| metrics.top_ports);
    let figures = keeper.map(|keeper| Box::new(keeper.figures()) as Box<_>);
    Board::new(&settings.sensor, top_ports, figures, keeper.and_then(Keeper::shipping))
}

/// An interval that has ended, for the board.
fn report<'interval>(
    facts: &Facts<'interval>,
    totals: &'interval CpuCounters,
    is_kept: bool,
) -> metrics::Report<'interval> {
    metrics::Report {
        is_kept,
        epoch: facts.epoch,
        sequence: facts.sequence,
        start: *facts.span.start(),
        end: *facts.span.end(),
        totals,
        counted: facts.counted,
        watched_windows: facts.watched_windows,
        breaches: facts.breaches.len(),
        digests: facts.digests,
        flows: facts.summary,
        rings: facts.rings,
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

fn time(nanoseconds: u64) -> Timestamp {
    timestamp(i128::from(nanoseconds))
}
