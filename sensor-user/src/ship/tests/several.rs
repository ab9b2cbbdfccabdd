//! Several addresses of one collector.

use super::collector::{Collector, Step};
use super::*;

/// An address at which nothing listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    url(listener.local_addr().unwrap().port())
}

#[test]
fn where_one_cannot_be_reached_the_next_one_is_tried() {
    let bed = Bed::new(10);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    bed.ship_all(&bed.settings(&[&nowhere(), &collector.url()]));
    assert_eq!(collector.requests(), 10);
    assert_eq!(bed.said("cannot be reached"), 1, "{:?}", bed.said);
}

#[test]
fn the_first_one_is_gone_back_to() {
    let bed = Bed::new(1);
    let outage = Step::Answer("503 Service Unavailable", "", "");
    let first = Collector::start(&bed.authority, &bed.spool, [outage]);
    let second = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&first.url(), &second.url()]));
    eventually("stored by the second", || bed.spool.is_empty());
    first.then([Step::Store]);
    let before = first.requests();
    let mut sequence = 1;
    eventually("back to the first", || {
        sequence += 1;
        bed.spool.add(sequence);
        shipper.wake();
        first.requests() > before
    });
    eventually("stored", || bed.spool.is_empty());
    let requests = second.requests();
    for more in 1..=5 {
        bed.spool.add(sequence + more);
        shipper.wake();
        eventually("stored", || bed.spool.is_empty());
    }
    assert_eq!(second.requests(), requests, "the first one is kept to");
}

#[test]
fn where_nothing_can_be_reached_everything_stays() {
    let bed = Bed::new(2);
    let shipper = bed.start(&bed.settings(&[&nowhere()]));
    eventually("some attempts", || shipper.status().status().attempts >= 3);
    drop(shipper);
    assert_eq!(bed.spool.waiting(), [1, 2]);
    assert_eq!(bed.said(""), 1, "once: {:?}", bed.said);
}

#[test]
fn a_name_that_there_is_not() {
    let bed = Bed::new(1);
    let shipper = bed.start(&bed.settings(&["https://collector.invalid:8443"]));
    eventually("told", || bed.said("cannot be reached") == 1);
    drop(shipper);
    assert_eq!(bed.spool.waiting(), [1]);
}
