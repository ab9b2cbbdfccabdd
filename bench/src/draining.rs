//! The agent's own drain in this process: it empties a sensor's rings while packets come.

use anyhow::{Result, ensure};
use aya::Ebpf;
use sensor_user::config::FlowKey;
use sensor_user::counters::Totals;
use sensor_user::digests::RingMaps;
use sensor_user::drain::{DrainThread, Finished};
use sensor_user::flows::Limits;
use sensor_user::prefixes::ObservedRanges;
use sensor_user::program::Rings;
use sensor_user::watcher::Watcher;

/// Flows of an interval, as many as the agent takes unless it is told otherwise.
const MAX_FLOWS: u32 = 1_000_000;

/// A sensor's rings, and the thread that drains them until the value is dropped.
pub struct Draining<'a> {
    watcher: &'a Watcher,
    before: Totals,
    thread: DrainThread,
}

/// What came of the packets meanwhile.
pub struct Drained {
    /// What the program has counted.
    pub totals: Totals,
    /// Digests written to the rings, each of which was read; and those for which there was no room.
    pub written: u64,
    pub lost: u64,
    /// The most digests that were found waiting in one ring.
    pub most_waiting: u64,
}

impl<'a> Draining<'a> {
    /// Begins, on this CPU where one is named. Nobody else may drain these rings.
    pub fn start(ebpf: &Ebpf, rings: Rings, watcher: &'a Watcher, cpu: Option<u32>) -> Result<Self> {
        let limits = Limits::of(FlowKey::Source, MAX_FLOWS, &ObservedRanges::new(&[])?);
        let before = watcher.cut().totals;
        // SAFETY: the record is live, and everyone accesses the field atomically.
        let bank = unsafe {
            std::sync::atomic::AtomicU32::from_ptr(&raw mut (*watcher.control()).active_bank)
                .load(std::sync::atomic::Ordering::Relaxed)
        };
        let thread = DrainThread::start(RingMaps::new(ebpf, rings)?, limits, bank, cpu)?;
        Ok(Self { watcher, before, thread })
    }

    /// Ends the interval, and the draining.
    pub fn finish(self) -> Result<Drained> {
        let cut = self.watcher.cut();
        ensure!(cut.breaches.is_empty(), "conservation is broken: {}", cut.breaches[0]);
        let Finished { flows, fullest: (most_waiting, _) } = self.thread.finish()?;
        let totals = cut.totals.since(&self.before).ok_or_else(|| anyhow::anyhow!("a counter has shrunk"))?;
        let [written, lost] =
            [totals.digests, totals.digests_lost].map(|digests| digests.iter().sum::<u64>());
        let read: u64 = flows.digests.iter().sum();
        ensure!(read == written, "{written} digests were written, {read} read");
        Ok(Drained { totals, written, lost, most_waiting })
    }
}
