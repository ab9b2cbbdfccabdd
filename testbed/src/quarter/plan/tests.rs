//! A plan has what its description says, to the packet.

use crate::published;
use crate::sample::{SMALL, plan};

#[test]
fn the_same_description_gives_the_same_packets() {
    assert_eq!(plan(SMALL).packets, plan(SMALL).packets);
    let other = SMALL.replace("seed = 1", "seed = 2");
    assert_ne!(plan(SMALL).packets, plan(&other).packets);
}

#[test]
fn packets_are_as_many_as_described() {
    let plan = plan(SMALL);
    let days = plan.count(|packet| (packet.port.port == 23).then_some((plan.is_now(packet), packet.sensor)));
    // 91 days of 40 but those on which a sensor is down, nine times 10 more from Japan on one, and 91 days of 20.
    for (key, expected) in [((true, 0), 88 * 40 + 90), ((true, 1), 89 * 40 + 90), ((false, 0), 91 * 20)] {
        let found = days[&key];
        assert!(found.abs_diff(expected) * 50 < expected, "{key:?}: {found}, not {expected}");
    }
    let down = plan.packets.iter().filter(|packet| packet.sensor == 0 && !plan.is_up(0, plan.day(packet)));
    assert_eq!(down.count(), 0);
    let regions = plan.count(|packet| Some(packet.region));
    assert!(regions[b"US"] > 2 * regions[b"JP"] && regions.len() == 2);
}

#[test]
fn sources_are_as_many_as_described_and_each_of_its_region() {
    let plan = plan(SMALL);
    let sources = plan.sources(|packet| (packet.port.port == 23).then_some((packet.day, packet.region)));
    assert!(sources.values().all(|sources| sources.len() <= 5));
    assert!(sources.values().filter(|sources| sources.len() == 5).count() > 150);
    let regions = plan.sources(|packet| Some(packet.region));
    assert!(regions[b"US"].is_disjoint(&regions[b"JP"]));
}

#[test]
fn a_description_that_does_not_come_to_its_tables_is_noticed() {
    let good = published::check_plan(&plan(SMALL));
    assert!(good.number > 4 && good.differences.is_empty(), "{:?}", good.differences);
    for (from, to, words) in [
        ("packets = 40", "packets = 15", "port 23/TCP described, rank"),
        ("previous = 20", "previous = 1.5", "port 23/TCP described, previous rank"),
        ("previous = 1\n", "previous = 3\n", "port 22/TCP described, previous rank"),
        ("packets = 40", "packets = 19.5", "port 23/TCP described, packets in this quarter"),
        ("US = 3", "US = 0.5", "region US described, rank"),
    ] {
        let wrong = published::check_plan(&plan(&SMALL.replacen(from, to, 1)));
        assert!(
            wrong.differences.iter().any(|one| one.what.starts_with(words)),
            "{to}: {:?}",
            wrong.differences
        );
    }
}
