//! A problem that people read: what happened, and what to do about it.

use serde::Serialize;
use std::error::Error;
use std::fmt;
use telecrm::workspace::WorkspaceError;
use telecrm_emulator::{FaultError, RecordingError, SettingsError, StateError, SwitchError};

/// What happened and where, and a hint that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// Sets the hint. It replaces that of a library, because it names the variables and flags of
    /// this command.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Puts the place in front: `line 3: …`.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Error for Problem {}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

/// Converts errors of the libraries: the message with its chain of sources, and the hint.
macro_rules! from_errors {
    ($($error:ty),+ $(,)?) => {$(
        impl From<&$error> for Problem {
            fn from(error: &$error) -> Self {
                let mut message = error.to_string();
                let mut source = error.source();
                while let Some(cause) = source {
                    message = format!("{message}: {cause}");
                    source = cause.source();
                }
                Self { message, hint: error.hint().map(Into::into) }
            }
        }
    )+};
}
from_errors!(
    telecrm::Error,
    telecrm::CountryError,
    WorkspaceError,
    FaultError,
    RecordingError,
    SettingsError,
    StateError,
    SwitchError,
    telecrm_outbox::Error,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_of_an_error_is_kept_apart_from_its_message() {
        let error = "XX".parse::<telecrm::Country>().expect_err("unknown");
        let problem = Problem::from(&error);
        assert_eq!(problem.message, "unknown country code `XX`");
        assert_eq!(problem.hint, error.hint());
    }

    #[test]
    fn a_second_hint_replaces_the_first() {
        let problem = Problem::new("invalid").hint("remove it").hint("rename it");
        assert_eq!(problem.to_string(), "invalid\n  hint: rename it");
    }
}
