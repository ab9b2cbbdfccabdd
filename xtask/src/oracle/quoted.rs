//! The IP header that an ICMP error quotes: whose answer it provoked.
//!
//! tshark dissects it behind the ICMP header, unless its lengths make no sense; the sensor asks of it
//! no more than to be there and of the same version. So where tshark says nothing, the header is
//! shown to it as a packet of its own that ends with it: with the lengths of such a packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result};

use super::network::{self, IPV4_HEADER, IPV6_HEADER};
use super::packet::{Packet, Place, Quoted, Step, Transport};
use super::row::{Field, Row};
use super::rules;

/// What stands before it, in both versions.
const ICMP_HEADER: u64 = 8;
/// In `ip.version`, which both versions of headers have: behind that of the packet, or of the carrier.
const QUOTED: usize = 1;

/// What the ICMP packet at `place` quotes.
pub fn look(row: &Row, place: Place, packet: Packet) -> Result<Step> {
    let (is_error, header) = match packet.transport {
        Transport::Icmp(facts) => (rules::is_icmp_error(facts.kind), IPV4_HEADER),
        Transport::Icmpv6(facts) => (rules::is_icmpv6_error(facts.kind), IPV6_HEADER),
        Transport::None | Transport::Tcp(_) | Transport::Udp { .. } => (false, 0),
    };
    if !is_error || place.available() < ICMP_HEADER + header {
        return Ok(packet.into());
    }
    let offset = place.offset + ICMP_HEADER;
    let is_ipv4 = place.ip.is_ipv4();
    let told = match (row.number(Field::IpVersion, QUOTED)?, is_ipv4) {
        (None, _) => None,
        (Some(4), true) => header_told(network::destination(row, QUOTED)?, row, Field::Ipv4Protocol, QUOTED)?,
        (Some(6), false) => {
            // A carrier is of IPv4: behind it, the first IPv6 header is the quoted one.
            let outer = usize::from(row.fact(Field::IpVersion)? == 6);
            let destination = row.address::<Ipv6Addr>(Field::Ipv6Destination, outer)?;
            header_told(destination, row, Field::Ipv6NextHeader, outer)?
        }
        (Some(_), _) => return Ok(packet.into()),
    };
    Ok(match told {
        Some(quoted) => packet.quoting(Some(quoted)).into(),
        None => Step::LookAtQuoted { packet, offset },
    })
}

fn header_told<A: Into<IpAddr>>(
    destination: Option<A>,
    row: &Row,
    protocol: Field,
    occurrence: usize,
) -> Result<Option<Quoted>> {
    let protocol = row.small(protocol, occurrence)?;
    Ok(destination.zip(protocol).map(|(destination, protocol)| {
        let destination = destination.into();
        Quoted { destination, protocol }
    }))
}

/// The quoted header, which begins `bytes`, as a packet that ends with it.
pub fn alone(is_ipv4: bool, bytes: &[u8]) -> Result<Vec<u8>> {
    let length = if is_ipv4 { IPV4_HEADER } else { IPV6_HEADER } as usize;
    let mut header = bytes.get(..length).context("tshark gives too few bytes of a quoted header")?.to_vec();
    if is_ipv4 {
        // Without options: tshark then has nothing in place of the destination, either.
        header[0] = header[0] & 0xf0 | 5;
        header[2..4].copy_from_slice(&[0, 20]);
    } else {
        header[4..6].fill(0);
    }
    Ok(header)
}

/// What tshark says of such a packet.
pub fn told_alone(row: &Row, is_ipv4: bool) -> Result<Option<Quoted>> {
    match (row.fact(Field::IpVersion)?, is_ipv4) {
        (4, true) => {
            let destination = row.address_fact::<Ipv4Addr>(Field::Ipv4Destination)?.into();
            Ok(Some(Quoted { destination, protocol: row.small_fact(Field::Ipv4Protocol)? }))
        }
        (6, false) => {
            let destination = row.address_fact::<Ipv6Addr>(Field::Ipv6Destination)?.into();
            Ok(Some(Quoted { destination, protocol: row.small_fact(Field::Ipv6NextHeader)? }))
        }
        _ => Ok(None),
    }
}
