use super::super::super::{SqliteOptions, SqliteStore};
use crate::retention::Retention;
use crate::store::conformance::{Sample, breaches, flow};
use crate::store::{Day, NANOSECONDS_OF_DAY, Store as _};

const FIRST: Day = Day(20_500);

/// An hour at noon of some days after the first one, and one that has no length at the midnight after the last of them.
fn store(days: &[u32]) -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("store"), SqliteOptions::default()).unwrap();
    let noon = |day: &u32| Day(FIRST.0 + day).start() + NANOSECONDS_OF_DAY / 2;
    let of = |sequence: u64, start, end| {
        let sample = Sample::new("tokyo", sequence, start).with([flow("192.0.2.1", 6, 23, 1, start)]);
        Sample { end, lost: 1, ..sample }.incoming()
    };
    let mut group: Vec<_> = (1..)
        .zip(days.iter().map(noon))
        .map(|(sequence, noon)| of(sequence, noon, noon + NANOSECONDS_OF_DAY / 24))
        .collect();
    let midnight = Day(FIRST.0 + days.iter().max().unwrap() + 1).start();
    group.push(of(100, midnight, midnight));
    assert!(store.commit(&group).unwrap().iter().all(|one| *one == crate::store::Outcome::Stored));
    (folder, store)
}

/// Copies a table's rows of the first day to another one, with nothing but zeros in them where `zeros` says which.
fn copy(store: &SqliteStore, table: &str, day: i64, zeros: &[&str]) {
    let connection = &store.connection;
    let mut columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")
        .unwrap()
        .query_map([format!("{table}_raw")], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for column in &mut columns {
        match column.as_str() {
            "day" => *column = day.to_string(),
            other if zeros.contains(&other) => *column = "0".into(),
            _ => {}
        }
    }
    let sql = format!(
        "INSERT INTO {table}_raw SELECT {} FROM {table}_raw WHERE day = (SELECT min(day) FROM {table}_raw)",
        columns.join(", ")
    );
    assert!(connection.execute(&sql, []).unwrap() > 0, "{sql}");
}

const TABLES: [&str; 7] =
    ["port_day", "source_day", "counter_day", "uptime_day", "window_day", "port_hour", "uptime_hour"];

#[test]
fn rows_of_days_that_no_interval_reaches_into_are_told() {
    let (_folder, store) = store(&[0, 3]);
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
    // Before all intervals, between two of them, after them; and where no day can be.
    for day in [-7, 0, i64::from(FIRST.0) + 2, i64::from(FIRST.0) + 9, 1 << 40] {
        for table in TABLES {
            for zeros in [&[][..], &["packets", "bytes", "nanoseconds", "with_flows", "missing"]] {
                store.connection.execute_batch("SAVEPOINT before").unwrap();
                copy(&store, table, day, zeros);
                let mut found = Vec::new();
                super::days(&store.connection, &mut |finding| found.push(finding.what)).unwrap();
                store.connection.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
                let of = u32::try_from(day).map_or_else(|_| format!("day {day}"), |day| Day(day).to_string());
                let expected = format!("{table} of {of}: it has ");
                // Sums by hour begin some days before the store's first batch came.
                let is_told = !table.ends_with("hour") || day != 0;
                assert_eq!(found.len(), usize::from(is_told), "{table} {day}: {found:?}");
                assert!(found.iter().all(|what| what.starts_with(&expected)), "{expected}: {found:?}");
            }
        }
    }
    // People are told of it, too.
    copy(&store, "port_day", i64::from(FIRST.0) + 2, &[]);
    let found = breaches(&*store.reader().unwrap());
    assert!(found.iter().any(|what| what.contains("no interval reaches into that day")), "{found:?}");
}

#[test]
fn sums_outlive_their_intervals() {
    let (_folder, mut store) = store(&[0, 3, 20]);
    let retention = Retention { flow_days: None, counter_days: Some(5), rollup_days: None, hour_days: None };
    while !store.retain(&retention, Day(FIRST.0 + 22), 1_000).unwrap().done {}
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
    // Nothing tells any more which of these days an interval reached into.
    copy(&store, "port_day", i64::from(FIRST.0) + 2, &[]);
    let mut found = Vec::new();
    super::days(&store.connection, &mut |finding| found.push(finding.what)).unwrap();
    assert_eq!(found, [""; 0]);
    copy(&store, "port_day", i64::from(FIRST.0) + 19, &[]);
    super::days(&store.connection, &mut |finding| found.push(finding.what)).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
}
