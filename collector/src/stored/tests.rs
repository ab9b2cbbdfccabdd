use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::config::Options;
use crate::store::conformance::{Sample, flow};
use crate::store::{Day, Period, counts_hash};
use crate::testing;

fn settings(folder: &Path) -> Settings {
    Options { data: Some(folder.into()), ..Options::default() }.resolve().unwrap()
}

fn submit(intake: &dyn Intake, sample: &testing::Sample) -> Result<Receipt, IntakeError> {
    let bytes = sample.bytes();
    let batch = wire::Batch::read(&bytes, &wire::Limits::default()).unwrap();
    let arrived = sample.header.end;
    let (sender, receiver) = mpsc::channel();
    let reply: Reply = Box::new(move |result| sender.send(result).unwrap());
    intake.submit(Accepted { batch, bytes, arrived, sent: None }, reply);
    receiver.recv().unwrap()
}

#[test]
fn no_store_is_made_where_one_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder.path().join("data"));
    let error = open(&settings, Opening::Existing, || ()).err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, OpenError::Missing { .. }) && text.contains("--create"), "{text}");
    assert!(text.contains(&*settings.store_file().to_string_lossy()), "{text}");
    assert!(!settings.data.exists());
    for opening in [Opening::Create, Opening::Existing] {
        let (committer, stored) = open(&settings, opening, || ()).unwrap();
        drop(stored);
        committer.finish();
    }
}

#[test]
fn an_index_of_regions_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let regions = folder.path().join("regions");
    std::fs::create_dir(&regions).unwrap();
    std::fs::write(regions.join("index.json"), "{").unwrap();
    let error = open(&settings(folder.path()), Opening::Create, || ()).err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, OpenError::Regions(_)) && text.contains("index.json"), "{text}");
}

#[test]
fn one_process_serves_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let serving = Serving::take(&settings).unwrap();
    assert!(matches!(Serving::take(&settings), Err(OpenError::Served { .. })));
    drop(serving);
    assert!(Serving::take(&settings).is_ok());
}

#[test]
fn an_import_removes_nothing_that_has_outlived_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    let old = Day(20_000).start();
    let sample = Sample::new("tokyo", 1, old).with([flow("192.0.2.1", 6, 23, 1, old)]);
    let mut store = SqliteStore::open(&settings.store_file(), SqliteOptions::default()).unwrap();
    crate::store::Store::commit(&mut store, &[sample.incoming()]).unwrap();
    drop(store);
    let intervals = |settings: &Settings| {
        SqliteReader::open(&settings.store_file())
            .unwrap()
            .intervals(Some("tokyo"), Period::ALL)
            .unwrap()
            .len()
    };
    let run = |settings: &Settings, sequence| {
        let (committer, stored) = open(settings, Opening::Existing, || ()).unwrap();
        let stored = Patient(stored);
        assert!(submit(&stored, &testing::Sample::new("today", sequence)).is_ok());
        // The thread looks after the group whether there is something to remove.
        drop(stored);
        committer.finish();
    };
    let configured = settings.store;
    settings.store = configured.adding();
    run(&settings, 1);
    assert_eq!(intervals(&settings), 1);
    settings.store = configured;
    settings.store.commit.commit_seconds = 0.0;
    run(&settings, 2);
    assert_eq!(intervals(&settings), 0, "what the configuration says is done by who serves");
}

#[test]
fn an_import_waits_while_another_process_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store = settings.store.adding();
    let (_committer, stored) = open(&settings, Opening::Create, || ()).unwrap();
    let other = rusqlite::Connection::open(settings.store_file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let free = Arc::new(AtomicBool::new(false));
    let is_free = Arc::clone(&free);
    let waits = std::thread::spawn(move || {
        // Longer than the store itself waits.
        std::thread::sleep(Duration::from_secs(12));
        is_free.store(true, Ordering::SeqCst);
        other.execute_batch("COMMIT").unwrap();
    });
    assert!(submit(&Patient(stored), &testing::Sample::new("a", 1)).is_ok());
    assert!(free.load(Ordering::SeqCst));
    waits.join().unwrap();
}

#[test]
fn what_no_store_can_hold_is_no_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let (_committer, stored) = open(&settings(folder.path()), Opening::Create, || ()).unwrap();
    let mut sample = testing::Sample::new("a", 1);
    sample.header.last = u64::MAX;
    let result = submit(&stored, &sample);
    assert!(matches!(result, Err(IntakeError::Refused(_))), "{result:?}");
}

#[test]
fn what_was_imported_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let (committer, stored) = open(&settings, Opening::Create, || ()).unwrap();
    let sample = testing::Sample::new("a", 1);
    let (name, hash) = (sample.header.name(), counts_hash(&sample.counts()));
    let known = Known::open(&settings).unwrap();
    assert!(!known.is_stored("a", name, &hash));
    submit(&stored, &sample).unwrap();
    assert!(known.is_stored("a", name, &hash));
    assert!(!known.is_stored("a", name, &[0; 32]) && !known.is_stored("b", name, &hash));
    drop(stored);
    committer.finish();
}
