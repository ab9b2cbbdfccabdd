//! What goes when there is no room, in which order, and what never does.

use std::time::Duration;

use super::super::{Interval, Name, SpoolError};
use super::disk::FaultDisk;
use super::{all, counts, interval, keep, limits, open, sum};

/// What all that can be read adds up to.
fn total(spool: &super::Spool) -> u64 {
    all(spool).iter().map(|name| sum(&spool.read_counts(name).unwrap())).sum()
}

#[test]
fn flows_go_first_and_are_counted_and_then_the_oldest_become_coarsest() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(8_000));
    let mut sequence = 0;
    while spool.status().dropped.intervals == 0 {
        keep(&spool, &interval(sequence, 1, Some(120)));
        sequence += 1;
    }
    let status = spool.status();
    assert_eq!((status.merged_intervals, status.intervals), (0, sequence));
    let without = all(&spool).iter().filter(|name| spool.read(name).unwrap().flows.is_none()).count() as u64;
    assert_eq!((status.dropped.intervals, status.dropped.rows), (without, 2 * without));
    assert_eq!(status.dropped.packets, 3 * without);
    assert!(spool.read(&all(&spool)[0]).unwrap().flows.is_none(), "the oldest go first");

    for _ in 0..400 {
        keep(&spool, &interval(sequence, 1, Some(120)));
        sequence += 1;
        assert!(spool.status().bytes <= 8_000);
    }
    assert!(spool.status().merged_intervals > 0);
    assert_eq!(total(&spool), sequence);
    let names = all(&spool);
    assert!(names[0].width() > names[names.len() - 1].width(), "{names:?}");
}

#[test]
fn what_was_attempted_is_left_as_it_is_and_in_the_end_the_spool_is_full() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(6_000));
    let mut sequence = 0;
    let refused = loop {
        match spool.append(&interval(sequence, 1, None)) {
            Ok(_) => {
                let name = Name::one(1, sequence);
                spool.release(&name).unwrap();
                spool.mark_attempted(&name).unwrap();
                sequence += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, SpoolError::Full { .. }), "{refused}");
    assert!(sequence > 10);
    assert_eq!(all(&spool), (0..sequence).map(|sequence| Name::one(1, sequence)).collect::<Vec<_>>());
    // Room comes back as the collector answers, whichever it answers.
    for name in all(&spool).into_iter().step_by(2) {
        spool.mark_stored(&name).unwrap();
    }
    keep(&spool, &interval(sequence, 1, None));
    assert_eq!(total(&spool), sequence / 2 + 1);
}

#[test]
fn what_cannot_be_one_is_not_merged() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(5_000));
    let mut kept = 0;
    for sequence in 0..200 {
        // Another sensor every third time.
        let interval =
            Interval { counts: counts(1, (sequence / 3 % 2) as u8, 40), ..interval(sequence, 1, None) };
        if spool.append(&interval).is_err() {
            break;
        }
        spool.release(&interval.name).unwrap();
        kept += 1;
    }
    assert!(kept < 200 && all(&spool).iter().all(|name| name.first / 3 == name.last / 3));
    assert_eq!(total(&spool), kept);
}

#[test]
fn what_is_old_loses_its_flows_and_is_merged_the_more_the_older_it_is() {
    let disk = FaultDisk::new(0);
    let mut limits = limits(1 << 20);
    limits.max_age = Duration::from_secs(50);
    let spool = open(&disk, limits);
    for sequence in 0..300 {
        keep(&spool, &interval(sequence, 1, Some(20)));
    }
    assert_eq!(total(&spool), 300);
    let names = all(&spool);
    let widths: Vec<u64> = names.iter().map(super::super::Name::width).collect();
    assert!(widths.is_sorted_by(|older, younger| older >= younger), "{widths:?}");
    assert!(widths[0] >= 127 && names.len() < 90, "{widths:?}");
    assert!(names.iter().all(|name| name.last >= 249 - 60 || spool.read(name).unwrap().flows.is_none()));
    assert!(spool.read(&Name::one(1, 299)).unwrap().flows.is_some());
}

#[test]
fn a_full_disk_costs_flows_before_it_costs_an_interval() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(1 << 20));
    disk.set_capacity(Some(6_000));
    let mut sequence = 0;
    while spool.append(&interval(sequence, 1, Some(100))).is_ok() {
        spool.release(&Name::one(1, sequence)).unwrap();
        sequence += 1;
    }
    let status = spool.status();
    assert!(status.dropped.intervals > 0 && sequence > 25, "{sequence}: {status:?}");
    assert_eq!(total(&spool), sequence);
    disk.set_capacity(None);
    keep(&spool, &interval(sequence, 1, Some(100)));
    assert_eq!(total(&spool), sequence + 1);
}

#[test]
fn flows_that_are_too_long_are_left_out() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(5_000));
    assert!(!keep(&spool, &interval(0, 9, Some(4_900))));
    assert_eq!((total(&spool), spool.status().dropped.rows), (9, 2));
    let long = Interval { counts: counts(1, 0, 5_000), ..interval(1, 1, None) };
    assert!(matches!(spool.append(&long), Err(SpoolError::TooSmallFor { .. })));
    assert!(keep(&spool, &interval(1, 9, Some(100))));
}
