//! What a scan asks for: the rows of table 1.

use std::fmt;
use std::str::FromStr;

use sensor_ebpf::abi::TrafficClass;
use serde::{Deserialize, Deserializer};

use crate::language::Text;
use crate::services::Services;
use crate::store::{Match, Selector};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// A destination port of TCP or UDP, or the echo requests of ICMP, of both IP versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    Tcp(u16),
    Udp(u16),
    Icmp,
}

impl Destination {
    /// How many there are.
    pub const COUNT: usize = 2 * 65_536 + 1;

    /// What packets of class `scan` are for; nothing where it is neither of these.
    #[must_use]
    pub const fn of(protocol: u8, service: Selector) -> Option<Self> {
        match (protocol, service) {
            (TCP, Selector::Port(port)) => Some(Self::Tcp(port)),
            (UDP, Selector::Port(port)) => Some(Self::Udp(port)),
            (ICMP | ICMPV6, _) => Some(Self::Icmp),
            _ => None,
        }
    }

    /// Its number, below [`Self::COUNT`].
    #[must_use]
    pub const fn number(self) -> usize {
        match self {
            Self::Tcp(port) => port as usize,
            Self::Udp(port) => 65_536 + port as usize,
            Self::Icmp => 2 * 65_536,
        }
    }

    /// The one with this number.
    #[must_use]
    pub fn with_number(number: usize) -> Self {
        match (u16::try_from(number), u16::try_from(number.wrapping_sub(65_536))) {
            (Ok(port), _) => Self::Tcp(port),
            (_, Ok(port)) => Self::Udp(port),
            _ => Self::Icmp,
        }
    }

    /// The rows that are of it.
    #[must_use]
    pub fn matches(self) -> Vec<Match> {
        let of = |protocol, port| Match {
            protocol: Some(protocol),
            class: Some(TrafficClass::Scan),
            port,
            ..Match::default()
        };
        match self {
            Self::Tcp(port) => vec![of(TCP, Some(port))],
            Self::Udp(port) => vec![of(UDP, Some(port))],
            Self::Icmp => vec![of(ICMP, None), of(ICMPV6, None)],
        }
    }

    #[must_use]
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Tcp(port) | Self::Udp(port) => Some(port),
            Self::Icmp => None,
        }
    }

    /// `tcp`, `udp`, or `icmp`.
    #[must_use]
    pub const fn transport(self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Udp(_) => "udp",
            Self::Icmp => "icmp",
        }
    }

    /// With the name of its port, where it has one: `23/TCP (telnet)`.
    #[must_use]
    pub fn label(self, services: &Services) -> Text {
        let name = match self {
            Self::Tcp(port) => services.name(TCP, port),
            Self::Udp(port) => services.name(UDP, port),
            Self::Icmp => None,
        };
        Text::same(name.map_or_else(|| self.to_string(), |name| format!("{self} ({name})")))
    }

    /// For ids: `23-tcp`.
    #[must_use]
    pub fn id(self) -> String {
        self.to_string().to_ascii_lowercase().replace('/', "-")
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(formatter, "{port}/TCP"),
            Self::Udp(port) => write!(formatter, "{port}/UDP"),
            Self::Icmp => formatter.write_str("ICMP"),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let number =
            |port: &str| port.parse::<u16>().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
        match lower.split_once('/') {
            Some((port, "tcp")) => number(port).map(Self::Tcp),
            Some((port, "udp")) => number(port).map(Self::Udp),
            None if lower == "icmp" => Some(Self::Icmp),
            _ => None,
        }
        .ok_or_else(|| format!("\"{text}\" is not a port such as 23/tcp or 53/udp, or icmp"))
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_written_and_numbered() {
        for text in ["0/TCP", "23/TCP", "65535/TCP", "0/UDP", "53/UDP", "65535/UDP", "ICMP"] {
            let destination: Destination = text.parse().unwrap();
            assert_eq!(destination.to_string(), text);
            assert!(destination.number() < Destination::COUNT);
            assert_eq!(Destination::with_number(destination.number()), destination);
        }
        for text in ["23", "23/sctp", "tcp/23", "65536/tcp", "+1/tcp", "/tcp", "icmp/8"] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
