//! A flow as a reader sees it.

use std::net::IpAddr;

use sensor_ebpf::abi::{Family, TrafficClass};
use sensor_ebpf::classify::{is_icmp_error, is_icmpv6_error};
use sensor_ebpf::packet::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP};
use serde::{Deserialize, Serialize};

/// By what packets are told apart as flows.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowKey {
    /// Source, protocol, class, port, signatures, and the window of TCP scans.
    #[default]
    Source,
    /// The eight fields of CAIDA's FlowTuple: addresses, ports, protocol, TTL, TCP flags, IP length.
    FlowTuple,
}

impl FlowKey {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Source, Self::FlowTuple];

    /// Its name in options and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::FlowTuple => "flowtuple",
        }
    }

    /// The key with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }
}

/// How a number of targets was come by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Counted {
    #[default]
    Exactly,
    /// By a sketch.
    Estimated,
    /// There was no room for another block: at least so many.
    AtLeast,
}

impl Counted {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Exactly, Self::Estimated, Self::AtLeast];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exactly => "exact",
            Self::Estimated => "estimate",
            Self::AtLeast => "at_least",
        }
    }
}

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
    /// A row that says nothing yet but its sums.
    #[must_use]
    pub const fn new(family: Family) -> Self {
        Self {
            overflow: false,
            family,
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
            packets: 0,
            bytes: 0,
            first_seen: 0,
            last_seen: 0,
            time_to_live_minimum: 0,
            time_to_live_maximum: 0,
            targets: 1,
            targets_counted: Counted::Exactly,
            source_port: 0,
            destination_port: 0,
            time_to_live: 0,
            tcp_flags: 0,
            length: 0,
            syn_length: 0,
            syn_window: 0,
        }
    }

    /// Sets what every kind of key tells. `port` is the service's, or ICMP's type and code.
    pub fn set_what(&mut self, protocol: u8, class: TrafficClass, port: u16, signatures: u8) {
        self.protocol = protocol;
        self.class = class;
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

    /// 4 or 6.
    #[must_use]
    pub const fn ip_version(&self) -> u8 {
        match self.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
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
