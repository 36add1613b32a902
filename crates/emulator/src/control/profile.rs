//! `/_emulator/profile`: the switches of the profile.

use crate::app::App;
use crate::http::{ApiError, JsonBody};
use crate::profile::Profile;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

/// Lists all switches with their values.
pub(super) async fn get(State(app): State<App>) -> Json<Value> {
    Json(json!(app.profile().values()))
}

/// Sets all switches to the named profile, or else to `documented`, and then the switches in the
/// body.
pub(super) async fn set(
    State(app): State<App>,
    JsonBody(mut body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let named = body.as_object_mut().and_then(|body| body.remove("profile"));
    let named = named.unwrap_or_else(|| "documented".into());
    let named = named
        .as_str()
        .ok_or_else(|| ApiError::bad_request("profile should be documented or reported"))?;
    let profile = Profile::named(named).map_err(ApiError::bad_request)?;
    app.change_profile(|_| with_switches(profile, &body))?;
    Ok(get(State(app)).await)
}

/// Sets the switches in the body. Other switches keep their values.
pub(super) async fn change(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    app.change_profile(|profile| with_switches(profile, &body))?;
    Ok(get(State(app)).await)
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
