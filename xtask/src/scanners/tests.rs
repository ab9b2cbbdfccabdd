use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::findings::missing;
use super::readme::section;
use super::scan::SCANS;

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures")
}

#[test]
fn the_captures_are_those_of_the_scans() {
    let names = SCANS.iter().flat_map(|scan| ["pcap", "json"].map(|kind| format!("{}.{kind}", scan.name)));
    let expected: BTreeSet<String> = names.chain(["README.md".to_owned()]).collect();
    let entries = fs::read_dir(captures()).unwrap();
    let found: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_description_is_what_is_run() {
    let readme = fs::read_to_string(captures().join("README.md")).unwrap();
    for scan in &SCANS {
        assert!(readme.contains(&section(scan)), "{} is not described as it is made", scan.name);
    }
}

#[test]
fn everything_that_must_be_found_is_in_the_documents() {
    for scan in &SCANS {
        let path = captures().join(scan.name).with_extension("json");
        let document = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let missing = missing(scan, &document);
        assert!(missing.is_empty(), "{}: {missing:?}", scan.name);
    }
}

#[test]
fn what_is_not_in_a_document_is_missing() {
    let document = serde_json::json!({"packets": 120, "tcp": {"classes": {"scan": 119}}});
    let missing = missing(&SCANS[0], &document);
    assert_eq!(missing, ["/tcp/classes/scan is 119, not 120", "/tcp/scan_dst_ports/23 is 0, not 4"]);
}

/// Nothing is sent anywhere but to the addresses of the namespaces.
#[test]
fn every_destination_is_ours() {
    for line in SCANS.iter().flat_map(|scan| scan.lines) {
        let is_address = |word: &&str| word.contains(['.', ':']) && !word.starts_with('-');
        let destinations: Vec<&str> = line.split(' ').rev().take_while(is_address).collect();
        assert!(!destinations.is_empty(), "{line}: whither?");
        for destination in destinations {
            let is_ours = destination.starts_with("192.0.2.") || destination.starts_with("2001:db8::");
            assert!(is_ours, "{line}: {destination}");
        }
    }
}
