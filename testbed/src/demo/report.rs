//! The end: what was sent, what was counted, and whether the two agree to the packet.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use testbed::Sent;
use testbed::document::{self, Difference};
use testbed::mix::Mix;

use crate::text::{grouped, left, side_by_side};

/// Columns of a kind's name and count.
const WIDTH: usize = 38;

pub struct Report {
    /// Names of kinds and what was sent of them.
    sent: Vec<(&'static str, u64)>,
    seconds: f64,
    intervals: usize,
    expected: Value,
    counted: Value,
    differences: Vec<Difference>,
    /// What the collector has, and how it differs.
    stored: Value,
    differences_stored: Vec<Difference>,
    /// What else is wrong.
    complaints: Vec<String>,
}

impl Report {
    pub fn new(mix: &Mix, sent: &Sent, intervals: &[Value], stored: Value) -> Self {
        let expected = mix.expected(&sent.by_kind);
        let mut counted = document::empty();
        for interval in intervals {
            document::add(&mut counted, interval);
        }
        Self {
            sent: mix.kinds().iter().map(|kind| kind.name).zip(sent.by_kind.iter().copied()).collect(),
            seconds: sent.elapsed.as_secs_f64(),
            intervals: intervals.len(),
            differences: document::differences(&expected, &counted),
            differences_stored: document::differences(&expected, &stored),
            expected,
            counted,
            stored,
            complaints: complaints(intervals),
        }
    }

    pub fn agrees(&self) -> bool {
        self.differences.is_empty() && self.differences_stored.is_empty() && self.complaints.is_empty()
    }

    pub fn write_json(&self, output: &mut impl Write) -> io::Result<()> {
        let Self {
            sent,
            seconds,
            intervals,
            expected,
            counted,
            differences,
            stored,
            differences_stored,
            complaints,
        } = self;
        let sent: Map<String, Value> =
            sent.iter().map(|(name, packets)| ((*name).into(), (*packets).into())).collect();
        let report = json!({
            "agrees": self.agrees(),
            "seconds": seconds,
            "intervals": intervals,
            "sent": sent,
            "expected": expected,
            "counted": counted,
            "differences": differences,
            "stored": stored,
            "differences_stored": differences_stored,
            "complaints": complaints,
        });
        serde_json::to_writer_pretty(&mut *output, &report)?;
        writeln!(output)
    }

    pub fn write_text(&self, output: &mut impl Write) -> io::Result<()> {
        let packets: u64 = self.sent.iter().map(|(_, packets)| packets).sum();
        writeln!(output, "\nSent: {} packets of {} kinds.", grouped(packets), self.sent.len())?;
        let rows: Vec<String> = self
            .sent
            .iter()
            .map(|(name, packets)| format!("  {} {:>11}", left(name, WIDTH - 14), grouped(*packets)))
            .collect();
        let columns: Vec<Vec<String>> =
            rows.chunks(rows.len().div_ceil(2).max(1)).map(<[String]>::to_vec).collect();
        for line in side_by_side(&columns, WIDTH, "  ") {
            writeln!(output, "{line}")?;
        }
        writeln!(
            output,
            "Counted by the sensor: {} packets, {} bytes, in {} intervals.",
            grouped(self.counted["packets"].as_u64().unwrap_or(0)),
            grouped(self.counted["bytes"].as_u64().unwrap_or(0)),
            self.intervals,
        )?;
        writeln!(
            output,
            "Stored by the collector: {} packets, {} bytes.",
            grouped(self.stored["packets"].as_u64().unwrap_or(0)),
            grouped(self.stored["bytes"].as_u64().unwrap_or(0)),
        )?;
        self.write_verdict(output)
    }

    fn write_verdict(&self, output: &mut impl Write) -> io::Result<()> {
        for complaint in &self.complaints {
            writeln!(output, "WRONG: {complaint}")?;
        }
        let counters = document::counters(&self.expected, String::new()).len();
        if self.differences.is_empty() && self.differences_stored.is_empty() {
            return writeln!(
                output,
                "All {counters} counters are to the packet what they must be, in sensor and collector;\n\
                 every other is zero."
            );
        }
        for (who, differences) in [("counted", &self.differences), ("stored", &self.differences_stored)] {
            writeln!(output, "WRONG: {} of {counters} counters {who}:", differences.len())?;
            writeln!(output, "  {:<44} {:>14} {:>14}", "counter", "expected", who)?;
            for Difference { counter, expected, counted } in differences {
                writeln!(output, "  {counter:<44} {:>14} {:>14}", grouped(*expected), grouped(*counted))?;
            }
        }
        Ok(())
    }
}

/// What intervals must be beside correct: all there, one after the other, and sound in themselves.
fn complaints(intervals: &[Value]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, interval) in (1_u64..).zip(intervals) {
        if interval["sequence"] != number {
            complaints.push(format!("interval {number} calls itself {}", interval["sequence"]));
        }
        for breach in interval["conservation_breaches"].as_array().into_iter().flatten() {
            complaints.push(format!("interval {number}: {breach}"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use testbed::mix;

    use super::*;

    fn report(missing: u64) -> Report {
        let mix = mix::telescope();
        let by_kind = vec![10; mix.kinds().len()];
        let mut counted = by_kind.clone();
        counted[0] -= missing;
        let stored = mix.expected(&counted);
        let mut interval = stored.clone();
        interval["sequence"] = 1.into();
        let (elapsed, processor_time) = (Duration::from_secs(1), Duration::ZERO);
        let sent = Sent { packets: by_kind.iter().sum(), by_kind, elapsed, processor_time };
        Report::new(&mix, &sent, &[interval], stored)
    }

    fn text(report: &Report) -> String {
        let mut text = Vec::new();
        report.write_text(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn equal_counts_agree() {
        let report = report(0);
        assert!(report.agrees());
        assert!(text(&report).contains("what they must be, in sensor and collector"));
        assert!(text(&report).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn one_packet_too_few_is_shown_in_every_counter_that_lacks_it() {
        let report = report(1);
        assert!(!report.agrees());
        let counters: Vec<&str> = report.differences.iter().map(|one| one.counter.as_str()).collect();
        assert!(counters.contains(&"/packets") && counters.contains(&"/signatures/mirai/dst_ports/23"));
        assert!(text(&report).contains("/tcp/scan_dst_ports/23"));
        let mut json = Vec::new();
        report.write_json(&mut json).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&json).unwrap()["agrees"], false);
    }

    #[test]
    fn a_missing_interval_and_a_breach_are_complaints() {
        let intervals = [json!({"sequence": 2, "conservation_breaches": ["a is 1, but b is 2"]})];
        assert_eq!(complaints(&intervals).len(), 2);
    }
}
