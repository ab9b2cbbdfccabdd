//! Frames, built header by header from the outside in. No code of the decoder's: a frame is what the
//! standards say, not what we think that they say.

mod headers;

use crate::link::{GENERATOR_ADDRESS, TELESCOPE_ADDRESS};

pub use headers::{FRAGMENT, GRE, HOP_BY_HOP, ICMP, ICMPV6, Ipv4, Ipv6, NO_NEXT_HEADER, TCP, Tcp, UDP};

/// The shortest frame on a wire, without its check sequence: shorter packets are padded.
const SHORTEST: usize = 60;

/// A frame under construction.
#[derive(Clone, Debug)]
pub struct Frame {
    bytes: Vec<u8>,
    network: usize,
    transport: usize,
    /// Where the header says what follows it: an ethertype, or the number of a protocol.
    next: usize,
}

/// A finished frame, and where its headers are.
#[derive(Clone, Debug)]
pub struct Built {
    pub bytes: Vec<u8>,
    pub network: usize,
    pub transport: usize,
}

impl Frame {
    /// From the generator to the telescope.
    #[must_use]
    pub fn ethernet() -> Self {
        let bytes = [&TELESCOPE_ADDRESS[..], &GENERATOR_ADDRESS, &[0; 2]].concat();
        Self { next: bytes.len() - 2, network: bytes.len(), transport: bytes.len(), bytes }
    }

    /// A VLAN tag, with its tag protocol identifier.
    #[must_use]
    pub fn tag(mut self, protocol: u16, vlan: u16) -> Self {
        self.follows(&protocol.to_be_bytes());
        self.bytes.extend(vlan.to_be_bytes());
        self.next = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.network = self.bytes.len();
        self
    }

    /// What is no IP packet.
    #[must_use]
    pub fn other(mut self, ethertype: u16, payload: &[u8]) -> Self {
        self.follows(&ethertype.to_be_bytes());
        self.bytes.extend(payload);
        self
    }

    #[must_use]
    pub fn ipv4(mut self, header: &Ipv4) -> Self {
        let Ipv4 { source, destination, identification, time_to_live, fragment, options } = *header;
        self.follows(&0x0800_u16.to_be_bytes());
        let words = u8::try_from(5 + options.len() / 4).unwrap_or(15);
        self.bytes.extend([0x40 | words, 0, 0, 0]);
        self.bytes.extend(identification.to_be_bytes());
        self.bytes.extend(fragment.to_be_bytes());
        self.next = self.network + 9;
        self.bytes.extend([time_to_live, 0, 0, 0]);
        self.bytes.extend(source);
        self.bytes.extend(destination);
        self.bytes.extend(options);
        self.transport = self.bytes.len();
        self
    }

    #[must_use]
    pub fn ipv6(mut self, header: &Ipv6) -> Self {
        self.follows(&0x86dd_u16.to_be_bytes());
        self.next = self.network + 6;
        self.bytes.extend([0x60, 0, 0, 0, 0, 0, 0, 64]);
        self.bytes.extend(header.source);
        self.bytes.extend(header.destination);
        self.transport = self.bytes.len();
        self
    }

    /// An IPv6 extension header: its number, and what it has after the number of the next one.
    #[must_use]
    pub fn extension(mut self, number: u8, body: &[u8]) -> Self {
        self.follows(&[number]);
        self.next = self.bytes.len();
        self.bytes.push(0);
        self.bytes.extend(body);
        self.transport = self.bytes.len();
        self
    }

    #[must_use]
    pub fn tcp(mut self, header: &Tcp) -> Self {
        let Tcp { source_port, destination_port, sequence, flags, window, options } = *header;
        self.follows(&[TCP]);
        self.bytes.extend(source_port.to_be_bytes());
        self.bytes.extend(destination_port.to_be_bytes());
        self.bytes.extend(sequence.to_be_bytes());
        let words = u8::try_from(5 + options.len() / 4).unwrap_or(15);
        self.bytes.extend([0, 0, 0, 0, words << 4, flags]);
        self.bytes.extend(window.to_be_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend(options);
        self
    }

    #[must_use]
    pub fn udp(mut self, source_port: u16, destination_port: u16, payload: &[u8]) -> Self {
        self.follows(&[UDP]);
        self.bytes.extend(source_port.to_be_bytes());
        self.bytes.extend(destination_port.to_be_bytes());
        let length = u16::try_from(8 + payload.len()).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend([0; 2]);
        self.bytes.extend(payload);
        self
    }

    /// ICMP of either version, whose number is `protocol`: type, code, four bytes that depend on the
    /// type, and what it carries.
    #[must_use]
    pub fn icmp(mut self, protocol: u8, kind: u8, code: u8, payload: &[u8]) -> Self {
        self.follows(&[protocol]);
        self.bytes.extend([kind, code, 0, 0, 0, 0, 0, 0]);
        self.bytes.extend(payload);
        self
    }

    /// Anything else that IP carries.
    #[must_use]
    pub fn protocol(mut self, number: u8, payload: &[u8]) -> Self {
        self.follows(&[number]);
        self.bytes.extend(payload);
        self
    }

    /// The IP packet alone, as ICMP quotes it.
    #[must_use]
    pub fn quoted(self) -> Vec<u8> {
        let network = self.network;
        self.with_lengths().bytes.split_off(network)
    }

    /// The whole frame, with the padding of a wire, and in words of four bytes.
    #[must_use]
    pub fn build(self) -> Built {
        let Self { mut bytes, network, transport, next: _ } = self.with_lengths();
        bytes.resize(bytes.len().max(SHORTEST).next_multiple_of(4), 0);
        Built { bytes, network, transport }
    }

    fn follows(&mut self, number: &[u8]) {
        self.bytes[self.next..self.next + number.len()].copy_from_slice(number);
    }

    /// What can be written only when everything is there: lengths, and IPv4's checksum.
    fn with_lengths(mut self) -> Self {
        let packet = &mut self.bytes[self.network..];
        let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
        match packet.first().map(|first| first >> 4) {
            Some(4) => {
                packet[2..4].copy_from_slice(&length.to_be_bytes());
                let header = usize::from(packet[0] & 0xf) * 4;
                let sum = checksum(&packet[..header]);
                packet[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            Some(6) => packet[4..6].copy_from_slice(&length.saturating_sub(40).to_be_bytes()),
            _ => {}
        }
        self
    }
}

impl Built {
    /// Writes over the network header, from its byte `at` on: for headers that lie.
    #[must_use]
    pub fn network(mut self, at: usize, bytes: &[u8]) -> Self {
        let start = self.network + at;
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The same for the transport header.
    #[must_use]
    pub fn transport(mut self, at: usize, bytes: &[u8]) -> Self {
        let start = self.transport + at;
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Cuts the frame itself off.
    #[must_use]
    pub fn cut(mut self, length: usize) -> Self {
        self.bytes.truncate(length);
        self
    }
}

/// The Internet checksum (RFC 1071).
fn checksum(header: &[u8]) -> u16 {
    let mut sum: u32 =
        header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(!sum & 0xffff).unwrap_or(0)
}
