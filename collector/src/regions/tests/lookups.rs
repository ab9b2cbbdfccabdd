use proptest::collection::vec;
use proptest::prelude::*;

use super::super::ranges::{Ranges, apart};
use super::super::table::rank;
use super::*;
use crate::store::UNKNOWN;

fn statistics(registry: Registry, date: u32, records: Vec<(Range, u8)>) -> Statistics {
    let records = (1..).zip(records);
    let records =
        records.map(|(line, (range, letter))| Record { range, region: [b'A', b'A' + letter % 26], line });
    Statistics { registry, date: Day(date), records: records.collect() }
}

/// What counts by the rule, without any table.
fn scanned(files: &[Statistics], address: u64, is_v6: bool) -> [u8; 2] {
    let has = |record: &Record| match record.range {
        Range::V4(first, last) => !is_v6 && (u64::from(first)..=u64::from(last)).contains(&address),
        Range::V6(first, last) => is_v6 && (first..=last).contains(&address),
    };
    let all = files.iter().flat_map(|file| file.records.iter().map(move |record| (file, record)));
    let best = all.filter(|(_, record)| has(record)).max_by_key(|(file, record)| rank(file, record));
    best.map_or(UNKNOWN, |(_, record)| record.region)
}

fn v4(address: u64) -> std::net::IpAddr {
    std::net::Ipv4Addr::from_bits(address as u32).into()
}

fn v6(address: u64) -> std::net::IpAddr {
    std::net::Ipv6Addr::from_bits(u128::from(address) << 64 | 7).into()
}

/// Ranges that often meet: under few upper bits, and at both ends of all addresses.
fn range_v4() -> impl Strategy<Value = Range> {
    let start = prop_oneof![0x0a00_0000_u32..0x0a00_8000, any::<u32>(), 0_u32..4, u32::MAX - 3..=u32::MAX];
    (start, prop_oneof![0_u32..64, 0_u32..100_000, Just(u32::MAX)])
        .prop_map(|(first, more)| Range::V4(first, first.saturating_add(more)))
}

fn range_v6() -> impl Strategy<Value = Range> {
    let start =
        prop_oneof![0x2a00_0000_0000_0000_u64..0x2a00_0080_0000_0000, any::<u64>(), Just(0), Just(u64::MAX)];
    (start, 0_u32..=64).prop_map(|(start, length)| {
        let others = u64::MAX.checked_shr(length).unwrap_or(0);
        Range::V6(start & !others, start | others)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn a_table_tells_what_a_plain_scan_tells(
        one in vec((prop_oneof![range_v4(), range_v6()], 0_u8..6), 0..120),
        other in vec((prop_oneof![range_v4(), range_v6()], 0_u8..6), 0..120),
        same_day: bool,
        more in vec(any::<u64>(), 50),
    ) {
        let date = 20_000;
        let files = [
            statistics(Registry::Arin, date, one),
            statistics(Registry::Apnic, date - u32::from(!same_day), other),
        ];
        let table = Table::new(7, &files);
        let mut probes = more;
        for record in files.iter().flat_map(|file| &file.records) {
            let (first, last) = match record.range {
                Range::V4(first, last) => (first.into(), last.into()),
                Range::V6(first, last) => (first, last),
            };
            probes.extend([first, last, first.wrapping_sub(1), last.wrapping_add(1), first / 2 + last / 2]);
        }
        for probe in probes {
            let low = probe & u64::from(u32::MAX);
            prop_assert_eq!(table.region(&v4(low)), scanned(&files, low, false), "{}", v4(low));
            prop_assert_eq!(table.region(&v6(probe)), scanned(&files, probe, true), "{}", v6(probe));
        }
    }

    /// Thousands of beginnings under the same upper bits, so that the middle ones are needed, too.
    #[test]
    fn crowded_addresses_are_told_apart(seed: u64, step in 1_u64..300, more in 0_u64..4) {
        let at = |place: u64| 0x2a00_u64 << 48 | (place * step + seed % 1000) << 28;
        let region = |place: u64| [b'A', b'A' + u8::try_from(place % 25).unwrap()];
        let ranges = (0..3000).map(|place| (at(place), at(place) + more, region(place)));
        let table = Ranges::new(ranges.clone());
        for (first, last, region) in ranges {
            prop_assert_eq!((table.region(first), table.region(last)), (region, region));
            prop_assert_eq!(table.region(last + 1), UNKNOWN);
            prop_assert_eq!(table.region(first - 1), UNKNOWN);
        }
    }
}

#[test]
fn ranges_that_touch_are_one() {
    let table = Ranges::<u32>::new([(0, 9, *b"JP"), (10, 19, *b"JP"), (20, u32::MAX, *b"KR")]);
    assert_eq!(table.len(), 2);
    assert_eq!([0, 19, 20, u32::MAX].map(|address| table.region(address)), [*b"JP", *b"JP", *b"KR", *b"KR"]);
    let nothing = Ranges::<u64>::new([]);
    assert!(nothing.is_empty() && nothing.memory() > 0);
    assert_eq!([0, u64::MAX].map(|address| nothing.region(address)), [UNKNOWN; 2]);
}

#[test]
fn the_higher_rank_counts_where_ranges_meet() {
    let all = apart::<u32, u32>(vec![(0, u32::MAX, 1, *b"US"), (10, 20, 3, *b"JP"), (15, 30, 2, *b"KR")]);
    let expected =
        [(0, 9, *b"US"), (10, 14, *b"JP"), (15, 20, *b"JP"), (21, 30, *b"KR"), (31, u32::MAX, *b"US")];
    assert_eq!(all, expected);
    // The fewer addresses, then the newer file, then the registry that is first by name.
    let net = |more| Range::V4(1000, 1000 + more);
    let told = |one: (Registry, u32, u32), other: (Registry, u32, u32)| {
        let files = [(one, 9), (other, 20)]
            .map(|((registry, date, more), letter)| statistics(registry, date, vec![(net(more), letter)]));
        Table::new(1, &files).region(&v4(1000))[1]
    };
    let (apnic, arin) = (Registry::Apnic, Registry::Arin);
    assert_eq!(told((apnic, 5, 255), (arin, 4, 127)), b'U');
    assert_eq!(told((apnic, 5, 255), (arin, 6, 255)), b'U');
    assert_eq!(told((arin, 5, 255), (apnic, 5, 255)), b'U');
    assert_eq!(told((apnic, 5, 255), (arin, 5, 255)), b'J');
}
