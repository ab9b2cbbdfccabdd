//! What people look at: a slice of what was stored, and questions about it.
//!
//! Each question is one `SELECT` about the tables that people know, so that whoever sees a number can ask for it again.

use std::fmt;
use std::str::FromStr;

use sensor_ebpf::abi::TrafficClass;

use super::Day;

/// An hour of UTC, counted from the first one of 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u32);

impl Hour {
    /// The hour of a moment, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn of(nanoseconds: u64) -> Self {
        Self(u32::try_from(nanoseconds / super::NANOSECONDS_OF_HOUR).unwrap_or(u32::MAX))
    }

    #[must_use]
    pub const fn day(self) -> Day {
        Day(self.0 / 24)
    }

    /// 0 to 23.
    #[must_use]
    pub const fn of_day(self) -> u32 {
        self.0 % 24
    }

    /// Its first moment, nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn start(self) -> u64 {
        (self.0 as u64).saturating_mul(super::NANOSECONDS_OF_HOUR)
    }
}

impl fmt::Display for Hour {
    /// Such as `2026-01-31 07:00`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:02}:00", self.day(), self.of_day())
    }
}

/// Whole hours or days, the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    Hours(Hour, Hour),
    Days(Day, Day),
}

impl Span {
    /// Its hours or days as the answers' first columns tell them: day, and hour where it is of hours.
    #[must_use]
    pub fn places(self) -> Vec<(Day, Option<u32>)> {
        match self {
            Self::Hours(from, to) => {
                (from.0..=to.0).map(Hour).map(|hour| (hour.day(), Some(hour.of_day()))).collect()
            }
            Self::Days(from, to) => (from.0..=to.0).map(|day| (Day(day), None)).collect(),
        }
    }

    /// Its first moment, nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn start(self) -> u64 {
        match self {
            Self::Hours(from, _) => from.start(),
            Self::Days(from, _) => from.start(),
        }
    }

    /// The moment that it ends before, nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn end(self) -> u64 {
        match self {
            Self::Hours(_, to) => Hour(to.0.saturating_add(1)).start(),
            Self::Days(_, to) => Day(to.0.saturating_add(1)).start(),
        }
    }

    /// Its days, the last included.
    #[must_use]
    pub const fn days(self) -> (Day, Day) {
        match self {
            Self::Hours(from, to) => (from.day(), to.day()),
            Self::Days(from, to) => (from, to),
        }
    }
}

impl Question {
    /// The sensor that alone is asked about.
    #[must_use]
    pub fn sensor(&self) -> Option<&str> {
        match self {
            Self::Ranking { slice, .. } | Self::Course { slice, .. } => slice.sensor.as_deref(),
            Self::Uptime { sensor, .. } | Self::BesideFlows { sensor, .. } => sensor.as_deref(),
            Self::SourceCount(_)
            | Self::SourcesByDay(_)
            | Self::TopSources { .. }
            | Self::HoursFrom
            | Self::LastIntervals => None,
        }
    }
}

/// What packets were sent to: `tcp-23`, `icmp-8`, `ip-47`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    pub protocol: u8,
    pub port: Option<u16>,
    pub icmp_type: Option<u8>,
}

/// Protocols that have a name here, by IANA's numbers.
const PROTOCOLS: [(u8, &str); 4] = [(6, "tcp"), (17, "udp"), (1, "icmp"), (58, "icmp6")];

impl Service {
    /// The name of its protocol, where it has one here.
    #[must_use]
    pub fn protocol_name(&self) -> Option<&'static str> {
        PROTOCOLS.iter().find(|(number, _)| *number == self.protocol).map(|(_, name)| *name)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, port, icmp_type } = self;
        match self.protocol_name() {
            Some(name) => formatter.write_str(name)?,
            None => write!(formatter, "ip{protocol}")?,
        }
        match (port, icmp_type) {
            (Some(port), _) => write!(formatter, "-{port}"),
            (None, Some(icmp_type)) => write!(formatter, "-type{icmp_type}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for Service {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (protocol, rest) = match text.split_once('-') {
            Some((protocol, rest)) => (protocol, Some(rest)),
            None => (text, None),
        };
        let named = PROTOCOLS.iter().find(|(_, name)| *name == protocol).map(|(number, _)| *number);
        let number = || protocol.strip_prefix("ip").and_then(|number| number.parse().ok());
        let mut service = Self { protocol: named.or_else(number).ok_or(())?, port: None, icmp_type: None };
        match rest.map(|rest| (rest, rest.strip_prefix("type"))) {
            None => {}
            Some((_, Some(icmp_type))) => service.icmp_type = Some(icmp_type.parse().map_err(drop)?),
            Some((port, None)) => service.port = Some(port.parse().map_err(drop)?),
        }
        Ok(service)
    }
}

/// What is looked at; where a part is absent, all of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    pub span: Span,
    /// Of sources, nothing tells which sensor saw how much of them: questions about them leave it out.
    pub sensor: Option<String>,
    pub service: Option<Service>,
    pub region: Option<[u8; 2]>,
    pub class: Option<TrafficClass>,
    /// As the tables have them, such as `mirai+zmap`; empty for packets without.
    pub signatures: Option<String>,
}

/// What packets are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    Service,
    Region,
    Class,
    Signatures,
    Sensor,
}

impl Facet {
    pub const ALL: [Self; 5] = [Self::Service, Self::Region, Self::Class, Self::Signatures, Self::Sensor];
}

/// A value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetValue {
    Service(Service),
    Region([u8; 2]),
    Class(String),
    Signatures(String),
    Sensor(String),
}

/// A question about a slice. Its answer's columns are told with each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The facet's columns, `packets`, `bytes`, `share` of all packets of the slice; most packets first.
    Ranking { slice: Slice, facet: Facet, most: u32 },
    /// `day`, `hour` where the span is of hours, the facet's columns, `packets`: of these values alone.
    Course { slice: Slice, facet: Facet, values: Vec<FacetValue> },
    /// `sources`: how many there are.
    SourceCount(Slice),
    /// `day`, `sources`: how many there are of each day.
    SourcesByDay(Slice),
    /// `src_ip`, `region`, `packets`, `first_seen`, `last_seen`, `ports`, `signatures`, which are those of any of its packets;
    /// most packets first.
    TopSources { slice: Slice, most: u32 },
    /// `day`, `hour` where the span is of hours, `sensor`, `seconds`.
    Uptime { span: Span, sensor: Option<String> },
    /// `day`, `hour` where the span is of hours, `sensor`, `observed_packets`, `flow_packets_missing`: of the intervals that
    /// began then, what observed addresses were sent, and what of it is in no flow and so in no answer about packets.
    BesideFlows { span: Span, sensor: Option<String> },
    /// `day`: the first one that there are sums by hour of; no row before anything was stored.
    HoursFrom,
    /// `sensor`, `last_seen`, `start`, `packets`, `observed_packets`: of each sensor's last interval.
    LastIntervals,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_what_their_words_say() {
        for (text, protocol, port, icmp_type) in [
            ("tcp-23", 6, Some(23), None),
            ("udp-65535", 17, Some(65_535), None),
            ("icmp-type8", 1, None, Some(8)),
            ("icmp6-type128", 58, None, Some(128)),
            ("ip47", 47, None, None),
            ("icmp", 1, None, None),
        ] {
            let service = Service { protocol, port, icmp_type };
            assert_eq!((text.parse(), service.to_string().as_str()), (Ok(service), text));
        }
        for text in ["", "tcp-", "tcp-65536", "tcp-x", "ip256", "icmp-type", "23", "tcp-23-1", "ip"] {
            assert_eq!(text.parse::<Service>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_span_has_each_of_its_hours() {
        let span = Span::Hours(Hour(47), Hour(49));
        let places = [(Day(1), Some(23)), (Day(2), Some(0)), (Day(2), Some(1))];
        assert_eq!((span.places(), span.start()), (places.to_vec(), Hour(47).start()));
        assert_eq!(Hour(47).to_string(), "1970-01-02 23:00");
        assert_eq!(Span::Days(Day(3), Day(3)).places(), [(Day(3), None)]);
    }
}
