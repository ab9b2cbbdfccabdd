//! What becomes of one record: written, or skipped for a reason that is counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use sensor_ebpf::abi::{EVIDENCE_SNAP, Signature, TrafficClass};
use sensor_ebpf::evidence::EvidenceRecord;

use super::limits::{Pause, Rate, Space};
use super::rotation::Files;
use super::{EvidenceSettings, writer};
use crate::attach::unix_nanoseconds;

/// Bytes that are written at once.
const BUFFER: usize = 32 << 10;

/// Counts, for whoever reports them.
#[derive(Debug, Default)]
pub struct Tally {
    packets: AtomicU64,
    bytes: AtomicU64,
    rate: AtomicU64,
    disk: AtomicU64,
    error: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub packets: u64,
    pub bytes: u64,
    pub rate: u64,
    pub disk: u64,
    pub error: u64,
}

impl Tally {
    pub fn read(&self) -> Written {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Self { packets, bytes, rate, disk, error } = self;
        Written {
            packets: load(packets),
            bytes: load(bytes),
            rate: load(rate),
            disk: load(disk),
            error: load(error),
        }
    }
}

/// Limits, files, and what is on its way to them.
pub struct Keeper {
    tally: Arc<Tally>,
    files: Files,
    snap_length: u32,
    rate: Rate,
    space: Space,
    failure: Pause,
    is_short: bool,
    /// Of this pass: since when the machine runs, and nanoseconds to add to that for the Unix time.
    now: Duration,
    to_unix: u64,
    /// Whole blocks, and how many packets they are.
    buffer: Vec<u8>,
    buffered: u64,
    /// What was last warned of, so that it is said once.
    warned: Option<&'static str>,
}

impl Keeper {
    #[must_use]
    pub fn new(settings: &EvidenceSettings, files: Files) -> Self {
        Self {
            tally: Arc::default(),
            files,
            snap_length: settings.snap_length,
            rate: Rate::new(settings.packets_per_second),
            space: Space::new(settings.minimum_free_bytes),
            failure: Pause::default(),
            is_short: false,
            now: Duration::ZERO,
            to_unix: 0,
            buffer: Vec::with_capacity(2 * BUFFER),
            buffered: 0,
            warned: None,
        }
    }

    #[must_use]
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Begins a pass, now.
    pub fn begin(&mut self) {
        self.begin_at(monotonic(), unix_nanoseconds());
    }

    fn begin_at(&mut self, now: Duration, unix: u64) {
        self.now = now;
        self.to_unix = unix.wrapping_sub(nanoseconds(now));
        let Self { space, files, .. } = self;
        self.is_short = space.is_short(now, || files.free_bytes());
        if self.is_short {
            self.warn("too little room on the file system", "lower minimum_free_bytes or make room");
        }
    }

    /// Writes a record of the ring buffer, or counts why not.
    pub fn take(&mut self, record: &[u8]) {
        let skipped = if self.failure.is_on(self.now) {
            Some(&self.tally.error)
        } else if self.is_short {
            Some(&self.tally.disk)
        } else if !self.rate.take(self.now) {
            Some(&self.tally.rate)
        } else {
            None
        };
        if let Some(reason) = skipped {
            reason.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(record) = parse(record) else {
            // The ring's size and the program are of one version: this is not to be had.
            self.tally.error.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.append(&record);
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    fn append(&mut self, record: &EvidenceRecord) {
        let interface = match self.files.interface(record.interface) {
            Some(interface) => interface,
            None => {
                // What is on its way belongs to a file that does not know this interface.
                self.flush();
                if let Err(error) = self.files.add_interface(record.interface) {
                    self.fail(&error);
                }
                self.files.interface(record.interface).unwrap_or(0)
            }
        };
        let snap = self.snap_length.min(record.captured_length) as usize;
        let frame = writer::Frame {
            interface,
            unix_nanoseconds: record.nanoseconds.wrapping_add(self.to_unix),
            original_length: record.original_length,
            bytes: &record.bytes[..snap.min(EVIDENCE_SNAP)],
            comment: &comment(record),
        };
        writer::packet(&mut self.buffer, &frame);
        self.buffered += 1;
    }

    /// Ends a pass: everything is written. Says whether the gate is to be closed.
    pub fn finish(&mut self) -> bool {
        self.flush();
        let now = self.now;
        self.is_short || self.failure.is_on(now) || self.rate.is_spent(monotonic().max(now))
    }

    /// Closes the file.
    pub fn end(&mut self) {
        if let Err(error) = self.files.close() {
            self.fail(&error);
        }
    }

    fn flush(&mut self) {
        if self.buffered == 0 {
            return;
        }
        match self.files.write(&self.buffer) {
            Ok(bytes) => {
                self.tally.packets.fetch_add(self.buffered, Ordering::Relaxed);
                self.tally.bytes.fetch_add(bytes, Ordering::Relaxed);
                if self.warned.take().is_some() {
                    eprintln!("apus-sensor: evidence is written again");
                }
            }
            Err(error) => {
                self.tally.error.fetch_add(self.buffered, Ordering::Relaxed);
                self.fail(&error);
            }
        }
        self.buffer.clear();
        self.buffered = 0;
    }

    fn fail(&mut self, error: &io::Error) {
        self.failure.begin(self.now);
        self.warn("writing fails", &error.to_string());
    }

    fn warn(&mut self, what: &'static str, more: &str) {
        if self.warned != Some(what) {
            self.warned = Some(what);
            eprintln!(
                "apus-sensor: warning: no evidence is written: {what} ({more}); packets are counted as before"
            );
        }
    }
}

fn parse(bytes: &[u8]) -> Option<EvidenceRecord> {
    if bytes.len() < size_of::<EvidenceRecord>() {
        return None;
    }
    // SAFETY: enough bytes, and any are a record.
    Some(unsafe { bytes.as_ptr().cast::<EvidenceRecord>().read_unaligned() })
}

/// Class and signatures, for people who look at one packet.
fn comment(record: &EvidenceRecord) -> String {
    let class = TrafficClass::from_number(record.class).map_or("unknown", TrafficClass::name);
    let names: Vec<_> = Signature::ALL
        .into_iter()
        .filter(|signature| record.signatures & 1 << *signature as u8 != 0)
        .map(Signature::name)
        .collect();
    if names.is_empty() {
        format!("class {class}")
    } else {
        format!("class {class}; signatures {}", names.join(", "))
    }
}

/// The clock that the program reads.
fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
