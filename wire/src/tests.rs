//! Batches made and read back, and everything that is none.

mod golden;
mod hostile;
mod merging;
mod round_trip;

use std::net::IpAddr;

use bytes::Bytes;
use sensor_ebpf::abi::{Family, TrafficClass};

use crate::law::{ByFamily, Digests};
use crate::*;

/// A header with a value in every place.
fn header() -> Header {
    Header {
        sensor: "tokyo-1".into(),
        epoch: 1_700_000_000_000_000_000,
        first: 7,
        last: 7,
        start: 1_700_000_360_000_000_001,
        end: 1_700_000_420_000_000_002,
        clock_step: -3,
        program_version: "0.1.0".into(),
        abi_version: 2,
        signatures_version: 1,
        observed_ipv4: 256,
        observed_ipv6_prefixes: 2,
        watched_windows: vec![5656, 1024],
        breaches: vec!["packets is 1, but the sum of outcomes is 2".into()],
        digests: Some(Digests {
            written: ByFamily { ipv4: 5, ipv6: 1 },
            lost: ByFamily { ipv4: 1, ipv6: 2 },
            unread: ByFamily { ipv4: 3, ipv6: 4 },
            off: 9,
        }),
        flows: Some(FlowsHeader {
            key: FlowKey::Source,
            rows: 2,
            packets: 5,
            overflow_rows: 1,
            overflow_packets: 1,
        }),
        ring_most_waiting: 17,
        ring_records: 64,
    }
}

fn counter(dimension: Dimension, key: u32, packets: u64) -> Counter {
    Counter { dimension, key, packets }
}

fn some_counters() -> Vec<Counter> {
    vec![
        counter(Dimension::Packets, 0, 6),
        counter(Dimension::Bytes, 0, 400),
        counter(Dimension::Outcome, 0, 6),
        counter(Dimension::Window, 1024, 2),
        counter(Dimension::Window, 5656, 1),
        counter(Dimension::TcpScanDestinationPort, 23, u64::MAX),
        counter(Dimension::EvidenceSkipped, 1, 3),
    ]
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// A scan, a victim's answer over IPv6, and a row of many sources.
fn some_rows() -> Vec<Row> {
    let scan = Row {
        source: address("203.0.113.9"),
        protocol: 6,
        class: TrafficClass::Scan,
        port: Some(23),
        signatures: 1,
        window: Some(5656),
        packets: 4,
        bytes: 160,
        first_seen: 1_700_000_360_000_000_001,
        last_seen: 1_700_000_361_000_000_000,
        time_to_live_minimum: 47,
        time_to_live_maximum: 48,
        targets: 3,
        targets_counted: Counted::Estimated,
        ..Row::new(Family::Ipv4)
    };
    let answer = Row {
        source: address("2001:db8::9"),
        victim: address("2001:db8::a"),
        destination: address("2001:db8:1::1"),
        protocol: 58,
        class: TrafficClass::Backscatter,
        icmp: Some((1, 4)),
        quoted_protocol: Some(17),
        packets: 1,
        bytes: 90,
        first_seen: 1_700_000_400_000_000_000,
        last_seen: 1_700_000_400_000_000_000,
        source_port: 1,
        destination_port: 4,
        time_to_live: 60,
        tcp_flags: 2,
        length: 90,
        syn_length: 24,
        syn_window: 1025,
        ..Row::new(Family::Ipv6)
    };
    let many = Row { overflow: true, source: None, packets: 1, ..scan.clone() };
    vec![scan, answer, many]
}

fn flows(rows: &[Row]) -> Bytes {
    let mut encoder = FlowsEncoder::new().unwrap();
    rows.iter().for_each(|row| encoder.push(row).unwrap());
    encoder.finish().unwrap().into()
}

fn whole(header: &Header, counters: &[Counter], rows: Option<&[Row]>) -> Bytes {
    let mut bytes = counts(header, counters).unwrap();
    bytes.extend(rows.map(flows).unwrap_or_default());
    bytes.into()
}

fn read(bytes: &Bytes) -> Result<Batch, WireError> {
    Batch::read(bytes, &Limits::default())
}

fn rows(batch: &Batch) -> Result<Vec<Row>, WireError> {
    batch.flows().try_fold(Vec::new(), |mut all, rows| {
        all.extend(rows?.iter());
        Ok(all)
    })
}
