//! Leads of the Sync API: create, get, update, search.

use crate::App;
use crate::answer::{ApiError, JsonBody, Params};
use crate::log::Effect;
use crate::search::Filter;
use crate::store::StoredAction;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Extension, IntoResponse};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use telecrm_core::{
    Action, ActionKind, CodeForm, FieldType, Finding, Lead, Path as Place, Verdict, Workspace,
};

/// `POST /lead`: what cannot be stored is left out, and said in `remarks`.
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut lead = Lead::from_json(body).map_err(ApiError::bad_request)?;
    let actions = std::mem::take(lead.actions_mut());
    if !actions.iter().all(is_writable) {
        return Err(ApiError::bad_request(
            "Only custom actions and payment actions can be created",
        ));
    }
    let mut store = app.store();
    let workspace = store.workspace();
    let mut accepted = workspace.accept(&lead);
    for (index, action) in actions.iter().enumerate() {
        let (action, findings) = workspace.accept_action(index, action, CodeForm::Bare);
        accepted.actions.extend(action);
        accepted.findings.extend(findings);
    }
    let findings = accepted.findings.clone();
    let remarks: Vec<_> = findings
        .iter()
        .filter_map(|finding| remark(workspace, &actions, finding))
        .collect();
    let identifier = workspace.identifier().api_name().to_owned();
    if let Some(key) = &accepted.identifier
        && store.has_identifier(key)
    {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "LEAD_ALREADY_EXISTS",
            format_args!("A lead with the same {identifier} already exists"),
        ));
    }
    let Some(written) = store.upsert(accepted) else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "INVALID_LEAD",
            format_args!("The lead identifier field {identifier} is missing or invalid"),
        )
        .because(findings));
    };
    let actions: Vec<_> = (0..actions.len())
        .map(|index| match written.action_ids.get(&index) {
            Some(id) => json!({ "action_id": id, "status": "CREATED" }),
            None => json!({ "action_id": null, "status": "IGNORED" }),
        })
        .collect();
    let answer = json!({ "lead_id": written.lead_id, "actions": actions, "remarks": remarks });
    let effect = Effect {
        stored: Some(written.stored),
        findings,
    };
    Ok((StatusCode::CREATED, Extension(effect), Json(answer)))
}

/// `GET /lead/{leadId}`.
pub(crate) async fn get(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let page = match params.flag("includeActions")? {
        true => Some(params.page()?),
        false => None,
    };
    let store = app.store();
    let lead = store
        .find(&id)
        .ok_or_else(|| not_found(format_args!("The lead with ID {id} was not found.")))?;
    let mut answer = json!({ "id": lead.id, "fields": lead.fields() });
    if let Some(page) = page {
        let actions = page.of(lead.timeline()).map(StoredAction::to_json);
        answer["actions"] = actions.collect();
        answer["actions_skip"] = page.skip.into();
        answer["actions_limit"] = page.limit.into();
    }
    Ok(Json(answer))
}

/// `POST /lead/{leadId}`: one bad value, and nothing is written.
pub(crate) async fn update(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut store = app.store();
    let unknown = || not_found(format_args!("Lead with ID {id} was not found."));
    store.find(&id).ok_or_else(unknown)?;
    let Some(Value::Object(fields)) = body.get("fields") else {
        return Err(ApiError::bad_request("`fields` must be an object"));
    };
    let workspace = store.workspace();
    if fields.contains_key(workspace.identifier().api_name()) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "INVALID_LEAD",
            "Cannot modify lead identifier field",
        ));
    }
    let mut accepted = BTreeMap::new();
    let mut created = Vec::new();
    let mut findings = Vec::new();
    for (name, value) in fields {
        let verdict = workspace.accept_field(name, &value.clone().into());
        let finding = verdict.finding(Place::Field(name.clone()));
        if is_refused(workspace, name, value, &verdict) {
            let reason = finding
                .iter()
                .map(|f| complaint(workspace, &[], f))
                .collect::<String>();
            return Err(
                ApiError::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", reason)
                    .because(finding.into_iter().collect()),
            );
        }
        findings.extend(finding);
        created.extend(
            verdict
                .created()
                .iter()
                .map(|label| (name.clone(), label.clone())),
        );
        if let Some(value) = verdict.stored() {
            accepted.insert(name.clone(), value);
        }
    }
    let stored = (!accepted.is_empty()).then(|| json!({ "id": id, "fields": accepted }));
    let lead = store.update(&id, accepted, &created).ok_or_else(unknown)?;
    let answer = json!({ "fields": lead.fields() });
    Ok((Extension(Effect { stored, findings }), Json(answer)))
}

/// `POST /lead/search`.
pub(crate) async fn search(
    State(app): State<App>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let page = params.page()?;
    let store = app.store();
    let filter = Filter::read(&body, &store)?;
    let found: Vec<_> = filter.run(&store).collect();
    let rows = page.of(found.iter()).map(|lead| {
        let mut row = json!({ "fields": lead.fields(), "actions": [] });
        if app.config.search_ids {
            row["id"] = lead.id.as_str().into();
        }
        row
    });
    Ok(Json(json!({
        "data": rows.collect::<Vec<_>>(),
        "total_count": found.len(),
        "skip": page.skip,
        "limit": page.limit,
    })))
}

fn not_found(message: impl fmt::Display) -> ApiError {
    ApiError::not_found("LEAD_NOT_FOUND", message)
}

/// Whether the type is one that can be written at all, in whichever spelling.
fn is_writable(action: &Action) -> bool {
    matches!(action.kind(), ActionKind::Payment | ActionKind::Custom(_))
}

/// Whether an update fails for this value. Names and labels that the workspace does not have are
/// dropped in silence instead (pitfalls LE8, EN3).
fn is_refused(workspace: &Workspace, name: &str, value: &Value, verdict: &Verdict) -> bool {
    let drops_labels = |field_type: &FieldType| {
        matches!(field_type, FieldType::Status | FieldType::LostReason) && value.is_string()
    };
    let field = workspace.field(name);
    verdict.is_dropped() && field.is_some_and(|field| !drops_labels(&field.field_type))
}

/// What `remarks` says of a loss.
fn remark(workspace: &Workspace, actions: &[Action], finding: &Finding) -> Option<Value> {
    let place = match &finding.path {
        // Nothing is ever said of keys that telecrm does not know.
        Place::Key(_) => return None,
        Place::Action(index) if is_custom(actions.get(*index)) => {
            Place::ActionKey(*index, "type".to_owned())
        }
        place => place.clone(),
    };
    finding.is_loss().then(|| {
        json!({
            "field": place,
            "status": "IGNORED",
            "remark": complaint(workspace, actions, finding),
        })
    })
}

fn is_custom(action: Option<&Action>) -> bool {
    matches!(action.map(Action::kind), Some(ActionKind::Custom(_)))
}

/// The documented text, where there is one.
fn complaint(workspace: &Workspace, actions: &[Action], finding: &Finding) -> String {
    let field = match &finding.path {
        Place::Field(name) => workspace.field(name),
        Place::ActionField(index, name) => match actions.get(*index).map(Action::kind) {
            Some(ActionKind::Custom(code)) => workspace
                .action(&code)
                .and_then(|action| action.field(name)),
            _ => None,
        },
        _ => None,
    };
    match field.map(|field| &field.field_type) {
        Some(FieldType::Rating) => "Rating must be between 1 and 5".to_owned(),
        Some(FieldType::Email) => "Email is invalid".to_owned(),
        _ => finding.reason.clone(),
    }
}
