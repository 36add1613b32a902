//! Leads of the Sync API.

use super::actions;
use super::answers::{
    Created, Found, PAGE_LIMIT, action_results, lead_not_found, searched, unknown_lead, updated,
};
use super::remarks::{message, remarks};
use super::search::Filter;
use crate::app::App;
use crate::http::response::LEAD_NOT_FOUND;
use crate::http::{ApiError, JsonBody, Params};
use crate::log::Effect;
use crate::profile::{
    ActionCodes, AssigneeAndStatuses, BadValues, ComputedFields, LeadAttributes, SearchIds,
    UnknownLabels,
};
use crate::repairs;
use crate::store::lead::{LeadFields, ShownAction};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Extension, IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use telecrm_core::workspace::{FieldDefinition, FieldType};
use telecrm_core::{Certainty, FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace};

/// `POST /lead`: drops values that it cannot store, and lists them in `remarks`.
pub(super) async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut lead = read_lead(body)?;
    let actions = std::mem::take(lead.actions_mut());
    let profile = &app.profile();
    let mut store = app.store();
    let workspace = store.workspace();
    let mut accepted = workspace.accept(&lead);
    let (of_actions, findings) = actions::accept(workspace, &actions, profile)?;
    if profile.bad_values == BadValues::Refused {
        refuse_bad_values(workspace, &lead, &accepted.findings)?;
    }
    accepted.actions = of_actions;
    accepted.findings.extend(findings);
    let mut findings = accepted.findings.clone();
    let remarks = remarks(workspace, &actions, &findings);
    repairs::suggest(workspace, &lead, &mut findings);
    let identifier = workspace.identifier().api_name().to_owned();
    if let Some(key) = &accepted.identifier
        && store.has_identifier(key)
    {
        let message = format!(
            "a lead with the {identifier} {key} exists; update it by its ID, or use the Async API"
        );
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "LEAD_ALREADY_EXISTS",
            format_args!("A lead with the same {identifier} already exists"),
        )
        .refused(("lead_already_exists", message)));
    }
    let is_prefixed = profile.action_codes == ActionCodes::Prefixed;
    let Some(written) = store.upsert(accepted, Vec::new(), is_prefixed) else {
        let reason = findings.first().map(|finding| format!("{finding:#}")).unwrap_or_default();
        let is_missing = lead.get(&identifier).is_none();
        let cause = if is_missing { "missing_identifier" } else { "invalid_identifier" };
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "INVALID_LEAD",
            format_args!("The lead identifier field {identifier} is missing or invalid"),
        )
        .refused((cause, reason))
        .because(findings));
    };
    let answer = Json(Created {
        lead_id: &written.lead_id,
        actions: action_results(actions.len(), &written),
        remarks,
    })
    .into_response();
    let effect = Effect::written(Some(written.stored), findings);
    Ok((StatusCode::CREATED, Extension(effect), answer))
}

/// Reads the body of a request that writes a lead.
pub(super) fn read_lead(body: Value) -> Result<Lead, ApiError> {
    Lead::from_json(body).map_err(|error| {
        let message = format!("{error:#}");
        ApiError::bad_request(error).refused(("invalid_lead", message))
    })
}

/// The answer to reading a lead.
#[derive(Serialize)]
struct Read<'a> {
    id: &'a str,
    fields: LeadFields<'a>,
    #[serde(flatten)]
    timeline: Option<Timeline<'a>>,
}

/// The page of the timeline that is read together with its lead.
#[derive(Serialize)]
struct Timeline<'a> {
    actions: Vec<ShownAction<'a>>,
    actions_skip: usize,
    actions_limit: usize,
}

/// `GET /lead/{leadId}`.
pub(super) async fn get(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    let profile = &app.profile();
    let page = if params.flag("includeActions")? { Some(params.page(PAGE_LIMIT)?) } else { None };
    let store = app.store();
    let lead = store.find(&id).ok_or_else(|| {
        ApiError::not_found(LEAD_NOT_FOUND, format_args!("The lead with ID {id} was not found."))
            .refused(unknown_lead(&store, &id))
    })?;
    // Users report `employeeid` inside `fields` here, unlike in the rows of a search.
    let has_employee = profile.lead_attributes != LeadAttributes::Fields;
    let timeline = page.map(|page| {
        let actions = page.of(lead.timeline());
        Timeline {
            actions: actions.map(|entry| actions::shown(entry, profile)).collect(),
            actions_skip: page.skip,
            actions_limit: page.limit,
        }
    });
    let has_computed = profile.computed_fields == ComputedFields::Shown;
    let fields = lead.fields().with_employee(has_employee).with_computed(has_computed);
    let answer = Read { id: &lead.id, fields, timeline };
    Ok(Json(answer).into_response())
}

/// `POST /lead/{leadId}`: one bad value refuses the whole update.
pub(super) async fn update(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut store = app.store();
    store.find(&id).ok_or_else(|| lead_not_found(&store, &id))?;
    let Some(Value::Object(fields)) = body.get("fields") else {
        let message = "the body is not an object with the object `fields`";
        return Err(ApiError::bad_request("`fields` must be an object")
            .refused(("missing_fields", message)));
    };
    let workspace = store.workspace();
    if fields.contains_key(workspace.identifier().api_name()) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "INVALID_LEAD",
            "Cannot modify lead identifier field",
        )
        .refused((
            "identifier_in_update",
            "leave the identifier out, even if its value is the same (LE1)",
        )));
    }
    let mut accepted = BTreeMap::new();
    let mut created = Vec::new();
    let mut findings = Vec::new();
    for (name, value) in fields {
        let written = FieldValue::from(value.clone());
        let outcome = workspace.accept_field(name, &written);
        let finding = outcome.finding(FieldPath::Field(name.clone()));
        let drops_labels = app.profile().unknown_labels == UnknownLabels::Dropped;
        if outcome.is_dropped() && is_refused(workspace, name, value, drops_labels) {
            let reason = finding.iter().map(|f| message(workspace, &[], f)).collect::<String>();
            let explained =
                finding.iter().map(|finding| format!("{finding:#}")).collect::<String>();
            return Err(ApiError::validation(reason)
                .refused(("invalid_value", explained))
                .because(finding.into_iter().collect()));
        }
        findings.extend(finding.map(|mut finding| {
            let repaired = finding.is_loss().then(|| repairs::repaired(workspace, name, &written));
            let repaired = repaired.flatten().map(|repaired| format!("write `{repaired}`"));
            finding.suggestion = repaired.or(finding.suggestion);
            finding
        }));
        created.extend(outcome.created().iter().map(|label| (name.clone(), label.clone())));
        if let Some(value) = outcome.stored() {
            accepted.insert(name.clone(), value);
        }
    }
    findings.extend(ignored_by_update(&body));
    let effect = updated(&id, &accepted, findings);
    let updated = store.update(&id, accepted, &created);
    let lead = updated.ok_or_else(|| ApiError::lead_not_found(&id))?;
    let answer = json!({ "fields": lead.fields() });
    Ok((Extension(effect), Json(answer)))
}

/// Findings for everything except `fields`, which an update ignores.
fn ignored_by_update(body: &Value) -> Vec<Finding> {
    let lead = Lead::from_json(body.clone()).unwrap_or_default();
    let ignored = |path, kind| {
        let mut finding =
            Finding::new(path, kind, Certainty::Inferred, "an update reads only `fields`");
        finding.pitfall = Some("AS6".into());
        finding
    };
    let actions = (0..lead.actions().len())
        .map(|index| ignored(FieldPath::Action(index), FindingKind::ActionDropped));
    let keys = lead.extra().iter().filter(|(_, value)| !value.is_null());
    let keys = keys.map(|(key, _)| ignored(FieldPath::Key(key.clone()), FindingKind::FieldDropped));
    actions.chain(keys).collect()
}

/// `POST /lead/search`.
pub(super) async fn search(
    State(app): State<App>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let profile = &app.profile();
    let page = params.page(PAGE_LIMIT)?;
    let store = app.store();
    let (filter, unread) = Filter::read(&body, &store, profile.status_case)?;
    if profile.assignee_and_statuses == AssigneeAndStatuses::Fails
        && filter.is_assignee_and_statuses()
    {
        return Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_SERVER_ERROR",
            "Something went wrong",
        )
        .refused((
            "assignee_and_statuses",
            "a search for an assignee and several statuses fails (LE10); send one search a status",
        )));
    }
    let found: Vec<_> = filter.run(&store).collect();
    let has_id = profile.search_ids == SearchIds::Yes;
    let has_computed = profile.computed_fields == ComputedFields::Shown;
    let answer =
        Found::new(page, &found, |lead| lead.row(profile.lead_attributes, has_id, has_computed));
    Ok(searched(answer, unread))
}

/// Whether this dropped value refuses the request. Unknown fields and labels are dropped without an
/// error instead (pitfalls LE8, EN3).
fn is_refused(workspace: &Workspace, name: &str, value: &Value, drops_labels: bool) -> bool {
    let is_label = |field: &FieldDefinition| {
        matches!(field.field_type, FieldType::Status | FieldType::LostReason) && value.is_string()
    };
    let field = workspace.field(name);
    field.is_some_and(|field| !(drops_labels && is_label(field)))
}

fn refuse_bad_values(
    workspace: &Workspace,
    lead: &Lead,
    findings: &[Finding],
) -> Result<(), ApiError> {
    let refused = findings.iter().find(|finding| match &finding.path {
        FieldPath::Field(name) if finding.kind == FindingKind::FieldDropped => {
            let value = lead.get(name).map(FieldValue::as_json);
            value.is_some_and(|value| is_refused(workspace, name, value, true))
        }
        _ => false,
    });
    match refused {
        None => Ok(()),
        Some(finding) => Err(ApiError::validation(message(workspace, &[], finding))
            .refused(("invalid_value", format!("{finding:#}")))
            .because(vec![finding.clone()])),
    }
}
