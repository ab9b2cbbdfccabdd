//! By what packets are told apart, in the words of the columns.

use super::Key;
use crate::oracle::packet::{IcmpFacts, IpFacts, Packet, Transport};
use crate::oracle::rules::{self, SCAN, Signatures};

/// Source, protocol, class, the service's port, signatures, the window of TCP scans, the victim.
pub fn by_source(packet: &Packet, ip: &IpFacts) -> Key {
    let class = rules::class(packet);
    let service =
        |source: u16, destination: u16| Some(if rules::is_backscatter(class) { source } else { destination });
    let port = match packet.transport {
        Transport::Tcp(tcp) => service(tcp.source_port, tcp.destination_port),
        Transport::Udp { source_port, destination_port } => service(source_port, destination_port),
        Transport::None | Transport::Icmp(_) | Transport::Icmpv6(_) => None,
    };
    let window = match packet.transport {
        Transport::Tcp(tcp) if class == SCAN => Some(tcp.window),
        _ => None,
    };
    let icmp = icmp(packet);
    // A quoted packet to nowhere tells of no victim.
    let quoted = icmp.and_then(|icmp| icmp.quoted).filter(|quoted| !quoted.destination.is_unspecified());
    let victim = match quoted {
        Some(quoted) => Some(quoted.destination),
        None if rules::is_backscatter(class) && !is_error(packet) => Some(ip.source),
        None => None,
    };
    let Signatures { mirai, zmap, masscan } = rules::signatures(packet);
    vec![
        version(ip),
        ip.source.to_string(),
        absent_or(victim),
        absent_or(packet.protocol),
        class.to_owned(),
        absent_or(port),
        absent_or(icmp.map(|icmp| icmp.kind)),
        absent_or(icmp.map(|icmp| icmp.code)),
        mirai.to_string(),
        zmap.to_string(),
        masscan.to_string(),
        absent_or(window),
        absent_or(quoted.map(|quoted| quoted.protocol)),
    ]
}

/// The fields of CAIDA's FlowTuple, and the class.
pub fn by_tuple(packet: &Packet, ip: &IpFacts) -> Key {
    let (source_port, destination_port, flags) = match packet.transport {
        Transport::None => (0, 0, 0),
        Transport::Tcp(tcp) => (tcp.source_port, tcp.destination_port, tcp.flags),
        Transport::Udp { source_port, destination_port } => (source_port, destination_port, 0),
        Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => (icmp.kind.into(), icmp.code.into(), 0),
    };
    vec![
        version(ip),
        ip.source.to_string(),
        ip.destination.to_string(),
        source_port.to_string(),
        destination_port.to_string(),
        absent_or(packet.protocol),
        ip.time_to_live.to_string(),
        flags.to_string(),
        ip.length.to_string(),
        rules::class(packet).to_owned(),
    ]
}

fn version(ip: &IpFacts) -> String {
    if ip.is_ipv4() { "4" } else { "6" }.to_owned()
}

fn icmp(packet: &Packet) -> Option<IcmpFacts> {
    match packet.transport {
        Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => Some(icmp),
        Transport::None | Transport::Tcp(_) | Transport::Udp { .. } => None,
    }
}

fn is_error(packet: &Packet) -> bool {
    match packet.transport {
        Transport::Icmp(icmp) => rules::is_icmp_error(icmp.kind),
        Transport::Icmpv6(icmp) => rules::is_icmpv6_error(icmp.kind),
        Transport::None | Transport::Tcp(_) | Transport::Udp { .. } => false,
    }
}

fn absent_or(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
