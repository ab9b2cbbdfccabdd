//! Traffic classes and signatures: pure functions of header fields.

use crate::abi::TcpClass;
use crate::headers::{Ipv4, Tcp};

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

#[cfg(test)]
mod tests;
