//! What each call promises, on a disk that works.

use std::sync::Arc;

use super::super::{Interval, Name, Spool, SpoolError};
use super::disk::{Crash, FaultDisk};
use super::{all, interval, keep, limits, open, setup, sum};

const ROOM: u64 = 1 << 20;

#[test]
fn an_interval_comes_back_as_it_was_given() {
    let disk = FaultDisk::new(0);
    let given = interval(7, 42, Some(100));
    let spool = open(&disk, limits(ROOM));
    assert!(keep(&spool, &given));
    for spool in [spool, {
        disk.crash(Crash::Lost);
        open(&disk, limits(ROOM))
    }] {
        let batch = spool.read(&given.name).unwrap();
        assert_eq!((batch.end, &batch.counts, &batch.flows), (given.end, &given.counts, &given.flows));
        assert_eq!((batch.flow_rows, batch.flow_packets), (given.flow_rows, given.flow_packets));
    }
}

#[test]
fn nothing_is_sent_before_it_is_released() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(ROOM));
    let name = interval(1, 1, None).name;
    let _kept = spool.append(&interval(1, 1, None)).unwrap();
    assert_eq!((all(&spool), spool.last(1), spool.last(2)), (vec![], Some(name), None));
    assert!(matches!(spool.mark_attempted(&name), Err(SpoolError::Unreleased { .. })));
    drop(spool);
    let (spool, _) = Spool::on(Arc::new(disk), setup(limits(ROOM))).unwrap();
    assert_eq!((all(&spool), spool.last(1)), (vec![], Some(name)));
    assert_eq!(sum(&spool.read_counts(&name).unwrap()), 1);
    spool.release_all();
    assert_eq!(all(&spool), [name]);
}

#[test]
fn the_oldest_come_first_without_those_on_their_way() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(ROOM));
    for (epoch, sequence) in [(2, 1), (1, 9), (1, 10), (2, 0)] {
        let name = Name::one(epoch, sequence);
        keep(&spool, &Interval { name, ..interval(0, 1, None) });
    }
    let names = [Name::one(1, 9), Name::one(1, 10), Name::one(2, 0), Name::one(2, 1)];
    assert_eq!(all(&spool), names);
    assert_eq!(spool.oldest(2, &|name| [names[0], names[2]].contains(name)), [names[1], names[3]]);
}

#[test]
fn what_is_stored_is_gone_and_its_files_are() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(ROOM));
    for sequence in 0..60 {
        keep(&spool, &interval(sequence, 1, Some(50)));
    }
    let full = disk.used();
    for name in all(&spool) {
        spool.mark_attempted(&name).unwrap();
        spool.mark_stored(&name).unwrap();
        assert!(matches!(spool.mark_stored(&name), Err(SpoolError::Unknown { .. })));
        assert!(matches!(spool.read(&name), Err(SpoolError::Unknown { .. })));
    }
    assert_eq!(spool.status().intervals, 0);
    assert!(disk.used() < full / 5, "{} of {full}", disk.used());
    disk.crash(Crash::Kept);
    assert_eq!(all(&open(&disk, limits(ROOM))), []);
}

#[test]
fn a_name_is_kept_once() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(ROOM));
    keep(&spool, &interval(1, 1, None));
    let twice = spool.append(&interval(1, 2, None));
    assert!(matches!(twice, Err(SpoolError::AlreadyKept { .. })), "{twice:?}");
    let backwards = Name { epoch: 1, first: 3, last: 2 };
    let backwards = spool.append(&Interval { name: backwards, ..interval(3, 1, None) });
    assert!(matches!(backwards, Err(SpoolError::Backwards { .. })), "{backwards:?}");
}

#[test]
fn a_shipper_and_an_agent_work_at_once() {
    let disk = FaultDisk::new(0);
    let spool = open(&disk, limits(20_000));
    let total = std::thread::scope(|scope| {
        let shipper = scope.spawn(|| {
            let mut total = 0;
            let mut sequences = 0;
            while sequences < 500 {
                for name in spool.oldest(4, &|_| false) {
                    // It may be merged with its neighbour at any moment until it is marked.
                    let Ok(batch) = spool.read(&name) else { continue };
                    if spool.mark_attempted(&name).is_ok() {
                        total += sum(&batch.counts);
                        sequences += name.width() + 1;
                        spool.mark_stored(&name).unwrap();
                    }
                }
            }
            total
        });
        for sequence in 0..500 {
            keep(&spool, &interval(sequence, sequence, Some(30)));
        }
        shipper.join().unwrap()
    });
    assert_eq!((total, spool.status().intervals), ((0..500).sum(), 0));
}

#[test]
fn what_was_refused_and_is_there_all_the_same_counts_until_something_else_is_written() {
    for goes_on in [false, true] {
        let disk = FaultDisk::new(0);
        let spool = open(&disk, limits(ROOM));
        keep(&spool, &interval(1, 1, None));
        disk.raise_false_alarms(2);
        let refused = spool.append(&interval(2, 1, None));
        assert!(matches!(refused, Err(SpoolError::Write { .. })), "{refused:?}");
        assert_eq!(spool.last(1), Some(Name::one(1, 1)));
        if goes_on {
            // From here on its caller may have relied on its not being there.
            spool.mark_attempted(&Name::one(1, 1)).unwrap();
        }
        drop(spool);
        disk.crash(Crash::Kept);
        let last = if goes_on { 1 } else { 2 };
        assert_eq!(open(&disk, limits(ROOM)).last(1), Some(Name::one(1, last)));
    }
}
