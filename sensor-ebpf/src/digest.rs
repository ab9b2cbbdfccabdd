//! Digests: what is kept of every observed packet, of fixed size, for user space to tell sources apart.
//!
//! All numbers stand in them as they stand on the wire, in network byte order, because the program only
//! copies. What concerns the counters of `docs/counters.md` is said in `docs/digests.md`.

use core::mem::{offset_of, size_of};

use crate::abi::{IPV4_SEGMENT, IPV6_SEGMENT, LARGEST_VALUE, TrafficClass};
use crate::headers::{Ipv4, Ipv6, Tcp};
use crate::packet::{Detail, Packet, Transport};

/// Bits of [`Facts::marks`]: one for each [`crate::abi::Signature`], by its number, and the bank.
pub mod marks {
    use crate::abi::Signature;

    pub const MIRAI: u8 = 1 << Signature::Mirai as u8;
    pub const ZMAP: u8 = 1 << Signature::Zmap as u8;
    pub const MASSCAN: u8 = 1 << Signature::Masscan as u8;
    pub const SIGNATURES: u8 = MIRAI | ZMAP | MASSCAN;
    /// The bank that the packet was counted in: the digest's interval, see `Control::active_bank`.
    pub const BANK: u8 = 1 << 7;
}

/// What digests of both families say in the same words: 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Facts {
    /// TCP and UDP; for ICMP its type and code.
    pub source_port: [u8; 2],
    /// TCP and UDP, else zero.
    pub destination_port: [u8; 2],
    /// IPv4's total length, IPv6's payload length.
    pub length: [u8; 2],
    /// Time to live, or hop limit.
    pub time_to_live: u8,
    /// IP protocol, the last of an IPv6 chain.
    pub protocol: u8,
    /// TCP flags byte, else zero.
    pub tcp_flags: u8,
    /// Bytes of the TCP header; for ICMP errors the quoted packet's protocol; else zero.
    pub header_length_or_quoted_protocol: u8,
    /// [`TrafficClass`] as a number.
    pub class: u8,
    /// Signatures and bank, see [`marks`].
    pub marks: u8,
    /// TCP's maximum segment size, where it is the first option; else zero.
    pub maximum_segment_size: [u8; 2],
    /// IPv4's identification, else zero.
    pub identification: [u8; 2],
}

/// Digest of an IPv4 packet, 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Ipv4Digest {
    pub source: [u8; 4],
    pub destination: [u8; 4],
    pub facts: Facts,
    /// TCP's sequence number; for ICMP errors the destination of the quoted packet: the victim; else zero.
    pub sequence_or_quoted: [u8; 4],
    /// TCP's window, else zero.
    pub window: [u8; 2],
    pub spare: [u8; 2],
}

/// Digest of an IPv6 packet, 64 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Ipv6Digest {
    pub source: [u8; 16],
    pub destination: [u8; 16],
    pub facts: Facts,
    /// For ICMPv6 errors the destination of the quoted packet; for TCP the sequence number (4 bytes) and
    /// the window (2 bytes), then zeros; else zero.
    pub detail: [u8; 16],
}

/// One map value of IPv4 digests.
#[repr(C)]
pub struct Ipv4Segment(pub [Ipv4Digest; IPV4_SEGMENT]);
/// One map value of IPv6 digests.
#[repr(C)]
pub struct Ipv6Segment(pub [Ipv6Digest; IPV6_SEGMENT]);

const _: () = {
    assert!(size_of::<Facts>() == 16);
    assert!(size_of::<Ipv4Digest>() == 32 && size_of::<Ipv6Digest>() == 64);
    assert!(offset_of!(Ipv4Digest, facts) == 8 && offset_of!(Ipv4Digest, window) == 28);
    assert!(offset_of!(Ipv6Digest, facts) == 32 && offset_of!(Ipv6Digest, detail) == 48);
    assert!(size_of::<Ipv4Segment>() <= LARGEST_VALUE && size_of::<Ipv6Segment>() <= LARGEST_VALUE);
};

impl Facts {
    /// The same as two whole words.
    #[inline(always)]
    fn words(&self) -> [u64; 2] {
        let Self { source_port, destination_port, length, time_to_live, protocol, .. } = *self;
        let Self { tcp_flags, header_length_or_quoted_protocol, class, marks, .. } = *self;
        let Self { maximum_segment_size, identification, .. } = *self;
        [
            (two(source_port)
                | two(destination_port) << 16
                | two(length) << 32
                | u64::from(time_to_live) << 48
                | u64::from(protocol) << 56)
                .to_le(),
            (u64::from(tcp_flags)
                | u64::from(header_length_or_quoted_protocol) << 8
                | u64::from(class) << 16
                | u64::from(marks) << 24
                | two(maximum_segment_size) << 32
                | two(identification) << 48)
                .to_le(),
        ]
    }

    #[inline(always)]
    fn new(packet: &Packet<'_>, class: TrafficClass, marks: u8) -> Self {
        let facts = Self { protocol: packet.protocol, class: class as u8, marks, ..Self::default() };
        match packet.transport {
            Transport::Tcp(tcp) => Self {
                source_port: tcp.source_port,
                destination_port: tcp.destination_port,
                tcp_flags: tcp.flags,
                // The upper four bits count words of four bytes.
                header_length_or_quoted_protocol: (tcp.data_offset >> 4) << 2,
                maximum_segment_size: maximum_segment_size(packet.detail),
                ..facts
            },
            Transport::Udp(udp) => {
                Self { source_port: udp.source_port, destination_port: udp.destination_port, ..facts }
            }
            Transport::Icmp(icmp) => Self {
                source_port: [icmp.kind, icmp.code],
                header_length_or_quoted_protocol: match packet.detail {
                    Detail::QuotedIpv4(quoted) => quoted.protocol,
                    _ => 0,
                },
                ..facts
            },
            Transport::Icmpv6(icmpv6) => Self {
                source_port: [icmpv6.kind, icmpv6.code],
                header_length_or_quoted_protocol: match packet.detail {
                    Detail::QuotedIpv6(quoted) => quoted.next_header,
                    _ => 0,
                },
                ..facts
            },
            Transport::None => facts,
        }
    }
}

/// Of the option that a SYN mostly begins with: kind 2, length 4 (RFC 9293, section 3.2).
#[inline(always)]
fn maximum_segment_size(detail: Detail<'_>) -> [u8; 2] {
    match detail {
        Detail::FirstOption(option) if option.kind == 2 && option.length == 4 => option.value,
        _ => [0; 2],
    }
}

/// Two bytes as the lowest of a word that is yet to be put into memory, lowest byte first.
#[inline(always)]
fn two(bytes: [u8; 2]) -> u64 {
    u64::from(u16::from_le_bytes(bytes))
}

/// Four bytes, likewise.
#[inline(always)]
fn four(bytes: [u8; 4]) -> u64 {
    u64::from(u32::from_le_bytes(bytes))
}

/// Sixteen bytes, as two words in memory.
#[inline(always)]
fn sixteen(bytes: &[u8; 16]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
    [u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p])]
}

impl Ipv4Digest {
    /// The same as whole words, as they are in memory.
    #[inline(always)]
    #[must_use]
    pub fn words(&self) -> [u64; 4] {
        let [first, second] = self.facts.words();
        [
            (four(self.source) | four(self.destination) << 32).to_le(),
            first,
            second,
            (four(self.sequence_or_quoted) | two(self.window) << 32 | two(self.spare) << 48).to_le(),
        ]
    }

    /// The digest of an observed packet with this header. `marks` are signatures and bank.
    #[inline(always)]
    #[must_use]
    pub fn new(ipv4: &Ipv4, packet: &Packet<'_>, class: TrafficClass, marks: u8) -> Self {
        let facts = Facts {
            length: ipv4.total_length,
            time_to_live: ipv4.time_to_live,
            identification: ipv4.identification,
            ..Facts::new(packet, class, marks)
        };
        let (sequence_or_quoted, window) = match (packet.transport, packet.detail) {
            (Transport::Tcp(Tcp { sequence, window, .. }), _) => (*sequence, *window),
            (_, Detail::QuotedIpv4(quoted)) => (quoted.destination, [0; 2]),
            _ => ([0; 4], [0; 2]),
        };
        let (source, destination) = (ipv4.source, ipv4.destination);
        Self { source, destination, facts, sequence_or_quoted, window, spare: [0; 2] }
    }
}

impl Ipv6Digest {
    /// The same as whole words, as they are in memory.
    #[inline(always)]
    #[must_use]
    pub fn words(&self) -> [u64; 8] {
        let ([a, b], [c, d]) = (sixteen(&self.source), sixteen(&self.destination));
        let ([e, f], [g, h]) = (self.facts.words(), sixteen(&self.detail));
        [a, b, c, d, e, f, g, h]
    }

    /// The digest of an observed packet with this header. `marks` are signatures and bank.
    #[inline(always)]
    #[must_use]
    pub fn new(ipv6: &Ipv6, packet: &Packet<'_>, class: TrafficClass, marks: u8) -> Self {
        let facts = Facts {
            length: ipv6.payload_length,
            time_to_live: ipv6.hop_limit,
            ..Facts::new(packet, class, marks)
        };
        let detail = match (packet.transport, packet.detail) {
            (Transport::Tcp(tcp), _) => {
                let ([a, b, c, d], [e, f]) = (tcp.sequence, tcp.window);
                [a, b, c, d, e, f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            }
            (_, Detail::QuotedIpv6(quoted)) => quoted.destination,
            _ => [0; 16],
        };
        Self { source: ipv6.source, destination: ipv6.destination, facts, detail }
    }
}

#[cfg(test)]
mod tests;
