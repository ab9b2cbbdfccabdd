//! A body, as it comes.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout, timeout_at};

/// Why a body has not come whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    #[error("the batch came too slowly: {received} of {length} bytes in {seconds} s")]
    Slow { received: u64, length: u64, seconds: u64 },
    #[error("the connection ended after {received} of {length} bytes")]
    Ended { received: u64, length: u64 },
}

/// How slowly a body may come.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Without a byte, and on top of what the rate allows.
    pub pause: Duration,
    /// Bytes a second.
    pub rate: u64,
}

/// Reads a body of this length. At any time, what has come has come at the least rate or faster.
pub async fn read(mut body: Body, length: u64, pace: Pace) -> Result<Bytes, UploadError> {
    let begin = Instant::now();
    // The caller has taken room for it; the system gives it page by page.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    loop {
        let received = bytes.len() as u64;
        let earned = Duration::from_secs(received / pace.rate.max(1));
        let deadline = (begin + pace.pause + earned).min(Instant::now() + pace.pause);
        match timeout_at(deadline, body.frame()).await {
            Err(_) => {
                return Err(UploadError::Slow { received, length, seconds: begin.elapsed().as_secs() });
            }
            Ok(None) if received == length => return Ok(Bytes::from(bytes)),
            Ok(None | Some(Err(_))) => return Err(UploadError::Ended { received, length }),
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                if received + data.len() as u64 > length {
                    return Err(UploadError::Ended { received, length });
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

/// Reads on, for a moment, a body that nobody wants: who is still sending may not look for the answer yet.
pub async fn discard(mut body: Body) {
    const MOST: usize = 8 << 20;
    let reading = async {
        let mut discarded = 0;
        while discarded < MOST {
            match body.frame().await {
                Some(Ok(frame)) => discarded += frame.data_ref().map_or(0, Bytes::len),
                _ => return,
            }
        }
    };
    // Whether it came to its end or not, it is answered.
    let _ended = timeout(Duration::from_secs(2), reading).await;
}
