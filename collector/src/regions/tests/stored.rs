use std::sync::Arc;

use super::*;
use crate::store::conformance::{Sample, breaches, flow};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{Incoming, Outcome, Store, StoreError};

fn rows(store: &SqliteStore, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT day, region, regions_version, packets FROM {table} ORDER BY day, regions_version, region"
    );
    let answer = store.reader().unwrap().query(&sql, 100, std::time::Duration::from_secs(10)).unwrap();
    let text =
        |row: &Vec<crate::store::Value>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    answer.rows.iter().map(text).collect()
}

fn sample(sequence: u64, first: &str) -> Incoming {
    const DAY: u64 = crate::store::NANOSECONDS_OF_DAY;
    let start = day(first).start();
    let rows = [
        flow("192.0.2.1", 6, 23, 1, start),
        flow("198.51.100.1", 6, 23, 2, start),
        flow("192.0.2.1", 6, 23, 4, start + DAY),
        flow("198.51.100.1", 6, 23, 8, start + DAY),
    ];
    Sample { end: start + DAY + 60_000_000_000, ..Sample::new("tokyo", sequence, start).with(rows) }
        .incoming()
}

fn open(data: &std::path::Path) -> SqliteStore {
    let regions = Arc::new(Library::open(data).unwrap());
    SqliteStore::open(&data.join("store.sqlite"), SqliteOptions { regions, ..SqliteOptions::default() })
        .unwrap()
}

#[test]
fn sums_bear_regions_and_the_versions_that_told_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut store = open(data);
    let take = |date: &str, records: &[&str]| {
        import(data, &[checked(Registry::Apnic, date, records)], None).unwrap()
    };
    take("2024-04-01", &["JP|ipv4|192.0.2.0|256"]);
    take("2024-04-02", &["JP|ipv4|192.0.2.0|256", "KR|ipv4|198.51.100.0|256"]);
    assert_eq!(store.commit(&[sample(1, "2024-04-01")]).unwrap(), [Outcome::Stored]);
    let expected = ["2024-04-01 JP 1 1", "2024-04-01 ZZ 1 2", "2024-04-02 JP 2 4", "2024-04-02 KR 2 8"];
    for table in ["port_day", "source_day"] {
        assert_eq!(rows(&store, table), expected, "{table}");
    }
    // What comes later of a day that has another table by now is told by that one, and what is stored stays.
    take("2024-04-01", &["CN|ipv4|192.0.2.0|256"]);
    assert_eq!(store.commit(&[sample(2, "2024-04-01")]).unwrap(), [Outcome::Stored]);
    let expected = [
        "2024-04-01 JP 1 1",
        "2024-04-01 ZZ 1 2",
        "2024-04-01 CN 3 1",
        "2024-04-01 ZZ 3 2",
        "2024-04-02 JP 2 8",
        "2024-04-02 KR 2 16",
    ];
    for table in ["port_day", "source_day"] {
        assert_eq!(rows(&store, table), expected, "{table}");
    }
    // Before the first version no region is known.
    assert_eq!(store.commit(&[sample(3, "2024-03-30")]).unwrap(), [Outcome::Stored]);
    assert_eq!(rows(&store, "port_day")[..2], ["2024-03-30 ZZ 0 3", "2024-03-31 ZZ 0 12"]);
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
}

#[test]
fn nothing_is_stored_of_a_day_whose_table_cannot_be_had() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    for date in ["2024-04-01", "2024-05-01"] {
        import(data, &[checked(Registry::Apnic, date, &["JP|ipv4|192.0.2.0|256", "JP|asn|1|1"])], None)
            .unwrap();
    }
    let name = Index::read(&data.join("regions")).unwrap().versions[0].files[0].name();
    let path = data.join("regions").join(name);
    let content = std::fs::read(&path).unwrap();
    let mut store = open(data);
    std::fs::remove_file(&path).unwrap();
    let error = store.commit(&[sample(1, "2024-04-01")]).unwrap_err();
    assert!(matches!(error, StoreError::Regions { .. }) && error.is_passing(), "{error}");
    assert_eq!(store.commit(&[sample(2, "2024-05-01")]).unwrap(), [Outcome::Stored]);
    std::fs::write(&path, content).unwrap();
    assert_eq!(store.commit(&[sample(1, "2024-04-01")]).unwrap(), [Outcome::Stored]);
    assert_eq!(rows(&store, "port_day")[0], "2024-04-01 JP 1 1");
}
