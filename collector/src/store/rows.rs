//! Rows of the sums by day that are handed over one by one, for who counts something of his own.

use std::net::IpAddr;

use sensor_ebpf::abi::TrafficClass;

use super::{Day, Period};

/// What packets are of, within their protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// Destination port; of backscatter the source port.
    Port(u16),
    /// Type and code of ICMP.
    Icmp(u8, u8),
    Nothing,
}

/// What rows have to be. What is absent may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    pub protocol: Option<u8>,
    pub class: Option<TrafficClass>,
    pub port: Option<u16>,
    pub region: Option<[u8; 2]>,
    /// Bits that all have to be set, and bits that all have to be clear.
    pub signatures: u8,
    pub no_signatures: u8,
    /// Of `source_day` alone: a window that the sensor watched. `port_day` tells no windows.
    pub window: Option<u16>,
}

/// Which rows to hand over.
#[derive(Clone, Debug)]
pub struct RowFilter {
    /// Days, of which the last is excluded.
    pub from: Day,
    pub to: Day,
    /// Numbers of sensors by [`super::Reader::sensor_numbers`]; absent where all are meant. A row of a source is handed
    /// over where at least one of them saw it, with all that the others saw of it.
    pub sensors: Option<Vec<u32>>,
    /// A row has to match one of these, where there is any.
    pub any: Vec<Match>,
    /// Whether rows of sources have to tell their times and sensors. Without them, times are 0 and sensors none, and they
    /// are read in less time.
    pub with_details: bool,
}

impl RowFilter {
    /// All rows of a period.
    #[must_use]
    pub fn of(period: Period) -> Self {
        let (from, to) = period.bounds();
        Self { from, to, sensors: None, any: Vec::new(), with_details: true }
    }
}

/// A row of `port_day`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRow {
    pub day: Day,
    pub sensor: u32,
    pub protocol: u8,
    pub class: TrafficClass,
    pub service: Selector,
    pub region: [u8; 2],
    /// Of the table that the region was told by.
    pub regions_version: u32,
    pub signatures: u8,
    pub packets: u64,
}

/// In which order rows of sources come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOrder {
    /// By day, then source: as they are kept.
    Day,
    /// By source, then day: they are sorted first, on disk where they are many.
    Source,
}

/// A row of `source_day`. Times are nanoseconds since the Unix epoch, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRow<'a> {
    pub day: Day,
    pub source: IpAddr,
    pub protocol: u8,
    pub class: TrafficClass,
    pub service: Selector,
    pub region: [u8; 2],
    pub regions_version: u32,
    pub signatures: u8,
    pub window: Option<u16>,
    pub packets: u64,
    pub first_seen: u64,
    pub last_seen: u64,
    pub sensors: SensorsSeen<'a>,
    /// Whether a sensor that the filter does not name saw it, too, so that not all packets are those sensors'.
    pub is_shared: bool,
}

/// What a row is of, or what it has to be, as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits(u128);

impl Match {
    /// The bits of a row that are looked at, and what they have to be.
    #[must_use]
    pub fn bits(&self) -> (Bits, Bits) {
        let Self { protocol, class, port, region, signatures, no_signatures, window } = self;
        let (mut mask, mut value) = (0, 0);
        let mut want = |bits: u128, shift: u32, as_these: u128| {
            mask |= bits << shift;
            value |= as_these << shift;
        };
        if let Some(protocol) = protocol {
            want(0xff, 0, u128::from(*protocol));
        }
        if let Some(class) = class {
            want(0xff, 8, *class as u128);
        }
        if let Some(port) = port {
            want(0x3_ffff, 16, 1 << 16 | u128::from(*port));
        }
        if let Some(region) = region {
            want(0xffff, 34, u128::from(u16::from_be_bytes(*region)));
        }
        want(u128::from(signatures | no_signatures), 50, u128::from(*signatures));
        if let Some(window) = window {
            want(0x1_ffff, 58, 1 + u128::from(*window));
        }
        (Bits(mask), Bits(value))
    }
}

impl Bits {
    /// Whether they are as wanted: see [`Match::bits`].
    #[must_use]
    pub const fn are(self, (mask, value): (Self, Self)) -> bool {
        self.0 & mask.0 == value.0
    }
}

impl SourceRow<'_> {
    /// What it is of, to be compared with what is wanted.
    #[must_use]
    pub fn bits(&self) -> Bits {
        let service = match self.service {
            Selector::Port(port) => 1 << 16 | u128::from(port),
            Selector::Icmp(kind, code) => 2 << 16 | u128::from(u16::from_be_bytes([kind, code])),
            Selector::Nothing => 0,
        };
        Bits(
            u128::from(self.protocol)
                | (self.class as u128) << 8
                | service << 16
                | u128::from(u16::from_be_bytes(self.region)) << 34
                | u128::from(self.signatures) << 50
                | self.window.map_or(0, |window| 1 + u128::from(window)) << 58,
        )
    }

    /// The same for who does not ask which sensors it was: no longer the store's.
    #[must_use]
    pub fn without_sensors(&self) -> SourceRow<'static> {
        SourceRow { sensors: SensorsSeen::Bits(&[]), ..*self }
    }
}

/// The sensors that saw something, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorsSeen<'a> {
    One(u32),
    /// A bit for each number, the lowest first.
    Bits(&'a [u8]),
}

impl SensorsSeen<'_> {
    /// Their numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let (one, bits): (_, &[u8]) = match self {
            Self::One(number) => (Some(*number), &[]),
            Self::Bits(bits) => (None, bits),
        };
        let numbers = (0_u32..).step_by(8).zip(bits).flat_map(|(first, byte)| {
            (0..8).filter(move |bit| byte & 1 << bit != 0).map(move |bit| first + bit)
        });
        one.into_iter().chain(numbers)
    }
}

/// Packets of backscatter that came from one source in one flow, by who is under attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VictimFlow {
    pub victim: IpAddr,
    /// What the attack is by: that of the answer, or of the packet that an ICMP error quotes.
    pub protocol: u8,
    /// The port under attack, where an answer of TCP or UDP tells it.
    pub port: Option<u16>,
    pub packets: u64,
    /// Nanoseconds since the Unix epoch, to the millisecond.
    pub first_seen: u64,
    pub last_seen: u64,
}
