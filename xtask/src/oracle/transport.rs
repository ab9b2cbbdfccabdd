//! The header at a place: TCP, UDP, ICMP, or nothing that is looked into.

use anyhow::Result;

use super::packet::{Packet, Place, Step, TcpFacts, Transport};
use super::row::{Field, Row};

const TCP_HEADER: u64 = 20;
const UDP_HEADER: u64 = 8;
const ICMP_HEADER: u64 = 8;
const ICMPV6_HEADER: u64 = 4;

/// `row` must have its first transport header, if it has any, at `place`.
pub fn decide(row: &Row, place: Place) -> Result<Step> {
    match (place.ipv4.is_some(), place.protocol) {
        (true, 6) => tcp(row, place, "ipv4_tcp"),
        (true, 17) => udp(row, place, "ipv4_udp"),
        (true, 1) => icmp(row, place),
        (true, _) => Ok(counted(place, "ipv4_other", Transport::None)),
        (false, 6) => tcp(row, place, "ipv6_tcp"),
        (false, 17) => udp(row, place, "ipv6_udp"),
        (false, 58) => icmpv6(row, place),
        (false, _) => Ok(counted(place, "ipv6_other", Transport::None)),
    }
}

fn tcp(row: &Row, place: Place, outcome: &'static str) -> Result<Step> {
    if place.available() < TCP_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let Some(header_length) = row.number(Field::TcpHeaderLength, 0)? else {
        return Ok(Step::LookAgain(place));
    };
    if header_length < TCP_HEADER || header_length > place.available() {
        return Ok(Packet::MALFORMED.into());
    }
    let facts = TcpFacts {
        source_port: port(row, Field::TcpSourcePort)?,
        destination_port: port(row, Field::TcpDestinationPort)?,
        sequence: u32::try_from(row.fact(Field::TcpSequence)?)?,
        // tshark's field has four more bits, from the byte before.
        flags: (row.fact(Field::TcpFlags)? & 0xff) as u8,
        window: u16::try_from(row.fact(Field::TcpWindow)?)?,
    };
    Ok(counted(place, outcome, Transport::Tcp(facts)))
}

fn udp(row: &Row, place: Place, outcome: &'static str) -> Result<Step> {
    if place.available() < UDP_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let Some(length) = row.number(Field::UdpLength, 0)? else {
        return Ok(Step::LookAgain(place));
    };
    if length < UDP_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let destination_port = port(row, Field::UdpDestinationPort)?;
    Ok(counted(place, outcome, Transport::Udp { destination_port }))
}

fn icmp(row: &Row, place: Place) -> Result<Step> {
    if place.available() < ICMP_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let Some(kind) = row.number(Field::IcmpType, 0)? else {
        return Ok(Step::LookAgain(place));
    };
    let kind = u8::try_from(kind)?;
    Ok(counted(place, "ipv4_icmp", Transport::Icmp { kind }))
}

fn icmpv6(row: &Row, place: Place) -> Result<Step> {
    if place.available() < ICMPV6_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let Some(kind) = row.number(Field::Icmpv6Type, 0)? else {
        return Ok(Step::LookAgain(place));
    };
    let kind = u8::try_from(kind)?;
    Ok(counted(place, "ipv6_icmp", Transport::Icmpv6 { kind }))
}

fn counted(place: Place, outcome: &'static str, transport: Transport) -> Step {
    let Place { ipv4, protocol, .. } = place;
    Packet { outcome, protocol: Some(protocol), ipv4, transport }.into()
}

fn port(row: &Row, field: Field) -> Result<u16> {
    Ok(u16::try_from(row.fact(field)?)?)
}
