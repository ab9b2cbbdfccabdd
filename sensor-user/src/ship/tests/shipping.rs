//! What goes as it should.

use wire::Name;

use super::collector::{Collector, Step};
use super::spool::{Event, name};
use super::*;

#[test]
fn everything_is_shipped_and_told_of() {
    let bed = Bed::new(20);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    eventually("all stored", || bed.spool.is_empty());
    let status = shipper.status();
    eventually("all told of", || status.status().shipped_intervals == 20);
    let status = status.status();
    assert_eq!((status.attempts, status.refused, status.in_flight), (20, 0, 0));
    assert!(status.is_well && status.state.contains("ships to localhost"), "{}", status.state);
    assert!(status.last_success.is_some() && status.shipped_bytes > 20 * 100_000);
    assert_eq!((status.latencies.stored.count, status.latencies.request.count), (20, 20));
    assert_eq!(status.failures, [0; 11]);
    assert!(collector.connections() < 20, "connections are used again");
    assert!(bed.said.lock().unwrap().is_empty(), "nothing to tell");
}

#[test]
fn a_wake_up_ships_what_has_come() {
    let bed = Bed::new(0);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.pace.reload = LONGEST;
    let shipper = bed.start(&settings);
    for sequence in 1..=3 {
        bed.spool.add(sequence);
        shipper.wake();
        eventually("stored", || bed.spool.is_empty());
    }
    assert_eq!(bed.spool.arrived(), [1, 2, 3]);
}

#[test]
fn a_collector_by_its_ipv6_address() {
    let bed = Bed::new(3);
    let config = bed.authority.server(&bed.authority, &["::1"], None, &rustls::version::TLS13);
    let collector = Collector::with(config, "[::1]:0", &bed.spool, [Step::Store]);
    bed.ship_all(&bed.settings(&[&format!("https://[::1]:{}", collector.address.port())]));
}

#[test]
fn whatever_comes_back_each_interval_is_let_go_of_once_and_only_when_it_is_stored() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let bed = Bed::new(30);
    let wrong = [
        Step::StoreOther(name(31)),
        Step::StoreOther(Name { last: 30, ..name(1) }),
        Step::Answer("200 OK", "", "{}"),
        Step::Answer("422 Unprocessable Entity", "", r#"{"answer":"refused","reason":"not today"}"#),
        Step::Answer("429 Too Many Requests", "retry-after: 0\r\n", ""),
        Step::Answer("500 Internal Server Error", "", "{"),
        Step::Answer("503 Service Unavailable", "", ""),
        Step::BreakOff,
        Step::Slow(Duration::from_millis(20)),
    ];
    let mut steps: Vec<Step> = (0..60)
        .map(|_| if random.bool() { Step::Store } else { wrong[random.usize(..wrong.len())].clone() })
        .collect();
    steps.push(Step::Store);
    let collector = Collector::start(&bed.authority, &bed.spool, steps);
    bed.ship_all(&bed.settings(&[&collector.url()]));
    let events = bed.spool.events();
    let mut stored = collector.stored();
    for sequence in 1..=30 {
        let times = events.iter().filter(|event| **event == Event::Stored(name(sequence))).count();
        assert_eq!(times, 1, "interval {sequence}, seed {seed}");
    }
    stored.sort_unstable();
    stored.dedup();
    assert_eq!(stored, (1..=30).map(name).collect::<Vec<_>>(), "seed {seed}");
}
