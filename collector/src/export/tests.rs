use std::fs;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::config::StoreFlags;
use crate::store::Store as _;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteStore};

const START: u64 = 1_767_225_600_000_000_000;

#[test]
fn files_hold_what_the_store_does_and_are_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let rows = (1..=200).map(|number| flow(&format!("192.0.2.{number}"), 6, 23, number, START));
    let sample = Sample::new("tokyo", 1, START).with(rows);
    let mut writer = SqliteStore::open(&store, SqliteOptions::default()).unwrap();
    writer.commit(&[sample.incoming()]).unwrap();
    let arguments = |table, format, name: &str| Arguments {
        store: StoreArguments { store: Some(store.clone()), flags: StoreFlags::default() },
        table,
        from: None,
        to: None,
        format,
        out: folder.path().join(name),
    };
    for table in Table::ALL {
        run(&arguments(table, Format::Parquet, table.name()), &mut Vec::new()).unwrap();
        run(&arguments(table, Format::Csv, "csv"), &mut Vec::new()).unwrap();
    }
    let file = File::open(folder.path().join("flows")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let packets: i64 = reader
        .map(|record| {
            let record = record.unwrap();
            let packets = record.column_by_name("packets").unwrap();
            packets.as_primitive::<Int64Type>().values().iter().sum::<i64>()
        })
        .sum();
    assert_eq!(packets, 200 * 201 / 2);
    run(&arguments(Table::SourceDay, Format::Csv, "csv"), &mut Vec::new()).unwrap();
    let text = fs::read_to_string(folder.path().join("csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 201);
    assert_eq!(
        lines[1],
        "2026-01-01,192.0.2.1,6,scan,23,,,ZZ,0,,,1,60,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,1"
    );
    let mut nowhere = arguments(Table::Flows, Format::Csv, "csv");
    nowhere.out = folder.path().join("nowhere").join("csv");
    assert!(matches!(run(&nowhere, &mut Vec::new()), Err(ExportError::Write { .. })));
    (nowhere.from, nowhere.to) = (Some(2), Some(1));
    assert!(matches!(run(&nowhere, &mut Vec::new()), Err(ExportError::Period)));
    assert!(
        !fs::read_dir(folder.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().ends_with(".part") })
    );
}

#[test]
fn what_a_link_leads_to_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    SqliteStore::open(&store, SqliteOptions::default()).unwrap();
    let theirs = folder.path().join("theirs");
    fs::write(&theirs, "theirs").unwrap();
    for name in ["out.part", "copy.part"] {
        std::os::unix::fs::symlink(&theirs, folder.path().join(name)).unwrap();
    }
    let store = StoreArguments { store: Some(store), flags: StoreFlags::default() };
    let copy = folder.path().join("copy");
    store.reader().unwrap().backup(&copy).unwrap();
    let out = folder.path().join("out");
    let arguments = Arguments {
        store,
        table: Table::Intervals,
        from: None,
        to: None,
        format: Format::Csv,
        out: out.clone(),
    };
    run(&arguments, &mut Vec::new()).unwrap();
    assert_eq!(fs::read(theirs).unwrap(), b"theirs");
    assert!(copy.is_file() && out.is_file() && !out.is_symlink() && !copy.is_symlink());
}
