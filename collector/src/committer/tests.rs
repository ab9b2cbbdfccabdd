use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::store::conformance::{Sample, flow, packets};
use crate::store::sqlite::{SqliteOptions, SqliteReader, SqliteStore};
use crate::store::{Day, Reader, Retained, StoreError};

fn sample(sequence: u64) -> Sample {
    let start = 1_767_225_600_000_000_000 + sequence * 60_000_000_000;
    Sample::new(&format!("tokyo-{sequence}"), sequence, start).with([flow("192.0.2.1", 6, 23, 1, start)])
}

fn store(folder: &Path) -> Box<dyn Store> {
    Box::new(SqliteStore::open(&folder.join("store"), SqliteOptions::default()).unwrap())
}

type Answers = mpsc::Receiver<(u64, Result<Outcome, CommitError>)>;

/// Hands in batches, and gives where the answers come.
fn submit(submitter: &Submitter, sequences: impl IntoIterator<Item = u64>) -> Answers {
    let (tell, answers) = mpsc::channel();
    for sequence in sequences {
        let tell = tell.clone();
        let reply: Reply = Box::new(move |result| {
            let _receiver_may_be_gone = tell.send((sequence, result));
        });
        submitter.submit(sample(sequence).incoming(), reply).unwrap();
    }
    answers
}

#[test]
fn each_is_answered_once_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let settings = CommitSettings { commit_seconds: 0.05, ..CommitSettings::default() };
    let committer = Committer::start(store(folder.path()), settings, || ()).unwrap();
    let submitter = committer.submitter().unwrap();
    let answers = submit(&submitter, (1..20).chain([5]));
    for (sequence, result) in answers.iter().take(1) {
        assert_eq!(result, Ok(Outcome::Stored));
        let reader = SqliteReader::open(&folder.path().join("store")).unwrap();
        assert!(packets(&reader) >= sequence);
    }
    drop(submitter);
    committer.finish();
    let outcomes: Vec<_> = answers.iter().map(|(_, result)| result.unwrap()).collect();
    let again = outcomes.iter().filter(|outcome| **outcome == Outcome::AlreadyStored).count();
    assert_eq!((outcomes.len(), again), (19, 1));
    let reader = SqliteReader::open(&folder.path().join("store")).unwrap();
    assert_eq!(packets(&reader), 19);
}

/// A store whose disk is full for so many commits, and that waits for a word before each.
struct Stubborn {
    store: Box<dyn Store>,
    failures: u32,
    go: mpsc::Receiver<()>,
    groups: mpsc::Sender<usize>,
}

impl Store for Stubborn {
    fn commit(&mut self, group: &[Incoming]) -> Result<Vec<Outcome>, StoreError> {
        self.groups.send(group.len()).unwrap();
        self.go.recv().unwrap();
        if self.failures > 0 {
            self.failures -= 1;
            return Err(StoreError::Full { what: "as the test has it".into() });
        }
        self.store.commit(group)
    }

    fn retain(&mut self, retention: &Retention, today: Day, most: u32) -> Result<Retained, StoreError> {
        self.store.retain(retention, today, most)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.store.reader()
    }
}

#[test]
fn a_failure_is_told_and_the_store_goes_on_and_what_waits_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let (go, wait) = mpsc::channel();
    let (groups, sizes) = mpsc::channel();
    let stubborn = Stubborn { store: store(folder.path()), failures: 1, go: wait, groups };
    let bytes = sample(1).incoming().bytes;
    let settings =
        CommitSettings { commit_seconds: 0.0, waiting_bytes: bytes * 3 + 2, ..CommitSettings::default() };
    let committer = Committer::start(Box::new(stubborn), settings, || ()).unwrap();
    let submitter = committer.submitter().unwrap();
    let first = submit(&submitter, [1]);
    // While the first is being committed, the others gather.
    assert_eq!(sizes.recv(), Ok(1));
    let others = submit(&submitter, [2, 3]);
    assert_eq!(submitter.submit(sample(4).incoming(), Box::new(|_| panic!())), Err(NotTaken::Busy));
    go.send(()).unwrap();
    let (_, result) = first.recv().unwrap();
    assert!(matches!(result, Err(CommitError::TryAgain { .. })), "{result:?}");
    go.send(()).unwrap();
    go.send(()).unwrap();
    let results: Vec<_> = others.iter().take(2).map(|(_, result)| result).collect();
    assert_eq!(results, [Ok(Outcome::Stored), Ok(Outcome::Stored)]);
    let again = submit(&submitter, [1]);
    go.send(()).unwrap();
    assert_eq!(again.recv_timeout(Duration::from_secs(60)).unwrap().1, Ok(Outcome::Stored));
    drop(submitter);
    committer.finish();
    let reader = SqliteReader::open(&folder.path().join("store")).unwrap();
    assert_eq!(packets(&reader), 3);
}

#[test]
fn who_waits_for_a_committer_that_is_gone_is_told() {
    struct Panics;
    impl Store for Panics {
        fn commit(&mut self, _: &[Incoming]) -> Result<Vec<Outcome>, StoreError> {
            panic!("as the test has it");
        }
        fn retain(&mut self, _: &Retention, _: Day, _: u32) -> Result<Retained, StoreError> {
            Ok(Retained { rows_removed: 0, done: true })
        }
        fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
            Err(StoreError::Rows(String::new()))
        }
    }
    let settings = CommitSettings { commit_seconds: 0.0, ..CommitSettings::default() };
    let (tell, crashed) = mpsc::channel();
    let committer = Committer::start(Box::new(Panics), settings, move || tell.send(()).unwrap()).unwrap();
    assert!(committer.is_running());
    let submitter = committer.submitter().unwrap();
    let answers = submit(&submitter, [1]);
    assert_eq!(answers.recv().unwrap().1, Err(CommitError::Stopping));
    // Who serves learns it, too.
    assert_eq!(crashed.recv(), Ok(()));
    while submitter.submit(sample(2).incoming(), Box::new(drop)) != Err(NotTaken::Stopping) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!submitter.is_running());
    while committer.is_running() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_committer_that_is_finished_has_not_crashed() {
    let folder = tempfile::tempdir().unwrap();
    let committer =
        Committer::start(store(folder.path()), CommitSettings::default(), || panic!("it has")).unwrap();
    committer.finish();
}
