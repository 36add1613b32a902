//! A problem that people read: what happened, and what to do about it.

use serde::Serialize;
use std::fmt;

const HINT: &str = "\n  hint: ";

/// What happened and where, and a hint that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// Errors of the libraries print their hint below the message, and both are kept apart here.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        match message.split_once(HINT) {
            Some((message, hint)) => {
                Self { message: message.to_owned(), hint: Some(hint.to_owned()) }
            }
            None => Self { message, hint: None },
        }
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
            Some(hint) => write!(f, "{HINT}{hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_of_an_error_is_kept_apart_from_its_message() {
        let problem = Problem::new("file.json: invalid\n  hint: remove it");
        assert_eq!(problem.message, "file.json: invalid");
        assert_eq!(problem.hint.as_deref(), Some("remove it"));
    }

    #[test]
    fn a_second_hint_replaces_the_first() {
        let problem = Problem::new("invalid").hint("remove it").hint("rename it");
        assert_eq!(problem.to_string(), "invalid\n  hint: rename it");
    }
}
