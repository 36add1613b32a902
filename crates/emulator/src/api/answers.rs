//! Answers that several operations share.

use crate::http::Page;
use crate::log::Effect;
use crate::store::Written;
use axum::response::{IntoResponse, Response};
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

/// What an update stored, which may be nothing.
pub(super) fn updated(
    id: &str,
    fields: &BTreeMap<String, FieldValue>,
    findings: Vec<Finding>,
) -> Effect {
    if fields.is_empty() {
        return Effect { stored: None, findings };
    }
    Effect::new(&json!({ "id": id, "fields": fields }), findings)
}

/// Attaches findings to an answer for the log.
pub(super) fn with_findings(answer: impl IntoResponse, findings: Vec<Finding>) -> Response {
    let mut response = answer.into_response();
    if !findings.is_empty() {
        response.extensions_mut().insert(Effect { stored: None, findings });
    }
    response
}
