//! Totals as the JSON document that machines read.

use std::collections::BTreeMap;

use sensor_ebpf::abi::{CpuCounters, Outcome, Signature, TcpClass};
use serde::Serialize;

/// Counts by number, the zero ones left out.
type ByNumber = BTreeMap<u32, u64>;

/// One document of totals. Every count is packets, but for `bytes`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    pub packets: u64,
    pub bytes: u64,
    pub outcomes: BTreeMap<&'static str, u64>,
    pub ip_protocols: ByNumber,
    pub tcp: Tcp,
    pub udp: Udp,
    pub icmp: Icmp,
    pub signatures: Signatures,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Tcp {
    pub classes: BTreeMap<&'static str, u64>,
    /// By the flags byte, as `0x02`.
    pub flags: BTreeMap<String, u64>,
    pub scan_dst_ports: ByNumber,
    pub other_dst_ports: ByNumber,
    pub backscatter_src_ports: ByNumber,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Udp {
    pub dst_ports: ByNumber,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Icmp {
    pub v4_types: ByNumber,
    pub v6_types: ByNumber,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Signatures {
    pub mirai: Mirai,
    pub zmap: Packets,
    pub masscan: Packets,
    /// TCP scans by watched window.
    pub window: ByNumber,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Mirai {
    pub packets: u64,
    pub dst_ports: ByNumber,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Packets {
    pub packets: u64,
}

impl Document {
    /// The document of these counters, which were counted with these watched windows.
    #[must_use]
    pub fn new(counters: &CpuCounters, watched_windows: &[u16]) -> Self {
        let signature = |signature: Signature| counters.signatures[signature as usize];
        Self {
            packets: counters.packets,
            bytes: counters.bytes,
            outcomes: Outcome::ALL
                .into_iter()
                .map(|outcome| (outcome.name(), counters.outcomes[outcome as usize]))
                .collect(),
            ip_protocols: by_number(&counters.ip_protocols),
            tcp: Tcp {
                classes: TcpClass::ALL
                    .into_iter()
                    .map(|class| (class.name(), counters.tcp_classes[class as usize]))
                    .collect(),
                flags: by_number(&counters.tcp_flags)
                    .into_iter()
                    .map(|(flags, packets)| (format!("0x{flags:02x}"), packets))
                    .collect(),
                scan_dst_ports: by_number(&counters.tcp_scan_destination_ports),
                other_dst_ports: by_number(&counters.tcp_other_destination_ports),
                backscatter_src_ports: by_number(&counters.tcp_backscatter_source_ports),
            },
            udp: Udp { dst_ports: by_number(&counters.udp_destination_ports) },
            icmp: Icmp {
                v4_types: by_number(&counters.icmp_v4_types),
                v6_types: by_number(&counters.icmp_v6_types),
            },
            signatures: Signatures {
                mirai: Mirai {
                    packets: signature(Signature::Mirai),
                    dst_ports: by_number(&counters.mirai_destination_ports),
                },
                zmap: Packets { packets: signature(Signature::Zmap) },
                masscan: Packets { packets: signature(Signature::Masscan) },
                window: watched_windows
                    .iter()
                    .zip(counters.windows)
                    .filter(|(_, packets)| *packets != 0)
                    .map(|(window, packets)| (u32::from(*window), packets))
                    .collect(),
            },
        }
    }
}

fn by_number(table: &[u64]) -> ByNumber {
    (0..)
        .zip(table)
        .filter(|(_, packets)| **packets != 0)
        .map(|(number, packets)| (number, *packets))
        .collect()
}
