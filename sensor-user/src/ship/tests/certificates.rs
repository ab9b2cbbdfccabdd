//! Certificates that are not accepted, on either side, and certificates that are renewed.

use super::super::Prepared;
use super::collector::{Collector, Step};
use super::*;

const TLS13: &rustls::SupportedProtocolVersion = &rustls::version::TLS13;
const PAST: authority::Day = (2020, 1, 1);

/// Nothing is shipped, and these words say why.
fn is_told(bed: &Bed, collector: &Collector, words: &str) {
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    eventually("two attempts", || collector.connections() >= 2);
    eventually(&format!("\"{words}\" in {:?}", bed.said), || bed.said(words) >= 1);
    assert!(!shipper.status().status().is_well);
    drop(shipper);
    assert_eq!((bed.spool.waiting(), collector.requests()), (vec![1], 0));
    assert_eq!(bed.said(words), 1, "once: {:?}", bed.said);
}

#[test]
fn a_collector_of_another_authority() {
    let bed = Bed::new(1);
    let other = Authority::new("another");
    let config = other.server(&bed.authority, &["localhost"], None, TLS13);
    is_told(&bed, &Collector::with(config, "127.0.0.1:0", &bed.spool, []), "unknown CA");
}

#[test]
fn a_collector_whose_certificate_has_expired() {
    let bed = Bed::new(1);
    let config = bed.authority.server(&bed.authority, &["localhost"], Some(PAST), TLS13);
    is_told(&bed, &Collector::with(config, "127.0.0.1:0", &bed.spool, []), "its certificate has expired");
}

#[test]
fn a_collector_of_another_name() {
    let bed = Bed::new(1);
    let config = bed.authority.server(&bed.authority, &["example.org"], None, TLS13);
    is_told(&bed, &Collector::with(config, "127.0.0.1:0", &bed.spool, []), "for another name");
}

#[test]
fn a_collector_of_an_old_tls() {
    let bed = Bed::new(1);
    let config = bed.authority.server(&bed.authority, &["localhost"], None, &rustls::version::TLS12);
    is_told(&bed, &Collector::with(config, "127.0.0.1:0", &bed.spool, []), "does not speak TLS 1.3");
}

#[test]
fn a_sensor_of_another_authority() {
    let bed = Bed::new(1);
    bed.install(&Authority::new("another").client("sensor", None));
    is_told(
        &bed,
        &Collector::start(&bed.authority, &bed.spool, []),
        "authority of this sensor's certificate",
    );
}

#[test]
fn a_sensor_whose_certificate_has_expired() {
    let bed = Bed::new(1);
    bed.install(&bed.authority.client("sensor", Some(PAST)));
    let collector = Collector::start(&bed.authority, &bed.spool, []);
    is_told(&bed, &collector, "says that this sensor's certificate has expired");
    assert_eq!(bed.said("has ended"), 1, "{:?}", bed.said);
}

#[test]
fn a_sensor_whose_certificate_is_revoked() {
    let bed = Bed::new(1);
    bed.install(&bed.authority.revoked_client());
    is_told(&bed, &Collector::start(&bed.authority, &bed.spool, []), "certificate revoked");
}

#[test]
fn a_certificate_that_is_renewed_on_disk_is_taken_over() {
    let bed = Bed::new(1);
    bed.install(&bed.authority.client("sensor", Some(PAST)));
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    eventually("told", || bed.said("certificate expired") == 1);
    bed.install(&bed.authority.client("sensor", Some((2900, 1, 1))));
    eventually("stored", || bed.spool.is_empty());
    let end = shipper.status().status().certificate_not_after.unwrap();
    assert_eq!(end.to_string(), "2900-01-01T00:00:00Z");
    assert_eq!(bed.said("taken over"), 1, "{:?}", bed.said);
}

#[test]
fn a_renewal_that_cannot_be_used_changes_nothing() {
    let bed = Bed::new(0);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    std::fs::write(bed.folder.path().join("sensor.pem"), "half of it").unwrap();
    eventually("told", || bed.said("holds no certificate") == 1);
    bed.spool.add(1);
    shipper.wake();
    eventually("stored", || bed.spool.is_empty());
    std::fs::remove_file(bed.folder.path().join("sensor.key")).unwrap();
    bed.spool.add(2);
    shipper.wake();
    eventually("stored", || bed.spool.is_empty());
    bed.install(&bed.authority.client("sensor", None));
    eventually("taken over", || bed.said("taken over") == 1);
}

#[test]
fn a_renewal_of_another_name_changes_nothing() {
    let bed = Bed::new(0);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    bed.install(&bed.authority.client("another", None));
    eventually("told", || bed.said("is of sensor \"another\"") == 1);
    bed.spool.add(1);
    shipper.wake();
    eventually("stored", || bed.spool.is_empty());
    bed.install(&bed.authority.client("sensor", None));
    eventually("taken over", || bed.said("taken over") == 1);
    assert_eq!(bed.said(""), 2, "{:?}", bed.said);
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of_once() {
    let bed = Bed::new(2);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(7 * 24);
    let soon = soon.to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |number: i8| u8::try_from(number).unwrap();
    bed.install(
        &bed.authority.client("sensor", Some((soon.year().into(), day(soon.month()), day(soon.day())))),
    );
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    bed.ship_all(&bed.settings(&[&collector.url()]));
    assert_eq!((bed.said("renew it"), bed.said("")), (1, 1), "{:?}", bed.said);
}

#[test]
fn what_is_wrong_with_the_files_is_found_before_anything_starts() {
    let bed = Bed::new(0);
    let settings = bed.settings(&["https://localhost"]);
    let error = |settings: &ShipSettings| match Prepared::read(settings, "sensor") {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.to_string(),
    };
    let (own, other) = (bed.authority.client("sensor", None), bed.authority.client("sensor", None));
    bed.install(&(own.0.clone(), other.1));
    assert!(error(&settings).contains("do not go together"), "{}", error(&settings));
    bed.install(&(own.0.clone(), own.0.clone()));
    assert!(error(&settings).contains("no private key"), "{}", error(&settings));
    bed.install(&(own.1.clone(), own.1));
    assert!(error(&settings).contains("no certificate"), "{}", error(&settings));
    bed.install(&bed.authority.client("tokyo-1", None));
    let text = error(&settings);
    assert!(
        text.contains("\"tokyo-1\"") && text.contains("\"sensor\"") && text.contains("--sensor"),
        "{text}"
    );
    let missing = ShipSettings { ca: bed.folder.path().join("none.pem"), ..settings };
    let text = error(&missing);
    assert!(text.contains("none.pem") && text.contains("without privileges"), "{text}");
}
