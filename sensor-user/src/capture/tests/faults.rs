//! Everything that can be wrong says what, where, and what to do.

use std::io::{self, Cursor, Read};
use std::path::Path;

use super::super::order::ByteOrder;
use super::super::{Capture, CaptureError, MAX_CAPTURED_LENGTH};
use super::writer::{Sample, Written};
use super::{read, read_from};

fn sample() -> Sample {
    Sample { ticks: 1, original_length: 60, bytes: vec![7; 60] }
}

fn classic() -> Written {
    let mut written = Written::classic(ByteOrder::Little, 0xa1b2_c3d4, 1);
    written.packet(1, 2, 60, &[7; 60]);
    written
}

fn pcapng() -> Written {
    let mut written = Written::pcapng(ByteOrder::Big);
    written.interface(1, 0, &[]);
    written.enhanced(0, &sample());
    written
}

/// The fault behind `delivered` packets, as its message.
#[track_caller]
fn fault(bytes: &[u8], delivered: usize) -> String {
    let (packets, fault) = read(bytes);
    assert_eq!(packets.len(), delivered);
    let message = fault.expect("a fault").to_string();
    assert!(!message.contains('\n') && message.contains("test.pcap"), "{message}");
    message
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}

#[test]
fn files_that_are_no_captures() {
    assert_says(&fault(b"", 0), &["is empty"]);
    assert_says(&fault(b"GET / HTTP", 0), &["neither pcap nor pcapng", "47 45 54 20"]);
    assert_says(&fault(&[0xa1, 0xb2], 0), &["begins with a1 b2,"]);
    assert_says(&fault(&[0x1f, 0x8b, 8, 0], 0), &["compressed with gzip", "gunzip"]);
    assert_says(&fault(&[0x28, 0xb5, 0x2f, 0xfd], 0), &["zstd"]);
    assert_says(&fault(b"BZh91AY&SY", 0), &["bzip2"]);
}

#[test]
fn paths_that_are_no_files() {
    let directory = tempfile::tempdir().unwrap();
    let fault = Capture::open(directory.path()).unwrap_err();
    assert!(matches!(fault, CaptureError::Directory { .. }), "{fault:?}");
    let fault = Capture::open(&directory.path().join("absent")).unwrap_err();
    assert_says(&fault.to_string(), &["cannot open the capture", "absent"]);
    assert!(std::error::Error::source(&fault).is_some());
}

#[test]
fn a_file_on_disk() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), classic().bytes).unwrap();
    let mut capture = Capture::open(file.path()).unwrap();
    assert_eq!(capture.next_packet().unwrap().unwrap().frame, [7; 60]);
    assert_eq!(capture.next_packet().unwrap(), None);
}

#[test]
fn other_versions() {
    let mut written = classic();
    written.bytes[4] = 1;
    assert_says(&fault(&written.bytes, 0), &["byte 0", "pcap version 1.4", "2.4"]);
    let mut written = pcapng();
    written.bytes[13] = 2;
    assert_says(&fault(&written.bytes, 0), &["pcapng version 2.0", "1.0"]);
}

#[test]
fn absurd_lengths() {
    let mut written = classic();
    let longer = MAX_CAPTURED_LENGTH + 1;
    written.bytes[24 + 8..24 + 12].copy_from_slice(&longer.to_le_bytes());
    assert_says(&fault(&written.bytes, 0), &["packet 1, byte 24", "262145 bytes"]);
    let mut written = pcapng();
    let start = written.bytes.len();
    written.block(6, &[[0; 12].as_slice(), &[0xff; 8]].concat());
    let place = format!("packet 2, byte {start}");
    assert_says(&fault(&written.bytes, 1), &[&place, "4294967295 bytes"]);
}

#[test]
fn blocks_that_lie() {
    let damaged = |delivered: usize, change: &dyn Fn(&mut Written)| {
        let mut written = pcapng();
        change(&mut written);
        fault(&written.bytes, delivered)
    };
    let short = damaged(1, &|written| {
        written.bytes.extend([0, 0, 0, 6, 0, 0, 0, 11, 0, 0, 0, 11]);
    });
    assert_says(&short, &["packet 2", "a length of 11"]);
    // A packet of 8 bytes in a block with room for 4.
    let inner = damaged(1, &|written| {
        written.block(6, &[[0; 15].as_slice(), &[8, 0, 0, 0, 8, 1, 2, 3, 4]].concat());
    });
    assert_says(&inner, &["36 bytes, is too short for its packet"]);
    let repeated = damaged(0, &|written| {
        let end = written.bytes.len();
        written.bytes[end - 1] ^= 4;
    });
    assert_says(&repeated, &["packet 1", "before it and", "after"]);
    let option = damaged(1, &|written| written.interface(1, 0, &[0, 9, 0, 2, 6, 6, 0, 0]));
    assert_says(&option, &["option 9", "2 bytes"]);
    let option = damaged(1, &|written| written.interface(1, 0, &[0, 14, 0, 4, 1, 2, 3, 4]));
    assert_says(&option, &["option 14", "4 bytes"]);
    let options = damaged(1, &|written| written.interface(1, 0, &[0, 2, 0, 9, 0, 0, 0, 0]));
    assert_says(&options, &["too short for its options"]);
    let magic = damaged(1, &|written| written.block(0x0a0d_0d0a, &[1, 2, 3, 4]));
    assert_says(&magic, &["byte-order magic 01 02 03 04"]);
}

#[test]
fn packets_of_no_interface() {
    let mut written = pcapng();
    written.enhanced(1, &sample());
    assert_says(&fault(&written.bytes, 1), &["packet 2", "interface 1 in a section that describes 1,"]);
    let mut written = Written::pcapng(ByteOrder::Little);
    written.simple(4, &[0; 4]);
    assert_says(&fault(&written.bytes, 0), &["interface 0 in a section that describes 0,"]);
}

#[test]
fn truncation_says_where_the_file_ends() {
    let bytes = classic().bytes;
    let message = fault(&bytes[..bytes.len() - 3], 0);
    assert_says(&message, &["packet 1, byte 24", "ends at byte 97, inside this packet:"]);
    // An unknown block that claims 4 GiB is passed over, not stored.
    let mut written = pcapng();
    written.bytes.extend([0, 0, 0, 99, 0xff, 0xff, 0xff, 0xf0, 1, 2, 3]);
    assert_says(&fault(&written.bytes, 1), &["packet 2", "inside this block"]);
}

/// Gives one byte at a time, interrupted before each, and fails at the end if told to.
struct Trickle {
    source: Cursor<Vec<u8>>,
    interrupt: bool,
    fail: bool,
}

impl Read for Trickle {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = target.len().min(1);
        match self.source.read(&mut target[..length])? {
            0 if self.fail => Err(io::Error::other("the disk is on fire")),
            count => Ok(count),
        }
    }
}

#[test]
fn slow_and_failing_sources() {
    for whole in [classic(), pcapng()] {
        let trickle = |bytes: &[u8], fail| {
            read_from(Trickle { source: Cursor::new(bytes.to_vec()), interrupt: false, fail })
        };
        let (packets, fault) = trickle(&whole.bytes, false);
        assert!(fault.is_none(), "{fault:?}");
        assert_eq!((packets.len(), packets), (1, read(&whole.bytes).0));
        for length in 0..=whole.bytes.len() {
            let (_, fault) = trickle(&whole.bytes[..length], true);
            assert!(matches!(fault, Some(CaptureError::Read { .. })), "{length} {fault:?}");
        }
    }
    let absent = Path::new("/proc/self/mem");
    let fault = Capture::open(absent).unwrap_err();
    assert!(matches!(fault, CaptureError::Read { .. }), "{fault:?}");
}
