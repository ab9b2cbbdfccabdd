//! Batches of a made-up telescope: as many flows as are wanted, and counters that are lawful for them.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use sensor_ebpf::abi::{ABI_VERSION, Family, Outcome, SIGNATURES_VERSION, Signature, TcpClass, TrafficClass};
use sensor_ebpf::digest::marks;
use sensor_ebpf::packet::{PROTOCOL_TCP, PROTOCOL_UDP};
use wire::law::{ByFamily, Digests};
use wire::totals::Totals;
use wire::{FlowKey, FlowsEncoder, FlowsHeader, Header, Row, WireError, counts, dimension};

/// Length of every packet, as it is on the wire and as IP says.
const FRAME: u64 = 60;
const PACKET: u64 = 40;
/// Ports that most packets go to, after the quarterly reports; the others go anywhere.
const PORTS: [u16; 10] = [23, 6379, 22, 80, 8728, 3389, 443, 2323, 445, 5555];
const WATCHED_WINDOW: u16 = 5656;
const SECOND: u64 = 1_000_000_000;

/// A telescope that makes up what it saw. The same seed sees the same.
pub struct Telescope {
    pub sensor: String,
    /// Nanoseconds since the Unix epoch.
    pub epoch: u64,
    pub interval_seconds: u64,
    /// Sources that it sees in all.
    pub sources: u32,
    sequence: u64,
    random: u64,
}

/// A batch, and what it says.
pub struct Made {
    pub bytes: Bytes,
    pub rows: u64,
    pub packets: u64,
}

impl Telescope {
    /// A telescope whose counters began at this time.
    #[must_use]
    pub fn new(sensor: &str, epoch: u64, interval_seconds: u64, sources: u32, seed: u64) -> Self {
        Self { sensor: sensor.into(), epoch, interval_seconds, sources, sequence: 0, random: seed | 1 }
    }

    /// The batch of the next interval, with so many flows.
    ///
    /// # Errors
    /// Those of [`wire::counts`].
    pub fn next(&mut self, rows: u64) -> Result<Made, WireError> {
        self.sequence += 1;
        let start = self.epoch + (self.sequence - 1) * self.interval_seconds * SECOND;
        let mut totals = Totals::default();
        let mut flows = FlowsEncoder::new()?;
        for _ in 0..rows {
            let row = self.row(start);
            count(&mut totals, &row);
            flows.push(&row)?;
        }
        let packets = totals.packets;
        let header = Header {
            sensor: self.sensor.clone(),
            epoch: self.epoch,
            first: self.sequence,
            last: self.sequence,
            start,
            end: start + self.interval_seconds * SECOND,
            program_version: env!("CARGO_PKG_VERSION").into(),
            abi_version: ABI_VERSION,
            signatures_version: SIGNATURES_VERSION,
            watched_windows: vec![WATCHED_WINDOW],
            digests: Some(Digests { written: ByFamily { ipv4: packets, ipv6: 0 }, ..Digests::default() }),
            flows: Some(FlowsHeader { key: FlowKey::Source, rows, packets, ..FlowsHeader::default() }),
            ring_records: 1 << 19,
            ..Header::default()
        };
        let counters = dimension::counters(&totals, &header.watched_windows);
        let bytes = [counts(&header, &counters)?, flows.finish()?].concat().into();
        Ok(Made { bytes, rows, packets })
    }

    fn row(&mut self, start: u64) -> Row {
        let is_scan = !self.random().is_multiple_of(8);
        let port = match self.random() % 4 {
            0 => u16::try_from(self.random() & 0xffff).unwrap_or_default(),
            _ => {
                // The first ones are the commonest.
                let most = PORTS.len() as u64;
                let place = (self.random() % most).min(self.random() % most);
                PORTS[usize::try_from(place).unwrap_or_default()]
            }
        };
        // A few sources send most of it.
        let number = u32::try_from(self.random() % u64::from(self.sources)).unwrap_or_default();
        let number = number.min(u32::try_from(self.random() % u64::from(self.sources)).unwrap_or_default());
        let source = Ipv4Addr::from(number.wrapping_mul(0x9e37_79b1) | 0x0100_0000);
        let packets = 1 + (self.random() % 64).min(self.random() % 64).min(self.random() % 64) / 8;
        let first_seen = start + self.random() % (self.interval_seconds * SECOND);
        let last_seen = first_seen + self.random() % (start + self.interval_seconds * SECOND - first_seen);
        let mirai = is_scan && self.random().is_multiple_of(4);
        Row {
            source: Some(IpAddr::V4(source)),
            protocol: if is_scan { PROTOCOL_TCP } else { PROTOCOL_UDP },
            class: TrafficClass::Scan,
            port: Some(port),
            signatures: if mirai { marks::MIRAI } else { 0 },
            window: is_scan.then(|| if self.random().is_multiple_of(16) { WATCHED_WINDOW } else { 65_535 }),
            packets,
            bytes: packets * PACKET,
            first_seen,
            last_seen: if packets == 1 { first_seen } else { last_seen },
            time_to_live_minimum: 40 + u8::try_from(number % 20).unwrap_or_default(),
            time_to_live_maximum: 60,
            targets: packets,
            ..Row::new(Family::Ipv4)
        }
    }

    /// Marsaglia's xorshift, with 64 bits.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 11
    }
}

/// Raises the counters that the packets of a flow would have raised.
fn count(totals: &mut Totals, row: &Row) {
    const SYN: usize = 2;
    let (packets, port) = (row.packets, usize::from(row.port.unwrap_or_default()));
    let counters = totals.counters_mut();
    counters.packets += packets;
    counters.bytes += packets * FRAME;
    counters.digests[Family::Ipv4 as usize] += packets;
    counters.ip_protocols[usize::from(row.protocol)] += packets;
    if row.protocol == PROTOCOL_UDP {
        counters.outcomes[Outcome::Ipv4Udp as usize] += packets;
        counters.udp_destination_ports[port] += packets;
        return;
    }
    counters.outcomes[Outcome::Ipv4Tcp as usize] += packets;
    counters.tcp_classes[TcpClass::Scan as usize] += packets;
    counters.tcp_flags[SYN] += packets;
    counters.tcp_scan_destination_ports[port] += packets;
    if row.window == Some(WATCHED_WINDOW) {
        counters.windows[0] += packets;
    }
    if row.signatures & marks::MIRAI != 0 {
        counters.signatures[Signature::Mirai as usize] += packets;
        counters.mirai_destination_ports[port] += packets;
    }
}

#[cfg(test)]
mod tests {
    use wire::law::Sums;
    use wire::{Batch, Limits};

    use super::*;

    #[test]
    fn what_is_made_up_breaks_no_law() {
        let mut telescope = Telescope::new("made-up", 1_700_000_000 * SECOND, 60, 1_000, 7);
        for sequence in 1..=3 {
            let made = telescope.next(5_000).unwrap();
            let batch = Batch::read(&made.bytes, &Limits::default()).unwrap();
            let mut totals = Totals::default();
            dimension::add_to(&mut totals, &batch.counters, &batch.header.watched_windows).unwrap();
            assert_eq!(wire::conservation::breaches(&totals), []);
            let mut sums = Sums::default();
            batch.flows().for_each(|rows| rows.unwrap().iter().for_each(|row| sums.add(&row)));
            assert_eq!(sums.breaches(&totals, FlowKey::Source, batch.header.missing()), []);
            assert_eq!(
                (batch.header.last, sums.packets(), made.packets),
                (sequence, totals.packets, totals.packets)
            );
        }
    }
}
