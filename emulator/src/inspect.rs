//! What only the emulator has: health, log, settle, reset, and the descriptions of both APIs.

use crate::App;
use crate::answer::{ApiError, Params};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

const SYNC: Description = Description {
    overlaid: include_str!("../openapi/sync.yaml"),
    vendored: include_str!("../openapi/sync.vendored.yaml"),
};

const ASYNC: Description = Description {
    overlaid: include_str!("../openapi/async.yaml"),
    vendored: include_str!("../openapi/async.vendored.yaml"),
};

/// The OpenAPI description of one API.
struct Description {
    overlaid: &'static str,
    vendored: &'static str,
}

pub(crate) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The calls after number `since`.
pub(crate) async fn log(State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    let since = match params.get("since").map(str::parse) {
        None => 0,
        Some(Ok(since)) => since,
        Some(Err(_)) => return Err(ApiError::bad_request("since should be the seq of an entry")),
    };
    Ok(Json(json!({ "entries": app.log.since(since) })))
}

/// Answers once all leads queued before are applied.
pub(crate) async fn settle(State(app): State<App>) -> StatusCode {
    app.queue.settle().await;
    StatusCode::NO_CONTENT
}

/// Goes back to the seed.
pub(crate) async fn reset(State(app): State<App>) -> StatusCode {
    app.reset();
    StatusCode::NO_CONTENT
}

pub(crate) async fn sync_description(params: Params) -> Result<impl IntoResponse, ApiError> {
    SYNC.answer(&params)
}

pub(crate) async fn async_description(params: Params) -> Result<impl IntoResponse, ApiError> {
    ASYNC.answer(&params)
}

impl Description {
    fn answer(&self, params: &Params) -> Result<impl IntoResponse + use<>, ApiError> {
        let text = match params.get("stage") {
            None | Some("overlaid") => self.overlaid,
            Some("vendored") => self.vendored,
            Some(_) => {
                return Err(ApiError::bad_request(
                    "stage should be overlaid or vendored",
                ));
            }
        };
        Ok(([(header::CONTENT_TYPE, "application/yaml")], text))
    }
}
