//! Each interval once.

use wire::Header;

use super::{Open, Sample, breaches, commit, flow, packets};
use crate::store::{Kept, Outcome, Period};

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
    // Each can be, and no sum of a thousand of them.
    let one = Sample { rows: vec![huge(1 << 53)], ..sample(10) };
    let counters = wire::dimension::counters(&one.totals(), &one.header().watched_windows);
    let most = |sequence| {
        let sample = Sample { first: sequence, last: sequence, ..one.clone() };
        sample.counted(&sample.header(), &counters)
    };
    let group: Vec<_> = (10..1_035).map(most).collect();
    let outcomes = store.commit(&group).unwrap();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused { .. })).count();
    assert_eq!(refused, 2, "1023 times 2^53 and what was there are below 2^63");
    assert_eq!(packets(&*store.reader().unwrap()), 1023 * (1 << 53) + 26);
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
