//! Background processing: the queue of leads that the Async API has accepted, and its worker.

use crate::clock;
use crate::log::Effect;
use crate::profile::{ActionCodes, Keys, Profile, SystemNotes, UnknownStatus};
use crate::repairs;
use crate::shared::Shared;
use crate::store::{BuiltInEntry, Processing, QueuedLead, Store};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use telecrm_core::{FieldPath, FieldValue, Finding, Lead, Workspace};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::watch;
use tokio::time::Instant;

/// How many leads can wait. Further leads are answered with 429.
const CAPACITY: usize = 10_000;

/// The type of the notes that some clients post.
const SYSTEM_NOTE: &str = "SYSTEM_NOTE";

/// The sending side of the queue. The store keeps the leads, and the queue their tickets.
pub(crate) struct Queue {
    sender: mpsc::Sender<Job>,
    queued: AtomicU64,
    is_open: AtomicBool,
    done: watch::Receiver<u64>,
}

/// The processing of one lead.
struct Job {
    ticket: u64,
    due: Instant,
    processing: Processing,
}

impl Job {
    fn new(ticket: u64, delay: Duration, processing: Processing) -> Self {
        Self { ticket, due: clock::after(delay), processing }
    }
}

/// The receiving side of the queue.
pub(crate) struct Worker {
    receiver: mpsc::Receiver<Job>,
    done: watch::Sender<u64>,
}

/// A place in the queue. It is empty during a replay, which processes the leads itself.
pub(crate) struct Place<'a>(Option<mpsc::Permit<'a, Job>>);

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

    /// Reserves a place for one lead. Returns an error if the queue is full.
    pub(crate) fn reserve(&self) -> Result<Place<'_>, TrySendError<()>> {
        if !self.is_open.load(Ordering::SeqCst) {
            return Ok(Place(None));
        }
        Ok(Place(Some(self.sender.try_reserve()?)))
    }

    /// Adds a lead to the store, and its ticket to the queue. Returns the ticket.
    pub(crate) fn push(&self, place: Place<'_>, store: &mut Store, lead: QueuedLead) -> u64 {
        let (delay, processing) = (lead.delay, lead.processing);
        let ticket = store.enqueue(lead);
        if let Place(Some(permit)) = place {
            self.queued.fetch_add(1, Ordering::SeqCst);
            permit.send(Job::new(ticket, delay, processing));
        }
        ticket
    }

    /// Opens the queue, with the leads that wait in the store already.
    pub(crate) fn open(&self, store: &Store) {
        self.is_open.store(true, Ordering::SeqCst);
        for (ticket, lead) in store.queue() {
            let job = Job::new(ticket, lead.delay, lead.processing);
            // The store never has more leads than the queue has places.
            if self.sender.try_send(job).is_ok() {
                self.queued.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Waits until all leads that are in the queue now are processed.
    pub(crate) async fn wait_idle(&self) {
        let queued = self.queued.load(Ordering::SeqCst);
        // An error means that the worker has stopped, so there is nothing to wait for.
        let _ = self.done.clone().wait_for(|done| *done >= queued).await;
    }
}

impl Worker {
    /// Processes the leads one by one in the order in which they arrived. Faults can change it.
    pub(crate) async fn run(mut self, shared: Arc<Shared>) {
        let mut postponed = Vec::new();
        let mut resets = shared.resets.subscribe();
        while let Some(job) = self.receiver.recv().await {
            if job.processing == Processing::AfterNext {
                postponed.push(job);
            } else {
                let removed = async {
                    // An error means that the emulator is gone.
                    while resets.changed().await.is_ok() && shared.store().is_queued(job.ticket) {}
                };
                tokio::select! {
                    () = clock::wait_until(job.due) => {}
                    () = removed => {}
                }
                process(&shared, job.ticket);
                for job in postponed.drain(..) {
                    process(&shared, job.ticket);
                }
            }
            self.done.send_modify(|done| *done += 1);
        }
    }
}

/// Processes the lead with this ticket, unless a reset has removed it.
pub(crate) fn process(shared: &Shared, ticket: u64) {
    let mut store = shared.store();
    let Some(queued) = store.dequeue(ticket) else {
        return;
    };
    let profile = shared.profile();
    let mut effect = write(&mut store, &queued.lead, &profile);
    if queued.processing == Processing::Twice {
        effect = write(&mut store, &queued.lead, &profile);
    }
    effect.findings.extend(queued.repeated);
    if let Some(seq) = queued.seq {
        shared.log.complete(seq, effect);
    }
    if let Some(recorder) = &shared.recorder {
        recorder.processed(ticket, store.turn, store.now);
    }
}

fn write(store: &mut Store, lead: &Lead, profile: &Profile) -> Effect {
    let lead = &with_api_names(store.workspace(), lead, profile.keys);
    let mut accepted = store.workspace().accept(lead);
    let mut notes = Vec::new();
    if profile.system_notes == SystemNotes::Kept {
        notes.extend(self::notes(lead));
        let is_kept = |path: &FieldPath| notes.iter().any(|(i, _)| *path == FieldPath::Action(*i));
        accepted.findings.retain(|finding| !is_kept(&finding.path));
    }
    if profile.unknown_status == UnknownStatus::Noted {
        notes.extend(note_about_status(lead, &accepted.findings));
    }
    let mut findings = accepted.findings.clone();
    repairs::suggest(store.workspace(), lead, &mut findings);
    let is_prefixed = profile.action_codes == ActionCodes::Prefixed;
    let written = store.upsert(accepted, notes, is_prefixed);
    Effect::written(written.map(|written| written.stored), findings)
}

/// The lead with API names in place of the other keys by which telecrm may know a field.
fn with_api_names(workspace: &Workspace, lead: &Lead, keys: Keys) -> Lead {
    let mut lead = lead.clone();
    if keys == Keys::Exact {
        return lead;
    }
    for name in lead.fields().keys().cloned().collect::<Vec<_>>() {
        let like = workspace.field_like(&name).map(|field| field.api_name.clone());
        let like = like.filter(|api_name| {
            workspace.field(&name).is_none()
                && (keys == Keys::Label || api_name.eq_ignore_ascii_case(&name))
                && lead.get(api_name).is_none()
        });
        if let Some(api_name) = like
            && let Some(value) = lead.fields_mut().remove(&name)
        {
            lead.fields_mut().insert(api_name, value);
        }
    }
    lead
}

/// The note on the timeline about a status that the pipeline lacks, after all actions.
fn note_about_status(lead: &Lead, findings: &[Finding]) -> Option<(usize, BuiltInEntry)> {
    let path = FieldPath::Field("status".to_owned());
    findings.iter().find(|finding| finding.path == path && finding.is_loss())?;
    let text = format!("No matched status for {}", lead.get("status")?.as_str()?);
    let keys = BTreeMap::from([("text".to_owned(), text.into())]);
    Some((usize::MAX, BuiltInEntry::new(SYSTEM_NOTE.to_owned(), keys)))
}

/// The notes of a lead: their indices among the actions, and the entries.
fn notes(lead: &Lead) -> impl Iterator<Item = (usize, BuiltInEntry)> {
    let actions = lead.actions().iter().enumerate();
    let notes = actions
        .filter(|(_, action)| action.key("type").and_then(FieldValue::as_str) == Some(SYSTEM_NOTE));
    notes.map(|(index, note)| {
        let mut keys = note.keys().clone();
        keys.remove("type");
        (index, BuiltInEntry::new(SYSTEM_NOTE.to_owned(), keys))
    })
}
