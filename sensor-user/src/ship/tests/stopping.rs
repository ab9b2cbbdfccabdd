//! The end.

use std::sync::atomic::Ordering;

use super::collector::{Collector, Step};
use super::*;

#[test]
fn what_waits_has_a_last_chance() {
    let bed = Bed::new(0);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Slow(Duration::from_millis(50))]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    (1..=10).for_each(|sequence| bed.spool.add(sequence));
    shipper.stop(LONGEST);
    assert!(bed.spool.is_empty());
}

#[test]
fn a_collector_that_hangs_is_not_waited_for() {
    let bed = Bed::new(6);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Hang]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.pace.answer = 10 * LONGEST;
    let shipper = bed.start(&settings);
    eventually("some are under way", || collector.requests() >= 1);
    shipper.stop(Duration::from_millis(100));
    assert_eq!(bed.spool.waiting(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_panic_is_told_of_once_and_by_metrics_at_once() {
    let bed = Bed::new(0);
    let shipper = bed.start(&bed.settings(&["https://localhost:1"]));
    shipper.wake();
    assert!(shipper.status().status().is_well);
    bed.spool.panics.store(true, Ordering::SeqCst);
    eventually("no longer well", || !shipper.status().status().is_well);
    eventually("told", || {
        shipper.wake();
        bed.said("shipping has ended, please report this") == 1
    });
    (0..10).for_each(|_| shipper.wake());
    assert_eq!(bed.said(""), 1, "{:?}", bed.said);
    shipper.stop(LONGEST);
}

#[test]
fn it_may_be_dropped_and_woken_at_any_time() {
    let bed = Bed::new(0);
    for _ in 0..20 {
        let shipper = bed.start(&bed.settings(&["https://localhost:1"]));
        shipper.wake();
    }
}
