//! What every store promises, and what only this engine does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::{SqliteOptions, SqliteReader, SqliteStore};
use crate::store::conformance::{Sample, breaches, conformance, flow, packets};
use crate::store::{Outcome, Period, Store, StoreError, Table};

fn open(folder: &Path) -> Box<dyn Store> {
    Box::new(store(folder))
}

fn store(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("store"), SqliteOptions::default()).unwrap()
}

conformance!(open);

fn sample(sequence: u64) -> Sample {
    let start = 1_767_225_600_000_000_000 + sequence * 60_000_000_000;
    let rows = (0_u32..200)
        .map(|number| flow(&std::net::Ipv4Addr::from_bits(number << 20).to_string(), 6, 23, 1, start));
    Sample::new("tokyo", sequence, start).with(rows)
}

#[test]
fn a_full_disk_stores_nothing_of_the_group_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.commit(&[sample(1).incoming()]).unwrap();
    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |store: &SqliteStore, pages: i64| {
        store.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(&store, pages + 4);
    let group: Vec<_> = (2..6).map(|sequence| sample(sequence).incoming()).collect();
    let error = store.commit(&group).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }) && error.is_passing(), "{error}");
    let reader = store.reader().unwrap();
    assert_eq!((packets(&*reader), breaches(&*reader).len()), (200, 0));
    limit(&store, i64::from(u32::MAX) - 1);
    assert_eq!(
        store.commit(&group).unwrap(),
        [Outcome::Stored, Outcome::Stored, Outcome::Stored, Outcome::Stored]
    );
    assert_eq!((packets(&*reader), breaches(&*reader).len()), (1_000, 0));
}

/// The files as they are, as a power cut would leave them.
fn snapshot(from: &Path, to: &Path) {
    for name in ["store", "store-wal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn what_was_not_committed_when_the_power_went_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.connection.pragma_update(None, "cache_size", 10).unwrap();
    store.commit(&[sample(1).incoming()]).unwrap();
    let committed = fs::metadata(folder.path().join("store-wal")).unwrap().len();
    // So large that pages go to the log before the end.
    store.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    store
        .connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO counter_raw SELECT 77, i, i FROM n",
        )
        .unwrap();
    assert!(fs::metadata(folder.path().join("store-wal")).unwrap().len() > committed);
    let after = tempfile::tempdir().unwrap();
    snapshot(folder.path(), after.path());
    let mut again = SqliteStore::open(&after.path().join("store"), SqliteOptions::default()).unwrap();
    let reader = again.reader().unwrap();
    assert_eq!((packets(&*reader), breaches(&*reader)), (200, Vec::new()));
    assert_eq!(again.commit(&[sample(1).incoming()]).unwrap(), [Outcome::AlreadyStored]);
    assert_eq!(again.commit(&[sample(2).incoming()]).unwrap(), [Outcome::Stored]);
}

#[test]
fn a_log_that_is_cut_anywhere_holds_whole_groups() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    for sequence in 1..4 {
        store.commit(&[sample(sequence).incoming()]).unwrap();
    }
    let length = fs::metadata(folder.path().join("store-wal")).unwrap().len();
    for part in 0..12 {
        let after = tempfile::tempdir().unwrap();
        snapshot(folder.path(), after.path());
        let log = fs::OpenOptions::new().write(true).open(after.path().join("store-wal")).unwrap();
        log.set_len(length * part / 12 + 13).unwrap();
        // Of a log that is cut before its first commit there is no store at all, and none is what it is taken for.
        let mut again = SqliteStore::open(&after.path().join("store"), SqliteOptions::default()).unwrap();
        let reader = again.reader().unwrap();
        assert_eq!((packets(&*reader) % 200, breaches(&*reader)), (0, Vec::new()));
        let outcomes: Vec<_> =
            (1..4).flat_map(|number| again.commit(&[sample(number).incoming()]).unwrap()).collect();
        assert!(outcomes.iter().all(|one| matches!(one, Outcome::Stored | Outcome::AlreadyStored)));
        assert_eq!(packets(&*reader), 600);
    }
}

#[test]
fn flows_that_are_not_kept_are_in_the_sums() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let options = SqliteOptions { keep_flows: false, ..SqliteOptions::default() };
    let mut store = SqliteStore::open(&path, options).unwrap();
    store.commit(&[sample(1).incoming()]).unwrap();
    let reader = store.reader().unwrap();
    let mut rows = 0;
    reader
        .scan(Table::Flows, Period::ALL, &mut |record| {
            rows += record.num_rows();
            Ok(())
        })
        .unwrap();
    assert_eq!((rows, packets(&*reader), breaches(&*reader)), (0, 200, Vec::new()));
}

#[test]
fn a_check_finds_what_is_wrong() {
    let damages = [
        "UPDATE counter_raw SET packets = packets + 1 WHERE counter = (SELECT max(counter) FROM counter_raw)",
        "DELETE FROM flow_raw WHERE id = (SELECT max(id) FROM flow_raw)",
        "UPDATE port_day_raw SET packets = packets + 1",
        "DELETE FROM source_day_raw WHERE source = (SELECT max(source) FROM source_day_raw)",
        "UPDATE source_day_raw SET kind = kind | (1025 << 32)",
        "INSERT INTO source_day_raw SELECT day + 1, source, kind, place, packets, bytes, first, lasting, sensors
         FROM source_day_raw LIMIT 1",
        "INSERT INTO port_day_raw SELECT day - 1, sensor, kind, place, packets, bytes FROM port_day_raw",
        "UPDATE counter_day_raw SET packets = packets - 1 WHERE counter = 0",
        "DELETE FROM ledger",
        "UPDATE uptime_day_raw SET nanoseconds = nanoseconds + 1",
        "UPDATE uptime_day_raw SET with_flows = with_flows - 1",
        "UPDATE uptime_day_raw SET missing = missing + 1",
        "DELETE FROM uptime_day_raw",
        "UPDATE window_day_raw SET nanoseconds = nanoseconds + 1",
        "UPDATE window_day_raw SET watched_window = 7",
        "DELETE FROM window_day_raw",
        "INSERT INTO window_day_raw SELECT day + 1, sensor, 7, 1 FROM window_day_raw",
        "UPDATE port_hour_raw SET packets = packets + 1",
        "UPDATE port_hour_raw SET hour = hour + 1",
        "DELETE FROM port_hour_raw",
        "UPDATE uptime_hour_raw SET nanoseconds = nanoseconds - 1",
        "DELETE FROM uptime_hour_raw",
        "UPDATE interval_raw SET missing = 3",
        "INSERT INTO ledger SELECT sensor, epoch, first + 1, last + 1 FROM ledger",
    ];
    for damage in damages {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        store.commit(&[sample(1).incoming(), sample(2).incoming()]).unwrap();
        let reader = store.reader().unwrap();
        assert_eq!(breaches(&*reader), [""; 0]);
        assert!(store.connection.execute(damage, []).unwrap() > 0);
        assert_ne!(breaches(&*reader), [""; 0], "{damage}");
    }
}

#[test]
fn what_is_no_store_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    assert!(matches!(SqliteReader::open(&path).err(), Some(StoreError::Missing { .. })));
    fs::write(&path, "no database at all, but long enough to be looked at for what it could be instead: no")
        .unwrap();
    assert!(SqliteReader::open(&path).is_err());
    assert!(SqliteStore::open(&path, SqliteOptions::default()).is_err());
    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(SqliteReader::open(&other).err(), Some(StoreError::Foreign { .. })));
}

#[test]
fn questions_end_in_time_and_reach_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut reader = store.reader().unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let error = reader.query(endless, 1, Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, StoreError::Timeout { .. }), "{error}");
    for sql in [
        "ATTACH 'other' AS o",
        "PRAGMA query_only = 0",
        "BEGIN",
        "DROP VIEW flows",
        "SELECT load_extension('x')",
    ] {
        let error = reader.query(sql, 1, Duration::from_secs(9)).unwrap_err();
        assert!(matches!(error, StoreError::Question { .. }), "{sql}: {error}");
    }
    assert!(!folder.path().join("other").exists());
    // The reader is as good as before.
    assert_eq!(packets(&*reader), 0);
}

/// How SQLite goes about a question.
fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map([], |row| row.get::<_, String>("detail")).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn questions_about_days_find_their_rows_by_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.commit(&[sample(1).incoming()]).unwrap();
    let reader = SqliteReader::open(&folder.path().join("store")).unwrap();
    let tables =
        ["port_day", "source_day", "counter_day", "uptime_day", "window_day", "port_hour", "uptime_hour"];
    for table in tables {
        for condition in ["day = '2026-01-01'", "day >= '2026-01-01' AND day < '2026-02-01'"] {
            let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
            let plan = plan(&reader.connection, &sql);
            let by_key =
                plan.contains("SEARCH t USING") && plan.contains("SEARCH d USING PRIMARY KEY (day=?");
            assert!(by_key && !plan.contains("SCAN"), "{sql}: {plan}");
            let rows: i64 = reader.connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert!(rows > 0, "{sql}");
        }
    }
}

#[test]
fn a_store_of_before_becomes_one_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = store(folder.path());
    let late = |sequence| {
        let sample = sample(sequence);
        let start = sample.start + sequence * 86_400_000_000_000;
        Sample { start, end: start + 60_000_000_000, ..sample }
    };
    writer.commit(&[late(1).incoming(), late(7).incoming()]).unwrap();
    // Of hours about midnight only counters came; and of others there was nothing to come.
    let day = 86_400_000_000_000;
    let across = |sequence: u64, rows: bool| {
        let start = late(sequence).start / day * day + day - 3_600_000_000_000;
        let sample =
            Sample { start, end: start + day + 7_200_000_000_000, with_flows: false, ..late(sequence) };
        if rows { sample } else { Sample { rows: Vec::new(), ..sample } }
    };
    writer.commit(&[across(20, true).incoming(), across(30, false).incoming()]).unwrap();
    super::schema::back_to(&writer.connection, 1);
    drop(writer);
    let path = folder.path().join("store");
    assert!(matches!(SqliteReader::open(&path).err(), Some(StoreError::Older { .. })));
    let writer = store(folder.path());
    let days: String =
        writer.connection.query_row("SELECT group_concat(text) FROM calendar", [], |row| row.get(0)).unwrap();
    assert_eq!(
        days,
        "2026-01-02,2026-01-08,2026-01-21,2026-01-22,2026-01-23,2026-01-31,2026-02-01,2026-02-02"
    );
    let reader = writer.reader().unwrap();
    let up = reader.uptime(None, Period::ALL).unwrap();
    let hours = |nanoseconds: u64| nanoseconds as f64 / 3.6e12;
    let up: Vec<_> = up.iter().map(|up| (hours(up.nanoseconds), hours(up.with_flows))).collect();
    let minute = 1.0 / 60.0;
    assert_eq!(up[..2], [(minute, minute); 2]);
    assert_eq!(up[2..], [(1.0, 0.0), (24.0, 0.0), (1.0, 0.0), (1.0, 1.0), (24.0, 24.0), (1.0, 1.0)]);
    assert_eq!((packets(&*reader), breaches(&*reader)), (400, Vec::new()));
}

#[test]
fn a_bad_batch_undoes_only_itself_even_where_its_sums_were_written_already() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    let before: i64 = store.connection.query_row("SELECT total_changes()", [], |row| row.get(0)).unwrap();
    let lies = |sequence| {
        let sample = sample(sequence);
        let mut header = sample.header();
        header.flows.as_mut().unwrap().rows += 1;
        sample.encoded(&header)
    };
    let batch = |sequence| if sequence % 2 == 0 { lies(sequence) } else { sample(sequence).incoming() };
    let group: Vec<_> = (1..=40).map(batch).collect();
    let outcomes = store.commit(&group).unwrap();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused { .. })).count();
    assert_eq!(refused, 20);
    let after: i64 = store.connection.query_row("SELECT total_changes()", [], |row| row.get(0)).unwrap();
    // Each batch is written once, and not once more for each bad one.
    assert!(after - before < 40 * 400, "{} rows were written", after - before);
    let reader = store.reader().unwrap();
    assert_eq!((packets(&*reader), breaches(&*reader)), (20 * 200, Vec::new()));
}

#[test]
fn a_check_goes_on_after_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.commit(&[sample(1).incoming()]).unwrap();
    store
        .connection
        .execute_batch(
            "UPDATE interval_raw SET watched_windows = 'no list'; DELETE FROM uptime_day_raw;
             DELETE FROM calendar; DROP TABLE counter_day_raw",
        )
        .unwrap();
    drop(store);
    let path = folder.path().join("store");
    let connection = Connection::open(&path).unwrap();
    super::prepare(&connection, 1 << 20).unwrap();
    let mut found = Vec::new();
    super::check::check(&connection, &mut |finding| found.push(finding.what));
    for words in ["cannot be read", "the sums of counters cannot be checked", "are not noted", "calendar"] {
        assert!(found.iter().any(|what| what.contains(words)), "{words}: {found:?}");
    }
}
