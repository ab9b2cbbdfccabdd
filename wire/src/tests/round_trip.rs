//! What is written is what is read.

use proptest::prelude::*;
use sensor_ebpf::abi::{CpuCounters, Outcome};

use super::*;
use crate::dimension::{CounterError, add_to, check, counters};
use crate::totals::Totals;

#[test]
fn a_batch_is_what_it_was() {
    let bytes = whole(&header(), &some_counters(), Some(&some_rows()));
    let batch = read(&bytes).unwrap();
    assert_eq!((&batch.header, &batch.counters), (&header(), &some_counters()));
    assert_eq!(rows(&batch).unwrap(), some_rows());
    assert_eq!(counts(&header(), &some_counters()).unwrap().len(), batch.counts_length);
}

#[test]
fn a_batch_that_lost_its_flows_says_what_they_were() {
    let batch = read(&whole(&header(), &some_counters(), None)).unwrap();
    assert!(!batch.has_flows() && rows(&batch).unwrap().is_empty());
    assert_eq!(batch.header.flows.unwrap().all_rows(), 3);
}

#[test]
fn a_quiet_interval_has_neither_counters_nor_flows() {
    let quiet = Header { digests: None, flows: None, breaches: vec![], watched_windows: vec![], ..header() };
    let batch = read(&whole(&quiet, &[], Some(&[]))).unwrap();
    assert_eq!(batch.header, quiet);
    assert!(batch.has_flows() && batch.counters.is_empty() && rows(&batch).unwrap().is_empty());
}

/// More rows than go into one record batch, in their order.
#[test]
fn many_rows_come_some_at_a_time() {
    let row = |number: u32| Row { packets: u64::from(number) + 1, ..some_rows().swap_remove(0) };
    let many: Vec<Row> = (0..150_000).map(row).collect();
    let batch = read(&whole(&header(), &[], Some(&many))).unwrap();
    let lengths: Vec<usize> = batch.flows().map(|rows| rows.unwrap().len()).collect();
    assert_eq!(lengths, [65_536, 65_536, 18_928]);
    assert_eq!(rows(&batch).unwrap(), many);
}

/// Every counter that there is survives, so that an agent can take up what another has kept.
#[test]
fn every_counter_is_in_some_dimension() {
    let windows: Vec<u16> = (1..=16).rev().collect();
    let mut totals = Totals::default();
    // SAFETY: counters are integers, and this one is alone with them.
    let words = unsafe {
        let counters: *mut CpuCounters = totals.counters_mut();
        std::slice::from_raw_parts_mut(counters.cast::<u64>(), size_of::<CpuCounters>() / 8)
    };
    (1..).zip(words).for_each(|(number, word)| *word = number);
    let long = counters(&totals, &windows);
    check(&long, &windows).unwrap();
    let mut again = Totals::default();
    add_to(&mut again, &long, &windows).unwrap();
    assert_eq!(again.words(), totals.words());
    add_to(&mut again, &long, &windows).unwrap();
    assert_eq!(again.outcomes[Outcome::Ipv4Udp as usize], 2 * totals.outcomes[Outcome::Ipv4Udp as usize]);
}

#[test]
fn counters_that_cannot_be_are_refused() {
    let port = |key| counter(Dimension::UdpDestinationPort, key, 1);
    let (dimension, windows) = (Dimension::UdpDestinationPort, [5656]);
    assert_eq!(check(&[port(65_536)], &windows), Err(CounterError::Key { dimension, key: 65_536 }));
    assert_eq!(check(&[port(2), port(1)], &windows), Err(CounterError::Order { dimension, key: 1 }));
    assert_eq!(check(&[port(2), port(2)], &windows), Err(CounterError::Order { dimension, key: 2 }));
    let unwatched = counter(Dimension::Window, 1, 1);
    assert!(matches!(check(&[unwatched], &windows), Err(CounterError::Key { key: 1, .. })));
    assert_eq!(check(&[], &[0; 17]), Err(CounterError::Windows(17)));
    let mut totals = Totals::default();
    let most = counter(Dimension::Packets, 0, u64::MAX);
    add_to(&mut totals, &[most], &[]).unwrap();
    assert!(matches!(add_to(&mut totals, &[most], &[]), Err(CounterError::Overflow { key: 0, .. })));
}

#[test]
fn dimensions_have_their_names_and_numbers() {
    for (number, dimension) in (0..).zip(Dimension::ALL) {
        assert_eq!(dimension as u8, number);
        assert_eq!(Dimension::from_number(number), Some(dimension));
        assert_eq!(Dimension::from_name(dimension.name()), Some(dimension));
    }
}

prop_compose! {
    fn any_row()(
        is_ipv4: bool,
        overflow: bool,
        addresses: [u128; 3],
        absent: [bool; 8],
        bytes: [u8; 8],
        shorts: [u16; 6],
        longs: [u64; 3],
        class in 0..6_u8,
        counted in 0..3_usize,
        (first_seen, lasted) in (0..1_u64 << 62, 0..1_u64 << 62),
    ) -> Row {
        let family = if is_ipv4 { Family::Ipv4 } else { Family::Ipv6 };
        let address = |place: usize| -> IpAddr {
            if is_ipv4 { IpAddr::V4((addresses[place] as u32).into()) } else { IpAddr::V6(addresses[place].into()) }
        };
        let [protocol, kind, code, signatures, minimum, maximum, time_to_live, flags] = bytes;
        Row {
            overflow,
            family,
            source: (!overflow).then(|| address(0)),
            destination: (!absent[0]).then(|| address(1)),
            victim: (!absent[1]).then(|| address(2)),
            protocol,
            class: TrafficClass::from_number(class).unwrap(),
            port: (!absent[2]).then_some(shorts[0]),
            icmp: (!absent[3]).then_some((kind, code)),
            signatures,
            window: (!absent[4]).then_some(shorts[1]),
            quoted_protocol: (!absent[5]).then_some(protocol),
            packets: longs[0].max(1),
            bytes: longs[1],
            first_seen,
            last_seen: first_seen + lasted,
            time_to_live_minimum: minimum,
            time_to_live_maximum: maximum,
            targets: longs[2],
            targets_counted: Counted::ALL[counted],
            source_port: shorts[2],
            destination_port: shorts[3],
            time_to_live,
            tcp_flags: flags,
            length: shorts[4],
            syn_length: code,
            syn_window: shorts[5],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_what_they_were(written in prop::collection::vec(any_row(), 0..20)) {
        let batch = read(&whole(&header(), &some_counters(), Some(&written))).unwrap();
        prop_assert_eq!(rows(&batch).unwrap(), written);
    }
}
