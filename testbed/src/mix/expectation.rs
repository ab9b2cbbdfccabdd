//! What a sensor has to count for one packet, written down by hand.

use std::fmt::Display;

use crate::document::ANY;
use crate::frame::{ICMP, ICMPV6, TCP, UDP};

/// The counters that one packet raises by one, as JSON pointers into the sensor's document. `packets`
/// and `bytes`, which every packet raises, are not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation(Vec<String>);

/// A port that is known, or another one in each packet.
#[derive(Clone, Copy, Debug)]
pub enum Port {
    Is(u16),
    Any,
}

/// Version of IP.
#[derive(Clone, Copy, Debug)]
pub enum Version {
    V4,
    V6,
}

impl Expectation {
    /// An outcome without more to tell: `malformed`, `non_ip`, `unobserved`.
    #[must_use]
    pub fn outcome(name: &str) -> Self {
        Self(Vec::new()).and(format!("/outcomes/{name}"))
    }

    /// An outcome with an IP protocol, and nothing behind it.
    #[must_use]
    pub fn protocol(outcome: &str, protocol: u8) -> Self {
        Self::outcome(outcome).and(format!("/ip_protocols/{protocol}"))
    }

    #[must_use]
    pub fn scan(version: Version, port: Port) -> Self {
        Self::tcp(version, "scan", 0x02).and(format!("/tcp/scan_dst_ports/{port}"))
    }

    /// `class` is a kind of backscatter; the port is the source's.
    #[must_use]
    pub fn backscatter(class: &str, flags: u8, port: Port) -> Self {
        Self::tcp(Version::V4, class, flags).and(format!("/tcp/backscatter_src_ports/{port}"))
    }

    #[must_use]
    pub fn other_tcp(flags: u8, port: Port) -> Self {
        Self::tcp(Version::V4, "other", flags).and(format!("/tcp/other_dst_ports/{port}"))
    }

    #[must_use]
    pub fn udp(version: Version, port: Port) -> Self {
        Self::protocol(&format!("{version}_udp"), UDP).and(format!("/udp/dst_ports/{port}"))
    }

    #[must_use]
    pub fn icmp(kind: u8) -> Self {
        Self::protocol("ipv4_icmp", ICMP).and(format!("/icmp/v4_types/{kind}"))
    }

    #[must_use]
    pub fn icmpv6(kind: u8) -> Self {
        Self::protocol("ipv6_icmp", ICMPV6).and(format!("/icmp/v6_types/{kind}"))
    }

    #[must_use]
    pub fn mirai(self, port: u16) -> Self {
        self.and("/signatures/mirai/packets").and(format!("/signatures/mirai/dst_ports/{port}"))
    }

    #[must_use]
    pub fn zmap(self) -> Self {
        self.and("/signatures/zmap/packets")
    }

    #[must_use]
    pub fn masscan(self) -> Self {
        self.and("/signatures/masscan/packets")
    }

    /// One of the windows that the sensor watches.
    #[must_use]
    pub fn window(self, window: u16) -> Self {
        self.and(format!("/signatures/window/{window}"))
    }

    /// The counters, as pointers.
    pub fn counters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn tcp(version: Version, class: &str, flags: u8) -> Self {
        Self::protocol(&format!("{version}_tcp"), TCP)
            .and(format!("/tcp/classes/{class}"))
            .and(format!("/tcp/flags/0x{flags:02x}"))
    }

    fn and(mut self, counter: impl Into<String>) -> Self {
        self.0.push(counter.into());
        self
    }
}

impl Display for Port {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(port) => write!(formatter, "{port}"),
            Self::Any => formatter.write_str(ANY),
        }
    }
}

impl Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        })
    }
}
