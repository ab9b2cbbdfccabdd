//! Traffic in which only that varies whose cost is asked for.

use sensor_ebpf::generate::TEMPLATES;
use sensor_ebpf::generate::mutations::{IPV4_SOURCE, IPV4_TARGET, IPV6_SOURCE, SEQUENCE, SOURCE_PORT};
use testbed::frame::{Frame, Ipv4, Ipv6, Tcp};
use testbed::mix::{Expectation, Kind, Mix, Port, Version};

/// The first of the destinations: networks for benchmarks (RFC 2544) and for documentation (RFC 3849).
pub const IPV4: [u8; 4] = [198, 18, 0, 0];
pub const IPV6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
/// How many bits of a destination vary: 64 templates, and a byte.
pub const BITS: u8 = 14;

/// No window that anybody watches.
pub const WINDOW: u16 = 65_535;

/// SYNs to one port of one address, from sources that vary: nothing else in them costs more at times than at others.
pub fn plain() -> Mix {
    Mix::new(vec![kind(ipv4(0), IPV4_SOURCE | SOURCE_PORT | SEQUENCE, Version::V4)])
}

/// The same to any of 16,384 addresses that follow each other.
pub fn to_many_ipv4() -> Mix {
    let mutations = IPV4_SOURCE | IPV4_TARGET | SOURCE_PORT | SEQUENCE;
    let one = |template| kind(ipv4(template), mutations, Version::V4);
    Mix::new((0..TEMPLATES).map(|template| one(byte(template))).collect())
}

/// The same over IPv6, to 64 addresses of as many, of which each bit is as often set as not.
pub fn to_many_ipv6() -> Mix {
    let one = |template| kind(ipv6(template), IPV6_SOURCE | SOURCE_PORT | SEQUENCE, Version::V6);
    Mix::new((0..TEMPLATES).map(|template| one(byte(template))).collect())
}

fn byte(template: usize) -> u8 {
    u8::try_from(template).unwrap_or(u8::MAX)
}

fn kind(frame: Frame, mutations: u32, version: Version) -> Kind {
    let options: &[u8] = &[2, 4, 5, 180, 1, 3, 3, 7];
    let (destination_port, sequence) = (23, 0x0102_0304);
    let syn = Tcp { source_port: 40_321, destination_port, sequence, flags: 2, window: WINDOW, options };
    Kind {
        name: "SYN to one port",
        weight: 1,
        frame: frame.tcp(&syn).build(),
        mutations,
        expectation: Expectation::scan(version, Port::Is(destination_port)),
    }
}

fn ipv4(template: u8) -> Frame {
    let [a, b, _, d] = IPV4;
    Frame::ethernet().ipv4(&Ipv4 {
        source: [203, 0, 113, 7],
        destination: [a, b, template, d],
        identification: 0x2b01,
        time_to_live: 52,
        fragment: 0,
        options: &[],
    })
}

fn ipv6(template: u8) -> Frame {
    let mut destination = IPV6;
    // An odd factor, so that the low bits of 64 templates are all different.
    [destination[14], destination[15]] = [template, template.wrapping_mul(37).wrapping_add(11)];
    let source = [0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7];
    Frame::ethernet().ipv6(&Ipv6 { source, destination })
}
