//! Workspace files: the responses of the metadata endpoints in one JSON file.

use super::WorkspaceError;
use crate::FieldValue;
use crate::value::{from_object, to_object};
use serde_json::{Map, Value};

/// The responses of a workspace's metadata endpoints, unchanged.
///
/// Its JSON is
/// `{"metadata","customFields","customActions","leadStagePipeline","teamMembers","emulator"}`.
/// Each key holds the bare list or object, or the whole response (`{"customFields": […]}`), in the
/// shape of `detail=true`. Only `customFields` is required. Unknown keys are kept.
///
/// ```
/// use telecrm_core::WorkspaceFile;
///
/// let file = WorkspaceFile::from_json(serde_json::json!({
///     "customFields": { "customFields": [{ "apiName": "phone", "type": "PHONE",
///     "isLeadid": true }] }
/// }))?;
/// assert_eq!(file.custom_fields.len(), 1);
/// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct WorkspaceFile {
    /// The response of `GET /metadata`.
    pub metadata: Option<Map<String, Value>>,
    /// The items of `GET /custom-fields?detail=true`.
    pub custom_fields: Vec<Map<String, Value>>,
    /// The items of `GET /custom-actions?detail=true`.
    pub custom_actions: Vec<Map<String, Value>>,
    /// The response of `GET /lead-stage-pipeline`.
    pub pipeline: Option<Map<String, Value>>,
    /// The items of `GET /team-members`.
    pub team_members: Vec<Map<String, Value>>,
    /// Settings that no endpoint returns: `{"defaultCountry","timeZone","seats"}`.
    pub emulator: Map<String, Value>,
    /// The other keys.
    pub extra: Map<String, Value>,
}

impl WorkspaceFile {
    /// The sample workspace of the vendor's documentation, with a field of every type.
    ///
    /// ```
    /// use telecrm_core::{Workspace, WorkspaceFile};
    ///
    /// let mut file = WorkspaceFile::sample();
    /// file.custom_fields.retain(|field| field["apiName"] != "budget");
    /// assert!(Workspace::from_file(&file)?.field("budget").is_none());
    /// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
    /// ```
    pub fn sample() -> Self {
        let text = include_str!("../../data/sample-workspace.json");
        let json = serde_json::from_str(text).expect("the sample is JSON");
        Self::from_json(json).expect("the sample is a workspace file")
    }

    /// Reads a workspace file.
    ///
    /// # Errors
    /// Returns an error with the JSON path of the part that has the wrong shape.
    pub fn from_json(json: Value) -> Result<Self, WorkspaceError> {
        let mut extra = from_object(object("the file", json)?);
        let mut take = |key| extra.remove(key).map(FieldValue::into_json);
        if let Some(version) = take("lock").filter(|version| version.as_u64() != Some(LOCK_VERSION))
        {
            let reason = format!("is version {version}, not {LOCK_VERSION}");
            return Err(WorkspaceError::new("lock", reason)
                .with_hint(Some("use the version of telecrm that wrote it, or pull it again")));
        }
        let custom_fields = match take("customFields") {
            Some(fields) => read_list("customFields", fields)?,
            None => return Err(WorkspaceError::new("customFields", "is missing")),
        };
        let mut optional_list = |key| match take(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(items) => read_list(key, items),
        };
        let custom_actions = optional_list("customActions")?;
        let team_members = optional_list("teamMembers")?;
        let mut optional_object = |key| match take(key) {
            None | Some(Value::Null) => Ok(None),
            Some(json) => object(key, json).map(|object| {
                // A whole response can repeat its own name inside.
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

    /// Converts into JSON that [`from_json`](Self::from_json) reads back.
    ///
    /// ```
    /// use telecrm_core::WorkspaceFile;
    ///
    /// let file = WorkspaceFile::sample();
    /// assert_eq!(WorkspaceFile::from_json(file.to_json())?, file);
    /// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
    /// ```
    pub fn to_json(&self) -> Value {
        let mut file = self.extra.clone();
        for (key, answer) in [("metadata", &self.metadata), ("leadStagePipeline", &self.pipeline)] {
            if let Some(answer) = answer {
                file.insert(key.to_owned(), answer.clone().into());
            }
        }
        for (key, items) in [
            ("customFields", &self.custom_fields),
            ("customActions", &self.custom_actions),
            ("teamMembers", &self.team_members),
        ] {
            let items = items.iter().cloned().map(Value::Object).collect();
            file.insert(key.to_owned(), Value::Array(items));
        }
        file.insert("emulator".to_owned(), self.emulator.clone().into());
        file.into()
    }

    /// Converts into JSON to keep under version control: sorted, without what is personal, and with
    /// `"lock": 1` as its version. [`from_json`](Self::from_json) reads it back.
    ///
    /// It lacks the workspace's ID, the people who created or changed a part, the team members, and
    /// leads.
    ///
    /// ```
    /// use telecrm_core::{Workspace, WorkspaceFile};
    ///
    /// let lock = WorkspaceFile::sample().to_lock();
    /// assert_eq!((&lock["lock"], &lock["metadata"]["id"]), (&1.into(), &().into()));
    /// let workspace = Workspace::from_file(&WorkspaceFile::from_json(lock)?)?;
    /// assert_eq!(workspace.identifier().api_name(), "phone");
    /// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
    /// ```
    pub fn to_lock(&self) -> Value {
        let mut lock = self.to_json();
        remove_keys(&mut lock, &["createdBy", "modifiedBy", "lastModifiedBy"]);
        if let Some(file) = lock.as_object_mut() {
            file.remove("teamMembers");
            file.remove("leads");
            if let Some(Value::Object(metadata)) = file.get_mut("metadata") {
                metadata.remove("id");
            }
            for (list, name) in [("customFields", "apiName"), ("customActions", "code")] {
                if let Some(Value::Array(items)) = file.get_mut(list) {
                    items.sort_by_key(|item| item[name].to_string());
                }
            }
            file.insert("lock".to_owned(), LOCK_VERSION.into());
        }
        lock
    }
}

/// The version of the lock file.
const LOCK_VERSION: u64 = 1;

/// Removes these keys from every object.
fn remove_keys(json: &mut Value, keys: &[&str]) {
    match json {
        Value::Object(object) => {
            object.retain(|key, _| !keys.contains(&key.as_str()));
            object.values_mut().for_each(|value| remove_keys(value, keys));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove_keys(item, keys)),
        _ => {}
    }
}

fn object(path: &str, json: Value) -> Result<Map<String, Value>, WorkspaceError> {
    match json {
        Value::Object(object) => Ok(object),
        other => Err(WorkspaceError::expected(path, "an object", &other)),
    }
}

/// Reads a list of objects: bare, or in a response (`{"<key>": […]}` or `{"data": […]}`).
fn read_list(key: &str, json: Value) -> Result<Vec<Map<String, Value>>, WorkspaceError> {
    let (path, items) = match json {
        Value::Array(items) => (key.to_owned(), items),
        Value::Object(mut response) => {
            let inner = if response.contains_key(key) { key } else { "data" };
            let path = format!("{key}.{inner}");
            match response.remove(inner) {
                Some(Value::Array(items)) => (path, items),
                Some(other) => return Err(WorkspaceError::expected(path, "a list", &other)),
                None => {
                    let reason = format!("expected a list, found an object without `{key}`");
                    return Err(WorkspaceError::new(key, reason));
                }
            }
        }
        other => return Err(WorkspaceError::expected(key, "a list", &other)),
    };
    let items = items.into_iter().enumerate();
    items.map(|(index, item)| object(&format!("{path}[{index}]"), item)).collect()
}
