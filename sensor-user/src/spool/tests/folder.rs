//! Real folders that something happens to under a running agent, and how large a spool has to be.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::super::record::{Series, segment_header};
use super::super::{Interval, LEAST_BYTES, RESERVE_BYTES, Spool, SpoolError};
use super::{Sums, all, counts, interval, keep, limits};

fn open(folder: &Path, max_bytes: u64) -> Spool {
    let (spool, _) = Spool::open(folder, limits(max_bytes), Box::new(Sums), Box::new(|_| {})).unwrap();
    spool.release_all();
    spool
}

#[test]
fn a_folder_that_is_gone_or_another_keeps_nothing() {
    for replaced in [false, true] {
        let parent = tempfile::tempdir().unwrap();
        let (folder, aside) = (parent.path().join("spool"), parent.path().join("aside"));
        let spool = open(&folder, LEAST_BYTES);
        let given = interval(1, 1, Some(10));
        keep(&spool, &given);
        fs::rename(&folder, &aside).unwrap();
        if replaced {
            fs::create_dir(&folder).unwrap();
        }
        let refused = spool.append(&interval(2, 1, None)).unwrap_err();
        assert!(refused.to_string().contains("not the one that was opened"), "{refused}");
        assert!(spool.mark_attempted(&given.name).is_err() && spool.read(&given.name).is_err());
        if replaced {
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "it is none of ours");
            fs::remove_dir(&folder).unwrap();
        }
        // Put back, it goes on, and has lost nothing.
        fs::rename(&aside, &folder).unwrap();
        keep(&spool, &interval(2, 1, None));
        assert_eq!(spool.read(&given.name).unwrap().flows, given.flows);
        drop(spool);
        assert_eq!(all(&open(&folder, LEAST_BYTES)).len(), 2);
    }
}

#[test]
fn an_interval_is_not_kept_in_a_file_that_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), LEAST_BYTES);
    keep(&spool, &interval(1, 1, None));
    fs::remove_file(folder.path().join(Series::Counts.file(1))).unwrap();
    keep(&spool, &interval(2, 1, None));
    drop(spool);
    assert_eq!(all(&open(folder.path(), LEAST_BYTES)), [interval(2, 1, None).name]);
}

#[test]
fn the_reserve_takes_its_room_on_the_disk() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let _spool = open(folder.path(), LEAST_BYTES);
    let reserve = fs::metadata(folder.path().join("reserve")).unwrap();
    assert_eq!(reserve.len(), RESERVE_BYTES);
    assert!(reserve.blocks() * 512 >= RESERVE_BYTES, "{} blocks", reserve.blocks());
}

#[test]
fn a_spool_that_is_too_small_says_how_large_it_has_to_be() {
    for length in [600_000, 5_000_000] {
        let long = |sequence| Interval { counts: counts(1, 0, length), ..interval(sequence, 1, None) };
        let folder = tempfile::tempdir().unwrap();
        let refused = open(folder.path(), LEAST_BYTES).append(&long(1)).unwrap_err();
        let SpoolError::TooSmallFor { needed, max_bytes: LEAST_BYTES, .. } = refused else {
            panic!("{refused}")
        };
        let refused = open(folder.path(), needed - 1).append(&long(1)).unwrap_err();
        assert!(matches!(refused, SpoolError::TooSmallFor { .. }), "{refused}");
        keep(&open(folder.path(), needed), &long(1));
        // One that could be kept in an empty spool is told otherwise.
        let full = open(folder.path(), needed);
        let refused = (2..9).find_map(|sequence| full.append(&long(sequence)).err()).unwrap();
        assert!(matches!(refused, SpoolError::Full { .. }), "{refused}");
    }
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Where the process of its own finds what it opens.
const GARBAGE: &str = "APUS_TEST_SPOOL_OF_GARBAGE";

#[test]
fn a_spool_of_garbage_is_not_held_in_memory() {
    const EACH: u64 = 2 << 20;
    const FILES: u64 = 32;
    if let Some(folder) = std::env::var_os(GARBAGE) {
        let before = peak();
        let spool = open(Path::new(&folder), FILES * EACH * 2);
        let status = spool.status();
        assert!(status.intervals == 0 && status.quarantined_bytes >= EACH, "{status:?}");
        let more = peak() - before;
        assert!(more < 8 * EACH, "{more} bytes");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=FILES {
        let path = folder.path().join(Series::Counts.file(number));
        fs::write(&path, segment_header(Series::Counts, number)).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(EACH).unwrap();
    }
    // Memory is a process's: other tests have theirs.
    let module = module_path!().split_once("::").unwrap().1;
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::a_spool_of_garbage_is_not_held_in_memory"), "--nocapture"])
        .env(GARBAGE, folder.path())
        .status()
        .unwrap();
    assert!(status.success());
}
