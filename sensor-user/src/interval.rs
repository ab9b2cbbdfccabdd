//! One interval: what was counted between two cuts.

use std::io;

use jiff::Timestamp;
use sensor_ebpf::abi::CpuCounters;
use serde::{Serialize, Serializer};

use crate::config::Output;
use crate::conservation::Breach;
use crate::document::Document;
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
    #[serde(serialize_with = "as_text")]
    pub conservation_breaches: Vec<Breach>,
    #[serde(flatten)]
    pub counts: Document,
}

fn as_text<S: Serializer>(breaches: &[Breach], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(breaches.iter().map(ToString::to_string))
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
            writeln!(output, "{}", table::render(counters, watched_windows, Some(seconds)))?;
        }
    }
    output.flush()
}
