use std::path::Path;

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use rusqlite::OptionalExtension as _;

use super::super::{SqliteOptions, SqliteStore, schema};
use crate::retention::Retention;
use crate::store::conformance::{Sample, breaches, flow};
use crate::store::{Day, Incoming, Store as _};

const FIRST: u32 = 20_500;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("store"), SqliteOptions::default()).unwrap()
}

/// A minute of a day, with a packet, that arrives at noon of a day.
fn incoming(sequence: u64, day: u32, arrived: u32) -> Incoming {
    let start = Day(day).start() + sequence * 60_000_000_000;
    let sample = Sample::new("tokyo", sequence, start).with([flow("192.0.2.1", 6, 23, 1, start)]);
    Incoming { arrived: Day(arrived).start() + 43_200_000_000_000, ..sample.incoming() }
}

fn commit(store: &mut SqliteStore, sequence: u64, day: u32, arrived: u32) {
    store.commit(&[incoming(sequence, day, arrived)]).unwrap();
}

fn horizon(store: &SqliteStore) -> Option<u32> {
    let sql = "SELECT day FROM horizon WHERE what = 'hours'";
    store.connection.query_row(sql, [], |row| row.get(0)).optional().unwrap()
}

/// Days that have sums by hour.
fn days(store: &SqliteStore) -> Vec<u32> {
    let sql = "SELECT DISTINCT day FROM port_hour_raw ORDER BY day";
    let mut statement = store.connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn sound(store: &SqliteStore) {
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
}

#[test]
fn a_store_without_hours_has_them_from_the_day_after_its_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // Long after the day on which this test runs, as the day after tomorrow is when midnight is near.
    let newest = 47_000;
    commit(&mut store, 1, FIRST, FIRST);
    commit(&mut store, 2, newest, newest);
    schema::back_to(&store.connection, 3);
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(horizon(&store), Some(newest + 1));
    sound(&store);
    // The day goes on, and the next one comes.
    commit(&mut store, 3, newest, newest);
    commit(&mut store, 4, newest + 1, newest + 1);
    assert_eq!(days(&store), [newest + 1]);
    sound(&store);
}

#[test]
fn hours_begin_tomorrow_although_the_clock_was_months_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut store, 1, FIRST, FIRST + 200);
    assert_eq!((horizon(&store), days(&store)), (Some(FIRST + 192), vec![]));
    // The clock was set. Today has sums without hours, and stays without them.
    commit(&mut store, 2, FIRST, FIRST);
    assert_eq!((horizon(&store), days(&store)), (Some(FIRST + 1), vec![]));
    commit(&mut store, 3, FIRST + 1, FIRST + 1);
    commit(&mut store, 4, FIRST, FIRST + 1);
    assert_eq!((horizon(&store), days(&store)), (Some(FIRST + 1), vec![FIRST + 1]));
    sound(&store);
}

#[test]
fn no_day_that_was_summed_up_without_hours_comes_to_have_some() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut store, 1, FIRST, FIRST + 200);
    // By a sensor whose clock is ahead, too.
    commit(&mut store, 2, FIRST + 3, FIRST + 200);
    commit(&mut store, 3, FIRST + 3, FIRST);
    assert_eq!((horizon(&store), days(&store)), (Some(FIRST + 4), vec![]));
    // By one whose clock is as far ahead as the host's was: it has had hours from the beginning.
    commit(&mut store, 4, FIRST + 300, FIRST);
    commit(&mut store, 5, FIRST + 4, FIRST);
    assert_eq!((horizon(&store), days(&store)), (Some(FIRST + 4), vec![FIRST + 4, FIRST + 300]));
    sound(&store);
}

#[test]
fn retention_of_an_empty_store_leaves_it_to_the_first_batch_where_hours_begin() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let retention = Retention { rollup_days: Some(100), ..Retention::default() };
    assert!(store.retain(&retention, Day(FIRST), 1_000).unwrap().done);
    assert_eq!(horizon(&store), None);
    // A capture of years past.
    commit(&mut store, 1, FIRST - 900, FIRST);
    assert_eq!((horizon(&store), days(&store)), (Some(FIRST - 8), vec![]));
    commit(&mut store, 2, FIRST - 8, FIRST);
    assert_eq!(days(&store), [FIRST - 8]);
    sound(&store);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hours_are_whole_whatever_clocks_say(
        steps in proptest::collection::vec((0_u32..24, 0_u32..60, any::<bool>()), 1..9),
        rollup_days in proptest::option::of(1_u32..20),
        counter_days in proptest::option::of(1_u32..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let retention = Retention { flow_days: None, counter_days, rollup_days, hour_days: Some(3) };
        for ((day, arrived, retains), sequence) in steps.into_iter().zip(1..) {
            commit(&mut store, sequence, FIRST + day, FIRST + arrived);
            while retains && !store.retain(&retention, Day(FIRST + arrived), 1_000).unwrap().done {}
            prop_assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
        }
    }
}
