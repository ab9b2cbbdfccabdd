//! What waits on disk for the collector.

use super::{Metric, Unit, counter, gauge, seconds};
use crate::spool::Status;

/// A figure, where there is a spool.
fn put(view: &super::View<'_>, samples: &mut super::Samples, figure: impl Fn(&Status) -> u64) {
    view.spool.iter().for_each(|spool| samples.put(figure(spool)));
}

pub const METRICS: &[Metric] = &[
    gauge(
        "apus_sensor_spool_intervals",
        "Intervals that wait for the collector; a merged one is one",
        Unit::Intervals,
        |view, samples| put(view, samples, |spool| spool.intervals),
    ),
    gauge(
        "apus_sensor_spool_attempted_intervals",
        "Those of them that were sent, or may have been",
        Unit::Intervals,
        |view, samples| put(view, samples, |spool| spool.attempted),
    ),
    gauge("apus_sensor_spool_bytes", "Bytes on disk", Unit::Bytes, |view, samples| {
        put(view, samples, |spool| spool.bytes);
    }),
    gauge("apus_sensor_spool_flow_bytes", "Those of them that are flows", Unit::Bytes, |view, samples| {
        put(view, samples, |spool| spool.flow_bytes);
    }),
    gauge(
        "apus_sensor_spool_limit_bytes",
        "The most bytes that it may have",
        Unit::Bytes,
        |view, samples| {
            put(view, samples, |spool| spool.max_bytes);
        },
    ),
    gauge(
        "apus_sensor_spool_quarantined_bytes",
        "Unreadable bytes that are kept beside",
        Unit::Bytes,
        |view, samples| put(view, samples, |spool| spool.quarantined_bytes),
    ),
    gauge(
        "apus_sensor_spool_oldest_age_seconds",
        "How long ago the oldest interval that waits ended; 0 where none waits",
        Unit::Seconds,
        |view, samples| {
            if let Some(spool) = &view.spool {
                samples.put(seconds(spool.oldest_end.map_or(0, |end| view.now.saturating_sub(end))));
            }
        },
    ),
    counter(
        "apus_sensor_spool_dropped_flow_intervals_total",
        "Intervals whose flows were dropped for want of room, while their counts were kept",
        Unit::Intervals,
        |view, samples| put(view, samples, |spool| spool.dropped.intervals),
    ),
    counter(
        "apus_sensor_spool_dropped_flow_rows_total",
        "Flows that were dropped so",
        Unit::Rows,
        |view, samples| put(view, samples, |spool| spool.dropped.rows),
    ),
    counter(
        "apus_sensor_spool_dropped_flow_packets_total",
        "Packets in those flows, which are counted all the same",
        Unit::Packets,
        |view, samples| put(view, samples, |spool| spool.dropped.packets),
    ),
    counter(
        "apus_sensor_spool_merged_intervals_total",
        "Intervals that became part of longer ones for want of room",
        Unit::Intervals,
        |view, samples| put(view, samples, |spool| spool.merged_intervals),
    ),
    counter(
        "apus_sensor_spool_damaged_intervals_total",
        "Intervals whose counts were found damaged on disk",
        Unit::Intervals,
        |view, samples| put(view, samples, |spool| spool.damaged_intervals),
    ),
    counter(
        "apus_sensor_spool_damaged_flow_intervals_total",
        "Intervals whose flows were found damaged on disk",
        Unit::Intervals,
        |view, samples| put(view, samples, |spool| spool.damaged_flows),
    ),
];
