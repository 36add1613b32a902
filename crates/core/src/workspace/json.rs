//! Reads parts of a workspace file, with errors that name the JSON path.

use super::WorkspaceError;
use serde_json::{Map, Value};

pub(super) fn object(path: &str, json: Value) -> Result<Map<String, Value>, WorkspaceError> {
    match json {
        Value::Object(object) => Ok(object),
        other => Err(WorkspaceError::expected(path, "an object", &other)),
    }
}

/// The list under a key. Returns None if the key is missing or null.
pub(super) fn list<'a>(
    json: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<&'a Vec<Value>>, WorkspaceError> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => Err(WorkspaceError::expected(
            format!("{path}.{key}"),
            "a list",
            other,
        )),
    }
}

/// The string under a key. Returns None if the key is missing or null.
pub(super) fn text<'a>(
    json: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<&'a str>, WorkspaceError> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(WorkspaceError::expected(
            format!("{path}.{key}"),
            "a string",
            other,
        )),
    }
}

pub(super) fn required_text<'a>(
    json: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<&'a str, WorkspaceError> {
    text(json, path, key)?.ok_or_else(|| WorkspaceError::new(format!("{path}.{key}"), "is missing"))
}

/// Whether a flag is set. A missing flag or null counts as false.
pub(super) fn flag(
    json: &Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<bool, WorkspaceError> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(WorkspaceError::expected(
            format!("{path}.{key}"),
            "true or false",
            other,
        )),
    }
}

/// The label of an item, which is a string or an object with one of these keys.
pub(super) fn label(item: &Value, path: &str, keys: &[&str]) -> Result<String, WorkspaceError> {
    keys.iter()
        .find_map(|key| item.get(key)?.as_str())
        .or_else(|| item.as_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            WorkspaceError::expected(path, "a string, or an object with a `label`", item)
        })
}
