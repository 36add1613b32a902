//! What a state file can be refused for.

use std::fmt;

/// A state file that cannot be used: a sentence that names the file, the reason and what helps.
///
/// [`Builder::start`](crate::Builder::start) gives it inside of an [`io::Error`](std::io::Error).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError(pub(crate) String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StateError {}
