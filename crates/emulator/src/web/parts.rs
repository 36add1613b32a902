//! What became of each part of a lead that was sent.

use crate::log::LogEntry;
use serde_json::{Map, Value};
use telecrm_core::{FieldPath, Finding, FindingKind};

/// One part of what was sent.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: String,
    /// Whether it is a part of the one before.
    pub(crate) is_inner: bool,
    pub(crate) sent: Option<Value>,
    pub(crate) became: Became,
    pub(crate) stored: Option<Value>,
    pub(crate) findings: Vec<Finding>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Became {
    Stored,
    Changed,
    OptionCreated,
    Dropped,
    /// The whole call was refused, or the whole lead or action dropped.
    NotStored,
    /// The Async API has taken it, and not processed it.
    Waiting,
}

impl Became {
    /// The word for it, and the class that colours it.
    pub(crate) fn shown(self) -> (&'static str, &'static str) {
        match self {
            Self::Stored => ("stored", "kept"),
            Self::Changed => ("changed", "changed"),
            Self::OptionCreated => ("stored, option created", "made"),
            Self::Dropped => ("dropped", "lost"),
            Self::NotStored => ("not stored", "lost"),
            Self::Waiting => ("waiting", "waiting"),
        }
    }
}

/// The parts of a call that writes a lead or actions, in the order of paths; none of other calls.
pub(crate) fn parts(entry: &LogEntry, sent: &Value) -> Vec<Part> {
    let Some(body) = sent.as_object() else {
        return Vec::new();
    };
    let mut of = Reading {
        entry,
        parts: Vec::new(),
    };
    match entry.operation.as_deref() {
        Some("createOrUpdateLead" | "createLead") => {
            of.fields(body);
            of.actions(body);
            of.others(body, &["fields", "actions"]);
        }
        Some("updateLead") => {
            of.fields(body);
            of.others(body, &["fields"]);
        }
        Some("createActions") => {
            of.actions(body);
            of.others(body, &["actions"]);
        }
        Some("updateAction") => {
            let fields = entry
                .stored
                .as_ref()
                .and_then(|stored| stored.get("fields"));
            of.inside(0, body, fields, false);
        }
        _ => return Vec::new(),
    }
    of.missing();
    of.parts
}

/// Whether the call has been answered, and its lead still waits in the background.
pub(crate) fn is_waiting(entry: &LogEntry, is_stored: bool) -> bool {
    entry.operation.as_deref() == Some(crate::operations::INGEST)
        && (200..300).contains(&entry.status)
        && !is_stored
        && entry.findings.is_empty()
}

struct Reading<'a> {
    entry: &'a LogEntry,
    parts: Vec<Part>,
}

impl Reading<'_> {
    fn fields(&mut self, body: &Map<String, Value>) {
        let Some(Value::Object(fields)) = body.get("fields") else {
            return;
        };
        let stored = self
            .entry
            .stored
            .as_ref()
            .and_then(|stored| stored.get("fields"));
        for (name, value) in fields {
            let stored = stored.and_then(|fields| fields.get(name));
            self.part(FieldPath::Field(name.clone()), value, stored, true);
        }
    }

    fn actions(&mut self, body: &Map<String, Value>) {
        let Some(Value::Array(actions)) = body.get("actions") else {
            return;
        };
        let stored = self
            .entry
            .stored
            .as_ref()
            .and_then(|stored| stored.get("actions"));
        let mut stored = stored.and_then(Value::as_array).into_iter().flatten();
        for (index, action) in actions.iter().enumerate() {
            let path = FieldPath::Action(index);
            let is_dropped = self.findings(&path).iter().any(Finding::is_loss);
            let stored = if is_dropped { None } else { stored.next() };
            let kind = action.get("type").unwrap_or(action);
            self.part(
                path,
                kind,
                stored.and_then(|stored| stored.get("type")),
                false,
            );
            if let Some(action) = action.as_object() {
                let is_payment = stored.is_some_and(|stored| stored.get("fields").is_none());
                let inner = if is_payment {
                    stored
                } else {
                    stored.and_then(|stored| stored.get("fields"))
                };
                let time = stored.and_then(|stored| stored.get("creationTimestamp"));
                if let (Some(sent), Some(time)) = (action.get("created_on"), time) {
                    self.part(
                        FieldPath::ActionKey(index, "created_on".to_owned()),
                        sent,
                        Some(time),
                        false,
                    );
                }
                self.inside(index, action, inner, is_dropped);
            }
        }
    }

    /// The keys of an action beside its type, and its fields.
    fn inside(
        &mut self,
        index: usize,
        action: &Map<String, Value>,
        stored: Option<&Value>,
        is_dropped: bool,
    ) {
        if is_dropped {
            return;
        }
        for (key, value) in action {
            match (key.as_str(), value) {
                ("type", _) => {}
                ("fields", Value::Object(fields)) => {
                    for (name, value) in fields {
                        let path = FieldPath::ActionField(index, name.clone());
                        self.part(
                            path,
                            value,
                            stored.and_then(|fields| fields.get(name)),
                            true,
                        );
                    }
                }
                _ => {
                    let path = FieldPath::ActionKey(index, key.clone());
                    if !self.parts.iter().any(|part| part.path == path.to_string()) {
                        self.part(path, value, stored.and_then(|keys| keys.get(key)), true);
                    }
                }
            }
        }
    }

    fn others(&mut self, body: &Map<String, Value>, known: &[&str]) {
        for (key, value) in body {
            if !known.contains(&key.as_str())
                || !self.findings(&FieldPath::Key(key.clone())).is_empty()
            {
                self.part(FieldPath::Key(key.clone()), value, None, true);
            }
        }
    }

    /// What is said of parts that were not sent, such as a missing identifier.
    fn missing(&mut self) {
        for finding in &self.entry.findings {
            let path = finding.path.to_string();
            match self.parts.iter_mut().find(|part| part.path == path) {
                Some(_) => {}
                None => self.parts.push(Part {
                    path,
                    is_inner: false,
                    sent: None,
                    became: became(std::slice::from_ref(finding)).unwrap_or(Became::NotStored),
                    stored: None,
                    findings: vec![finding.clone()],
                }),
            }
        }
    }

    /// `compares`: whether a stored value that differs is a change. Types and times are told in another form.
    fn part(&mut self, path: FieldPath, sent: &Value, stored: Option<&Value>, compares: bool) {
        let findings = self.findings(&path);
        let is_changed = stored.is_some_and(|stored| stored != sent);
        let became = match (became(&findings), stored) {
            (Some(became), _) => became,
            _ if is_waiting(self.entry, self.entry.stored.is_some()) => Became::Waiting,
            (None, None) => Became::NotStored,
            (None, Some(_)) if is_changed && compares => Became::Changed,
            (None, Some(_)) => Became::Stored,
        };
        self.parts.push(Part {
            is_inner: matches!(path, FieldPath::ActionField(..) | FieldPath::ActionKey(..)),
            path: path.to_string(),
            sent: Some(sent.clone()),
            became,
            stored: stored.cloned(),
            findings,
        });
    }

    fn findings(&self, path: &FieldPath) -> Vec<Finding> {
        let findings = self.entry.findings.iter();
        findings
            .filter(|finding| finding.path == *path)
            .cloned()
            .collect()
    }
}

fn became(findings: &[Finding]) -> Option<Became> {
    let kind = findings.iter().map(|finding| finding.kind).min()?;
    Some(match kind {
        FindingKind::OptionCreated => Became::OptionCreated,
        FindingKind::ValueChanged => Became::Changed,
        _ => Became::Dropped,
    })
}
