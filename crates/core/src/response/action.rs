//! Timeline entries in responses.

use super::record::time;
use crate::{ActionKind, Amount, Currency, FieldValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An entry of a lead's timeline in a response. Numbers keep every digit.
///
/// ```
/// use telecrm_core::{ActionKind, ActionRecord};
///
/// let entry: ActionRecord = serde_json::from_str(r#"{
///     "id": "a1", "type": "ACTION_1001", "fields": { "note": "called" },
///     "creationTimestamp": 1780290000000
/// }"#)?;
/// assert_eq!(entry.id(), Some("a1"));
/// assert_eq!(entry.kind(), ActionKind::Custom(1001.into()));
/// assert_eq!(entry.fields().unwrap()["note"], "called");
/// assert_eq!(entry.field("note"), Some("called".into()));
/// assert_eq!(entry.created().map(|t| t.to_string()).as_deref(), Some("2026-06-01T05:00:00Z"));
/// assert_eq!(entry.key("duration"), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ActionRecord(pub(super) BTreeMap<String, FieldValue>);

impl ActionRecord {
    /// The ID. Returns None if the response has none.
    pub fn id(&self) -> Option<&str> {
        self.key("id")?.as_str()
    }

    /// The kind of the entry. Codes are read with and without `ACTION_`.
    pub fn kind(&self) -> ActionKind {
        ActionKind::of(self.key("type"))
    }

    /// When the entry was created, from the key `creationTimestamp` (pitfall AC6).
    pub fn created(&self) -> Option<jiff::Timestamp> {
        time(self.key("creationTimestamp")?)
    }

    /// A field of a custom action.
    pub fn field(&self, api_name: &str) -> Option<FieldValue> {
        self.key("fields")?.member(api_name)
    }

    /// The fields of a custom action. Numbers have the range of `serde_json`.
    /// [`field`](Self::field) keeps every digit.
    pub fn fields(&self) -> Option<&Map<String, Value>> {
        self.key("fields")?.as_json().as_object()
    }

    /// The amount of a payment, with every digit.
    ///
    /// ```
    /// use telecrm_core::{ActionRecord, Currency};
    ///
    /// let entry: ActionRecord =
    ///     serde_json::from_str(r#"{ "type": "PAYMENT", "amount": "4999.50",
    ///         "currency": "INR" }"#)?;
    /// assert_eq!(entry.amount().map(|amount| amount.to_string()).as_deref(), Some("4999.50"));
    /// assert_eq!(entry.currency(), Some(Currency::Inr));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn amount(&self) -> Option<Amount> {
        self.key("amount")?.as_decimal()?.try_into().ok()
    }

    /// The currency of a payment.
    pub fn currency(&self) -> Option<Currency> {
        self.key("currency")?.as_str().map(Currency::from)
    }

    /// The value of any key, known or not.
    pub fn key(&self, key: &str) -> Option<&FieldValue> {
        self.0.get(key)
    }
}
