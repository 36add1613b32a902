//! The emulator's own endpoints below `/_emulator`, and the OpenAPI descriptions.

mod clock;
mod faults;
mod openapi;
mod profile;

use crate::app::App;
use crate::http::{ApiError, DiscardedBody, JsonBody, Params};
use crate::store::BuiltInEntry;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

pub(crate) fn router() -> Router<App> {
    let faults = get(faults::list).post(faults::add).delete(faults::clear);
    let profile = get(profile::get).put(profile::set).patch(profile::change);
    Router::new()
        .route("/_emulator/health", get(health))
        .route("/_emulator/log", get(log))
        .route("/_emulator/settle", post(wait_idle))
        .route("/_emulator/reset", post(reset))
        .route("/_emulator/snapshot", post(snapshot))
        .route("/_emulator/restore", post(restore))
        .route("/_emulator/clock", get(clock::get).post(clock::set))
        .route("/_emulator/profile", profile)
        .route("/_emulator/faults", faults)
        .route("/_emulator/faults/{id}", delete(faults::remove))
        .route("/_emulator/leads/{lead}/timeline", post(add_timeline_entry))
        .route("/openapi/sync.yaml", get(openapi::sync))
        .route("/openapi/async.yaml", get(openapi::async_))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /_emulator/log?since=N`: the calls after number N.
async fn log(State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    let since = match params.get("since").map(str::parse) {
        None => 0,
        Some(Ok(since)) => since,
        Some(Err(_)) => return Err(ApiError::bad_request("since should be the seq of an entry")),
    };
    Ok(Json(json!({ "entries": app.log.since(since) })))
}

/// `POST /_emulator/settle`: answers once all queued leads are processed.
async fn wait_idle(State(app): State<App>, _: DiscardedBody) -> StatusCode {
    app.queue.wait_idle().await;
    StatusCode::NO_CONTENT
}

/// `POST /_emulator/reset`: returns to the seed.
async fn reset(State(app): State<App>, _: DiscardedBody) -> StatusCode {
    app.reset();
    StatusCode::NO_CONTENT
}

/// `POST /_emulator/snapshot`: saves the state, and answers with its number.
async fn snapshot(State(app): State<App>, _: DiscardedBody) -> (StatusCode, Json<Value>) {
    let number = app.snapshot();
    (StatusCode::CREATED, Json(json!({ "snapshot": number })))
}

/// `POST /_emulator/restore?snapshot=N`: returns to a saved state.
async fn restore(
    State(app): State<App>,
    params: Params,
    _: DiscardedBody,
) -> Result<StatusCode, ApiError> {
    let number = params.get("snapshot").and_then(|text| text.parse().ok());
    let number = number.ok_or_else(|| ApiError::bad_request("snapshot should be a number"))?;
    if app.restore(number) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::missing(format_args!("There is no snapshot {number}")))
}

/// `POST /_emulator/leads/{lead}/timeline`: adds an entry that only telecrm itself can create, such
/// as a call: `{"type","employeeid",…}`.
async fn add_timeline_entry(
    State(app): State<App>,
    Path(lead): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let entry = BuiltInEntry::from_json(body).map_err(ApiError::bad_request)?;
    match app.store().append_built_in(&lead, entry) {
        Some(id) => Ok((StatusCode::CREATED, Json(json!({ "id": id })))),
        None => Err(ApiError::lead_not_found(&lead)),
    }
}
