//! One attempt: a batch is sent, and an answer comes back or does not.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Body, Client, Response, Url};
use wire::Name;

use super::answer::{self, Verdict};
use super::body::Parts;
use super::failure::Failure;
use super::label::Label;
use crate::attach::unix_nanoseconds;

/// When the batch was sent, nanoseconds since the Unix epoch by the sensor's clock: the collector tells from it how
/// wrong that is.
const SENT: &str = "Apus-Sent";

/// What is to be sent, and where to.
pub struct Attempt {
    pub name: Name,
    pub parts: Vec<Bytes>,
    pub label: Option<Label>,
    pub endpoint: usize,
    pub url: Url,
    pub longest: Duration,
}

/// What became of it.
pub struct Outcome {
    pub name: Name,
    pub label: Option<Label>,
    pub endpoint: usize,
    pub bytes: u64,
    pub begun: Instant,
    pub verdict: Verdict,
}

impl Attempt {
    /// Sends it and waits for the answer, for as long as it may take.
    pub async fn make(self, client: Client) -> Outcome {
        let Self { name, parts, label, endpoint, url, longest } = self;
        let begun = Instant::now();
        let parts = Parts::new(parts);
        let bytes = parts.left();
        let request = client
            .post(url)
            .header(CONTENT_TYPE, wire::CONTENT_TYPE)
            .header(SENT, unix_nanoseconds())
            .timeout(longest)
            .body(Body::wrap(parts));
        let answered = match request.send().await {
            Ok(response) => judge(response, &name, label.as_ref()).await,
            Err(error) => Err(error),
        };
        let verdict = answered.unwrap_or_else(|error| Verdict::Failed(Failure::of(&error)));
        Outcome { name, label, endpoint, bytes, begun, verdict }
    }
}

async fn judge(
    mut response: Response,
    name: &Name,
    label: Option<&Label>,
) -> Result<Verdict, reqwest::Error> {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > answer::LONGEST {
            // No answer is as long: cut, it is judged for what it is not.
            body.truncate(answer::LONGEST);
            break;
        }
    }
    Ok(answer::judge(status, retry_after.as_deref(), &body, name, label))
}
