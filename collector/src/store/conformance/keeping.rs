//! What is kept, read, and copied.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Open, Sample, breaches, commit, findings, flow, packets};
use crate::retention::Retention;
use crate::store::{Day, FindingKind, Kept, Outcome, Period, Retained, Store, StoreError, Table, Value};

const FIRST_DAY: u32 = 20_500;

fn sample(sequence: u64, day: u32) -> Sample {
    let start = Day(day).start() + sequence * 60_000_000_000;
    let rows = (0..50).map(|number| {
        // One that is watched, one that is not, and none.
        let window = [Some(1024), Some(7), None][number % 3];
        wire::Row { window, ..flow(&format!("192.0.2.{number}"), 6, 23, 1, start) }
    });
    Sample::new("tokyo", sequence, start).with(rows)
}

fn retain(store: &mut dyn Store, retention: &Retention, today: Day) -> u64 {
    let mut all = 0;
    for _ in 0..1_000 {
        let Retained { rows_removed, done } = store.retain(retention, today, 7).unwrap();
        all += rows_removed;
        if done {
            return all;
        }
        // Half done is as sound as done.
        assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
    }
    panic!("it never ends");
}

fn scanned(store: &dyn Store, table: Table) -> usize {
    let mut rows = 0;
    let take = &mut |record: arrow_array::RecordBatch| {
        rows += record.num_rows();
        Ok(())
    };
    store.reader().unwrap().scan(table, Period::ALL, take).unwrap();
    rows
}

pub fn flows_go_and_their_sums_stay(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for day in 0..4 {
        commit(&mut *store, &sample(u64::from(day) + 1, FIRST_DAY + day));
    }
    // What goes is counted from the newest interval that came.
    commit(&mut *store, &Sample::new("osaka", 1, Day(FIRST_DAY + 5).start()));
    let counters = scanned(&*store, Table::CounterDay);
    let retention =
        Retention { flow_days: Some(1), counter_days: Some(3), rollup_days: None, hour_days: None };
    // Of the day before, and all after it, everything is kept.
    let removed = retain(&mut *store, &retention, Day(FIRST_DAY + 3));
    assert_eq!(removed, 2 * 50);
    assert_eq!(scanned(&*store, Table::Flows), 2 * 50);
    assert_eq!(scanned(&*store, Table::Intervals), 5);
    retain(&mut *store, &retention, Day(FIRST_DAY + 5));
    assert_eq!((scanned(&*store, Table::Flows), scanned(&*store, Table::Intervals)), (0, 3));
    assert_eq!(scanned(&*store, Table::CounterDay), counters);
    assert_eq!((scanned(&*store, Table::UptimeDay), scanned(&*store, Table::WindowDay)), (5, 5));
    let reader = store.reader().unwrap();
    assert_eq!(packets(&*reader), 200);
    let kept: Vec<_> =
        reader.intervals(Some("tokyo"), Period::ALL).unwrap().iter().map(|one| one.flows).collect();
    assert_eq!(kept, [Kept::Sums; 2]);
    assert_eq!(breaches(&*reader), [""; 0]);
    let retention = Retention { rollup_days: Some(4), ..retention };
    retain(&mut *store, &retention, Day(FIRST_DAY + 5));
    assert_eq!((scanned(&*store, Table::UptimeDay), scanned(&*store, Table::WindowDay)), (4, 4));
    assert_eq!(packets(&*store.reader().unwrap()), 150);
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
}

pub fn what_was_removed_is_not_counted_again(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let old = sample(1, FIRST_DAY);
    commit(&mut *store, &old);
    commit(&mut *store, &Sample::new("osaka", 1, Day(FIRST_DAY + 20).start()));
    retain(&mut *store, &Retention { counter_days: Some(10), ..Retention::default() }, Day(FIRST_DAY + 20));
    assert_eq!(scanned(&*store, Table::Intervals), 1);
    assert_eq!(commit(&mut *store, &old), Outcome::AlreadyStored);
    // One that comes late is counted, and goes.
    assert_eq!(commit(&mut *store, &sample(2, FIRST_DAY)), Outcome::Stored);
    retain(&mut *store, &Retention { counter_days: Some(10), ..Retention::default() }, Day(FIRST_DAY + 20));
    assert_eq!(packets(&*store.reader().unwrap()), 100);
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
}

pub fn a_clock_that_is_ahead_removes_nothing(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for day in 0..3 {
        commit(&mut *store, &sample(u64::from(day) + 1, FIRST_DAY + day));
    }
    let retention =
        Retention { flow_days: Some(4), counter_days: Some(4), rollup_days: Some(4), hour_days: Some(4) };
    let removed = |store: &mut dyn Store| retain(store, &retention, Day(FIRST_DAY + 800));
    assert_eq!(removed(&mut *store), 0);
    // An interval with an end that its arrival belies tells no day either.
    let mut future = sample(9, FIRST_DAY + 700).incoming();
    future.arrived = Day(FIRST_DAY + 3).start();
    store.commit(&[future]).unwrap();
    assert_eq!(removed(&mut *store), 0);
    // The day goes once it has passed for a sensor, too.
    commit(&mut *store, &sample(4, FIRST_DAY + 4));
    assert!(removed(&mut *store) > 0);
    assert_eq!(store.reader().unwrap().intervals(None, Period::ALL).unwrap().len(), 4);
}

pub fn what_is_stored_or_was_is_known(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let of = |sequence, day| {
        let incoming = sample(sequence, day).incoming();
        (incoming.batch.header.name(), incoming.counts_hash)
    };
    for (sequence, day) in [(1, FIRST_DAY), (2, FIRST_DAY), (3, FIRST_DAY + 20)] {
        commit(&mut *store, &sample(sequence, day));
    }
    let reader = store.reader().unwrap();
    let is_stored = |(name, hash)| reader.is_stored("tokyo", name, &hash).unwrap();
    assert!(is_stored(of(1, FIRST_DAY)) && is_stored(of(3, FIRST_DAY + 20)));
    // Other counts, another sensor, and what never came.
    assert!(!is_stored((of(1, FIRST_DAY).0, [7; 32])) && !is_stored(of(4, FIRST_DAY)));
    let (name, hash) = of(1, FIRST_DAY);
    assert!(!reader.is_stored("osaka", name, &hash).unwrap());
    let merged = |first, last| wire::Name { first, last, ..name };
    assert!(!is_stored((merged(1, 2), hash)) && !is_stored((merged(3, 4), hash)));
    retain(&mut *store, &Retention { counter_days: Some(9), ..Retention::default() }, Day(FIRST_DAY + 20));
    // There is nothing left to compare with, but nothing of it may be counted again.
    assert!(is_stored((name, [7; 32])) && is_stored((merged(1, 2), hash)));
    assert!(!is_stored((merged(2, 3), hash)) && is_stored(of(3, FIRST_DAY + 20)));
}

pub fn the_last_that_came_tells_of_a_sensor(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let future = Sample { epoch: Day(FIRST_DAY + 9_000).start(), ..sample(1, FIRST_DAY) };
    let now = sample(2, FIRST_DAY);
    let sent = |sample: &Sample, late| Some(sample.end + 5_000_000_000 - late);
    let of = |sample: Sample, version: &str, late| {
        let sample = Sample { sent: sent(&sample, late), ..sample };
        sample.encoded(&wire::Header { program_version: version.into(), ..sample.header() })
    };
    store.commit(&[of(future, "0.1.0", 900_000_000_000)]).unwrap();
    for sequence in 0..101 {
        let now = Sample { first: 2 + sequence, last: 2 + sequence, ..now.clone() };
        store.commit(&[of(now, "0.2.0", 1_000_000_000)]).unwrap();
    }
    let sensors = store.reader().unwrap().sensors(Period::ALL).unwrap();
    assert_eq!((&*sensors[0].program_version, sensors[0].clock_skew_seconds), ("0.2.0", Some(1.0)));
}

pub fn a_copy_made_while_batches_come_is_sound(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut *store, &sample(1, FIRST_DAY));
    let reader = store.reader().unwrap();
    let copy = copies.path().join("store");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (reader, copy, over) = (store.reader().unwrap(), &copy, &over);
        scope.spawn(move || {
            reader.backup(copy).unwrap();
            over.store(true, Ordering::SeqCst);
        });
        let mut sequence = 2;
        while !over.load(Ordering::SeqCst) || sequence < 10 {
            commit(&mut *store, &sample(sequence, FIRST_DAY));
            sequence += 1;
        }
    });
    assert!(matches!(reader.backup(&copy), Err(StoreError::Exists { .. })));
    let mut copied = open(copies.path());
    let reader = copied.reader().unwrap();
    assert_eq!(breaches(&*reader), [""; 0]);
    let intervals = reader.intervals(None, Period::ALL).unwrap().len() as u64;
    assert_eq!(packets(&*reader), intervals * 50);
    // It goes on from there.
    assert_eq!(commit(&mut *copied, &sample(1, FIRST_DAY)), Outcome::AlreadyStored);
    assert_eq!(commit(&mut *copied, &sample(intervals + 1, FIRST_DAY)), Outcome::Stored);
}

pub fn readers_see_whole_groups(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let reader = store.reader().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            let mut before = 0;
            while !over.load(Ordering::SeqCst) {
                let now = packets(&*reader);
                assert!(now >= before && now.is_multiple_of(100), "{now} after {before}");
                before = now;
            }
        });
        for pair in 0..20 {
            let group = [1, 2].map(|number| sample(pair * 2 + number, FIRST_DAY).incoming());
            store.commit(&group).unwrap();
        }
        over.store(true, Ordering::SeqCst);
    });
    assert_eq!(packets(&*store.reader().unwrap()), 2_000);
}

pub fn gaps_are_told(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for sequence in [3, 4, 8] {
        commit(&mut *store, &sample(sequence, FIRST_DAY));
    }
    commit(&mut *store, &Sample { epoch: 9, ..sample(1, FIRST_DAY) });
    let reader = store.reader().unwrap();
    assert_eq!(findings(&*reader, FindingKind::Gap).len(), 2);
    assert_eq!(breaches(&*reader), [""; 0]);
    let sensors = reader.sensors(Period::ALL).unwrap();
    assert_eq!((sensors[0].missing_sequences, sensors[0].missing_ranges, sensors[0].epochs), (5, 2, 2));
    for sequence in [5, 7, 6, 1, 2] {
        commit(&mut *store, &sample(sequence, FIRST_DAY));
    }
    assert_eq!(findings(&*reader, FindingKind::Gap), [""; 0]);
}

pub fn clocks_are_judged(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for (sequence, late) in [(1, 2_000_000_000_u64), (2, 900_000_000_000), (3, 1_000_000_000)] {
        let sample = sample(sequence, FIRST_DAY);
        let sent = Some(sample.end + 5_000_000_000 - late);
        commit(&mut *store, &Sample { sent, ..sample });
    }
    let sensors = store.reader().unwrap().sensors(Period::ALL).unwrap();
    assert_eq!(sensors[0].clock_skew_seconds, Some(2.0));
    assert_eq!((sensors[0].intervals, sensors[0].packets), (3, 150));
    assert_eq!(sensors[0].program_version, "0.1.0");
    assert_eq!(sensors[0].uptime, [(Day(FIRST_DAY).to_string(), 180.0)]);
}

pub fn every_table_can_be_scanned(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let day = Day(FIRST_DAY);
    commit(&mut *store, &sample(1, FIRST_DAY).with([flow("", 17, 1, 3, day.start())]));
    let tuple = flow("2001:db8::1", 17, 53, 2, day.start() + 70_000_000_000);
    let tuple = wire::Row { destination: Some("2001:db8::2".parse().unwrap()), source_port: 4242, ..tuple };
    commit(&mut *store, &Sample { key: wire::FlowKey::FlowTuple, rows: vec![tuple], ..sample(2, FIRST_DAY) });
    let reader = store.reader().unwrap();
    for table in Table::ALL {
        for (period, is_in) in [
            (Period::ALL, true),
            (Period::days(day, Day(FIRST_DAY + 1)), true),
            (Period::days(Day(FIRST_DAY + 1), Day(FIRST_DAY + 2)), false),
        ] {
            let mut rows = 0;
            let take = &mut |record: arrow_array::RecordBatch| {
                let names: Vec<_> = table.columns().iter().map(|column| column.name).collect();
                let schema = record.schema();
                assert_eq!(
                    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
                    names
                );
                rows += record.num_rows();
                Ok(())
            };
            reader.scan(table, period, take).unwrap();
            assert_eq!(rows > 0, is_in, "{} {period:?}", table.name());
        }
    }
    assert_eq!((scanned(&*store, Table::Flows), scanned(&*store, Table::Tuples)), (51, 1));
    assert_eq!(scanned(&*store, Table::SourceDay), 51);
}

pub fn questions_change_nothing(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    commit(&mut *store, &sample(1, FIRST_DAY));
    let mut reader = store.reader().unwrap();
    let minute = Duration::from_secs(60);
    let answer = reader.query("SELECT src_ip, packets AS n FROM flows ORDER BY src_ip", 3, minute).unwrap();
    assert_eq!(answer.columns, ["src_ip", "n"]);
    assert_eq!(answer.rows[1], [Value::Text("192.0.2.1".into()), Value::Integer(1)]);
    assert!(answer.is_cut && answer.rows.len() == 3);
    for sql in [
        "DELETE FROM flows",
        "CREATE TABLE x (y)",
        "SELECT 1; SELECT 2",
        "SELECT nonsense FROM flows",
        "",
        "not SQL",
    ] {
        let error = reader.query(sql, 3, minute).unwrap_err();
        assert!(matches!(error, StoreError::Question { .. }), "{sql}: {error}");
    }
    for table in Table::ALL {
        let sql = format!("SELECT count(*) FROM {}", table.name());
        let Value::Integer(rows) = reader.query(&sql, 1, minute).unwrap().rows[0][0] else { panic!("{sql}") };
        assert_eq!(usize::try_from(rows).unwrap(), scanned(&*store, table));
    }
}
