//! Headers, as far as there is something to choose in them, and the numbers of protocols.

pub const HOP_BY_HOP: u8 = 0;
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const FRAGMENT: u8 = 44;
pub const GRE: u8 = 47;
pub const ICMPV6: u8 = 58;
pub const NO_NEXT_HEADER: u8 = 59;

/// What one chooses of an IPv4 header; the rest follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4 {
    pub source: [u8; 4],
    pub destination: [u8; 4],
    pub identification: u16,
    pub time_to_live: u8,
    /// Flags (more fragments is 0x2000) and offset in units of eight bytes.
    pub fragment: u16,
    /// A multiple of four bytes.
    pub options: &'static [u8],
}

/// What one chooses of an IPv6 header.
#[derive(Clone, Copy, Debug)]
pub struct Ipv6 {
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

/// What one chooses of a TCP header.
#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    pub flags: u8,
    pub window: u16,
    /// A multiple of four bytes.
    pub options: &'static [u8],
}
