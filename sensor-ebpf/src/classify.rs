//! Traffic classes and signatures: pure functions of header fields.

use crate::abi::{Outcome, TcpClass, TrafficClass};
use crate::headers::{Ipv4, Tcp};
use crate::packet::{Packet, Transport};

/// The port that DNS answers come from, as it stands on the wire.
const DNS: [u8; 2] = 53_u16.to_be_bytes();

pub const TCP_FIN: u8 = 0x01;
pub const TCP_SYN: u8 = 0x02;
pub const TCP_RST: u8 = 0x04;
pub const TCP_ACK: u8 = 0x10;

/// IP ID of ZMap up to 4.0 (zmap, `src/probe_modules/packet.c`).
pub const ZMAP_IDENTIFICATION: u16 = 54321;

/// The class of a TCP packet with these flags (FIN, SYN, RST, PSH, ACK, URG, ECE, CWR from bit 0 on).
///
/// A scan has SYN set, and ACK, RST and FIN clear. Backscatter has SYN and ACK set, whatever else is
/// set beside them, or else RST.
#[inline(always)]
#[must_use]
pub const fn tcp_class(flags: u8) -> TcpClass {
    if flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN) == TCP_SYN {
        TcpClass::Scan
    } else if flags & (TCP_SYN | TCP_ACK) == TCP_SYN | TCP_ACK {
        TcpClass::BackscatterSynAck
    } else if flags & TCP_RST != 0 {
        TcpClass::BackscatterRst
    } else {
        TcpClass::Other
    }
}

/// Mirai's scanner sets the sequence number to the destination address (mirai, `bot/scanner.c`).
/// To be asked of IPv4 TCP scans only; any port. By chance 1 in 2^32.
#[inline(always)]
#[must_use]
pub fn is_mirai(ipv4: &Ipv4, tcp: &Tcp) -> bool {
    u32::from_ne_bytes(tcp.sequence) == u32::from_ne_bytes(ipv4.destination)
}

/// ZMap up to 4.0 sets the IP ID to 54321, whatever it probes with. By chance 1 in 2^16.
#[inline(always)]
#[must_use]
pub fn is_zmap(ipv4: &Ipv4) -> bool {
    u16::from_be_bytes(ipv4.identification) == ZMAP_IDENTIFICATION
}

/// masscan sets the IP ID to the low 16 bits of destination address ^ destination port ^ sequence
/// number (masscan, `src/templ-pkt.c`). To be asked of IPv4 TCP scans only. By chance 1 in 2^16.
#[inline(always)]
#[must_use]
pub fn is_masscan(ipv4: &Ipv4, tcp: &Tcp) -> bool {
    // The low 16 bits in host order are the last two bytes on the wire, and XOR keeps byte order.
    let [_, _, address_high, address_low] = ipv4.destination;
    let [_, _, sequence_high, sequence_low] = tcp.sequence;
    u16::from_ne_bytes(ipv4.identification)
        == u16::from_ne_bytes([address_high, address_low])
            ^ u16::from_ne_bytes(tcp.destination_port)
            ^ u16::from_ne_bytes([sequence_high, sequence_low])
}

/// ICMP errors that quote the packet they are about: destination unreachable, source quench, redirect, time
/// exceeded, parameter problem (RFC 792).
#[inline(always)]
#[must_use]
pub const fn is_icmp_error(kind: u8) -> bool {
    matches!(kind, 3 | 4 | 5 | 11 | 12)
}

/// ICMPv6 errors: destination unreachable, packet too big, time exceeded, parameter problem (RFC 4443).
#[inline(always)]
#[must_use]
pub const fn is_icmpv6_error(kind: u8) -> bool {
    matches!(kind, 1..=4)
}

/// The traffic class of an observed packet. ICMP's answers are echo reply, timestamp reply, information reply
/// and address mask reply (RFC 792, RFC 950), ICMPv6's is echo reply.
#[inline(always)]
#[must_use]
pub fn traffic_class(packet: &Packet<'_>) -> TrafficClass {
    if matches!(packet.outcome, Outcome::Fragment) {
        return TrafficClass::Fragment;
    }
    match packet.transport {
        Transport::Tcp(tcp) => match tcp_class(tcp.flags) {
            TcpClass::Scan => TrafficClass::Scan,
            TcpClass::BackscatterSynAck => TrafficClass::BackscatterSynAck,
            TcpClass::BackscatterRst => TrafficClass::BackscatterRst,
            TcpClass::Other => TrafficClass::Other,
        },
        Transport::Udp(udp) if udp.source_port == DNS => TrafficClass::Backscatter,
        Transport::Udp(_) => TrafficClass::Scan,
        Transport::Icmp(icmp) => match icmp.kind {
            8 => TrafficClass::Scan,
            0 | 14 | 16 | 18 => TrafficClass::Backscatter,
            kind if is_icmp_error(kind) => TrafficClass::Backscatter,
            _ => TrafficClass::Other,
        },
        Transport::Icmpv6(icmpv6) => match icmpv6.kind {
            128 => TrafficClass::Scan,
            129 => TrafficClass::Backscatter,
            kind if is_icmpv6_error(kind) => TrafficClass::Backscatter,
            _ => TrafficClass::Other,
        },
        Transport::None => TrafficClass::Other,
    }
}

#[cfg(test)]
mod tests;
