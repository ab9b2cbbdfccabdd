//! The agent itself.

use sensor_ebpf::abi::{ABI_VERSION, SIGNATURES_VERSION};

use super::{Kind, Metric, Since, Unit, seconds};

pub const METRICS: &[Metric] = &[
    Metric {
        name: "apus_sensor_build_info",
        help: "One, of this sensor with this version, layout of counters and rules of signatures",
        kind: Kind::Gauge,
        unit: Unit::Number,
        since: Since::Start,
        labels: &["sensor", "version", "abi_version", "signatures_version"],
        values: |view, samples| {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let labels =
                [view.sensor.to_owned(), version, ABI_VERSION.to_string(), SIGNATURES_VERSION.to_string()];
            samples.put_of(labels, 1);
        },
    },
    Metric {
        name: "apus_sensor_start_timestamp_seconds",
        help: "When the agent started",
        kind: Kind::Gauge,
        unit: Unit::Timestamp,
        since: Since::Start,
        labels: &[],
        values: |view, samples| samples.put(seconds(view.started)),
    },
    Metric {
        name: "apus_sensor_epoch_timestamp_seconds",
        help: "When the counters began at zero",
        kind: Kind::Gauge,
        unit: Unit::Timestamp,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(seconds(snapshot.epoch)));
        },
    },
    Metric {
        name: "apus_sensor_interval_sequence",
        help: "Number of the last interval in its epoch",
        kind: Kind::Gauge,
        unit: Unit::Number,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.sequence));
        },
    },
    Metric {
        name: "apus_sensor_interval_end_timestamp_seconds",
        help: "When the last interval ended",
        kind: Kind::Gauge,
        unit: Unit::Timestamp,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(seconds(snapshot.end)));
        },
    },
    Metric {
        name: "apus_sensor_interval_length_seconds",
        help: "How long the last interval was",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            let snapshot = view.snapshot.iter();
            snapshot.for_each(|snapshot| samples.put(seconds(snapshot.end.saturating_sub(snapshot.start))));
        },
    },
    Metric {
        name: "apus_sensor_intervals_total",
        help: "Intervals that have ended",
        kind: Kind::Counter,
        unit: Unit::Intervals,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            samples.put(view.snapshot.as_ref().map_or(0, |snapshot| snapshot.since_start.intervals));
        },
    },
    Metric {
        name: "apus_sensor_unkept_intervals_total",
        help: "Times that an interval could not be kept on disk and went on instead, its counts in the kernel",
        kind: Kind::Counter,
        unit: Unit::Intervals,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            samples.put(view.snapshot.as_ref().map_or(0, |snapshot| snapshot.since_start.unkept));
        },
    },
    Metric {
        name: "apus_sensor_conservation_breaches_total",
        help: "Laws of conservation that did not hold; more than zero is a fault to report",
        kind: Kind::Counter,
        unit: Unit::Number,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            samples.put(view.snapshot.as_ref().map_or(0, |snapshot| snapshot.since_start.breaches));
        },
    },
    Metric {
        name: "apus_sensor_otlp_requests_total",
        help: "Times that metrics were sent to an OpenTelemetry collector, by what became of them",
        kind: Kind::Counter,
        unit: Unit::Requests,
        since: Since::Start,
        labels: &["result"],
        values: |view, samples| {
            let [arrived, failed] = view.exports;
            samples.put_all([("arrived", arrived), ("failed", failed)]);
        },
    },
];
