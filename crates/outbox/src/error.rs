//! The error of the outbox: a sentence, and a hint with the remedy.

use std::fmt;
use telecrm::write_hint;

/// What an [`Error`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store cannot be opened: another program's file, a newer version, a folder.
    Store,
    /// Another process sends from this store.
    Locked,
    /// The store or its disk is full. Nothing was queued.
    Full,
    /// The store belongs to another enterprise, country or time zone.
    OtherWorkspace,
    /// The lead cannot be queued: telecrm would drop all or a part of it.
    Lead,
    /// The key was used for another lead before.
    KeyReused,
    /// The request does not fit the state of the item.
    State,
    /// The outbox is closed.
    Closed,
}

/// Why a call of the outbox failed. A call that fails has changed nothing.
///
/// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    /// Whether the message still needs the store in front of it.
    placeless: bool,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, placeless: false }
    }

    /// An error whose message goes on after the name of the store.
    pub(crate) fn of_store(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { placeless: true, ..Self::new(kind, message) }
    }

    /// Names the store, unless the message does.
    pub(crate) fn at(mut self, place: &str) -> Self {
        if std::mem::take(&mut self.placeless) {
            self.message = format!("{place} {}", self.message);
        }
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What the error is about.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do about the error.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        write_hint(f, self.hint())
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(ErrorKind::Store, format!("an item of the outbox cannot be written: {error}"))
    }
}
