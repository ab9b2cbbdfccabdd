//! Counters by destination port.

/// IPv4 packets of TCP and UDP, by destination port.
pub struct Ports {
    tcp: Vec<u64>,
    udp: Vec<u64>,
    /// Everything else.
    pub other: u64,
}

const ETHERNET: usize = 14;
const PORTS: usize = 1 << 16;

impl Ports {
    pub fn new() -> Self {
        Self { tcp: vec![0; PORTS], udp: vec![0; PORTS], other: 0 }
    }

    /// Counts an Ethernet frame.
    #[inline]
    pub fn count(&mut self, frame: &[u8]) {
        match destination(frame) {
            Some((6, port)) => self.tcp[usize::from(port)] += 1,
            Some((17, port)) => self.udp[usize::from(port)] += 1,
            _ => self.other += 1,
        }
    }

    pub fn sum(&self) -> u64 {
        self.tcp.iter().chain(&self.udp).sum()
    }
}

/// Protocol and destination port of an IPv4 packet that is no later fragment.
#[inline]
fn destination(frame: &[u8]) -> Option<(u8, u16)> {
    let ethertype: [u8; 2] = frame.get(12..ETHERNET)?.try_into().ok()?;
    let network = frame.get(ETHERNET..).filter(|_| ethertype == [8, 0])?;
    let header: &[u8; 20] = network.first_chunk()?;
    let is_later_fragment = (u16::from_be_bytes([header[6], header[7]]) & 0x1fff) != 0;
    let length = usize::from(header[0] & 0xf) * 4;
    let port: [u8; 2] = network.get(length + 2..length + 4)?.try_into().ok()?;
    (header[0] >> 4 == 4 && length >= 20 && !is_later_fragment).then(|| (header[9], u16::from_be_bytes(port)))
}

#[cfg(test)]
mod tests {
    use testbed::mix;

    use super::*;

    #[test]
    fn each_kind_of_an_imix_is_counted_by_port() {
        let mut ports = Ports::new();
        for kind in mix::imix().kinds() {
            ports.count(&kind.frame.bytes);
        }
        assert_eq!((ports.tcp[23], ports.udp[53], ports.other, ports.sum()), (1, 2, 0, 3));
    }

    #[test]
    fn whatever_comes_is_counted_once() {
        let mut ports = Ports::new();
        let telescope = mix::telescope();
        for kind in telescope.kinds() {
            ports.count(&kind.frame.bytes);
        }
        let frame = &telescope.kinds()[0].frame.bytes;
        for length in 0..frame.len() {
            ports.count(&frame[..length]);
        }
        assert_eq!(ports.sum() + ports.other, (telescope.kinds().len() + frame.len()) as u64);
    }
}
