//! Rows that are handed over one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use sensor_ebpf::abi::TrafficClass;
use wire::Row;

use super::{Open, Sample, commit, flow};
use crate::store::{
    Day, Match, NANOSECONDS_OF_DAY, Period, PortKey, PortRow, Reader, RollupFilter, RowFilter, Selector,
    SensorsSeen, SourceOrder, SourceRow, Store, StoreError, VictimFlow,
};

const FIRST: Day = Day(20_512);
const MINUTE: u64 = 60_000_000_000;

fn fill(store: &mut dyn Store) {
    for (number, sensor) in (0_u16..).zip(["tokyo", "osaka", "日本"]) {
        for day in 0..3 {
            let start = FIRST.start() + day * NANOSECONDS_OF_DAY + u64::from(number) * 7 * MINUTE;
            let rows = (0_u16..40).map(|row| {
                let source = match row % 5 {
                    0 => format!("2001:db8::{row:x}"),
                    _ => format!("{}.0.2.{}", row % 4 * 60, row % 7 + number),
                };
                let port = [23, 23, 80, 443][usize::from(row % 4)];
                let base = flow(&source, [6, 17][usize::from(row / 20)], port, u64::from(row) + 1, start);
                let class = [TrafficClass::Scan, TrafficClass::BackscatterSynAck][usize::from(row % 3 / 2)];
                let is_tcp = base.protocol == 6;
                let window = [1024, 1025][usize::from(row % 2)];
                let seen = start + u64::from(row) * 1_000_000_000;
                Row {
                    class,
                    signatures: if is_tcp { (row % 4) as u8 } else { 0 },
                    window: is_tcp.then_some(window),
                    victim: base.source.filter(|_| class != TrafficClass::Scan),
                    first_seen: seen,
                    last_seen: seen + 500_000_000,
                    ..base
                }
            });
            let icmp = Row { port: None, icmp: Some((8, 0)), ..flow("192.0.2.1", 1, 0, 9, start) };
            commit(
                store,
                &Sample::new(sensor, day + 1, start).with(rows).with([icmp, flow("", 17, 53, 4, start)]),
            );
        }
    }
}

/// A row of a source, with its sensors as a set.
type Owned = (SourceRow<'static>, BTreeSet<u32>);

fn sources(reader: &dyn Reader, filter: &RowFilter, order: SourceOrder) -> Vec<Owned> {
    let mut rows = Vec::new();
    let take = &mut |row: &SourceRow<'_>| {
        let sensors = row.sensors.iter().collect();
        let SourceRow { day, source, protocol, class, service, region, regions_version, .. } = *row;
        let SourceRow { signatures, window, packets, first_seen, last_seen, .. } = *row;
        let owned = SourceRow {
            day,
            source,
            protocol,
            class,
            service,
            region,
            regions_version,
            signatures,
            window,
            packets,
            first_seen,
            last_seen,
            sensors: SensorsSeen::One(0),
            is_shared: false,
        };
        rows.push((owned, sensors));
        Ok(())
    };
    reader.source_rows(filter, order, take).unwrap();
    rows
}

fn ports(reader: &dyn Reader, filter: &RowFilter) -> Vec<PortRow> {
    let mut rows = Vec::new();
    reader.port_rows(filter, &mut |row| rows.push(*row)).unwrap();
    rows
}

fn matches() -> Vec<Match> {
    let none = Match::default;
    vec![
        none(),
        Match { protocol: Some(6), ..none() },
        Match { protocol: Some(17), port: Some(80), ..none() },
        // No port is not port 0.
        Match { port: Some(0), ..none() },
        Match { class: Some(TrafficClass::BackscatterSynAck), ..none() },
        Match { signatures: 1, ..none() },
        Match { signatures: 1, no_signatures: 2, ..none() },
        Match { no_signatures: 3, ..none() },
        Match { region: Some(*b"ZZ"), ..none() },
        Match { region: Some(*b"JP"), ..none() },
    ]
}

fn is_wanted(wanted: &Match, protocol: u8, class: TrafficClass, service: Selector, signatures: u8) -> bool {
    wanted.protocol.is_none_or(|number| number == protocol)
        && wanted.class.is_none_or(|number| number == class)
        && wanted.port.is_none_or(|port| service == Selector::Port(port))
        && wanted.region.is_none_or(|region| region == *b"ZZ")
        && signatures & wanted.signatures == wanted.signatures
        && signatures & wanted.no_signatures == 0
}

pub fn rows_are_those_that_match(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    fill(&mut *store);
    let reader = store.reader().unwrap();
    let names: BTreeMap<u32, String> = reader.sensor_numbers().unwrap().into_iter().collect();
    assert_eq!(
        names.values().map(String::as_str).collect::<BTreeSet<_>>(),
        ["osaka", "tokyo", "日本"].into()
    );

    let all = RowFilter::of(Period::ALL);
    let rows = ports(&*reader, &all);
    assert!(rows.is_sorted_by_key(|row| (row.day, row.sensor)));
    let mut sums: BTreeMap<(Day, &str), u64> = BTreeMap::new();
    rows.iter().for_each(|row| *sums.entry((row.day, &names[&row.sensor])).or_default() += row.packets);
    let told =
        reader.port_sums(&RollupFilter::of(Period::ALL), &[PortKey::Day, PortKey::Sensor], 99).unwrap();
    let told: Vec<_> =
        told.iter().map(|sum| (sum.day.unwrap(), sum.sensor.clone().unwrap(), sum.packets)).collect();
    assert_eq!(told.len(), 9);
    for (day, sensor, packets) in told {
        assert_eq!(sums[&(day, &*sensor)], packets);
    }
    assert!(rows.iter().any(|row| row.service == Selector::Icmp(8, 0)));

    let of_sources = sources(&*reader, &all, SourceOrder::Day);
    assert!(of_sources.is_sorted_by_key(|(row, _)| (row.day, row.source)));
    let mut sorted = sources(&*reader, &all, SourceOrder::Source);
    assert!(sorted.is_sorted_by_key(|(row, _)| (row.source, row.day)));
    sorted.sort_by_key(|(row, _)| (row.day, row.source));
    assert_eq!(sorted.len(), of_sources.len());
    // All packets but those of many sources.
    let packets = |rows: &[Owned]| rows.iter().map(|(row, _)| row.packets).sum::<u64>();
    assert_eq!(packets(&of_sources), rows.iter().map(|row| row.packets).sum::<u64>() - 9 * 4);

    for wanted in matches() {
        let filter = RowFilter { any: vec![wanted.clone()], ..all.clone() };
        let expected: Vec<PortRow> = rows
            .iter()
            .filter(|row| is_wanted(&wanted, row.protocol, row.class, row.service, row.signatures))
            .copied()
            .collect();
        assert_eq!(ports(&*reader, &filter), expected, "{wanted:?}");
        let expected: Vec<Owned> = of_sources
            .iter()
            .filter(|(row, _)| is_wanted(&wanted, row.protocol, row.class, row.service, row.signatures))
            .cloned()
            .collect();
        assert_eq!(sources(&*reader, &filter, SourceOrder::Day), expected, "{wanted:?}");
        let by_bits: Vec<Owned> =
            of_sources.iter().filter(|(row, _)| row.bits().are(wanted.bits())).cloned().collect();
        assert_eq!(by_bits, expected, "{wanted:?}");
    }
    let window = Match { window: Some(1024), ..Match::default() };
    let either =
        RowFilter { any: vec![window, Match { protocol: Some(1), ..Match::default() }], ..all.clone() };
    let found = sources(&*reader, &either, SourceOrder::Day);
    assert!(found.iter().all(|(row, _)| row.window == Some(1024) || row.protocol == 1));
    let expected = of_sources.iter().filter(|(row, _)| row.window == Some(1024) || row.protocol == 1).count();
    assert_eq!(found.len(), expected);

    let (&number, _) = names.iter().find(|(_, name)| *name == "osaka").unwrap();
    let of_one = RowFilter { sensors: Some(vec![number]), ..all.clone() };
    assert!(ports(&*reader, &of_one).iter().all(|row| row.sensor == number));
    assert_eq!(ports(&*reader, &of_one).len() * 3, rows.len());
    let seen = sources(&*reader, &of_one, SourceOrder::Day);
    let expected: Vec<Owned> =
        of_sources.iter().filter(|(_, sensors)| sensors.contains(&number)).cloned().collect();
    assert!(seen == expected && seen.len() < of_sources.len() && seen.iter().any(|(_, seen)| seen.len() > 1));
    let shared = |filter: &RowFilter| {
        let mut shared = Vec::new();
        let take = &mut |row: &SourceRow<'_>| {
            shared.push((row.is_shared, row.packets, row.first_seen, row.sensors.iter().count()));
            Ok(())
        };
        reader.source_rows(filter, SourceOrder::Day, take).unwrap();
        shared
    };
    // Who does not ask for details is told the same rows.
    let plain = shared(&RowFilter { with_details: false, ..of_one.clone() });
    let expected: Vec<_> =
        expected.iter().map(|(row, sensors)| (sensors.len() > 1, row.packets, 0, 0)).collect();
    assert!(plain == expected && plain.iter().any(|row| row.0));
    let all_of_them = RowFilter { sensors: Some(names.keys().copied().collect()), ..of_one.clone() };
    assert!(shared(&all_of_them).iter().all(|row| !row.0 && row.2 > 0 && row.3 > 0));
    let one_day = RowFilter::of(Period::days(Day(FIRST.0 + 1), Day(FIRST.0 + 2)));
    assert!(ports(&*reader, &one_day).iter().all(|row| row.day.0 == FIRST.0 + 1));
    assert_eq!(ports(&*reader, &one_day).len() * 3, rows.len());
    let first = &of_sources[0].0;
    assert!(first.first_seen >= FIRST.start() && first.last_seen >= first.first_seen + 500_000_000);

    let stop = |row: &SourceRow<'_>| Err(StoreError::Rows(row.source.to_string()));
    let mut stop = stop;
    assert!(reader.source_rows(&RowFilter::of(Period::ALL), SourceOrder::Day, &mut stop).is_err());
}

pub fn intervals_tell_of_days(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let (start, hour) = (FIRST.start(), NANOSECONDS_OF_DAY / 24);
    let sample = |sequence: u64, hours: std::ops::Range<u64>| Sample {
        end: start + hours.end * hour,
        ..Sample::new("tokyo", sequence, start + hours.start * hour)
    };
    let row = |hour_of: u64| flow("192.0.2.1", 6, 23, 5, start + hour_of * hour);
    // One window, which all watch; one that is watched from the second interval on, across midnight.
    commit(&mut *store, &sample(1, 0..6).with([row(0)]));
    let across = Sample { lost: 7, ..sample(2, 18..30).with([row(18)]) };
    let header = wire::Header { watched_windows: vec![1024, 5], ..across.header() };
    assert_eq!(store.commit(&[across.encoded(&header)]).unwrap(), [crate::store::Outcome::Stored]);
    // Whose flows did not come; who had none to bring; and whose flows name no victim.
    commit(&mut *store, &Sample { with_flows: false, ..sample(3, 30..31).with([row(30)]) });
    commit(&mut *store, &Sample { with_flows: false, ..sample(4, 31..33) });
    let tuple = Row { destination: "198.51.100.1".parse().ok(), ..row(33) };
    commit(&mut *store, &Sample { key: wire::FlowKey::FlowTuple, ..sample(5, 33..36).with([tuple]) });
    commit(&mut *store, &Sample { sensor: "osaka".into(), ..sample(1, 23..25) });
    let reader = store.reader().unwrap();
    let told = |from: u32, to: u32| {
        let period = Period::days(Day(FIRST.0 + from), Day(FIRST.0 + to));
        let days = reader.interval_days(period).unwrap().into_iter();
        days.map(|told| (told.sensor, told.day.0 - FIRST.0, told.with_rows / hour)).collect::<Vec<_>>()
    };
    let expected =
        [("osaka".to_owned(), 0, 1), ("osaka".into(), 1, 1), ("tokyo".into(), 0, 12), ("tokyo".into(), 1, 8)];
    assert_eq!(told(0, 2), expected);
    assert_eq!(told(0, 1), [expected[0].clone(), expected[2].clone()]);
    assert_eq!(told(1, 2), [expected[1].clone(), expected[3].clone()]);
    let watched = |from: u32, to: u32| {
        let period = Period::days(Day(FIRST.0 + from), Day(FIRST.0 + to));
        let watched = reader.watched(period).unwrap().into_iter();
        watched
            .map(|told| (told.day.0 - FIRST.0, told.sensor, told.window, told.nanoseconds / hour))
            .collect::<Vec<_>>()
    };
    let expected = [
        (0, "osaka".to_owned(), 1024, 1),
        (0, "tokyo".into(), 5, 6),
        (0, "tokyo".into(), 1024, 12),
        (1, "osaka".into(), 1024, 1),
        (1, "tokyo".into(), 5, 6),
        (1, "tokyo".into(), 1024, 11),
    ];
    assert_eq!(watched(0, 2), expected);
    assert_eq!(watched(1, 2), expected[3..]);
    let missing = reader.uptime(Some("tokyo"), Period::ALL).unwrap().into_iter();
    assert_eq!(missing.map(|up| up.flow_packets_missing).collect::<Vec<_>>(), [0, 12]);
    assert_eq!(super::breaches(&*reader), [""; 0]);
}

pub fn a_reader_stays_at_a_moment(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let sample = |sequence| Sample::new("tokyo", sequence, FIRST.start() + sequence * 60_000_000_000);
    commit(&mut *store, &sample(1));
    let (one, other) = (store.reader().unwrap(), store.reader().unwrap());
    let count = |reader: &dyn Reader| reader.intervals(None, Period::ALL).unwrap().len();
    let moment = one.stay().unwrap();
    commit(&mut *store, &sample(2));
    assert_ne!(other.stay().unwrap(), moment);
    assert_eq!((count(&*one), count(&*other)), (1, 2));
    // Questions that are answered as of one moment by themselves are answered as of this one, too.
    assert_eq!(one.sensors(Period::ALL).unwrap()[0].intervals, 1);
    assert_eq!(one.stay().unwrap(), other.stay().unwrap());
    commit(&mut *store, &sample(3));
    assert_eq!((count(&*one), count(&*other)), (2, 2));
    one.go_on().unwrap();
    one.go_on().unwrap();
    assert_eq!((count(&*one), count(&*other)), (3, 2));
}

pub fn flows_of_backscatter_name_victims(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let start = FIRST.start();
    let victim = |text: &str| text.parse::<IpAddr>().ok();
    let answer = |source: &str, seen: u64| Row {
        class: TrafficClass::BackscatterRst,
        victim: victim(source),
        ..flow(source, 6, 443, 2, start + seen)
    };
    // An error of a router, about a packet of UDP to the victim.
    let error = Row {
        class: TrafficClass::Backscatter,
        victim: victim("192.0.2.1"),
        port: None,
        icmp: Some((3, 3)),
        quoted_protocol: Some(17),
        ..flow("192.0.2.254", 1, 0, 5, start + 1)
    };
    let rows = [
        answer("198.51.100.1", 9_000_000),
        Row { last_seen: start + 20_000_000, ..answer("192.0.2.1", 8_000_000) },
        answer("192.0.2.1", 3_000_000),
        Row { victim: None, ..answer("192.0.2.7", 0) },
        flow("192.0.2.1", 6, 23, 1, start),
        error,
    ];
    commit(&mut *store, &Sample::new("tokyo", 1, start).with(rows));
    commit(
        &mut *store,
        &Sample::new("tokyo", 2, start + NANOSECONDS_OF_DAY).with([answer("192.0.2.1", NANOSECONDS_OF_DAY)]),
    );
    let reader = store.reader().unwrap();
    let found = |period| {
        let mut found: Vec<VictimFlow> = Vec::new();
        let take = &mut |flow: &VictimFlow| {
            found.push(*flow);
            Ok(())
        };
        reader.victim_flows(period, take).unwrap();
        found
    };
    let told: Vec<_> = found(Period::days(FIRST, Day(FIRST.0 + 1)))
        .iter()
        .map(|flow| {
            (
                flow.victim.to_string(),
                flow.protocol,
                flow.port,
                flow.packets,
                flow.first_seen - start,
                flow.last_seen - start,
            )
        })
        .collect();
    let expected = [
        ("192.0.2.1".into(), 6, Some(443), 2, 3_000_000, 3_000_000),
        ("192.0.2.1".into(), 6, Some(443), 2, 8_000_000, 20_000_000),
        ("192.0.2.1".into(), 17, None, 5, 0, 0),
        ("198.51.100.1".to_owned(), 6, Some(443), 2, 9_000_000, 9_000_000),
    ];
    assert_eq!(told, expected);
    assert_eq!(found(Period::ALL).len(), 5);
}
