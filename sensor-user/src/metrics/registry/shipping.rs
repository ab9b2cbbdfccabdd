//! What is on its way to the collector.

use super::{Kind, Metric, Since, Unit, counter, gauge};
use crate::metrics::samples::Value;
use crate::ship::{FailureKind, Latency, ShipStatus};

/// A figure, where there is a shipper.
fn put(view: &super::View<'_>, samples: &mut super::Samples, figure: impl Fn(&ShipStatus) -> u64) {
    view.shipping.iter().for_each(|status| samples.put(figure(status)));
}

/// A time, where there is a shipper and it is known.
fn put_time(
    view: &super::View<'_>,
    samples: &mut super::Samples,
    time: impl Fn(&ShipStatus) -> Option<jiff::Timestamp>,
) {
    let times = view.shipping.iter().filter_map(time);
    times.for_each(|time| samples.put(time.as_duration().as_secs_f64()));
}

fn distribution(latency: &Latency) -> Value {
    let Latency { count, sum, buckets, .. } = latency;
    Value::Distribution { buckets: buckets.clone(), count: *count, sum: sum.as_secs_f64() }
}

pub const METRICS: &[Metric] = &[
    counter(
        "apus_sensor_shipped_intervals_total",
        "Intervals that the collector has said it has stored",
        Unit::Intervals,
        |view, samples| put(view, samples, |status| status.shipped_intervals),
    ),
    counter(
        "apus_sensor_shipped_again_intervals_total",
        "Those of them that it had already stored from an earlier attempt",
        Unit::Intervals,
        |view, samples| put(view, samples, |status| status.already_stored),
    ),
    counter("apus_sensor_shipped_bytes_total", "Bytes of their batches", Unit::Bytes, |view, samples| {
        put(view, samples, |status| status.shipped_bytes);
    }),
    counter(
        "apus_sensor_ship_attempts_total",
        "Times that an interval was sent to the collector",
        Unit::Requests,
        |view, samples| put(view, samples, |status| status.attempts),
    ),
    counter(
        "apus_sensor_ship_failures_total",
        "Times that it was not stored, by reason",
        Unit::Requests,
        |view, samples| {
            if let Some(status) = &view.shipping {
                samples.put_all(FailureKind::ALL.map(FailureKind::name).into_iter().zip(status.failures));
            }
        },
    )
    .by(&["reason"]),
    gauge(
        "apus_sensor_ship_in_flight_intervals",
        "Intervals that are on their way",
        Unit::Intervals,
        |view, samples| put(view, samples, |status| status.in_flight),
    ),
    gauge(
        "apus_sensor_ship_refused_intervals",
        "Intervals that wait and that the collector has refused; look at its log, or at this sensor's",
        Unit::Intervals,
        |view, samples| put(view, samples, |status| status.refused),
    ),
    gauge(
        "apus_sensor_ship_up",
        "One where nothing stood in the way when it was last tried; zero where an address or the spool did, or shipping has ended",
        Unit::Number,
        |view, samples| put(view, samples, |status| status.is_well.into()),
    ),
    gauge(
        "apus_sensor_ship_last_success_timestamp_seconds",
        "When the collector last said that an interval is stored; absent before it has",
        Unit::Timestamp,
        |view, samples| put_time(view, samples, |status| status.last_success),
    ),
    Metric {
        name: "apus_sensor_ship_latency_seconds",
        help: "From the end of an interval to the collector's word that it is stored",
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            let latencies = view.shipping.iter().map(|status| &status.latencies.stored);
            latencies.for_each(|latency| samples.put(distribution(latency)));
        },
    },
    gauge(
        "apus_sensor_ship_latency_quantile_seconds",
        "The same since the agent started, so that as large a share of the intervals took at most as long",
        Unit::Seconds,
        |view, samples| {
            let latencies = view.shipping.iter().map(|status| &status.latencies.stored);
            for Latency { p50, p90, p99, p999, max, .. } in latencies.filter(|latency| latency.count > 0) {
                let quantiles = [("0.5", p50), ("0.9", p90), ("0.99", p99), ("0.999", p999), ("1", max)];
                for (quantile, time) in quantiles {
                    samples.put_of([quantile.into()], time.as_secs_f64());
                }
            }
        },
    )
    .by(&["quantile"]),
    Metric {
        name: "apus_sensor_ship_request_seconds",
        help: "From the start of a request to the collector's word that its interval is stored",
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        since: Since::Start,
        labels: &[],
        values: |view, samples| {
            let latencies = view.shipping.iter().map(|status| &status.latencies.request);
            latencies.for_each(|latency| samples.put(distribution(latency)));
        },
    },
    gauge(
        "apus_sensor_certificate_end_timestamp_seconds",
        "When the sensor's certificate ends",
        Unit::Timestamp,
        |view, samples| put_time(view, samples, |status| status.certificate_not_after),
    ),
];
