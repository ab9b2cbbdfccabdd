//! Evidence: packets that a filter matches, in pcapng files that rotate.
//!
//! The program hands them over through a ring buffer. One thread writes them, and neither draining nor an
//! interval ever waits for it: what it cannot write is counted and gone.

mod filter;
mod keeper;
mod limits;
mod options;
mod rotation;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aya::maps::{Map, MapData, MapError, RingBuf};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use sensor_ebpf::abi::{Control, CpuCounters, EvidenceSkip, maps};
use serde::Serialize;

use crate::attach::Sensor;
use crate::config::Settings;
use crate::mapping::{MappedArray, MappingError};
use keeper::{Keeper, Tally, Written};

use rotation::Files;

pub use filter::{filter, words};
pub use options::{ClassChoice, EvidenceOptions, EvidenceOptionsError, EvidenceSettings, SignatureChoice};

/// Bytes of the ring buffer where evidence is kept: thousands of packets, a power of two.
pub const RING_BYTES: u32 = 4 << 20;
/// Between two looks at the ring buffer, in which it cannot fill up at any rate that is written.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last packets may take to be written when the agent ends.
const LONGEST_END: Duration = Duration::from_secs(5);

/// Why no evidence can be kept.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error(
        "cannot keep evidence in {folder}: {source}; name another [evidence] folder, or make room for it"
    )]
    Folder { folder: PathBuf, source: io::Error },
    #[error(
        "another apus-sensor keeps evidence in {folder} already: name another folder in [evidence] or --evidence"
    )]
    Busy { folder: PathBuf },
    #[error("cannot read evidence from the XDP program: {0}")]
    Ring(#[from] MapError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error("cannot start the thread that writes evidence: {0}")]
    Thread(io::Error),
}

/// Evidence of one interval, in packets but for `bytes`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceReport {
    /// Packets that are in files.
    pub written: u64,
    /// Bytes of those files.
    pub bytes: u64,
    pub skipped: Skipped,
}

/// Packets that the filter matches and that are in no file, by what was in the way.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The ring buffer was full.
    pub ring: u64,
    /// A limit was reached, so that the program did not hand it over.
    pub gate: u64,
    /// It was handed over before the gate was closed, but was more than may be written in a second.
    pub rate: u64,
    /// The same, where too little room is left on the file system.
    pub disk: u64,
    /// Writing failed.
    pub error: u64,
}

/// Everything that is opened while there is the privilege to.
pub struct Opened {
    ring: RingBuf<MapData>,
    control: MappedArray<Control>,
    keeper: Keeper,
}

/// The folder, taken.
pub struct Prepared {
    settings: EvidenceSettings,
    files: Files,
}

/// Takes the folder, where evidence is kept: before anything is attached.
///
/// # Errors
/// Where the folder cannot be used.
pub fn prepare(settings: &Settings) -> Result<Option<Prepared>, EvidenceError> {
    let prepared = |settings: &EvidenceSettings| {
        Ok(Prepared { settings: settings.clone(), files: Files::open(settings)? })
    };
    settings.evidence.as_ref().map(prepared).transpose()
}

impl Prepared {
    /// Opens the rest of what evidence needs.
    ///
    /// # Errors
    /// Where the maps cannot be used.
    pub fn open(self, sensor: &Sensor) -> Result<Opened, EvidenceError> {
        let Self { settings, mut files } = self;
        let pinned = |name| MapData::from_pin(sensor.pins.map(name));
        let ring = RingBuf::try_from(Map::RingBuf(pinned(maps::EVIDENCE_RECORDS)?))?;
        let control = MappedArray::new(maps::CONTROL, &pinned(maps::CONTROL)?)?;
        let interfaces = sensor.interfaces.iter();
        files.set_interfaces(interfaces.map(|interface| (interface.index, interface.name.clone())).collect());
        Ok(Opened { ring, control, keeper: Keeper::new(&settings, files) })
    }
}

/// The thread that writes.
pub struct EvidenceThread {
    tally: Arc<Tally>,
    reported: Written,
    /// Nothing is ever sent: it is closed to end the thread, which closes the other in turn.
    orders: Sender<()>,
    ended: Receiver<()>,
}

impl Opened {
    /// Starts to write.
    ///
    /// # Errors
    /// Where the kernel refuses a thread.
    pub fn start(self) -> Result<EvidenceThread, EvidenceError> {
        let (orders, received) = bounded(0);
        let (ending, ended) = bounded(0);
        let tally = self.keeper.tally();
        std::thread::Builder::new()
            .name("evidence".into())
            .spawn(move || {
                self.run(&received);
                drop(ending);
            })
            .map_err(EvidenceError::Thread)?;
        Ok(EvidenceThread { tally, reported: Written::default(), orders, ended })
    }

    fn run(mut self, orders: &Receiver<()>) {
        loop {
            self.pass();
            if orders.recv_timeout(PAUSE) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
        // What comes from now on waits in the ring buffer for the next agent.
        self.pass();
        self.keeper.end();
        self.set_gate(false);
    }

    fn pass(&mut self) {
        let Self { ring, keeper, .. } = self;
        keeper.begin();
        // Not more at once than the ring buffer holds, so that the gate is set and an order is heard.
        for _ in 0..RING_BYTES as usize / size_of::<sensor_ebpf::evidence::EvidenceRecord>() {
            let Some(record) = ring.next() else {
                break;
            };
            keeper.take(&record);
        }
        let closed = keeper.finish();
        self.set_gate(closed);
    }

    fn set_gate(&self, closed: bool) {
        // SAFETY: a live entry. After attaching only this thread writes the word, which the program reads whole.
        unsafe { (&raw mut (*self.control.entry(0)).evidence_gate).write_volatile(closed.into()) };
    }
}

impl EvidenceThread {
    /// What was written and skipped since the last report; `counted` is the interval's.
    pub fn report(&mut self, counted: &CpuCounters) -> EvidenceReport {
        let written = self.tally.read();
        let before = std::mem::replace(&mut self.reported, written);
        let skipped = |reason: EvidenceSkip| counted.evidence_skipped[reason as usize];
        EvidenceReport {
            written: written.packets - before.packets,
            bytes: written.bytes - before.bytes,
            skipped: Skipped {
                ring: skipped(EvidenceSkip::Ring),
                gate: skipped(EvidenceSkip::Gate),
                rate: written.rate - before.rate,
                disk: written.disk - before.disk,
                error: written.error - before.error,
            },
        }
    }

    /// Has the last packets written and the file closed, before the last report; but does not wait for a disk
    /// that does not answer.
    pub fn end(&mut self) {
        let (closed, _) = bounded(0);
        self.orders = closed;
        if self.ended.recv_timeout(LONGEST_END) == Err(RecvTimeoutError::Timeout) {
            eprintln!(
                "apus-sensor: warning: evidence is still being written after {LONGEST_END:?}; it is left"
            );
        }
    }
}
