//! The layer around every call to the APIs: applies faults, and writes the log.

use super::auth;
use super::capture::Unrecorded;
use super::explain;
use super::fault;
use super::request::buffered;
use super::response::{ApiError, split};
use crate::app::App;
use crate::clock::{self, Stopwatch};
use crate::faults::FaultKind;
use crate::log::exchange::{BodySlot, Exchange, IntendedBody, MASK};
use crate::log::{Effect, Ending, LogEntry, Logged};
use crate::operations;
use crate::recording::{RecordedToken, pending};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// Attached to a request of a replay: the fault that the recorded call had, or None. The rules
/// count the call, but do not apply.
#[derive(Clone)]
pub(crate) struct ReplayedFault(pub(crate) Option<FaultKind>);

/// Answers a call to an API, applies its fault, and logs it.
pub(crate) async fn run(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let stopwatch = Stopwatch::start();
    let operation = operations::route(&request).map(|route| route.id);
    let mut entry = LogEntry::new(request.method(), request.uri(), operation);
    let secret = mask_token(&app, &mut entry.path);
    let credentials = credentials(&app, request.headers());
    let exchange = Exchange::begin(clock::machine(), request.headers(), credentials);
    let slot = BodySlot::default();
    request.extensions_mut().insert(slot.clone());
    let chosen = match request.extensions_mut().remove::<Unrecorded>() {
        Some(unrecorded) => Err(unrecorded.into()),
        None => choose_fault(&app, operation, request).await,
    };
    let mut pending = PendingEntry { entry, exchange, slot, stopwatch, secret };
    let (request, fault) = match chosen {
        Ok(chosen) => chosen,
        Err(error) => return pending.end(&app, error.into_response(), true).await,
    };
    let Some(fault) = fault else {
        let response = next.run(request).await;
        return pending.end(&app, response, true).await;
    };
    pending.entry.fault = Some(fault.name());
    pending::note_fault(&fault);
    // Boxed, so that calls without a fault do not carry the size of this future.
    Box::pin(run_with_fault(app, pending, request, fault, next)).await
}

/// Chooses the fault of a call. Reads the body only if a rule needs it.
async fn choose_fault(
    app: &App,
    operation: Option<&str>,
    mut request: Request,
) -> Result<(Request, Option<FaultKind>), ApiError> {
    let replayed = request.extensions_mut().remove::<ReplayedFault>();
    let path = request.uri().path().to_owned();
    let chosen = if app.faults.compares_body(operation, &path) {
        let (read, bytes) = buffered(request, app.config.read_timeout).await?;
        request = read;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        let workspace = app.store().workspace().clone();
        app.faults.apply(operation, &path, Some((&body, &workspace)))
    } else {
        app.faults.apply(operation, &path, None)
    };
    Ok(match replayed {
        Some(ReplayedFault(fault)) => (request, fault),
        None => (request, chosen),
    })
}

async fn run_with_fault(
    app: App,
    mut pending: PendingEntry,
    request: Request,
    fault: FaultKind,
    next: Next,
) -> Response {
    let mut request = match buffered(request, app.config.read_timeout).await {
        Ok((request, _)) => request,
        Err(error) => return pending.end(&app, error.into_response(), true).await,
    };
    if fault == FaultKind::Hang {
        pending.keep_body();
        // Logged now, since the client may disconnect at any time, which drops this future.
        let ending = Ending { status: 0, ms: None, exchange: pending.exchange };
        app.log.append(pending.entry, Effect::default(), Some(ending));
        app.log.closed().await;
        return fault::run(fault, request, next).await;
    }
    request.extensions_mut().insert(fault.clone());
    if let FaultKind::LatencyMs(millis) = fault {
        let delay = Duration::from_millis(millis);
        return answer_late(app, pending, delay, request, next).await;
    }
    let is_answered = !fault.is_reset();
    let response = fault::run(fault, request, next).await;
    pending.end(&app, response, is_answered).await
}

/// Answers a call after a delay. A server does not notice when a client disconnects, so the call
/// takes effect anyway, unless a reset has replaced the state that the call was meant for.
async fn answer_late(
    app: App,
    pending: PendingEntry,
    delay: Duration,
    request: Request,
    next: Next,
) -> Response {
    // Dropped with this future if the client disconnects.
    let client = Arc::new(());
    let connection = Arc::downgrade(&client);
    let late = async move {
        let resets = *app.resets.borrow();
        clock::wait_until(clock::after(delay)).await;
        let is_disconnected = || connection.strong_count() == 0;
        if is_disconnected() && *app.resets.borrow() != resets {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let response = next.run(request).await;
        let is_answered = !is_disconnected();
        pending.end(&app, response, is_answered).await
    };
    let response = pending::spawn(late).await;
    drop(client);
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The log entry of a call that is being answered.
struct PendingEntry {
    entry: LogEntry,
    exchange: Exchange,
    slot: BodySlot,
    stopwatch: Stopwatch,
    /// A token that the path has in place of the enterprise ID. The answer may repeat it.
    secret: Option<String>,
}

impl PendingEntry {
    /// Copies the body to the entry, without passwords.
    fn keep_body(&mut self) {
        let request = &mut self.exchange.request;
        request.body = self.slot.body();
        // A body with an unknown operation may be that of a team member too.
        if matches!(self.entry.operation.as_deref(), None | Some("createTeamMember")) {
            request.mask_passwords();
        }
    }

    /// Writes the entry, and returns the answer.
    async fn end(mut self, app: &App, response: Response, is_answered: bool) -> Response {
        self.keep_body();
        let mut response = acknowledged(app, response);
        let mut status = 0;
        if is_answered {
            let (whole, body) = with_body(response).await;
            let masked = self.secret.as_ref().map(|secret| {
                let body = String::from_utf8_lossy(&body);
                body.replace(secret, MASK).into()
            });
            self.exchange.answered(whole.headers(), masked.as_ref().unwrap_or(&body));
            status = whole.status().as_u16();
            response = whole;
        }
        let logged = response.extensions_mut().remove::<Logged>();
        let effect = response.extensions_mut().remove::<Effect>();
        let ending =
            Ending { status, ms: Some(millis(self.stopwatch.elapsed())), exchange: self.exchange };
        let seq = match logged {
            Some(Logged(seq)) => {
                app.log.end(seq, ending);
                seq
            }
            None => {
                let mut effect = effect.unwrap_or_default();
                effect.findings.extend(self.slot.repeated());
                app.log.append(self.entry, effect, Some(ending))
            }
        };
        if app.recorder.is_some() && is_answered {
            response.extensions_mut().insert(Logged(seq));
        }
        response
    }
}

/// Replaces an answer by an error as long as the state file lacks a change.
pub(crate) fn acknowledged(app: &App, response: Response) -> Response {
    let Some(failure) = app.shared_store.failure() else {
        return response;
    };
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "STATE_NOT_KEPT", failure).into_response()
}

/// Masks a token in a path, and returns it.
fn mask_token(app: &App, path: &mut String) -> Option<String> {
    let token = path.split('/').find(|part| explain::is_token(&app.config, part))?.to_owned();
    *path = path.replace(&token, MASK);
    Some(token.replace("%3A", ":"))
}

/// Milliseconds, rounded to microseconds.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Returns an answer with its whole body. If a fault breaks the body, it is the one without the
/// fault.
async fn with_body(mut response: Response) -> (Response, Bytes) {
    if let Some(IntendedBody(body)) = response.extensions_mut().remove::<IntendedBody>() {
        return (response, body);
    }
    let (parts, body) = split(response).await;
    (Response::from_parts(parts, body.clone().into()), body)
}

/// Describes the token of a request for the log, which never has tokens.
fn credentials(app: &App, headers: &HeaderMap) -> &'static str {
    match auth::token(&app.config, headers) {
        Some(RecordedToken::Sync(_)) => "Bearer … (a Sync token)",
        Some(RecordedToken::Async(_)) => "Bearer … (an Async token)",
        Some(RecordedToken::Unknown) | None => "… (no token of this emulator)",
    }
}
