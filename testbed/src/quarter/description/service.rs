//! What packets are sent to, or from where they are answered.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Protocol number of TCP, and of UDP.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A port of a protocol, such as `23/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Service {
    pub protocol: u8,
    pub port: u16,
}

impl Service {
    pub const fn is_tcp(self) -> bool {
        self.protocol == TCP
    }
}

impl FromStr for Service {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(port, protocol)| {
            let protocol = match protocol {
                "tcp" => TCP,
                "udp" => UDP,
                _ => return None,
            };
            Some(Self { protocol, port: port.parse().ok()? })
        });
        parts.ok_or_else(|| format!("'{text}' is no port: write 23/tcp, or 53/udp"))
    }
}

impl TryFrom<String> for Service {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.is_tcp() { "TCP" } else { "UDP" };
        write!(formatter, "{}/{protocol}", self.port)
    }
}

/// What a packet is, as the store names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    #[default]
    Scan,
    BackscatterSynAck,
    BackscatterRst,
}

impl Class {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::BackscatterSynAck => "backscatter_syn_ack",
            Self::BackscatterRst => "backscatter_rst",
        }
    }

    pub const fn is_backscatter(self) -> bool {
        !matches!(self, Self::Scan)
    }
}
