//! OTLP: OpenTelemetry's metrics in the JSON mapping of its protocol buffers, 64-bit integers as strings.

use serde_json::{Value as Json, json};

use super::board::{Board, View, family};
use super::registry::{self, Kind, Metric, Since};
use super::samples::{Family, Sample, Value};

/// AGGREGATION_TEMPORALITY_CUMULATIVE.
const CUMULATIVE: u32 = 2;

/// One `ExportMetricsServiceRequest` of all metrics that have a sample.
#[must_use]
pub fn encode(board: &Board) -> Json {
    let view = board.view();
    let families = registry::all().map(|metric| family(metric, &view));
    let metrics: Vec<Json> =
        families.filter(|family| !family.samples.is_empty()).map(|family| metric(&family, &view)).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceMetrics": [{
        "resource": { "attributes": [
            attribute("service.name", "apus-sensor"),
            attribute("service.instance.id", view.sensor),
            attribute("service.version", version),
        ] },
        "scopeMetrics": [{
            "scope": { "name": "apus-sensor", "version": version },
            "metrics": metrics,
        }],
    }] })
}

fn metric(family: &Family, view: &View<'_>) -> Json {
    let Family { metric, samples } = family;
    let points: Vec<Json> = samples.iter().map(|sample| point(metric, sample, view)).collect();
    let data = match metric.kind {
        Kind::Gauge => ("gauge", json!({ "dataPoints": points })),
        Kind::Counter => (
            "sum",
            json!({ "dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true }),
        ),
        Kind::Histogram => {
            ("histogram", json!({ "dataPoints": points, "aggregationTemporality": CUMULATIVE }))
        }
    };
    json!({
        "name": metric.name,
        "description": metric.help,
        "unit": metric.unit.code(),
        (data.0): data.1,
    })
}

fn point(metric: &Metric, sample: &Sample, view: &View<'_>) -> Json {
    let labels = metric.labels.iter().zip(&sample.labels);
    let attributes: Vec<Json> = labels.map(|(name, value)| attribute(name, value)).collect();
    // What the kernel counted is as of the interval's end.
    let (start, time) = match (metric.since, &view.snapshot) {
        (Since::Epoch, Some(snapshot)) => (snapshot.epoch, snapshot.end),
        _ => (view.started, view.now),
    };
    let mut point = json!({ "attributes": attributes, "timeUnixNano": time.to_string() });
    if metric.kind != Kind::Gauge {
        point["startTimeUnixNano"] = json!(start.to_string());
    }
    match &sample.value {
        // The protocol's integers have a sign.
        Value::Whole(number) => {
            point["asInt"] = json!(i64::try_from(*number).unwrap_or(i64::MAX).to_string());
        }
        Value::Real(number) => point["asDouble"] = json!(number),
        Value::Distribution { buckets, count, sum } => {
            let bounds: Vec<f64> = buckets.iter().map(|(bound, _)| *bound).collect();
            let mut below = 0;
            let at_most = buckets.iter().map(|(_, count)| *count).chain([*count]);
            let counts: Vec<String> = at_most
                .map(|count| {
                    let between = count.saturating_sub(below);
                    below = count;
                    between.to_string()
                })
                .collect();
            point["count"] = json!(count.to_string());
            point["sum"] = json!(sum);
            point["bucketCounts"] = json!(counts);
            point["explicitBounds"] = json!(bounds);
        }
    }
    point
}

fn attribute(key: &str, value: &str) -> Json {
    json!({ "key": key, "value": { "stringValue": value } })
}
