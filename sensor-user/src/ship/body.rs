//! The parts of a batch as one body, none of them copied.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// What is handed over at once, so that a slow connection buffers little of it.
const CHUNK: usize = 64 << 10;

/// A body of parts, one after the other.
#[derive(Debug)]
pub struct Parts {
    /// In reverse order.
    parts: Vec<Bytes>,
    left: u64,
}

impl Parts {
    #[must_use]
    pub fn new(mut parts: Vec<Bytes>) -> Self {
        parts.retain(|part| !part.is_empty());
        parts.reverse();
        let left = parts.iter().map(|part| part.len() as u64).sum();
        Self { parts, left }
    }

    /// Bytes that are left of it.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(part) = self.parts.last_mut() else {
            return Poll::Ready(None);
        };
        let chunk = part.split_to(part.len().min(CHUNK));
        if part.is_empty() {
            self.parts.pop();
        }
        self.left -= chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
