//! With the real tshark, where there is one.

use std::{env, fs};

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

/// A capture of one IPv6 packet: destination options that claim to be longer than their header, a
/// routing header of a length its type does not have, and TCP.
fn capture() -> Vec<u8> {
    let mut capture = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    capture.extend([0; 8]);
    capture.extend([0xff, 0xff, 0, 0, 229, 0, 0, 0]);
    capture.extend([0; 8]);
    capture.extend([76, 0, 0, 0, 76, 0, 0, 0]);
    capture.extend([0x60, 0, 0, 0, 0, 36, 60, 64]);
    capture.extend([0x20; 32]);
    capture.extend([43, 0, 1, 0xff, 0, 0, 0, 0]);
    capture.extend([6, 0, 2, 1, 0, 0, 0, 0]);
    capture.extend([3, 232, 0, 23, 10, 0, 0, 2, 0, 0, 0, 0, 0x50, 2, 0x16, 0x18, 0, 0, 0, 0]);
    capture
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
