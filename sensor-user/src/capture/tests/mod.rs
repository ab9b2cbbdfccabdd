//! Captures written here, byte by byte, and read back.

mod clocks;
mod damage;
mod faults;
mod interfaces;
mod links;
mod other_reader;
mod round_trip;
mod writer;

use std::io::{Cursor, Read};

use super::{Capture, CaptureError, Packet};

/// The name that errors give to a capture of these tests.
const NAME: &str = "test.pcap";

/// A [`Packet`] that has left its capture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    number: u64,
    time_unix_ns: Option<i128>,
    frame: Vec<u8>,
    synthetic: usize,
    captured_length: u32,
    original_length: u32,
}

impl From<Packet<'_>> for Owned {
    fn from(packet: Packet<'_>) -> Self {
        let Packet { number, time_unix_ns, frame, synthetic, captured_length, original_length } = packet;
        Self { number, time_unix_ns, frame: frame.to_vec(), synthetic, captured_length, original_length }
    }
}

/// Reads to the end, and past it: the packets, and the fault if there is one.
fn read(bytes: &[u8]) -> (Vec<Owned>, Option<CaptureError>) {
    read_from(Cursor::new(bytes.to_vec()))
}

fn read_from(source: impl Read + Send + 'static) -> (Vec<Owned>, Option<CaptureError>) {
    let mut capture = match Capture::from_reader(NAME, source) {
        Ok(capture) => capture,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut packets = Vec::new();
    let fault = loop {
        match capture.next_packet() {
            Ok(Some(packet)) => packets.push(Owned::from(packet)),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    for _ in 0..3 {
        assert_eq!(capture.next_packet().unwrap(), None, "after the end");
    }
    (packets, fault)
}

/// Reads a capture without a fault.
fn read_whole(bytes: &[u8]) -> Vec<Owned> {
    let (packets, fault) = read(bytes);
    assert!(fault.is_none(), "{fault:?}");
    packets
}
