//! Metrics for whoever asks, over HTTP.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::board::Board;
use super::prometheus;

/// What is served: `/metrics`, and nothing else.
pub fn router(board: Board) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(board)
}

async fn metrics(State(board): State<Board>) -> impl IntoResponse {
    ([(CONTENT_TYPE, prometheus::CONTENT_TYPE)], prometheus::encode(&board.collect()))
}
