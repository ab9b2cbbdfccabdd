//! The agent itself.

use sensor_ebpf::abi::{ABI_VERSION, SIGNATURES_VERSION};

use super::{Metric, Unit, counter, gauge, seconds};

pub const METRICS: &[Metric] = &[
    gauge(
        "apus_sensor_build_info",
        "One, of this sensor with this version, layout of counters and rules of signatures",
        Unit::Number,
        |view, samples| {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let labels =
                [view.sensor.to_owned(), version, ABI_VERSION.to_string(), SIGNATURES_VERSION.to_string()];
            samples.put_of(labels, 1);
        },
    )
    .by(&["sensor", "version", "abi_version", "signatures_version"]),
    gauge(
        "apus_sensor_start_timestamp_seconds",
        "When the agent started",
        Unit::Timestamp,
        |view, samples| samples.put(seconds(view.started)),
    ),
    gauge(
        "apus_sensor_epoch_timestamp_seconds",
        "When the counters began at zero",
        Unit::Timestamp,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(seconds(snapshot.epoch)));
        },
    ),
    gauge(
        "apus_sensor_interval_sequence",
        "Number of the last interval in its epoch",
        Unit::Number,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.sequence));
        },
    ),
    gauge(
        "apus_sensor_interval_end_timestamp_seconds",
        "When the last interval ended",
        Unit::Timestamp,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(seconds(snapshot.end)));
        },
    ),
    gauge(
        "apus_sensor_interval_length_seconds",
        "How long the last interval was",
        Unit::Seconds,
        |view, samples| {
            let snapshot = view.snapshot.iter();
            snapshot.for_each(|snapshot| samples.put(seconds(snapshot.end.saturating_sub(snapshot.start))));
        },
    ),
    counter("apus_sensor_intervals_total", "Intervals that have ended", Unit::Intervals, |view, samples| {
        samples.put(view.snapshot.as_ref().map_or(0, |snapshot| snapshot.since_start.intervals));
    }),
    counter(
        "apus_sensor_unkept_intervals_total",
        "Times that an interval could not be kept on disk and went on instead, its counts in the kernel",
        Unit::Intervals,
        |view, samples| {
            samples.put(view.snapshot.as_ref().map_or(0, |snapshot| snapshot.since_start.unkept));
        },
    ),
    counter(
        "apus_sensor_conservation_breaches_total",
        "Laws of conservation that did not hold; more than zero is a fault to report",
        Unit::Number,
        |view, samples| {
            samples.put(view.snapshot.as_ref().map_or(0, |snapshot| snapshot.since_start.breaches));
        },
    ),
    counter(
        "apus_sensor_otlp_requests_total",
        "Times that metrics were sent to an OpenTelemetry collector, by what became of them",
        Unit::Requests,
        |view, samples| {
            let [arrived, failed] = view.exports;
            samples.put_all([("arrived", arrived), ("failed", failed)]);
        },
    )
    .by(&["result"]),
];
