//! Reads parts of a workspace file, with errors that name the JSON path.

use super::WorkspaceError;
use serde_json::{Map, Value};

/// A JSON object, with its path.
pub(super) struct Node<'a> {
    path: String,
    json: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    pub(super) fn new(path: impl Into<String>, json: &'a Map<String, Value>) -> Self {
        Self { path: path.into(), json }
    }

    /// Takes an item of a list, which has to be an object.
    pub(super) fn of((path, item): (String, &'a Value)) -> Result<Self, WorkspaceError> {
        match item.as_object() {
            Some(json) => Ok(Self { path, json }),
            None => Err(WorkspaceError::expected(path, "an object", item)),
        }
    }

    /// The value of a key. Returns None if the key is missing or null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    /// Whether the object has the key, even if its value is null.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.json.contains_key(key)
    }

    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn read<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, WorkspaceError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(WorkspaceError::expected(self.path(key), expected, value)),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, WorkspaceError> {
        self.read(key, "a string", Value::as_str)
    }

    pub(super) fn required_text(&self, key: &str) -> Result<&'a str, WorkspaceError> {
        self.text(key)?.ok_or_else(|| WorkspaceError::new(self.path(key), "is missing"))
    }

    /// Whether a flag is set. A missing flag counts as false.
    pub(super) fn flag(&self, key: &str) -> Result<bool, WorkspaceError> {
        let flag = self.read(key, "true or false", Value::as_bool)?;
        Ok(flag.unwrap_or_default())
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<Self>, WorkspaceError> {
        let object = self.read(key, "an object", Value::as_object)?;
        Ok(object.map(|json| Self::new(self.path(key), json)))
    }

    /// The members of the object with their paths, sorted by key even if another crate enables
    /// `preserve_order` of `serde_json`.
    pub(super) fn members(&self) -> Vec<(&'a str, (String, &'a Value))> {
        let members = self.json.iter();
        let mut members: Vec<_> =
            members.map(|(key, value)| (key.as_str(), (self.path(key), value))).collect();
        members.sort_by_key(|(key, _)| *key);
        members
    }

    /// The items of a list with their paths.
    pub(super) fn list(
        &self,
        key: &str,
    ) -> Result<Option<Vec<(String, &'a Value)>>, WorkspaceError> {
        let Some(items) = self.read(key, "a list", Value::as_array)? else {
            return Ok(None);
        };
        let items = items.iter().enumerate();
        let with_path = |(index, item)| (format!("{}[{index}]", self.path(key)), item);
        Ok(Some(items.map(with_path).collect()))
    }
}

/// The label of an item, which is a string or an object with one of these keys.
pub(super) fn label(
    (path, item): &(String, &Value),
    keys: &[&str],
) -> Result<String, WorkspaceError> {
    let label = keys.iter().find_map(|key| item.get(key)?.as_str());
    match label.or_else(|| item.as_str()) {
        Some(label) => Ok(label.to_owned()),
        None => {
            let expected = "a string, or an object with a `label`";
            Err(WorkspaceError::expected(path.as_str(), expected, item))
        }
    }
}
