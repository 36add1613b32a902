//! Applies a fault to the answer of a call.

use super::connection::ResetHandle;
use super::response::split;
use crate::faults::{FaultKind, FaultyAnswer};
use crate::log::exchange::IntendedBody;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Answers a call with this fault.
pub(super) async fn run(fault: FaultKind, request: Request, next: Next) -> Response {
    let reset = request.extensions().get::<ResetHandle>().cloned();
    match fault {
        FaultKind::Answer(answer) => wrong_answer(&answer, request, next).await,
        FaultKind::ContentType(value) => {
            let mut response = next.run(request).await;
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            response
        }
        // A call without an answer ends when the emulator stops.
        FaultKind::Hang | FaultKind::ResetBefore => reset_connection(reset),
        FaultKind::ResetAfter => {
            let right = next.run(request).await;
            let mut response = reset_connection(reset);
            *response.extensions_mut() = right.into_parts().0.extensions;
            response
        }
        FaultKind::Truncated => broken(next.run(request).await, End::Missing).await,
        FaultKind::Endless => broken(next.run(request).await, End::Blanks).await,
        FaultKind::LatencyMs(_)
        | FaultKind::ProcessLaterMs(_)
        | FaultKind::ProcessNever
        | FaultKind::ProcessTwice
        | FaultKind::ProcessAfterNext => next.run(request).await,
    }
}

/// The client of a reset connection never sees this answer.
fn reset_connection(reset: Option<ResetHandle>) -> Response {
    if let Some(reset) = reset {
        reset.reset();
    }
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

async fn wrong_answer(answer: &FaultyAnswer, request: Request, next: Next) -> Response {
    let right = if answer.after_commit { Some(next.run(request).await) } else { None };
    let Ok(mut wrong) = answer.response() else {
        // Adding the rule has checked the answer.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(right) = right {
        *wrong.extensions_mut() = right.into_parts().0.extensions;
    }
    wrong
}

/// Replaces the end of an answer.
async fn broken(response: Response, end: End) -> Response {
    let (mut parts, whole) = split(response).await;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.extensions.insert(IntendedBody(whole.clone()));
    let length = whole.len();
    let start = match end {
        End::Missing => whole.slice(..length / 2),
        End::Blanks => whole,
    };
    let body = BrokenBody { start: Some(start), is_flushed: false, length: length as u64, end };
    Response::from_parts(parts, Body::new(body))
}

/// A body with a wrong end.
struct BrokenBody {
    start: Option<Bytes>,
    is_flushed: bool,
    /// The length of the right body.
    length: u64,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Missing,
    Blanks,
}

impl HttpBody for BrokenBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        const BLANKS: &[u8] = &[b' '; 8192];
        if self.start.is_none() && !self.is_flushed {
            // Lets hyper write the start, which would otherwise be lost with the connection.
            self.is_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = match (self.start.take(), self.end) {
            (Some(start), _) => Ok(Frame::data(start)),
            (None, End::Missing) => Err(io::ErrorKind::ConnectionAborted.into()),
            (None, End::Blanks) => Ok(Frame::data(Bytes::from_static(BLANKS))),
        };
        Poll::Ready(Some(frame))
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Missing => SizeHint::with_exact(self.length),
            End::Blanks => SizeHint::new(),
        }
    }
}
