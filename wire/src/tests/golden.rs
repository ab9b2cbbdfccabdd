//! Batches of every format version that there was: they are read for ever.

use super::*;

const VERSION_1: &[u8] = include_bytes!("../../golden/version-1.batch");

#[test]
fn version_1_is_read() {
    let batch = read(&Bytes::from_static(VERSION_1)).unwrap();
    assert_eq!((&batch.header, &batch.counters), (&header(), &some_counters()));
    assert_eq!(rows(&batch).unwrap(), some_rows());
}

/// What is written now is read by whoever reads version 1: the same columns, whatever the bytes.
#[test]
fn what_is_written_is_of_the_newest_version() {
    let now = whole(&header(), &some_counters(), Some(&some_rows()));
    // `APUS_GOLDEN=FILE cargo test -p wire` writes one for a new version; those that there are stay.
    if let Some(file) = std::env::var_os("APUS_GOLDEN") {
        std::fs::write(file, &now).unwrap();
    }
    let (now, golden) = (read(&now).unwrap(), read(&Bytes::from_static(VERSION_1)).unwrap());
    assert_eq!((now.header, now.counters), (golden.header, golden.counters));
}
