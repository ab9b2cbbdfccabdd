//! With the real tshark, where there is one.

use std::{env, fs};

use crate::oracle::flows::{BY_SOURCE, Key};
use crate::oracle::judge::{Ending, judge};
use crate::oracle::workshop::Workshop;
use crate::search_path;

/// Without tshark these tests are skipped, and say so; but not where everything is declared to be there.
fn there_is_tshark() -> bool {
    let found = search_path::find("tshark").is_some();
    if !found {
        let missing = "there is no tshark (`cargo xtask setup --for oracle` installs it)";
        let required = env::var_os("APUS_PRIVILEGED").is_some_and(|value| value == "required");
        assert!(!required, "cannot run, though APUS_PRIVILEGED says that it must: {missing}");
        eprintln!("skipped: {missing}");
    }
    found
}

/// A capture of one packet, at this second and fraction of it.
fn capture_of(link_type: u8, [seconds, fraction]: [u32; 2], packet: &[u8]) -> Vec<u8> {
    let mut capture = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    capture.extend([0; 8]);
    capture.extend([0xff, 0xff, 0, 0, link_type, 0, 0, 0]);
    let length = u32::try_from(packet.len()).unwrap();
    for word in [seconds, fraction, length, length] {
        capture.extend(word.to_le_bytes());
    }
    capture.extend(packet);
    capture
}

/// A capture of one IPv6 packet: destination options that claim to be longer than their header, a
/// routing header of a length its type does not have, and TCP.
fn capture() -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 36, 60, 64];
    packet.extend([0x20; 32]);
    packet.extend([43, 0, 1, 0xff, 0, 0, 0, 0]);
    packet.extend([6, 0, 2, 1, 0, 0, 0, 0]);
    packet.extend([3, 232, 0, 23, 10, 0, 0, 2, 0, 0, 0, 0, 0x50, 2, 0x16, 0x18, 0, 0, 0, 0]);
    capture_of(229, [0, 0], &packet)
}

#[test]
fn what_tshark_stops_at_is_decided_from_the_next_header_on() {
    if !there_is_tshark() {
        return;
    }
    let workshop = Workshop::open().unwrap();
    let file = workshop.file();
    fs::write(file.path(), capture()).unwrap();
    let judgement = judge(&workshop, file.path()).unwrap();
    assert_eq!(judgement.ending, Ending::Complete);
    assert_eq!(judgement.undecided, Vec::<String>::new());
    assert_eq!(judgement.second_looks, 1);
    for name in ["outcomes.ipv6_tcp", "tcp.scan_dst_ports.23", "signatures.window.5656"] {
        assert_eq!(judgement.counters.get(name), 1, "{name}");
    }
}

#[test]
fn a_capture_cut_short_is_counted_to_the_break() {
    if !there_is_tshark() {
        return;
    }
    let workshop = Workshop::open().unwrap();
    let file = workshop.file();
    let mut capture = capture();
    let record = capture[24..].to_vec();
    capture.extend(&record[..60]);
    fs::write(file.path(), capture).unwrap();
    let judgement = judge(&workshop, file.path()).unwrap();
    assert!(matches!(judgement.ending, Ending::Broken(_)), "{:?}", judgement.ending);
    assert_eq!(judgement.counters.get("packets"), 1);
    assert_eq!(judgement.counters.get("outcomes.ipv6_tcp"), 1);
}

/// The one row of a capture's flows by source.
fn row_by_source(capture: &[u8]) -> (Key, Vec<String>, u64) {
    let workshop = Workshop::open().unwrap();
    let file = workshop.file();
    fs::write(file.path(), capture).unwrap();
    let judgement = judge(&workshop, file.path()).unwrap();
    assert_eq!(judgement.undecided, Vec::<String>::new());
    let (key, values) = judgement.flows.by_source.into_iter().next().unwrap();
    (key, values, judgement.second_looks)
}

/// An ICMP error that quotes a header of 20 bytes which begins with these four.
fn error_quoting(start: [u8; 4]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 48, 0, 1, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend([3, 3, 0, 0, 0, 0, 0, 0]);
    packet.extend(start);
    packet.extend([0, 2, 0, 0, 64, 17, 0, 0, 192, 0, 2, 2, 203, 0, 113, 9]);
    capture_of(228, [0, 0], &packet)
}

#[test]
fn a_quoted_header_whose_lengths_make_no_sense_is_read_all_the_same() {
    if !there_is_tshark() {
        return;
    }
    let place = |column| BY_SOURCE.keys.iter().position(|name| *name == column).unwrap();
    for (start, victim, protocol, looks) in [
        ([0x45, 0, 0, 20], "203.0.113.9", "17", 0),
        ([0x43, 0, 0, 20], "203.0.113.9", "17", 1),
        ([0x45, 0, 0, 3], "203.0.113.9", "17", 1),
        ([0x4f, 0, 0, 60], "203.0.113.9", "17", 1),
        ([0x55, 0, 0, 20], "", "", 0),
        ([0x65, 0, 0, 20], "", "", 0),
    ] {
        let (key, _, second_looks) = row_by_source(&error_quoting(start));
        let told = (key[place("victim_ip")].as_str(), key[place("quoted_protocol")].as_str());
        assert_eq!((told, second_looks), ((victim, protocol), looks), "{start:02x?}");
    }
}

#[test]
fn a_fraction_that_overflows_is_read_from_the_packet_header() {
    if !there_is_tshark() {
        return;
    }
    let packet = [0x45, 0, 0, 20, 0, 1, 0, 0, 64, 99, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    let place = BY_SOURCE.values.iter().position(|name| *name == "first_seen").unwrap();
    for (stamp, expected) in [
        ([7, 999_999], "7999999000"),
        ([7, 1_000_000], "8000000000"),
        ([7, 5_000_000], "12000000000"),
        ([0, u32::MAX], "4294967295000"),
    ] {
        let (_, values, _) = row_by_source(&capture_of(228, stamp, &packet));
        assert_eq!(values[place], expected, "{stamp:?}");
    }
}
