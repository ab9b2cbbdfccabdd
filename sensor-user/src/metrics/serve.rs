//! Metrics for whoever asks, over HTTP.
//!
//! Whoever can reach the address may connect as often as he likes and say nothing. So connections are few, short, and
//! for one request each: open files are the spool's to need.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::prometheus;

/// The most of a request's head that is read.
const LONGEST_HEAD: usize = 16 << 10;
/// How long no connection is taken after one could not be.
const PAUSE: Duration = Duration::from_secs(1);

/// What connections may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So many are open at a time: for one more, the oldest is cut. An honest one has its answer long before.
    pub connections: usize,
    /// For the head of the request.
    pub head: Duration,
    /// For all of it, the answer included.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 16, head: Duration::from_secs(10), whole: Duration::from_secs(30) }
    }
}

/// Serves `/metrics`, and nothing else.
pub async fn run(listener: TcpListener, board: Board, limits: Limits) {
    let router = Router::new().route("/metrics", get(metrics)).with_state(board);
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // It was gone before it was taken, or there is no room for it, which may come back.
            sleep(PAUSE).await;
            continue;
        };
        open.retain(|connection| !connection.is_finished());
        while open.len() >= limits.connections.max(1) {
            open.pop_front().iter().for_each(AbortHandle::abort);
        }
        open.push_back(tokio::spawn(serve(stream, router.clone(), limits)).abort_handle());
    }
}

async fn serve(stream: TcpStream, router: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // However it ended, there is nobody to tell.
    let _ended = timeout(limits.whole, connection).await;
}

async fn metrics(State(board): State<Board>) -> impl IntoResponse {
    ([(CONTENT_TYPE, prometheus::CONTENT_TYPE)], prometheus::encode(&board.collect()))
}

#[cfg(test)]
mod tests;
