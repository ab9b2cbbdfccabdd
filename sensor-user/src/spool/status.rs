//! The spool in numbers.

use super::core::Core;
use super::record::Head;

/// Flows that are gone, while their intervals' counts are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    pub intervals: u64,
    pub rows: u64,
    pub packets: u64,
}

impl Dropped {
    /// Those of one interval.
    pub const fn of(head: &Head) -> Self {
        Self { intervals: 1, rows: head.flow_rows, packets: head.flow_packets }
    }

    pub const fn add(&mut self, head: &Head) {
        self.join(&Self::of(head));
    }

    pub const fn join(&mut self, other: &Self) {
        self.intervals = self.intervals.saturating_add(other.intervals);
        self.rows = self.rows.saturating_add(other.rows);
        self.packets = self.packets.saturating_add(other.packets);
    }
}

/// What only grows while the spool is open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub dropped: Dropped,
    pub merged_intervals: u64,
    pub damaged_intervals: u64,
    pub damaged_flows: u64,
}

/// What is in the spool, and what became of what was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Intervals that wait for the collector; a merged one is one.
    pub intervals: u64,
    /// Those of them that were sent, or may have been.
    pub attempted: u64,
    /// Of all segments.
    pub bytes: u64,
    /// Of the segments of flows among them.
    pub flow_bytes: u64,
    pub max_bytes: u64,
    /// When the oldest interval ended, in nanoseconds since the Unix epoch.
    pub oldest_end: Option<u64>,
    /// Flows that were dropped for room or age, or found damaged, since the spool was opened.
    pub dropped: Dropped,
    /// Intervals that became part of longer ones since the spool was opened; a merged one counts again.
    pub merged_intervals: u64,
    /// Intervals whose counts were found damaged when they were read, since the spool was opened.
    pub damaged_intervals: u64,
    /// Intervals whose flows were.
    pub damaged_flows: u64,
    /// Unreadable bytes that are kept beside, which `bytes` does not count.
    pub quarantined_bytes: u64,
}

impl Core {
    pub fn status(&self) -> Status {
        let flow_bytes = self.flows.bytes();
        Status {
            intervals: self.living.len(),
            attempted: self.living.attempted(),
            bytes: self.counts.bytes() + flow_bytes,
            flow_bytes,
            max_bytes: self.limits.max_bytes,
            oldest_end: self.living.oldest_end(),
            dropped: self.totals.dropped,
            merged_intervals: self.totals.merged_intervals,
            damaged_intervals: self.totals.damaged_intervals,
            damaged_flows: self.totals.damaged_flows,
            quarantined_bytes: self.quarantine.bytes(),
        }
    }
}
