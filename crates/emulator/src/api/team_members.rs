//! Team members of the Sync API.

use super::answers::Found;
use super::remarks::unread;
use crate::app::App;
use crate::http::{ApiError, JsonBody, Params};
use crate::log::Effect;
use crate::profile::{Invited, UnknownMember};
use crate::store::team::{Member, text};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Extension, IntoResponse};
use serde_json::{Value, json};
use telecrm_core::Finding;
use telecrm_core::response::{Availability, TeamMemberRole};

/// The largest page of members (pitfall TM1).
const PAGE_LIMIT: usize = 10;

/// A member as answers show it. They never have the ID, and of the missing values only the licence,
/// as null.
fn shown(member: &Member) -> Member {
    let mut member = member.clone();
    member.retain(|key, value| key != "id" && (key == "license" || !value.is_null()));
    member
}

/// `GET /team-members`.
pub(super) async fn list(State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    let page = params.page(PAGE_LIMIT)?;
    let include_deleted = params.flag("includeDeleted")?;
    let store = app.store();
    let members = store.team().sorted(include_deleted);
    Ok(Json(json!(Found::new(page, &members, |member| shown(member)))))
}

/// `GET /team-members/{email}`.
pub(super) async fn get(
    State(app): State<App>,
    Path((_, email)): Path<(String, String)>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let include_deleted = params.flag("includeDeleted")?;
    let store = app.store();
    if !store.is_email(&email) {
        return Err(ApiError::bad_request("Invalid email format"));
    }
    let member = store.team().find(&email, include_deleted);
    member.map(|member| Json(shown(member).into())).ok_or_else(not_found)
}

/// `POST /team-members`.
pub(super) async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut store = app.store();
    let wanted = |key| body.get(key).and_then(Value::as_str);
    let given = |key| wanted(key).filter(|text| !text.trim().is_empty());
    let mut details = Vec::new();
    let mut complain = |field: &str, message: String| {
        details.push(json!({ "field": field, "message": message }));
    };
    for key in ["name", "email", "phone_number", "role"] {
        match body.get(key) {
            Some(value) if !value.is_string() && !value.is_null() => {
                complain(key, format!("{key} must be a text"));
            }
            _ if given(key).is_none() => complain(key, format!("{key} is required")),
            _ => {}
        }
    }
    if let Some(email) = given("email") {
        if !store.is_email(email) {
            complain("email", "Invalid email format".to_owned());
        } else if store.team().find(email.trim(), true).is_some() {
            complain("email", "A team member with this email already exists".to_owned());
        }
    }
    if let Some(role) = given("role")
        && !TeamMemberRole::KNOWN.contains(&role.into())
    {
        let allowed = names(TeamMemberRole::KNOWN.iter().map(TeamMemberRole::as_str));
        complain("role", format!("Invalid role. Allowed roles: {allowed}"));
    }
    let password = body.get("password").filter(|password| !password.is_null());
    if password.is_some_and(|password| !password.is_string()) {
        complain("password", "password must be a text".to_owned());
    }
    if !details.is_empty() {
        return Err(ApiError::bad_request("Validation failed").details(details));
    }
    let [name, email, phone, role] =
        ["name", "email", "phone_number", "role"].map(|key| wanted(key).unwrap_or_default().trim());
    if !is_international_number(wanted("phone_number").unwrap_or_default()) {
        return Err(ApiError::bad_request("Invalid phone_number format"));
    }
    if !store.team().has_free_seat() {
        return Err(ApiError::new(
            StatusCode::PAYMENT_REQUIRED,
            "BUY_LICENSE",
            "No licence seat is free",
        ));
    }
    let status = if password.is_some() { "Active" } else { "Invited" };
    let member = json!({
        "name": name,
        "email": email,
        "status": status,
        "phone_number": phone,
        "permission_template_name": role,
        "license": null,
    });
    let unread = unread_keys(&body, &["name", "email", "phone_number", "role", "password"]);
    let effect = Effect::new(&member, unread);
    if let Value::Object(member) = member {
        store.team_mut().members.push(member);
    }
    let status = match (status, app.profile().invited) {
        ("Invited", Invited::Upper) => "INVITED",
        (status, _) => status,
    };
    let answer = json!({
        "name": name,
        "email": email,
        "phone_number": phone,
        "role": role,
        "status": status,
    });
    Ok((StatusCode::CREATED, Extension(effect), Json(answer)))
}

/// `POST /teammember/state_change`, without a hyphen (pitfall TM6).
pub(super) async fn change_state(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let wanted = |key| body.get(key).and_then(Value::as_str);
    let state = wanted("state").unwrap_or_default();
    if !Availability::KNOWN.contains(&state.into()) {
        let allowed = names(Availability::KNOWN.iter().map(Availability::as_str));
        let message = format!("Invalid state. Allowed states: {allowed}");
        return Err(ApiError::bad_request("Validation failed")
            .details(vec![json!({ "field": "state", "message": message })]));
    }
    let mut store = app.store();
    let email = wanted("email").unwrap_or_default();
    if !store.is_email(email) {
        return Err(ApiError::bad_request("Invalid email format"));
    }
    let Some(index) = store.team().position(email, false) else {
        return Err(match app.profile().unknown_member {
            UnknownMember::NotFound => not_found(),
            UnknownMember::BadRequest => ApiError::bad_request("Team member not found"),
        });
    };
    let member = &mut store.team_mut().members[index];
    member.insert("status".to_owned(), state.into());
    let answer = json!({ "email": text(member, "email"), "status": state });
    let effect = Effect::new(&answer, unread_keys(&body, &["state", "email"]));
    Ok((Extension(effect), Json(answer)))
}

/// Findings for the keys that the operation does not read.
fn unread_keys(body: &Value, read: &[&str]) -> Vec<Finding> {
    let body = body.as_object().into_iter();
    body.flat_map(|body| unread(body, read, "")).collect()
}

fn not_found() -> ApiError {
    ApiError::not_found("TEAM_MEMBER_NOT_FOUND", "Team member not found")
}

/// Whether the text has as many digits as an international number, and no trunk prefix (pitfall
/// TM5).
fn is_international_number(text: &str) -> bool {
    (8..=15).contains(&text.len())
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn names<'a>(known: impl Iterator<Item = &'a str>) -> String {
    known.collect::<Vec<_>>().join(", ")
}
