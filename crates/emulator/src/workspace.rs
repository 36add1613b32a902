//! Metadata of the Sync API, answered from the seed as it is.

use crate::App;
use crate::answer::{ApiError, Params};
use crate::profile::{IdentifierField, PipelineShape};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};
use telecrm_core::ActionCode;

/// What of a field is shown without `detail`.
const FIELD_SUMMARY: [&str; 6] = [
    "type",
    "apiName",
    "lockAfterCreate",
    "isLeadid",
    "options",
    "tags",
];

/// What of a custom action is shown without `detail`.
const ACTION_SUMMARY: [&str; 4] = ["code", "displayName", "score", "source"];

/// `GET /metadata`.
pub(crate) async fn metadata(State(app): State<App>) -> Json<Value> {
    const IDENTIFIER: &str = "leadIdentifierFieldId";
    let store = app.store();
    let name = store.workspace().identifier().api_name();
    // A seed need not have it, and the lock file of a workspace has no ID; clients need no more of it than this.
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

/// `GET /custom-fields`: the items have two shapes (pitfall EN1).
pub(crate) async fn custom_fields(
    State(app): State<App>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let detail = params.flag("detail")?;
    let store = app.store();
    let fields = &store.answers().custom_fields;
    Ok(Json(match detail {
        true => json!({ "customFields": fields }),
        false => {
            let summaries = fields.iter().map(|field| summary(field, &FIELD_SUMMARY));
            json!({ "customFields": summaries.collect::<Vec<_>>() })
        }
    }))
}

/// `GET /custom-fields/{apiName}`: case-sensitive (pitfall EN2).
pub(crate) async fn custom_field(
    State(app): State<App>,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    match find(&app.store().answers().custom_fields, "apiName", |known| {
        known == name
    }) {
        Some(field) => Ok(field),
        None => Err(ApiError::not_found(
            "NOT_FOUND",
            format_args!("Could not find custom field with apiName {name}"),
        )),
    }
}

/// `GET /custom-actions`.
pub(crate) async fn custom_actions(
    State(app): State<App>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let detail = params.flag("detail")?;
    let store = app.store();
    let actions = &store.answers().custom_actions;
    Ok(Json(match detail {
        true => json!({ "customActions": actions }),
        false => {
            let summaries = actions
                .iter()
                .map(|action| summary(action, &ACTION_SUMMARY));
            json!({ "customActions": summaries.collect::<Vec<_>>() })
        }
    }))
}

/// `GET /custom-actions/{code}`: wants the prefix (pitfall EN4).
pub(crate) async fn custom_action(
    State(app): State<App>,
    Path((_, code)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    // However the seed writes it.
    let is_asked_for = |known: &str| {
        let known = known.parse::<ActionCode>();
        known.is_ok_and(|known| known.prefixed() == code)
    };
    match find(&app.store().answers().custom_actions, "code", is_asked_for) {
        Some(action) => Ok(action),
        None => Err(ApiError::not_found(
            "NOT_FOUND",
            format_args!("Custom action with code {code} was not found."),
        )),
    }
}

/// `GET /lead-stage-pipeline`.
pub(crate) async fn pipeline(State(app): State<App>) -> Json<Value> {
    let store = app.store();
    Json(match (&store.answers().pipeline, app.profile().pipeline) {
        (Some(pipeline), PipelineShape::Flat) => flat(pipeline),
        (pipeline, _) => json!(pipeline),
    })
}

/// The pipeline as it is reported: statuses and lost reasons at the top.
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
    for (key, is_archived) in [
        ("activeLeadLostReasons", false),
        ("archivedLeadLostReasons", true),
    ] {
        let listed = flat.remove(key).unwrap_or_default();
        reasons.extend(
            items(&listed)
                .into_iter()
                .map(|reason| archived(reason, is_archived)),
        );
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

/// Some keys of an item, with labels in place of options.
fn summary(item: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    let labels = |value: &Value| match value {
        Value::Array(options) => {
            let label = |option: &Value| option.get("label").unwrap_or(option).clone();
            options.iter().map(label).collect()
        }
        other => other.clone(),
    };
    keys.iter()
        .filter_map(|&key| Some((key.to_owned(), labels(item.get(key)?))))
        .collect()
}
