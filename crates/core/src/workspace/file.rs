//! A workspace as its endpoints answer it: the emulator's seed.

use crate::FieldValue;
use crate::value::{from_object, to_object};
use serde_json::{Map, Value};
use std::fmt;

/// The answers of a workspace's metadata endpoints, kept as they are.
///
/// As JSON: `{"metadata","customFields","customActions","leadStagePipeline","teamMembers","emulator"}`.
/// Each key holds the bare list or object, or the endpoint's whole answer (`{"customFields": […]}`), in the shape of `detail=true`.
/// Everything but `customFields` may be missing, and unknown keys are kept.
///
/// ```
/// use telecrm_core::WorkspaceFile;
///
/// let file = WorkspaceFile::from_json(serde_json::json!({
///     "customFields": { "customFields": [{ "apiName": "phone", "type": "PHONE", "isLeadid": true }] }
/// }))?;
/// assert_eq!(file.custom_fields.len(), 1);
/// # Ok::<(), telecrm_core::WorkspaceError>(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct WorkspaceFile {
    /// The answer of `GET /metadata`.
    pub metadata: Option<Map<String, Value>>,
    /// The items of `GET /custom-fields?detail=true`.
    pub custom_fields: Vec<Map<String, Value>>,
    /// The items of `GET /custom-actions?detail=true`.
    pub custom_actions: Vec<Map<String, Value>>,
    /// The answer of `GET /lead-stage-pipeline`.
    pub pipeline: Option<Map<String, Value>>,
    /// The items of `GET /team-members`.
    pub team_members: Vec<Map<String, Value>>,
    /// What no endpoint tells: `{"defaultCountry","timeZone","seats"}`.
    pub emulator: Map<String, Value>,
    /// Other keys.
    pub extra: Map<String, Value>,
}

impl WorkspaceFile {
    /// The sample workspace of the vendor's documentation, filled up to every field type.
    ///
    /// ```
    /// use telecrm_core::{Workspace, WorkspaceFile};
    ///
    /// let mut file = WorkspaceFile::sample();
    /// file.custom_fields.retain(|field| field["apiName"] != "budget");
    /// assert!(Workspace::from_file(&file)?.field("budget").is_none());
    /// # Ok::<(), telecrm_core::WorkspaceError>(())
    /// ```
    pub fn sample() -> Self {
        let text = include_str!("../../data/sample-workspace.json");
        let json = serde_json::from_str(text).expect("the sample is JSON");
        Self::from_json(json).expect("the sample is a workspace file")
    }

    /// Reads a workspace file.
    ///
    /// # Errors
    /// Names the JSON path that has the wrong shape.
    pub fn from_json(json: Value) -> Result<Self, WorkspaceError> {
        let mut extra = from_object(object("the file", json)?);
        let mut take = |key| extra.remove(key).map(FieldValue::into_json);
        let custom_fields = match take("customFields") {
            Some(fields) => list("customFields", fields)?,
            None => return Err(WorkspaceError::new("customFields", "is missing")),
        };
        let mut optional_list = |key| match take(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(items) => list(key, items),
        };
        let custom_actions = optional_list("customActions")?;
        let team_members = optional_list("teamMembers")?;
        let mut optional_object = |key| match take(key) {
            None | Some(Value::Null) => Ok(None),
            Some(json) => object(key, json).map(|object| {
                // An endpoint's answer may stand under its own name once more.
                match object.get(key) {
                    Some(Value::Object(inner)) if object.len() == 1 => Some(inner.clone()),
                    _ => Some(object),
                }
            }),
        };
        Ok(Self {
            metadata: optional_object("metadata")?,
            pipeline: optional_object("leadStagePipeline")?,
            emulator: optional_object("emulator")?.unwrap_or_default(),
            custom_fields,
            custom_actions,
            team_members,
            extra: to_object(&extra),
        })
    }

    /// The file as JSON, from which [`from_json`](Self::from_json) reads the same.
    ///
    /// ```
    /// use telecrm_core::WorkspaceFile;
    ///
    /// let file = WorkspaceFile::sample();
    /// assert_eq!(WorkspaceFile::from_json(file.to_json())?, file);
    /// # Ok::<(), telecrm_core::WorkspaceError>(())
    /// ```
    pub fn to_json(&self) -> Value {
        let Self {
            metadata,
            custom_fields,
            custom_actions,
            pipeline,
            team_members,
            emulator,
            extra,
        } = self;
        let mut file = extra.clone();
        for (key, answer) in [("metadata", metadata), ("leadStagePipeline", pipeline)] {
            if let Some(answer) = answer {
                file.insert(key.to_owned(), answer.clone().into());
            }
        }
        for (key, items) in [
            ("customFields", custom_fields),
            ("customActions", custom_actions),
            ("teamMembers", team_members),
        ] {
            let mut list = Vec::new();
            for item in items {
                list.push(Value::Object(item.clone()));
            }
            file.insert(key.to_owned(), Value::Array(list));
        }
        file.insert("emulator".to_owned(), emulator.clone().into());
        file.into()
    }
}

fn object(path: &str, json: Value) -> Result<Map<String, Value>, WorkspaceError> {
    match json {
        Value::Object(object) => Ok(object),
        other => Err(WorkspaceError::expected(path, "an object", &other)),
    }
}

/// A list of objects: bare, or in the endpoint's envelope (`{"<key>": […]}` or `{"data": […]}`).
fn list(key: &str, json: Value) -> Result<Vec<Map<String, Value>>, WorkspaceError> {
    let (path, items) = match json {
        Value::Array(items) => (key.to_owned(), items),
        Value::Object(mut answer) => {
            let inner = if answer.contains_key(key) {
                key
            } else {
                "data"
            };
            let path = format!("{key}.{inner}");
            match answer.get_mut(inner).map(Value::take) {
                Some(Value::Array(items)) => (path, items),
                Some(other) => return Err(WorkspaceError::expected(&path, "a list", &other)),
                None => {
                    return Err(WorkspaceError::new(
                        key,
                        &format!("is an object without the list `{key}`"),
                    ));
                }
            }
        }
        other => return Err(WorkspaceError::expected(key, "a list", &other)),
    };
    let mut objects = Vec::new();
    for item in items {
        objects.push(object(&format!("{path}[{}]", objects.len()), item)?);
    }
    Ok(objects)
}

/// A workspace that cannot be understood: which part, and why.
///
/// ```
/// use telecrm_core::WorkspaceFile;
///
/// let error = WorkspaceFile::from_json(serde_json::json!({ "customFields": "none" })).unwrap_err();
/// assert_eq!(error.path(), "customFields");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceError {
    path: String,
    reason: String,
}

impl WorkspaceError {
    pub(crate) fn new(path: &str, reason: &str) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// The same, said of another place.
    pub(crate) fn at(self, path: &str) -> Self {
        Self::new(path, &self.reason)
    }

    pub(crate) fn expected(path: &str, expected: &str, found: &Value) -> Self {
        let found = crate::lead::json_type(found);
        Self::new(path, &format!("must be {expected}, and is {found}"))
    }

    /// The JSON path of the part that is wrong, such as `customFields[3].apiName`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl std::error::Error for WorkspaceError {}
