//! Leads and actions as telecrm answers them.

use crate::{Action, ActionKind, FieldValue};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A lead as telecrm answers it: from a search or by its ID.
///
/// The documentation shows only `fields`; live answers carry more, and some facts stand in one place
/// or the other (pitfalls LE7, LE11). Everything is kept, and [`get`](Self::get) looks into both places.
///
/// ```
/// use telecrm_core::LeadRecord;
///
/// let row: LeadRecord = serde_json::from_str(r#"{
///     "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Won", "employeeid": "jane.doe@example.com",
///     "fields": { "phone": "919999999999" }
/// }"#)?;
/// assert_eq!(row.id(), Some("603d2b2f9b1e8a001c8e4f5c"));
/// assert_eq!(row.get("status"), Some(&"Won".into()));
/// assert_eq!(row.get("assignee"), Some(&"jane.doe@example.com".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LeadRecord {
    fields: BTreeMap<String, FieldValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionRecord>,
    #[serde(flatten)]
    row: BTreeMap<String, FieldValue>,
}

impl LeadRecord {
    /// The lead's ID. Documented answers to a search have none (LE7); live ones do.
    pub fn id(&self) -> Option<&str> {
        ["id", "_id", "leadId", "lead_id"]
            .into_iter()
            .find_map(|key| self.row.get(key)?.as_str())
    }

    /// A field's value by its API name, wherever in the answer it stands.
    pub fn get(&self, api_name: &str) -> Option<&FieldValue> {
        let elsewhere = match api_name {
            "assignee" => "employeeid",
            other => other,
        };
        [
            (&self.fields, api_name),
            (&self.fields, elsewhere),
            (&self.row, elsewhere),
        ]
        .into_iter()
        .filter_map(|(place, key)| place.get(key))
        .find(|value| !value.is_null())
    }

    /// The content of `fields`.
    pub fn fields(&self) -> &BTreeMap<String, FieldValue> {
        &self.fields
    }

    /// The keys beside `fields` and `actions`.
    pub fn row(&self) -> &BTreeMap<String, FieldValue> {
        &self.row
    }

    /// The page of the timeline that came with the lead; searches send none.
    pub fn actions(&self) -> &[ActionRecord] {
        &self.actions
    }
}

impl<'de> Deserialize<'de> for LeadRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            fields: Option<BTreeMap<String, FieldValue>>,
            #[serde(default)]
            actions: Option<Vec<ActionRecord>>,
            #[serde(flatten)]
            row: BTreeMap<String, FieldValue>,
        }
        let answer = Answer::deserialize(deserializer)?;
        Ok(Self {
            fields: answer.fields.unwrap_or_default(),
            actions: answer.actions.unwrap_or_default(),
            row: answer.row,
        })
    }
}

/// An entry of a lead's timeline as telecrm answers it.
///
/// ```
/// use telecrm_core::{ActionKind, ActionRecord};
///
/// let entry: ActionRecord = serde_json::from_str(
///     r#"{ "type": "ACTION_1001", "fields": { "note": "called" }, "creationTimestamp": 1780290000000 }"#,
/// )?;
/// assert_eq!(entry.kind(), ActionKind::Custom(1001.into()));
/// assert_eq!(entry.created().map(|t| t.to_string()).as_deref(), Some("2026-06-01T05:00:00Z"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionRecord(Action);

impl ActionRecord {
    /// The entry's ID, if the answer tells it.
    pub fn id(&self) -> Option<&str> {
        self.key("id")?.as_str()
    }

    /// What kind of entry it is. Codes read alike with and without `ACTION_`.
    pub fn kind(&self) -> ActionKind {
        self.0.kind()
    }

    /// When it was recorded. The key is `creationTimestamp` (pitfall AC6).
    pub fn created(&self) -> Option<jiff::Timestamp> {
        let millis = FieldValue::from(self.key("creationTimestamp")?.clone()).as_i64()?;
        jiff::Timestamp::from_millisecond(millis).ok()
    }

    /// The fields of a custom action.
    pub fn fields(&self) -> Option<&Map<String, Value>> {
        self.key("fields")?.as_object()
    }

    /// Any key of the entry.
    pub fn key(&self, key: &str) -> Option<&Value> {
        self.0.as_json().get(key)
    }
}

/// One page of a search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Page<T> {
    /// The items, newest first.
    pub data: Vec<T>,
    /// How many items match in all.
    pub total_count: u64,
    /// How many items were passed over before this page.
    pub skip: u64,
    /// How many items a page holds at most.
    pub limit: u64,
}
