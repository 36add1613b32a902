//! Answers that several operations share.

use crate::http::{ApiError, Page};
use crate::log::Effect;
use crate::store::{Store, Written};
use axum::Json;
use axum::response::{Extension, IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use telecrm_core::{FieldValue, Finding};

/// The largest page of leads and actions.
pub(super) const PAGE_LIMIT: usize = 100;

/// The answer to the creation of a lead or of actions.
#[derive(Serialize)]
pub(super) struct Created<'a> {
    pub(super) lead_id: &'a str,
    pub(super) actions: Vec<ActionResult<'a>>,
    pub(super) remarks: Vec<Value>,
}

/// What happened to an action of the request.
#[derive(Serialize)]
pub(super) struct ActionResult<'a> {
    action_id: Option<&'a str>,
    status: &'static str,
}

/// The results of all actions, in the order of the request.
pub(super) fn action_results(count: usize, written: &Written) -> Vec<ActionResult<'_>> {
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

/// The answer to a search.
#[derive(Serialize)]
pub(super) struct Found<T> {
    data: Vec<T>,
    total_count: usize,
    skip: usize,
    limit: usize,
}

impl<T> Found<T> {
    /// The rows of this page.
    pub(super) fn new<I>(page: Page, found: &[I], row: impl FnMut(&I) -> T) -> Self {
        Self {
            data: page.of(found.iter()).map(row).collect(),
            total_count: found.len(),
            skip: page.skip,
            limit: page.limit,
        }
    }
}

/// The answer if no lead has this ID.
pub(super) fn lead_not_found(store: &Store, id: &str) -> ApiError {
    ApiError::lead_not_found(id).refused(unknown_lead(store, id))
}

/// Why no lead has this ID: the cause, and what to do.
pub(super) fn unknown_lead(store: &Store, id: &str) -> (&'static str, &'static str) {
    let key = store.workspace().identifier_key(&id.into());
    if key.is_some_and(|key| store.has_identifier(&key)) {
        (
            "identifier_as_id",
            "the path has the identifier of a lead; search for the lead's ID first",
        )
    } else if store.find(&id.to_lowercase()).is_some() {
        ("id_in_other_case", "the ID of the lead is in lower case")
    } else {
        ("unknown_lead", "no lead has this ID; a reset or a new start gives leads other IDs")
    }
}

/// What an update stored, which may be nothing.
pub(super) fn updated(
    id: &str,
    fields: &BTreeMap<String, FieldValue>,
    findings: Vec<Finding>,
) -> Effect {
    if fields.is_empty() {
        return Effect::written(None, findings);
    }
    Effect::new(&json!({ "id": id, "fields": fields }), findings)
}

/// Attaches to the answer of a search what the log says about it.
pub(super) fn searched<T: Serialize>(answer: Found<T>, findings: Vec<Finding>) -> Response {
    let effect = Effect { found: Some(answer.total_count), findings, ..Effect::default() };
    (Extension(effect), Json(answer)).into_response()
}
