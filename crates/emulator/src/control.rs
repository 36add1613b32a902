//! What only the emulator has: health, log, settle, reset, and the descriptions of both APIs.

use crate::answer::{ApiError, JsonBody, Params, Unwanted};
use crate::clock::Hands;
use crate::faults::Fault;
use crate::profile::Profile;
use crate::store::CREATED;
use crate::{App, leads};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use telecrm_core::{Action, ActionKind, FieldValue};

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
pub(crate) async fn settle(State(app): State<App>, _: Unwanted) -> StatusCode {
    app.queue.settle().await;
    StatusCode::NO_CONTENT
}

/// Goes back to the seed.
pub(crate) async fn reset(State(app): State<App>, _: Unwanted) -> StatusCode {
    app.reset();
    StatusCode::NO_CONTENT
}

/// Remembers the state, and gives the number under which it comes back.
pub(crate) async fn snapshot(State(app): State<App>, _: Unwanted) -> (StatusCode, Json<Value>) {
    let number = app.snapshot();
    (StatusCode::CREATED, Json(json!({ "snapshot": number })))
}

/// Goes back to the state with the number in `snapshot`.
pub(crate) async fn restore(
    State(app): State<App>,
    params: Params,
    _: Unwanted,
) -> Result<StatusCode, ApiError> {
    let number = params.get("snapshot").and_then(|text| text.parse().ok());
    let number = number.ok_or_else(|| ApiError::bad_request("snapshot should be a number"))?;
    match app.restore(number) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(
            "NOT_FOUND",
            format_args!("There is no snapshot {number}"),
        )),
    }
}

/// What time it is in the workspace, and whether it stands still.
pub(crate) async fn clock(State(app): State<App>) -> Json<Value> {
    let now = app.keeper.now();
    let text = Timestamp::from_millisecond(now).map(|time| time.to_string());
    let held = matches!(app.keeper.hands(), Hands::Held(_));
    Json(json!({ "now": now, "utc": text.ok(), "held": held }))
}

/// Sets the clock: `{"now": ms or a date}` or `{"advance": ms}`, and `{"hold": true or false}`.
pub(crate) async fn set_clock(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    struct Wanted {
        now: Option<Value>,
        advance: Option<i64>,
        hold: Option<bool>,
    }
    let wanted: Wanted = serde_json::from_value(body).map_err(|error| {
        ApiError::bad_request(format_args!(
            "A clock is set by {{\"now\"}} or {{\"advance\"}}, and {{\"hold\"}}: {error}"
        ))
    })?;
    let now = match (wanted.now, wanted.advance) {
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("Either now or advance, not both"));
        }
        (Some(now), None) => Some(moment(&now).ok_or_else(|| {
            ApiError::bad_request(
                "now should be Unix milliseconds, or a time such as \"2026-04-01T09:00:00Z\"",
            )
        })?),
        (None, _) => None,
    };
    let set = app.keeper.set_clock(|clock| {
        match (now, wanted.advance) {
            (Some(now), _) => clock.set(now)?,
            (_, Some(millis)) => clock.advance(millis)?,
            _ => {}
        }
        if let Some(held) = wanted.hold {
            clock.hold(held);
        }
        Ok(())
    });
    set.map_err(ApiError::bad_request)?;
    Ok(self::clock(State(app)).await)
}

fn moment(written: &Value) -> Option<i64> {
    match written {
        Value::Number(millis) => millis.as_i64(),
        Value::String(text) => Some(text.parse::<Timestamp>().ok()?.as_millisecond()),
        _ => None,
    }
}

/// All switches with their values.
pub(crate) async fn profile(State(app): State<App>) -> Json<Value> {
    Json(json!(app.profile().values()))
}

/// Sets all switches: those of the named profile, `documented` if none is, and the others that the body names.
pub(crate) async fn set_profile(
    State(app): State<App>,
    JsonBody(mut body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let named = body.as_object_mut().and_then(|body| body.remove("profile"));
    let named = named.unwrap_or_else(|| "documented".into());
    let named = named
        .as_str()
        .ok_or_else(|| ApiError::bad_request("profile should be documented or reported"))?;
    let profile = Profile::named(named).map_err(ApiError::bad_request)?;
    app.change_profile(|_| switched(profile, &body))?;
    Ok(self::profile(State(app)).await)
}

/// Sets the switches that the body names.
pub(crate) async fn change_profile(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    app.change_profile(|profile| switched(profile, &body))?;
    Ok(self::profile(State(app)).await)
}

fn switched(mut profile: Profile, body: &Value) -> Result<Profile, ApiError> {
    let object = body.as_object();
    let switches = object.ok_or_else(|| {
        ApiError::bad_request(
            "The body should be switches and their values: {\"search-ids\": \"no\"}",
        )
    })?;
    for (name, value) in switches {
        let value = value.as_str().ok_or_else(|| {
            ApiError::bad_request(format_args!("The value of {name} should be a text"))
        })?;
        profile = profile.with(name, value).map_err(ApiError::bad_request)?;
    }
    Ok(profile)
}

/// The rules by which calls go wrong, and how many calls fitted each.
pub(crate) async fn faults(State(app): State<App>) -> Json<Value> {
    Json(json!({ "faults": app.faults.to_json() }))
}

/// Adds one rule, or a list of them: all or none.
pub(crate) async fn add_faults(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let faults = Fault::list(body).map_err(ApiError::bad_request)?;
    app.faults.add(faults).map_err(ApiError::bad_request)?;
    Ok((StatusCode::CREATED, self::faults(State(app)).await))
}

pub(crate) async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

/// Removes the rule with the ID that the list gives it.
pub(crate) async fn remove_fault(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match id.parse().is_ok_and(|id| app.faults.remove(id)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(
            "NOT_FOUND",
            format_args!("There is no fault {id}"),
        )),
    }
}

/// Puts into a lead's timeline what telecrm itself records, and nobody can write: `{"type","employeeid",…}`.
pub(crate) async fn record(
    State(app): State<App>,
    Path(lead): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let entry = Recorded::read(body).map_err(ApiError::bad_request)?;
    let id = app.store().record(&lead, entry.type_name, entry.keys);
    let id = id.ok_or_else(|| leads::not_found(&lead))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// An entry that telecrm itself records.
pub(crate) struct Recorded {
    pub(crate) type_name: String,
    pub(crate) keys: BTreeMap<String, FieldValue>,
}

impl Recorded {
    /// Reads it, or says what is wrong with it.
    pub(crate) fn read(body: Value) -> Result<Self, &'static str> {
        const TYPE: &str =
            "An entry needs a `type` that is neither PAYMENT nor a custom action's code";
        let Value::Object(mut keys) = body else {
            return Err(TYPE);
        };
        let kind = Action::from(keys.clone()).kind();
        let ActionKind::Other(type_name) = kind else {
            return Err(TYPE);
        };
        if type_name.trim().is_empty() {
            return Err(TYPE);
        }
        if keys
            .get(CREATED)
            .is_some_and(|time| time.as_i64().is_none())
        {
            return Err("The `creationTimestamp` of an entry is in Unix milliseconds");
        }
        keys.remove("type");
        let keys = keys.into_iter().map(|(key, value)| (key, value.into()));
        Ok(Self {
            type_name,
            keys: keys.collect(),
        })
    }
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
