//! Conservation: every packet lands in exactly one place, so sums over different tables are equal.

use std::fmt;

use sensor_ebpf::abi::{CpuCounters, Outcome, Signature, TcpClass};

/// Two sums that should be equal and are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub left: &'static str,
    pub left_sum: u64,
    pub right: &'static str,
    pub right_sum: u64,
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, left_sum, right, right_sum } = self;
        write!(formatter, "{left} is {left_sum}, but {right} is {right_sum}")
    }
}

/// Every law that the counters break; none, for counters at rest.
#[must_use]
pub fn breaches(counters: &CpuCounters) -> Vec<Breach> {
    let CpuCounters {
        packets,
        bytes: _,
        // Held against what is read of them: `law`.
        digests: _,
        digests_lost: _,
        // Which packets match is the filter's: no other counter tells.
        evidence_written: _,
        evidence_skipped: _,
        tcp_classes,
        signatures,
        outcomes,
        windows: _,
        ip_protocols,
        tcp_flags,
        icmp_v4_types,
        icmp_v6_types,
        tcp_scan_destination_ports,
        tcp_other_destination_ports,
        tcp_backscatter_source_ports,
        udp_destination_ports,
        mirai_destination_ports,
    } = counters;
    let outcome = |outcome: Outcome| outcomes[outcome as usize];
    let class = |class: TcpClass| tcp_classes[class as usize];
    let without_protocol =
        sum(&[outcome(Outcome::Malformed), outcome(Outcome::NonIp), outcome(Outcome::Unobserved)]);
    let tcp = sum(&[outcome(Outcome::Ipv4Tcp), outcome(Outcome::Ipv6Tcp)]);
    let laws = [
        ("packets", *packets, "the sum of outcomes", sum(outcomes)),
        (
            "packets with a sound IP header to an observed destination",
            sum(outcomes).saturating_sub(without_protocol),
            "the sum of IP protocols",
            sum(ip_protocols),
        ),
        ("outcome tcp", tcp, "the sum of TCP classes", sum(tcp_classes)),
        ("outcome tcp", tcp, "the sum of TCP flags", sum(tcp_flags)),
        (
            "class scan",
            class(TcpClass::Scan),
            "the sum of its destination ports",
            sum(tcp_scan_destination_ports),
        ),
        (
            "TCP class other",
            class(TcpClass::Other),
            "the sum of its destination ports",
            sum(tcp_other_destination_ports),
        ),
        (
            "TCP backscatter",
            sum(&[class(TcpClass::BackscatterSynAck), class(TcpClass::BackscatterRst)]),
            "the sum of its source ports",
            sum(tcp_backscatter_source_ports),
        ),
        (
            "outcome udp",
            sum(&[outcome(Outcome::Ipv4Udp), outcome(Outcome::Ipv6Udp)]),
            "the sum of its destination ports",
            sum(udp_destination_ports),
        ),
        ("outcome ipv4_icmp", outcome(Outcome::Ipv4Icmp), "the sum of its types", sum(icmp_v4_types)),
        ("outcome ipv6_icmp", outcome(Outcome::Ipv6Icmp), "the sum of its types", sum(icmp_v6_types)),
        (
            "signature mirai",
            signatures[Signature::Mirai as usize],
            "the sum of its destination ports",
            sum(mirai_destination_ports),
        ),
    ];
    laws.into_iter()
        .filter(|(_, left_sum, _, right_sum)| left_sum != right_sum)
        .map(|(left, left_sum, right, right_sum)| Breach { left, left_sum, right, right_sum })
        .collect()
}

/// A sum that stays at the highest number where it cannot be had: what came over a network may be anything.
pub(crate) fn sum(table: &[u64]) -> u64 {
    table.iter().fold(0, |sum, packets| sum.saturating_add(*packets))
}
