//! What has happened, counted, for this host alone to read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::handshake::Failure;
use crate::exposition::{Count, Families, Times};
use crate::validate::Word;
use crate::web;

/// Upper bounds of the times in which requests are answered, in milliseconds.
const BOUNDS: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000];

/// Everything that is counted.
#[derive(Debug)]
pub struct Counters {
    /// Accepted by the system.
    pub connections: Count,
    /// Completed.
    pub handshakes: Count,
    pub handshakes_failed: Vec<Count>,
    pub stored: Count,
    /// Stored before.
    pub already: Count,
    pub refused: Vec<Count>,
    pub kept_aside: Count,
    /// Refused, and no room for them aside.
    pub not_kept: Count,
    /// Intervals that say themselves that they break laws.
    pub admitted_breaches: Count,
    /// Answered with 429, and with 503.
    pub slow_down: Count,
    pub busy: Count,
    /// Of batches that came whole.
    pub bytes: Count,
    pub panics: Count,
    pub latencies: Times,
    /// Of the page for people, whose server has them, too.
    pub page: Arc<web::Counters>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            connections: Count::default(),
            handshakes: Count::default(),
            handshakes_failed: Count::many(Failure::ALL.len()),
            stored: Count::default(),
            already: Count::default(),
            refused: Count::many(Word::ALL.len()),
            kept_aside: Count::default(),
            not_kept: Count::default(),
            admitted_breaches: Count::default(),
            slow_down: Count::default(),
            busy: Count::default(),
            bytes: Count::default(),
            panics: Count::default(),
            latencies: Times::new(BOUNDS),
            page: Arc::default(),
        }
    }
}

impl Counters {
    /// Counts an answer to a request with a batch.
    pub fn answered(&self, status: u16, took: Duration) {
        match status {
            429 => self.slow_down.add(1),
            503 => self.busy.add(1),
            _ => {}
        }
        self.latencies.add(took);
    }

    /// How many handshakes failed for a reason.
    #[must_use]
    pub fn handshakes_failed(&self, reason: &str) -> u64 {
        let of_reason = Failure::ALL.iter().zip(&self.handshakes_failed);
        of_reason.filter(|(failure, _)| failure.name() == reason).map(|(_, count)| count.get()).sum()
    }

    /// The text format of Prometheus, version 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        let mut families = Families::default();
        let labelled =
            |label: &'static str, name: &'static str, count: &Count| (vec![(label, name)], count.get());
        families.counter("connections_total", "Connections that were accepted.", &self.connections);
        families.counter(
            "handshakes_total",
            "Connections whose sensor showed a certificate.",
            &self.handshakes,
        );
        let failed = Failure::ALL.iter().zip(&self.handshakes_failed);
        families.counters(
            "handshakes_failed_total",
            "Connections that ended before that, by reason.",
            failed.map(|(failure, count)| labelled("reason", failure.name(), count)),
        );
        families.counter("batches_stored_total", "Batches that were stored.", &self.stored);
        families.counter("batches_already_total", "Batches that had been stored before.", &self.already);
        let refused = Word::ALL.iter().zip(&self.refused);
        families.counters(
            "batches_refused_total",
            "Batches that were refused, by word.",
            refused.map(|(word, count)| labelled("word", word.name(), count)),
        );
        families.counter(
            "batches_aside_total",
            "Refused batches that were kept for a person.",
            &self.kept_aside,
        );
        families.counter("batches_lost_total", "Refused batches that there was no room for.", &self.not_kept);
        families.counter(
            "intervals_breached_total",
            "Batches whose sensor says that laws of conservation are broken.",
            &self.admitted_breaches,
        );
        families.counter("slow_down_total", "Requests answered with 429.", &self.slow_down);
        families.counter("busy_total", "Requests answered with 503.", &self.busy);
        families.counter("batch_bytes_total", "Bytes of batches that came whole.", &self.bytes);
        families.counter("panics_total", "Requests that met a bug.", &self.panics);
        families.times(
            "answer_seconds",
            "From a request's header to its answer.",
            [(Vec::new(), &self.latencies)],
        );
        self.page.write(&mut families);
        families.text()
    }
}

/// Answers who asks for them, until it is told to end.
pub async fn serve(listener: TcpListener, counters: Arc<Counters>, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(16));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let counters = Arc::clone(&counters);
        let service = service_fn(move |request: Request<Incoming>| {
            let response = answer(&request, &counters);
            async { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _peer_gave_up = tokio::time::timeout(Duration::from_secs(20), connection).await;
            drop(place);
        });
    }
}

fn answer(request: &Request<Incoming>, counters: &Counters) -> Response<Full<Bytes>> {
    let (status, text) = match request.uri().path() {
        "/metrics" => (StatusCode::OK, counters.text()),
        _ => (StatusCode::NOT_FOUND, "metrics are at /metrics\n".into()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = axum::http::HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_metric_has_a_kind_a_unit_and_words_and_is_there_once() {
        let text = Counters::default().text();
        let mut names = BTreeSet::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let help = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("no help before {line}"));
            let (name, words) = help.split_once(' ').unwrap();
            assert!(name.starts_with("apus_collector_") && names.insert(name), "{name}");
            assert!(words.ends_with('.') && words.starts_with(char::is_uppercase), "{words}");
            let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).unwrap();
            let kind = kind.strip_prefix(name).unwrap().trim();
            match kind {
                "counter" => assert!(name.ends_with("_total"), "{name}"),
                "histogram" => assert!(name.ends_with("_seconds"), "{name}"),
                "gauge" => assert!(!name.ends_with("_total") && !name.ends_with("_seconds"), "{name}"),
                _ => panic!("{kind}"),
            }
            while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
                let (labelled, value) = sample.rsplit_once(' ').unwrap();
                let of = labelled.split('{').next().unwrap();
                let rest = of.strip_prefix(name).unwrap_or_else(|| panic!("{sample} in {name}"));
                assert!(rest.is_empty() || kind == "histogram", "{sample}");
                assert!(value.parse::<f64>().is_ok(), "{sample}");
            }
        }
        let documented = include_str!("../../../docs/collector.md");
        for name in names {
            let short = name.strip_prefix("apus_collector_").unwrap();
            assert!(documented.contains(&format!("| `{short}` |")), "{short} is not in docs/collector.md");
        }
    }
}
