use std::path::Path;

use super::super::{SqliteOptions, SqliteStore, schema};
use crate::retention::Retention;
use crate::store::conformance::{Sample, breaches, flow};
use crate::store::{Day, Outcome, Period, Store as _, Watched};

/// The first day, and its first moment.
const FIRST: Day = Day(20_454);
const DAY: u64 = 86_400_000_000_000;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("store"), SqliteOptions::default()).unwrap()
}

/// Some quarters of days, with a packet at the beginning.
fn sample(sequence: u64, (from, to): (u64, u64)) -> Sample {
    let start = FIRST.start() + from * DAY / 4;
    let sample = Sample::new("tokyo", sequence, start).with([flow("192.0.2.1", 6, 23, 200, start)]);
    Sample { end: FIRST.start() + to * DAY / 4, ..sample }
}

/// What the sums by day say of watched windows and of missing packets.
fn told_of_windows(store: &SqliteStore) -> (Vec<Watched>, Vec<(u32, u64)>) {
    let reader = store.reader().unwrap();
    let uptime = reader.uptime(None, Period::ALL).unwrap();
    let missing = uptime.iter().map(|up| (up.day.0, up.flow_packets_missing)).collect();
    (reader.watched(Period::ALL).unwrap(), missing)
}

#[test]
fn windows_that_kept_intervals_tell_of_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path());
    let of = |sequence: u64, quarters: (u64, u64), windows: &[u16], lost: u64| {
        let sample = Sample { lost, with_flows: sequence != 3, ..sample(sequence, quarters) };
        sample.encoded(&wire::Header { watched_windows: windows.to_vec(), ..sample.header() })
    };
    let group = [
        of(1, (0, 1), &[1024], 3),
        // Over two midnights; a list that names one twice; and one whose flows did not come.
        of(2, (2, 11), &[1024, 5656], 0),
        of(3, (11, 12), &[1024], 0),
        of(4, (12, 13), &[5656, 5656], 4),
        of(5, (16, 17), &[], 0),
        // Whole days go before it.
        of(6, (32, 33), &[1024], 0),
    ];
    assert_eq!(writer.commit(&group).unwrap(), [const { Outcome::Stored }; 6]);
    let before = told_of_windows(&writer);
    let hours = |watched: &Watched| (watched.day.0 - FIRST.0, watched.window, watched.nanoseconds * 24 / DAY);
    let expected = [
        (0, 1024, 18),
        (0, 5656, 12),
        (1, 1024, 24),
        (1, 5656, 24),
        (2, 1024, 18),
        (2, 5656, 18),
        (3, 5656, 6),
        (8, 1024, 6),
    ];
    assert_eq!(before.0.iter().map(hours).collect::<Vec<_>>(), expected);
    let missing: Vec<u64> = before.1.iter().map(|(_, missing)| *missing).collect();
    assert_eq!(missing, [3, 0, 200, 4, 0, 0]);
    schema::back_to(&writer.connection, 5);
    drop(writer);
    let mut writer = open(folder.path());
    assert_eq!(told_of_windows(&writer), before);
    assert_eq!(breaches(&*writer.reader().unwrap()), [""; 0]);
    // What is gone by then is not known, nor is what comes of these days later.
    let retention = Retention { flow_days: None, counter_days: Some(6), rollup_days: None, hour_days: None };
    while !writer.retain(&retention, Day(FIRST.0 + 9), 1_000).unwrap().done {}
    assert_eq!(told_of_windows(&writer), before);
    schema::back_to(&writer.connection, 5);
    drop(writer);
    let mut writer = open(folder.path());
    assert_eq!(writer.commit(&[of(7, (5, 6), &[1024], 5)]).unwrap(), [Outcome::Stored]);
    let (watched, missing) = told_of_windows(&writer);
    assert_eq!(watched.iter().map(hours).collect::<Vec<_>>(), [(3, 5656, 6), (8, 1024, 6)]);
    assert_eq!(missing.iter().map(|(_, missing)| *missing).collect::<Vec<_>>(), [0, 5, 0, 4, 0, 0]);
    assert_eq!(breaches(&*writer.reader().unwrap()), [""; 0]);
}

#[test]
fn damaged_intervals_keep_no_store_from_its_next_version() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path());
    let lists = [
        "no list",
        "1024",
        "{\"a\":1024}",
        "[1024,70000]",
        "[1024,-1]",
        "[1024,1.5]",
        "[1024,\"1024\"]",
        "null",
    ];
    let count = lists.len() as u64;
    let group = (1..count + 3).map(|sequence| sample(sequence, (sequence - 1, sequence)).incoming());
    writer.commit(&group.collect::<Vec<_>>()).unwrap();
    for (first, list) in (1_i64..).zip(lists) {
        let update = "UPDATE interval_raw SET watched_windows = ?2 WHERE first = ?1";
        assert_eq!(writer.connection.execute(update, rusqlite::params![first, list]).unwrap(), 1);
    }
    let update = "UPDATE interval_raw SET start = -9223372036854775807, \"end\" = 9223372036854775807 WHERE first = ?1";
    assert_eq!(writer.connection.execute(update, [count.cast_signed() + 1]).unwrap(), 1);
    schema::back_to(&writer.connection, 5);
    drop(writer);
    let (watched, _) = told_of_windows(&open(folder.path()));
    // The last one alone, which is of the tenth quarter of a day.
    let day = Day(FIRST.0 + 2);
    assert_eq!(watched, [Watched { day, sensor: "tokyo".into(), window: 1024, nanoseconds: DAY / 4 }]);
}

#[test]
fn a_window_that_there_cannot_be_is_told_and_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path());
    writer.commit(&[sample(1, (0, 1)).incoming()]).unwrap();
    let before = writer.reader().unwrap().watched(Period::ALL).unwrap();
    let batch = "INSERT INTO window_day_raw SELECT day, sensor, 70000, 5 FROM window_day_raw";
    writer.connection.execute_batch(batch).unwrap();
    let reader = writer.reader().unwrap();
    assert_eq!(reader.watched(Period::ALL).unwrap(), before);
    let found = breaches(&*reader);
    assert!(found.len() == 1 && found[0].contains("window 70000: there is no such day"), "{found:?}");
}
