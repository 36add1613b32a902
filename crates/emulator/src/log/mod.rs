//! The log: the latest calls, what they stored and what they lost.

pub(crate) mod exchange;
mod refusal;
#[cfg(feature = "web")]
mod view;

pub use refusal::Refusal;
#[cfg(feature = "web")]
pub(crate) use view::Changes;

use crate::sync::lock;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use exchange::{Exchange, LoggedBody, Message, ReceivedRequest};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::VecDeque;
use std::sync::Mutex;
use telecrm_core::{FieldPath, Finding};
use tokio::sync::watch;

/// How many calls the log keeps. It drops the oldest first.
pub(crate) const CAPACITY: usize = 10_000;

/// How many bytes of headers and bodies the log keeps. It drops those of the oldest calls first.
const MAX_EXCHANGE_BYTES: usize = 64 * 1024 * 1024;

/// How many bytes of stored values and findings the log keeps. It drops the oldest calls first.
const MAX_ENTRY_BYTES: usize = 64 * 1024 * 1024;

/// A call to the emulator, and what it stored.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{Emulator, LogEntry};
///
/// let emulator = Emulator::start().await?;
/// // A client pushes a lead with a rating of 9.
/// let lead = telecrm::Lead::new().set("phone", "919999999999").set("rating", 9);
/// emulator.client().ingest().push(&lead).await?;
/// emulator.wait_idle().await;
///
/// let lossy = |entry: &LogEntry| entry.findings.iter().any(|finding| finding.is_loss());
/// let log = emulator.log(0);
/// let entry = log.iter().find(|entry| lossy(entry)).expect("a call with a loss");
/// assert_eq!(entry.findings[0].path.to_string(), "fields.rating");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// The number of the call, from 1. A reset does not restart the numbers.
    pub seq: u64,
    /// The HTTP method.
    pub method: String,
    /// The requested path, without the query.
    pub path: String,
    /// The query, without its question mark.
    pub query: Option<String>,
    /// The ID of the operation in the OpenAPI description. None for other paths.
    pub operation: Option<String>,
    /// The HTTP status of the answer, or 0 if there was none.
    pub status: u16,
    /// The milliseconds until the answer. None if there is no answer yet.
    pub ms: Option<f64>,
    /// The fault that was applied, by its name in a rule, such as `latency_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// What the call stored: `{"id","fields","actions"}` of a lead, `{"id","fields"}` of an action,
    /// or the team member. None if it stored nothing, or is still in the queue.
    pub stored: Option<Value>,
    /// What the call lost, created or changed, and why.
    pub findings: Vec<Finding>,
    /// How many items a search found on all its pages. None for other calls.
    pub found: Option<usize>,
    /// Why the call was refused. None if it was not, or if a fault answered.
    pub refused: Option<Refusal>,
}

impl LogEntry {
    /// The entry of a call that has just arrived.
    pub(crate) fn new(method: &Method, uri: &Uri, operation: Option<&str>) -> Self {
        Self {
            seq: 0,
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            operation: operation.map(str::to_owned),
            status: 0,
            ms: None,
            fault: None,
            stored: None,
            findings: Vec::new(),
            found: None,
            refused: None,
        }
    }
}

/// An entry with both bodies: JSON, or else text. Null without a body.
#[derive(Serialize)]
pub(crate) struct EntryWithBodies {
    #[serde(flatten)]
    entry: LogEntry,
    request: Value,
    answer: Value,
}

/// What a call stored and lost. Handlers attach it to their answer for the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effect {
    /// As text, since few log entries are ever read.
    pub(crate) stored: Option<Box<RawValue>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) found: Option<usize>,
    pub(crate) refused: Option<Refusal>,
}

impl Effect {
    pub(crate) fn new(stored: &impl Serialize, findings: Vec<Finding>) -> Self {
        Self::written(Some(to_raw_value(stored).expect("stored values are JSON")), findings)
    }

    pub(crate) fn written(stored: Option<Box<RawValue>>, findings: Vec<Finding>) -> Self {
        Self { stored, findings, ..Self::default() }
    }
}

/// Attached to the answer of a call that is in the log already: the number of its entry.
#[derive(Clone, Copy)]
pub(crate) struct Logged(pub(crate) u64);

/// The end of a call.
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) ms: Option<f64>,
    pub(crate) exchange: Exchange,
}

/// The latest calls.
pub(crate) struct Log {
    /// When the log began, which distinguishes its revisions from those of an earlier process.
    #[cfg(feature = "web")]
    began: i64,
    entries: Mutex<Entries>,
    /// The latest revision. None once the log is closed.
    latest: watch::Sender<Option<u64>>,
}

#[derive(Default)]
struct Entries {
    last_seq: u64,
    /// Counts every change, so that a reader of changes misses none and gets none twice.
    revision: u64,
    entries: VecDeque<LoggedCall>,
    /// The size of all exchanges.
    exchange_bytes: usize,
    /// The size of all entries, without their exchanges.
    entry_bytes: usize,
    /// The last call whose exchange was dropped.
    dropped: u64,
    /// The revision at which the log was last cleared.
    cleared: u64,
}

/// A call in the log.
pub(crate) struct LoggedCall {
    /// Without the stored values.
    pub(crate) entry: LogEntry,
    stored: Option<Box<RawValue>>,
    pub(crate) exchange: Option<Exchange>,
    revision: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            #[cfg(feature = "web")]
            began: crate::clock::machine(),
            entries: Mutex::default(),
            latest: watch::Sender::new(Some(0)),
        }
    }
}

impl Log {
    /// Appends a call, and returns its number.
    pub(crate) fn append(&self, entry: LogEntry, effect: Effect, ending: Option<Ending>) -> u64 {
        let mut log = lock(&self.entries);
        log.last_seq += 1;
        let seq = log.last_seq;
        if log.entries.len() == CAPACITY {
            log.drop_oldest();
        }
        let Effect { stored, findings, found, refused } = effect;
        let entry = LogEntry { seq, findings, found, refused, ..entry };
        let call = LoggedCall { entry, stored, exchange: None, revision: 0 };
        log.entry_bytes += call.entry_size();
        log.entries.push_back(call);
        log.change(seq, |call| {
            if let Some(ending) = ending {
                call.end(ending);
            }
        });
        self.notify(&log);
        seq
    }

    /// Adds the effect of a call that was answered before it was processed.
    pub(crate) fn complete(&self, seq: u64, effect: Effect) {
        self.change(seq, |call| {
            call.stored = effect.stored;
            call.entry.findings = effect.findings;
        });
    }

    /// Adds the end of a call.
    pub(crate) fn end(&self, seq: u64, ending: Ending) {
        self.change(seq, |call| call.end(ending));
    }

    /// Replaces the answer of a call that could not be recorded.
    pub(crate) fn amend(&self, seq: u64, status: StatusCode, headers: &HeaderMap, body: &Bytes) {
        self.change(seq, |call| {
            call.entry.status = status.as_u16();
            if let Some(exchange) = &mut call.exchange {
                exchange.answered(headers, body);
            }
        });
    }

    fn change(&self, seq: u64, change: impl FnOnce(&mut LoggedCall)) {
        let mut log = lock(&self.entries);
        log.change(seq, change);
        self.notify(&log);
    }

    fn notify(&self, log: &Entries) {
        if self.latest.receiver_count() > 0 {
            self.latest.send_if_modified(|latest| {
                latest.is_some() && latest.replace(log.revision) != Some(log.revision)
            });
        }
    }

    /// The calls after this number.
    pub(crate) fn since(&self, seq: u64) -> Vec<LogEntry> {
        self.after(seq, |call| Some(call.to_entry()))
    }

    /// The calls after this number, with their bodies.
    pub(crate) fn with_bodies(&self, seq: u64) -> Vec<EntryWithBodies> {
        let shown = |message: Option<&Message>| {
            let body = message.and_then(|message| message.body.as_ref());
            body.map(LoggedBody::to_json).unwrap_or_default()
        };
        self.after(seq, |call| {
            let exchange = call.exchange.as_ref();
            Some(EntryWithBodies {
                entry: call.to_entry(),
                request: shown(exchange.map(|exchange| &exchange.request)),
                answer: shown(exchange.map(|exchange| &exchange.answer)),
            })
        })
    }

    /// The requests after this number.
    pub(crate) fn received(&self, seq: u64) -> Vec<ReceivedRequest> {
        self.after(seq, |call| Some(ReceivedRequest::new(&call.entry, call.exchange.as_ref()?)))
    }

    fn after<T>(&self, seq: u64, item: impl FnMut(&LoggedCall) -> Option<T>) -> Vec<T> {
        let log = lock(&self.entries);
        let start = log.entries.partition_point(|known| known.entry.seq <= seq);
        log.entries.iter().skip(start).filter_map(item).collect()
    }

    /// Drops all calls. The numbers continue, so that a reader who continues from a number misses
    /// none.
    pub(crate) fn clear(&self) {
        let mut log = lock(&self.entries);
        log.entries.clear();
        log.exchange_bytes = 0;
        log.entry_bytes = 0;
        log.revision += 1;
        log.cleared = log.revision;
        self.notify(&log);
    }

    /// Ends the wait of every reader.
    pub(crate) fn close(&self) {
        self.latest.send_replace(None);
    }

    /// Waits until the log is closed, which happens when the emulator stops.
    pub(crate) async fn closed(&self) {
        // An error means that the log is gone.
        let _ = self.latest.subscribe().wait_for(Option::is_none).await;
    }
}

impl Entries {
    fn change(&mut self, seq: u64, change: impl FnOnce(&mut LoggedCall)) {
        let Ok(place) = self.place(seq) else {
            return;
        };
        self.revision += 1;
        let call = &mut self.entries[place];
        call.revision = self.revision;
        self.exchange_bytes -= call.size();
        self.entry_bytes -= call.entry_size();
        change(call);
        self.exchange_bytes += call.size();
        self.entry_bytes += call.entry_size();
        while self.exchange_bytes > MAX_EXCHANGE_BYTES && self.dropped < self.last_seq {
            let place = match self.place(self.dropped + 1) {
                Ok(place) | Err(place) => place,
            };
            let oldest = &mut self.entries[place];
            self.exchange_bytes -= oldest.size();
            oldest.exchange = None;
            self.dropped = oldest.entry.seq;
        }
        // The latest call stays whatever its size, since otherwise a test could not read it.
        while self.entry_bytes > MAX_ENTRY_BYTES && self.entries.len() > 1 {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.exchange_bytes -= oldest.size();
            self.entry_bytes -= oldest.entry_size();
        }
    }

    fn place(&self, seq: u64) -> Result<usize, usize> {
        // Usually, the latest call is wanted.
        if self.entries.back().is_some_and(|last| last.entry.seq == seq) {
            return Ok(self.entries.len() - 1);
        }
        self.entries.binary_search_by_key(&seq, |known| known.entry.seq)
    }
}

impl LoggedCall {
    /// The call with its stored values.
    pub(crate) fn to_entry(&self) -> LogEntry {
        let stored = self.stored.as_ref();
        LogEntry {
            stored: stored.and_then(|text| serde_json::from_str(text.get()).ok()),
            ..self.entry.clone()
        }
    }

    /// The stored values as JSON text.
    #[cfg(feature = "web")]
    pub(crate) fn stored(&self) -> Option<&str> {
        self.stored.as_deref().map(RawValue::get)
    }

    fn end(&mut self, ending: Ending) {
        self.entry.status = ending.status;
        self.entry.ms = ending.ms;
        self.exchange = Some(ending.exchange);
    }

    /// About how many bytes the entry takes, without its exchange.
    fn entry_size(&self) -> usize {
        let findings = self.entry.findings.iter().map(|finding| {
            let suggestion = finding.suggestion.as_ref().map_or(0, String::len);
            size_of::<Finding>() + name_length(&finding.path) + finding.reason.len() + suggestion
        });
        let stored = self.stored.as_ref().map_or(0, |text| text.get().len());
        let entry = &self.entry;
        let query = entry.query.as_ref().map_or(0, String::len);
        let refused = entry.refused.as_ref().map_or(0, |refusal| refusal.message.len());
        let head = entry.method.len() + entry.path.len() + query;
        head + findings.sum::<usize>() + stored + refused
    }

    fn size(&self) -> usize {
        self.exchange.as_ref().map_or(0, Exchange::size)
    }
}

/// The length of the name in a path. The name comes from the body.
fn name_length(path: &FieldPath) -> usize {
    match path {
        FieldPath::Field(name)
        | FieldPath::Key(name)
        | FieldPath::ActionField(_, name)
        | FieldPath::ActionKey(_, name) => name.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::exchange::MAX_BODY;
    use super::*;

    fn call() -> LogEntry {
        LogEntry { status: 404, ..LogEntry::new(&Method::GET, &Uri::from_static("/"), None) }
    }

    #[test]
    fn the_log_drops_the_oldest_calls_and_completes_the_others() {
        let log = Log::default();
        for _ in 0..CAPACITY + 2 {
            log.append(call(), Effect::default(), None);
        }
        let entries = log.since(0);
        assert_eq!((entries.len(), entries[0].seq), (CAPACITY, 3));

        let effect = Effect::new(&true, Vec::new());
        log.complete(2, effect.clone());
        log.complete(4, effect);
        let stored: Vec<_> = log.since(0).into_iter().filter(|e| e.stored.is_some()).collect();
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0].seq, 4);
    }

    #[test]
    fn numbers_continue_after_the_log_is_cleared() {
        let log = Log::default();
        log.append(call(), Effect::default(), None);
        log.clear();
        assert!(log.since(0).is_empty());
        assert_eq!(log.append(call(), Effect::default(), None), 2);
    }

    /// The end of a call with a body of the largest size that is kept.
    fn large_ending() -> Ending {
        let headers = HeaderMap::new();
        let mut exchange = Exchange::begin(0, &headers, "");
        exchange.answered(&headers, &vec![b'x'; MAX_BODY + 1].into());
        Ending { status: 200, ms: Some(1.0), exchange }
    }

    #[test]
    fn the_log_drops_the_bodies_of_the_oldest_calls() {
        let log = Log::default();
        let fitting = MAX_EXCHANGE_BYTES / MAX_BODY;
        for _ in 0..fitting + 2 {
            log.append(call(), Effect::default(), Some(large_ending()));
        }
        assert_eq!(log.received(0).len(), fitting);
        assert_eq!(log.received(0)[0].seq, 3);
        // The age of a call does not depend on when it ends.
        let late = log.append(call(), Effect::default(), None);
        log.append(call(), Effect::default(), Some(large_ending()));
        log.end(late, large_ending());
        assert_eq!(log.received(0)[0].seq, 5);
        assert_eq!(log.since(0).len(), fitting + 4);
        log.clear();
        log.append(call(), Effect::default(), Some(large_ending()));
        assert_eq!(log.received(0).len(), 1);
        assert_eq!(lock(&log.entries).exchange_bytes, MAX_BODY);
    }

    fn finding(path: FieldPath, reason: String) -> Finding {
        let kind = telecrm_core::FindingKind::FieldDropped;
        Finding::new(path, kind, telecrm_core::Certainty::Inferred, reason)
    }

    #[test]
    fn the_log_drops_the_oldest_calls_to_bound_the_size_of_findings() {
        let log = Log::default();
        let finding = finding(FieldPath::Key("k".into()), "x".repeat(1000));
        for _ in 0..20 {
            let effect = Effect { findings: vec![finding.clone(); 10_000], ..Effect::default() };
            log.append(call(), effect, None);
        }
        let left = log.since(0);
        assert!((1..=6).contains(&left.len()), "{} calls", left.len());
        assert_eq!(left[left.len() - 1].seq, 20, "the latest stays");
        assert!(lock(&log.entries).entry_bytes <= MAX_ENTRY_BYTES);
        log.clear();
        assert_eq!(lock(&log.entries).entry_bytes, 0);
    }

    const MANY: usize = 200;

    fn long_name() -> String {
        "k".repeat(1_000_000)
    }

    /// Asserts that the log does not keep many findings with this path.
    fn assert_bounded(path: &FieldPath) {
        let log = Log::default();
        for _ in 0..MANY {
            let effect = Effect {
                findings: vec![finding(path.clone(), "dropped".to_owned())],
                ..Effect::default()
            };
            log.append(call(), effect, None);
        }
        assert!(log.since(0).len() < 70, "{} calls", log.since(0).len());
    }

    #[test]
    fn long_key_names_count_towards_the_size() {
        assert_bounded(&FieldPath::Key(long_name()));
    }

    #[test]
    fn long_field_names_count_towards_the_size() {
        assert_bounded(&FieldPath::Field(long_name()));
    }

    #[test]
    fn long_keys_of_actions_count_towards_the_size() {
        assert_bounded(&FieldPath::ActionKey(0, long_name()));
    }

    #[test]
    fn long_fields_of_actions_count_towards_the_size() {
        assert_bounded(&FieldPath::ActionField(0, long_name()));
    }

    #[test]
    fn long_methods_count_towards_the_size() {
        let log = Log::default();
        for _ in 0..MANY {
            let method = long_name();
            log.append(LogEntry { method, ..call() }, Effect::default(), None);
        }
        assert!(log.since(0).len() < 70, "{} calls", log.since(0).len());
    }
}
