//! What was asked, and what became of it.

use crate::lock;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Mutex;
use telecrm_core::Finding;

/// How many calls are remembered; the oldest are forgotten first.
pub(crate) const CAPACITY: usize = 10_000;

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
    pub(crate) stored: Option<Value>,
    pub(crate) findings: Vec<Finding>,
}

impl Effect {
    /// What was stored without any loss.
    pub(crate) fn stored(stored: Value) -> Self {
        Self {
            stored: Some(stored),
            findings: Vec::new(),
        }
    }
}

/// Marks an answer whose call is in the log already: its number.
#[derive(Clone, Copy)]
pub(crate) struct Logged(pub(crate) u64);

/// A call that has been answered.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) operation: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) fault: Option<&'static str>,
}

/// The latest calls.
#[derive(Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    last_seq: u64,
    entries: VecDeque<LogEntry>,
}

impl Log {
    /// Appends a call and gives its number.
    pub(crate) fn append(&self, call: Call, effect: Effect) -> u64 {
        let mut log = lock(&self.0);
        log.last_seq += 1;
        let seq = log.last_seq;
        if log.entries.len() == CAPACITY {
            log.entries.pop_front();
        }
        log.entries.push_back(LogEntry {
            seq,
            method: call.method,
            path: call.path,
            operation: call.operation.map(str::to_owned),
            status: call.status,
            fault: call.fault,
            stored: effect.stored,
            findings: effect.findings,
        });
        seq
    }

    /// Adds what a call did after it had been answered.
    pub(crate) fn complete(&self, seq: u64, effect: Effect) {
        self.change(seq, |entry| {
            entry.stored = effect.stored;
            entry.findings = effect.findings;
        });
    }

    /// Sets the status that was answered in the end.
    pub(crate) fn answered(&self, seq: u64, status: u16) {
        self.change(seq, |entry| entry.status = status);
    }

    fn change(&self, seq: u64, change: impl FnOnce(&mut LogEntry)) {
        let mut log = lock(&self.0);
        if let Ok(place) = log.entries.binary_search_by_key(&seq, |entry| entry.seq) {
            change(&mut log.entries[place]);
        }
    }

    /// The calls after the one with this number.
    pub(crate) fn since(&self, seq: u64) -> Vec<LogEntry> {
        let log = lock(&self.0);
        let start = log.entries.partition_point(|entry| entry.seq <= seq);
        log.entries.iter().skip(start).cloned().collect()
    }

    /// Forgets all calls, but not how many there were, so that whoever reads on from a number misses none.
    pub(crate) fn clear(&self) {
        lock(&self.0).entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            log.append(call(), Effect::default());
        }
        let entries = log.since(0);
        assert_eq!((entries.len(), entries[0].seq), (CAPACITY, 3));

        let effect = Effect {
            stored: Some(Value::Bool(true)),
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
        log.append(call(), Effect::default());
        log.clear();
        assert!(log.since(0).is_empty());
        assert_eq!(log.append(call(), Effect::default()), 2);
    }
}
