//! Records calls.

use super::auth;
use super::origin::OWN;
use super::request::{BODY_LIMIT, too_large, too_slow};
use super::response::{ApiError, split};
use crate::app::App;
use crate::clock;
use crate::log::Logged;
use crate::operations::SYNC_BASE;
use crate::recording::pending::PendingCall;
use crate::recording::recorder::Recorder;
use crate::recording::{RecordedAnswer, RecordedBody, RecordedCall, RecordingError};
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Attached to a request that must fail, because the recording lacks what happened before it.
#[derive(Clone)]
pub(super) struct Unrecorded(RecordingError);

impl From<Unrecorded> for ApiError {
    fn from(Unrecorded(error): Unrecorded) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "RECORDING_NOT_KEPT", error)
    }
}

/// Answers a request, and records the call.
pub(crate) async fn run(
    app: &App,
    recorder: &Arc<Recorder>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if !is_recorded(request.method(), path) {
        return next.run(request).await;
    }
    if let Err(error) = recorder.flush() {
        let unrecorded = Unrecorded(error);
        if own_endpoint(path).is_some() {
            return ApiError::from(unrecorded).into_response();
        }
        // The next layer logs the call, and refuses it.
        request.extensions_mut().insert(unrecorded);
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match clock::within(app.config.read_timeout, to_bytes(body, BODY_LIMIT)).await {
        Some(Ok(body)) => body,
        // A call without its body has no effect, so the recording does not need it.
        Some(Err(_)) => return too_large().into_response(),
        None => return too_slow().into_response(),
    };
    let shared = Arc::clone(&app.shared);
    let take_turn = move || {
        let store = &shared.shared_store;
        (store.take_turn(), store.now())
    };
    let call = recorded_call(app, &parts, &body);
    let pending = PendingCall::new(Arc::clone(recorder), call, take_turn);
    let request = Request::from_parts(parts, body.into());
    let mut response = pending.run(next.run(request)).await;
    let recorded = if pending.has_broken_answer() {
        pending.finish(None)
    } else {
        let (parts, body) = split(response).await;
        let answer = RecordedAnswer::new(parts.status, &parts.headers, &body);
        response = Response::from_parts(parts, body.into());
        pending.finish(Some(answer))
    };
    match recorded {
        Ok(()) => response,
        Err(error) => {
            let logged = response.extensions().get().copied();
            not_recorded(app, logged, error).await
        }
    }
}

/// Replaces the answer of a call that could not be recorded, also in the log.
async fn not_recorded(app: &App, logged: Option<Logged>, error: RecordingError) -> Response {
    let refusal = ApiError::from(Unrecorded(error)).into_response();
    let (parts, body) = split(refusal).await;
    if let Some(Logged(seq)) = logged {
        app.log.amend(seq, parts.status, &parts.headers, &body);
    }
    Response::from_parts(parts, body.into())
}

fn recorded_call(app: &App, parts: &Parts, body: &[u8]) -> RecordedCall {
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    RecordedCall {
        method: parts.method.to_string(),
        path: path.to_owned(),
        token: auth::token(&app.config, &parts.headers),
        content_type: content_type.map(str::to_owned),
        body: RecordedBody::without_passwords(parts.uri.path(), body),
        fault: None,
        answer: None,
    }
}

/// The rest of a path of the emulator's own endpoints.
fn own_endpoint(path: &str) -> Option<&str> {
    path.strip_prefix(OWN)?.strip_prefix('/')
}

/// Whether a recording needs this call: every call to the APIs, and every own endpoint that changes
/// something. Calls that set the clock are left out, since the recording has the time of each call.
fn is_recorded(method: &Method, path: &str) -> bool {
    if let Some(own) = own_endpoint(path) {
        return !method.is_safe() && !["settle", "clock"].contains(&own);
    }
    [SYNC_BASE, "/enterprise/", "/v2/enterprise/"].iter().any(|base| path.starts_with(base))
}
