//! `/_emulator/clock`: the time in the workspace.

use crate::app::App;
use crate::clock::ClockState;
use crate::http::{ApiError, JsonBody};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// Answers with the time, and whether the clock is paused.
pub(super) async fn get(State(app): State<App>) -> Json<Value> {
    let now = app.shared_store.now();
    let text = Timestamp::from_millisecond(now).map(|time| time.to_string());
    let is_paused = matches!(app.shared_store.clock_state(), ClockState::Paused(_));
    Json(json!({ "now": now, "utc": text.ok(), "held": is_paused }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Change {
    now: Option<Value>,
    advance: Option<i64>,
    hold: Option<bool>,
}

/// Changes the clock: `{"now": a time}` or `{"advance": milliseconds}`, and `{"hold": true}` or
/// `{"hold": false}`.
pub(super) async fn set(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let change: Change = serde_json::from_value(body).map_err(|error| {
        let problem = Problem::new(format!("The change of the clock is invalid: {error}"));
        ApiError::bad_request(problem.hint("use `now` or `advance`, and `hold`"))
    })?;
    if change.now.is_some() && change.advance.is_some() {
        return Err(ApiError::bad_request("The body has both `now` and `advance`"));
    }
    let now = change.now.as_ref().map(time).transpose()?;
    let changed = app.shared_store.change_clock(|clock| {
        if let Some(now) = now {
            clock.set(now)?;
        }
        if let Some(millis) = change.advance {
            clock.advance(millis)?;
        }
        match change.hold {
            Some(true) => clock.pause(),
            Some(false) => clock.resume(),
            None => {}
        }
        Ok(())
    });
    changed.map_err(ApiError::bad_request)?;
    Ok(get(State(app)).await)
}

/// Reads a time in Unix milliseconds or as text.
fn time(written: &Value) -> Result<i64, ApiError> {
    let time = match written {
        Value::Number(millis) => millis.as_i64(),
        Value::String(text) => text.parse().ok().map(Timestamp::as_millisecond),
        _ => None,
    };
    time.ok_or_else(|| {
        ApiError::bad_request(
            "now should be Unix milliseconds, or a time such as \"2026-04-01T09:00:00Z\"",
        )
    })
}
