//! What has happened, counted, for this host alone to read.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
use crate::validate::Word;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the times in which requests are answered, in milliseconds.
const BOUNDS: [u64; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000];

/// Times in which requests were answered.
#[derive(Debug, Default)]
pub struct Latencies {
    /// The last is of all that took longer.
    buckets: [Count; BOUNDS.len() + 1],
    microseconds: Count,
}

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
    pub latencies: Latencies,
}

impl Default for Counters {
    fn default() -> Self {
        let counts = |length: usize| std::iter::repeat_with(Count::default).take(length).collect();
        Self {
            connections: Count::default(),
            handshakes: Count::default(),
            handshakes_failed: counts(Failure::ALL.len()),
            stored: Count::default(),
            already: Count::default(),
            refused: counts(Word::ALL.len()),
            kept_aside: Count::default(),
            not_kept: Count::default(),
            admitted_breaches: Count::default(),
            slow_down: Count::default(),
            busy: Count::default(),
            bytes: Count::default(),
            panics: Count::default(),
            latencies: Latencies::default(),
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
        let milliseconds = took.as_millis();
        let place = BOUNDS.iter().position(|bound| milliseconds <= u128::from(*bound));
        self.latencies.buckets[place.unwrap_or(BOUNDS.len())].add(1);
        self.latencies.microseconds.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
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
        let mut text = String::new();
        let mut family = |name: &str, help: &str, samples: &[(String, u64)]| {
            let name = format!("apus_collector_{name}");
            let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
            for (label, value) in samples {
                let _infallible = writeln!(text, "{name}{label} {value}");
            }
        };
        let one = |count: &Count| vec![(String::new(), count.get())];
        let labelled =
            |label: &str, name: &str, count: &Count| (format!("{{{label}=\"{name}\"}}"), count.get());
        family("connections_total", "Connections that were accepted.", &one(&self.connections));
        family("handshakes_total", "Connections whose sensor showed a certificate.", &one(&self.handshakes));
        let failed: Vec<_> = Failure::ALL
            .iter()
            .zip(&self.handshakes_failed)
            .map(|(failure, count)| labelled("reason", failure.name(), count))
            .collect();
        family("handshakes_failed_total", "Connections that ended before that, by reason.", &failed);
        family("batches_stored_total", "Batches that were stored.", &one(&self.stored));
        family("batches_already_total", "Batches that had been stored before.", &one(&self.already));
        let refused: Vec<_> = Word::ALL
            .iter()
            .zip(&self.refused)
            .map(|(word, count)| labelled("word", word.name(), count))
            .collect();
        family("batches_refused_total", "Batches that were refused, by word.", &refused);
        family("batches_aside_total", "Refused batches that were kept for a person.", &one(&self.kept_aside));
        family("batches_lost_total", "Refused batches that there was no room for.", &one(&self.not_kept));
        family(
            "intervals_breached_total",
            "Batches whose sensor says that laws of conservation are broken.",
            &one(&self.admitted_breaches),
        );
        family("slow_down_total", "Requests answered with 429.", &one(&self.slow_down));
        family("busy_total", "Requests answered with 503.", &one(&self.busy));
        family("batch_bytes_total", "Bytes of batches that came whole.", &one(&self.bytes));
        family("panics_total", "Requests that met a bug.", &one(&self.panics));
        self.latencies.write(&mut text);
        text
    }
}

impl Latencies {
    fn write(&self, text: &mut String) {
        let name = "apus_collector_answer_seconds";
        let _infallible =
            writeln!(text, "# HELP {name} From a request's header to its answer.\n# TYPE {name} histogram");
        let mut sum = 0;
        for (count, bound) in self.buckets.iter().zip(BOUNDS) {
            sum += count.get();
            let (whole, thousandths) = (bound / 1000, bound % 1000);
            let _infallible = writeln!(text, "{name}_bucket{{le=\"{whole}.{thousandths:03}\"}} {sum}");
        }
        sum += self.buckets[BOUNDS.len()].get();
        let microseconds = self.microseconds.get();
        let (whole, millionths) = (microseconds / 1_000_000, microseconds % 1_000_000);
        let _infallible = writeln!(
            text,
            "{name}_bucket{{le=\"+Inf\"}} {sum}\n{name}_sum {whole}.{millionths:06}\n{name}_count {sum}"
        );
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
