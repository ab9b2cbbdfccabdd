//! Decoding: from a frame to the one [`Outcome`] it has, and the headers behind it.
//!
//! The rules, each with its reason, are in `docs/decoding.md`. Tunnels are not opened: the outermost
//! IP header counts.

use crate::abi::Outcome;
use crate::classify::{is_icmp_error, is_icmpv6_error};
use crate::headers::{Ethernet, Frame, Icmp, Icmpv6, Ipv4, Ipv6, Ipv6Extension, Tcp, TcpOption, Udp, Vlan};
use crate::observed::Observe;

/// VLAN tags that are looked behind: one service and one customer tag (IEEE 802.1ad).
pub const VLAN_TAGS: usize = 2;
/// IPv6 extension headers that are walked before a packet is `ipv6_other`.
pub const IPV6_EXTENSIONS: usize = 8;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and the value that QinQ used before 802.1ad.
const ETHERTYPE_VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];

const PROTOCOL_HOP_BY_HOP: u8 = 0;
pub const PROTOCOL_ICMP: u8 = 1;
pub const PROTOCOL_TCP: u8 = 6;
pub const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_ROUTING: u8 = 43;
const PROTOCOL_FRAGMENT: u8 = 44;
pub const PROTOCOL_ICMPV6: u8 = 58;
const PROTOCOL_DESTINATION_OPTIONS: u8 = 60;

/// The network header, where there is a sound one.
#[derive(Clone, Copy)]
pub enum Network<'a> {
    None,
    Ipv4(&'a Ipv4),
    Ipv6(&'a Ipv6),
}

/// The transport header, where there is a sound one.
#[derive(Clone, Copy)]
pub enum Transport<'a> {
    None,
    Tcp(&'a Tcp),
    Udp(&'a Udp),
    Icmp(&'a Icmp),
    Icmpv6(&'a Icmpv6),
}

/// A decoded packet.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    pub outcome: Outcome,
    /// A sound IP header, and its destination is observed: the only packets that may be dropped.
    pub observed: bool,
    /// IP protocol, the last of an IPv6 chain. Without meaning where `network` is `None`.
    pub protocol: u8,
    pub network: Network<'a>,
    pub transport: Transport<'a>,
    pub detail: Detail<'a>,
}

/// What stands behind the transport header and is of use: of a packet that has it.
#[derive(Clone, Copy)]
pub enum Detail<'a> {
    None,
    /// The first TCP option, with its value as far as two bytes go.
    FirstOption(&'a TcpOption),
    /// The header that an ICMP error quotes.
    QuotedIpv4(&'a Ipv4),
    /// The header that an ICMPv6 error quotes.
    QuotedIpv6(&'a Ipv6),
}

impl Packet<'_> {
    /// A frame with no sound IP header.
    #[inline(always)]
    const fn without_network(outcome: Outcome) -> Self {
        Self {
            outcome,
            observed: false,
            protocol: 0,
            network: Network::None,
            transport: Transport::None,
            detail: Detail::None,
        }
    }
}

/// What is done with a decoded packet.
///
/// A trait, and no closure, because only a function can be told to be inlined always.
pub trait Then<'a> {
    type Result;
    fn then(self, packet: Packet<'a>) -> Self::Result;
}

/// Decodes one frame. Never fails: what cannot be decoded has the outcome [`Outcome::Malformed`].
#[must_use]
pub fn decode<'a>(frame: Frame<'a>, observe: &impl Observe) -> Packet<'a> {
    struct GiveBack;
    impl<'a> Then<'a> for GiveBack {
        type Result = Packet<'a>;
        fn then(self, packet: Packet<'a>) -> Packet<'a> {
            packet
        }
    }
    decode_then(frame, observe, GiveBack)
}

/// Decodes one frame and hands the packet on.
///
/// `then` is called once, from wherever the decoding ends. Inlined there, it finds the outcome as a
/// constant and the headers in registers, where a [`Packet`] that is returned would go through memory.
#[inline(always)]
pub fn decode_then<'a, T: Then<'a>>(frame: Frame<'a>, observe: &impl Observe, then: T) -> T::Result {
    let Some(ethernet) = frame.at::<Ethernet>(0) else {
        return then.then(Packet::without_network(Outcome::Malformed));
    };
    let mut ethertype = u16::from_be_bytes(ethernet.ethertype);
    let mut offset = size_of::<Ethernet>();
    for _ in 0..VLAN_TAGS {
        if !is_vlan(ethertype) {
            break;
        }
        let Some(tag) = frame.at::<Vlan>(offset) else {
            return then.then(Packet::without_network(Outcome::Malformed));
        };
        ethertype = u16::from_be_bytes(tag.ethertype);
        offset += size_of::<Vlan>();
    }
    match ethertype {
        ETHERTYPE_IPV4 => decode_ipv4(frame, offset, observe, then),
        ETHERTYPE_IPV6 => decode_ipv6(frame, offset, observe, then),
        _ => then.then(Packet::without_network(Outcome::NonIp)),
    }
}

#[inline(always)]
fn is_vlan(ethertype: u16) -> bool {
    let [customer, service, legacy] = ETHERTYPE_VLAN;
    ethertype == customer || ethertype == service || ethertype == legacy
}

#[inline(always)]
fn decode_ipv4<'a, T: Then<'a>>(
    frame: Frame<'a>,
    offset: usize,
    observe: &impl Observe,
    then: T,
) -> T::Result {
    let Some(ipv4) = frame.at::<Ipv4>(offset) else {
        return then.then(Packet::without_network(Outcome::Malformed));
    };
    let header_length = usize::from(ipv4.version_and_header_length & 0xf) * 4;
    let total_length = usize::from(u16::from_be_bytes(ipv4.total_length));
    if ipv4.version_and_header_length >> 4 != 4
        || header_length < size_of::<Ipv4>()
        || total_length < header_length
        || offset + header_length > frame.length()
    {
        return then.then(Packet::without_network(Outcome::Malformed));
    }
    let mut packet = Packet {
        outcome: Outcome::Unobserved,
        observed: observe.ipv4(ipv4.destination),
        protocol: ipv4.protocol,
        network: Network::Ipv4(ipv4),
        transport: Transport::None,
        detail: Detail::None,
    };
    if !packet.observed {
        return then.then(packet);
    }
    // The low 13 bits are the offset; the more-fragments flag alone is a first fragment.
    if u16::from_be_bytes(ipv4.fragment) & 0x1fff != 0 {
        packet.outcome = Outcome::Fragment;
        return then.then(packet);
    }
    let payload = Payload { frame, offset: offset + header_length, end: offset + total_length };
    match ipv4.protocol {
        PROTOCOL_TCP => payload.tcp(packet, Outcome::Ipv4Tcp, then),
        PROTOCOL_UDP => payload.udp(packet, Outcome::Ipv4Udp, then),
        PROTOCOL_ICMP => payload.icmp(packet, Outcome::Ipv4Icmp, then),
        _ => {
            packet.outcome = Outcome::Ipv4Other;
            then.then(packet)
        }
    }
}

#[inline(always)]
fn decode_ipv6<'a, T: Then<'a>>(
    frame: Frame<'a>,
    offset: usize,
    observe: &impl Observe,
    then: T,
) -> T::Result {
    let Some(ipv6) = frame.at::<Ipv6>(offset) else {
        return then.then(Packet::without_network(Outcome::Malformed));
    };
    if ipv6.version_and_class[0] >> 4 != 6 {
        return then.then(Packet::without_network(Outcome::Malformed));
    }
    let payload_length = usize::from(u16::from_be_bytes(ipv6.payload_length));
    let headers_end = offset + size_of::<Ipv6>();
    let mut packet = Packet {
        outcome: Outcome::Unobserved,
        observed: observe.ipv6(&ipv6.destination),
        protocol: ipv6.next_header,
        network: Network::Ipv6(ipv6),
        transport: Transport::None,
        detail: Detail::None,
    };
    if !packet.observed {
        return then.then(packet);
    }
    // Zero is a jumbogram's (RFC 2675) or a segmentation offload's: the frame is the bound then.
    let end = if payload_length == 0 { usize::MAX } else { headers_end + payload_length };
    let mut payload = Payload { frame, offset: headers_end, end };
    for _ in 0..IPV6_EXTENSIONS {
        if !is_extension(packet.protocol) {
            break;
        }
        let Some((header, length)) = payload.extension(packet.protocol) else {
            packet.outcome = Outcome::Malformed;
            return then.then(packet);
        };
        let is_fragment = packet.protocol == PROTOCOL_FRAGMENT;
        packet.protocol = header.next_header;
        // The high 13 bits are the offset.
        if is_fragment && u16::from_be_bytes(header.fragment) & 0xfff8 != 0 {
            packet.outcome = Outcome::Fragment;
            return then.then(packet);
        }
        payload.offset += length;
    }
    match packet.protocol {
        PROTOCOL_TCP => payload.tcp(packet, Outcome::Ipv6Tcp, then),
        PROTOCOL_UDP => payload.udp(packet, Outcome::Ipv6Udp, then),
        PROTOCOL_ICMPV6 => payload.icmpv6(packet, Outcome::Ipv6Icmp, then),
        _ => {
            packet.outcome = Outcome::Ipv6Other;
            then.then(packet)
        }
    }
}

#[inline(always)]
fn is_extension(protocol: u8) -> bool {
    protocol == PROTOCOL_HOP_BY_HOP
        || protocol == PROTOCOL_ROUTING
        || protocol == PROTOCOL_FRAGMENT
        || protocol == PROTOCOL_DESTINATION_OPTIONS
}

/// What is left of an IP packet from `offset` on: bounded by the frame and by the packet's own length.
struct Payload<'a> {
    frame: Frame<'a>,
    offset: usize,
    end: usize,
}

impl<'a> Payload<'a> {
    /// Whether `length` bytes from the offset on are there, by the IP packet's length and by the frame's.
    #[inline(always)]
    fn holds(&self, length: usize) -> bool {
        self.offset + length <= self.end && self.offset + length <= self.frame.length()
    }

    /// The header at the offset, where both bounds allow it.
    #[inline(always)]
    fn header<T: crate::headers::Header>(&self) -> Option<&'a T> {
        if self.offset + size_of::<T>() > self.end {
            return None;
        }
        self.frame.at(self.offset)
    }

    /// The header that an ICMP error quotes: behind eight bytes, in both versions.
    #[inline(always)]
    fn quoted<T: crate::headers::Header>(&self) -> Option<&'a T> {
        let offset = self.offset + size_of::<Icmp>();
        if offset + size_of::<T>() > self.end {
            return None;
        }
        self.frame.at(offset)
    }

    /// The extension header at the offset, and its length in bytes.
    #[inline(always)]
    fn extension(&self, protocol: u8) -> Option<(&'a Ipv6Extension, usize)> {
        let header = self.header::<Ipv6Extension>()?;
        let length = if protocol == PROTOCOL_FRAGMENT {
            size_of::<Ipv6Extension>()
        } else {
            (usize::from(header.length) + 1) * 8
        };
        if self.holds(length) { Some((header, length)) } else { None }
    }

    #[inline(always)]
    fn tcp<T: Then<'a>>(&self, packet: Packet<'a>, sound: Outcome, then: T) -> T::Result {
        let Some(tcp) = self.header::<Tcp>() else {
            return then.then(Packet { outcome: Outcome::Malformed, ..packet });
        };
        let header_length = usize::from(tcp.data_offset >> 4) * 4;
        if header_length < size_of::<Tcp>() || !self.holds(header_length) {
            return then.then(Packet { outcome: Outcome::Malformed, ..packet });
        }
        let detail = if header_length >= size_of::<Tcp>() + size_of::<TcpOption>() {
            self.frame.at(self.offset + size_of::<Tcp>()).map_or(Detail::None, Detail::FirstOption)
        } else {
            Detail::None
        };
        then.then(Packet { outcome: sound, transport: Transport::Tcp(tcp), detail, ..packet })
    }

    #[inline(always)]
    fn udp<T: Then<'a>>(&self, packet: Packet<'a>, sound: Outcome, then: T) -> T::Result {
        match self.header::<Udp>() {
            Some(udp) if usize::from(u16::from_be_bytes(udp.length)) >= size_of::<Udp>() => {
                then.then(Packet { outcome: sound, transport: Transport::Udp(udp), ..packet })
            }
            _ => then.then(Packet { outcome: Outcome::Malformed, ..packet }),
        }
    }

    #[inline(always)]
    fn icmp<T: Then<'a>>(&self, packet: Packet<'a>, sound: Outcome, then: T) -> T::Result {
        let Some(icmp) = self.header::<Icmp>() else {
            return then.then(Packet { outcome: Outcome::Malformed, ..packet });
        };
        let mut detail = Detail::None;
        if is_icmp_error(icmp.kind)
            && let Some(quoted) = self.quoted::<Ipv4>()
            && quoted.version_and_header_length >> 4 == 4
        {
            detail = Detail::QuotedIpv4(quoted);
        }
        then.then(Packet { outcome: sound, transport: Transport::Icmp(icmp), detail, ..packet })
    }

    #[inline(always)]
    fn icmpv6<T: Then<'a>>(&self, packet: Packet<'a>, sound: Outcome, then: T) -> T::Result {
        let Some(icmpv6) = self.header::<Icmpv6>() else {
            return then.then(Packet { outcome: Outcome::Malformed, ..packet });
        };
        let mut detail = Detail::None;
        if is_icmpv6_error(icmpv6.kind)
            && let Some(quoted) = self.quoted::<Ipv6>()
            && quoted.version_and_class[0] >> 4 == 6
        {
            detail = Detail::QuotedIpv6(quoted);
        }
        then.then(Packet { outcome: sound, transport: Transport::Icmpv6(icmpv6), detail, ..packet })
    }
}
