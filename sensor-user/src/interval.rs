//! One interval: what was counted between two cuts.

use std::io;

use jiff::Timestamp;
use sensor_ebpf::abi::CpuCounters;
use serde::Serialize;

use crate::config::Output;
use crate::document::Document;
use crate::evidence::EvidenceReport;
use crate::flows::Summary;
use crate::flows::law::Digests;
use crate::table;

/// One interval as a line of JSON: who, when, whether the sums hold, and the counts.
#[derive(Debug, Serialize)]
pub struct Interval {
    /// Name of the sensor, or of the capture.
    pub sensor: String,
    /// When the counters began at zero.
    pub epoch: Timestamp,
    /// Number of this interval in its epoch, from 1.
    pub sequence: u64,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Laws of conservation that do not hold: empty, unless something is very wrong.
    pub conservation_breaches: Vec<String>,
    /// What became of the digests, where they are on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<Digests>,
    /// The flows that were made of them, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<Summary>,
    /// How full rings were when they were read, where they are on and there is a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rings: Option<RingFill>,
    /// Where evidence is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceReport>,
    #[serde(flatten)]
    pub counts: Document,
}

impl From<(u64, u64)> for RingFill {
    fn from((most_waiting, records): (u64, u64)) -> Self {
        Self { most_waiting, records }
    }
}

/// The most digests that waited in one ring at a time, and what that ring holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RingFill {
    pub most_waiting: u64,
    pub records: u64,
}

/// Nanoseconds since the Unix epoch as a time; what no clock can show is the nearest that can be.
#[must_use]
pub fn timestamp(nanoseconds: i128) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds).unwrap_or(if nanoseconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Writes one interval, as a line of JSON or as tables.
///
/// # Errors
/// Those of `output`.
pub fn write(
    output: &mut impl io::Write,
    form: Output,
    interval: &Interval,
    counters: &CpuCounters,
    watched_windows: &[u16],
) -> io::Result<()> {
    match form {
        Output::Json => {
            serde_json::to_writer(&mut *output, interval)?;
            writeln!(output)?;
        }
        Output::Table => {
            let seconds = interval.end.duration_since(interval.start).as_secs_f64();
            writeln!(output, "{:.0} to {:.0}", interval.start, interval.end)?;
            if let (Some(digests), Some(flows)) = (interval.digests, interval.flows) {
                writeln!(output, "{}", table::flows(&digests, &flows, interval.rings))?;
            }
            writeln!(output, "{}", table::render(counters, watched_windows, Some(seconds)))?;
        }
    }
    output.flush()
}
