//! What was found.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::report::destination::Destination;

/// How a day compares with those before. Packets per sensor per day are those of a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    pub day: String,
    pub packets_per_sensor_per_day: f64,
    /// Of the observed days before, of which there were so many.
    pub median: f64,
    pub median_absolute_deviation: f64,
    pub days_before: usize,
    pub score: f64,
    /// As the sensors counted them.
    pub packets: u64,
}

/// A port or ICMP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    pub service: String,
    pub port: Option<u16>,
    pub transport: &'static str,
}

impl Service {
    #[must_use]
    pub fn new(destination: Destination, services: &crate::services::Services) -> Self {
        Self {
            service: destination.label(services).en,
            port: destination.port(),
            transport: destination.transport(),
        }
    }
}

/// Something unusual.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    UnusualPort {
        #[serde(flatten)]
        service: Service,
        #[serde(flatten)]
        compared: Compared,
    },
    UnusualRegion {
        region: String,
        #[serde(flatten)]
        compared: Compared,
    },
    /// Among the hundred with the most packets, and on none of the days before.
    NewPort {
        #[serde(flatten)]
        service: Service,
        rank: usize,
        #[serde(flatten)]
        compared: Compared,
    },
    /// Next to nothing from a region that there was something from.
    QuietRegion {
        region: String,
        first_day: String,
        last_day: String,
        /// Observed days of it.
        days: usize,
        median: f64,
        packets_per_sensor_per_day: f64,
    },
    /// Answers to packets whose sources were forged at random.
    SpoofedDos {
        victim: IpAddr,
        protocol: u8,
        first_seen: String,
        last_seen: String,
        seconds: f64,
        packets: u64,
        /// In the busiest minute.
        most_in_a_minute: u64,
        /// Those with the most packets.
        ports: Vec<u16>,
    },
}

impl Finding {
    /// By what kinds are told apart, in the order in which they are printed.
    const fn kind(&self) -> u8 {
        match self {
            Self::UnusualPort { .. } => 0,
            Self::NewPort { .. } => 1,
            Self::UnusualRegion { .. } => 2,
            Self::QuietRegion { .. } => 3,
            Self::SpoofedDos { .. } => 4,
        }
    }

    fn strength(&self) -> f64 {
        match self {
            Self::UnusualPort { compared, .. } | Self::UnusualRegion { compared, .. } => compared.score.abs(),
            Self::NewPort { rank, .. } => -(*rank as f64),
            Self::QuietRegion { median, days, .. } => median * *days as f64,
            Self::SpoofedDos { packets, .. } => *packets as f64,
        }
    }
}

/// The strongest of each kind, kinds in their order, and how many others there are.
pub fn strongest(mut all: Vec<Finding>, most: usize) -> (Vec<Finding>, usize) {
    // A stable order: of those that are equal, the first that was found.
    all.sort_by(|one, other| one.kind().cmp(&other.kind()).then(other.strength().total_cmp(&one.strength())));
    let count = all.len();
    let kept: Vec<Finding> = all
        .chunk_by(|one, other| one.kind() == other.kind())
        .flat_map(|same| same.iter().take(most).cloned())
        .collect();
    let left_out = count - kept.len();
    (kept, left_out)
}

impl fmt::Display for Compared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:.1} packets per sensor per day, usually {:.1} (median of {} days, deviation {:.1}, score {:+.1}; {} packets)",
            self.packets_per_sensor_per_day,
            self.median,
            self.days_before,
            self.median_absolute_deviation,
            self.score,
            self.packets
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusualPort { service, compared } => {
                write!(formatter, "{} port {}: {compared}", compared.day, service.service)
            }
            Self::UnusualRegion { region, compared } => {
                write!(formatter, "{} region {region}: {compared}", compared.day)
            }
            Self::NewPort { service, rank, compared } => {
                write!(formatter, "{} new port {} at rank {rank}: {compared}", compared.day, service.service)
            }
            Self::QuietRegion { region, first_day, last_day, days, median, packets_per_sensor_per_day } => {
                write!(
                    formatter,
                    "{first_day} to {last_day} region {region} was quiet on {days} days: {packets_per_sensor_per_day:.1} \
                 packets per sensor per day, usually {median:.1}"
                )
            }
            Self::SpoofedDos {
                victim,
                protocol,
                first_seen,
                last_seen,
                seconds,
                packets,
                most_in_a_minute,
                ports,
            } => {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                let ports =
                    if ports.is_empty() { String::new() } else { format!(", ports {}", ports.join(" ")) };
                write!(
                    formatter,
                    "{first_seen} to {last_seen} attack on {victim}, protocol {protocol}{ports}: {packets} packets in \
                     {seconds:.0} s, {most_in_a_minute} in the busiest minute"
                )
            }
        }
    }
}
