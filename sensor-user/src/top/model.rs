//! What was gathered, as it is shown: nothing in it changes by itself, so that a picture can be tested.

mod tables;

use std::time::Duration;

use jiff::Timestamp;
use sensor_ebpf::abi::{CpuCounters, Outcome};

use super::history::Counted;
use super::sources::List;
pub use tables::Table;

/// One look at a sensor.
#[derive(Clone, Debug)]
pub struct Model {
    pub now: Timestamp,
    /// How long it has counted.
    pub age: Duration,
    pub interfaces: Vec<Interface>,
    pub drops: bool,
    pub agent_runs: bool,
    pub rates: Rates,
    /// Packets since counting began.
    pub packets: u64,
    pub digests: Digests,
    /// Tables of the last minute, of the last refresh, and since counting began.
    pub minute: Tables,
    pub refresh: Tables,
    pub all: Tables,
    pub sources: List,
}

#[derive(Clone, Debug)]
pub struct Interface {
    pub name: String,
    pub mode: &'static str,
}

/// Per second, between two looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    pub packets: f64,
    pub bytes: f64,
    pub observed: f64,
    pub digests: f64,
    pub digests_lost: f64,
}

/// How the digests fare.
#[derive(Clone, Copy, Debug, Default)]
pub struct Digests {
    /// Whether there are rings for them.
    pub on: bool,
    /// Of the fullest ring.
    pub waiting: u64,
    pub room: u64,
    /// Since counting began, and in the last minute.
    pub lost: u64,
    pub lost_in_minute: u64,
}

/// Tables of one time.
#[derive(Clone, Debug)]
pub struct Tables {
    pub seconds: f64,
    pub tables: [Table; 5],
}

impl Tables {
    pub fn new(seconds: f64, counters: &CpuCounters, watched_windows: &[u16]) -> Self {
        Self { seconds, tables: tables::of(counters, watched_windows) }
    }
}

impl Rates {
    pub fn new(counted: &Counted) -> Self {
        let Counted { seconds, totals } = counted;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = |number: u64| if *seconds > 0.0 { number as f64 / seconds } else { 0.0 };
        Self {
            packets: rate(totals.packets),
            bytes: rate(totals.bytes),
            observed: rate(observed(totals)),
            digests: rate(totals.digests.iter().sum()),
            digests_lost: rate(totals.digests_lost.iter().sum()),
        }
    }
}

/// Packets to observed destinations.
fn observed(counters: &CpuCounters) -> u64 {
    let is_observed =
        |outcome: &Outcome| !matches!(outcome, Outcome::Malformed | Outcome::NonIp | Outcome::Unobserved);
    Outcome::ALL.into_iter().filter(is_observed).map(|outcome| counters.outcomes[outcome as usize]).sum()
}

impl Model {
    /// What somebody ought to know, the most pressing first.
    pub fn notices(&self) -> Vec<String> {
        let Digests { on, waiting, room, lost_in_minute, .. } = self.digests;
        let is_full = on && room > 0 && waiting >= room;
        let mut notices = Vec::new();
        if self.interfaces.is_empty() {
            notices.push("no interface is attached: `apus-sensor run` attaches them".into());
        }
        if !self.agent_runs {
            notices.push("no agent runs: counting goes on, and nothing is reported".into());
        }
        if !on {
            notices.push("digests are off (digests = false), so no sources are known".into());
        }
        if is_full {
            notices.push("a ring is full and nobody drains it: no new sources are seen".into());
        } else if lost_in_minute > 0 {
            let lost = super::numbers::short(lost_in_minute);
            notices.push(format!("{lost} digests lost in the last minute: sources are incomplete"));
        }
        notices
    }
}
