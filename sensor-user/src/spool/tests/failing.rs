//! Disks that fail in one way for long, and what is left when they no longer do.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::errno::Errno;

use super::super::record::{Mark, Record, Series};
use super::super::segments::Log;
use super::super::{Dropped, Interval, Name, Setup, Spool, SpoolError};
use super::disk::{Broken, Crash, FaultDisk};
use super::{all, interval, keep, limits, open, setup, sum};

const ROOM: u64 = 1 << 20;

fn segments(disk: &FaultDisk) -> usize {
    disk.names().iter().filter(|name| name.ends_with(".segment")).count()
}

fn total(spool: &Spool) -> u64 {
    all(spool).iter().map(|name| sum(&spool.read_counts(name).unwrap())).sum()
}

/// A spool that is heard.
fn heard(disk: &FaultDisk, limits: super::Limits) -> (Spool, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&lines);
    let say = Box::new(move |line: &str| ear.lock().unwrap().push(line.to_owned()));
    let (spool, _) = Spool::on(Arc::new(disk.clone()), Setup { say, ..setup(limits) }).unwrap();
    spool.release_all();
    (spool, lines)
}

#[test]
fn marks_that_cannot_be_written_leave_no_segments() {
    for code in [Errno::ENOSPC, Errno::EIO] {
        for removes in [false, true] {
            let disk = FaultDisk::new(0);
            let spool = open(&disk, limits(ROOM));
            for sequence in 0..5 {
                keep(&spool, &interval(sequence, 1, None));
            }
            disk.break_down(Broken { writes: Some(code), removes, ..Broken::default() });
            for attempt in 0..500 {
                let refused = spool.mark_attempted(&Name::one(1, attempt % 5));
                assert!(refused.is_err());
                assert!(spool.append(&interval(9, 1, None)).is_err());
            }
            let most = if removes { 20 } else { 2 };
            assert!(segments(&disk) <= most, "{code} {removes}: {}", segments(&disk));
            disk.break_down(Broken::default());
            assert_eq!(total(&spool), 5);
            for name in all(&spool) {
                spool.mark_attempted(&name).unwrap();
                spool.mark_stored(&name).unwrap();
            }
            keep(&spool, &interval(9, 1, None));
            assert!(segments(&disk) <= 2, "{:?}", disk.names());
            disk.crash(Crash::Lost);
            assert_eq!(total(&open(&disk, limits(ROOM))), 1);
        }
    }
}

#[test]
fn a_disk_that_fails_now_and_then_does_not_fill_the_spool_with_segments() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(100_000));
    for sequence in 0..400 {
        keep(&spool, &interval(sequence, 1, None));
        disk.raise_false_alarms(1);
    }
    assert!(segments(&disk) < 150, "{}", segments(&disk));
    assert_eq!(total(&spool), 400);
    disk.raise_false_alarms(0);
    disk.crash(Crash::Lost);
    assert_eq!(total(&open(&disk, limits(100_000))), 400);
}

#[test]
fn a_disk_that_somebody_else_has_filled_can_be_emptied() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(ROOM));
    for sequence in 0..4 {
        keep(&spool, &interval(sequence, 1, None));
    }
    disk.set_capacity(Some(disk.used()));
    assert!(matches!(spool.append(&interval(4, 1, None)), Err(SpoolError::Full { .. })));
    // Whatever the agent tried to no avail.
    for name in all(&spool) {
        spool.mark_attempted(&name).unwrap();
        spool.mark_stored(&name).unwrap();
    }
    assert_eq!(spool.status().intervals, 0);
    assert!(!disk.names().contains(&"reserve".to_owned()));
    disk.set_capacity(None);
    keep(&spool, &interval(4, 1, None));
    assert!(disk.names().contains(&"reserve".to_owned()));
    disk.crash(Crash::Lost);
    assert_eq!(total(&open(&disk, limits(ROOM))), 1);
}

#[test]
fn flows_that_cannot_be_read_now_can_be_later() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(ROOM));
    let given = interval(1, 1, Some(50));
    keep(&spool, &given);
    for code in [Errno::EMFILE, Errno::EIO, Errno::ENOMEM] {
        disk.break_down(Broken { reads: Some(("flows", code)), ..Broken::default() });
        let refused = spool.read(&given.name);
        assert!(
            matches!(&refused, Err(SpoolError::Read { file, .. }) if file.starts_with("flows")),
            "{refused:?}"
        );
    }
    disk.break_down(Broken::default());
    assert_eq!(spool.read(&given.name).unwrap().flows, given.flows);
    assert_eq!((spool.status().damaged_flows, spool.status().dropped), (0, Dropped::default()));
    disk.break_down(Broken { reads: Some(("flows", Errno::ENOENT)), ..Broken::default() });
    assert_eq!(spool.read(&given.name).unwrap().flows, None);
    assert_eq!(spool.status().damaged_flows, 1);
}

#[test]
fn a_clock_that_leaps_once_makes_nothing_old() {
    let disk = FaultDisk::new(0);
    let mut limits = limits(ROOM);
    limits.max_age = Duration::from_hours(24);
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&seconds);
    let clock = Arc::new(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
    let (spool, _) = Spool::on(Arc::new(disk), Setup { clock, ..setup(limits) }).unwrap();
    let day = 24 * 3600;
    for sequence in 0..20 {
        // One of them says that it ended a year later.
        let end = if sequence == 18 { 400 * day } else { sequence } * 1_000_000_000;
        keep(&spool, &Interval { end, ..interval(sequence, 1, Some(30)) });
        seconds.fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!((spool.status().dropped.intervals, spool.status().merged_intervals), (0, 0));
    // Two days later it is old.
    seconds.fetch_add(2 * day, Ordering::Relaxed);
    keep(&spool, &interval(2 * day, 1, Some(30)));
    let status = spool.status();
    assert!(status.dropped.intervals > 10 && status.merged_intervals > 10, "{status:?}");
    assert_eq!(total(&spool), 21);
}

#[test]
fn a_panic_leaves_nothing_half_done() {
    let disk = FaultDisk::new(0);
    let (spool, lines) = heard(&disk, limits(ROOM));
    keep(&spool, &interval(1, 1, None));
    disk.break_down(Broken { panics: true, ..Broken::default() });
    let panicked = catch_unwind(AssertUnwindSafe(|| spool.append(&interval(2, 7, None))));
    assert!(panicked.is_err());
    // The next fsync of the same file would have made it durable.
    spool.mark_attempted(&Name::one(1, 1)).unwrap();
    assert_eq!(lines.lock().unwrap().len(), 1);
    drop(spool);
    disk.crash(Crash::Kept);
    assert_eq!(open(&disk, limits(ROOM)).last(1), Some(Name::one(1, 1)));
}

#[test]
fn what_happens_is_told_and_not_told_a_thousand_times() {
    let disk = FaultDisk::new(0);
    let (spool, lines) = heard(&disk, limits(8_000));
    for sequence in 0..400 {
        keep(&spool, &interval(sequence, 1, Some(120)));
    }
    disk.break_down(Broken { writes: Some(Errno::EIO), ..Broken::default() });
    for _ in 0..100 {
        assert!(spool.append(&interval(400, 1, None)).is_err());
    }
    disk.break_down(Broken { removes: true, ..Broken::default() });
    for name in all(&spool) {
        // There is little room without removing anything.
        if spool.mark_attempted(&name).is_ok() {
            spool.mark_stored(&name).unwrap();
        }
    }
    let dropped = spool.status().dropped.intervals;
    drop(spool);
    let lines = lines.lock().unwrap();
    for (what, count) in [("are dropped", 1), ("are merged", 1), ("cannot merge", 1), ("cannot remove", 1)] {
        assert_eq!(lines.iter().filter(|line| line.contains(what)).count(), count, "{what}: {lines:#?}");
    }
    assert!(lines.len() < 12, "{lines:#?}");
    let intervals = |line: &String| {
        let mut words = line.split_once("flows of ")?.1.split(' ');
        words.next()?.parse::<u64>().ok()
    };
    assert_eq!(lines.iter().filter_map(intervals).sum::<u64>(), dropped);
}

#[test]
fn a_mark_that_was_lost_when_its_segment_ended_is_told_to_who_relies_on_it() {
    let disk = FaultDisk::new(0);
    let mut log = Log::new(Series::Counts, 100, BTreeMap::new(), 0);
    let mark = |sequence| Record::Mark(Mark::Attempted(Name::one(1, sequence)));
    log.write(&disk, &mark(1)).unwrap();
    disk.raise_false_alarms(1);
    // It begins another segment, whose fsync would say nothing of the first one.
    assert!(log.write(&disk, &mark(2)).is_err());
    assert!(log.write(&disk, &mark(2)).is_ok());
}

#[test]
fn damage_is_told() {
    let disk = FaultDisk::new(0);
    let (spool, lines) = heard(&disk, limits(ROOM));
    keep(&spool, &interval(1, 1, Some(50)));
    disk.break_down(Broken { reads: Some(("flows", Errno::ENOENT)), ..Broken::default() });
    assert!(spool.read(&Name::one(1, 1)).unwrap().flows.is_none());
    assert!(lines.lock().unwrap()[0].contains("are lost"));
}
