//! Actions of the Sync API: create, get, update, search.

use crate::App;
use crate::answer::{ApiError, JsonBody, Params};
use crate::leads::{self, Created};
use crate::log::{self, Effect};
use crate::profile::{ActionCodes, PrefixedTypes, Profile};
use crate::remarks::{complaint, remarks, unread};
use crate::search::TimelineFilter;
use crate::store::{EntryKind, ShownAction, StoredAction, Written};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{Extension, IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use telecrm_core::rules::{AcceptedAction, CodeForm};
use telecrm_core::{
    Action, ActionKind, Certainty, FieldPath as Place, FieldValue, Finding, FindingKind,
    PaymentStatus, Workspace,
};

/// The most actions of one page.
pub(crate) const PAGE_LIMIT: usize = 100;

/// `POST /lead/{leadId}/action`: each entry is handled on its own (pitfall AC4).
pub(crate) async fn create(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let actions = read(&body)?;
    let mut store = app.store();
    store.find(&id).ok_or_else(|| leads::not_found(&id))?;
    let workspace = store.workspace();
    let (accepted, mut findings) = accept(workspace, &actions, &app.profile())?;
    let remarks = remarks(workspace, &actions, &findings);
    let body = body.as_object().into_iter();
    findings.extend(body.flat_map(|body| unread(body, &["actions"], "")));
    let written = store.append(&id, accepted);
    let written = written.ok_or_else(|| leads::not_found(&id))?;
    let answer = Json(Created {
        lead_id: &id,
        actions: results(actions.len(), &written),
        remarks,
    })
    .into_response();
    let effect = Effect {
        stored: Some(written.stored),
        findings,
    };
    Ok((Extension(effect), answer))
}

/// `GET /lead/{leadId}/action/{actionId}`.
pub(crate) async fn get(
    State(app): State<App>,
    Path((_, lead, action)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let store = app.store();
    let lead = store.find(&lead).ok_or_else(|| leads::not_found(&lead))?;
    let entry = lead.action(&action).ok_or_else(|| not_found(&action))?;
    if let EntryKind::BuiltIn(_) = entry.kind {
        return Err(ApiError::bad_request(
            "Only custom actions and payment actions can be retrieved",
        ));
    }
    Ok(Json(shown(entry, &app.profile())).into_response())
}

/// `POST /lead/{leadId}/action/{actionId}`: one bad value, and nothing is written.
pub(crate) async fn update(
    State(app): State<App>,
    Path((_, lead_id, action_id)): Path<(String, String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let Value::Object(mut body) = body else {
        return Err(ApiError::bad_request("The body must be an action"));
    };
    let mut store = app.store();
    let lead = store.find(&lead_id);
    let lead = lead.ok_or_else(|| leads::not_found(&lead_id))?;
    let entry = lead.action(&action_id);
    let entry = entry.ok_or_else(|| not_found(&action_id))?;
    if let EntryKind::BuiltIn(_) = entry.kind {
        return Err(ApiError::bad_request(
            "Only custom actions and payment actions can be updated",
        ));
    }
    if body.get("type").and_then(Value::as_str) != Some(entry.type_name()) {
        return Err(ApiError::bad_request(format_args!(
            "The type of this action is {}, and cannot be changed",
            entry.type_name()
        )));
    }
    let (fields, created, findings) = match &entry.kind {
        EntryKind::Payment => {
            let beside = unread(&body, &["type", "status"], "actions[0].");
            (payment_status(&body)?, Vec::new(), beside)
        }
        _ => {
            let late = body.remove("created_on").filter(|time| !time.is_null());
            let action = Action::from(body);
            let (accepted, mut findings) =
                store.workspace().accept_action(0, &action, CodeForm::Bare);
            if let Some(refused) = findings
                .iter()
                .find(|f| is_refused(store.workspace(), &action, f))
            {
                let reason = complaint(store.workspace(), std::slice::from_ref(&action), refused);
                return Err(ApiError::validation(reason).because(vec![refused.clone()]));
            }
            findings.extend(late.map(|_| fixed_time()));
            let accepted = accepted.map(|accepted| (accepted.fields, accepted.created));
            let (fields, created) = accepted.unwrap_or_default();
            (fields, created, findings)
        }
    };
    let stored =
        (!fields.is_empty()).then(|| log::text(&json!({ "id": action_id, "fields": fields })));
    let entry = store.update_action(&lead_id, &action_id, fields, &created);
    let entry = entry.ok_or_else(|| not_found(&action_id))?;
    let answer = Json(shown(entry, &app.profile())).into_response();
    Ok((Extension(Effect { stored, findings }), answer))
}

/// `POST /lead/{leadId}/action/search`.
pub(crate) async fn search(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let page = params.page(PAGE_LIMIT)?;
    let store = app.store();
    let (filter, unread) = TimelineFilter::read(&body, &store, app.profile().performers)?;
    let lead = store.find(&id).ok_or_else(|| {
        ApiError::not_found(leads::NOT_FOUND, "Lead with given ID was not found.")
    })?;
    let found: Vec<_> = lead.timeline().filter(|entry| filter.fits(entry)).collect();
    let profile = app.profile();
    let rows = page.of(found.iter());
    let answer = Found {
        data: rows.map(|entry| shown(entry, &profile)).collect(),
        total_count: found.len(),
        skip: page.skip,
        limit: page.limit,
    };
    Ok(told(Json(answer), unread))
}

/// The answer to a search, and for the log what of the filter was not read.
pub(crate) fn told(answer: impl IntoResponse, unread: Vec<Finding>) -> Response {
    let mut response = answer.into_response();
    if !unread.is_empty() {
        let effect = Effect {
            stored: None,
            findings: unread,
        };
        response.extensions_mut().insert(effect);
    }
    response
}

/// The answer to a search.
#[derive(Serialize)]
pub(crate) struct Found<T> {
    pub(crate) data: Vec<T>,
    pub(crate) total_count: usize,
    pub(crate) skip: usize,
    pub(crate) limit: usize,
}

/// An entry of the timeline as it is answered.
pub(crate) fn shown<'a>(entry: &'a StoredAction, profile: &Profile) -> ShownAction<'a> {
    entry.shown(profile.action_codes == ActionCodes::Prefixed)
}

/// What becomes of the actions of one request.
///
/// # Errors
/// If one of them is of a type that nobody can write: then none is taken (pitfall AC1).
pub(crate) fn accept(
    workspace: &Workspace,
    actions: &[Action],
    profile: &Profile,
) -> Result<(Vec<AcceptedAction>, Vec<Finding>), ApiError> {
    let is_writable = |action: &Action| match action.kind() {
        ActionKind::Payment => true,
        ActionKind::Custom(code) => {
            let written = action.key("type").and_then(FieldValue::as_str);
            profile.prefixed_types == PrefixedTypes::Ignored || written == Some(code.bare())
        }
        _ => false,
    };
    if !actions.iter().all(is_writable) {
        return Err(ApiError::bad_request(
            "Only custom actions and payment actions can be created",
        ));
    }
    let mut accepted = Vec::new();
    let mut findings = Vec::new();
    for (index, action) in actions.iter().enumerate() {
        let (action, of_action) = workspace.accept_action(index, action, CodeForm::Bare);
        accepted.extend(action);
        findings.extend(of_action);
    }
    Ok((accepted, findings))
}

/// What the answer says of an action.
#[derive(Serialize)]
pub(crate) struct ActionResult<'a> {
    action_id: Option<&'a str>,
    status: &'static str,
}

/// What the answer says of each action of the request, in its order.
pub(crate) fn results(count: usize, written: &Written) -> Vec<ActionResult<'_>> {
    let result = |index| {
        let action_id = written.action_ids.get(&index).map(String::as_str);
        let status = match action_id {
            Some(_) => "CREATED",
            None => "IGNORED",
        };
        ActionResult { action_id, status }
    };
    (0..count).map(result).collect()
}

fn read(body: &Value) -> Result<Vec<Action>, ApiError> {
    let actions = body.get("actions").and_then(Value::as_array);
    let actions = actions.filter(|actions| !actions.is_empty());
    let action = |action: &Value| action.as_object().cloned().map(Action::from);
    actions
        .and_then(|actions| actions.iter().map(action).collect())
        .ok_or_else(|| ApiError::bad_request("`actions` must be a list of one or more actions"))
}

/// The one thing that can change of a payment (pitfall AC3).
fn payment_status(body: &Map<String, Value>) -> Result<BTreeMap<String, FieldValue>, ApiError> {
    if ["amount", "currency", "paymentid"]
        .iter()
        .any(|key| body.contains_key(*key))
    {
        return Err(ApiError::bad_request(
            "Cannot update amount, currency, or paymentid fields for existing payment action.",
        ));
    }
    match body.get("status") {
        None => Ok(BTreeMap::new()),
        Some(Value::String(status)) if PaymentStatus::KNOWN.contains(&status.as_str().into()) => {
            Ok([("status".to_owned(), status.as_str().into())].into())
        }
        Some(_) => Err(ApiError::validation("A payment has no such status")),
    }
}

/// Whether an update fails for this loss. Names that the action does not have are dropped in silence,
/// as by the update of a lead.
fn is_refused(workspace: &Workspace, action: &Action, finding: &Finding) -> bool {
    let ActionKind::Custom(code) = action.kind() else {
        return false;
    };
    let definition = workspace.action(&code);
    finding.is_loss()
        && match &finding.path {
            Place::ActionField(_, name) => definition.is_some_and(|d| d.field(name).is_some()),
            Place::ActionKey(_, key) => key == "fields",
            _ => true,
        }
}

fn fixed_time() -> Finding {
    Finding::new(
        Place::ActionKey(0, "created_on".to_owned()),
        FindingKind::FieldDropped,
        Certainty::Inferred,
        "the time of an existing action cannot be changed",
    )
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(
        "ACTION_NOT_FOUND",
        format_args!("Action with ID {id} was not found."),
    )
}
