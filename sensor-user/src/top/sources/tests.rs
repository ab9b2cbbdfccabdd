use std::time::Duration;

use sensor_ebpf::abi::TrafficClass;
use sensor_ebpf::digest::{Facts, Ipv4Digest, marks};

use super::*;

fn scan(source: u32, port: u16, window: u16) -> Ipv4Digest {
    let facts = Facts { destination_port: port.to_be_bytes(), protocol: 6, ..Facts::default() };
    Ipv4Digest { source: source.to_be_bytes(), facts, window: window.to_be_bytes(), ..Ipv4Digest::default() }
}

fn sources() -> Sources {
    Sources::new(vec![5656, 1024], Instant::now())
}

#[test]
fn a_source_is_listed_with_what_it_sent() {
    let mut sources = sources();
    let mut mirai = scan(1, 2323, 1024);
    mirai.facts.marks = marks::MIRAI | marks::BANK;
    sources.add(&[scan(2, 80, 1), scan(1, 23, 1), scan(1, 23, 1), mirai], 4);
    let list = sources.list(Order::Packets);
    assert_eq!((list.known, list.seen, list.missed, list.forgotten), (2, 4, 4, false));
    let first = &list.listed[0];
    assert_eq!((first.address, first.packets), ([0, 0, 0, 1].into(), 3));
    assert_eq!(first.service, Service { class: TrafficClass::Scan, protocol: 6, port: 23 });
    assert_eq!(first.others, [Service { port: 2323, ..first.service }]);
    assert_eq!((first.signatures, first.windows.as_slice(), first.more), (marks::MIRAI, &[1024][..], false));
}

#[test]
fn a_backscatter_source_is_told_by_its_source_port() {
    let mut sources = sources();
    let mut answer = scan(1, 40_000, 0);
    answer.facts.source_port = 443_u16.to_be_bytes();
    answer.facts.class = TrafficClass::BackscatterSynAck as u8;
    sources.add(&[answer], 0);
    assert_eq!(sources.list(Order::Packets).listed[0].service.port, 443);
}

#[test]
fn the_frequent_port_stays_among_many() {
    let mut sources = sources();
    let frequent = [scan(1, 23, 0); 5];
    sources.add(&frequent, 0);
    let many: Vec<_> = (1_000..2_000).map(|port| scan(1, port, 0)).collect();
    sources.add(&many, 0);
    let list = sources.list(Order::Packets);
    assert_eq!((list.listed[0].service.port, list.listed[0].more), (23, true));
}

#[test]
fn a_minute_after_its_last_packet_a_source_is_gone() {
    let mut sources = sources();
    sources.add(&[scan(1, 23, 0)], 7);
    for _ in 1..SLICES {
        sources.roll();
        let list = sources.list(Order::Packets);
        assert_eq!((list.known, list.seen, list.missed), (1, 1, 7));
    }
    sources.roll();
    let list = sources.list(Order::Packets);
    assert_eq!((list.known, list.seen, list.missed), (0, 0, 0));
}

#[test]
fn the_latest_comes_first_where_that_is_asked_for() {
    let mut sources = sources();
    sources.add(&[scan(1, 23, 0), scan(1, 23, 0)], 0);
    sources.begin(sources.now + Duration::from_secs(9), vec![]);
    sources.add(&[scan(2, 23, 0)], 0);
    let first = |order| sources.list(order).listed[0].clone();
    assert_eq!(first(Order::Latest).address, IpAddr::from([0, 0, 0, 2]));
    assert_eq!(first(Order::Packets).address, IpAddr::from([0, 0, 0, 1]));
    assert_eq!(first(Order::Packets).seconds_ago, 9);
}

/// Forged sources: each packet is another's.
#[test]
fn a_flood_of_sources_takes_bounded_memory_and_hides_no_steady_one() {
    let mut sources = Sources { most: 1_000, ..sources() };
    for look in 0..50_u32 {
        let flood: Vec<_> = (0..1_500).map(|number| scan(1_000 + look * 10_000 + number, 80, 0)).collect();
        sources.add(&[scan(1, 23, 0); 3], 0);
        sources.add(&flood, 0);
        assert!(sources.sources.len() <= 2_000);
        sources.end();
        assert!(sources.sources.len() <= 1_000);
    }
    let list = sources.list(Order::Packets);
    assert!(list.forgotten);
    assert_eq!((list.listed[0].address, list.listed[0].packets), ([0, 0, 0, 1].into(), 150));
    assert_eq!(list.seen, 50 * 1_503);
}
