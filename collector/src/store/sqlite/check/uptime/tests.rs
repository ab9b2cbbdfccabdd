use super::super::super::{SqliteOptions, SqliteStore};
use crate::store::Store as _;
use crate::store::conformance::{Sample, breaches, flow};

#[test]
fn times_that_cannot_be_are_told_and_the_others_are_looked_at_all_the_same() {
    let start = 1_767_225_600_000_000_000;
    let beyond = super::LATEST + 1;
    let damages = [
        (format!("\"end\" = {}", start - 1), "cannot be"),
        ("start = -1".to_owned(), "cannot be"),
        (format!("start = {}, \"end\" = {}", i64::MIN, i64::MIN), "cannot be"),
        (format!("start = {}, \"end\" = {}", i64::MIN, i64::MAX), "cannot be"),
        ("start = -1, \"end\" = -1".to_owned(), "cannot be"),
        (format!("\"end\" = {beyond}"), "cannot be"),
        (format!("start = {}, \"end\" = {}", i64::MAX, i64::MAX), "cannot be"),
        // It can be, but covers more days than are noted.
        (format!("\"end\" = {}", start + 3 * super::NANOSECONDS_OF_DAY), "are not noted"),
    ];
    for (damage, expected) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let mut store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
        let samples = ["osaka", "tokyo"]
            .map(|sensor| Sample::new(sensor, 1, start).with([flow("192.0.2.1", 6, 23, 1, start)]));
        store.commit(&samples.map(|sample| sample.incoming())).unwrap();
        let of = "WHERE sensor = (SELECT id FROM sensor WHERE name = 'osaka')";
        let batch = format!(
            "UPDATE interval_raw SET {damage} {of};
             UPDATE uptime_day_raw SET nanoseconds = 7 WHERE sensor = (SELECT id FROM sensor WHERE name = 'tokyo')"
        );
        store.connection.execute_batch(&batch).unwrap();
        let found = breaches(&*store.reader().unwrap());
        let damaged: Vec<_> = found.iter().filter(|what| what.contains("cannot be;")).collect();
        assert_eq!(damaged.len(), usize::from(expected == "cannot be"), "{damage}: {found:?}");
        assert!(
            damaged.iter().all(|what| what.contains("sensor osaka, epoch 17") && what.contains("interval 1"))
        );
        for words in [expected, "sensor tokyo: 7 ns are noted", "sensor osaka"] {
            assert!(found.iter().any(|what| what.contains(words)), "{damage}: {words}: {found:?}");
        }
    }
}
