//! A capture of IPv4 packets that each carry bytes under a protocol number, and nothing else.

use anyhow::{Context, Result};

/// Little-endian, µs, version 2.4, no zone, no accuracy, a snap length of 65535, link type IPv4.
const FILE_HEADER: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 228, 0, 0, 0];
const IPV4_HEADER: usize = 20;

#[derive(Debug)]
pub struct Carriers {
    capture: Vec<u8>,
}

impl Carriers {
    pub fn new() -> Self {
        Self { capture: FILE_HEADER.to_vec() }
    }

    pub fn add(&mut self, protocol: u8, payload: &[u8]) -> Result<()> {
        let length = IPV4_HEADER + payload.len();
        let length = u16::try_from(length).context("more than an IPv4 packet can carry")?;
        let captured = u32::from(length).to_le_bytes();
        // Time 0, and as long on the wire as in the capture.
        for word in [[0; 4], [0; 4], captured, captured] {
            self.capture.extend(word);
        }
        let [high, low] = length.to_be_bytes();
        // No fragment; 64 hops; a checksum that tshark is not asked to check; addresses for examples.
        self.capture.extend([0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0]);
        self.capture.extend([192, 0, 2, 1, 192, 0, 2, 2]);
        self.capture.extend(payload);
        Ok(())
    }

    pub fn capture(&self) -> &[u8] {
        &self.capture
    }
}
