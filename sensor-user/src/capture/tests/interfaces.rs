//! What an interface description does to its packets.

use super::super::order::ByteOrder;
use super::super::{CaptureError, MAX_CAPTURED_LENGTH};
use super::writer::{Sample, Written};
use super::{read, read_whole};

fn sample(ticks: u64) -> Sample {
    Sample { ticks, original_length: 60, bytes: vec![0x45; 20] }
}

/// The time of a packet of 5 ticks, on an interface with `options`.
fn time(options: impl Fn(&Written) -> Vec<u8>) -> i128 {
    let [little, big] = [ByteOrder::Little, ByteOrder::Big].map(|order| {
        let mut written = Written::pcapng(order);
        let options = options(&written);
        written.interface(1, 0, &options);
        written.enhanced(0, &sample(5));
        read_whole(&written.bytes)[0].time_unix_ns
    });
    assert_eq!(little, big);
    little.unwrap()
}

#[test]
fn options() {
    assert_eq!(time(|_| Vec::new()), 5_000);
    assert_eq!(time(|written| written.option(9, &[9])), 5);
    assert_eq!(time(|written| written.option(9, &[0x80 | 1])), 2_500_000_000);
    assert_eq!(time(|written| written.option(14, &written.i64(-1))), -999_995_000);
    // Behind a name with padding, and before a second, which does not count.
    let many = |written: &Written| {
        let name = written.option(2, b"eth12");
        [name, written.option(9, &[9]), written.option(9, &[3])].concat()
    };
    assert_eq!(time(many), 5);
    // Nothing counts behind the end of the options.
    let ended = |written: &Written| [written.option(0, b""), written.option(9, &[9])].concat();
    assert_eq!(time(ended), 5_000);
}

#[test]
fn packets_find_their_interface() {
    let mut written = Written::pcapng(ByteOrder::Big);
    for resolution in [0, 3, 6] {
        written.interface(1, 0, &written.option(9, &[resolution]));
    }
    written.enhanced(2, &sample(5));
    written.obsolete(1, &sample(5));
    written.enhanced(0, &sample(5));
    written.obsolete(2, &sample(5));
    let times = read_whole(&written.bytes).into_iter().map(|packet| packet.time_unix_ns.unwrap());
    assert_eq!(times.collect::<Vec<_>>(), [5_000, 5_000_000, 5_000_000_000, 5_000]);
}

#[test]
fn a_section_forgets_the_last_one() {
    let mut written = Written::pcapng(ByteOrder::Little);
    written.interface(1, 0, &[]);
    written.interface(101, 0, &written.option(9, &[9]));
    written.enhanced(1, &sample(5));
    written.enhanced(0, &sample(5));
    written.section(ByteOrder::Big);
    written.interface(228, 0, &written.option(9, &[0x80 | 1]));
    written.enhanced(0, &sample(5));
    let packets = read_whole(&written.bytes);
    let seen: Vec<_> = packets.iter().map(|packet| (packet.time_unix_ns, packet.synthetic)).collect();
    assert_eq!(seen, [(Some(5), 14), (Some(5_000), 0), (Some(2_500_000_000), 14)]);
    written.enhanced(1, &sample(5));
    assert!(matches!(read(&written.bytes).1, Some(CaptureError::Interface { .. })));
}

#[test]
fn a_simple_packet_is_cut_at_the_snap_length() {
    let mut written = Written::pcapng(ByteOrder::Big);
    written.interface(1, 6, &[]);
    written.simple(1_500, &[1, 2, 3, 4, 5, 6]);
    written.simple(5, &[1, 2, 3, 4, 5]);
    let packets = read_whole(&written.bytes);
    assert_eq!(packets[0].frame, [1, 2, 3, 4, 5, 6]);
    assert_eq!((packets[0].captured_length, packets[0].original_length), (6, 1_500));
    assert_eq!(packets[1].frame, [1, 2, 3, 4, 5]);
}

#[test]
fn padding_left_out_of_a_block_length() {
    let mut written = Written::pcapng(ByteOrder::Little);
    written.interface(1, 0, &[]);
    let start = written.bytes.len();
    // One byte of packet, three of padding, no options: a length of 33 for 36 bytes.
    written.block(6, &[[0; 12].as_slice(), &[1, 0, 0, 0, 1, 0, 0, 0, 0xaa, 0, 0, 0]].concat());
    let end = written.bytes.len();
    written.bytes[start + 4] = 33;
    written.bytes[end - 4] = 33;
    written.simple(1, &[0xbb]);
    let frames: Vec<_> = read_whole(&written.bytes).into_iter().map(|packet| packet.frame).collect();
    assert_eq!(frames, [[0xaa], [0xbb]]);
}

#[test]
fn the_longest_packet() {
    let mut written = Written::pcapng(ByteOrder::Little);
    written.interface(1, 0, &[]);
    let bytes = vec![0x45; MAX_CAPTURED_LENGTH as usize];
    written.enhanced(0, &Sample { ticks: 0, original_length: 9, bytes: bytes.clone() });
    assert_eq!(read_whole(&written.bytes)[0].frame, bytes);
}

#[test]
fn version_1_2_is_1_0() {
    let mut written = Written::pcapng(ByteOrder::Little);
    written.interface(1, 0, &[]);
    written.enhanced(0, &sample(5));
    written.bytes[14] = 2;
    assert_eq!(read_whole(&written.bytes).len(), 1);
    written.bytes[14] = 1;
    assert!(matches!(read(&written.bytes).1, Some(CaptureError::Version { .. })));
}
