//! The team: list, create, get, and change of availability.

use crate::App;
use crate::answer::{ApiError, JsonBody, Params};
use crate::log::Effect;
use crate::profile::{Invited, UnknownMember};
use crate::remarks::unread;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Extension, IntoResponse};
use serde_json::{Map, Value, json};
use telecrm_core::response::{Availability, TeamMemberRole};
use telecrm_core::{Finding, WorkspaceFile};

/// How many members a page holds at most (pitfall TM1).
const PAGE_LIMIT: usize = 10;

/// The status of a member who is kept, but hidden (pitfall TM3).
const DELETED: &str = "Deleted";

/// The members, as the listing shows them, and the seats that were bought.
#[derive(Clone)]
pub(crate) struct Team {
    pub(crate) members: Vec<Map<String, Value>>,
    /// Unlimited where the workspace file says nothing.
    seats: Option<u64>,
}

impl Team {
    pub(crate) fn new(answers: &WorkspaceFile) -> Self {
        Self {
            members: answers.team_members.clone(),
            seats: answers.emulator.get("seats").and_then(Value::as_u64),
        }
    }

    /// The member with this address, whatever its case.
    fn find(&self, email: &str, deleted_too: bool) -> Option<&Map<String, Value>> {
        let place = self.place(email, deleted_too)?;
        Some(&self.members[place])
    }

    fn place(&self, email: &str, deleted_too: bool) -> Option<usize> {
        let wanted = email.to_lowercase();
        self.members.iter().position(|member| {
            text(member, "email").to_lowercase() == wanted && (deleted_too || !is_deleted(member))
        })
    }

    /// The address of the member whom the workspace file gives this ID.
    pub(crate) fn email_of(&self, id: &str) -> Option<&str> {
        let member = self.members.iter().find(|member| text(member, "id") == id);
        member.map(|member| text(member, "email"))
    }

    /// Everybody, the deleted too.
    #[cfg(feature = "web")]
    pub(crate) fn all(&self) -> Vec<&Map<String, Value>> {
        self.sorted(true)
    }

    /// By name, ascending.
    fn sorted(&self, deleted_too: bool) -> Vec<&Map<String, Value>> {
        let members = self.members.iter();
        let mut members: Vec<_> = members.filter(|m| deleted_too || !is_deleted(m)).collect();
        members.sort_by_cached_key(|member| text(member, "name").to_lowercase());
        members
    }

    /// Whether somebody can be added. All but the deleted hold a seat, the inactive too (pitfall TM2).
    fn has_free_seat(&self) -> bool {
        let taken = self.members.iter().filter(|m| !is_deleted(m)).count();
        self.seats.is_none_or(|seats| (taken as u64) < seats)
    }
}

pub(crate) fn text<'a>(member: &'a Map<String, Value>, key: &str) -> &'a str {
    member.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_deleted(member: &Map<String, Value>) -> bool {
    text(member, "status") == DELETED
}

/// A member as it is answered: no operation tells the ID, and of what is missing only the licence is told as null.
fn shown(member: &Map<String, Value>) -> Map<String, Value> {
    let mut member = member.clone();
    member.retain(|key, value| key != "id" && (key == "license" || !value.is_null()));
    member
}

/// `GET /team-members`.
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    let page = params.page(PAGE_LIMIT)?;
    let deleted_too = params.flag("includeDeleted")?;
    let store = app.store();
    let members = store.team().sorted(deleted_too);
    Ok(Json(json!({
        "data": page.of(members.iter()).map(|member| shown(member)).collect::<Vec<_>>(),
        "total_count": members.len(),
        "skip": page.skip,
        "limit": page.limit,
    })))
}

/// `GET /team-members/{email}`.
pub(crate) async fn get(
    State(app): State<App>,
    Path((_, email)): Path<(String, String)>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let deleted_too = params.flag("includeDeleted")?;
    let store = app.store();
    if !store.is_email(&email) {
        return Err(ApiError::bad_request("Invalid email format"));
    }
    let member = store.team().find(&email, deleted_too);
    member
        .map(|member| Json(shown(member).into()))
        .ok_or_else(not_found)
}

/// `POST /team-members`.
pub(crate) async fn create(
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
            complain(
                "email",
                "A team member with this email already exists".to_owned(),
            );
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
    let status = if password.is_some() {
        "Active"
    } else {
        "Invited"
    };
    let member = json!({
        "name": name,
        "email": email,
        "status": status,
        "phone_number": phone,
        "permission_template_name": role,
        "license": null,
    });
    let mut effect = Effect::stored(&member);
    effect.findings = beside(
        &body,
        &["name", "email", "phone_number", "role", "password"],
    );
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

/// `POST /teammember/state_change`: one word, no hyphen (pitfall TM6).
pub(crate) async fn change_state(
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
    let Some(place) = store.team().place(email, false) else {
        return Err(match app.profile().unknown_member {
            UnknownMember::NotFound => not_found(),
            UnknownMember::BadRequest => ApiError::bad_request("Team member not found"),
        });
    };
    let member = &mut store.team_mut().members[place];
    member.insert("status".to_owned(), state.into());
    let answer = json!({ "email": text(member, "email"), "status": state });
    let mut effect = Effect::stored(&answer);
    effect.findings = beside(&body, &["state", "email"]);
    Ok((Extension(effect), Json(answer)))
}

/// What of the body nobody reads.
fn beside(body: &Value, read: &[&str]) -> Vec<Finding> {
    let body = body.as_object().into_iter();
    body.flat_map(|body| unread(body, read, "")).collect()
}

fn not_found() -> ApiError {
    ApiError::not_found("TEAM_MEMBER_NOT_FOUND", "Team member not found")
}

/// Digits only, as many as an international number can have, and no trunk prefix (pitfall TM5).
fn is_international_number(text: &str) -> bool {
    (8..=15).contains(&text.len())
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn names<'a>(known: impl Iterator<Item = &'a str>) -> String {
    known.collect::<Vec<_>>().join(", ")
}
