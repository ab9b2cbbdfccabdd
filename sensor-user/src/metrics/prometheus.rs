//! Prometheus's text format, version 0.0.4.

use std::fmt::Write as _;

use super::registry::Metric;
use super::samples::{Family, Sample, Value};

/// What the format calls itself in HTTP.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Families in text; those without a sample are left out.
#[must_use]
pub fn encode(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { metric, samples } in families.iter().filter(|family| !family.samples.is_empty()) {
        let Metric { name, help, kind, .. } = metric;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        line(&mut text, format_args!("# HELP {name} {help}"));
        line(&mut text, format_args!("# TYPE {name} {}", kind.name()));
        samples.iter().for_each(|sample| encode_sample(&mut text, metric, sample));
    }
    text
}

fn encode_sample(text: &mut String, metric: &Metric, sample: &Sample) {
    let name = metric.name;
    let labels = || metric.labels.iter().copied().zip(sample.labels.iter().map(String::as_str));
    match &sample.value {
        Value::Whole(number) => line(text, format_args!("{name}{} {number}", Labels::of(labels()))),
        Value::Real(number) => line(text, format_args!("{name}{} {}", Labels::of(labels()), real(*number))),
        Value::Distribution { buckets, count, sum } => {
            let total = (f64::INFINITY, *count);
            for (bound, count) in buckets.iter().chain([&total]) {
                let bound = real(*bound);
                let labels = Labels::of(labels().chain([("le", bound.as_str())]));
                line(text, format_args!("{name}_bucket{labels} {count}"));
            }
            line(text, format_args!("{name}_sum{} {}", Labels::of(labels()), real(*sum)));
            line(text, format_args!("{name}_count{} {count}", Labels::of(labels())));
        }
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _never_fails = writeln!(text, "{line}");
}

/// A number as the format has it.
fn real(number: f64) -> String {
    if number == f64::INFINITY { "+Inf".into() } else { number.to_string() }
}

/// Labels in braces, or nothing where there are none.
struct Labels(String);

impl Labels {
    fn of<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        Self(if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) })
    }
}

impl std::fmt::Display for Labels {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}
