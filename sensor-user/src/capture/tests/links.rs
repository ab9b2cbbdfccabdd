//! Every link layer becomes Ethernet, or says why it cannot.

use super::super::order::ByteOrder;
use super::super::{CaptureError, MAX_CAPTURED_LENGTH};
use super::writer::{Sample, Written};
use super::{Owned, read, read_whole};

const MICROSECONDS: u32 = 0xa1b2_c3d4;

fn one(link_type: u32, bytes: &[u8]) -> Owned {
    let mut written = Written::classic(ByteOrder::Little, MICROSECONDS, link_type);
    written.packet(1, 2, bytes.len() as u32, bytes);
    read_whole(&written.bytes).remove(0)
}

fn cooked(device_type: u16, protocol: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(device_type.to_be_bytes());
    bytes.extend([0, 6, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0, 0]);
    bytes.extend(protocol.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn cooked2(device_type: u16, protocol: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = protocol.to_be_bytes().to_vec();
    bytes.extend([0, 0, 0, 0, 0, 3]);
    bytes.extend(device_type.to_be_bytes());
    bytes.extend([0, 6, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0, 0]);
    bytes.extend(payload);
    bytes
}

/// A frame of ours: no addresses, `ethertype`, and `payload`.
fn framed(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[0; 12], ethertype.to_be_bytes().as_slice(), payload].concat()
}

#[test]
fn ethernet_is_left_alone() {
    for length in [0, 1, 13, 14, 15, 60, 1_514] {
        let bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
        // Plain, and with the bits that announce a frame check sequence of 4 bytes.
        for link_type in [1, 0x2400_0001] {
            let packet = one(link_type, &bytes);
            assert_eq!((packet.frame.as_slice(), packet.synthetic), (bytes.as_slice(), 0));
            assert_eq!(packet.original_length, length);
        }
    }
}

#[test]
fn ip_gets_an_ethernet_header() {
    let cases: [(u32, u8, u16); 10] = [
        (101, 0x45, 0x0800),
        (101, 0x60, 0x86dd),
        (101, 0x50, 0xffff),
        (101, 0x00, 0xffff),
        (12, 0x45, 0x0800),
        (14, 0x6f, 0x86dd),
        // These say what they hold; a packet that does not is for the decoder to find.
        (228, 0x45, 0x0800),
        (228, 0x60, 0x0800),
        (229, 0x60, 0x86dd),
        (229, 0x45, 0x86dd),
    ];
    for (link_type, first, ethertype) in cases {
        let packet = one(link_type, &[first, 1, 2, 3]);
        assert_eq!(packet.frame, framed(ethertype, &[first, 1, 2, 3]), "{link_type} {first:02x}");
        assert_eq!((packet.synthetic, packet.captured_length), (14, 4));
    }
}

#[test]
fn cooked_protocols() {
    let cases: [(u16, u16, u16); 16] = [
        (1, 0x0800, 0x0800),
        (1, 0x86dd, 0x86dd),
        (1, 0x0806, 0x0806),
        (1, 0x8100, 0x8100),
        (772, 0x0800, 0x0800),
        (65_534, 0x0800, 0x0800),
        // GRE, whose protocol types are Ethertypes.
        (778, 0x0800, 0x0800),
        // Linux's own protocol numbers.
        (1, 0x0001, 0xffff),
        (1, 0x0003, 0xffff),
        (1, 0x0004, 0xffff),
        (280, 0x000c, 0xffff),
        (1, 0x05ff, 0xffff),
        (1, 0x0600, 0x0600),
        // Netlink, radiotap, Frame Relay: the field is something else, whatever it looks like.
        (824, 0x0800, 0xffff),
        (803, 0x0800, 0xffff),
        (770, 0x0800, 0xffff),
    ];
    for (device_type, protocol, ethertype) in cases {
        let expected = framed(ethertype, b"payload");
        let first = one(113, &cooked(device_type, protocol, b"payload"));
        let second = one(276, &cooked2(device_type, protocol, b"payload"));
        assert_eq!(first.frame, expected, "{device_type} {protocol:04x}");
        assert_eq!(second.frame, expected, "{device_type} {protocol:04x}");
        assert_eq!((first.synthetic, first.captured_length), (14, 23));
        assert_eq!((second.synthetic, second.captured_length), (14, 27));
    }
}

#[test]
fn too_short_for_its_own_header() {
    let whole = [cooked(1, 0x0800, &[]), cooked2(1, 0x0800, &[])];
    for (link_type, header) in [(113, &whole[0]), (276, &whole[1]), (101, &vec![0x45])] {
        for length in 0..header.len() {
            let packet = one(link_type, &header[..length]);
            assert_eq!((packet.frame.len(), packet.synthetic), (0, 0), "{link_type} {length}");
            assert_eq!(packet.captured_length, length as u32);
        }
        assert_eq!(one(link_type, header).frame.len(), 14 + usize::from(link_type == 101));
    }
}

#[test]
fn nothing_of_a_longer_packet_remains() {
    let mut written = Written::classic(ByteOrder::Big, MICROSECONDS, 101);
    written.packet(0, 0, 100, &[0x45; 100]);
    written.packet(0, 0, 2, &[0x60, 0]);
    let packets = read_whole(&written.bytes);
    assert_eq!(packets[1].frame, framed(0x86dd, &[0x60, 0]));
}

#[test]
fn other_link_types_are_named() {
    let mut written = Written::classic(ByteOrder::Little, MICROSECONDS, 127);
    assert_eq!(read_whole(&written.bytes), [], "no packet, no fault");
    written.packet(1, 2, 4, &[0; 4]);
    let (packets, fault) = read(&written.bytes);
    let message = fault.unwrap().to_string();
    assert!(packets.is_empty());
    for part in ["test.pcap, packet 1, byte 24", "127 (IEEE802_11_RADIOTAP)", "Ethernet (1)"] {
        assert!(message.contains(part), "{message}");
    }
    for (number, name) in [(147, "(USER0"), (162, "(USER0"), (163, "(IEEE802_11_AVS)"), (164, "(not")] {
        written.bytes[20] = number;
        let message = read(&written.bytes).1.unwrap().to_string();
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn an_unsupported_interface_matters_once_it_has_a_packet() {
    let sample = Sample { ticks: 1, original_length: 4, bytes: vec![0; 4] };
    let mut written = Written::pcapng(ByteOrder::Little);
    written.interface(249, 0, &[]);
    written.interface(1, 0, &[]);
    written.enhanced(1, &sample);
    assert_eq!(read_whole(&written.bytes).len(), 1);
    written.enhanced(0, &sample);
    written.enhanced(1, &sample);
    let (packets, fault) = read(&written.bytes);
    assert_eq!(packets.len(), 1);
    assert!(matches!(fault, Some(CaptureError::LinkType { number: 249, name: "USBPCAP", .. })));
}

#[test]
fn the_longest_packet() {
    let bytes = vec![0x45; MAX_CAPTURED_LENGTH as usize];
    assert_eq!(one(101, &bytes).frame, framed(0x0800, &bytes));
}
