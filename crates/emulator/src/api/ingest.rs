//! The Async API: accepts a lead, answers at once, and lets the background worker store it.

use super::leads::read_lead;
use crate::app::App;
use crate::background;
use crate::faults::FaultKind;
use crate::http::{ApiError, JsonBody};
use crate::log::exchange::BodySlot;
use crate::log::{Effect, LogEntry, Logged};
use crate::operations;
use crate::profile::AsyncAnswer;
use crate::store::{Processing, QueuedLead};
use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{Extension, Html, IntoResponse};
use serde_json::{Value, json};
use telecrm_core::FindingKind;

const PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>telecrm</title></head><body>OK</body></html>\n";

/// `POST /autoupdatelead`: 200 only means that the lead is in the queue (pitfall AS5).
pub(super) async fn push(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    fault: Option<Extension<FaultKind>>,
    Extension(slot): Extension<BodySlot>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let lead = read_lead(body)?;
    let async_answer = app.profile().async_answer;
    let Ok(place) = app.queue.reserve() else {
        return Err(ApiError::too_many("Too many leads are waiting to be processed")
            .refused(("full_queue", "the emulator keeps 10,000 waiting leads; send more slowly")));
    };
    let mut entry = LogEntry::new(&method, &uri, Some(operations::INGEST));
    entry.status = match async_answer {
        AsyncAnswer::NoContent => StatusCode::NO_CONTENT.as_u16(),
        _ => StatusCode::OK.as_u16(),
    };
    entry.fault = fault.as_ref().map(|fault| fault.name());
    let processing = fault.map(|fault| fault.processing()).unwrap_or_default();
    let delay = match processing {
        Processing::Later(delay) => app.config.processing_delay.saturating_add(delay),
        _ => app.config.processing_delay,
    };
    // Locked, so that no reset happens between the log entry and the queue. The entry must exist
    // before the worker completes it.
    let mut store = app.store();
    let seq = app.log.append(entry, Effect::default(), None);
    let mut ticket = None;
    if processing != Processing::Never {
        let queued =
            QueuedLead { lead, processing, delay, seq: Some(seq), repeated: slot.repeated() };
        ticket = Some(app.queue.push(place, &mut store, queued));
    }
    drop(store);
    let answer = match async_answer {
        AsyncAnswer::Legacy => {
            // This answer has the outcome. A fault that holds the lead back leaves it empty.
            if let Some(ticket) = ticket.filter(|_| processing == Processing::default()) {
                background::process(&app, ticket);
            }
            Json(legacy(&app, seq)).into_response()
        }
        AsyncAnswer::Queued => Json(json!({ "status": "QUEUED" })).into_response(),
        AsyncAnswer::Ok => "OK".into_response(),
        AsyncAnswer::Accepted => Json(json!({ "result": "Accepted" })).into_response(),
        AsyncAnswer::NoContent => StatusCode::NO_CONTENT.into_response(),
        AsyncAnswer::Html => Html(PAGE).into_response(),
    };
    Ok((Extension(Logged(seq)), answer))
}

/// The answer of the older host, which processes the lead first.
fn legacy(app: &App, seq: u64) -> Value {
    let entry = app.log.since(seq - 1).into_iter().next();
    let stored = entry.as_ref().and_then(|entry| entry.stored.clone()).unwrap_or_default();
    let identifier = app.store().workspace().identifier().api_name().to_owned();
    let lost = entry.iter().flat_map(|entry| &entry.findings);
    let lost = lost.filter(|finding| finding.kind == FindingKind::LeadDropped);
    let errors: Vec<_> = lost.map(|finding| finding.reason.as_str()).collect();
    json!({
        "status": if errors.is_empty() { "updated" } else { "error" },
        "modifiedLeadIds": stored.get("id").into_iter().collect::<Vec<_>>(),
        "errorString": errors.join(", "),
        "uniqueIdentifier": stored["fields"].get(&identifier).cloned().unwrap_or_else(|| "".into()),
    })
}
