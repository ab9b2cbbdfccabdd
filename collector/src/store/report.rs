//! What a store answers.

use std::fmt;
use std::net::IpAddr;

use sensor_ebpf::abi::TrafficClass;
use serde::Serialize;
use wire::Header;

use super::{Day, Period};

/// Whether the rows of an interval's flows are in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There were none to send, or they were lost on their way.
    NeverCame,
    Rows,
    /// Their sums are; they themselves were not to be kept, or have outlived their time.
    Sums,
}

/// A stored interval.
#[derive(Clone, Debug)]
pub struct Interval {
    pub header: Header,
    /// All packets and bytes that the program saw, and the packets to observed addresses.
    pub packets: u64,
    pub bytes: u64,
    pub observed: u64,
    /// Observed packets that are in no flow that came.
    pub flow_packets_missing: u64,
    pub flows: Kept,
    /// Nanoseconds since the Unix epoch: by the collector's clock, and by the sensor's.
    pub arrived: u64,
    pub sent: Option<u64>,
}

/// Which rows of the rollups to sum up.
#[derive(Clone, Debug)]
pub struct RollupFilter {
    /// Days, of which the last is excluded.
    pub from: Day,
    pub to: Day,
    /// Of `port_day` alone.
    pub sensor: Option<String>,
    /// Of `source_day` alone.
    pub source: Option<IpAddr>,
    pub protocol: Option<u8>,
    pub class: Option<TrafficClass>,
    pub port: Option<u16>,
    pub region: Option<[u8; 2]>,
    /// Bits that all have to be set.
    pub signatures: u8,
}

impl RollupFilter {
    /// All rows of a period.
    #[must_use]
    pub fn of(period: Period) -> Self {
        let (from, to) = period.bounds();
        Self {
            from,
            to,
            sensor: None,
            source: None,
            protocol: None,
            class: None,
            port: None,
            region: None,
            signatures: 0,
        }
    }
}

/// What sums of `port_day` are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKey {
    Day,
    Sensor,
    Protocol,
    Class,
    Port,
    Region,
    Signatures,
}

/// A sum of `port_day`. What it is not told apart by is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSum {
    pub day: Option<Day>,
    pub sensor: Option<String>,
    pub protocol: Option<u8>,
    pub class: Option<TrafficClass>,
    /// Absent where the packets have none, too.
    pub port: Option<u16>,
    pub region: Option<[u8; 2]>,
    pub signatures: Option<u8>,
    pub packets: u64,
    pub bytes: u64,
}

/// What sums of `source_day` are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKey {
    Day,
    Source,
    Protocol,
    Class,
    Port,
    Region,
    Signatures,
    Window,
}

/// A sum of `source_day`. What it is not told apart by is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSum {
    pub day: Option<Day>,
    pub source: Option<IpAddr>,
    pub protocol: Option<u8>,
    pub class: Option<TrafficClass>,
    pub port: Option<u16>,
    pub region: Option<[u8; 2]>,
    pub signatures: Option<u8>,
    pub window: Option<u16>,
    pub packets: u64,
    pub bytes: u64,
    /// Distinct sources, and distinct sensors that saw them.
    pub sources: u64,
    pub sensors: u64,
    /// Nanoseconds since the Unix epoch, to the millisecond.
    pub first_seen: u64,
    pub last_seen: u64,
}

/// How much of a day a sensor was counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uptime {
    pub day: Day,
    pub sensor: String,
    pub nanoseconds: u64,
    /// Of intervals that brought their flows, or had none to bring: the sums by port and by source are of these alone.
    pub with_flows: u64,
    /// Observed packets that are in no flow that came, of the intervals whose last moment is of the day.
    pub flow_packets_missing: u64,
}

/// How long a sensor watched a window on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub day: Day,
    pub sensor: String,
    pub window: u16,
    /// Of intervals that brought their flows, or had none to bring.
    pub nanoseconds: u64,
}

/// What the intervals of a sensor that are kept tell of a day. Where one crosses midnight, its time is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalDay {
    pub day: Day,
    pub sensor: String,
    /// Nanoseconds of intervals whose flows by source are kept as rows, or that had none.
    pub with_rows: u64,
}

/// A sensor, as its intervals tell. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SensorOverview {
    pub sensor: String,
    /// The last end of an interval by the sensor's clock, and when the last one arrived; of all time.
    pub last_end: Option<u64>,
    pub last_arrived: Option<u64>,
    pub program_version: String,
    /// Epochs that began; of all time.
    pub epochs: u64,
    /// Sequence numbers that are missing before later ones; of all time.
    pub missing_sequences: u64,
    pub missing_ranges: u64,
    /// From here on of the period.
    pub intervals: u64,
    pub packets: u64,
    pub observed_packets: u64,
    pub digests_lost: u64,
    /// Intervals whose flows were lost on their way.
    pub intervals_without_flows: u64,
    pub flow_packets_missing: u64,
    /// Laws of conservation that its agent saw broken.
    pub breaches: u64,
    /// Median of what the collector's clock is ahead of the sensor's when a batch arrives: with the way's time.
    pub clock_skew_seconds: Option<f64>,
    /// Seconds, by day; a day that is absent has none.
    pub uptime: Vec<(String, f64)>,
}

/// A value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nothing,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Real(number) => write!(formatter, "{number}"),
            Self::Text(text) => formatter.write_str(text),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}")),
        }
    }
}

/// An answer to a question in SQL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more rows than were asked for.
    pub is_cut: bool,
}

/// What kind of thing a check of the store has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// Sequence numbers that never came: not the store's fault.
    Gap,
    /// A law that the agent itself saw broken, and said so: not the store's fault.
    Reported,
    /// Something that cannot be in a sound store.
    Breach,
}

/// Something that a check of the store has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    pub what: String,
}

/// How far a store had come: readers that are told the same read the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(pub String);
