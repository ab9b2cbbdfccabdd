//! What the sensor counts.

use super::{Metric, Unit, Values, counter, gauge};

/// Packets since the epoch.
const fn packets(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    values: Values,
) -> Metric {
    counter(name, help, Unit::Packets, values).by(labels).since_epoch()
}

pub const METRICS: &[Metric] = &[
    packets("apus_sensor_packets_total", "Packets that the sensor saw", &[], |view, samples| {
        view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.packets));
    }),
    counter(
        "apus_sensor_frame_bytes_total",
        "Bytes of the frames of those packets, from the Ethernet header on",
        Unit::Bytes,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.bytes));
        },
    )
    .since_epoch(),
    packets(
        "apus_sensor_outcome_packets_total",
        "Packets by outcome, of which each packet has exactly one",
        &["outcome"],
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put_all(snapshot.outcomes.iter().copied()));
        },
    ),
    packets(
        "apus_sensor_tcp_class_packets_total",
        "Observed TCP packets by class",
        &["class"],
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put_all(snapshot.tcp_classes.iter().copied()));
        },
    ),
    packets(
        "apus_sensor_signature_packets_total",
        "Packets with the signature of a known scanner",
        &["signature"],
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put_all(snapshot.signatures.iter().copied()));
        },
    ),
    packets(
        "apus_sensor_watched_window_packets_total",
        "TCP scans with a watched window",
        &["window"],
        |view, samples| {
            for (window, packets) in view.snapshot.iter().flat_map(|snapshot| &snapshot.windows) {
                samples.put_of([window.to_string()], *packets);
            }
        },
    ),
    gauge(
        "apus_sensor_top_port_packets",
        "Packets of the last interval to (of backscatter: from) the ports with most of them, by kind",
        Unit::Packets,
        |view, samples| {
            for (kind, port, packets) in view.snapshot.iter().flat_map(|snapshot| &snapshot.top_ports) {
                samples.put_of([(*kind).to_owned(), port.to_string()], *packets);
            }
        },
    )
    .by(&["kind", "port"]),
    counter(
        "apus_sensor_digests_written_total",
        "Digests of observed packets that were written",
        Unit::Digests,
        |view, samples| {
            let snapshot = view.snapshot.iter();
            snapshot.for_each(|snapshot| samples.put_all(snapshot.digests_written.iter().copied()));
        },
    )
    .by(&["family"])
    .since_epoch(),
    counter(
        "apus_sensor_digests_lost_total",
        "Digests that there was no room for in a ring, of packets that are counted all the same",
        Unit::Digests,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put_all(snapshot.digests_lost.iter().copied()));
        },
    )
    .by(&["family"])
    .since_epoch(),
    counter(
        "apus_sensor_digests_unread_total",
        "Digests that were written and that no agent has made a flow of",
        Unit::Digests,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.since_start.digests_unread));
        },
    ),
    counter(
        "apus_sensor_undigested_packets_total",
        "Observed packets that were counted while digests were off",
        Unit::Packets,
        |view, samples| {
            let snapshot = view.snapshot.iter();
            snapshot.for_each(|snapshot| samples.put(snapshot.since_start.packets_without_digest));
        },
    ),
    gauge(
        "apus_sensor_ring_most_waiting_digests",
        "The most digests that waited in a ring at a time in the last interval",
        Unit::Digests,
        |view, samples| {
            let rings = view.snapshot.iter().filter_map(|snapshot| snapshot.rings);
            rings.for_each(|rings| samples.put(rings.most_waiting));
        },
    ),
    gauge("apus_sensor_ring_size_digests", "Digests that this ring holds", Unit::Digests, |view, samples| {
        let rings = view.snapshot.iter().filter_map(|snapshot| snapshot.rings);
        rings.for_each(|rings| samples.put(rings.records));
    }),
    gauge("apus_sensor_flows", "Flows of the last interval", Unit::Rows, |view, samples| {
        let flows = view.snapshot.iter().filter_map(|snapshot| snapshot.flows);
        flows.for_each(|flows| samples.put(flows.rows));
    }),
    gauge(
        "apus_sensor_flow_overflow_rows",
        "Rows of the last interval that stand for packets of many sources, beyond the limit of flows",
        Unit::Rows,
        |view, samples| {
            let flows = view.snapshot.iter().filter_map(|snapshot| snapshot.flows);
            flows.for_each(|flows| samples.put(flows.overflow_rows));
        },
    ),
    counter("apus_sensor_flow_rows_total", "Flows of all intervals", Unit::Rows, |view, samples| {
        view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.since_start.flow_rows));
    }),
    counter(
        "apus_sensor_flow_overflow_packets_total",
        "Packets that are in flows without a source, beyond the limit of flows",
        Unit::Packets,
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.since_start.overflow_packets));
        },
    ),
    packets(
        "apus_sensor_evidence_written_packets_total",
        "Packets that the program handed over as evidence",
        &[],
        |view, samples| {
            view.snapshot.iter().for_each(|snapshot| samples.put(snapshot.evidence_written));
        },
    ),
    packets(
        "apus_sensor_evidence_skipped_packets_total",
        "Packets that the evidence filter matches and that were not handed over, by reason",
        &["reason"],
        |view, samples| {
            let snapshot = view.snapshot.iter();
            snapshot.for_each(|snapshot| samples.put_all(snapshot.evidence_skipped.iter().copied()));
        },
    ),
];
