use super::*;
use crate::peers::traffic::Traffic;

fn visit(rate: f64) -> Visit {
    Visit {
        rate,
        share: 1.0,
        share_in_time: 1.0,
        kernel: 100.0,
        process: None,
        memory: None,
        digests_lost: Some(0.02),
    }
}

/// What was seen of all systems, where a search found so much of the sensor and of tcpdump.
fn outcome(sensor: Seen, tcpdump: Seen) -> (Vec<Aim>, Vec<String>) {
    let systems = System::all().unwrap();
    let mut seen: Vec<Seen> = systems.iter().map(|_| Seen::default()).collect();
    let place = |wanted: &dyn Fn(&System) -> bool| systems.iter().position(wanted).unwrap();
    let tcpdump_at = place(&|system| system.name.starts_with("tcpdump -w"));
    seen[place(&System::is_limit)].at_full_rate = vec![visit(2e6)];
    seen[place(&System::is_sensor)] = Seen { at_full_rate: vec![visit(1.8e6)], ..sensor };
    seen[tcpdump_at] = tcpdump;
    let outcome = Outcome { traffic: Traffic::MillionSources, systems: &systems, seen: &seen };
    (outcome.aims().unwrap(), outcome.warnings())
}

fn found(highest: f64, bound: f64) -> Seen {
    Seen { highest: vec![highest], bounds: vec![bound], ..Seen::default() }
}

#[test]
fn a_peer_counts_with_the_lowest_rate_at_which_it_lost() {
    let (aims, warnings) = outcome(found(1.5e6, 1.8e6), found(1e5, 3e5));
    assert!((aims[0].measured - 5.0).abs() < 1e-9, "{}", aims[0].measured);
    let words = "tcpdump -w /dev/null, which lost packets from 0.300 million packets/s on and counted 0.100 million packets/s";
    assert!(aims[0].of.contains(words), "{}", aims[0].of);
    assert!((aims[1].measured - 90.0).abs() < 1e-9, "by the clock");
    assert_eq!(warnings.len(), 1, "tcpdump is by no port: {warnings:?}");
}

#[test]
fn a_sensor_without_a_rate_has_missed_its_aim() {
    let none = Seen { lost_at: Some(1e3), bounds: vec![1e3], ..Seen::default() };
    let (aims, _) = outcome(none, found(1e5, 3e5));
    assert!(aims[0].measured.abs() < f64::EPSILON && !aims[0].is_met());
}

#[test]
fn an_aim_that_cannot_be_compared_is_warned_of() {
    let absent = Seen { absent: Some("not installed".into()), ..found(1e5, 3e5) };
    let (aims, warnings) = outcome(found(1.5e6, 1.8e6), absent);
    assert_eq!((aims.len(), warnings.len()), (2, 2));
    assert!(warnings[0].contains("no peer with libpcap was measured"), "{warnings:?}");
    let (_, warnings) = outcome(Seen::default(), found(1e5, 3e5));
    assert!(warnings[0].contains("without a search"), "{warnings:?}");
}
