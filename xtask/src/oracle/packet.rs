//! What is to be counted of one packet, and what is known while it is still being found out.

use std::net::Ipv4Addr;

/// The headers of one packet that was counted. Its outcome is one of the sensor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub outcome: &'static str,
    /// The last of an IPv6 chain; none for malformed packets and those without IP.
    pub protocol: Option<u8>,
    /// IPv4's identification and destination, which the signatures ask for.
    pub ipv4: Option<Ipv4Facts>,
    pub transport: Transport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Facts {
    pub identification: u16,
    pub destination: Ipv4Addr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    None,
    Tcp(TcpFacts),
    Udp { destination_port: u16 },
    Icmp { kind: u8 },
    Icmpv6 { kind: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFacts {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    /// All eight bits of the byte, CWR to FIN.
    pub flags: u8,
    pub window: u16,
}

impl Packet {
    pub const MALFORMED: Self = Self::without_ip("malformed");
    pub const NON_IP: Self = Self::without_ip("non_ip");

    const fn without_ip(outcome: &'static str) -> Self {
        Self { outcome, protocol: None, ipv4: None, transport: Transport::None }
    }
}

/// Where in a packet the next header begins, and what is known of it before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of IPv4; a packet without it is IPv6.
    pub ipv4: Option<Ipv4Facts>,
    pub protocol: u8,
    /// In bytes from the frame's start.
    pub offset: u64,
    /// Where the payload ends, by the IP header's length and by what was captured.
    pub end: u64,
    /// IPv6 extension headers before it.
    pub walked: u32,
}

impl Place {
    pub fn available(&self) -> u64 {
        self.end.saturating_sub(self.offset)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Decided(Packet),
    /// tshark stopped before this place, although the packet goes on: to be shown to it again from
    /// here on.
    LookAgain(Place),
}

impl From<Packet> for Step {
    fn from(packet: Packet) -> Self {
        Self::Decided(packet)
    }
}
