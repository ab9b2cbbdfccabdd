//! Answers, in JSON, with words that programs may rely on.

use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use wire::Name;

/// What a sensor is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Body {
    Stored {
        answer: &'static str,
        already: bool,
        sensor: String,
        epoch: u64,
        first: u64,
        last: u64,
    },
    Not {
        answer: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        word: Option<&'static str>,
        reason: String,
    },
}

impl Answer {
    /// The interval is safe on disk.
    pub fn stored(sensor: &str, name: Name, already: bool) -> Self {
        let Name { epoch, first, last } = name;
        let sensor = sensor.to_owned();
        let body = Body::Stored { answer: "stored", already, sensor, epoch, first, last };
        Self { status: StatusCode::OK, retry_after: None, body }
    }

    /// It is not, and the same again will not be.
    pub fn refused(status: StatusCode, word: &'static str, reason: String) -> Self {
        Self { status, retry_after: None, body: Body::Not { answer: "refused", word: Some(word), reason } }
    }

    /// The request cannot be followed.
    pub fn failed(status: StatusCode, answer: &'static str, reason: impl Into<String>) -> Self {
        Self { status, retry_after: None, body: Body::Not { answer, word: None, reason: reason.into() } }
    }

    /// It can be stored later.
    pub fn later(
        status: StatusCode,
        answer: &'static str,
        reason: impl Into<String>,
        after: Duration,
    ) -> Self {
        Self { retry_after: Some(after), ..Self::failed(status, answer, reason) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(after) = self.retry_after {
            // Whole seconds, and never at once.
            let seconds = (after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
