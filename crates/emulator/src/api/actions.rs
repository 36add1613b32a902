//! Actions of the Sync API.

use super::answers::{
    Created, Found, PAGE_LIMIT, action_results, lead_not_found, searched, unknown_lead, updated,
};
use super::remarks::{message, remarks, unread};
use super::search::ActionFilter;
use crate::app::App;
use crate::http::response::LEAD_NOT_FOUND;
use crate::http::{ApiError, JsonBody, Params};
use crate::log::Effect;
use crate::profile::{ActionCodes, PrefixedTypes, Profile};
use crate::repairs::plain;
use crate::store::lead::ShownAction;
use crate::store::{EntryKind, StoredAction};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{Extension, IntoResponse, Response};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use telecrm_core::rules::{AcceptedAction, CodeForm};
use telecrm_core::{
    Action, ActionKind, Certainty, FieldPath, FieldValue, Finding, FindingKind, PaymentStatus,
    Workspace,
};

/// `POST /lead/{leadId}/action`: telecrm accepts or ignores each action on its own (pitfall AC4).
pub(super) async fn create(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let actions = read(&body)?;
    let mut store = app.store();
    store.find(&id).ok_or_else(|| lead_not_found(&store, &id))?;
    let workspace = store.workspace();
    let (accepted, mut findings) = accept(workspace, &actions, &app.profile())?;
    let remarks = remarks(workspace, &actions, &findings);
    let body = body.as_object().into_iter();
    findings.extend(body.flat_map(|body| unread(body, &["actions"], "")));
    let is_prefixed = app.profile().action_codes == ActionCodes::Prefixed;
    let written = store.append(&id, accepted, is_prefixed);
    let written = written.ok_or_else(|| ApiError::lead_not_found(&id))?;
    let answer =
        Json(Created { lead_id: &id, actions: action_results(actions.len(), &written), remarks })
            .into_response();
    let effect = Effect::written(Some(written.stored), findings);
    Ok((Extension(effect), answer))
}

/// `GET /lead/{leadId}/action/{actionId}`.
pub(super) async fn get(
    State(app): State<App>,
    Path((_, lead, action)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let store = app.store();
    let lead = store.find(&lead).ok_or_else(|| lead_not_found(&store, &lead))?;
    let entry = lead.action(&action).ok_or_else(|| not_found(&action))?;
    if let EntryKind::BuiltIn(_) = entry.kind {
        return Err(built_in(entry, "retrieved"));
    }
    Ok(Json(shown(entry, &app.profile())).into_response())
}

/// `POST /lead/{leadId}/action/{actionId}`: one bad value refuses the whole update.
pub(super) async fn update(
    State(app): State<App>,
    Path((_, lead_id, action_id)): Path<(String, String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let Value::Object(mut body) = body else {
        return Err(ApiError::bad_request("The body must be an action"));
    };
    let mut store = app.store();
    let lead = store.find(&lead_id);
    let lead = lead.ok_or_else(|| lead_not_found(&store, &lead_id))?;
    let entry = lead.action(&action_id);
    let entry = entry.ok_or_else(|| not_found(&action_id))?;
    if let EntryKind::BuiltIn(_) = entry.kind {
        return Err(built_in(entry, "updated"));
    }
    if body.get("type").and_then(Value::as_str) != Some(entry.type_name()) {
        let message = format!("send \"type\": \"{}\" with every update (AC2)", entry.type_name());
        return Err(ApiError::bad_request(format_args!(
            "The type of this action is {}, and cannot be changed",
            entry.type_name()
        ))
        .refused(("other_type", message)));
    }
    let (fields, created, findings) = match &entry.kind {
        EntryKind::Payment => {
            let findings = unread(&body, &["type", "status"], "actions[0].");
            (payment_status(&body)?, Vec::new(), findings)
        }
        _ => {
            let time = body.remove("created_on").filter(|time| !time.is_null());
            let action = Action::from(body);
            let (accepted, mut findings) =
                store.workspace().accept_action(0, &action, CodeForm::Bare);
            if let Some(refused) =
                findings.iter().find(|f| is_refused(store.workspace(), &action, f))
            {
                let reason = message(store.workspace(), std::slice::from_ref(&action), refused);
                return Err(ApiError::validation(reason)
                    .refused(("invalid_value", format!("{refused:#}")))
                    .because(vec![refused.clone()]));
            }
            findings.extend(time.map(|_| fixed_time()));
            let accepted = accepted.map(|accepted| (accepted.fields, accepted.created));
            let (fields, created) = accepted.unwrap_or_default();
            (fields, created, findings)
        }
    };
    let effect = updated(&action_id, &fields, findings);
    let entry = store.update_action(&lead_id, &action_id, fields, &created);
    let entry = entry.ok_or_else(|| not_found(&action_id))?;
    let answer = Json(shown(entry, &app.profile())).into_response();
    Ok((Extension(effect), answer))
}

/// `POST /lead/{leadId}/action/search`.
pub(super) async fn search(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let page = params.page(PAGE_LIMIT)?;
    let store = app.store();
    let (filter, unread) = ActionFilter::for_timeline(&body, &store, app.profile().performers)?;
    let lead = store.find(&id).ok_or_else(|| {
        ApiError::not_found(LEAD_NOT_FOUND, "Lead with given ID was not found.")
            .refused(unknown_lead(&store, &id))
    })?;
    let found: Vec<_> = lead.timeline().filter(|entry| filter.fits(entry)).collect();
    let profile = app.profile();
    let answer = Found::new(page, &found, |entry| shown(entry, &profile));
    Ok(searched(answer, unread))
}

/// An entry of the timeline as answers show it.
pub(super) fn shown<'a>(entry: &'a StoredAction, profile: &Profile) -> ShownAction<'a> {
    entry.shown(profile.action_codes == ActionCodes::Prefixed)
}

/// Decides which actions of a request are stored, and what of them is lost.
///
/// # Errors
/// Returns an error if clients cannot create one of the types. Then no action is stored (pitfall
/// AC1).
pub(super) fn accept(
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
    if let Some(index) = actions.iter().position(|action| !is_writable(action)) {
        let written = actions[index].key("type").map(plain).unwrap_or_default();
        let message = format!(
            "actions[{index}] has the type `{written}`; use PAYMENT or the bare code of a custom \
             action (AC1, AC2)"
        );
        return Err(ApiError::bad_request(
            "Only custom actions and payment actions can be created",
        )
        .refused(("unwritable_type", message)));
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

fn read(body: &Value) -> Result<Vec<Action>, ApiError> {
    let actions = body.get("actions").and_then(Value::as_array);
    let actions = actions.filter(|actions| !actions.is_empty());
    let action = |action: &Value| action.as_object().cloned().map(Action::from);
    actions.and_then(|actions| actions.iter().map(action).collect()).ok_or_else(|| {
        let message = "the body needs the list `actions` with at least one object";
        ApiError::bad_request("`actions` must be a list of one or more actions")
            .refused(("missing_actions", message))
    })
}

/// The only part of a payment that an update can change (pitfall AC3).
fn payment_status(body: &Map<String, Value>) -> Result<BTreeMap<String, FieldValue>, ApiError> {
    if ["amount", "currency", "paymentid"].iter().any(|key| body.contains_key(*key)) {
        return Err(ApiError::bad_request(
            "Cannot update amount, currency, or paymentid fields for existing payment action.",
        )
        .refused(("fixed_payment", "an update of a payment changes only `status` (AC3)")));
    }
    match body.get("status") {
        None => Ok(BTreeMap::new()),
        Some(Value::String(status)) if PaymentStatus::KNOWN.contains(&status.as_str().into()) => {
            Ok([("status".to_owned(), status.as_str().into())].into())
        }
        Some(_) => {
            let known: Vec<_> = PaymentStatus::KNOWN.iter().map(PaymentStatus::as_str).collect();
            Err(ApiError::validation("A payment has no such status")
                .refused(("unknown_payment_status", format!("use one of {}", known.join(", ")))))
        }
    }
}

/// Whether this loss refuses the update. Fields that the action does not have are dropped without
/// an error, as in the update of a lead.
fn is_refused(workspace: &Workspace, action: &Action, finding: &Finding) -> bool {
    let ActionKind::Custom(code) = action.kind() else {
        return false;
    };
    let definition = workspace.action(&code);
    finding.is_loss()
        && match &finding.path {
            FieldPath::ActionField(_, name) => definition.is_some_and(|d| d.field(name).is_some()),
            FieldPath::ActionKey(_, key) => key == "fields",
            _ => true,
        }
}

fn fixed_time() -> Finding {
    Finding::new(
        FieldPath::ActionKey(0, "created_on".to_owned()),
        FindingKind::FieldDropped,
        Certainty::Inferred,
        "an update cannot change the time of an action",
    )
}

fn not_found(id: &str) -> ApiError {
    let cause = ("unknown_action", "no entry on the timeline of this lead has this ID");
    ApiError::not_found("ACTION_NOT_FOUND", format_args!("Action with ID {id} was not found."))
        .refused(cause)
}

fn built_in(entry: &StoredAction, verb: &str) -> ApiError {
    let message = format!(
        "telecrm itself has added this {}; read it with the timeline search",
        entry.type_name()
    );
    ApiError::bad_request(format_args!("Only custom actions and payment actions can be {verb}"))
        .refused(("built_in_action", message))
}
