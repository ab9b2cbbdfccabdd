//! The player: packets one by one through the program in the kernel, with the capture's own clock.

use std::io;
use std::path::Path;

use aya::programs::{TestRun as _, TestRunOptions};
use sensor_ebpf::count::{Exclusive, WatchedWindows, count};
use sensor_ebpf::headers::{Ethernet, Frame};
use sensor_ebpf::observed::Everything;
use sensor_ebpf::packet::decode;

use super::ReplayError;
use crate::affinity;
use crate::batch::Facts;
use crate::capture::{Capture, CaptureError, Packet};
use crate::config::Settings;
use crate::conservation::Breach;
use crate::counters::Totals;
use crate::digests::RingMaps;
use crate::document::Document;
use crate::drain::Drain;
use crate::flows::Limits;
use crate::flows::Settled;
use crate::flows::law::Since;
use crate::interval::{Interval, timestamp};
use crate::logs::Lines;
use crate::program::{Alone, LoadError, Rings};
use crate::watcher::Watcher;

/// What the kernel takes through `BPF_PROG_TEST_RUN`: a first buffer and 17 pages. A longer frame is
/// cut, which no header notices.
const LONGEST_FRAME: usize = 65_535;
/// The same without multi-buffer support: what is left of a page.
const LONGEST_SINGLE_BUFFER: usize = 3_000;

/// Whose fault ended a capture: one that ends the replay, or the capture's own.
pub enum ReplayOrCapture {
    Replay(ReplayError),
    Capture(CaptureError),
}

impl<E: Into<ReplayError>> From<E> for ReplayOrCapture {
    fn from(error: E) -> Self {
        Self::Replay(error.into())
    }
}

/// A program in the kernel that packets are handed to one by one.
pub struct Player {
    program: Alone,
    longest_frame: usize,
    watcher: Watcher,
    /// Where flows are asked for.
    drain: Option<Drain>,
    lines: Lines,
    settings: Settings,
    /// Whether anyone wants to see intervals; else the whole is one.
    by_interval: bool,
    clock: Option<Clock>,
    /// Kernel totals as of the last interval.
    reported: Totals,
    /// Wire bytes since the last interval, and bytes that went through the kernel.
    wire_bytes: u64,
    kernel_bytes: u64,
    /// Frames too short for the kernel to take since the last interval: no driver delivers them either.
    too_short: Totals,
    totals: Totals,
}

/// The capture's clock.
struct Clock {
    epoch: i128,
    start: i128,
    latest: i128,
    sequence: u64,
}

impl Player {
    /// Loads the program, unattached and unpinned.
    ///
    /// # Errors
    /// Where the kernel or the lack of permission is against it.
    pub fn new(settings: &Settings, by_interval: bool) -> Result<Self, ReplayError> {
        let mut program = Alone::load(settings)?;
        let rings = program.plan.rings;
        let drain = if rings.is_on() {
            stay_where_rings_are(rings)?;
            Some(Drain::new(RingMaps::new(&program.ebpf, rings)?, Limits::new(settings), 0))
        } else {
            None
        };
        let multi_buffer = program.plan.features.multi_buffer;
        Ok(Self {
            lines: Lines::of(&mut program.ebpf).map_err(LoadError::from)?,
            watcher: Watcher::new(&program.ebpf)?,
            drain,
            program,
            longest_frame: if multi_buffer { LONGEST_FRAME } else { LONGEST_SINGLE_BUFFER },
            settings: settings.clone(),
            by_interval,
            clock: None,
            reported: Totals::default(),
            wire_bytes: 0,
            kernel_bytes: 0,
            too_short: Totals::default(),
            totals: Totals::default(),
        })
    }

    /// Plays one capture, and gives each interval that ends in it to `each`.
    ///
    /// # Errors
    /// Where the capture, or the kernel, is against it.
    pub fn file(
        &mut self,
        path: &Path,
        mut each: impl FnMut(Played<'_>) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayOrCapture> {
        let opened = if path == Path::new("-") {
            Capture::from_reader("standard input", io::stdin())
        } else {
            Capture::open(path)
        };
        let mut capture = opened.map_err(ReplayOrCapture::Capture)?;
        while let Some(packet) = capture.next_packet().map_err(ReplayOrCapture::Capture)? {
            self.advance(packet.time_unix_ns, &mut each)?;
            self.packet(path, &packet)?;
            let now = self
                .clock
                .as_ref()
                .map_or(0, |clock| nanoseconds(packet.time_unix_ns.unwrap_or(clock.latest)));
            if let Some(drain) = &mut self.drain {
                drain.pass(now);
            }
        }
        Ok(())
    }

    /// Moves the clock, and reports every interval that ends before `now`. A clock that goes backwards,
    /// or a packet without a time, belongs to the interval that is open.
    fn advance(
        &mut self,
        now: Option<i128>,
        each: &mut impl FnMut(Played<'_>) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        let Some(now) = now else {
            return Ok(());
        };
        let Some(clock) = &mut self.clock else {
            self.clock = Some(Clock { epoch: now, start: now, latest: now, sequence: 0 });
            return Ok(());
        };
        clock.latest = clock.latest.max(now);
        let length = self.settings.interval.as_nanos().cast_signed();
        let elapsed = (now - clock.start) / length;
        if elapsed > 0 && self.by_interval {
            let end = clock.start + length;
            // Intervals in which nothing came are passed over: a capture may pause for years.
            let next = clock.start + elapsed * length;
            self.report(end, each)?;
            if let Some(clock) = &mut self.clock {
                clock.start = next;
            }
        }
        Ok(())
    }

    fn packet(&mut self, path: &Path, packet: &Packet<'_>) -> Result<(), ReplayError> {
        self.wire_bytes += u64::from(packet.original_length);
        if packet.frame.len() < size_of::<Ethernet>() {
            let decoded = decode(Frame::new(packet.frame), &Everything);
            // SAFETY: counters of our own, with no other writer.
            unsafe { count::<Exclusive>(self.too_short.counters_mut(), &decoded, 0, &NoWindows) };
            return Ok(());
        }
        let frame = &packet.frame[..packet.frame.len().min(self.longest_frame)];
        self.kernel_bytes += frame.len() as u64;
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::default() };
        self.program.program()?.test_run(options).map_err(|source| ReplayError::Run {
            path: path.into(),
            number: packet.number,
            source,
        })?;
        Ok(())
    }

    /// Ends the open interval.
    fn report(
        &mut self,
        end: i128,
        each: &mut impl FnMut(Played<'_>) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        self.lines.print();
        let cut = self.watcher.cut();
        let mut counted = cut.totals.since(&self.reported).ok_or(ReplayError::Shrunk)?;
        let finished = self.drain.as_mut().map(|drain| drain.finish(nanoseconds(end)));
        let settled =
            finished.as_ref().map(|finished| Settled::new(&finished.flows, &counted, Since::ItsBeginning));
        if counted.bytes != self.kernel_bytes {
            return Err(ReplayError::Conservation(Breach {
                left: "bytes counted",
                left_sum: counted.bytes,
                right: "bytes put through the program",
                right_sum: self.kernel_bytes,
            }));
        }
        if let Some(missing) =
            settled.as_ref().map(|settled| settled.digests.missing()).filter(|missing| *missing > 0)
        {
            return Err(ReplayError::Missing(missing));
        }
        let of_flows = settled.iter().flat_map(|settled| &settled.breaches);
        if let Some(breach) = cut.breaches.iter().chain(of_flows).next() {
            return Err(ReplayError::Conservation(breach.clone()));
        }
        self.reported = cut.totals;
        counted.merge(&std::mem::take(&mut self.too_short));
        // The program saw frames behind a header of ours, or cut short; the capture knows better.
        counted.counters_mut().bytes = self.wire_bytes;
        (self.wire_bytes, self.kernel_bytes) = (0, 0);
        self.totals.merge(&counted);

        let clock = self.clock.get_or_insert(Clock { epoch: end, start: end, latest: end, sequence: 0 });
        clock.sequence += 1;
        let interval = Interval {
            sensor: self.settings.sensor.clone(),
            epoch: timestamp(clock.epoch),
            sequence: clock.sequence,
            start: timestamp(clock.start),
            end: timestamp(end),
            conservation_breaches: Vec::new(),
            digests: settled.as_ref().map(|settled| settled.digests),
            flows: settled.as_ref().map(|settled| settled.flows),
            // They are drained after every packet.
            rings: None,
            evidence: None,
            counts: Document::new(&counted, &self.settings.watched_windows),
        };
        let facts = Facts {
            settings: &self.settings,
            epoch: nanoseconds(clock.epoch),
            sequence: clock.sequence,
            span: nanoseconds(clock.start)..=nanoseconds(end.max(clock.start)),
            clock_step: 0,
            breaches: &[],
            digests: interval.digests,
            summary: interval.flows,
            rings: None,
            counted: &counted,
            watched_windows: &self.settings.watched_windows,
            flows: finished.as_ref().map(|finished| &finished.flows),
        };
        each(Played { interval, facts })
    }

    /// Ends the last interval and gives the totals of all.
    pub fn finish(
        mut self,
        mut each: impl FnMut(Played<'_>) -> Result<(), ReplayError>,
    ) -> Result<Totals, ReplayError> {
        let end = self.clock.as_ref().map_or(0, |clock| clock.latest);
        self.report(end, &mut each)?;
        Ok(self.totals)
    }
}

/// One interval of a capture, and what a batch of it is made of.
pub struct Played<'a> {
    pub interval: Interval,
    pub facts: Facts<'a>,
}

/// Binds this thread to a CPU that has rings: the program runs where it is asked to.
fn stay_where_rings_are(rings: Rings) -> Result<(), ReplayError> {
    for cpu in 0..rings.cpus {
        if affinity::is_allowed(cpu).map_err(|errno| ReplayError::Cpu(errno.into()))? {
            return affinity::stay_on(cpu).map_err(|errno| ReplayError::Cpu(errno.into()));
        }
    }
    Err(ReplayError::Cpu(io::Error::other("none of those with rings is allowed")))
}

/// A capture's time as flows have it: not before 1970.
fn nanoseconds(time: i128) -> u64 {
    u64::try_from(time.max(0)).unwrap_or(u64::MAX)
}

/// A frame too short for an Ethernet header reaches no window.
struct NoWindows;

impl WatchedWindows for NoWindows {
    fn position(&self, _window: u16) -> Option<usize> {
        None
    }
}
