use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::capture::Capture;
use crate::evidence::EvidenceOptions;

fn keeper(folder: &Path, options: EvidenceOptions) -> Keeper {
    let options = EvidenceOptions { folder: Some(folder.into()), ..options };
    let settings = options.resolve().expect("sound settings");
    let mut files = Files::open(&settings).expect("a folder");
    files.set_interfaces(vec![(3, "eth0".into())]);
    Keeper::new(&settings, files)
}

fn record(nanoseconds: u64) -> Vec<u8> {
    let mut bytes = nanoseconds.to_ne_bytes().to_vec();
    for word in [3_u32, 1_000, 300] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend([TrafficClass::Scan as u8, 1 << Signature::Mirai as u8, 0, 0]);
    bytes.extend([7; EVIDENCE_SNAP]);
    bytes
}

#[test]
fn a_packet_has_its_own_time_and_no_more_than_the_snap_length() {
    let folder = TempDir::new().expect("a folder");
    let mut keeper = keeper(folder.path(), EvidenceOptions::default());
    keeper.begin_at(Duration::from_nanos(5_000), 1_790_000_000_000_005_000);
    keeper.take(&record(4_321));
    keeper.finish();
    keeper.end();
    let path = fs::read_dir(folder.path()).expect("a folder").next().expect("a file").expect("a file").path();
    let mut capture = Capture::open(&path).expect("a capture");
    let packet = capture.next_packet().expect("a whole file").expect("a packet");
    assert_eq!(packet.time_unix_ns, Some(1_790_000_000_000_004_321));
    assert_eq!((packet.original_length, packet.frame), (1_000, [7; 256].as_slice()));
    let written = keeper.tally().read();
    assert_eq!((written.packets, written.bytes), (1, fs::metadata(&path).expect("a file").len()));
}

#[test]
fn every_record_is_written_or_skipped_for_one_reason() {
    let folder = TempDir::new().expect("a folder");
    let options = EvidenceOptions { packets_per_second: Some(10), ..EvidenceOptions::default() };
    let mut limited = keeper(folder.path(), options);
    for second in 0..3 {
        limited.begin_at(Duration::from_secs(second), second);
        (0..25).for_each(|_| limited.take(&record(1)));
        limited.flush();
    }
    let written = limited.tally().read();
    assert_eq!((written.packets, written.rate, written.disk, written.error), (30, 45, 0, 0));

    let other = TempDir::new().expect("a folder");
    let options = EvidenceOptions { minimum_free_bytes: Some(u64::MAX), ..EvidenceOptions::default() };
    let mut full = keeper(other.path(), options);
    full.begin();
    (0..25).for_each(|_| full.take(&record(1)));
    assert!(full.finish(), "the gate is open on a full disk");
    let written = full.tally().read();
    assert_eq!((written.packets, written.disk), (0, 25));
    assert_eq!(fs::read_dir(other.path()).expect("a folder").count(), 0);

    // A folder that goes away under it: writing fails, and is not tried again at once.
    let gone = TempDir::new().expect("a folder");
    let mut failing = keeper(gone.path(), EvidenceOptions::default());
    fs::remove_dir_all(gone.path()).expect("an empty folder");
    failing.begin();
    (0..25).for_each(|_| failing.take(&record(1)));
    assert!(failing.finish(), "the gate is open where nothing can be written");
    failing.take(&record(1));
    assert_eq!(failing.tally().read().error, 26);
}

#[test]
fn comments_name_class_and_signatures() {
    let mut bytes = record(1);
    assert_eq!(comment(&parse(&bytes).expect("a record")), "class scan; signatures mirai");
    (bytes[20], bytes[21]) = (200, 0);
    assert_eq!(comment(&parse(&bytes).expect("a record")), "class unknown");
    assert!(parse(&bytes[..100]).is_none());
}
