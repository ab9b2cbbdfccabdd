//! UDP and ICMP over IPv4.

use sensor_ebpf::generate::mutations::SOURCE_PORT;

use super::{ANY_ADDRESS, ipv4, kind, to_telescope, usual_syn};
use crate::frame::{Frame, ICMP, Ipv4};
use crate::mix::Kind;
use crate::mix::expectation::{Expectation, Port, Version};

pub fn kinds() -> Vec<Kind> {
    let mut kinds = vec![
        udp("DNS", 20, 53, &[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]),
        udp("NTP monlist", 12, 123, &[0x17, 0, 3, 0x2a, 0, 0, 0, 0]),
        udp("SNMP", 8, 161, &[0x30, 0x26, 2, 1, 1, 4, 6, b'p', b'u', b'b', b'l', b'i', b'c']),
        udp("SSDP", 8, 1900, b"M-SEARCH * HTTP/1.1\r\n"),
        udp("SIP", 12, 5060, b"OPTIONS sip:100@198.18.0.1 SIP/2.0\r\n"),
    ];
    let zmap = Ipv4 { identification: 54321, ..ipv4() };
    kinds.push(kind(
        "memcached, ZMap",
        8,
        Frame::ethernet().ipv4(&zmap).udp(40321, 11211, b"\0\0\0\0\0\x01\0\0stats\r\n").build(),
        ANY_ADDRESS | SOURCE_PORT,
        an_udp(11211).zmap(),
    ));
    kinds.push(kind(
        "DNS answer",
        6,
        to_telescope().udp(53, 33333, &[0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]).build(),
        ANY_ADDRESS,
        an_udp(33333),
    ));
    kinds.extend(icmp());
    kinds
}

fn udp(name: &'static str, weight: u32, port: u16, payload: &[u8]) -> Kind {
    let frame = to_telescope().udp(40321, port, payload).build();
    kind(name, weight, frame, ANY_ADDRESS | SOURCE_PORT, an_udp(port))
}

fn icmp() -> [Kind; 3] {
    // From a spoofed, observed source to the victim, whose router tells the telescope that it failed.
    let spoofed = Ipv4 { source: [198, 18, 0, 1], destination: [203, 0, 113, 80], ..ipv4() };
    let quoted = Frame::ethernet().ipv4(&spoofed).tcp(&usual_syn(443)).quoted();
    let message = |name, weight, kind_number, code, payload: &[u8]| {
        let frame = to_telescope().icmp(ICMP, kind_number, code, payload).build();
        kind(name, weight, frame, ANY_ADDRESS, Expectation::icmp(kind_number))
    };
    [
        message("ping", 20, 8, 0, &[0x41; 32]),
        message("unreachable, quoting", 8, 3, 1, &quoted),
        message("time exceeded, quoting", 6, 11, 0, &quoted[..28]),
    ]
}

fn an_udp(port: u16) -> Expectation {
    Expectation::udp(Version::V4, Port::Is(port))
}
