//! Files that something has happened to.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use caps::{CapSet, Capability};

use super::super::disk::Folder;
use super::super::record::{SEGMENT_HEADER, Series, segment_header};
use super::super::{Finding, LEAST_BYTES, Name, Say, Spool, SpoolError};
use super::{Sums, all, interval, keep, limits, setup, sum};

const COUNT: u64 = 5;

fn quiet() -> Say {
    Box::new(|_| {})
}

/// Opens the spool in a folder and lets everything out.
fn open(folder: &Path) -> (Spool, Vec<Finding>) {
    let (spool, findings) = Spool::open(folder, limits(LEAST_BYTES), Box::new(Sums), quiet()).unwrap();
    spool.release_all();
    (spool, findings)
}

fn file(folder: &Path, series: Series) -> PathBuf {
    folder.join(series.file(1))
}

/// A spool with some intervals, of value 1, 10, 100 and so on.
fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (spool, findings) = open(folder.path());
    assert_eq!(findings, []);
    for sequence in 0..COUNT {
        keep(&spool, &interval(sequence, 10_u64.pow(sequence as u32), Some(15)));
    }
    folder
}

fn total(spool: &Spool) -> u64 {
    all(spool).iter().map(|name| sum(&spool.read(name).unwrap().counts)).sum()
}

const RECORD: u64 = 20 + 72 + 40;

#[test]
fn a_tail_that_is_torn_costs_the_last_interval_and_nothing_else() {
    let folder = filled();
    let path = file(folder.path(), Series::Counts);
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len() as u64, SEGMENT_HEADER + COUNT * RECORD);
    for length in whole.len() - RECORD as usize..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (spool, findings) = open(folder.path());
        let expected = if length == whole.len() { 11_111 } else { 1_111 };
        assert_eq!(total(&spool), expected, "{length}");
        let offset = SEGMENT_HEADER + (COUNT - 1) * RECORD;
        let torn = length as u64 - offset;
        match findings.as_slice() {
            [] => assert!(torn == 0 || torn == RECORD),
            [Finding::Torn { offset: found, length, .. }] => assert_eq!((*found, *length), (offset, torn)),
            other => panic!("{other:?}"),
        }
        drop(spool);
        let _there = fs::remove_dir_all(folder.path().join("quarantine"));
    }
}

#[test]
fn a_flipped_bit_in_any_byte_costs_one_interval_at_most_and_is_told() {
    let folder = filled();
    for series in [Series::Counts, Series::Flows] {
        let path = file(folder.path(), series);
        let whole = fs::read(&path).unwrap();
        // Each bit of a segment has its turn where no file is written for it, among the tests of `scan`.
        for bit in (0..whole.len() * 8).step_by(7) {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            let (spool, findings) = open(folder.path());
            let (in_header, place) = ((bit as u64) < SEGMENT_HEADER * 8, bit as u64 / 8);
            let mut expected = 11_111;
            if series == Series::Counts && !in_header {
                expected -= 10_u64.pow(((place - SEGMENT_HEADER) / RECORD) as u32);
            }
            assert_eq!(total(&spool), expected, "{series:?} {bit}");
            let is_told = match series {
                Series::Counts => !findings.is_empty(),
                Series::Flows if in_header => !findings.is_empty(),
                Series::Flows => spool.status().damaged_flows == 1,
            };
            assert!(is_told, "{series:?} {bit}");
            let is_quarantined = spool.status().quarantined_bytes > 0;
            assert_eq!(is_quarantined, !in_header, "{series:?} {bit}");
            drop(spool);
            let _there = fs::remove_dir_all(folder.path().join("quarantine"));
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn what_is_damaged_while_it_is_open_is_given_up_once() {
    let folder = filled();
    let (spool, _) = open(folder.path());
    for (series, at) in
        [(Series::Counts, SEGMENT_HEADER + RECORD + 100), (Series::Flows, SEGMENT_HEADER + 50)]
    {
        let path = file(folder.path(), series);
        let mut bytes = fs::read(&path).unwrap();
        bytes[at as usize] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(spool.read(&Name::one(1, 0)).unwrap().flows, None);
    assert!(matches!(spool.read(&Name::one(1, 1)), Err(SpoolError::Damaged { .. })));
    assert!(matches!(spool.read(&Name::one(1, 1)), Err(SpoolError::Unknown { .. })));
    assert_eq!(total(&spool), 11_101);
    let status = spool.status();
    assert_eq!((status.damaged_intervals, status.damaged_flows, status.dropped.rows), (1, 1, 2));
    assert_eq!(fs::read_dir(folder.path().join("quarantine")).unwrap().count(), 2);
}

#[test]
fn what_may_have_been_sent_is_not_merged_after_damage() {
    let folder = filled();
    let (spool, _) = open(folder.path());
    spool.mark_attempted(&Name::one(1, 0)).unwrap();
    drop(spool);
    // Of the note that it was sent, one bit.
    let path = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let path = path.filter(|path| path.to_string_lossy().contains("counts")).max().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
    let (spool, findings) = open(folder.path());
    assert!(matches!(findings[..], [Finding::Damaged { .. }]), "{findings:?}");
    assert_eq!(spool.status().attempted, COUNT);
}

#[test]
fn flows_that_are_missing_are_found_and_not_dropped_anew_at_each_start() {
    let folder = filled();
    fs::remove_file(file(folder.path(), Series::Flows)).unwrap();
    for _ in 0..2 {
        let (spool, findings) = open(folder.path());
        assert_eq!(findings, [Finding::FlowsMissing { intervals: 5, rows: 10, packets: 15 }]);
        assert_eq!((total(&spool), spool.status().dropped.rows), (11_111, 0));
    }
}

#[test]
fn counts_that_are_missing_take_nothing_else_with_them() {
    let folder = filled();
    let (spool, _) = open(folder.path());
    keep(&spool, &interval(COUNT, 7, None));
    drop(spool);
    fs::remove_file(file(folder.path(), Series::Counts)).unwrap();
    let (spool, findings) = open(folder.path());
    assert_eq!((total(&spool), findings), (7, vec![]));
}

#[test]
fn foreign_files_are_left_alone_and_told() {
    let folder = filled();
    let copy = "counts-0000000009.segment";
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    fs::copy(file(folder.path(), Series::Counts), folder.path().join(copy)).unwrap();
    fs::create_dir(folder.path().join("flows-0000000009.segment")).unwrap();
    let (spool, findings) = open(folder.path());
    let foreign = |file: &str| Finding::Foreign { file: file.into() };
    assert_eq!(findings.len(), 3, "{findings:?}");
    for file in ["notes.txt", copy, "flows-0000000009.segment"] {
        assert!(findings.contains(&foreign(file)), "{file}: {findings:?}");
    }
    for name in all(&spool) {
        spool.mark_attempted(&name).unwrap();
        spool.mark_stored(&name).unwrap();
    }
    keep(&spool, &interval(COUNT, 7, Some(10)));
    assert!(folder.path().join(copy).exists() && folder.path().join("notes.txt").exists());
}

#[test]
fn another_version_is_refused_and_not_touched() {
    for series in [Series::Counts, Series::Flows] {
        let folder = filled();
        let mut newer = segment_header(series, 2);
        newer[8] = 7;
        let crc = crc32fast::hash(&newer[..20]);
        newer[20..].copy_from_slice(&crc.to_le_bytes());
        newer.extend(b"what is to come");
        let path = folder.path().join(series.file(2));
        fs::write(&path, &newer).unwrap();
        let refused = Spool::open(folder.path(), limits(LEAST_BYTES), Box::new(Sums), quiet()).err().unwrap();
        assert!(matches!(refused, SpoolError::Version { version: 7, .. }), "{refused}");
        assert_eq!(fs::read(path).unwrap(), newer);
        assert!(!folder.path().join("quarantine").exists());
    }
}

#[test]
fn an_empty_file_is_nothing() {
    let folder = filled();
    fs::write(folder.path().join(Series::Counts.file(2)), "").unwrap();
    fs::write(folder.path().join(Series::Flows.file(2)), "").unwrap();
    let (spool, findings) = open(folder.path());
    assert_eq!((total(&spool), findings), (11_111, vec![]));
    keep(&spool, &interval(COUNT, 7, Some(10)));
    assert!(!folder.path().join(Series::Counts.file(2)).exists());
}

#[test]
fn a_folder_is_one_agents() {
    let folder = filled();
    let (first, _) = open(folder.path());
    let second = Spool::open(folder.path(), limits(LEAST_BYTES), Box::new(Sums), quiet()).err().unwrap();
    assert!(matches!(&second, SpoolError::Busy { folder: named } if named == folder.path()), "{second}");
    drop(first);
    assert_eq!(total(&open(folder.path()).0), 11_111);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Spool::open(&file, limits(LEAST_BYTES), Box::new(Sums), quiet()).err().unwrap();
    assert!(matches!(&refused, SpoolError::Folder { folder, .. } if *folder == file), "{refused}");
    let locked = folder.path().join("locked");
    fs::DirBuilder::new().mode(0o500).create(&locked).unwrap();
    // Of this thread alone: whom no permission stops would see nothing of it.
    caps::drop(None, CapSet::Effective, Capability::CAP_DAC_OVERRIDE).unwrap();
    let refused = Spool::open(&locked, limits(LEAST_BYTES), Box::new(Sums), quiet()).err().unwrap();
    assert!(matches!(&refused, SpoolError::Folder { folder, .. } if *folder == locked), "{refused}");
    let small = Spool::open(folder.path(), limits(LEAST_BYTES - 1), Box::new(Sums), quiet()).err().unwrap();
    assert!(matches!(small, SpoolError::TooSmall { .. }));
}

#[test]
fn quarantine_is_bounded() {
    let folder = filled();
    let path = folder.path().join(Series::Counts.file(2));
    let mut bytes = segment_header(Series::Counts, 2);
    bytes.resize(200_000, 0x55);
    fs::write(path, bytes).unwrap();
    let (spool, findings) = open(folder.path());
    assert!(findings.iter().any(|finding| matches!(finding, Finding::QuarantineFull { .. })), "{findings:?}");
    assert_eq!((total(&spool), spool.status().quarantined_bytes), (11_111, 0));
}

#[test]
fn real_files_roll_are_removed_and_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let disk = Folder::open(folder.path()).unwrap();
        let (spool, findings) = Spool::on(Arc::new(disk), setup(limits(20_000))).unwrap();
        // Nobody notes which flows were dropped for room: they are not there.
        assert!(matches!(findings[..], [] | [Finding::FlowsMissing { .. }]), "{findings:?}");
        spool.release_all();
        spool
    };
    let mut expected = 0;
    for round in 0..3 {
        let spool = open();
        assert_eq!(total(&spool), expected);
        for sequence in round * 100..(round + 1) * 100 {
            keep(&spool, &interval(sequence, sequence, Some(60)));
            expected += sequence;
        }
        let status = spool.status();
        assert!(status.bytes <= 20_000 && status.dropped.intervals > 0, "{status:?}");
    }
    assert!(open().status().intervals > 0);
}
