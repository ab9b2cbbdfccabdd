//! A capture of IP packets made here: of IPv4 packets that each carry bytes under a protocol number,
//! and nothing else, or of packets that are nothing but a header.

use anyhow::{Context, Result};

/// Little-endian, µs, version 2.4, no zone, no accuracy, a snap length of 65535; the link type follows.
const FILE_HEADER: [u8; 20] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0];
const LINK_TYPE_IPV4: u32 = 228;
const LINK_TYPE_IPV6: u32 = 229;
const IPV4_HEADER: usize = 20;

#[derive(Debug)]
pub struct Carriers {
    capture: Vec<u8>,
}

impl Carriers {
    pub fn new() -> Self {
        Self::of_version(true)
    }

    /// For packets of this version.
    pub fn of_version(is_ipv4: bool) -> Self {
        let link_type = if is_ipv4 { LINK_TYPE_IPV4 } else { LINK_TYPE_IPV6 };
        let mut capture = FILE_HEADER.to_vec();
        capture.extend(link_type.to_le_bytes());
        Self { capture }
    }

    pub fn add(&mut self, protocol: u8, payload: &[u8]) -> Result<()> {
        let length = IPV4_HEADER + payload.len();
        let length = u16::try_from(length).context("more than an IPv4 packet can carry")?;
        let [high, low] = length.to_be_bytes();
        // No fragment; 64 hops; a checksum that tshark is not asked to check; addresses for examples.
        let mut packet = vec![0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0];
        packet.extend([192, 0, 2, 1, 192, 0, 2, 2]);
        packet.extend(payload);
        self.add_packet(&packet)
    }

    pub fn add_packet(&mut self, packet: &[u8]) -> Result<()> {
        let captured = u32::try_from(packet.len()).context("more than a packet can be")?.to_le_bytes();
        // Time 0, and as long on the wire as in the capture.
        for word in [[0; 4], [0; 4], captured, captured] {
            self.capture.extend(word);
        }
        self.capture.extend(packet);
        Ok(())
    }

    pub fn capture(&self) -> &[u8] {
        &self.capture
    }
}
