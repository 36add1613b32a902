//! The error for a workspace file that has the wrong shape.

use crate::json::type_name;
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
}

impl WorkspaceError {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }

    pub(crate) fn expected(path: impl Into<String>, expected: &str, found: &Value) -> Self {
        let found = type_name(found);
        Self::new(path, format!("expected {expected}, found {found}"))
    }

    /// The JSON path of the wrong part, such as `customFields[3].apiName`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl std::error::Error for WorkspaceError {}
