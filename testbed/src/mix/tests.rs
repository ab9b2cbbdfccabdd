use std::collections::BTreeSet;

use sensor_ebpf::count::{Exclusive, WatchedWindows, count};
use sensor_ebpf::generate::mutations;
use sensor_ebpf::headers::Frame;
use sensor_ebpf::observed::Observe;
use sensor_ebpf::packet::decode;
use sensor_user::counters::Totals;
use sensor_user::document::Document;
use serde_json::{Value, to_value};

use super::*;

/// As [`OBSERVED`] has it.
struct Observed;

impl Observe for Observed {
    fn ipv4(&self, destination: [u8; 4]) -> bool {
        destination[..3] == [198, 18, 0]
    }
    fn ipv6(&self, destination: &[u8; 16]) -> bool {
        destination[..8] == [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1]
    }
}

struct Watched;

impl WatchedWindows for Watched {
    fn position(&self, window: u16) -> Option<usize> {
        (window == 5656).then_some(0)
    }
}

/// What the sensor's own code makes of a frame.
fn counted(frame: &[u8]) -> Value {
    let mut totals = Totals::default();
    let packet = decode(Frame::new(frame), &Observed);
    // SAFETY: counters of our own.
    unsafe { count::<Exclusive>(totals.counters_mut(), &packet, frame.len() as u64, &Watched) };
    to_value(Document::new(&totals, &[5656])).unwrap()
}

#[test]
fn the_sensor_counts_each_kind_as_expected() {
    let mix = telescope();
    for (number, kind) in mix.kinds().iter().enumerate() {
        let mut sent = vec![0; mix.kinds().len()];
        sent[number] = 1;
        let counted = counted(&kind.frame.bytes);
        assert_eq!(document::differences(&mix.expected(&sent), &counted), [], "{}", kind.name);
        assert_eq!(mix.expected(&sent), counted, "{}: not the same shape", kind.name);
    }
}

#[test]
fn imix_has_its_three_lengths_in_their_proportions() {
    let mix = imix();
    let lengths: Vec<_> = mix.kinds().iter().map(|kind| (kind.frame.bytes.len(), kind.weight)).collect();
    assert_eq!(lengths, [(60, 7), (566, 4), (1514, 1)]);
    assert_eq!(mix.first_length(), 1514);
    for (number, kind) in mix.kinds().iter().enumerate() {
        assert_eq!(kind.template().length as usize, kind.frame.bytes.len());
        let mut sent = vec![0; mix.kinds().len()];
        sent[number] = 1;
        let differences = document::differences(&mix.expected(&sent), &counted(&kind.frame.bytes));
        assert_eq!(differences, [], "{}", kind.name);
    }
}

#[test]
fn a_uniform_mix_has_the_length_it_promises_and_scans_any_port() {
    for (length, bytes) in [(UniformLength::Sixty, 60), (UniformLength::SixtyFour, 64)] {
        let mix = uniform(length);
        assert_eq!(mix.first_length(), bytes);
        let counted = counted(&mix.kinds()[0].frame.bytes);
        assert_eq!(document::differences(&mix.expected(&[1]), &counted), []);
    }
}

#[test]
fn names_differ_and_every_outcome_and_class_occurs() {
    let mix = telescope();
    let names: BTreeSet<_> = mix.kinds().iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), mix.kinds().len());
    // Two columns of names and counts fit a terminal.
    assert!(names.iter().all(|name| name.len() <= 24));
    let expected = mix.expected(&vec![1; mix.kinds().len()]);
    for (counter, count) in document::counters(&expected, String::new()) {
        assert!(count > 0, "{counter} is never raised");
    }
}

#[test]
fn each_kind_is_scheduled_as_often_as_its_weight_says() {
    let mix = telescope();
    let schedule: Vec<u32> = mix.schedule().collect();
    assert_eq!(schedule.len(), SCHEDULE);
    let total: u32 = mix.kinds().iter().map(|kind| kind.weight).sum();
    for (number, kind) in (0..).zip(mix.kinds()) {
        let places = schedule.iter().filter(|place| **place == number).count();
        let exact = SCHEDULE * kind.weight as usize / total as usize;
        assert!((exact..=exact + 1).contains(&places), "{}: {places} places, not {exact}", kind.name);
    }
}

/// A field that varies must never make a packet count otherwise: a scan's sequence number is under the
/// generator's control, and a port that is counted stands still.
#[test]
fn what_varies_cannot_change_what_is_counted() {
    for kind in telescope().kinds() {
        let counters: Vec<&str> = kind.expectation.counters().collect();
        let has = |mutation: u32| kind.mutations & mutation != 0;
        let is = |prefix: &str| counters.iter().any(|counter| counter.starts_with(prefix));
        let controlled = has(mutations::SEQUENCE | mutations::MIRAI | mutations::MASSCAN);
        assert!(!is("/tcp/scan_dst_ports/") || !is("/outcomes/ipv4") || controlled, "{}", kind.name);
        assert!(!has(mutations::DESTINATION_PORT) || is("/tcp/backscatter_src_ports/"), "{}", kind.name);
        assert!(!has(mutations::SOURCE_PORT) || !is("/tcp/backscatter_src_ports/"), "{}", kind.name);
        assert_eq!(has(mutations::MIRAI), is("/signatures/mirai/"), "{}", kind.name);
        assert_eq!(has(mutations::MASSCAN), is("/signatures/masscan/"), "{}", kind.name);
    }
}
