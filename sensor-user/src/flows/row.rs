//! A flow as a reader sees it.

use std::net::IpAddr;

use sensor_ebpf::abi::{Family, TrafficClass};
use sensor_ebpf::classify::{is_icmp_error, is_icmpv6_error};
use sensor_ebpf::packet::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP};

use super::key::Flow;
use super::table::{Entry, Table};
use super::targets::Counted;
use crate::digests::class_of;

/// One flow. What its key does not tell is absent, or zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whether it stands for packets of many sources, beyond the limit of flows.
    pub overflow: bool,
    pub family: Family,
    pub source: Option<IpAddr>,
    /// Of tuples.
    pub destination: Option<IpAddr>,
    /// Who is under attack, as far as backscatter tells.
    pub victim: Option<IpAddr>,
    pub protocol: u8,
    pub class: TrafficClass,
    /// Destination port; of backscatter the source port. TCP and UDP.
    pub port: Option<u16>,
    pub icmp: Option<(u8, u8)>,
    /// Bits of [`sensor_ebpf::digest::marks`].
    pub signatures: u8,
    /// Of TCP scans.
    pub window: Option<u16>,
    /// The protocol of the packet that an ICMP error quotes.
    pub quoted_protocol: Option<u8>,
    pub packets: u64,
    /// Of the IP packets, by their own headers.
    pub bytes: u64,
    /// In nanoseconds since the Unix epoch.
    pub first_seen: u64,
    pub last_seen: u64,
    pub time_to_live_minimum: u8,
    pub time_to_live_maximum: u8,
    /// Distinct observed addresses.
    pub targets: u64,
    pub targets_counted: Counted,
    /// From here on of tuples alone. ICMP has its type and code in place of the ports.
    pub source_port: u16,
    pub destination_port: u16,
    pub time_to_live: u8,
    pub tcp_flags: u8,
    pub length: u16,
    /// Bytes of the TCP header, and the window, of the first packet, where it has SYN.
    pub syn_length: u8,
    pub syn_window: u16,
}

impl Row {
    /// What a flow says.
    #[must_use]
    pub fn new<F: Flow>(flow: &Entry<F>, table: &Table<F>, overflow: bool) -> Self {
        let mut row = Self::without_targets(flow, overflow);
        (row.targets, row.targets_counted) = F::targets(&flow.detail, table.store());
        row
    }

    /// The same without looking for its targets, which would be a look into memory far away: it has one, at least.
    #[must_use]
    pub fn without_targets<F: Flow>(flow: &Entry<F>, overflow: bool) -> Self {
        let mut row = Self {
            overflow,
            family: Family::Ipv4,
            source: None,
            destination: None,
            victim: None,
            protocol: 0,
            class: TrafficClass::Other,
            port: None,
            icmp: None,
            signatures: 0,
            window: None,
            quoted_protocol: None,
            packets: flow.packets,
            bytes: flow.bytes,
            first_seen: flow.first_seen,
            last_seen: flow.last_seen,
            time_to_live_minimum: flow.time_to_live_minimum,
            time_to_live_maximum: flow.time_to_live_maximum,
            targets: 1,
            targets_counted: Counted::Exactly,
            source_port: 0,
            destination_port: 0,
            time_to_live: 0,
            tcp_flags: 0,
            length: 0,
            syn_length: 0,
            syn_window: 0,
        };
        F::describe(&flow.key, &flow.detail, &mut row);
        if overflow {
            (row.source, row.victim) = (None, None);
        }
        row
    }

    /// Sets what every kind of key tells. `port` is the service's, or ICMP's type and code.
    pub(super) fn set_what(&mut self, protocol: u8, class: u8, port: u16, signatures: u8) {
        self.protocol = protocol;
        self.class = class_of(class);
        self.signatures = signatures;
        if self.class == TrafficClass::Fragment {
            return;
        }
        match (protocol, self.family) {
            (PROTOCOL_TCP | PROTOCOL_UDP, _) => self.port = Some(port),
            (PROTOCOL_ICMP, Family::Ipv4) | (PROTOCOL_ICMPV6, Family::Ipv6) => {
                let [kind, code] = port.to_be_bytes();
                self.icmp = Some((kind, code));
            }
            _ => {}
        }
    }

    /// Whether it is of ICMP errors, which quote the packet that they are about.
    #[must_use]
    pub fn is_icmp_error(&self) -> bool {
        self.icmp.is_some_and(|(kind, _)| match self.family {
            Family::Ipv4 => is_icmp_error(kind),
            Family::Ipv6 => is_icmpv6_error(kind),
        })
    }
}
