//! What can be asked for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::answer::Answer;
use super::ingest::Shared;
use super::peer::Peer;

/// The collector's paths.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/batches", post(batches))
        .route("/v1/health", get(health))
        .fallback(async || Answer::failed(StatusCode::NOT_FOUND, "not_found", "there is nothing here"))
        .method_not_allowed_fallback(async || {
            Answer::failed(StatusCode::METHOD_NOT_ALLOWED, "method", "batches are posted to /v1/batches")
        })
        .with_state(shared)
}

async fn batches(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    shared.take(&peer, &headers, body).await
}

/// Whether it lives; whether it can store is another question.
async fn health() -> Json<Value> {
    Json(json!({ "answer": "alive" }))
}
