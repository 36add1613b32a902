//! What is said beside the data.

use std::io::{self, Write};

/// Says something on standard error. If that is closed, there is nobody left to tell.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

/// Text from a file, or from a server, that leaves the terminal alone.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
