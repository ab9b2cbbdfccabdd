//! The registry: every metric, declared once.

mod agent;
mod shipping;
mod spool;
mod traffic;

use super::board::View;
use super::samples::Samples;

/// What a metric's number does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from [`Metric::since`] on.
    Counter,
    Gauge,
    /// A distribution, which only grows.
    Histogram,
}

/// What a metric's number is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Packets,
    Bytes,
    Seconds,
    /// Seconds since the Unix epoch.
    Timestamp,
    Intervals,
    Digests,
    Rows,
    Requests,
    /// Of anything else, or of nothing.
    Number,
}

/// When a counter was zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// When the counters were attached: they outlive the agent.
    Epoch,
    /// When the agent started.
    Start,
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// As Prometheus has it.
    pub name: &'static str,
    /// A sentence without its full stop.
    pub help: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub since: Since,
    pub labels: &'static [&'static str],
    pub(super) values: Values,
}

/// Puts the samples of one metric.
type Values = fn(&View<'_>, &mut Samples);

/// A number that only grows, from the agent's start on.
const fn counter(name: &'static str, help: &'static str, unit: Unit, values: Values) -> Metric {
    Metric { name, help, kind: Kind::Counter, unit, since: Since::Start, labels: &[], values }
}

/// A number that is so now, or was of the last interval.
const fn gauge(name: &'static str, help: &'static str, unit: Unit, values: Values) -> Metric {
    Metric { kind: Kind::Gauge, ..counter(name, help, unit, values) }
}

impl Metric {
    /// The same, told apart by these labels.
    const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// The same, from the moment on when the counters were attached.
    const fn since_epoch(self) -> Self {
        Self { since: Since::Epoch, ..self }
    }
}

/// Every metric, in the order in which they are shown.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [traffic::METRICS, agent::METRICS, spool::METRICS, shipping::METRICS].into_iter().flatten()
}

impl Kind {
    /// As Prometheus calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Unit {
    /// In UCUM's code, as OpenTelemetry has it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Packets => "{packet}",
            Self::Bytes => "By",
            Self::Seconds | Self::Timestamp => "s",
            Self::Intervals => "{interval}",
            Self::Digests => "{digest}",
            Self::Rows => "{row}",
            Self::Requests => "{request}",
            Self::Number => "1",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Timestamp => "seconds since 1970",
            Self::Intervals => "intervals",
            Self::Digests => "digests",
            Self::Rows => "rows",
            Self::Requests => "requests",
            Self::Number => "",
        }
    }

    /// What a metric's name ends in, before `_total`, where it has to.
    #[must_use]
    pub const fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Bytes => Some("_bytes"),
            Self::Seconds => Some("_seconds"),
            Self::Timestamp => Some("_timestamp_seconds"),
            _ => None,
        }
    }
}

/// Nanoseconds in seconds.
fn seconds(nanoseconds: u64) -> f64 {
    // Nanoseconds that a float cannot tell apart are nobody's business here.
    std::time::Duration::from_nanos(nanoseconds).as_secs_f64()
}
