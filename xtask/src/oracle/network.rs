//! The IP header and the IPv6 extension headers: up to the place of the transport header.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result};

use super::link::Link;
use super::packet::{IpFacts, Packet, Place, Step, Transport};
use super::row::{Field, Row};
use super::transport;

pub const IPV4_HEADER: u64 = 20;
pub const IPV6_HEADER: u64 = 40;
const EXTENSION_HEADER: u64 = 8;
const EXTENSIONS_WALKED: u32 = 8;

const PROTOCOL_FRAGMENT: u8 = 44;

/// What tshark's first look says of a packet.
pub fn decide(row: &Row, link: Link) -> Result<Step> {
    match link {
        Link::Ip { version: 4, offset } => ipv4(row, offset),
        Link::Ip { offset, .. } => ipv6(row, offset),
        Link::NonIp => Ok(Packet::NON_IP.into()),
        Link::Cut => Ok(Packet::MALFORMED.into()),
    }
}

fn ipv4(row: &Row, offset: u64) -> Result<Step> {
    let room = row.fact(Field::FrameCaptured)?.saturating_sub(offset);
    if room < IPV4_HEADER || row.fact(Field::IpVersion)? != 4 {
        return Ok(Packet::MALFORMED.into());
    }
    let header_length = row.fact(Field::Ipv4HeaderLength)?;
    if header_length < IPV4_HEADER || header_length > room {
        return Ok(Packet::MALFORMED.into());
    }
    let total_length = row.fact(Field::Ipv4TotalLength)?;
    if total_length < header_length {
        return Ok(Packet::MALFORMED.into());
    }
    let protocol = row.small_fact(Field::Ipv4Protocol)?;
    let ip = IpFacts {
        source: row.address_fact::<Ipv4Addr>(Field::Ipv4Source)?.into(),
        destination: destination(row, 0)?.context("which ip.cur_rt is whose?")?.into(),
        time_to_live: row.small_fact(Field::Ipv4TimeToLive)?,
        length: row.small_fact(Field::Ipv4TotalLength)?,
        identification: Some(row.small_fact(Field::Ipv4Identification)?),
    };
    if row.fact(Field::Ipv4FragmentOffset)? != 0 {
        return Ok(fragment(ip, protocol).into());
    }
    let place = Place {
        ip,
        protocol,
        offset: offset + header_length,
        end: offset + total_length.min(room),
        walked: 0,
    };
    transport::decide(row, place)
}

/// The destination in one of the IPv4 headers of a packet, counted from the outermost, if tshark tells
/// it. Behind a source route that is not used up, tshark's `ip.dst` is the route's last address, and
/// the header's is `ip.cur_rt`; which of several headers that is of is known only where each header
/// with options has one.
pub fn destination(row: &Row, header: usize) -> Result<Option<Ipv4Addr>> {
    let mut with_options = Vec::new();
    for other in 0..row.count(Field::Ipv4HeaderLength) {
        if row.number(Field::Ipv4HeaderLength, other)?.is_some_and(|length| length > IPV4_HEADER) {
            with_options.push(other);
        }
    }
    let routes = row.count(Field::Ipv4CurrentRoute);
    match with_options.iter().position(|other| *other == header) {
        Some(position) if routes == with_options.len() => row.address(Field::Ipv4CurrentRoute, position),
        Some(_) if routes > 0 => Ok(None),
        _ => row.address(Field::Ipv4Destination, header),
    }
}

fn ipv6(row: &Row, offset: u64) -> Result<Step> {
    let room = row.fact(Field::FrameCaptured)?.saturating_sub(offset);
    if room < IPV6_HEADER || row.fact(Field::IpVersion)? != 6 {
        return Ok(Packet::MALFORMED.into());
    }
    let bound = match row.fact(Field::Ipv6PayloadLength)? {
        0 => room,
        payload_length => room.min(IPV6_HEADER + payload_length),
    };
    let ip = IpFacts {
        source: row.address_fact::<Ipv6Addr>(Field::Ipv6Source)?.into(),
        destination: row.address_fact::<Ipv6Addr>(Field::Ipv6Destination)?.into(),
        time_to_live: row.small_fact(Field::Ipv6HopLimit)?,
        length: row.small_fact(Field::Ipv6PayloadLength)?,
        identification: None,
    };
    let place = Place {
        ip,
        protocol: row.small_fact(Field::Ipv6NextHeader)?,
        offset: offset + IPV6_HEADER,
        end: offset + bound,
        walked: 0,
    };
    walk(row, place)
}

/// Walks the IPv6 extension headers from `place` on. `row` must begin its lists of extension headers
/// there: that is what the first look at a packet does, and every further one.
pub fn walk(row: &Row, mut place: Place) -> Result<Step> {
    // Headers of one kind, wherever they stand in the chain, are one list in tshark's fields.
    let mut seen = [0_usize; 256];
    while place.walked < EXTENSIONS_WALKED {
        let Some((next_field, length_field)) = extension_fields(place.protocol) else {
            break;
        };
        if place.available() < EXTENSION_HEADER {
            return Ok(Packet::MALFORMED.into());
        }
        let occurrence = seen[usize::from(place.protocol)];
        seen[usize::from(place.protocol)] += 1;
        let (Some(next_header), Some(second)) =
            (row.small(next_field, occurrence)?, row.number(length_field, occurrence)?)
        else {
            return Ok(Step::LookAgain(place));
        };
        let length = if place.protocol == PROTOCOL_FRAGMENT {
            if second != 0 {
                return Ok(fragment(place.ip, next_header).into());
            }
            EXTENSION_HEADER
        } else {
            EXTENSION_HEADER * (1 + second)
        };
        if place.available() < length {
            return Ok(Packet::MALFORMED.into());
        }
        place.protocol = next_header;
        place.offset += length;
        place.walked += 1;
    }
    transport::decide(row, place)
}

/// Of an extension header that is walked: where tshark has the next header's number, and the header's
/// length or, of a fragment header, the fragment's offset.
fn extension_fields(protocol: u8) -> Option<(Field, Field)> {
    match protocol {
        0 => Some((Field::HopByHopNextHeader, Field::HopByHopLength)),
        43 => Some((Field::RoutingNextHeader, Field::RoutingLength)),
        PROTOCOL_FRAGMENT => Some((Field::FragmentNextHeader, Field::FragmentOffset)),
        60 => Some((Field::DestinationOptionsNextHeader, Field::DestinationOptionsLength)),
        _ => None,
    }
}

fn fragment(ip: IpFacts, protocol: u8) -> Packet {
    let (protocol, ip) = (Some(protocol), Some(ip));
    Packet { outcome: Packet::FRAGMENT, protocol, ip, transport: Transport::None }
}
