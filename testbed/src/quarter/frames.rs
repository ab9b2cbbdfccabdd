//! Packets as they are on the wire.

use ipnet::Ipv4Net;
use testbed::frame::{Frame, Ipv4, Tcp};

use crate::description::{Class, Signature, Traffic};
use crate::plan::Packet;
use crate::random::Numbers;

/// The identification that ZMap writes up to 4.0.
const ZMAP: u16 = 54_321;
/// The window of scanners that use their system's sockets, and of masscan.
const USUAL_WINDOW: u16 = 29_200;
const MASSCAN_WINDOW: u16 = 1_024;
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const RST_ACK: u8 = 0x14;
/// The lowest port that a system gives to a connection.
const EPHEMERAL: u16 = 32_768;

/// A frame of a packet: what is not the stream's is drawn, so that it has the stream's signature and no other.
pub fn frame(packet: &Packet, stream: &Traffic, observed: Ipv4Net, numbers: &mut Numbers) -> Vec<u8> {
    let addresses = 1_u64 << (32 - observed.prefix_len());
    let target = u32::from(observed.network()) + u32::try_from(numbers.below(addresses)).unwrap_or_default();
    let port = packet.port.port;
    let other_port = EPHEMERAL | numbers.next_u16();
    let (identification, sequence) = loop {
        let sequence = if stream.signature == Signature::Mirai { target } else { numbers.next_u32() };
        let of_masscan = masscan(target, port, sequence);
        let identification = match stream.signature {
            Signature::Zmap => ZMAP,
            Signature::Masscan => of_masscan,
            Signature::None | Signature::Mirai => numbers.next_u16(),
        };
        let marks = [
            (sequence == target, Signature::Mirai),
            (identification == ZMAP, Signature::Zmap),
            (identification == of_masscan, Signature::Masscan),
        ];
        if marks.iter().all(|(has, mark)| *has == (*mark == stream.signature)) {
            break (identification, sequence);
        }
    };
    let time_to_live = 40 + u8::try_from(numbers.below(16)).unwrap_or_default();
    let network = Ipv4 {
        source: packet.source.to_be_bytes(),
        destination: target.to_be_bytes(),
        identification,
        time_to_live,
        fragment: 0,
        options: &[],
    };
    let frame = Frame::ethernet().ipv4(&network);
    let built = if packet.port.is_tcp() {
        let (source_port, destination_port, flags) = match stream.class {
            Class::Scan => (other_port, port, SYN),
            Class::BackscatterSynAck => (port, other_port, SYN_ACK),
            Class::BackscatterRst => (port, other_port, RST_ACK),
        };
        let usual = if stream.signature == Signature::Masscan { MASSCAN_WINDOW } else { USUAL_WINDOW };
        let window = stream.window.unwrap_or(usual);
        frame.tcp(&Tcp { source_port, destination_port, sequence, flags, window, options: &[] })
    } else {
        frame.udp(other_port, port, &[0; 8])
    };
    built.build().bytes
}

/// The identification that masscan writes.
fn masscan(target: u32, port: u16, sequence: u32) -> u16 {
    let [_, _, high, low] = (target ^ u32::from(port) ^ sequence).to_be_bytes();
    u16::from_be_bytes([high, low])
}
