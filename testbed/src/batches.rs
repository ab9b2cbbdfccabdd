//! Batches of a made-up telescope: as many flows as are wanted, and counters that are lawful for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use sensor_ebpf::abi::{ABI_VERSION, Family, Outcome, SIGNATURES_VERSION, Signature, TcpClass, TrafficClass};
use sensor_ebpf::classify::{TCP_ACK, TCP_RST, TCP_SYN};
use sensor_ebpf::digest::marks;
use sensor_ebpf::packet::{PROTOCOL_TCP, PROTOCOL_UDP};
use wire::law::{ByFamily, Digests};
use wire::totals::Totals;
use wire::{FlowKey, FlowsEncoder, FlowsHeader, Header, Row, WireError, counts, dimension};

/// Length of every packet on the wire and as IP says, by [`Family`].
const FRAME: [u64; 2] = [60, 74];
const PACKET: [u64; 2] = [40, 60];
/// Ports that most packets go to, after the quarterly reports; the others go anywhere.
const PORTS: [u16; 10] = [23, 6379, 22, 80, 8728, 3389, 443, 2323, 445, 5555];
const WATCHED_WINDOW: u16 = 5656;
/// One row of so many is of IPv6, and one of so many the answer of a victim to someone who gave false sources.
const ROWS_OF_IPV6: u64 = 33;
const ROWS_OF_BACKSCATTER: u64 = 16;
/// Victims, each attacked at one of these ports.
const VICTIMS: u64 = 300;
const PORTS_OF_VICTIMS: [u16; 8] = [443, 80, 443, 22, 443, 80, 25_565, 53];
const SECOND: u64 = 1_000_000_000;

/// A telescope that makes up what it saw. The same seed sees the same.
pub struct Telescope {
    pub sensor: String,
    /// Nanoseconds since the Unix epoch.
    pub epoch: u64,
    pub interval_seconds: u64,
    /// Sources that it sees in all.
    pub sources: u32,
    sequence: u64,
    random: u64,
}

/// A batch, and what it says.
pub struct Made {
    pub bytes: Bytes,
    pub rows: u64,
    pub packets: u64,
}

impl Telescope {
    /// A telescope whose counters began at this time.
    #[must_use]
    pub fn new(sensor: &str, epoch: u64, interval_seconds: u64, sources: u32, seed: u64) -> Self {
        Self { sensor: sensor.into(), epoch, interval_seconds, sources, sequence: 0, random: seed | 1 }
    }

    /// The batch of the next interval, with so many flows.
    ///
    /// # Errors
    /// Those of [`wire::counts`].
    pub fn next(&mut self, rows: u64) -> Result<Made, WireError> {
        self.sequence += 1;
        let start = self.epoch + (self.sequence - 1) * self.interval_seconds * SECOND;
        let mut totals = Totals::default();
        let mut flows = FlowsEncoder::new()?;
        for _ in 0..rows {
            let row = self.row(start);
            count(&mut totals, &row);
            flows.push(&row)?;
        }
        let packets = totals.packets;
        let header = Header {
            sensor: self.sensor.clone(),
            epoch: self.epoch,
            first: self.sequence,
            last: self.sequence,
            start,
            end: start + self.interval_seconds * SECOND,
            program_version: env!("CARGO_PKG_VERSION").into(),
            abi_version: ABI_VERSION,
            signatures_version: SIGNATURES_VERSION,
            watched_windows: vec![WATCHED_WINDOW],
            digests: Some(Digests { written: ByFamily::from(totals.digests), ..Digests::default() }),
            flows: Some(FlowsHeader { key: FlowKey::Source, rows, packets, ..FlowsHeader::default() }),
            ring_records: 1 << 19,
            ..Header::default()
        };
        let counters = dimension::counters(&totals, &header.watched_windows);
        let bytes = [counts(&header, &counters)?, flows.finish()?].concat().into();
        Ok(Made { bytes, rows, packets })
    }

    fn row(&mut self, start: u64) -> Row {
        let family = if self.random().is_multiple_of(ROWS_OF_IPV6) { Family::Ipv6 } else { Family::Ipv4 };
        let row = if self.random().is_multiple_of(ROWS_OF_BACKSCATTER) {
            self.backscatter(family)
        } else {
            self.request(family)
        };
        let packets = 1 + (self.random() % 64).min(self.random() % 64).min(self.random() % 64) / 8;
        let first_seen = start + self.random() % (self.interval_seconds * SECOND);
        let last_seen = first_seen + self.random() % (start + self.interval_seconds * SECOND - first_seen);
        Row {
            packets,
            bytes: packets * PACKET[family as usize],
            first_seen,
            last_seen: if packets == 1 { first_seen } else { last_seen },
            time_to_live_maximum: 60,
            targets: packets,
            ..row
        }
    }

    /// A scan, or UDP: who, and what.
    fn request(&mut self, family: Family) -> Row {
        let is_scan = !self.random().is_multiple_of(8);
        let port = match self.random() % 4 {
            0 => u16::try_from(self.random() & 0xffff).unwrap_or_default(),
            _ => PORTS[self.place(PORTS.len())],
        };
        let sources = usize::try_from(self.sources).unwrap_or(usize::MAX);
        let number = u32::try_from(self.place(sources)).unwrap_or_default();
        // It tells its requests by addresses of IPv4, which the others have no room for.
        let mirai = family == Family::Ipv4 && is_scan && self.random().is_multiple_of(4);
        Row {
            source: Some(address(family, number.wrapping_mul(0x9e37_79b1))),
            protocol: if is_scan { PROTOCOL_TCP } else { PROTOCOL_UDP },
            class: TrafficClass::Scan,
            port: Some(port),
            signatures: if mirai { marks::MIRAI } else { 0 },
            window: is_scan.then(|| if self.random().is_multiple_of(16) { WATCHED_WINDOW } else { 65_535 }),
            time_to_live_minimum: 40 + u8::try_from(number % 20).unwrap_or_default(),
            ..Row::new(family)
        }
    }

    /// What a victim answers with, from the port that it is attacked at.
    fn backscatter(&mut self, family: Family) -> Row {
        let number = self.place(usize::try_from(VICTIMS).unwrap_or_default());
        let accepts = !self.random().is_multiple_of(4);
        // None of the sources of requests but by chance.
        let victim = address(family, u32::try_from(number).unwrap_or_default().wrapping_mul(0x85eb_ca6b));
        Row {
            source: Some(victim),
            victim: Some(victim),
            protocol: PROTOCOL_TCP,
            class: if accepts { TrafficClass::BackscatterSynAck } else { TrafficClass::BackscatterRst },
            port: Some(PORTS_OF_VICTIMS[number % PORTS_OF_VICTIMS.len()]),
            time_to_live_minimum: 45 + u8::try_from(number % 15).unwrap_or_default(),
            ..Row::new(family)
        }
    }

    /// One of so many, the first of which are the commonest.
    fn place(&mut self, most: usize) -> usize {
        let most = most as u64;
        usize::try_from((self.random() % most).min(self.random() % most)).unwrap_or_default()
    }

    /// Marsaglia's xorshift, with 64 bits.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 11
    }
}

/// An address by its number; never one of 0.0.0.0/8.
fn address(family: Family, number: u32) -> IpAddr {
    match family {
        Family::Ipv4 => Ipv4Addr::from(number | 0x0100_0000).into(),
        // Of 2001:db8::/32, networks that are one host each.
        Family::Ipv6 => {
            Ipv6Addr::from(0x2001_0db8_0000_0000_0000_0000_0000_0001 | u128::from(number) << 64).into()
        }
    }
}

/// Raises the counters that the packets of a flow would have raised.
fn count(totals: &mut Totals, row: &Row) {
    let (packets, port) = (row.packets, usize::from(row.port.unwrap_or_default()));
    let is_ipv4 = row.family == Family::Ipv4;
    let counters = totals.counters_mut();
    counters.packets += packets;
    counters.bytes += packets * FRAME[row.family as usize];
    counters.digests[row.family as usize] += packets;
    counters.ip_protocols[usize::from(row.protocol)] += packets;
    if row.protocol == PROTOCOL_UDP {
        let outcome = if is_ipv4 { Outcome::Ipv4Udp } else { Outcome::Ipv6Udp };
        counters.outcomes[outcome as usize] += packets;
        counters.udp_destination_ports[port] += packets;
        return;
    }
    let outcome = if is_ipv4 { Outcome::Ipv4Tcp } else { Outcome::Ipv6Tcp };
    counters.outcomes[outcome as usize] += packets;
    let (class, flags, ports) = match row.class {
        TrafficClass::BackscatterSynAck => {
            (TcpClass::BackscatterSynAck, TCP_SYN | TCP_ACK, &mut counters.tcp_backscatter_source_ports)
        }
        TrafficClass::BackscatterRst => {
            (TcpClass::BackscatterRst, TCP_RST | TCP_ACK, &mut counters.tcp_backscatter_source_ports)
        }
        _ => (TcpClass::Scan, TCP_SYN, &mut counters.tcp_scan_destination_ports),
    };
    ports[port] += packets;
    counters.tcp_classes[class as usize] += packets;
    counters.tcp_flags[usize::from(flags)] += packets;
    if row.window == Some(WATCHED_WINDOW) {
        counters.windows[0] += packets;
    }
    if row.signatures & marks::MIRAI != 0 {
        counters.signatures[Signature::Mirai as usize] += packets;
        counters.mirai_destination_ports[port] += packets;
    }
}

#[cfg(test)]
mod tests;
