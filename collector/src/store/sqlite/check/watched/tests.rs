use super::super::super::{SqliteOptions, SqliteStore, schema};
use crate::retention::Retention;
use crate::store::conformance::{Sample, breaches, flow};
use crate::store::{Day, NANOSECONDS_OF_DAY, Outcome, Store as _};
use wire::{FlowKey, Header};

const FIRST: Day = Day(20_500);
/// What is watched on the first day, by both sensors and by the one of them alone.
const SHARED: u16 = 1_024;
const OWN: u16 = 5_656;

/// Of a source that all sensors see, and of one that a single sensor sees, with a window.
fn rows(own: (u8, u16), seen: u64) -> Vec<wire::Row> {
    let row = |number: u8, window| wire::Row { window, ..flow(&format!("192.0.2.{number}"), 6, 23, 1, seen) };
    vec![row(1, Some(SHARED)), row(1, None), row(own.0, Some(own.1))]
}

/// Half a day of two sensors, and one of no length; and what has come since.
fn store(keep_flows: bool) -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { keep_flows, ..SqliteOptions::default() };
    let mut store = SqliteStore::open(&folder.path().join("store"), options).unwrap();
    let of = |sensor: &str, own, (start, end): (u64, u64), key, watched: &[u16]| {
        let sample = Sample { key, ..Sample::new(sensor, 1, start).with(rows(own, start)) };
        let sample = Sample { end, ..sample };
        sample.encoded(&Header { watched_windows: watched.to_vec(), ..sample.header() })
    };
    let start = FIRST.start() + NANOSECONDS_OF_DAY / 4;
    let half = (start, start + NANOSECONDS_OF_DAY / 2);
    let late = (start + 20 * NANOSECONDS_OF_DAY, start + 21 * NANOSECONDS_OF_DAY);
    let group = [
        of("tokyo", (2, OWN), half, FlowKey::Source, &[SHARED, OWN]),
        of("osaka", (3, OWN), half, FlowKey::Source, &[SHARED]),
        of("kyoto", (4, 7), (start, start), FlowKey::Source, &[SHARED, 7]),
        of("kobe", (5, OWN), half, FlowKey::FlowTuple, &[SHARED, OWN, 7]),
        of("nara", (6, OWN), late, FlowKey::Source, &[SHARED]),
    ];
    assert_eq!(store.commit(&group).unwrap(), [const { Outcome::Stored }; 5]);
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
    (folder, store)
}

fn retain(store: &mut SqliteStore, flow_days: Option<u32>, counter_days: Option<u32>) {
    let retention = Retention { flow_days, counter_days, rollup_days: None, hour_days: None };
    while !store.retain(&retention, Day(FIRST.0 + 21), 1_000).unwrap().done {}
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
}

/// What is told of a damage, which is undone.
fn found(store: &SqliteStore, damage: &str) -> Vec<String> {
    store.connection.execute_batch("SAVEPOINT before").unwrap();
    assert!(store.connection.execute(damage, []).unwrap() > 0, "{damage}");
    let mut found = Vec::new();
    super::super::check(&store.connection, &mut |finding| found.push(finding));
    store.connection.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
    let breaches = found.into_iter().filter(|finding| finding.kind == crate::store::FindingKind::Breach);
    breaches.map(|finding| finding.what).collect()
}

/// Gives rows of the first day with a window another one; none where that is -1.
fn with_window(window: i64, rows: &str) -> String {
    format!(
        "UPDATE source_day_raw SET kind = (kind & ~(131071 << 32)) | (({window} + 1) << 32)
         WHERE day = {} AND {rows}",
        FIRST.0
    )
}

fn of_window(window: u16) -> String {
    format!("(kind >> 32) & 131071 = {window} + 1")
}

#[test]
fn flows_tell_each_window_while_they_are_kept() {
    let (_folder, store) = store(true);
    let damages = [
        with_window(-1, &of_window(OWN)),
        with_window(OWN.into(), &of_window(SHARED)),
        with_window(9, &of_window(OWN)),
        with_window(
            SHARED.into(),
            "source = (SELECT source FROM source_day_raw ORDER BY day, source DESC LIMIT 1)",
        ),
    ];
    for damage in damages {
        let found = found(&store, &damage);
        assert_eq!(found.len(), 1, "{damage}: {found:?}");
        assert!(found[0].starts_with(&format!("source_day of {FIRST}: ")), "{damage}: {found:?}");
    }
}

#[test]
fn afterwards_none_is_told_that_was_not_watched() {
    // Rows that were never kept, and that are gone.
    for (keep_flows, flow_days) in [(false, None), (true, Some(5))] {
        let (_folder, mut store) = store(keep_flows);
        retain(&mut store, flow_days, None);
        // Whoever sees a window has to have watched it: tokyo saw its own one.
        for (window, count) in [(OWN, 1), (SHARED, 2)] {
            let found = found(&store, &with_window(9, &of_window(window)));
            // The interval of kyoto without any length tells of its windows, too.
            let is_of_kyoto = usize::from(window == SHARED);
            assert_eq!(found.len(), count + is_of_kyoto, "{window}: {found:?}");
            assert!(found.iter().all(|what| what.ends_with("were seen by it, such as 9")), "{found:?}");
            assert!(
                found.iter().any(|what| what.starts_with(&format!("source_day of {FIRST}, sensor tokyo: 1")))
            );
        }
        // Osaka did not watch what tokyo did.
        let found_of_other = found(&store, &with_window(OWN.into(), &of_window(SHARED)));
        assert!(
            found_of_other.iter().any(|what| what.contains("sensor osaka: 1 windows")),
            "{found_of_other:?}"
        );
        assert!(!found_of_other.iter().any(|what| what.contains("tokyo")), "{found_of_other:?}");
        // Nor is there anybody to have watched it.
        for (sensors, words) in
            [("9", "sensor number 9, which"), ("4611686018427387904", "sensors that cannot be")]
        {
            let damage = format!("UPDATE source_day_raw SET sensors = {sensors} WHERE {}", of_window(OWN));
            let found = found(&store, &damage);
            assert_eq!(found.len(), 1, "{damage}: {found:?}");
            assert!(found.iter().all(|what| what.contains(words)), "{damage}: {found:?}");
        }
        // Which of the watched ones it was, or that it was one, nothing tells.
        assert_eq!(found(&store, &with_window(SHARED.into(), &of_window(OWN))), [""; 0]);
        assert_eq!(found(&store, &with_window(-1, &of_window(OWN))), [""; 0]);
    }
}

#[test]
fn where_intervals_are_gone_none_is_told() {
    let (_folder, mut store) = store(true);
    retain(&mut store, Some(5), Some(6));
    assert_eq!(found(&store, &with_window(9, &of_window(OWN))), [""; 0]);
}

#[test]
fn of_days_of_before_windows_were_noted_nothing_is_told() {
    let (folder, mut store) = store(true);
    retain(&mut store, Some(5), Some(6));
    schema::back_to(&store.connection, 5);
    drop(store);
    let store = SqliteStore::open(&folder.path().join("store"), SqliteOptions::default()).unwrap();
    assert_eq!(breaches(&*store.reader().unwrap()), [""; 0]);
    assert_eq!(found(&store, &with_window(9, &of_window(OWN))), [""; 0]);
}
