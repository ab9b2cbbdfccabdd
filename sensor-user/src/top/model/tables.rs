//! Counters as tables of a few lines.

use sensor_ebpf::abi::{CpuCounters, Outcome, Signature, TcpClass};

/// Rows that are kept of a table of ports: more than a screen has lines.
const ROWS: usize = 64;

/// A table: its first rows, and what all of them come to.
#[derive(Clone, Debug)]
pub struct Table {
    pub kind: Kind,
    pub rows: Vec<(String, u64)>,
    /// Rows that there are.
    pub of: usize,
    pub sum: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    TcpScans,
    Udp,
    Backscatter,
    Classes,
    Outcomes,
}

impl Kind {
    pub const fn title(self) -> &'static str {
        match self {
            Self::TcpScans => "TCP SCANS TO",
            Self::Udp => "UDP TO",
            Self::Backscatter => "ANSWERS FROM",
            Self::Classes => "TCP, SIGNATURE",
            Self::Outcomes => "OUTCOME",
        }
    }
}

/// All of them, in the order in which they are shown.
pub fn of(counters: &CpuCounters, watched_windows: &[u16]) -> [Table; 5] {
    [
        ports(Kind::TcpScans, &counters.tcp_scan_destination_ports),
        ports(Kind::Udp, &counters.udp_destination_ports),
        ports(Kind::Backscatter, &counters.tcp_backscatter_source_ports),
        fixed(Kind::Classes, classes(counters, watched_windows)),
        fixed(Kind::Outcomes, outcomes(counters)),
    ]
}

fn ports(kind: Kind, counters: &[u64]) -> Table {
    let mut ports: Vec<(usize, u64)> =
        counters.iter().copied().enumerate().filter(|(_, packets)| *packets > 0).collect();
    ports.sort_unstable_by_key(|(port, packets)| (std::cmp::Reverse(*packets), *port));
    let (of, sum) = (ports.len(), ports.iter().map(|(_, packets)| packets).sum());
    let rows = ports.into_iter().take(ROWS).map(|(port, packets)| (port.to_string(), packets));
    Table { kind, rows: rows.collect(), of, sum }
}

fn fixed(kind: Kind, rows: Vec<(String, u64)>) -> Table {
    Table { kind, of: rows.len(), sum: rows.iter().map(|(_, packets)| packets).sum(), rows }
}

fn classes(counters: &CpuCounters, watched_windows: &[u16]) -> Vec<(String, u64)> {
    let class = |name: &str, class: TcpClass| (name.into(), counters.tcp_classes[class as usize]);
    let signature = |name: &str, signature: Signature| (name.into(), counters.signatures[signature as usize]);
    let mut rows = vec![
        class("scan", TcpClass::Scan),
        class("SYN-ACK", TcpClass::BackscatterSynAck),
        class("RST", TcpClass::BackscatterRst),
        class("other", TcpClass::Other),
        signature("Mirai", Signature::Mirai),
        signature("ZMap", Signature::Zmap),
        signature("masscan", Signature::Masscan),
    ];
    let windows = watched_windows.iter().zip(counters.windows);
    rows.extend(windows.map(|(window, packets)| (format!("win {window}"), packets)));
    rows
}

/// Every outcome is in one of them, so that they sum up to all packets.
fn outcomes(counters: &CpuCounters) -> Vec<(String, u64)> {
    use Outcome as O;
    let sum = |outcomes: &[Outcome]| -> u64 {
        outcomes.iter().map(|outcome| counters.outcomes[*outcome as usize]).sum()
    };
    [
        ("IPv4 TCP", sum(&[O::Ipv4Tcp])),
        ("IPv4 UDP", sum(&[O::Ipv4Udp])),
        ("IPv4 rest", sum(&[O::Ipv4Icmp, O::Ipv4Other])),
        ("IPv6", sum(&[O::Ipv6Tcp, O::Ipv6Udp, O::Ipv6Icmp, O::Ipv6Other])),
        ("fragment", sum(&[O::Fragment])),
        ("malformed", sum(&[O::Malformed])),
        ("not IP", sum(&[O::NonIp])),
        ("unobserved", sum(&[O::Unobserved])),
    ]
    .map(|(name, packets)| (name.into(), packets))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Totals;

    #[test]
    fn the_most_frequent_ports_come_first_and_all_are_in_the_sum() {
        let mut totals = Totals::default();
        for port in 1..=100 {
            totals.counters_mut().udp_destination_ports[port] = port as u64;
        }
        let [_, udp, ..] = of(&totals, &[]);
        assert_eq!((udp.rows[0].clone(), udp.rows.len()), (("100".into(), 100), ROWS));
        assert_eq!((udp.of, udp.sum), (100, 5_050));
    }

    #[test]
    fn no_outcome_is_left_out() {
        let mut totals = Totals::default();
        for (number, outcome) in Outcome::ALL.into_iter().enumerate() {
            totals.counters_mut().outcomes[outcome as usize] = 1 << number;
        }
        let [.., outcomes] = of(&totals, &[]);
        assert_eq!(outcomes.sum, (1 << Outcome::ALL.len()) - 1);
    }
}
