//! Batches whose counters and flows hold together.

use std::net::IpAddr;

use bytes::Bytes;
use sensor_ebpf::abi::{Family, Outcome, Signature, TcpClass, TrafficClass};
use wire::law::{ByFamily, Digests};
use wire::totals::Totals;
use wire::{Counter, FlowKey, FlowsEncoder, FlowsHeader, Header, Limits, Row};

use crate::store::Incoming;

/// An interval, of which a batch can be made.
#[derive(Clone, Debug)]
pub struct Sample {
    pub sensor: String,
    pub epoch: u64,
    pub first: u64,
    pub last: u64,
    pub start: u64,
    pub end: u64,
    pub key: FlowKey,
    pub rows: Vec<Row>,
    /// Packets to UDP port 53 whose digests were lost.
    pub lost: u64,
    pub with_flows: bool,
    pub sent: Option<u64>,
}

impl Sample {
    /// An interval of a minute, without packets.
    pub fn new(sensor: &str, sequence: u64, start: u64) -> Self {
        Self {
            sensor: sensor.into(),
            epoch: 1_700_000_000_000_000_000,
            first: sequence,
            last: sequence,
            start,
            end: start + 60_000_000_000,
            key: FlowKey::Source,
            rows: Vec::new(),
            lost: 0,
            with_flows: true,
            sent: None,
        }
    }

    pub fn with(mut self, rows: impl IntoIterator<Item = Row>) -> Self {
        self.rows.extend(rows);
        self
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        let lost = Row { packets: self.lost, bytes: self.lost * 60, ..flow("192.0.2.1", 17, 53, 0, 0) };
        for row in self.rows.iter().chain([&lost]) {
            let counters = totals.counters_mut();
            let is_v4 = row.family == Family::Ipv4;
            let port = usize::from(row.port.unwrap_or(0));
            counters.packets += row.packets;
            counters.bytes += row.bytes;
            counters.ip_protocols[usize::from(row.protocol)] += row.packets;
            let outcome = if row.protocol == 6 {
                counters.tcp_classes[TcpClass::Scan as usize] += row.packets;
                counters.tcp_flags[2] += row.packets;
                counters.tcp_scan_destination_ports[port] += row.packets;
                if row.signatures & 1 != 0 {
                    counters.signatures[Signature::Mirai as usize] += row.packets;
                    counters.mirai_destination_ports[port] += row.packets;
                }
                if is_v4 { Outcome::Ipv4Tcp } else { Outcome::Ipv6Tcp }
            } else {
                counters.udp_destination_ports[port] += row.packets;
                if is_v4 { Outcome::Ipv4Udp } else { Outcome::Ipv6Udp }
            };
            counters.outcomes[outcome as usize] += row.packets;
        }
        totals
    }

    pub fn header(&self) -> Header {
        let of = |overflow: bool| self.rows.iter().filter(move |row| row.overflow == overflow);
        let packets = |overflow: bool| of(overflow).map(|row| row.packets).sum();
        let written = packets(false) + packets(true);
        Header {
            sensor: self.sensor.clone(),
            epoch: self.epoch,
            first: self.first,
            last: self.last,
            start: self.start,
            end: self.end,
            program_version: "0.1.0".into(),
            abi_version: 1,
            signatures_version: 1,
            watched_windows: vec![1024],
            digests: Some(Digests {
                written: ByFamily { ipv4: written, ipv6: 0 },
                lost: ByFamily { ipv4: self.lost, ipv6: 0 },
                ..Digests::default()
            }),
            flows: Some(FlowsHeader {
                key: self.key,
                rows: of(false).count() as u64,
                packets: packets(false),
                overflow_rows: of(true).count() as u64,
                overflow_packets: packets(true),
            }),
            ..Header::default()
        }
    }

    pub fn incoming(&self) -> Incoming {
        self.encoded(&self.header())
    }

    /// With another header than its own.
    pub fn encoded(&self, header: &Header) -> Incoming {
        self.counted(header, &wire::dimension::counters(&self.totals(), &header.watched_windows))
    }

    /// With another header than its own, and counters that are known.
    pub fn counted(&self, header: &Header, counters: &[Counter]) -> Incoming {
        let mut bytes = wire::counts(header, counters).unwrap();
        if self.with_flows {
            let mut encoder = FlowsEncoder::new().unwrap();
            self.rows.iter().for_each(|row| encoder.push(row).unwrap());
            bytes.extend(encoder.finish().unwrap());
        }
        Incoming::read(&Bytes::from(bytes), &Limits::default(), self.end + 5_000_000_000, self.sent).unwrap()
    }
}

/// A flow; of many sources where the source is nothing.
pub fn flow(source: &str, protocol: u8, port: u16, packets: u64, seen: u64) -> Row {
    let source: Option<IpAddr> = source.parse().ok();
    Row {
        overflow: source.is_none(),
        source,
        protocol,
        class: TrafficClass::Scan,
        port: Some(port),
        packets,
        bytes: packets * 60,
        first_seen: seen,
        last_seen: seen,
        time_to_live_minimum: 50,
        time_to_live_maximum: 60,
        ..Row::new(if source.is_some_and(|source| source.is_ipv6()) { Family::Ipv6 } else { Family::Ipv4 })
    }
}
