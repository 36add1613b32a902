//! Parses one lead in the form of the Async API.

use crate::problem::Problem;
use serde_json::Value;
use serde_json::error::Category;
use telecrm::Lead;

/// A longer text is not a lead.
pub(super) const MAX_LEAD_BYTES: usize = 16 * 1024 * 1024;

/// The messages of serde_json for more than 127 levels, and for a number beyond a double.
const TOO_DEEP: &str = "recursion limit exceeded";
const OUT_OF_RANGE: &str = "number out of range";

/// Parses a text that begins on this line.
pub(super) fn parse(text: &[u8], line: u64) -> Result<Lead, Problem> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        Problem::new(format!("line {line}: not UTF-8 at byte {byte}"))
            .hint("save the file as UTF-8, or name its encoding with --encoding")
    })?;
    // A lead keeps numbers and escapes as they are written, also those that telecrm cannot read.
    if let Err(error) = serde_json::from_str::<Value>(text) {
        return Err(invalid_json(text, line, &error));
    }
    serde_json::from_str(text).map_err(|error| {
        // The JSON is valid, but not a lead. The message says what is wrong.
        let full = error.to_string();
        let (reason, _) = full.split_once(" at line ").unwrap_or((&full, ""));
        Problem::new(reason).at(format!("line {line}"))
    })
}

fn invalid_json(text: &str, line: u64, error: &serde_json::Error) -> Problem {
    let full = error.to_string();
    let (reason, _) = full.split_once(" at line ").unwrap_or((&full, ""));
    let column = error.column();
    let is_half = reason.contains("surrogate") || reason.contains("hex escape");
    let is_value = is_half || reason == OUT_OF_RANGE;
    let place = is_value.then(|| field_with_error(text)).flatten();
    let (message, hint) = match place {
        Some(place) if is_half => (
            format!("{place}: half a character at column {column} ({reason})"),
            "write both halves of the character, as in \\ud83d\\ude00, or remove it",
        ),
        Some(place) => (
            format!("{place}: the number at column {column} is too large for JSON readers"),
            "write a number below 1e308, or text",
        ),
        None if reason == TOO_DEEP => (
            format!("more than 127 levels of nested JSON at column {column}"),
            "send the nested JSON as text, or remove it",
        ),
        None if error.classify() == Category::Eof => (
            format!("the JSON ends early at column {column} ({reason})"),
            "write each lead on one line",
        ),
        None => (
            format!("invalid JSON at column {column} ({reason})"),
            "write one lead per line, such as {\"fields\": {\"phone\": \"919999999999\"}}",
        ),
    };
    let line = line + (error.line() as u64).saturating_sub(1);
    Problem::new(message).at(format!("line {line}")).hint(hint)
}

/// Returns the field or action whose JSON other programs cannot read. Returns None if the text is
/// not a lead.
fn field_with_error(text: &str) -> Option<String> {
    let lead: Lead = serde_json::from_str(text).ok()?;
    let is_bad = |json: serde_json::Result<String>| {
        json.is_ok_and(|json| serde_json::from_str::<Value>(&json).is_err())
    };
    let fields = lead.fields().iter();
    let mut bad = fields.filter(|(_, value)| is_bad(serde_json::to_string(value)));
    if let Some((name, _)) = bad.next() {
        return Some(format!("fields.{name}"));
    }
    let mut actions = lead.actions().iter();
    let index = actions.position(|action| is_bad(serde_json::to_string(action.keys())))?;
    Some(format!("actions[{index}]"))
}
