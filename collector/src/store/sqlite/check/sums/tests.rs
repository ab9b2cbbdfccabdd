use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::super::{SqliteOptions, SqliteStore};
use super::*;
use crate::retention::Retention;
use crate::store::Store as _;
use crate::store::conformance::{Sample, breaches, flow};

const FIRST: Day = Day(20_500);

/// Some hours from the first midnight on, with a packet in the middle of each of some hours.
fn sample(sensor: &str, sequence: u64, (from, to): (u64, u64), packets: &[u64]) -> Sample {
    let moment = |hour: u64| FIRST.start() + hour * NANOSECONDS_OF_HOUR;
    let row = |hour: &u64| {
        let seen = moment(*hour) + NANOSECONDS_OF_HOUR / 2;
        flow(&format!("192.0.2.{}", hour % 250), 6, 23, 1, seen)
    };
    let sample = Sample::new(sensor, sequence, moment(from)).with(packets.iter().map(row));
    Sample { end: moment(to), ..sample }
}

fn store(samples: &[Sample], keep_flows: bool) -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { keep_flows, ..SqliteOptions::default() };
    let mut store = SqliteStore::open(&folder.path().join("store"), options).unwrap();
    let group: Vec<_> = samples.iter().map(Sample::incoming).collect();
    assert!(store.commit(&group).unwrap().iter().all(|one| *one == crate::store::Outcome::Stored));
    (folder, store)
}

/// What all of a check takes, in steps of SQLite's machine.
fn steps(days: u64, keep_flows: bool) -> u64 {
    let samples: Vec<Sample> = (0..days * 8)
        .map(|number| sample("tokyo", number + 1, (number * 3, number * 3 + 3), &[number * 3 + 1]))
        .collect();
    let (_folder, mut store) = store(&samples, keep_flows);
    let counted = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&counted);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    store.connection.progress_handler(10, Some(count)).unwrap();
    let mut found = Vec::new();
    super::super::check(&store.connection, &mut |finding| found.push(finding));
    store.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    assert!(found.is_empty(), "{found:?}");
    counted.load(Ordering::Relaxed)
}

#[test]
fn what_it_takes_grows_with_the_days() {
    for keep_flows in [true, false] {
        let (few, many) = (steps(25, keep_flows), steps(100, keep_flows));
        assert!(few > 0 && many < few * 5, "{keep_flows}: {few} for 25 days, {many} for 100");
    }
}

#[test]
fn each_day_is_compared_with_all_that_reaches_into_it() {
    let samples = [
        sample("tokyo", 1, (0, 6), &[1]),
        // To midnight, across one, and across many; one of no length, at midnight.
        sample("tokyo", 2, (6, 24), &[7, 23]),
        sample("tokyo", 3, (24, 60), &[25, 49]),
        sample("osaka", 1, (12, 24 * 9 + 12), &[13, 24 * 4 + 3, 24 * 9 + 11]),
        Sample { rows: Vec::new(), ..sample("osaka", 2, (48, 48), &[]) },
        sample("kyoto", 1, (24 * 20, 24 * 20 + 1), &[24 * 20]),
    ];
    let (_folder, mut store) = store(&samples, true);
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
    // Wherever a sum is wrong, or is not there, and nowhere else.
    for table in ["port_day", "source_day", "port_hour"] {
        for day in [0_u32, 1, 2, 4, 9, 20].map(|day| FIRST.0 + day) {
            for damage in ["UPDATE {table}_raw SET packets = packets + 1", "DELETE FROM {table}_raw"] {
                let damage = format!("{} WHERE day = {day}", damage.replace("{table}", table));
                store.connection.execute_batch("SAVEPOINT before").unwrap();
                assert!(store.connection.execute(&damage, []).unwrap() > 0, "{damage}");
                let mut found = Vec::new();
                of_flows(&store.connection, &mut |finding| found.push(finding.what)).unwrap();
                store.connection.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
                assert_eq!(found.len(), 1, "{damage}: {found:?}");
                assert!(found[0].starts_with(&format!("{table} of {}:", Day(day))), "{damage}: {found:?}");
            }
        }
    }
    // A sum of a day in the middle of an interval, of which no packet is.
    let more = format!(
        "INSERT INTO port_day_raw SELECT {}, sensor, kind, place, 1, 1 FROM port_day_raw LIMIT 1",
        FIRST.0 + 6
    );
    store.connection.execute(&more, []).unwrap();
    let found = breaches(&*store.reader().unwrap());
    assert!(
        found.iter().any(|what| what.starts_with(&format!("port_day of {}:", Day(FIRST.0 + 6)))),
        "{found:?}"
    );
    // Of days of which flows are gone nothing is known to be wrong.
    let retention = Retention { flow_days: Some(3), ..Retention::FOREVER };
    while !store.retain(&retention, Day(FIRST.0 + 21), 1_000).unwrap().done {}
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
}
