//! Leads of the Sync API: create, get, update, search.

use crate::App;
use crate::actions::{self, ActionResult, Found, PAGE_LIMIT, accept as accept_actions, results};
use crate::answer::{ApiError, JsonBody, Params};
use crate::log::{self, Effect};
use crate::profile::{AssigneeAndStatuses, BadValues, LeadAttributes, SearchIds, UnknownLabels};
use crate::remarks::{complaint, remarks};
use crate::search::Filter;
use crate::store::{LeadFields, ShownAction};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Extension, IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use telecrm_core::workspace::{FieldDefinition, FieldType};
use telecrm_core::{
    Certainty, FieldPath as Place, FieldValue, Finding, FindingKind, Lead, Workspace,
};

/// The code for a lead that is not there.
pub(crate) const NOT_FOUND: &str = "LEAD_NOT_FOUND";

/// `POST /lead`: what cannot be stored is left out, and said in `remarks`.
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut lead = Lead::from_json(body).map_err(ApiError::bad_request)?;
    let actions = std::mem::take(lead.actions_mut());
    let profile = &app.profile();
    let mut store = app.store();
    let workspace = store.workspace();
    let mut accepted = workspace.accept(&lead);
    let (of_actions, findings) = accept_actions(workspace, &actions, profile)?;
    if profile.bad_values == BadValues::Refused {
        refuse_bad_values(workspace, &lead, &accepted.findings)?;
    }
    accepted.actions = of_actions;
    accepted.findings.extend(findings);
    let findings = accepted.findings.clone();
    let remarks = remarks(workspace, &actions, &findings);
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
    let answer = Json(Created {
        lead_id: &written.lead_id,
        actions: results(actions.len(), &written),
        remarks,
    })
    .into_response();
    let effect = Effect {
        stored: Some(written.stored),
        findings,
    };
    Ok((StatusCode::CREATED, Extension(effect), answer))
}

/// What is answered once something was created.
#[derive(Serialize)]
pub(crate) struct Created<'a> {
    pub(crate) lead_id: &'a str,
    pub(crate) actions: Vec<ActionResult<'a>>,
    pub(crate) remarks: Vec<Value>,
}

/// A lead as it is read.
#[derive(Serialize)]
struct Read<'a> {
    id: &'a str,
    fields: LeadFields<'a>,
    #[serde(flatten)]
    timeline: Option<Timeline<'a>>,
}

/// A part of the timeline that is read with its lead.
#[derive(Serialize)]
struct Timeline<'a> {
    actions: Vec<ShownAction<'a>>,
    actions_skip: usize,
    actions_limit: usize,
}

/// `GET /lead/{leadId}`.
pub(crate) async fn get(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    let profile = &app.profile();
    let page = match params.flag("includeActions")? {
        true => Some(params.page(PAGE_LIMIT)?),
        false => None,
    };
    let store = app.store();
    let lead = store.find(&id).ok_or_else(|| {
        ApiError::not_found(
            NOT_FOUND,
            format_args!("The lead with ID {id} was not found."),
        )
    })?;
    // Reported inside `fields` here, unlike in the rows of a search.
    let tells_employee = profile.lead_attributes != LeadAttributes::Fields;
    let timeline = page.map(|page| {
        let actions = page.of(lead.timeline());
        Timeline {
            actions: actions
                .map(|entry| actions::shown(entry, profile))
                .collect(),
            actions_skip: page.skip,
            actions_limit: page.limit,
        }
    });
    let answer = Read {
        id: &lead.id,
        fields: lead.fields().with_employee(tells_employee),
        timeline,
    };
    Ok(Json(answer).into_response())
}

/// `POST /lead/{leadId}`: one bad value, and nothing is written.
pub(crate) async fn update(
    State(app): State<App>,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let mut store = app.store();
    let unknown = || not_found(&id);
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
        let drops_labels = app.profile().unknown_labels == UnknownLabels::Dropped;
        if verdict.is_dropped() && is_refused(workspace, name, value, drops_labels) {
            let reason = finding
                .iter()
                .map(|f| complaint(workspace, &[], f))
                .collect::<String>();
            return Err(ApiError::validation(reason).because(finding.into_iter().collect()));
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
    findings.extend(ignored_by_update(&body));
    let stored =
        (!accepted.is_empty()).then(|| log::text(&json!({ "id": id, "fields": accepted })));
    let lead = store.update(&id, accepted, &created).ok_or_else(unknown)?;
    let answer = json!({ "fields": lead.fields() });
    Ok((Extension(Effect { stored, findings }), Json(answer)))
}

/// What stands beside `fields`, of which an update takes nothing.
fn ignored_by_update(body: &Value) -> Vec<Finding> {
    let lead = Lead::from_json(body.clone()).unwrap_or_default();
    let ignored = |path, kind| {
        let mut finding = Finding::new(
            path,
            kind,
            Certainty::Inferred,
            "an update takes nothing beside `fields`",
        );
        finding.pitfall = Some("AS6".into());
        finding
    };
    let actions = (0..lead.actions().len())
        .map(|index| ignored(Place::Action(index), FindingKind::ActionDropped));
    let keys = lead.extra().iter().filter(|(_, value)| !value.is_null());
    let keys = keys.map(|(key, _)| ignored(Place::Key(key.clone()), FindingKind::FieldDropped));
    actions.chain(keys).collect()
}

/// `POST /lead/search`.
pub(crate) async fn search(
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
        ));
    }
    let found: Vec<_> = filter.run(&store).collect();
    let tells_id = profile.search_ids == SearchIds::Yes;
    let rows = page.of(found.iter());
    let answer = Found {
        data: rows
            .map(|lead| lead.row(profile.lead_attributes, tells_id))
            .collect(),
        total_count: found.len(),
        skip: page.skip,
        limit: page.limit,
    };
    Ok(actions::told(Json(answer), unread))
}

pub(crate) fn not_found(id: &str) -> ApiError {
    ApiError::not_found(NOT_FOUND, format_args!("Lead with ID {id} was not found."))
}

/// Whether a request fails for this value, which is dropped. Names and labels that the workspace does not
/// have are dropped in silence instead (pitfalls LE8, EN3).
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
        Place::Field(name) if finding.kind == FindingKind::FieldDropped => {
            let value = lead.get(name).map(FieldValue::as_json);
            value.is_some_and(|value| is_refused(workspace, name, value, true))
        }
        _ => false,
    });
    match refused {
        None => Ok(()),
        Some(finding) => {
            Err(ApiError::validation(complaint(workspace, &[], finding))
                .because(vec![finding.clone()]))
        }
    }
}
