//! The Async API: leads are queued, answered at once, and applied in the background.

use crate::answer::{ApiError, JsonBody};
use crate::exchange::Slot;
use crate::faults::{Applied, Processing};
use crate::log::{Call, Effect, Logged};
use crate::profile::{AsyncAnswer, SystemNotes};
use crate::store::{Store, Waiting};
use crate::{App, World, clock};
use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{Extension, Html, IntoResponse};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use telecrm_core::{FieldPath, FieldValue, Lead};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::watch;
use tokio::time::Instant;

/// How many leads may wait. More are refused as telecrm refuses too many requests.
const CAPACITY: usize = 10_000;

/// The operation's ID in the OpenAPI description.
pub(crate) const OPERATION: &str = "createOrUpdateLead";

/// Leads on their way into the store.
pub(crate) struct Queue {
    sender: mpsc::Sender<Job>,
    queued: AtomicU64,
    is_open: AtomicBool,
    done: watch::Receiver<u64>,
}

/// A lead that the store has: it is forgotten where the store is reset.
struct Job {
    ticket: u64,
    due: Instant,
    processing: Processing,
}

/// The background task's side of the queue.
pub(crate) struct Worker {
    receiver: mpsc::Receiver<Job>,
    done: watch::Sender<u64>,
}

impl Queue {
    pub(crate) fn new() -> (Self, Worker) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let (done, watched) = watch::channel(0);
        let queue = Self {
            sender,
            queued: AtomicU64::new(0),
            is_open: AtomicBool::new(false),
            done: watched,
        };
        (queue, Worker { receiver, done })
    }

    /// A place for one more lead, if there is one. None is needed as long as leads only wait in the store.
    fn place(&self) -> Result<Option<mpsc::Permit<'_, Job>>, TrySendError<()>> {
        match self.is_open.load(Ordering::SeqCst) {
            true => self.sender.try_reserve().map(Some),
            false => Ok(None),
        }
    }

    /// Queues what waits in the store, and from now on everything that comes.
    pub(crate) fn open(&self, store: &Store) {
        self.is_open.store(true, Ordering::SeqCst);
        for (ticket, waiting) in store.waiting() {
            let job = Job {
                ticket,
                due: clock::after(waiting.delay),
                processing: waiting.processing,
            };
            // No more can wait than there is room for.
            if self.sender.try_send(job).is_ok() {
                self.queued.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Waits until everything that has been queued so far is applied.
    pub(crate) async fn settle(&self) {
        let queued = self.queued.load(Ordering::SeqCst);
        // An error means that the worker has stopped, and then there is nothing to wait for.
        let _ = self.done.clone().wait_for(|done| *done >= queued).await;
    }
}

impl Worker {
    /// Applies the leads one by one, in the order in which they came unless a fault wants another.
    pub(crate) async fn run(mut self, world: Arc<World>) {
        let mut overtaken = Vec::new();
        let mut returns = world.returns.subscribe();
        while let Some(job) = self.receiver.recv().await {
            if job.processing == Processing::AfterNext {
                overtaken.push(job);
            } else {
                let forgotten = async {
                    // An error would mean that there is no emulator any more.
                    while returns.changed().await.is_ok() && world.store().is_waiting(job.ticket) {}
                };
                tokio::select! {
                    () = clock::wait_until(job.due) => {}
                    () = forgotten => {}
                }
                world.apply(job.ticket);
                for job in overtaken.drain(..) {
                    world.apply(job.ticket);
                }
            }
            self.done.send_modify(|done| *done += 1);
        }
    }
}

impl World {
    /// Processes the lead with this ticket, unless it was forgotten.
    pub(crate) fn apply(&self, ticket: u64) {
        let mut store = self.store();
        let Some(waiting) = store.dequeue(ticket) else {
            return;
        };
        let mut effect = self.process(&mut store, &waiting.lead);
        if waiting.processing == Processing::Twice {
            effect = self.process(&mut store, &waiting.lead);
        }
        effect.findings.extend(waiting.repeated);
        if let Some(seq) = waiting.seq {
            self.log.complete(seq, effect);
        }
        if let Some(recorder) = &self.recorder {
            recorder.processed(ticket, store.turn, store.now);
        }
    }

    fn process(&self, store: &mut Store, lead: &Lead) -> Effect {
        let accepted = store.workspace().accept(lead);
        let mut findings = accepted.findings.clone();
        let written = store.upsert(accepted);
        if let Some(written) = &written
            && self.profile().system_notes == SystemNotes::Kept
        {
            for (index, note) in notes(lead) {
                store.record(&written.lead_id, SYSTEM_NOTE.to_owned(), note);
                findings.retain(|finding| finding.path != FieldPath::Action(index));
            }
        }
        let stored = written.map(|written| written.stored);
        Effect { stored, findings }
    }
}

const SYSTEM_NOTE: &str = "SYSTEM_NOTE";

/// The keys beside `type` of the notes that come with a lead, by their places.
fn notes(lead: &Lead) -> impl Iterator<Item = (usize, BTreeMap<String, FieldValue>)> {
    let actions = lead.actions().iter().enumerate();
    let notes = actions
        .filter(|(_, action)| action.key("type").and_then(FieldValue::as_str) == Some(SYSTEM_NOTE));
    notes.map(|(index, note)| {
        let mut keys = note.keys().clone();
        keys.remove("type");
        (index, keys)
    })
}

/// `POST /autoupdatelead`: 200 says no more than that the lead is queued (pitfall AS5).
pub(crate) async fn push(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    fault: Option<Extension<Applied>>,
    Extension(slot): Extension<Slot>,
    JsonBody(body): JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let lead = Lead::from_json(body).map_err(ApiError::bad_request)?;
    let async_answer = app.profile().async_answer;
    let queue = &app.queue;
    let Ok(place) = queue.place() else {
        return Err(ApiError::too_many(
            "Too many leads are waiting to be processed",
        ));
    };
    // The entry must be there before the worker completes it.
    let call = Call {
        method: method.to_string(),
        path: uri.path().to_owned(),
        operation: Some(OPERATION),
        status: match async_answer {
            AsyncAnswer::NoContent => StatusCode::NO_CONTENT.as_u16(),
            _ => StatusCode::OK.as_u16(),
        },
        fault: fault.as_ref().map(|fault| fault.name()),
    };
    let processing = fault.map(|fault| fault.processing()).unwrap_or_default();
    let delay = match processing {
        Processing::Later(delay) => app.config.processing_delay.saturating_add(delay),
        _ => app.config.processing_delay,
    };
    // Held, so that no reset comes in between.
    let mut store = app.store();
    let seq = app.log.append(call, Effect::default(), None);
    if processing != Processing::Never {
        let ticket = store.enqueue(Waiting {
            lead,
            processing,
            delay,
            seq: Some(seq),
            repeated: slot.repeated(),
        });
        if let Some(place) = place {
            queue.queued.fetch_add(1, Ordering::SeqCst);
            place.send(Job {
                ticket,
                due: clock::after(delay),
                processing,
            });
        }
    }
    drop(store);
    let answer = match async_answer {
        AsyncAnswer::Queued => Json(json!({ "status": "QUEUED" })).into_response(),
        AsyncAnswer::Ok => "OK".into_response(),
        AsyncAnswer::NoContent => StatusCode::NO_CONTENT.into_response(),
        AsyncAnswer::Html => Html(PAGE).into_response(),
    };
    Ok((Extension(Logged(seq)), answer))
}

const PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>telecrm</title></head><body>OK</body></html>\n";
