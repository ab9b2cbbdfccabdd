//! The traffic classes and signatures against statements of the same rules in other words.

use super::*;
use crate::headers::Frame;

/// The classes as a telescope operator would say them, one flag at a time.
fn class_in_words(flags: u8) -> TcpClass {
    let [fin, syn, rst, _psh, ack, _urg, _ece, _cwr] = core::array::from_fn(|bit| flags >> bit & 1 == 1);
    match (syn, ack, rst, fin) {
        (true, true, _, _) => TcpClass::BackscatterSynAck,
        (_, _, true, _) => TcpClass::BackscatterRst,
        (true, false, false, false) => TcpClass::Scan,
        _ => TcpClass::Other,
    }
}

#[test]
fn every_combination_of_flags_has_the_class_that_the_rule_says() {
    for flags in 0..=u8::MAX {
        assert_eq!(tcp_class(flags), class_in_words(flags), "flags {flags:#04x}");
    }
}

#[test]
fn flags_beside_the_four_never_change_the_class() {
    for flags in 0..=u8::MAX {
        assert_eq!(tcp_class(flags), tcp_class(flags & 0x17), "flags {flags:#04x}");
    }
}

/// Of the 16 combinations of SYN, ACK, RST and FIN: one is a scan, four are SYN-ACKs, six more have RST.
#[test]
fn classes_divide_the_flags_as_counted_by_hand() {
    let count = |class| (0..=u8::MAX).filter(|flags| tcp_class(*flags) == class).count();
    assert_eq!(count(TcpClass::Scan), 16);
    assert_eq!(count(TcpClass::BackscatterSynAck), 4 * 16);
    assert_eq!(count(TcpClass::BackscatterRst), 6 * 16);
    assert_eq!(count(TcpClass::Other), 5 * 16);
}

/// An IPv4 header with these in it, and else zero.
fn ipv4_bytes(identification: u16, destination: [u8; 4]) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[4..6].copy_from_slice(&identification.to_be_bytes());
    bytes[16..20].copy_from_slice(&destination);
    bytes
}

/// A TCP header with these in it, and else zero.
fn tcp_bytes(port: u16, sequence: u32) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[4..8].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

/// Which of mirai, zmap and masscan the header fields match.
fn signatures(identification: u16, destination: [u8; 4], port: u16, sequence: u32) -> [bool; 3] {
    let (ipv4, tcp) = (ipv4_bytes(identification, destination), tcp_bytes(port, sequence));
    let ipv4 = Frame::new(&ipv4).at::<Ipv4>(0).unwrap();
    let tcp = Frame::new(&tcp).at::<Tcp>(0).unwrap();
    [is_mirai(ipv4, tcp), is_zmap(ipv4), is_masscan(ipv4, tcp)]
}

const TARGET: [u8; 4] = [203, 0, 113, 7];
const TARGET_NUMBER: u32 = u32::from_be_bytes(TARGET);

#[test]
fn mirai_is_a_sequence_number_equal_to_the_destination_at_any_port() {
    for port in [0, 22, 23, 2323, 5501, 37215, u16::MAX] {
        assert!(signatures(1, TARGET, port, TARGET_NUMBER)[0], "port {port}");
    }
}

#[test]
fn mirai_misses_by_any_single_bit_and_by_byte_order() {
    for bit in 0..32 {
        assert!(!signatures(1, TARGET, 23, TARGET_NUMBER ^ 1 << bit)[0], "bit {bit}");
    }
    assert!(!signatures(1, TARGET, 23, TARGET_NUMBER.swap_bytes())[0]);
    assert!(!signatures(1, TARGET, 23, TARGET_NUMBER + 1)[0]);
}

#[test]
fn zmap_is_one_identification_and_no_other() {
    for identification in 0..=u16::MAX {
        assert_eq!(signatures(identification, TARGET, 80, 1)[1], identification == 54321);
    }
}

/// masscan's arithmetic as masscan writes it: on numbers in host order, cut to 16 bits at the end.
fn masscan_identification(destination: [u8; 4], port: u16, sequence: u32) -> u16 {
    u16::try_from((u32::from_be_bytes(destination) ^ u32::from(port) ^ sequence) & 0xffff).unwrap()
}

#[test]
fn masscan_is_the_low_half_of_address_port_and_sequence() {
    for (port, sequence) in [(0, 0), (80, 0x1234_5678), (443, u32::MAX), (u16::MAX, 0xffff_0000), (23, 1)] {
        let identification = masscan_identification(TARGET, port, sequence);
        assert!(signatures(identification, TARGET, port, sequence)[2]);
        for bit in 0..16 {
            assert!(!signatures(identification ^ 1 << bit, TARGET, port, sequence)[2]);
            assert!(!signatures(identification, TARGET, port ^ 1 << bit, sequence)[2]);
            assert!(!signatures(identification, TARGET, port, sequence ^ 1 << bit)[2]);
            // The high half does not reach the identification.
            assert!(signatures(identification, TARGET, port, sequence ^ 1 << (bit + 16))[2]);
        }
    }
}

#[test]
fn masscan_misses_where_byte_order_is_confused() {
    let identification = masscan_identification(TARGET, 80, 0x1234_5678);
    assert_ne!(identification, identification.swap_bytes());
    assert!(!signatures(identification.swap_bytes(), TARGET, 80, 0x1234_5678)[2]);
}

#[test]
fn one_packet_may_match_all_three() {
    // Sequence and destination cancel out, so the port alone must be the identification.
    assert_eq!(signatures(54321, TARGET, 54321, TARGET_NUMBER), [true; 3]);
}
