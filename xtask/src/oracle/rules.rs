//! The rule book's words for a packet: its class, and its signatures.

use std::net::IpAddr;

use super::packet::{IcmpFacts, Packet, Transport};

const ZMAP_IDENTIFICATION: u16 = 54321;
const DNS: u16 = 53;

const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

pub const SCAN: &str = "scan";
const BACKSCATTER: &str = "backscatter";
const OTHER: &str = "other";

pub fn tcp_class(flags: u8) -> &'static str {
    if flags & SYN != 0 && flags & (ACK | RST | FIN) == 0 {
        SCAN
    } else if flags & SYN != 0 && flags & ACK != 0 {
        "backscatter_syn_ack"
    } else if flags & RST != 0 {
        "backscatter_rst"
    } else {
        OTHER
    }
}

/// Which class a packet with an IP header is of.
pub fn class(packet: &Packet) -> &'static str {
    if packet.outcome == Packet::FRAGMENT {
        return "fragment";
    }
    match packet.transport {
        Transport::None => OTHER,
        Transport::Tcp(tcp) => tcp_class(tcp.flags),
        Transport::Udp { source_port: DNS, .. } => BACKSCATTER,
        Transport::Udp { .. } => SCAN,
        Transport::Icmp(IcmpFacts { kind, .. }) => match kind {
            8 => SCAN,
            0 | 14 | 16 | 18 => BACKSCATTER,
            kind if is_icmp_error(kind) => BACKSCATTER,
            _ => OTHER,
        },
        Transport::Icmpv6(IcmpFacts { kind, .. }) => match kind {
            128 => SCAN,
            129 => BACKSCATTER,
            kind if is_icmpv6_error(kind) => BACKSCATTER,
            _ => OTHER,
        },
    }
}

/// Whether the class is of answers, of which the service is at the source.
pub fn is_backscatter(class: &str) -> bool {
    class.starts_with(BACKSCATTER)
}

/// Of ICMP, the types that quote the packet they are about.
pub fn is_icmp_error(kind: u8) -> bool {
    [3, 4, 5, 11, 12].contains(&kind)
}

pub fn is_icmpv6_error(kind: u8) -> bool {
    (1..=4).contains(&kind)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    pub mirai: bool,
    pub zmap: bool,
    pub masscan: bool,
}

pub fn signatures(packet: &Packet) -> Signatures {
    let Packet { outcome, ip, transport, .. } = packet;
    let Some(ip) = ip.filter(|_| *outcome != Packet::FRAGMENT) else {
        return Signatures::default();
    };
    let (Some(identification), IpAddr::V4(destination)) = (ip.identification, ip.destination) else {
        return Signatures::default();
    };
    let zmap = identification == ZMAP_IDENTIFICATION;
    let (mirai, masscan) = match transport {
        Transport::Tcp(tcp) if tcp_class(tcp.flags) == SCAN => {
            let address = destination.to_bits();
            let mixed = (address ^ tcp.sequence ^ u32::from(tcp.destination_port)) & 0xffff;
            (address == tcp.sequence, u32::from(identification) == mixed)
        }
        _ => (false, false),
    };
    Signatures { mirai, zmap, masscan }
}
