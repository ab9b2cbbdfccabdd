//! What is to be counted of one packet, and what is known while it is still being found out.

use std::net::IpAddr;

/// The headers of one packet that was counted. Its outcome is one of the sensor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub outcome: &'static str,
    /// The last of an IPv6 chain; none for malformed packets and those without IP.
    pub protocol: Option<u8>,
    /// None where there is no protocol: such a packet is of no flow.
    pub ip: Option<IpFacts>,
    pub transport: Transport,
}

/// What the outermost IP header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpFacts {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// IPv6's hop limit.
    pub time_to_live: u8,
    /// IPv4's total length, IPv6's payload length.
    pub length: u16,
    /// IPv4's alone.
    pub identification: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    None,
    Tcp(TcpFacts),
    Udp { source_port: u16, destination_port: u16 },
    Icmp(IcmpFacts),
    Icmpv6(IcmpFacts),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFacts {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    /// In bytes.
    pub header_length: u8,
    /// All eight bits of the byte, CWR to FIN.
    pub flags: u8,
    pub window: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpFacts {
    pub kind: u8,
    pub code: u8,
    /// Of an error that quotes an IP header.
    pub quoted: Option<Quoted>,
}

/// What the IP header says that an ICMP error quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    pub destination: IpAddr,
    /// The number in the header itself, whatever follows it.
    pub protocol: u8,
}

impl Packet {
    pub const MALFORMED: Self = Self::without_ip("malformed");
    pub const NON_IP: Self = Self::without_ip("non_ip");
    pub const FRAGMENT: &'static str = "fragment";

    const fn without_ip(outcome: &'static str) -> Self {
        Self { outcome, protocol: None, ip: None, transport: Transport::None }
    }

    /// The same ICMP error, with what it turned out to quote.
    pub fn quoting(mut self, found: Option<Quoted>) -> Self {
        if let Transport::Icmp(IcmpFacts { quoted, .. }) | Transport::Icmpv6(IcmpFacts { quoted, .. }) =
            &mut self.transport
        {
            *quoted = found;
        }
        self
    }
}

impl IpFacts {
    pub fn is_ipv4(&self) -> bool {
        self.source.is_ipv4()
    }

    /// Bytes of the packet, by its own header.
    pub fn bytes(&self) -> u64 {
        let before_payload = if self.is_ipv4() { 0 } else { 40 };
        before_payload + u64::from(self.length)
    }
}

/// Where in a packet the next header begins, and what is known of it before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub ip: IpFacts,
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
    /// All is decided but what this ICMP error quotes: there is room for an IP header at the offset,
    /// and tshark does not tell what it says.
    LookAtQuoted {
        packet: Packet,
        offset: u64,
    },
}

impl From<Packet> for Step {
    fn from(packet: Packet) -> Self {
        Self::Decided(packet)
    }
}
