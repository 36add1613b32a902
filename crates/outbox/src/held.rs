//! Why nothing can be sent at present.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why nothing can be sent at present, whatever the lead. Prints as a sentence.
///
/// ```
/// use telecrm_outbox::Held;
///
/// assert_eq!(Held::Tokens.to_string(), "no token is accepted");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Held {
    /// Five connections in a row failed.
    Connection,
    /// Every token is refused.
    Tokens,
    /// telecrm refuses the workspace with this status and code: the enterprise is unknown, its
    /// licence has ended, or access is forbidden.
    Workspace(String),
    /// Five leads in a row met a fault of the server.
    Server,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => f.write_str("telecrm cannot be reached"),
            Self::Tokens => f.write_str("no token is accepted"),
            Self::Workspace(answer) => write!(f, "telecrm refuses the workspace: {answer}"),
            Self::Server => f.write_str("the server fails for all leads"),
        }
    }
}

impl Held {
    /// The text that the store keeps.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what the store keeps.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
