//! What a telescope sees on an ordinary day, in about its proportions, and what it sees once a year.

mod tcp;
mod unusual;
mod without_connection;

use sensor_ebpf::generate::mutations::{IPV4_SOURCE, IPV4_TARGET, IPV6_SOURCE, SEQUENCE, SOURCE_PORT};

use super::expectation::Expectation;
use super::{Kind, Mix};
use crate::frame::{Built, Frame, Ipv4, Ipv6, Tcp};

/// The prefixes that the mix is for: a sensor has to observe these alone (from RFC 2544 and RFC 3849,
/// which no one on the Internet has).
pub const OBSERVED: [&str; 2] = ["198.18.0.0/24", "2001:db8:0:1::/64"];

/// The one watched window that the mix has scans with: the sensor's default.
const WATCHED_WINDOW: u16 = 5656;
/// Windows of other scans.
const USUAL_WINDOW: u16 = 64240;

/// Every packet from another source, to another destination.
const ANY_ADDRESS: u32 = IPV4_SOURCE | IPV4_TARGET;
/// The same with ports: what a scan of one port varies.
const ANY_SOURCE: u32 = ANY_ADDRESS | SOURCE_PORT | SEQUENCE;
const ANY_SOURCE_IPV6: u32 = IPV6_SOURCE | SOURCE_PORT | SEQUENCE;

/// The mix, for a sensor that observes [`OBSERVED`] and watches window 5656.
#[must_use]
pub fn telescope() -> Mix {
    let mut kinds = tcp::kinds();
    kinds.extend(without_connection::kinds());
    kinds.extend(unusual::kinds());
    Mix::new(kinds)
}

fn kind(name: &'static str, weight: u32, frame: Built, mutations: u32, expectation: Expectation) -> Kind {
    Kind { name, weight, frame, mutations, expectation }
}

/// To an observed address. The ID is no tool's.
pub const fn ipv4() -> Ipv4 {
    Ipv4 {
        source: [203, 0, 113, 7],
        destination: [198, 18, 0, 1],
        identification: 0x2b01,
        time_to_live: 52,
        fragment: 0,
        options: &[],
    }
}

const fn ipv6() -> Ipv6 {
    Ipv6 {
        source: [0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7],
        destination: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
    }
}

/// A SYN that asks for a connection to `port`.
pub const fn syn(port: u16, window: u16, options: &'static [u8]) -> Tcp {
    Tcp { source_port: 40321, destination_port: port, sequence: 0x0102_0304, flags: 0x02, window, options }
}

/// The ordinary SYN of an operating system.
const fn usual_syn(port: u16) -> Tcp {
    syn(port, USUAL_WINDOW, &[2, 4, 5, 180, 1, 3, 3, 7])
}

fn to_telescope() -> Frame {
    Frame::ethernet().ipv4(&ipv4())
}
