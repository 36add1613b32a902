//! Messages on standard error.

use crate::problem::Problem;
use std::io::{self, Write};

/// Prints a line on standard error.
pub(crate) fn print(text: &str) {
    // The command goes on without its messages if standard error is closed.
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

/// Prints `error: …`, and the hint on a line of its own.
pub(crate) fn print_error(problem: &Problem) {
    print_problem("error", problem);
}

/// Prints `warning: …`, and the hint on a line of its own.
pub(crate) fn print_warning(problem: &Problem) {
    print_problem("warning", problem);
}

fn print_problem(level: &str, problem: &Problem) {
    print_note(&format!("{level}: {}", problem.message), problem.hint.as_deref());
}

/// Prints a line, and the hint on a line of its own.
pub(crate) fn print_note(text: &str, hint: Option<&str>) {
    print(text);
    if let Some(hint) = hint {
        print(&format!("  hint: {hint}"));
    }
}

/// Replaces control characters, so that text from a file or a server cannot control the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
