//! The workspace of the Sync API: metadata, fields, actions and pipeline, as the seed has them.

use crate::app::App;
use crate::http::{ApiError, Params};
use crate::profile::{IdentifierField, PipelineShape};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};
use telecrm_core::ActionCode;

/// The keys of a field without `detail`.
const FIELD_SUMMARY: [&str; 6] =
    ["type", "apiName", "lockAfterCreate", "isLeadid", "options", "tags"];

/// The keys of a custom action without `detail`.
const ACTION_SUMMARY: [&str; 4] = ["code", "displayName", "score", "source"];

/// `GET /metadata`.
pub(super) async fn metadata(State(app): State<App>) -> Json<Value> {
    const IDENTIFIER: &str = "leadIdentifierFieldId";
    let store = app.store();
    let name = store.workspace().identifier().api_name();
    // A seed may lack the metadata, and a lock file never has the ID. Clients need only these keys.
    let mut metadata = json!({ "id": app.config.enterprise, IDENTIFIER: name });
    for (key, value) in store.answers().metadata.iter().flatten() {
        metadata[key] = value.clone();
    }
    match app.profile().identifier_field {
        IdentifierField::AsSeeded => {}
        IdentifierField::ApiName => metadata[IDENTIFIER] = name.into(),
        IdentifierField::Id => {
            let field = store.workspace().field(name);
            let id = field.and_then(|field| field.id.as_deref());
            metadata[IDENTIFIER] = id.unwrap_or(name).into();
        }
    }
    Json(metadata)
}

/// `GET /custom-fields`, in one of two shapes (pitfall EN1).
pub(super) async fn custom_fields(
    State(app): State<App>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let detail = params.flag("detail")?;
    let store = app.store();
    let fields = &store.answers().custom_fields;
    Ok(Json(json!({ "customFields": listed(fields, detail, &FIELD_SUMMARY) })))
}

/// `GET /custom-fields/{apiName}`, with a case-sensitive name (pitfall EN2).
pub(super) async fn custom_field(
    State(app): State<App>,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let store = app.store();
    find(&store.answers().custom_fields, "apiName", |known| known == name).ok_or_else(|| {
        let cause = match store.workspace().field_like(&name) {
            Some(field) => {
                ("name_in_other_case", format!("the API name is `{}` (EN2)", field.api_name))
            }
            None => ("unknown_field", "the workspace has no such field".to_owned()),
        };
        ApiError::missing(format_args!("Could not find custom field with apiName {name}"))
            .refused(cause)
    })
}

/// `GET /custom-actions`.
pub(super) async fn custom_actions(
    State(app): State<App>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let detail = params.flag("detail")?;
    let store = app.store();
    let actions = &store.answers().custom_actions;
    Ok(Json(json!({ "customActions": listed(actions, detail, &ACTION_SUMMARY) })))
}

/// `GET /custom-actions/{code}`, with the prefix of the code (pitfall EN4).
pub(super) async fn custom_action(
    State(app): State<App>,
    Path((_, code)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    // The seed may write the code with or without the prefix.
    let is_asked_for = |known: &str| {
        let known = known.parse::<ActionCode>();
        known.is_ok_and(|known| known.prefixed() == code)
    };
    let store = app.store();
    let has_action = |code: &ActionCode| store.workspace().action(code).is_some();
    find(&store.answers().custom_actions, "code", is_asked_for).ok_or_else(|| {
        let parsed = code.parse::<ActionCode>().ok().filter(|code| has_action(code));
        let cause = match parsed {
            Some(code) => {
                let message = format!("write the code as {} in the path (EN4)", code.prefixed());
                ("bare_code", message)
            }
            None => ("unknown_action", "the workspace has no such custom action".to_owned()),
        };
        ApiError::missing(format_args!("Custom action with code {code} was not found."))
            .refused(cause)
    })
}

/// `GET /lead-stage-pipeline`.
pub(super) async fn pipeline(State(app): State<App>) -> Json<Value> {
    let store = app.store();
    Json(match (&store.answers().pipeline, app.profile().pipeline) {
        (Some(pipeline), PipelineShape::Flat) => flat(pipeline),
        (pipeline, _) => json!(pipeline),
    })
}

/// The pipeline as users report it, with statuses and lost reasons at the top level.
fn flat(pipeline: &Map<String, Value>) -> Value {
    let items = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let archived = |mut item: Value, is_archived: bool| {
        item["isArchived"] = is_archived.into();
        item
    };
    let mut flat = pipeline.clone();
    if let Some(stages) = flat.remove("leadStages") {
        let mut statuses = Vec::new();
        for stage in items(&stages) {
            for (key, is_archived) in [("activeStatuses", false), ("archivedStatuses", true)] {
                for status in items(&stage[key]) {
                    let mut status = archived(status, is_archived);
                    status["stageType"] = stage["stageType"].clone();
                    statuses.push(status);
                }
            }
        }
        flat.insert("statuses".to_owned(), statuses.into());
    }
    let mut reasons = Vec::new();
    for (key, is_archived) in [("activeLeadLostReasons", false), ("archivedLeadLostReasons", true)]
    {
        let listed = flat.remove(key).unwrap_or_default();
        reasons.extend(items(&listed).into_iter().map(|reason| archived(reason, is_archived)));
    }
    flat.entry("lostReasons").or_insert(reasons.into());
    flat.into()
}

fn find(
    items: &[Map<String, Value>],
    key: &str,
    is_meant: impl Fn(&str) -> bool,
) -> Option<Json<Value>> {
    let mut items = items.iter();
    let item = items.find(|item| item.get(key).and_then(Value::as_str).is_some_and(&is_meant))?;
    Some(Json(json!(item)))
}

/// The items, with all their keys or only with these.
fn listed(items: &[Map<String, Value>], detail: bool, keys: &[&str]) -> Value {
    if detail {
        return json!(items);
    }
    items.iter().map(|item| summary(item, keys)).collect()
}

/// Some keys of an item, with labels instead of options.
fn summary(item: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    let labels = |value: &Value| match value {
        Value::Array(options) => {
            let label = |option: &Value| option.get("label").unwrap_or(option).clone();
            options.iter().map(label).collect()
        }
        other => other.clone(),
    };
    keys.iter().filter_map(|&key| Some((key.to_owned(), labels(item.get(key)?)))).collect()
}
