//! What was asked, and what became of it.

#[cfg(feature = "web")]
mod view;

#[cfg(feature = "web")]
pub(crate) use view::Changes;

use crate::exchange::{Exchange, Received};
use crate::lock;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::VecDeque;
use std::sync::Mutex;
use telecrm_core::{FieldPath, Finding};
use tokio::sync::watch;

/// How many calls are remembered; the oldest are forgotten first.
pub(crate) const CAPACITY: usize = 10_000;

/// How many bytes of headers and bodies are remembered with them; again the oldest are forgotten first.
const EXCHANGES_KEPT: usize = 64 * 1024 * 1024;

/// How many bytes of what calls stored and lost are remembered; the oldest calls are forgotten first.
const ENTRIES_KEPT: usize = 64 * 1024 * 1024;

/// One call to the emulator, and what it did to a lead.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{Emulator, LogEntry};
///
/// let emulator = Emulator::start().await?;
/// # let telecrm = reqwest::Client::new();
/// # let push = telecrm.post(format!("{}/enterprise/{}/autoupdatelead", emulator.async_url(), emulator.enterprise()));
/// # let body = serde_json::json!({ "fields": { "phone": "919999999999", "rating": 9 } });
/// # push.bearer_auth(emulator.async_token()).json(&body).send().await?;
/// // …a client pushes a lead with a rating of 9…
/// emulator.settle().await;
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
    /// Counts the calls from 1, and goes on counting after a reset.
    pub seq: u64,
    /// The HTTP method.
    pub method: String,
    /// The path as it was asked for, without the query.
    pub path: String,
    /// The operation's ID in the OpenAPI description, or nothing for a path that is none.
    pub operation: Option<String>,
    /// The HTTP status answered, or 0 if there was no answer.
    pub status: u16,
    /// How many milliseconds it took to answer, or nothing if there is no answer yet.
    pub ms: Option<f64>,
    /// The fault that was set up for the call, by its name in a rule, such as `latency_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// What was stored: `{"id","fields","actions"}` of a lead, `{"id","fields"}` of an action, or what is now
    /// known of a team member; nothing if the call stored nothing, or not yet.
    pub stored: Option<Value>,
    /// What was dropped, created or changed on the way, and why.
    pub findings: Vec<Finding>,
}

/// What a call did to a lead. Handlers attach it to their answer, from where it goes into the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effect {
    /// As text, since few calls are ever looked at.
    pub(crate) stored: Option<Box<RawValue>>,
    pub(crate) findings: Vec<Finding>,
}

impl Effect {
    /// What was stored without any loss.
    pub(crate) fn stored(stored: &impl Serialize) -> Self {
        Self {
            stored: Some(text(stored)),
            findings: Vec::new(),
        }
    }
}

/// What was stored, as it is remembered.
pub(crate) fn text(stored: &impl Serialize) -> Box<RawValue> {
    to_raw_value(stored).expect("what was stored has come as JSON")
}

/// Marks an answer whose call is in the log already: its number.
#[derive(Clone, Copy)]
pub(crate) struct Logged(pub(crate) u64);

/// A call that came in.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) operation: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) fault: Option<&'static str>,
}

/// How a call ended.
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) ms: Option<f64>,
    pub(crate) exchange: Exchange,
}

/// The latest calls.
pub(crate) struct Log {
    /// When it began, by which its revisions are told from those of an earlier process.
    #[cfg(feature = "web")]
    began: i64,
    entries: Mutex<Entries>,
    /// The latest revision, for those who wait for the next; nothing once there will be none.
    latest: watch::Sender<Option<u64>>,
}

#[derive(Default)]
struct Entries {
    last_seq: u64,
    /// Counts every change of an entry, so that whoever reads on misses none and sees none twice.
    revision: u64,
    entries: VecDeque<Remembered>,
    /// The size of all exchanges.
    bytes: usize,
    /// The size of all entries without them.
    entry_bytes: usize,
    /// Up to this call they are forgotten.
    forgotten: u64,
    /// The revision with which all calls were forgotten.
    cleared: u64,
}

/// A call, and what is known of it besides.
pub(crate) struct Remembered {
    /// Without what was stored.
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
    /// Appends a call and gives its number.
    pub(crate) fn append(&self, call: Call, effect: Effect, ending: Option<Ending>) -> u64 {
        let mut log = lock(&self.entries);
        log.last_seq += 1;
        let seq = log.last_seq;
        if log.entries.len() == CAPACITY {
            log.forget_oldest();
        }
        log.entries.push_back(Remembered {
            entry: LogEntry {
                seq,
                method: call.method,
                path: call.path,
                operation: call.operation.map(str::to_owned),
                status: call.status,
                ms: None,
                fault: call.fault,
                stored: None,
                findings: effect.findings,
            },
            stored: effect.stored,
            exchange: None,
            revision: 0,
        });
        log.entry_bytes += log.entries.back().map_or(0, Remembered::entry_size);
        log.change(seq, |remembered| remembered.end(ending));
        self.tell(&log);
        seq
    }

    /// Adds what a call did after it had been answered.
    pub(crate) fn complete(&self, seq: u64, effect: Effect) {
        self.change(seq, |remembered| {
            remembered.stored = effect.stored;
            remembered.entry.findings = effect.findings;
        });
    }

    /// Adds how a call ended.
    pub(crate) fn end(&self, seq: u64, ending: Ending) {
        self.change(seq, |remembered| remembered.end(Some(ending)));
    }

    /// Says that a call was answered otherwise than was told first.
    pub(crate) fn amend(&self, seq: u64, status: StatusCode, headers: &HeaderMap, body: &Bytes) {
        self.change(seq, |remembered| {
            remembered.entry.status = status.as_u16();
            if let Some(exchange) = &mut remembered.exchange {
                exchange.answered(headers, body);
            }
        });
    }

    fn change(&self, seq: u64, change: impl FnOnce(&mut Remembered)) {
        let mut log = lock(&self.entries);
        log.change(seq, change);
        self.tell(&log);
    }

    fn tell(&self, log: &Entries) {
        if self.latest.receiver_count() > 0 {
            self.latest.send_if_modified(|latest| {
                latest.is_some() && latest.replace(log.revision) != Some(log.revision)
            });
        }
    }

    /// The calls after the one with this number.
    pub(crate) fn since(&self, seq: u64) -> Vec<LogEntry> {
        self.after(seq, |remembered| Some(remembered.to_entry()))
    }

    /// What was received after the call with this number.
    pub(crate) fn received(&self, seq: u64) -> Vec<Received> {
        self.after(
            seq,
            |Remembered {
                 entry, exchange, ..
             }| {
                let exchange = exchange.as_ref()?;
                Some(Received::new(
                    entry.seq,
                    &entry.method,
                    &entry.path,
                    exchange,
                ))
            },
        )
    }

    fn after<T>(&self, seq: u64, item: impl FnMut(&Remembered) -> Option<T>) -> Vec<T> {
        let log = lock(&self.entries);
        let start = log.entries.partition_point(|known| known.entry.seq <= seq);
        log.entries.iter().skip(start).filter_map(item).collect()
    }

    /// Forgets all calls, but not how many there were, so that whoever reads on from a number misses none.
    pub(crate) fn clear(&self) {
        let mut log = lock(&self.entries);
        log.entries.clear();
        log.bytes = 0;
        log.entry_bytes = 0;
        log.revision += 1;
        log.cleared = log.revision;
        self.tell(&log);
    }

    /// Lets those go who wait for more.
    pub(crate) fn close(&self) {
        self.latest.send_replace(None);
    }

    /// Waits until the emulator stops.
    pub(crate) async fn closed(&self) {
        // An error would mean the same.
        let _ = self.latest.subscribe().wait_for(Option::is_none).await;
    }
}

impl Entries {
    fn change(&mut self, seq: u64, change: impl FnOnce(&mut Remembered)) {
        let Ok(place) = self.place(seq) else {
            return;
        };
        self.revision += 1;
        let remembered = &mut self.entries[place];
        remembered.revision = self.revision;
        self.bytes -= remembered.size();
        self.entry_bytes -= remembered.entry_size();
        change(remembered);
        self.bytes += remembered.size();
        self.entry_bytes += remembered.entry_size();
        while self.bytes > EXCHANGES_KEPT && self.forgotten < self.last_seq {
            let place = match self.place(self.forgotten + 1) {
                Ok(place) | Err(place) => place,
            };
            let oldest = &mut self.entries[place];
            self.bytes -= oldest.size();
            oldest.exchange = None;
            self.forgotten = oldest.entry.seq;
        }
        // The latest stays, however long it is: what became of a call must not be lost before anybody could read it.
        while self.entry_bytes > ENTRIES_KEPT && self.entries.len() > 1 {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes -= oldest.size();
            self.entry_bytes -= oldest.entry_size();
        }
    }

    fn place(&self, seq: u64) -> Result<usize, usize> {
        // Mostly it is the latest.
        if self
            .entries
            .back()
            .is_some_and(|last| last.entry.seq == seq)
        {
            return Ok(self.entries.len() - 1);
        }
        self.entries
            .binary_search_by_key(&seq, |known| known.entry.seq)
    }
}

impl Remembered {
    /// The call as it is told.
    pub(crate) fn to_entry(&self) -> LogEntry {
        let stored = self.stored.as_ref();
        LogEntry {
            stored: stored.and_then(|text| serde_json::from_str(text.get()).ok()),
            ..self.entry.clone()
        }
    }

    /// The text of what was stored.
    #[cfg(feature = "web")]
    pub(crate) fn stored(&self) -> Option<&str> {
        self.stored.as_deref().map(RawValue::get)
    }

    fn end(&mut self, ending: Option<Ending>) {
        if let Some(ending) = ending {
            self.entry.status = ending.status;
            self.entry.ms = ending.ms;
            self.exchange = Some(ending.exchange);
        }
    }

    /// About how many bytes the entry takes.
    fn entry_size(&self) -> usize {
        let findings = self.entry.findings.iter().map(|finding| {
            let suggestion = finding.suggestion.as_ref().map_or(0, String::len);
            size_of::<Finding>() + name_length(&finding.path) + finding.reason.len() + suggestion
        });
        let stored = self.stored.as_ref().map_or(0, |text| text.get().len());
        self.entry.method.len() + self.entry.path.len() + findings.sum::<usize>() + stored
    }

    fn size(&self) -> usize {
        self.exchange.as_ref().map_or(0, Exchange::size)
    }
}

/// How long the name in a path is, which comes from the body.
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
    use super::*;
    use crate::exchange::BODY_KEPT;
    use axum::http::Uri;

    fn call() -> Call {
        Call {
            method: "GET".into(),
            path: "/".into(),
            operation: None,
            status: 404,
            fault: None,
        }
    }

    #[test]
    fn the_log_forgets_the_oldest_calls_and_still_completes_the_others() {
        let log = Log::default();
        for _ in 0..CAPACITY + 2 {
            log.append(call(), Effect::default(), None);
        }
        let entries = log.since(0);
        assert_eq!((entries.len(), entries[0].seq), (CAPACITY, 3));

        let effect = Effect {
            stored: Some(text(&true)),
            ..Effect::default()
        };
        log.complete(2, effect.clone());
        log.complete(4, effect);
        let stored: Vec<_> = log
            .since(0)
            .into_iter()
            .filter(|e| e.stored.is_some())
            .collect();
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0].seq, 4);
    }

    #[test]
    fn clearing_does_not_start_counting_anew() {
        let log = Log::default();
        log.append(call(), Effect::default(), None);
        log.clear();
        assert!(log.since(0).is_empty());
        assert_eq!(log.append(call(), Effect::default(), None), 2);
    }

    #[test]
    fn the_oldest_bodies_make_room_for_new_ones() {
        let log = Log::default();
        let body = vec![b'x'; BODY_KEPT + 1].into();
        let ending = || {
            let headers = HeaderMap::new();
            let mut exchange = Exchange::begin(0, &Uri::from_static("/"), &headers, "");
            exchange.answered(&headers, &body);
            Some(Ending {
                status: 200,
                ms: Some(1.0),
                exchange,
            })
        };
        let fitting = EXCHANGES_KEPT / BODY_KEPT;
        for _ in 0..fitting + 2 {
            log.append(call(), Effect::default(), ending());
        }
        assert_eq!(log.received(0).len(), fitting);
        assert_eq!(log.received(0)[0].seq, 3);
        // A call that ends late is as old as it is.
        let late = log.append(call(), Effect::default(), None);
        log.append(call(), Effect::default(), ending());
        if let Some(ending) = ending() {
            log.end(late, ending);
        }
        assert_eq!(log.received(0)[0].seq, 5);
        assert_eq!(log.since(0).len(), fitting + 4);
        log.clear();
        log.append(call(), Effect::default(), ending());
        assert_eq!(log.received(0).len(), 1);
        assert_eq!(lock(&log.entries).bytes, BODY_KEPT);
    }

    #[test]
    fn long_paths_and_many_findings_make_room_for_new_ones() {
        let log = Log::default();
        let finding = telecrm_core::Finding::new(
            telecrm_core::FieldPath::Key("k".into()),
            telecrm_core::FindingKind::FieldDropped,
            telecrm_core::Certainty::Inferred,
            "x".repeat(1000),
        );
        for _ in 0..20 {
            let effect = Effect {
                findings: vec![finding.clone(); 10_000],
                ..Effect::default()
            };
            log.append(call(), effect, None);
        }
        let left = log.since(0);
        assert!((1..=6).contains(&left.len()), "{} calls", left.len());
        assert_eq!(left[left.len() - 1].seq, 20, "the latest stays");
        assert!(lock(&log.entries).entry_bytes <= ENTRIES_KEPT);
        log.clear();
        assert_eq!(lock(&log.entries).entry_bytes, 0);
    }

    #[test]
    fn long_keys_and_methods_make_room_for_new_ones() {
        const MANY: usize = 200;
        let long = "k".repeat(1_000_000);
        let finding = |path| {
            let kind = telecrm_core::FindingKind::FieldDropped;
            Finding::new(path, kind, telecrm_core::Certainty::Inferred, "dropped")
        };
        for path in [
            FieldPath::Key(long.clone()),
            FieldPath::Field(long.clone()),
            FieldPath::ActionKey(0, long.clone()),
            FieldPath::ActionField(0, long.clone()),
        ] {
            let log = Log::default();
            for _ in 0..MANY {
                let effect = Effect {
                    findings: vec![finding(path.clone())],
                    ..Effect::default()
                };
                log.append(call(), effect, None);
            }
            assert!(log.since(0).len() < 70, "{} calls", log.since(0).len());
        }
        let log = Log::default();
        for _ in 0..MANY {
            let method = long.clone();
            log.append(Call { method, ..call() }, Effect::default(), None);
        }
        assert!(log.since(0).len() < 70, "{} calls", log.since(0).len());
    }
}
