use super::super::super::record::Position;
use super::*;

/// Records of sequences `first..=last`, in the order of the log.
fn judged(records: &[(u64, u64)], marks: &[Mark]) -> (Vec<(u64, u64, bool)>, usize, Vec<Name>) {
    let record = |(place, (first, last)): (usize, &(u64, u64))| {
        let name = Name { epoch: 1, first: *first, last: *last };
        let head = Head { name, end: 0, flow_rows: 0, flow_packets: 0, flows: None };
        (head, Place { at: Position { segment: 1, offset: place as u64 }, length: 1, crc: 0 })
    };
    let records: Vec<(Head, Place)> = records.iter().enumerate().map(record).collect();
    let judged = judge(&records, marks.iter());
    let mut living: Vec<(u64, u64, bool)> = judged
        .living
        .iter()
        .map(|(head, _, attempted)| (head.name.first, head.name.last, *attempted))
        .collect();
    living.sort_unstable();
    (living, judged.dead.len(), judged.lost.into_iter().collect())
}

const fn name(first: u64, last: u64) -> Name {
    Name { epoch: 1, first, last }
}

#[test]
fn the_later_of_two_counts() {
    assert_eq!(judged(&[(1, 1), (2, 2), (1, 2)], &[]), (vec![(1, 2, false)], 2, vec![]));
    assert_eq!(judged(&[(1, 1), (1, 1)], &[]), (vec![(1, 1, false)], 1, vec![]));
}

#[test]
fn what_is_stored_is_dead_and_so_are_its_parts() {
    let marks = [Mark::Attempted(name(1, 2)), Mark::Stored(name(1, 2))];
    assert_eq!(judged(&[(1, 1), (2, 2), (3, 3), (1, 2)], &marks), (vec![(3, 3, false)], 3, vec![]));
}

#[test]
fn a_merging_that_failed_is_nothing_once_a_part_was_sent() {
    let parts = vec![(1, 1, true), (2, 2, false)];
    let marks = [Mark::Attempted(name(1, 1))];
    assert_eq!(judged(&[(1, 1), (2, 2), (1, 2)], &marks), (parts, 1, vec![]));
    let marks = [Mark::Stored(name(1, 1))];
    assert_eq!(judged(&[(1, 1), (2, 2), (1, 2)], &marks), (vec![(2, 2, false)], 2, vec![]));
    // Nor once one of its parts is part of another one.
    let living = vec![(1, 1, false), (2, 3, false)];
    assert_eq!(judged(&[(1, 1), (2, 2), (3, 3), (1, 2), (2, 3)], &[]), (living, 3, vec![]));
}

#[test]
fn parts_of_what_was_sent_are_not_sent_and_its_loss_is_told() {
    let marks = [Mark::Attempted(name(1, 2))];
    assert_eq!(judged(&[(1, 1), (2, 2), (1, 2)], &marks), (vec![(1, 2, true)], 2, vec![]));
    assert_eq!(judged(&[(1, 1), (2, 2), (3, 3)], &marks), (vec![(3, 3, false)], 2, vec![name(1, 2)]));
}
