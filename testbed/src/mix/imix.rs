//! Frames of three lengths, as the testers of routers send them.

use sensor_ebpf::generate::mutations::{DESTINATION_PORT, IPV4_SOURCE, IPV4_TARGET, SEQUENCE, SOURCE_PORT};

use super::expectation::{Expectation, Port, Version};
use super::{Kind, Mix, telescope};
use crate::frame::Frame;

/// Ethernet, IPv4 without options, UDP.
const HEADERS: usize = 14 + 20 + 8;

/// The simple IMIX (RFC 6985, appendix): of twelve frames seven of 64 bytes on the wire, which are TCP SYNs, four of 570
/// and one of 1518, which are UDP. Sources, targets and ports are random.
#[must_use]
pub fn imix() -> Mix {
    let syn =
        Frame::ethernet().ipv4(&telescope::ipv4()).tcp(&telescope::syn(23, 65535, &[2, 4, 5, 180])).build();
    let any = IPV4_SOURCE | IPV4_TARGET | SOURCE_PORT | DESTINATION_PORT;
    Mix::new(vec![
        Kind {
            name: "SYN of 64 bytes",
            weight: 7,
            frame: syn,
            mutations: any | SEQUENCE,
            expectation: Expectation::scan(Version::V4, Port::Any),
        },
        datagram("UDP of 570 bytes", 4, 570, any),
        datagram("UDP of 1518 bytes", 1, 1518, any),
    ])
}

/// The wire's length has four bytes of check sequence in it, which no program sees.
fn datagram(name: &'static str, weight: u32, on_wire: usize, mutations: u32) -> Kind {
    let payload = vec![0; on_wire - 4 - HEADERS];
    let frame = Frame::ethernet().ipv4(&telescope::ipv4()).udp(40321, 53, &payload).build();
    Kind {
        name,
        weight,
        frame: frame.cut(on_wire - 4),
        mutations,
        expectation: Expectation::udp(Version::V4, Port::Any),
    }
}
