//! Keys by which an answer that looks like a success speaks of a failure.
//!
//! telecrm documents none of them, and none was reported with a success.

use serde_json::Value;

/// Whether this key of an answer says that the request failed, or a part of it.
pub(crate) fn is_denial(key: &str, value: &Value) -> bool {
    match key {
        "success" => *value == false || *value == 0 || *value == "false",
        "error" | "errors" => is_set(value),
        _ => false,
    }
}

/// Whether this key of an answer that has an ID says that a part of the request is not stored.
pub(crate) fn is_partial_denial(key: &str, value: &Value) -> bool {
    let is_failure = |text: &str| {
        let words = ["error", "failed", "failure", "rejected", "ignored"];
        words.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
    };
    match key {
        "warnings" => is_set(value),
        "status" => value.as_str().is_some_and(is_failure),
        _ => is_denial(key, value),
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
