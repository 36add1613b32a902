//! The text of an error: what happened, and what to do about it.

use crate::clock::ClockError;
use std::fmt;
use telecrm_core::workspace::WorkspaceError;
use telecrm_core::write_hint;

/// What happened, and a hint. `{}` is one sentence. `{:#}` adds the hint on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// Adds what the reader can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        write_hint(f, self.hint.as_deref())
    }
}

impl From<ClockError> for Problem {
    fn from(error: ClockError) -> Self {
        Self { message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

impl From<WorkspaceError> for Problem {
    fn from(error: WorkspaceError) -> Self {
        Self { message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

/// Implements `hint`, `Display` and `Error` for a public error that wraps a [`Problem`].
macro_rules! impl_error {
    ($name:ident) => {
        impl $name {
            /// What to do about the error. Returns None if that depends on the program.
            pub fn hint(&self) -> Option<&str> {
                self.0.hint.as_deref()
            }
        }

        impl From<$name> for crate::problem::Problem {
            fn from(error: $name) -> Self {
                error.0
            }
        }

        /// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::error::Error for $name {}
    };
}
pub(crate) use impl_error;
