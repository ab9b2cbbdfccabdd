//! `apus-sensor replay`: captures through the very program that a sensor runs, without a network.

use std::io;
use std::path::{Path, PathBuf};

use aya::Ebpf;
use aya::programs::{ProgramError, TestRun as _, TestRunOptions};
use clap::Args;
use sensor_ebpf::count::{Exclusive, WatchedWindows, count};
use sensor_ebpf::headers::{Ethernet, Frame};
use sensor_ebpf::observed::Everything;
use sensor_ebpf::packet::decode;

use crate::capture::{Capture, CaptureError, Packet};
use crate::config::{ConfigError, CountingFlags, Output, Settings};
use crate::conservation::Breach;
use crate::counters::Totals;
use crate::document::Document;
use crate::features::{Cpus, Features};
use crate::interval::{Interval, timestamp, write};
use crate::logs::Lines;
use crate::mapping::MappingError;
use crate::program::{self, LoadError, Rodata, Slots};
use crate::table;
use crate::watcher::Watcher;

/// What the kernel takes through `BPF_PROG_TEST_RUN`: a first buffer and 17 pages. A longer frame is
/// cut, which no header notices.
const LONGEST_FRAME: usize = 65_535;
/// The same without multi-buffer support: what is left of a page.
const LONGEST_SINGLE_BUFFER: usize = 3_000;

/// Replays capture files through the sensor's XDP program and prints the totals
#[derive(Args, Debug)]
pub struct Arguments {
    /// Capture files, pcap or pcapng; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON: one document of totals, or with --interval one line an interval
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub counting: CountingFlags,
}

/// Why a replay did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error("{path}, packet {number}: the kernel does not run the program on it: {source}")]
    Run { path: PathBuf, number: u64, source: ProgramError },
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    #[error("{0} of {1} captures could not be read to the end; what was readable is counted")]
    Captures(usize, usize),
    #[error("a counter has shrunk, please report it: counters only grow")]
    Shrunk,
    #[error("conservation is broken, please report it: {0}")]
    Conservation(Breach),
}

/// Replays, and writes to `output`.
///
/// # Errors
/// Where the program cannot be loaded, or a capture cannot be read to its end: then after printing what
/// was counted up to there.
pub fn run(arguments: &Arguments, mut output: impl io::Write) -> Result<(), ReplayError> {
    let by_interval = arguments.counting.interval.is_some();
    let settings = arguments.counting.options()?.resolve()?;
    let form = if arguments.json { Output::Json } else { Output::Table };
    let mut replay = Replay::new(&settings)?;
    let mut failed = 0;
    for path in &arguments.files {
        let each = |interval: Interval, totals: &Totals| {
            if by_interval {
                write(&mut output, form, &interval, totals, &settings.watched_windows)
            } else {
                Ok(())
            }
        };
        if let Err(error) = replay.file(path, each) {
            match error {
                ReplayOrCapture::Capture(error) => {
                    failed += 1;
                    eprintln!("apus-sensor: {}", crate::one_line(&error));
                }
                ReplayOrCapture::Replay(error) => return Err(error),
            }
        }
    }
    let totals = replay.finish(|interval, totals| {
        if by_interval {
            write(&mut output, form, &interval, totals, &settings.watched_windows)
        } else {
            Ok(())
        }
    })?;
    if !by_interval {
        write_totals(&mut output, arguments.json, &settings, &totals)?;
    }
    if failed > 0 {
        return Err(ReplayError::Captures(failed, arguments.files.len()));
    }
    Ok(())
}

fn write_totals(
    output: &mut impl io::Write,
    json: bool,
    settings: &Settings,
    totals: &Totals,
) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *output, &Document::new(totals, &settings.watched_windows))?;
        writeln!(output)
    } else {
        write!(output, "{}", table::render(totals, &settings.watched_windows, None))
    }
}

enum ReplayOrCapture {
    Replay(ReplayError),
    Capture(CaptureError),
}

impl<E: Into<ReplayError>> From<E> for ReplayOrCapture {
    fn from(error: E) -> Self {
        Self::Replay(error.into())
    }
}

/// A program in the kernel that packets are handed to one by one.
pub struct Replay {
    ebpf: Ebpf,
    program: &'static str,
    longest_frame: usize,
    watcher: Watcher,
    lines: Lines,
    settings: Settings,
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

impl Replay {
    /// Loads the program, unattached and unpinned.
    ///
    /// # Errors
    /// Where the kernel or the lack of permission is against it.
    pub fn new(settings: &Settings) -> Result<Self, ReplayError> {
        let features = Features::probe().map_err(LoadError::probe)?;
        let slots = Slots::plan(Cpus::probe().map_err(LoadError::Cpus)?, settings.counter_cpus);
        let windows: Vec<u32> = settings.watched_windows.iter().copied().map(u32::from).collect();
        let rodata = Rodata::new(settings, slots, features, &windows);
        let mut ebpf = program::load(&rodata, slots, features, None)?;
        Ok(Self {
            lines: Lines::of(&mut ebpf).map_err(LoadError::from)?,
            watcher: Watcher::new(&ebpf)?,
            ebpf,
            program: program::program_name(features),
            longest_frame: if features.multi_buffer { LONGEST_FRAME } else { LONGEST_SINGLE_BUFFER },
            settings: settings.clone(),
            clock: None,
            reported: Totals::default(),
            wire_bytes: 0,
            kernel_bytes: 0,
            too_short: Totals::default(),
            totals: Totals::default(),
        })
    }

    fn file(
        &mut self,
        path: &Path,
        mut each: impl FnMut(Interval, &Totals) -> io::Result<()>,
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
        }
        Ok(())
    }

    /// Moves the clock, and reports every interval that ends before `now`. A clock that goes backwards,
    /// or a packet without a time, belongs to the interval that is open.
    fn advance(
        &mut self,
        now: Option<i128>,
        each: &mut impl FnMut(Interval, &Totals) -> io::Result<()>,
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
        if elapsed > 0 {
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
        let program = program::xdp(&mut self.ebpf, self.program)?;
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::default() };
        program.test_run(options).map_err(|source| ReplayError::Run {
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
        each: &mut impl FnMut(Interval, &Totals) -> io::Result<()>,
    ) -> Result<(), ReplayError> {
        self.lines.print();
        let cut = self.watcher.cut();
        let mut counted = cut.totals.since(&self.reported).ok_or(ReplayError::Shrunk)?;
        if counted.bytes != self.kernel_bytes {
            return Err(ReplayError::Conservation(Breach {
                left: "bytes counted",
                left_sum: counted.bytes,
                right: "bytes put through the program",
                right_sum: self.kernel_bytes,
            }));
        }
        if let Some(breach) = cut.breaches.first() {
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
            counts: Document::new(&counted, &self.settings.watched_windows),
        };
        each(interval, &counted)?;
        Ok(())
    }

    /// Ends the last interval and gives the totals of all.
    fn finish(
        mut self,
        mut each: impl FnMut(Interval, &Totals) -> io::Result<()>,
    ) -> Result<Totals, ReplayError> {
        let end = self.clock.as_ref().map_or(0, |clock| clock.latest);
        self.report(end, &mut each)?;
        Ok(self.totals)
    }
}

/// A frame too short for an Ethernet header reaches no window.
struct NoWindows;

impl WatchedWindows for NoWindows {
    fn position(&self, _window: u16) -> Option<usize> {
        None
    }
}
