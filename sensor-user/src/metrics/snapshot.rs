//! What is kept of an interval for metrics.

use sensor_ebpf::abi::{CpuCounters, EvidenceSkip, Family, Outcome, Signature, TcpClass};
use wire::Dimension;
use wire::law::Digests;

use crate::flows::Summary;
use crate::interval::RingFill;

/// An interval that has ended, as the agent's main thread has it.
#[derive(Clone, Copy)]
pub struct Report<'interval> {
    /// Whether it is kept; else it goes on.
    pub is_kept: bool,
    /// When the counters began at zero, nanoseconds since the Unix epoch.
    pub epoch: u64,
    pub sequence: u64,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    pub end: u64,
    /// All that was counted since the epoch.
    pub totals: &'interval CpuCounters,
    /// What was counted in the interval.
    pub counted: &'interval CpuCounters,
    /// In the order of their counters.
    pub watched_windows: &'interval [u16],
    /// Laws of conservation that do not hold.
    pub breaches: usize,
    pub digests: Option<Digests>,
    pub flows: Option<Summary>,
    pub rings: Option<RingFill>,
}

/// What is kept of it, and what the agent has added up since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub epoch: u64,
    pub sequence: u64,
    pub start: u64,
    pub end: u64,
    pub packets: u64,
    pub bytes: u64,
    pub outcomes: Vec<(&'static str, u64)>,
    pub tcp_classes: Vec<(&'static str, u64)>,
    pub signatures: Vec<(&'static str, u64)>,
    pub windows: Vec<(u16, u64)>,
    pub digests_written: Vec<(&'static str, u64)>,
    pub digests_lost: Vec<(&'static str, u64)>,
    pub evidence_written: u64,
    pub evidence_skipped: Vec<(&'static str, u64)>,
    /// Kind, port and packets of the interval, by kind and most first.
    pub top_ports: Vec<(&'static str, u16, u64)>,
    pub flows: Option<Summary>,
    pub rings: Option<RingFill>,
    pub since_start: SinceStart,
}

/// Sums over the intervals since the agent started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinceStart {
    pub intervals: u64,
    pub unkept: u64,
    pub breaches: u64,
    pub digests_unread: u64,
    pub packets_without_digest: u64,
    pub flow_rows: u64,
    pub overflow_packets: u64,
}

impl Snapshot {
    /// The snapshot after one more interval.
    #[must_use]
    pub fn next(report: &Report<'_>, earlier: SinceStart, top_ports: usize) -> Self {
        let Report {
            is_kept,
            epoch,
            sequence,
            start,
            end,
            totals,
            counted,
            watched_windows,
            breaches,
            digests,
            flows,
            rings,
        } = *report;
        let by_family =
            |numbers: &[u64; 2]| Family::ALL.map(|family| (family.name(), numbers[family as usize])).to_vec();
        let digest_sums = digests.unwrap_or_default();
        let flow_sums = flows.unwrap_or_default();
        Self {
            epoch,
            sequence,
            start,
            end,
            packets: totals.packets,
            bytes: totals.bytes,
            outcomes: Outcome::ALL
                .map(|outcome| (outcome.name(), totals.outcomes[outcome as usize]))
                .to_vec(),
            tcp_classes: TcpClass::ALL
                .map(|class| (class.name(), totals.tcp_classes[class as usize]))
                .to_vec(),
            signatures: Signature::ALL
                .map(|signature| (signature.name(), totals.signatures[signature as usize]))
                .to_vec(),
            windows: watched_windows.iter().copied().zip(totals.windows).collect(),
            digests_written: by_family(&totals.digests),
            digests_lost: by_family(&totals.digests_lost),
            evidence_written: totals.evidence_written,
            evidence_skipped: EvidenceSkip::ALL
                .map(|reason| (reason.name(), totals.evidence_skipped[reason as usize]))
                .to_vec(),
            top_ports: top(counted, top_ports),
            flows,
            rings,
            since_start: SinceStart {
                intervals: earlier.intervals + u64::from(is_kept),
                unkept: earlier.unkept + u64::from(!is_kept),
                breaches: earlier.breaches + breaches as u64,
                digests_unread: earlier.digests_unread.saturating_add(digest_sums.unread.sum()),
                packets_without_digest: earlier.packets_without_digest.saturating_add(digest_sums.off),
                flow_rows: earlier.flow_rows.saturating_add(flow_sums.rows),
                overflow_packets: earlier.overflow_packets.saturating_add(flow_sums.overflow_packets),
            },
        }
    }
}

/// The ports with most packets, of each kind.
fn top(counted: &CpuCounters, most: usize) -> Vec<(&'static str, u16, u64)> {
    let tables = [
        (Dimension::TcpScanDestinationPort, &counted.tcp_scan_destination_ports),
        (Dimension::TcpOtherDestinationPort, &counted.tcp_other_destination_ports),
        (Dimension::TcpBackscatterSourcePort, &counted.tcp_backscatter_source_ports),
        (Dimension::UdpDestinationPort, &counted.udp_destination_ports),
        (Dimension::MiraiDestinationPort, &counted.mirai_destination_ports),
    ];
    let mut all = Vec::new();
    for (kind, table) in tables {
        let ports = (0_u16..=u16::MAX).zip(table.iter().copied());
        let mut ports: Vec<(u16, u64)> = ports.filter(|(_, packets)| *packets != 0).collect();
        ports.sort_unstable_by_key(|(port, packets)| (std::cmp::Reverse(*packets), *port));
        all.extend(ports.into_iter().take(most).map(|(port, packets)| (kind.name(), port, packets)));
    }
    all
}
