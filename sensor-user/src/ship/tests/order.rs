//! Oldest first, few at a time, and noted before it is sent.

use std::sync::atomic::Ordering;

use super::super::FailureKind;
use super::collector::{Collector, Step};
use super::spool::{Event, name};
use super::*;

#[test]
fn the_oldest_go_first_and_only_so_many_at_a_time() {
    let bed = Bed::new(12);
    let pause = Step::Slow(Duration::from_millis(20));
    let collector = Collector::start(&bed.authority, &bed.spool, [pause]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 3;
    bed.ship_all(&settings);
    assert!(collector.most_at_once() <= 3, "{}", collector.most_at_once());
    let attempted: Vec<u64> = bed
        .spool
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Attempted(name) => Some(name.first),
            _ => None,
        })
        .collect();
    assert_eq!(attempted, (1..=12).collect::<Vec<_>>());
}

#[test]
fn after_an_outage_too_the_oldest_go_first() {
    let bed = Bed::new(6);
    let outage = Step::Answer("503 Service Unavailable", "", "");
    let collector = Collector::start(&bed.authority, &bed.spool, [outage]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 1;
    let shipper = bed.start(&settings);
    eventually("some attempts", || collector.requests() >= 4);
    assert!(bed.spool.arrived().iter().all(|sequence| *sequence == 1));
    assert_eq!(bed.said("503"), 1, "{:?}", bed.said);
    let before = collector.requests();
    collector.then([Step::Store]);
    eventually("all stored", || bed.spool.is_empty());
    shipper.stop(LONGEST);
    let mut after = bed.spool.arrived().split_off(before);
    after.dedup();
    assert_eq!(after.last(), Some(&6));
    assert!(after.is_sorted(), "{after:?}");
    assert_eq!(bed.said("again"), 2, "{:?}", bed.said);
}

#[test]
fn an_interval_is_noted_before_it_is_sent_and_let_go_of_after_it_is_stored() {
    let bed = Bed::new(5);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    bed.ship_all(&bed.settings(&[&collector.url()]));
    let events = bed.spool.events();
    let place = |event| events.iter().position(|other| *other == event).unwrap();
    for sequence in 1..=5 {
        let name = name(sequence);
        let (attempted, arrived) = (place(Event::Attempted(name)), place(Event::Arrived(name)));
        assert!(attempted < arrived && arrived < place(Event::Stored(name)), "{events:?}");
    }
}

#[test]
fn one_that_cannot_be_read_stands_in_no_ones_way() {
    let bed = Bed::new(3);
    bed.spool.unreadable.lock().unwrap().push(name(1));
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    eventually("the others are stored", || bed.spool.waiting() == [1]);
    eventually("told", || bed.said("the disk is broken") == 1);
    bed.spool.unreadable.lock().unwrap().clear();
    eventually("stored", || bed.spool.is_empty());
    drop(shipper);
}

#[test]
fn many_that_cannot_be_read_stand_in_no_ones_way() {
    let bed = Bed::new(20);
    bed.spool.unreadable.lock().unwrap().extend((1..=15).map(name));
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    eventually("the others are stored", || collector.stored().len() == 5);
    eventually("told", || bed.said("the disk is broken") == 1);
    bed.spool.unreadable.lock().unwrap().clear();
    eventually("all are stored", || bed.spool.is_empty());
    assert_eq!((bed.said("can be had"), bed.said("")), (1, 2), "{:?}", bed.said);
    drop(shipper);
}

#[test]
fn a_disk_that_is_full_is_told_of_once_and_asked_ever_less_often() {
    let bed = Bed::new(300);
    bed.spool.full.store(true, Ordering::SeqCst);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.pace.first_pause = Duration::from_millis(200);
    settings.pace.longest_pause = Duration::from_millis(400);
    let shipper = bed.start(&settings);
    let status = shipper.status();
    let place = FailureKind::ALL.iter().position(|kind| *kind == FailureKind::Spool).unwrap();
    eventually("some failures", || status.status().failures[place] >= 8);
    let tried = || bed.spool.tried.load(Ordering::SeqCst);
    let before = tried();
    std::thread::sleep(Duration::from_secs(2));
    let tried = tried() - before;
    assert!(tried < 100, "{tried} in about ten pauses");
    assert!(!status.status().is_well && status.status().state.contains("the disk is full"));
    assert_eq!((bed.said("the disk is full"), bed.said("")), (1, 1), "{:?}", bed.said);
    bed.spool.full.store(false, Ordering::SeqCst);
    eventually("it goes on", || collector.stored().len() > 20);
    assert_eq!((bed.said("can be had"), bed.said("")), (1, 2), "{:?}", bed.said);
    let first = bed.spool.events().into_iter().find(|event| matches!(event, Event::Attempted(_)));
    assert_eq!(first, Some(Event::Attempted(name(1))), "the oldest goes first still");
    assert!(status.status().is_well);
    drop(shipper);
}

#[test]
fn one_that_is_merged_at_the_last_moment_goes_as_part_of_another() {
    let bed = Bed::new(3);
    let joined = wire::Name { last: 2, ..name(1) };
    bed.spool.merged.lock().unwrap().push((name(1), joined));
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 1;
    bed.ship_all(&settings);
    assert_eq!(collector.stored(), [joined, name(3)]);
    assert!(bed.said.lock().unwrap().is_empty(), "{:?}", bed.said);
}
