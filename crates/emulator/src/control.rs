//! The emulator's own endpoints below `/_emulator`, and the OpenAPI descriptions.

use crate::app::App;
use crate::clock::{ClockError, ClockState};
use crate::faults::Fault;
use crate::http::{ApiError, DiscardedBody, JsonBody, Params};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::store::BuiltInEntry;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) fn router() -> Router<App> {
    let faults = get(faults).post(add_faults).delete(clear_faults);
    let profile = get(profile).put(set_profile).patch(change_profile);
    Router::new()
        .route("/_emulator/health", get(health))
        .route("/_emulator/log", get(log))
        .route("/_emulator/settle", post(wait_idle))
        .route("/_emulator/reset", post(reset))
        .route("/_emulator/snapshot", post(snapshot))
        .route("/_emulator/restore", post(restore))
        .route("/_emulator/clock", get(clock).post(set_clock))
        .route("/_emulator/profile", profile)
        .route("/_emulator/faults", faults)
        .route("/_emulator/faults/{id}", delete(remove_fault))
        .route("/_emulator/leads/{lead}/timeline", post(add_timeline_entry))
        .route("/openapi/sync.yaml", get(async |params: Params| SYNC.answer(&params)))
        .route("/openapi/async.yaml", get(async |params: Params| ASYNC.answer(&params)))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /_emulator/log?since=N`: the calls after number N, on request with their bodies.
async fn log(State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    let since = match params.get("since").map(str::parse) {
        None => 0,
        Some(Ok(since)) => since,
        Some(Err(_)) => return Err(ApiError::bad_request("since should be the seq of an entry")),
    };
    let has_bodies = params.flag("bodies")?;
    Ok(Json(if has_bodies {
        json!({ "entries": app.log.with_bodies(since) })
    } else {
        json!({ "entries": app.log.since(since) })
    }))
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

/// `GET /_emulator/clock`: the time in the workspace, and whether the clock is paused.
async fn clock(State(app): State<App>) -> Json<Value> {
    let now = app.shared_store.now();
    let text = Timestamp::from_millisecond(now).map(|time| time.to_string());
    let is_paused = matches!(app.shared_store.clock_state(), ClockState::Paused(_));
    Json(json!({ "now": now, "utc": text.ok(), "held": is_paused }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ClockChange {
    now: Option<Value>,
    advance: Option<i64>,
    hold: Option<bool>,
}

/// `POST /_emulator/clock`: `{"now": a time}` or `{"advance": milliseconds}`, and `{"hold": true}`
/// or `{"hold": false}`.
async fn set_clock(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let change: ClockChange = serde_json::from_value(body).map_err(|error| {
        let problem = Problem::new(format!("The change of the clock is invalid: {error}"));
        ApiError::bad_request(problem.hint("use `now` or `advance`, and `hold`"))
    })?;
    if change.now.is_some() && change.advance.is_some() {
        return Err(ApiError::bad_request("The body has both `now` and `advance`"));
    }
    let now = change.now.as_ref().map(time).transpose()?;
    let changed = app.shared_store.change_clock(|mut clock| {
        if let Some(now) = now {
            clock = clock.at(now)?;
        }
        if let Some(millis) = change.advance {
            clock = clock.advanced(millis)?;
        }
        Ok::<_, ClockError>(match change.hold {
            Some(true) => clock.paused(),
            Some(false) => clock.resumed(),
            None => clock,
        })
    });
    changed.map_err(ApiError::bad_request)?;
    Ok(clock(State(app)).await)
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

/// `GET /_emulator/profile`: all switches with their values.
async fn profile(State(app): State<App>) -> Json<Value> {
    Json(json!(app.profile().values()))
}

/// `PUT /_emulator/profile`: sets all switches to the named profile, or else to `documented`, and
/// then the switches in the body.
async fn set_profile(
    State(app): State<App>,
    JsonBody(mut body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let named = body.as_object_mut().and_then(|body| body.remove("profile"));
    let named = named.unwrap_or_else(|| "documented".into());
    let named = named
        .as_str()
        .ok_or_else(|| ApiError::bad_request("profile should be documented or reported"))?;
    let named = Profile::named(named).map_err(ApiError::bad_request)?;
    app.change_profile(|_| with_switches(named, &body))?;
    Ok(profile(State(app)).await)
}

/// `PATCH /_emulator/profile`: sets the switches in the body. Other switches keep their values.
async fn change_profile(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    app.change_profile(|profile| with_switches(profile, &body))?;
    Ok(profile(State(app)).await)
}

fn with_switches(mut profile: Profile, body: &Value) -> Result<Profile, ApiError> {
    let Some(switches) = body.as_object() else {
        return Err(ApiError::bad_request(
            "The body should be an object of switches, such as {\"search-ids\": \"no\"}",
        ));
    };
    for (name, value) in switches {
        let value = value.as_str().ok_or_else(|| {
            ApiError::bad_request(format_args!("The value of {name} should be a text"))
        })?;
        profile = profile.with(name, value).map_err(ApiError::bad_request)?;
    }
    Ok(profile)
}

/// `GET /_emulator/faults`: the rules, each with its ID and the number of calls that matched it.
async fn faults(State(app): State<App>) -> Json<Value> {
    Json(json!({ "faults": app.faults.to_json() }))
}

/// `POST /_emulator/faults`: adds one rule or a list of rules. If one is invalid, none is added.
async fn add_faults(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let rules = Fault::list(body).map_err(ApiError::bad_request)?;
    app.faults.add(rules).map_err(ApiError::bad_request)?;
    Ok((StatusCode::CREATED, faults(State(app)).await))
}

/// `DELETE /_emulator/faults`: removes all rules.
async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

/// `DELETE /_emulator/faults/{id}`: removes the rule with this ID.
async fn remove_fault(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if id.parse().is_ok_and(|id| app.faults.remove(id)) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::missing(format_args!("There is no fault {id}")))
}

/// The OpenAPI description of one API, with and without our corrections.
struct Description {
    overlaid: &'static str,
    vendored: &'static str,
}

const SYNC: Description = Description {
    overlaid: include_str!("../openapi/sync.yaml"),
    vendored: include_str!("../openapi/sync.vendored.yaml"),
};

const ASYNC: Description = Description {
    overlaid: include_str!("../openapi/async.yaml"),
    vendored: include_str!("../openapi/async.vendored.yaml"),
};

impl Description {
    fn answer(&self, params: &Params) -> Result<impl IntoResponse + use<>, ApiError> {
        let text = match params.get("stage") {
            None | Some("overlaid") => self.overlaid,
            Some("vendored") => self.vendored,
            Some(_) => {
                return Err(ApiError::bad_request("stage should be overlaid or vendored"));
            }
        };
        Ok(([(header::CONTENT_TYPE, "application/yaml")], text))
    }
}
