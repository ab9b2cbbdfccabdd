//! Digests as the agent reads them: out of the rings that the program writes them to.

mod peek;
mod ring;

use std::net::IpAddr;

use sensor_ebpf::abi::{Family, TrafficClass};
use sensor_ebpf::classify::{is_icmp_error, is_icmpv6_error};
use sensor_ebpf::digest::{Facts, Ipv4Digest, Ipv6Digest, marks};
use sensor_ebpf::packet::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP};

use crate::prefixes::ObservedRanges;

pub use peek::Peeked;
pub use ring::{Ring, RingDigest, RingMaps, rings_of};

/// A digest of either IP version.
pub trait Digest: Copy + Send + 'static {
    type Address: Address;
    const FAMILY: Family;

    fn source(&self) -> Self::Address;
    fn destination(&self) -> Self::Address;
    fn facts(&self) -> &Facts;
    /// Bytes of the IP packet, by its own header.
    fn bytes(&self) -> u64;
    /// TCP's window in host order, else 0.
    fn window(&self) -> u16;
    /// For ICMP errors that quote a packet: the victim.
    fn quoted_destination(&self) -> Option<Self::Address>;

    /// The bank that the packet was counted in.
    fn bank(&self) -> u32 {
        u32::from(self.facts().marks & marks::BANK != 0)
    }

    /// Bits of [`marks::SIGNATURES`].
    fn signatures(&self) -> u8 {
        self.facts().marks & marks::SIGNATURES
    }

    /// The traffic class.
    fn class(&self) -> TrafficClass {
        class_of(self.facts().class)
    }
}

/// The traffic class with this number; one that is none is of a later version, and other.
#[must_use]
pub fn class_of(number: u8) -> TrafficClass {
    TrafficClass::from_number(number).unwrap_or(TrafficClass::Other)
}

/// An address of either IP version, as it stands on the wire.
pub trait Address: Copy + Ord + Into<IpAddr> + Send + 'static {
    const UNSPECIFIED: Self;

    /// Words to hash.
    fn words(self) -> [u64; 2];
    /// First and last address of each observed range, in order.
    fn observed(ranges: &ObservedRanges) -> Vec<(Self, Self)>;
    /// How many addresses it is behind `first`.
    fn behind(self, first: Self) -> u128;
}

/// An IPv4 address.
pub type Address4 = [u8; 4];
/// An IPv6 address.
pub type Address6 = [u8; 16];

impl Address for Address4 {
    const UNSPECIFIED: Self = [0; 4];

    #[inline]
    fn words(self) -> [u64; 2] {
        [u32::from_ne_bytes(self).into(), 0]
    }
    fn observed(ranges: &ObservedRanges) -> Vec<(Self, Self)> {
        ranges.ipv4.iter().map(|range| (range.first.to_be_bytes(), range.last.to_be_bytes())).collect()
    }
    fn behind(self, first: Self) -> u128 {
        u32::from_be_bytes(self).wrapping_sub(u32::from_be_bytes(first)).into()
    }
}

impl Address for Address6 {
    const UNSPECIFIED: Self = [0; 16];

    #[inline]
    fn words(self) -> [u64; 2] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = self;
        [u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p])]
    }
    fn observed(ranges: &ObservedRanges) -> Vec<(Self, Self)> {
        let address = |[high, low]: [u64; 2]| (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        ranges.ipv6.iter().map(|range| (address(range.first), address(range.last))).collect()
    }
    fn behind(self, first: Self) -> u128 {
        u128::from_be_bytes(self).wrapping_sub(u128::from_be_bytes(first))
    }
}

impl Digest for Ipv4Digest {
    type Address = Address4;
    const FAMILY: Family = Family::Ipv4;

    #[inline]
    fn source(&self) -> Address4 {
        self.source
    }
    #[inline]
    fn destination(&self) -> Address4 {
        self.destination
    }
    #[inline]
    fn facts(&self) -> &Facts {
        &self.facts
    }
    #[inline]
    fn bytes(&self) -> u64 {
        u16::from_be_bytes(self.facts.length).into()
    }
    #[inline]
    fn window(&self) -> u16 {
        u16::from_be_bytes(self.window)
    }
    #[inline]
    fn quoted_destination(&self) -> Option<Address4> {
        // An error of a packet that it does not quote has neither.
        let is_error = self.facts.protocol == PROTOCOL_ICMP && is_icmp_error(self.facts.source_port[0]);
        (is_error && self.sequence_or_quoted != [0; 4]).then_some(self.sequence_or_quoted)
    }
}

impl Digest for Ipv6Digest {
    type Address = Address6;
    const FAMILY: Family = Family::Ipv6;

    #[inline]
    fn source(&self) -> Address6 {
        self.source
    }
    #[inline]
    fn destination(&self) -> Address6 {
        self.destination
    }
    #[inline]
    fn facts(&self) -> &Facts {
        &self.facts
    }
    #[inline]
    fn bytes(&self) -> u64 {
        40 + u64::from(u16::from_be_bytes(self.facts.length))
    }
    #[inline]
    fn window(&self) -> u16 {
        if self.facts.protocol == PROTOCOL_TCP {
            u16::from_be_bytes([self.detail[4], self.detail[5]])
        } else {
            0
        }
    }
    #[inline]
    fn quoted_destination(&self) -> Option<Address6> {
        let is_error = self.facts.protocol == PROTOCOL_ICMPV6 && is_icmpv6_error(self.facts.source_port[0]);
        (is_error && self.detail != [0; 16]).then_some(self.detail)
    }
}
