//! What the emulator did with each field and action of a request: stored, changed or dropped.

use crate::log::LogEntry;
use crate::operations;
use serde_json::{Map, Value};
use telecrm_core::{FieldPath, Finding, FindingKind};

/// A field, an action or another key of a request.
#[derive(Debug)]
pub(crate) struct OutcomeRow {
    pub(crate) path: String,
    /// Whether the row belongs to the action in a row above.
    pub(crate) is_nested: bool,
    pub(crate) sent: Option<Value>,
    pub(crate) outcome: Outcome,
    pub(crate) stored: Option<Value>,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    Stored,
    Changed,
    /// Stored as written, but probably not meant.
    Doubtful,
    OptionCreated,
    Dropped,
    /// The call was refused, or the lead or action dropped as a whole.
    NotStored,
    /// The Async API has accepted the lead and not processed it yet.
    Queued,
}

impl Outcome {
    /// The text of the badge, and the CSS class that colours it.
    pub(crate) fn label_and_class(self) -> (&'static str, &'static str) {
        match self {
            Self::Stored => ("stored", "kept"),
            Self::Changed => ("changed", "changed"),
            Self::Doubtful => ("stored, doubtful", "changed"),
            Self::OptionCreated => ("stored, option created", "made"),
            Self::Dropped => ("dropped", "lost"),
            Self::NotStored => ("not stored", "lost"),
            Self::Queued => ("queued", "queued"),
        }
    }

    /// Returns None if there are no findings.
    fn of(findings: &[Finding]) -> Option<Self> {
        Some(match findings.iter().map(|finding| finding.kind).min()? {
            FindingKind::OptionCreated => Self::OptionCreated,
            FindingKind::ValueChanged => Self::Changed,
            FindingKind::Doubtful => Self::Doubtful,
            _ => Self::Dropped,
        })
    }
}

/// The rows of a call that writes a lead or actions. Other calls have a row for each finding.
pub(crate) fn rows(entry: &LogEntry, sent: &Value) -> Vec<OutcomeRow> {
    let stored = |key| entry.stored.as_ref().and_then(|stored| stored.get(key));
    let mut table = Table { entry, rows: Vec::new() };
    let known: &[&str] = match entry.operation.as_deref() {
        Some("createOrUpdateLead" | "createLead") => &["fields", "actions"],
        Some("updateLead") => &["fields"],
        Some("createActions") => &["actions"],
        _ => &[],
    };
    match sent {
        Value::Object(body) if entry.operation.as_deref() == Some("updateAction") => {
            table.action_keys(0, body, stored("fields"));
        }
        Value::Object(body) if !known.is_empty() => {
            for key in known {
                match (*key, body.get(*key)) {
                    ("fields", Some(Value::Object(sent))) => table.fields(sent, stored("fields")),
                    ("actions", Some(Value::Array(sent))) => table.actions(sent, stored("actions")),
                    _ => {}
                }
            }
            table.other_keys(body, known);
        }
        _ => {}
    }
    table.remaining_findings(sent);
    table.rows
}

/// Returns true if the Async API has accepted the lead and not processed it yet.
pub(crate) fn is_queued(entry: &LogEntry, is_stored: bool) -> bool {
    entry.operation.as_deref() == Some(operations::INGEST)
        && (200..300).contains(&entry.status)
        && !is_stored
        && entry.findings.is_empty()
}

/// How many parts of the request were lost.
pub(crate) fn losses(entry: &LogEntry) -> usize {
    let findings = entry.findings.iter();
    findings.filter(|finding| finding.is_loss()).count()
}

/// Whether a stored value that differs from the sent one counts as changed. Types and times
/// are stored in a form of their own.
#[derive(Clone, Copy, PartialEq)]
enum Compare {
    Values,
    Presence,
}

struct Table<'a> {
    entry: &'a LogEntry,
    rows: Vec<OutcomeRow>,
}

impl Table<'_> {
    fn fields(&mut self, fields: &Map<String, Value>, stored: Option<&Value>) {
        for (name, value) in fields {
            let stored = stored.and_then(|fields| fields.get(name));
            let path = FieldPath::Field(name.clone());
            self.row(path, Some(value), stored, Compare::Values);
        }
    }

    fn actions(&mut self, actions: &[Value], stored: Option<&Value>) {
        let mut stored = stored.and_then(Value::as_array).into_iter().flatten();
        for (index, action) in actions.iter().enumerate() {
            let path = FieldPath::Action(index);
            let is_dropped = self.findings(&path).iter().any(Finding::is_loss);
            let stored = if is_dropped { None } else { stored.next() };
            let stored_key = |key| stored.and_then(|stored| stored.get(key));
            let kind = action.get("type").unwrap_or(action);
            self.row(path, Some(kind), stored_key("type"), Compare::Presence);
            let Some(action) = action.as_object() else {
                continue;
            };
            let time = stored_key("creationTimestamp");
            if let (sent @ Some(_), Some(_)) = (action.get("created_on"), time) {
                let path = FieldPath::ActionKey(index, "created_on".to_owned());
                self.row(path, sent, time, Compare::Presence);
            }
            if !is_dropped {
                // The keys of a payment are not below `fields`.
                self.action_keys(index, action, stored_key("fields").or(stored));
            }
        }
    }

    /// The fields of an action, and its keys except `type`.
    fn action_keys(&mut self, index: usize, action: &Map<String, Value>, stored: Option<&Value>) {
        let stored = |key: &String| stored.and_then(|stored| stored.get(key));
        for (key, value) in action {
            match (key.as_str(), value) {
                ("type", _) => {}
                ("fields", Value::Object(fields)) => {
                    for (name, value) in fields {
                        let path = FieldPath::ActionField(index, name.clone());
                        self.row(path, Some(value), stored(name), Compare::Values);
                    }
                }
                _ => {
                    let path = FieldPath::ActionKey(index, key.clone());
                    if !self.has(&path) {
                        self.row(path, Some(value), stored(key), Compare::Values);
                    }
                }
            }
        }
    }

    fn other_keys(&mut self, body: &Map<String, Value>, known: &[&str]) {
        for (key, value) in body {
            let path = FieldPath::Key(key.clone());
            if !known.contains(&key.as_str()) || !self.findings(&path).is_empty() {
                self.row(path, Some(value), None, Compare::Values);
            }
        }
    }

    /// Findings about paths that no row has, such as a missing identifier or a key of a search.
    fn remaining_findings(&mut self, sent: &Value) {
        for finding in &self.entry.findings {
            let sent = match &finding.path {
                FieldPath::Field(name) => sent.get("fields").and_then(|fields| fields.get(name)),
                FieldPath::Key(key) => sent.get(key),
                _ => None,
            };
            if !self.has(&finding.path) {
                self.row(finding.path.clone(), sent, None, Compare::Presence);
            }
        }
    }

    fn row(
        &mut self,
        path: FieldPath,
        sent: Option<&Value>,
        stored: Option<&Value>,
        compare: Compare,
    ) {
        let findings = self.findings(&path);
        let is_changed = stored != sent && compare == Compare::Values;
        let outcome = match (Outcome::of(&findings), stored) {
            (Some(outcome), _) => outcome,
            _ if is_queued(self.entry, self.entry.stored.is_some()) => Outcome::Queued,
            (None, None) => Outcome::NotStored,
            (None, Some(_)) if is_changed => Outcome::Changed,
            (None, Some(_)) => Outcome::Stored,
        };
        self.rows.push(OutcomeRow {
            is_nested: matches!(path, FieldPath::ActionField(..) | FieldPath::ActionKey(..)),
            path: path.to_string(),
            sent: sent.cloned(),
            outcome,
            stored: stored.cloned(),
            findings,
        });
    }

    fn has(&self, path: &FieldPath) -> bool {
        let path = path.to_string();
        self.rows.iter().any(|row| row.path == path)
    }

    fn findings(&self, path: &FieldPath) -> Vec<Finding> {
        let findings = self.entry.findings.iter();
        let matching = findings.filter(|finding| finding.path == *path);
        matching.cloned().collect()
    }
}
