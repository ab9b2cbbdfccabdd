use std::collections::BTreeSet;

use tempfile::TempDir;

use super::*;
use crate::capture::Capture;
use crate::evidence::EvidenceOptions;

fn settings(folder: &Path) -> EvidenceSettings {
    let options = EvidenceOptions {
        folder: Some(folder.into()),
        file_bytes: Some(64 << 10),
        files: Some(3),
        ..EvidenceOptions::default()
    };
    options.resolve().expect("sound settings")
}

fn open(folder: &Path) -> Files {
    let mut files = Files::open(&settings(folder)).expect("a folder");
    files.set_interfaces(vec![(7, "eth0".into())]);
    files
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

fn block() -> Vec<u8> {
    let mut bytes = Vec::new();
    let frame = writer::Frame {
        interface: 0,
        unix_nanoseconds: 1,
        original_length: 60,
        bytes: &[2; 60],
        comment: "class scan",
    };
    while bytes.len() < 10_000 {
        writer::packet(&mut bytes, &frame);
    }
    bytes
}

#[test]
fn files_are_never_too_long_nor_too_many_and_others_are_left_alone() {
    let folder = TempDir::new().expect("a folder");
    let foreign = ["evidence.pcapng", "evidence-2026-000001.pcapng", "evidence-20260101T000000Z-1.pcapng"];
    foreign.iter().for_each(|name| fs::write(folder.path().join(name), "theirs").expect("a file"));
    let mut files = open(folder.path());
    for _ in 0..40 {
        files.write(&block()).expect("room");
        let own: Vec<PathBuf> = own_files(folder.path()).expect("a folder");
        assert!(own.len() <= 3, "{own:?}");
        assert!(own.iter().all(|path| path.metadata().expect("a file").len() <= 64 << 10));
    }
    drop(files);
    let names = names(folder.path());
    assert_eq!(names.len(), 3 + foreign.len());
    assert!(foreign.iter().all(|name| names.contains(*name)));
    assert!(!names.iter().any(|name| name.ends_with(PART)));
    for path in own_files(folder.path()).expect("a folder") {
        let mut capture = Capture::open(&path).expect("a capture");
        while capture.next_packet().expect("a whole file").is_some() {}
    }
}

#[test]
fn what_a_killed_agent_left_gets_its_name_and_is_readable() {
    let folder = TempDir::new().expect("a folder");
    let mut files = open(folder.path());
    files.write(&block()).expect("room");
    let name = names(folder.path()).pop_first().expect("a file");
    assert!(name.ends_with(".pcapng.part"), "{name}");
    // As a kill does it: nothing is closed.
    std::mem::forget(files.current.take());
    drop(files);
    assert_eq!(names(folder.path()).pop_first(), Some(name.clone()));
    let files = open(folder.path());
    let whole = name.strip_suffix(PART).expect("a part");
    assert!(names(folder.path()).contains(whole));
    assert!(matches!(Files::open(&settings(folder.path())), Err(EvidenceError::Busy { .. })));
    drop(files);
}

#[test]
fn an_interface_that_comes_later_begins_another_file() {
    let folder = TempDir::new().expect("a folder");
    let mut files = open(folder.path());
    files.write(&block()).expect("room");
    assert_eq!((files.interface(7), files.interface(9)), (Some(0), None));
    files.add_interface(9).expect("a file");
    assert_eq!(files.interface(9), Some(1));
    files.write(&block()).expect("room");
    assert_eq!(names(folder.path()).len(), 2);
}
