//! The registry is sound, and both formats say what was counted.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::law::{ByFamily, Digests};
use wire::totals::Totals;

use super::registry::{self, Kind, Metric};
use crate::spool::Status;

use super::{Board, MetricsSettings, Prepared, Report, otlp, prometheus};
use crate::flows::Summary;
use crate::interval::RingFill;
use crate::ship::StatusHandle;

const SECOND: u64 = 1_000_000_000;
const EPOCH: u64 = 1_700_000_000 * SECOND;

/// A board on which two intervals were put up, with everything that there can be.
fn board() -> Board {
    let spool = Status { intervals: 3, bytes: 4_096, oldest_end: Some(EPOCH), ..Status::default() };
    let shipping = StatusHandle::new(Arc::new(|_| {}));
    for milliseconds in [3, 30, 300] {
        let time = Duration::from_millis(milliseconds);
        shipping.shipped(1_000, false, time, Some(time));
    }
    let board = Board::new("a \"sensor\"\\\nof two lines", 2, Some(Box::new(move || spool)), Some(shipping));
    let mut totals = Totals::default();
    for sequence in 1..=2 {
        let mut counted = Totals::default();
        let counters = counted.counters_mut();
        (counters.packets, counters.bytes) = (100, 6_000);
        counters.outcomes[0] = 100;
        counters.tcp_classes[0] = 100;
        counters.signatures[0] = 7;
        counters.windows[0] = 5;
        counters.digests_lost[1] = 1;
        for port in [22, 23, 80, 443] {
            counters.tcp_scan_destination_ports[port] = port as u64 * sequence;
        }
        totals.merge(&counted);
        board.publish(&Report {
            is_kept: true,
            epoch: EPOCH,
            sequence,
            start: EPOCH + (sequence - 1) * 60 * SECOND,
            end: EPOCH + sequence * 60 * SECOND,
            totals: &totals,
            counted: &counted,
            watched_windows: &[5_656],
            breaches: 1,
            digests: Some(Digests { unread: ByFamily { ipv4: 4, ipv6: 0 }, off: 2, ..Digests::default() }),
            flows: Some(Summary { rows: 9, packets: 90, overflow_rows: 1, overflow_packets: 10 }),
            rings: Some(RingFill { most_waiting: 12, records: 1 << 19 }),
        });
    }
    board
}

#[test]
fn every_metric_has_a_sound_name_unit_and_help() {
    let mut names = HashSet::new();
    for metric in registry::all() {
        let Metric { name, help, kind, unit, labels, .. } = metric;
        assert!(names.insert(*name), "{name} is there twice");
        let rest = name.strip_prefix("apus_sensor_").expect(name);
        let is_plain = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_lowercase())
                && !text.ends_with('_')
                && !text.contains("__")
                && text
                    .chars()
                    .all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_')
        };
        assert!(is_plain(rest), "{name}");
        assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name} is a {}", kind.name());
        let stem = name.strip_suffix("_total").unwrap_or(name);
        for reserved in ["_bucket", "_sum", "_count"] {
            assert!(!stem.ends_with(reserved), "{name} ends as a part of a histogram does");
        }
        match unit.suffix() {
            Some(suffix) => assert!(stem.ends_with(suffix), "{name} is in {}", unit.words()),
            None => assert!(!stem.ends_with("_bytes") && !stem.ends_with("_seconds"), "{name}"),
        }
        assert!(help.starts_with(|first: char| first.is_ascii_uppercase()), "{name}: {help}");
        assert!(help.len() > 5 && !help.ends_with('.') && !help.contains(['\n', '|']), "{name}: {help}");
        assert!(labels.iter().all(|label| is_plain(label) && *label != "le"), "{name}");
    }
}

#[test]
fn every_metric_has_samples_with_as_many_labels_as_it_declares() {
    for family in board().collect() {
        let name = family.metric.name;
        // Nothing has been asked for since this process began, nor is there a certificate.
        let is_absent = name == "apus_sensor_certificate_end_timestamp_seconds";
        assert_eq!(family.samples.is_empty(), is_absent, "{name}");
        let mut seen = HashSet::new();
        for sample in &family.samples {
            assert_eq!(sample.labels.len(), family.metric.labels.len(), "{name}");
            assert!(seen.insert(&sample.labels), "{name} has {:?} twice", sample.labels);
        }
    }
}

#[test]
fn before_the_first_interval_nothing_is_made_up() {
    let text = prometheus::encode(&Board::new("s", 20, None, None).collect());
    assert!(text.contains("apus_sensor_build_info{sensor=\"s\""), "{text}");
    assert!(text.contains("apus_sensor_intervals_total 0\n"), "{text}");
    for absent in ["apus_sensor_packets_total", "apus_sensor_spool_bytes", "apus_sensor_ship_up"] {
        assert!(!text.contains(absent), "{absent}");
    }
}

#[test]
fn prometheus_has_what_was_counted() {
    let text = prometheus::encode(&board().collect());
    let lines = [
        "# HELP apus_sensor_packets_total Packets that the sensor saw",
        "# TYPE apus_sensor_packets_total counter",
        "apus_sensor_packets_total 200",
        "apus_sensor_frame_bytes_total 12000",
        "apus_sensor_outcome_packets_total{outcome=\"ipv4_tcp\"} 200",
        "apus_sensor_outcome_packets_total{outcome=\"unobserved\"} 0",
        "apus_sensor_signature_packets_total{signature=\"mirai\"} 14",
        "apus_sensor_watched_window_packets_total{window=\"5656\"} 10",
        "apus_sensor_digests_lost_total{family=\"ipv6\"} 2",
        "apus_sensor_digests_unread_total 8",
        "apus_sensor_top_port_packets{kind=\"tcp_scan_dst_port\",port=\"443\"} 886",
        "apus_sensor_top_port_packets{kind=\"tcp_scan_dst_port\",port=\"80\"} 160",
        "apus_sensor_flow_rows_total 18",
        "apus_sensor_flows 9",
        "apus_sensor_conservation_breaches_total 2",
        "apus_sensor_interval_sequence 2",
        "apus_sensor_epoch_timestamp_seconds 1700000000",
        "apus_sensor_interval_end_timestamp_seconds 1700000120",
        "apus_sensor_spool_bytes 4096",
        "apus_sensor_shipped_bytes_total 3000",
        "apus_sensor_ship_request_seconds_bucket{le=\"0.005\"} 1",
        "apus_sensor_ship_request_seconds_bucket{le=\"0.5\"} 3",
        "apus_sensor_ship_request_seconds_bucket{le=\"+Inf\"} 3",
        "apus_sensor_ship_request_seconds_sum 0.333",
        "apus_sensor_ship_request_seconds_count 3",
    ];
    for line in lines {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    assert!(text.contains(r#"sensor="a \"sensor\"\\\nof two lines""#), "{text}");
    assert!(!text.contains("port=\"22\""), "only the two with most packets");
}

#[test]
fn otlp_has_what_was_counted() {
    let request = otlp::encode(&board());
    if let Some(path) = std::env::var_os("APUS_WRITE_OTLP") {
        std::fs::write(path, request.to_string()).unwrap();
    }
    if let Some(path) = std::env::var_os("APUS_WRITE_PROMETHEUS") {
        std::fs::write(path, prometheus::encode(&board().collect())).unwrap();
    }
    let metrics = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let metric = |name: &str| metrics.iter().find(|metric| metric["name"] == name).unwrap();
    let packets = &metric("apus_sensor_packets_total")["sum"];
    assert_eq!((&packets["isMonotonic"], &packets["aggregationTemporality"]), (&true.into(), &2.into()));
    let point = &packets["dataPoints"][0];
    assert_eq!(point["asInt"], "200");
    assert_eq!(point["startTimeUnixNano"], EPOCH.to_string());
    assert_eq!(point["timeUnixNano"], (EPOCH + 120 * SECOND).to_string());
    let times = &metric("apus_sensor_ship_request_seconds")["histogram"]["dataPoints"][0];
    let counts: Vec<u64> = times["bucketCounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count.as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(counts.len(), times["explicitBounds"].as_array().unwrap().len() + 1);
    assert_eq!((counts.iter().sum::<u64>(), &times["count"]), (3, &"3".into()));
}

#[test]
fn metrics_are_served_until_the_end() {
    let settings = MetricsSettings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        otlp: None,
        otlp_ca: None,
        top_ports: 20,
    };
    let prepared = Prepared::open(&settings).unwrap();
    assert!(prepared.notices()[0].starts_with("serves metrics on http://127.0.0.1:"));
    let thread = prepared.start(board()).unwrap();
    let address = thread.address.unwrap();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: sensor\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let text = get("/metrics");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(
        text.contains(prometheus::CONTENT_TYPE) && text.contains("apus_sensor_packets_total 200\n"),
        "{text}"
    );
    assert!(get("/").starts_with("HTTP/1.1 404"));
    let taken = Prepared::open(&MetricsSettings { listen: Some(address), ..settings }).unwrap_err();
    assert!(taken.to_string().contains("--metrics=ADDRESS:PORT"), "{taken}");
    drop(thread);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn metrics_are_sent_when_an_interval_has_ended() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let options = super::MetricsOptions { otlp: Some(url), ..super::MetricsOptions::default() };
    let board = board();
    let thread = Prepared::open(&options.resolve().unwrap()).unwrap().start(board.clone()).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut text = Vec::new();
    let mut buffer = [0; 4_096];
    let is_whole = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        text.split_once("\r\n\r\n")
            .is_some_and(|(_, body)| serde_json::from_str::<serde_json::Value>(body).is_ok())
    };
    while !is_whole(&text) {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "it ended before its end");
        text.extend_from_slice(&buffer[..length]);
    }
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{text}");
    assert!(text.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{text}");
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !prometheus::encode(&board.collect()).contains("otlp_requests_total{result=\"arrived\"} 1\n") {
        assert!(Instant::now() < deadline, "it was never counted");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(thread);
}
