//! The header at a place: TCP, UDP, ICMP, or nothing that is looked into.

use anyhow::Result;

use super::packet::{IcmpFacts, Packet, Place, Step, TcpFacts, Transport};
use super::quoted;
use super::row::{Field, Row};

const TCP_HEADER: u64 = 20;
const UDP_HEADER: u64 = 8;
const ICMP_HEADER: u64 = 8;
const ICMPV6_HEADER: u64 = 4;

/// `row` must have its first transport header, if it has any, at `place`.
pub fn decide(row: &Row, place: Place) -> Result<Step> {
    match (place.ip.is_ipv4(), place.protocol) {
        (true, 6) => tcp(row, place, "ipv4_tcp"),
        (true, 17) => udp(row, place, "ipv4_udp"),
        (true, 1) => icmp(row, place),
        (true, _) => Ok(counted(place, "ipv4_other", Transport::None).into()),
        (false, 6) => tcp(row, place, "ipv6_tcp"),
        (false, 17) => udp(row, place, "ipv6_udp"),
        (false, 58) => icmpv6(row, place),
        (false, _) => Ok(counted(place, "ipv6_other", Transport::None).into()),
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
        source_port: row.small_fact(Field::TcpSourcePort)?,
        destination_port: row.small_fact(Field::TcpDestinationPort)?,
        sequence: row.small_fact(Field::TcpSequence)?,
        header_length: row.small_fact(Field::TcpHeaderLength)?,
        // tshark's field has four more bits, from the byte before.
        flags: (row.fact(Field::TcpFlags)? & 0xff) as u8,
        window: row.small_fact(Field::TcpWindow)?,
    };
    Ok(counted(place, outcome, Transport::Tcp(facts)).into())
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
    let source_port = row.small_fact(Field::UdpSourcePort)?;
    let destination_port = row.small_fact(Field::UdpDestinationPort)?;
    Ok(counted(place, outcome, Transport::Udp { source_port, destination_port }).into())
}

fn icmp(row: &Row, place: Place) -> Result<Step> {
    if place.available() < ICMP_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let Some(kind) = row.small(Field::IcmpType, 0)? else {
        return Ok(Step::LookAgain(place));
    };
    let facts = IcmpFacts { kind, code: row.small_fact(Field::IcmpCode)?, quoted: None };
    quoted::look(row, place, counted(place, "ipv4_icmp", Transport::Icmp(facts)))
}

fn icmpv6(row: &Row, place: Place) -> Result<Step> {
    if place.available() < ICMPV6_HEADER {
        return Ok(Packet::MALFORMED.into());
    }
    let Some(kind) = row.small(Field::Icmpv6Type, 0)? else {
        return Ok(Step::LookAgain(place));
    };
    let facts = IcmpFacts { kind, code: row.small_fact(Field::Icmpv6Code)?, quoted: None };
    quoted::look(row, place, counted(place, "ipv6_icmp", Transport::Icmpv6(facts)))
}

fn counted(place: Place, outcome: &'static str, transport: Transport) -> Packet {
    let Place { ip, protocol, .. } = place;
    Packet { outcome, protocol: Some(protocol), ip: Some(ip), transport }
}
