//! The error for a workspace file that has the wrong shape.

use crate::json::type_name;
use crate::write_hint;
use serde_json::Value;
use std::fmt;

/// The error for a workspace file that has the wrong shape.
///
/// ```
/// use telecrm_core::WorkspaceFile;
///
/// let error =
///     WorkspaceFile::from_json(serde_json::json!({ "customFields": "none" })).unwrap_err();
/// assert_eq!(error.path(), "customFields");
/// assert_eq!(error.to_string(), "customFields: expected a list, found a string");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceError {
    path: String,
    reason: String,
    hint: Option<String>,
}

impl WorkspaceError {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into(), hint: None }
    }

    pub(crate) fn expected(path: impl Into<String>, expected: &str, found: &Value) -> Self {
        let found = type_name(found);
        Self::new(path, format!("expected {expected}, found {found}"))
    }

    /// Adds what to do about the error.
    pub(crate) fn with_hint(self, hint: Option<impl Into<String>>) -> Self {
        Self { hint: hint.map(Into::into), ..self }
    }

    /// What to do about the error. Returns None if the reason already says it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The JSON path of the wrong part, such as `customFields[3].apiName`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
impl fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)?;
        write_hint(f, self.hint())
    }
}

impl std::error::Error for WorkspaceError {}
