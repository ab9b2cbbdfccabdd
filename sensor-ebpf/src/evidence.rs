//! Evidence: which packets are kept whole, and the record that one is handed over in.

use core::mem::{offset_of, size_of};

use crate::abi::{EVIDENCE_PORTS, EVIDENCE_RANGES, EVIDENCE_SNAP, Ipv4Range, Ipv6Range, TrafficClass};
use crate::classify::traffic_class;
use crate::headers::Frame;
use crate::observed::{Observe as _, Ranges};
use crate::packet::{Network, Packet, Transport};

/// A packet, or its beginning, as the program hands it over.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct EvidenceRecord {
    /// `CLOCK_MONOTONIC` when the program saw it.
    pub nanoseconds: u64,
    /// Index of the interface that it came in by.
    pub interface: u32,
    /// Bytes of its frame.
    pub original_length: u32,
    /// How many of `bytes` are its; what follows is another's, or nothing.
    pub captured_length: u32,
    /// [`TrafficClass`] as a number.
    pub class: u8,
    /// Bits of [`crate::digest::marks`].
    pub signatures: u8,
    pub spare: [u8; 2],
    pub bytes: [u8; EVIDENCE_SNAP],
}

/// Which packets are evidence. A kind of criterion that is configured has to match, by any one of its values;
/// one that is not is no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct EvidenceFilter {
    /// Bits of [`crate::digest::marks`]; 0: no condition.
    pub signatures: u32,
    /// A bit for each [`TrafficClass`], by its number; 0: no condition.
    pub classes: u32,
    /// How many of `ports` are used; 0: no condition.
    pub port_count: u32,
    /// 1 where only the ranges' sources match, of either family.
    pub sources_restricted: u32,
    pub ipv4_count: u32,
    pub ipv6_count: u32,
    /// Bytes of each packet, at most [`EVIDENCE_SNAP`].
    pub snap_length: u32,
    pub spare: u32,
    /// Service ports in host order.
    pub ports: [u32; EVIDENCE_PORTS],
    /// Sources, sorted and disjoint.
    pub ipv4: [Ipv4Range; EVIDENCE_RANGES],
    pub ipv6: [Ipv6Range; EVIDENCE_RANGES],
}

const _: () = {
    assert!(EVIDENCE_SNAP.is_multiple_of(8) && EVIDENCE_RANGES.is_power_of_two());
    assert!(size_of::<EvidenceRecord>() == 24 + EVIDENCE_SNAP);
    assert!(offset_of!(EvidenceRecord, bytes) == 24);
    assert!(size_of::<EvidenceFilter>() == 32 + 4 * EVIDENCE_PORTS + 40 * EVIDENCE_RANGES);
    assert!(offset_of!(EvidenceFilter, ipv4) == 96);
};

/// What an observed packet is chosen by, in one word, and where its source address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits(pub u64);

impl Traits {
    /// A packet that cannot be evidence.
    pub const UNOBSERVED: Self = Self(0);
    const OBSERVED: u64 = 1 << 40;
    const IPV6: u64 = 1 << 41;
    /// No header that is decoded begins so far behind.
    const LARGEST_OFFSET: usize = 63;

    /// The traits of an observed packet of this frame.
    #[inline(always)]
    #[must_use]
    pub fn new(packet: &Packet<'_>, frame: Frame<'_>, signatures: u8) -> Self {
        let class = traffic_class(packet);
        let (family, source) = match packet.network {
            Network::Ipv4(ipv4) => (0, (&raw const ipv4.source).addr()),
            Network::Ipv6(ipv6) => (Self::IPV6, (&raw const ipv6.source).addr()),
            Network::None => return Self::UNOBSERVED,
        };
        let offset = source.wrapping_sub(frame.start()) & Self::LARGEST_OFFSET;
        Self(
            Self::OBSERVED
                | family
                | class as u64
                | u64::from(signatures) << 8
                | u64::from(u16::from_be_bytes(service_port(packet, class))) << 16
                | (offset as u64) << 32,
        )
    }

    #[inline(always)]
    #[must_use]
    pub const fn is_observed(self) -> bool {
        self.0 & Self::OBSERVED != 0
    }

    #[inline(always)]
    #[must_use]
    pub const fn class(self) -> u8 {
        self.0 as u8
    }

    #[inline(always)]
    #[must_use]
    pub const fn signatures(self) -> u8 {
        (self.0 >> 8) as u8
    }

    #[inline(always)]
    #[must_use]
    pub const fn port(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline(always)]
    #[must_use]
    pub const fn is_ipv6(self) -> bool {
        self.0 & Self::IPV6 != 0
    }

    /// Where the source address begins in the frame.
    #[inline(always)]
    #[must_use]
    pub const fn source_offset(self) -> usize {
        (self.0 >> 32) as usize & Self::LARGEST_OFFSET
    }
}

/// The port of the service, whichever end it is at; of ICMP type and code, as flows have it.
#[inline(always)]
fn service_port(packet: &Packet<'_>, class: TrafficClass) -> [u8; 2] {
    match packet.transport {
        Transport::Tcp(tcp) if class.is_backscatter() => tcp.source_port,
        Transport::Tcp(tcp) => tcp.destination_port,
        Transport::Udp(udp) if class.is_backscatter() => udp.source_port,
        Transport::Udp(udp) => udp.destination_port,
        Transport::Icmp(icmp) => [icmp.kind, icmp.code],
        Transport::Icmpv6(icmpv6) => [icmpv6.kind, icmpv6.code],
        Transport::None => [0; 2],
    }
}

impl EvidenceFilter {
    /// Every observed packet, as much of it as there is room for.
    pub const EVERYTHING: Self = Self {
        signatures: 0,
        classes: 0,
        port_count: 0,
        sources_restricted: 0,
        ipv4_count: 0,
        ipv6_count: 0,
        snap_length: EVIDENCE_SNAP as u32,
        spare: 0,
        ports: [0; EVIDENCE_PORTS],
        ipv4: [Ipv4Range { first: u32::MAX, last: 0 }; EVIDENCE_RANGES],
        ipv6: [Ipv6Range { first: [u64::MAX; 2], last: [0; 2] }; EVIDENCE_RANGES],
    };

    /// Whether the filter matches by everything but the source.
    #[inline(always)]
    #[must_use]
    pub fn matches(&self, traits: Traits) -> bool {
        (self.signatures == 0 || self.signatures & u32::from(traits.signatures()) != 0)
            && (self.classes == 0 || self.classes & (1 << (traits.class() & 31)) != 0)
            && (self.port_count == 0 || self.has_port(traits.port()))
    }

    #[inline(always)]
    fn has_port(&self, port: u16) -> bool {
        let mut place = 0;
        while place < EVIDENCE_PORTS && place < self.port_count as usize {
            // SAFETY: below the array's length. Indexing would keep a panic path, which a BPF program
            // cannot have.
            if unsafe { *self.ports.as_ptr().add(place) } == u32::from(port) {
                return true;
            }
            place += 1;
        }
        false
    }

    /// Whether the filter matches by an IPv4 source.
    #[inline(always)]
    #[must_use]
    pub fn matches_ipv4(&self, source: [u8; 4]) -> bool {
        self.sources_restricted == 0 || self.sources().ipv4(source)
    }

    /// Whether the filter matches by an IPv6 source.
    #[inline(always)]
    #[must_use]
    pub fn matches_ipv6(&self, source: &[u8; 16]) -> bool {
        self.sources_restricted == 0 || self.sources().ipv6(source)
    }

    #[inline(always)]
    fn sources(&self) -> Ranges<'_, EVIDENCE_RANGES> {
        let Self { ipv4, ipv4_count, ipv6, ipv6_count, .. } = self;
        Ranges { ipv4, ipv4_count: *ipv4_count, ipv6, ipv6_count: *ipv6_count }
    }
}

#[cfg(test)]
mod tests;
