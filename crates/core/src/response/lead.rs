//! Leads in responses.

use super::action::ActionRecord;
use super::record::time;
use crate::value::whole_characters;
use crate::{FieldPath, FieldValue};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

type Members = BTreeMap<String, FieldValue>;

/// A lead in a response: a row of a search, or the lead with an ID.
///
/// The documentation shows only `fields`. Live responses have more keys, and some values are in
/// `fields` or next to it (pitfalls LE7, LE11): [`get`](Self::get) looks in both places. Numbers
/// keep every digit ([`FieldValue::digits`]). Keys of an unexpected shape are in
/// [`extra`](Self::extra).
///
/// ```
/// use telecrm_core::LeadRecord;
///
/// let row: LeadRecord = serde_json::from_str(r#"{
///     "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Won", "employeeid": "jane.doe@example.com",
///     "fields": { "phone": "919999999999" }, "actions": [{ "type": "1001" }]
/// }"#)?;
/// assert_eq!((row.id(), row.status()), (Some("603d2b2f9b1e8a001c8e4f5c"), Some("Won")));
/// assert_eq!(row.assignee(), Some("jane.doe@example.com"));
/// assert_eq!(row.get("phone"), Some(&"919999999999".into()));
/// assert_eq!(row.actions().len(), 1);
///
/// // As in the response:
/// assert_eq!(row.fields().len(), 1);
/// assert_eq!(row.extra()["employeeid"], "jane.doe@example.com");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
// The hand-written `Deserialize` requires no key.
#[cfg_attr(feature = "schemars", schemars(default))]
pub struct LeadRecord {
    fields: Members,
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Vec<ActionRecord>", skip_serializing_if = "Option::is_none")
    )]
    actions: Option<Vec<ActionRecord>>,
    #[cfg_attr(feature = "schemars", schemars(flatten))]
    extra: Members,
}

impl LeadRecord {
    /// The ID. The documented rows of a search have none (LE7), live ones do.
    pub fn id(&self) -> Option<&str> {
        ["id", "_id", "leadId", "lead_id"].iter().find_map(|key| self.extra.get(*key)?.as_str())
    }

    /// The label of the status.
    pub fn status(&self) -> Option<&str> {
        self.get("status")?.as_str()
    }

    /// The email address of the team member to whom the lead is assigned.
    pub fn assignee(&self) -> Option<&str> {
        self.get("assignee")?.as_str()
    }

    /// When the lead was created.
    ///
    /// ```
    /// use telecrm_core::LeadRecord;
    ///
    /// let row: LeadRecord = serde_json::from_str(
    ///     r#"{ "fields": { "created_on": 1780290000000, "modified_on": "1780293600000" } }"#,
    /// )?;
    /// assert_eq!(row.created(), Some("2026-06-01T10:30:00+05:30".parse()?));
    /// assert_eq!(row.modified(), Some("2026-06-01T11:30:00+05:30".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn created(&self) -> Option<jiff::Timestamp> {
        time(self.get("created_on")?)
    }

    /// When the lead was last changed.
    pub fn modified(&self) -> Option<jiff::Timestamp> {
        time(self.get("modified_on")?)
    }

    /// The value of a field by its API name, from `fields` or next to it.
    pub fn get(&self, api_name: &str) -> Option<&FieldValue> {
        let elsewhere = match api_name {
            "assignee" => "employeeid",
            other => other,
        };
        filled(&self.fields, api_name)
            .or_else(|| filled(&self.fields, elsewhere))
            .or_else(|| filled(&self.extra, elsewhere))
    }

    /// Converts the fields into your own type, whose keys are API names. `status`, `rating` and
    /// `assignee` are read from `fields` or next to it.
    ///
    /// ```
    /// use telecrm_core::LeadRecord;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Enquiry {
    ///     phone: String,
    ///     status: String,
    ///     rating: Option<u8>,
    /// }
    ///
    /// let row: LeadRecord =
    ///     serde_json::from_str(r#"{ "status": "Won", "fields": { "phone": "919999999999" } }"#)?;
    /// let enquiry: Enquiry = row.fields_as()?;
    /// assert_eq!((enquiry.status.as_str(), enquiry.rating), ("Won", None));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// Numbers keep every digit that the type can hold. Times are milliseconds: tell serde so for a
    /// `jiff::Timestamp` (with jiff's feature `serde`). The same type then works with
    /// [`Lead::from_serialize`](crate::Lead::from_serialize).
    ///
    /// ```
    /// use telecrm_core::{Lead, LeadRecord};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Callback {
    ///     #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    ///     follow_up_date: Option<jiff::Timestamp>,
    /// }
    ///
    /// let callback = Callback { follow_up_date: Some("2026-06-01T10:30:00+05:30".parse()?) };
    /// let lead = Lead::from_serialize(&callback)?;
    /// assert_eq!(lead.get("follow_up_date"), Some(&1_780_290_000_000_i64.into()));
    ///
    /// let row: LeadRecord =
    ///     serde_json::from_str(r#"{ "fields": { "follow_up_date": 1780290000000 } }"#)?;
    /// assert_eq!(row.fields_as::<Callback>()?.follow_up_date, callback.follow_up_date);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if a field does not fit the type. It names the field and the expected type,
    /// but not the value.
    pub fn fields_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let mut fields = self.fields.clone();
        for name in ["status", "rating", "assignee"] {
            if let Some(value) = self.get(name) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        let text = serde_json::to_string(&fields)?;
        serde_json::from_str(&whole_characters(&text)).map_err(|error| misfit(&fields, &error))
    }

    /// The values in `fields`.
    pub fn fields(&self) -> &BTreeMap<String, FieldValue> {
        &self.fields
    }

    /// The keys other than `fields` and `actions`. Also contains `fields` if it is not an object,
    /// and `actions` if it is not a list of objects.
    pub fn extra(&self) -> &BTreeMap<String, FieldValue> {
        &self.extra
    }

    /// The timeline entries in the response. Searches return none. An entry that is not an object
    /// is empty here.
    pub fn actions(&self) -> &[ActionRecord] {
        self.actions.as_deref().unwrap_or_default()
    }
}

/// Describes why a field does not fit a type, without the value that serde's message repeats.
fn misfit(fields: &BTreeMap<String, FieldValue>, error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("missing field") {
        return serde_json::Error::custom(text);
    }
    let reason = match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("does not fit the type {expected}"),
        None => "does not fit its type".to_owned(),
    };
    let place = field_at(fields, error.column());
    let place = place.map_or("a field".to_owned(), |path| format!("`{path}`"));
    serde_json::Error::custom(format_args!("{place} {reason}"))
}

/// Finds the field at this column of the fields' JSON.
fn field_at(fields: &BTreeMap<String, FieldValue>, column: usize) -> Option<FieldPath> {
    let mut end = 0;
    for (name, value) in fields {
        let name_length = serde_json::to_string(name).ok()?.len();
        // One brace or comma before the name, and one colon after it.
        end += 1 + name_length + 1 + serde_json::to_string(value).ok()?.len();
        if column <= end {
            return Some(FieldPath::Field(name.clone()));
        }
    }
    None
}

impl Serialize for LeadRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if !self.extra.contains_key("fields") {
            object.serialize_entry("fields", &self.fields)?;
        }
        if !self.extra.contains_key("actions")
            && let Some(actions) = &self.actions
        {
            object.serialize_entry("actions", actions)?;
        }
        for (key, value) in &self.extra {
            object.serialize_entry(key, value)?;
        }
        object.end()
    }
}

impl<'de> Deserialize<'de> for LeadRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = Members::deserialize(deserializer)?;
        let fields = match extra.remove("fields").map(FieldValue::into_members) {
            Some(Ok(fields)) => fields,
            Some(Err(other)) => {
                extra.insert("fields".to_owned(), other);
                Members::new()
            }
            None => Members::new(),
        };
        let actions = match extra.get("actions").cloned().map(FieldValue::into_items) {
            Some(Ok(items)) => {
                if items.iter().all(|item| item.as_json().is_object()) {
                    extra.remove("actions");
                }
                let keys = |item: FieldValue| item.into_members().unwrap_or_default();
                Some(items.into_iter().map(|item| ActionRecord(keys(item))).collect())
            }
            _ => None,
        };
        Ok(Self { fields, actions, extra })
    }
}

fn filled<'a>(place: &'a Members, key: &str) -> Option<&'a FieldValue> {
    place.get(key).filter(|value| !value.is_null())
}
