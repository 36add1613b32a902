//! `/_emulator/faults`: the rules that make calls fail.

use crate::app::App;
use crate::faults::Fault;
use crate::http::{ApiError, JsonBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

/// Lists the rules, each with its ID and the number of calls that matched it.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "faults": app.faults.to_json() }))
}

/// Adds one rule or a list of rules. If one is invalid, none is added.
pub(super) async fn add(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let faults = Fault::list(body).map_err(ApiError::bad_request)?;
    app.faults.add(faults).map_err(ApiError::bad_request)?;
    Ok((StatusCode::CREATED, list(State(app)).await))
}

/// Removes all rules.
pub(super) async fn clear(State(app): State<App>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

/// Removes the rule with this ID.
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if id.parse().is_ok_and(|id| app.faults.remove(id)) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::missing(format_args!("There is no fault {id}")))
}
