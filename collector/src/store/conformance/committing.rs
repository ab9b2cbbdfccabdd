//! Each interval once.

use std::time::Duration;

use wire::Header;

use super::{Open, Sample, breaches, commit, flow, packets};
use crate::store::{Kept, Outcome, Period, RollupFilter, Value};

const START: u64 = 1_767_225_600_000_000_000;
const MINUTE: u64 = 60_000_000_000;

fn sample(sequence: u64) -> Sample {
    let start = START + sequence * MINUTE;
    Sample::new("tokyo", sequence, start).with([
        flow("192.0.2.1", 6, 23, sequence * 10, start),
        flow("2001:db8::1", 17, 53, 1, start + 1),
        flow("", 6, 80, 5, start + 2),
    ])
}

/// As the agent's spool merges them: without flows.
fn merged(from: u64, to: u64) -> Sample {
    let rows = (from..=to).flat_map(|sequence| sample(sequence).rows);
    Sample { first: from, last: to, end: sample(to).end, with_flows: false, ..sample(from) }
        .with_only(rows.collect())
}

impl Sample {
    fn with_only(self, rows: Vec<wire::Row>) -> Self {
        Self { rows, ..self }
    }
}

fn is_conflict(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Conflict { .. })
}

pub fn a_batch_is_counted_once(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let incoming = sample(1).incoming();
    let outcomes = store.commit(&[incoming.clone(), incoming.clone()]).unwrap();
    assert_eq!(outcomes, [Outcome::Stored, Outcome::AlreadyStored]);
    assert_eq!(store.commit(&[incoming]).unwrap(), [Outcome::AlreadyStored]);
    // The same interval once its flows had to go for want of room.
    assert_eq!(commit(&mut *store, &Sample { with_flows: false, ..sample(1) }), Outcome::AlreadyStored);
    let reader = store.reader().unwrap();
    assert_eq!(packets(&*reader), 16);
    assert_eq!(breaches(&*reader), [""; 0]);
}

pub fn a_name_with_other_content_is_a_conflict(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut *store, &sample(1));
    let other = sample(1).with([flow("192.0.2.9", 17, 9, 1, START)]);
    assert!(is_conflict(&commit(&mut *store, &other)));
    // Another epoch and another sensor have names of their own.
    assert_eq!(commit(&mut *store, &Sample { epoch: 5, ..other.clone() }), Outcome::Stored);
    assert_eq!(commit(&mut *store, &Sample { sensor: "osaka".into(), ..other }), Outcome::Stored);
    assert_eq!(packets(&*store.reader().unwrap()), 16 + 17 + 17);
}

pub fn merged_intervals_are_counted_once(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    assert_eq!(commit(&mut *store, &merged(2, 4)), Outcome::Stored);
    assert_eq!(commit(&mut *store, &merged(2, 4)), Outcome::AlreadyStored);
    for overlap in [merged(1, 2), merged(4, 5), merged(1, 5), sample(3)] {
        assert!(is_conflict(&commit(&mut *store, &overlap)), "{:?}", overlap.header().name());
    }
    assert_eq!(commit(&mut *store, &sample(1)), Outcome::Stored);
    assert_eq!(commit(&mut *store, &sample(5)), Outcome::Stored);
    // Merged after all of it had been stored, and no answer came back.
    assert_eq!(commit(&mut *store, &merged(1, 5)), Outcome::AlreadyStored);
    assert_eq!(commit(&mut *store, &merged(2, 5)), Outcome::AlreadyStored);
    let more = merged(1, 5).with([flow("192.0.2.9", 17, 9, 1, START)]);
    assert!(is_conflict(&commit(&mut *store, &more)));
    let reader = store.reader().unwrap();
    let intervals = reader.intervals(Some("tokyo"), Period::ALL).unwrap();
    let names: Vec<_> =
        intervals.iter().map(|interval| (interval.header.first, interval.header.last)).collect();
    assert_eq!(names, [(1, 1), (2, 4), (5, 5)]);
    assert_eq!(breaches(&*reader), [""; 0]);
}

pub fn one_bad_batch_keeps_no_other_from_the_store(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut header = sample(2).header();
    header.flows.as_mut().unwrap().packets += 1;
    let lies = sample(2).encoded(&header);
    let none = Sample { first: 0, last: 0, ..sample(3) }.incoming();
    let backwards = Sample { start: START + 1, end: START, ..sample(4) }.incoming();
    let group = [sample(1).incoming(), lies, none, backwards, sample(5).incoming()];
    let outcomes = store.commit(&group).unwrap();
    assert_eq!([&outcomes[0], &outcomes[4]], [&Outcome::Stored; 2]);
    for outcome in &outcomes[1..4] {
        assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    }
    let reader = store.reader().unwrap();
    assert_eq!(packets(&*reader), 16 + 56);
    assert_eq!(breaches(&*reader), [""; 0]);
    // The name is free for what is true.
    assert_eq!(commit(&mut *store, &sample(2)), Outcome::Stored);
}

pub fn what_is_in_no_flow_is_told(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut *store, &Sample { lost: 7, ..sample(1) });
    commit(&mut *store, &Sample { with_flows: false, ..sample(2) });
    let reader = store.reader().unwrap();
    let intervals = reader.intervals(None, Period::ALL).unwrap();
    let missing: Vec<_> = intervals.iter().map(|interval| interval.flow_packets_missing).collect();
    assert_eq!(missing, [7, 26]);
    assert_eq!(intervals.iter().map(|one| one.flows).collect::<Vec<_>>(), [Kept::Rows, Kept::NeverCame]);
    let sensors = reader.sensors(Period::ALL).unwrap();
    let losses =
        (sensors[0].digests_lost, sensors[0].intervals_without_flows, sensors[0].flow_packets_missing);
    assert_eq!(losses, (7, 1, 33));
    assert_eq!(breaches(&*reader), [""; 0]);
    // Headers come back as they came in.
    let headers: Vec<&Header> = intervals.iter().map(|interval| &interval.header).collect();
    assert_eq!(headers, [&Sample { lost: 7, ..sample(1) }.header(), &sample(2).header()]);
}

pub fn a_number_beyond_all_measure_is_refused(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let huge = |packets| wire::Row { packets, bytes: 0, ..flow("192.0.2.1", 17, 9, 1, START) };
    let outcomes = store.commit(&[sample(1).with([huge(1 << 60)]).incoming(), sample(2).incoming()]).unwrap();
    assert!(matches!(outcomes[..], [Outcome::Refused { .. }, Outcome::Stored]));
    // Each counter can be, but not what they come to.
    let mut lies = sample(3);
    lies.rows = vec![huge(1 << 53), wire::Row { port: Some(10), ..huge(1) }];
    assert!(matches!(commit(&mut *store, &lies), Outcome::Refused { .. }));
    let udp = |port, packets| wire::Counter { dimension: wire::Dimension::IpProtocol, key: port, packets };
    let admitted = Header { breaches: vec!["the agent says so".into()], ..sample(4).header() };
    let counted = sample(4).counted(&admitted, &[udp(6, 1 << 53), udp(17, 1)]);
    assert!(matches!(store.commit(&[counted]).unwrap()[..], [Outcome::Refused { .. }]));
    assert_eq!(packets(&*store.reader().unwrap()), 26);
}

pub fn sums_of_many_end_at_the_highest_number(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // 1100 rows of 2^53 bytes: more than 64 bits hold, in one sum of the source's day and in several.
    let many = |sequence: u64, port: u16| {
        let rows = (0..1_100).map(|_| wire::Row { bytes: 1 << 53, ..flow("192.0.2.1", 17, port, 1, START) });
        let sample = Sample { sensor: "hostile".into(), rows: rows.collect(), ..sample(sequence) };
        let counted: Vec<wire::Row> =
            sample.rows.iter().map(|row| wire::Row { bytes: 0, ..row.clone() }).collect();
        let counted = Sample { rows: counted, ..sample.clone() };
        let counters = wire::dimension::counters(&counted.totals(), &sample.header().watched_windows);
        sample.counted(&sample.header(), &counters)
    };
    let honest = Sample { rows: vec![flow("192.0.2.1", 17, 9, 7, START)], ..sample(1) };
    for group in [vec![many(1, 9), many(2, 10)], vec![honest.incoming()], vec![many(3, 9)]] {
        let outcomes = store.commit(&group).unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Stored), "{outcomes:?}");
    }
    let mut reader = store.reader().unwrap();
    assert_eq!(packets(&*reader), 3_307);
    let filter = RollupFilter::of(Period::ALL);
    let all = reader.source_sums(&filter, &[], 1).unwrap();
    assert_eq!((all[0].packets, all[0].bytes), (3_307, i64::MAX as u64));
    assert_eq!(breaches(&*reader), [""; 0]);
    assert_eq!(reader.sensors(Period::ALL).unwrap().len(), 2);
    for table in ["flows", "port_day", "source_day"] {
        let sql = format!("SELECT sum(bytes) FROM {table}");
        let answer = reader.query(&sql, 1, Duration::from_secs(60)).unwrap();
        assert_eq!(answer.rows[0][0], Value::Integer(i64::MAX), "{table}");
    }
}

pub fn times_beyond_all_measure_are_refused(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let end = i64::MAX as u64;
    let row = wire::Row { last_seen: u64::MAX, ..flow("192.0.2.1", 17, 9, 1, 0) };
    for (start, end) in [(end - 5, end), (u64::MAX - 5, u64::MAX)] {
        let late = Sample { start, end: end - 5_000_000_000, rows: vec![row.clone()], ..sample(1) };
        let late = Sample { start: start.min(late.end), ..late };
        assert!(matches!(commit(&mut *store, &late), Outcome::Refused { .. }));
    }
    // What rows say of their times is the sensor's: it is kept within what a store can hold.
    assert_eq!(commit(&mut *store, &Sample { rows: vec![row], ..sample(2) }), Outcome::Stored);
    let mut reader = store.reader().unwrap();
    let sums = reader.source_sums(&RollupFilter::of(Period::ALL), &[], 1).unwrap();
    assert_eq!((sums[0].packets, sums[0].first_seen), (1, 0));
    let answer = reader.query("SELECT first_seen, last_seen FROM flows", 9, Duration::from_secs(60)).unwrap();
    let text = |text: &str| Value::Text(text.into());
    let expected = [text("1970-01-01T00:00:00.000000000Z"), text("2200-01-01T00:00:00.000000000Z")];
    assert_eq!(answer.rows[0], expected);
}

pub fn what_was_committed_is_there_after_a_restart(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut *store, &sample(1));
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(commit(&mut *store, &sample(1)), Outcome::AlreadyStored);
    assert_eq!(commit(&mut *store, &sample(2)), Outcome::Stored);
    assert_eq!(packets(&*store.reader().unwrap()), 16 + 26);
}
