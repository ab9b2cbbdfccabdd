//! Flows against a plain model, and laws that are broken on purpose.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use sensor_ebpf::abi::{CpuCounters, Outcome, Signature, TcpClass, TrafficClass};
use sensor_ebpf::digest::{Facts, Ipv4Digest, Ipv6Digest, marks};

use super::law::{Digests, Since};
use super::*;
use crate::counters::Totals;
use crate::prefixes::ObservedRanges;

fn limits(key: FlowKey, max_flows: u32) -> Limits {
    Limits::of(key, max_flows, &ObservedRanges::new(&[]).unwrap())
}

fn flows(key: FlowKey, max_flows: u32) -> Flows {
    Flows::new(&limits(key, max_flows), None)
}

fn scan(source: u32, port: u16, window: u16) -> Ipv4Digest {
    Ipv4Digest {
        source: source.to_be_bytes(),
        destination: [192, 0, 2, 1],
        facts: Facts {
            destination_port: port.to_be_bytes(),
            length: 44_u16.to_be_bytes(),
            time_to_live: 60,
            protocol: 6,
            tcp_flags: 2,
            header_length_or_quoted_protocol: 24,
            class: TrafficClass::Scan as u8,
            ..Facts::default()
        },
        window: window.to_be_bytes(),
        ..Ipv4Digest::default()
    }
}

fn rows(flows: &Flows) -> Vec<Row> {
    let mut rows = Vec::new();
    flows.for_each(|row| rows.push(row));
    rows
}

fn only(flows: &Flows) -> Row {
    let mut rows = rows(flows);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[test]
fn a_flow_of_a_scan_says_what_its_packets_were() {
    let mut flows = flows(FlowKey::Source, 10);
    let first = scan(0xcb00_7101, 23, 5656);
    let second = Ipv4Digest { destination: [192, 0, 2, 9], ..first };
    flows.add_ipv4(&[first], 1_000);
    flows.add_ipv4(&[Ipv4Digest { facts: Facts { time_to_live: 61, ..first.facts }, ..second }], 900);
    let row = only(&flows);
    assert_eq!(row.source.unwrap().to_string(), "203.0.113.1");
    assert_eq!(
        (row.protocol, row.class, row.port, row.window),
        (6, TrafficClass::Scan, Some(23), Some(5656))
    );
    assert_eq!((row.packets, row.bytes, row.targets), (2, 88, 2));
    assert_eq!((row.first_seen, row.last_seen), (900, 1_000));
    assert_eq!((row.time_to_live_minimum, row.time_to_live_maximum), (60, 61));
    assert_eq!((row.victim, row.icmp, row.quoted_protocol), (None, None, None));
}

#[test]
fn backscatter_is_told_apart_by_the_port_that_is_under_attack() {
    let facts = Facts {
        source_port: 443_u16.to_be_bytes(),
        destination_port: 40_000_u16.to_be_bytes(),
        class: TrafficClass::BackscatterSynAck as u8,
        protocol: 6,
        ..Facts::default()
    };
    let mut flows = flows(FlowKey::Source, 10);
    flows.add_ipv4(&[Ipv4Digest { source: [198, 51, 100, 7], facts, ..Ipv4Digest::default() }], 0);
    let row = only(&flows);
    assert_eq!(row.port, Some(443));
    assert_eq!(row.victim, row.source, "who answers is the victim");
    assert_eq!(row.window, None);
}

#[test]
fn the_victim_of_an_icmp_error_is_the_one_it_quotes() {
    let facts = Facts {
        source_port: [3, 1],
        header_length_or_quoted_protocol: 17,
        class: TrafficClass::Backscatter as u8,
        protocol: 1,
        ..Facts::default()
    };
    let digest = Ipv4Digest {
        source: [10, 0, 0, 1],
        facts,
        sequence_or_quoted: [192, 0, 2, 77],
        ..Ipv4Digest::default()
    };
    let mut flows = flows(FlowKey::Source, 10);
    flows.add_ipv4(&[digest], 0);
    let row = only(&flows);
    assert_eq!((row.icmp, row.quoted_protocol), (Some((3, 1)), Some(17)));
    assert_eq!(row.victim.unwrap().to_string(), "192.0.2.77");
    assert_eq!(row.port, None);

    let mut flows = self::flows(FlowKey::Source, 10);
    flows.add_ipv4(&[Ipv4Digest { sequence_or_quoted: [0; 4], ..digest }], 0);
    assert_eq!(only(&flows).victim, None, "an error that quotes nothing names nobody");
}

#[test]
fn tuples_have_the_eight_fields() {
    let mut flows = flows(FlowKey::FlowTuple, 10);
    let digest = scan(0xcb00_7101, 23, 5656);
    flows.add_ipv4(&[digest, digest], 0);
    flows.add_ipv4(&[Ipv4Digest { facts: Facts { time_to_live: 61, ..digest.facts }, ..digest }], 0);
    let rows = rows(&flows);
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert_eq!((row.destination.unwrap().to_string().as_str(), row.packets), ("192.0.2.1", 2));
    assert_eq!((row.source_port, row.destination_port, row.time_to_live, row.tcp_flags), (0, 23, 60, 2));
    assert_eq!((row.length, row.syn_length, row.syn_window), (44, 24, 5656));
}

/// Beyond the limit: windows are told apart while there is room, then no more; no packet is ever left out.
#[test]
fn sources_beyond_the_limit_are_added_up() {
    for key in [FlowKey::Source, FlowKey::FlowTuple] {
        let mut flows = flows(key, 40);
        for source in 0..1_000_u32 {
            flows.add_ipv4(&[scan(source, 23, u16::try_from(source).unwrap())], 0);
            flows.add_ipv4(&[scan(source, 80, 1)], 0);
        }
        let summary = flows.summary();
        assert_eq!((summary.rows, summary.packets + summary.overflow_packets), (40, 2_000));
        assert!(summary.overflow_rows <= 10 + 2, "{summary:?}");
        let rows = rows(&flows);
        for port in [23, 80] {
            let packets =
                rows.iter().filter(|row| row.port == Some(port)).map(|row| row.packets).sum::<u64>();
            assert_eq!(packets, 1_000, "port {port}");
        }
        assert!(rows.iter().all(|row| row.overflow == row.source.is_none()));
    }
}

/// What a plain map says of the same digests.
#[derive(Default, PartialEq, Eq, Debug)]
struct Plain {
    packets: u64,
    targets: BTreeSet<[u8; 4]>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Through growth, collisions, and the same flow twice in one batch.
    #[test]
    fn a_table_is_a_map(
        digests in prop::collection::vec((0..3_000_u32, 0..3_u16, 0..6_u8), 1..9_000),
        batch in 1..400_usize,
    ) {
        let mut flows = flows(FlowKey::Source, 100_000);
        let mut plain = HashMap::<(u32, u16), Plain>::new();
        let digests: Vec<_> = digests.into_iter().map(|(source, port, target)| {
            let digest = Ipv4Digest { destination: [192, 0, 2, target], ..scan(source, port, 7) };
            let entry = plain.entry((source, port)).or_default();
            entry.packets += 1;
            entry.targets.insert(digest.destination);
            digest
        }).collect();
        digests.chunks(batch).for_each(|batch| flows.add_ipv4(batch, 5));
        let rows = rows(&flows);
        prop_assert_eq!(rows.len(), plain.len());
        for row in rows {
            let Some(std::net::IpAddr::V4(source)) = row.source else { panic!("{row:?}") };
            let expected = &plain[&(u32::from(source), row.port.unwrap())];
            prop_assert_eq!((row.packets, row.targets), (expected.packets, expected.targets.len() as u64));
        }
    }
}

/// Counters as the program would have them, for one scan with Mirai's signature and one UDP packet over IPv6.
fn counted() -> Totals {
    let mut totals = Totals::default();
    let counters = totals.counters_mut();
    counters.packets = 2;
    counters.outcomes[Outcome::Ipv4Tcp as usize] = 1;
    counters.outcomes[Outcome::Ipv6Udp as usize] = 1;
    counters.ip_protocols[6] = 1;
    counters.ip_protocols[17] = 1;
    counters.tcp_classes[TcpClass::Scan as usize] = 1;
    counters.tcp_scan_destination_ports[23] = 1;
    counters.udp_destination_ports[53] = 1;
    counters.signatures[Signature::Mirai as usize] = 1;
    counters.mirai_destination_ports[23] = 1;
    counters.digests = [1, 1];
    totals
}

fn matching() -> Flows {
    let mut flows = flows(FlowKey::Source, 10);
    let scan = scan(1, 23, 0);
    flows.add_ipv4(&[Ipv4Digest { facts: Facts { marks: marks::MIRAI, ..scan.facts }, ..scan }], 0);
    let facts = Facts { destination_port: 53_u16.to_be_bytes(), protocol: 17, ..Facts::default() };
    flows.add_ipv6(&[Ipv6Digest { facts, ..Ipv6Digest::default() }], 0);
    flows
}

#[test]
fn flows_that_match_their_counters_break_no_law() {
    let Settled { digests, breaches, flows } = Settled::new(&matching(), &counted(), Since::ItsBeginning);
    assert!(breaches.is_empty(), "{breaches:?}");
    assert_eq!((digests.written.sum(), digests.missing(), flows.packets), (2, 0, 2));
}

/// Every counter that a flow is held against, raised or lowered alone, is noticed.
#[test]
fn every_counter_that_is_wrong_is_noticed() {
    let changes: [fn(&mut CpuCounters); 10] = [
        |counters| counters.outcomes[Outcome::Ipv4Tcp as usize] += 1,
        |counters| counters.outcomes.swap(Outcome::Ipv4Tcp as usize, Outcome::Ipv4Icmp as usize),
        |counters| counters.ip_protocols[6] += 1,
        |counters| counters.tcp_classes.swap(0, 3),
        |counters| counters.tcp_scan_destination_ports.swap(23, 24),
        |counters| counters.tcp_scan_destination_ports[23] += 1,
        |counters| counters.udp_destination_ports.swap(53, 54),
        |counters| counters.mirai_destination_ports.swap(23, 24),
        |counters| counters.signatures[Signature::Mirai as usize] += 1,
        |counters| counters.digests[0] += 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut totals = counted();
        change(totals.counters_mut());
        let settled = Settled::new(&matching(), &totals, Since::ItsBeginning);
        assert!(!settled.breaches.is_empty(), "change {number} went unnoticed");
    }
}

#[test]
fn what_is_missing_has_to_be_said() {
    let mut totals = counted();
    let counters = totals.counters_mut();
    // Another scan, of which there is no flow.
    counters.outcomes[Outcome::Ipv4Tcp as usize] += 1;
    counters.ip_protocols[6] += 1;
    counters.tcp_classes[TcpClass::Scan as usize] += 1;
    counters.tcp_scan_destination_ports[80] += 1;
    assert!(!Settled::new(&matching(), &totals, Since::ItsBeginning).breaches.is_empty());

    totals.counters_mut().digests_lost[0] = 1;
    let settled = Settled::new(&matching(), &totals, Since::ItsBeginning);
    assert!(settled.breaches.is_empty(), "{:?}", settled.breaches);
    assert_eq!(settled.digests.lost.ipv4, 1);

    // Written, and read by an agent that is no more: only the next one may say so.
    totals.counters_mut().digests_lost[0] = 0;
    totals.counters_mut().digests[0] = 2;
    assert!(Digests::account(&totals, [1, 1], Since::ItsBeginning).is_err());
    let digests = Digests::account(&totals, [1, 1], Since::Later).unwrap();
    assert_eq!((digests.unread.ipv4, digests.missing()), (1, 1));
    assert!(Digests::account(&totals, [3, 1], Since::Later).is_err(), "read twice");
}
