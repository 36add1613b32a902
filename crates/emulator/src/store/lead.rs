//! A stored lead and the entries of its timeline, and how answers show them.

use crate::profile::LeadAttributes;
use litemap::LiteMap;
use object::Object;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use telecrm_core::{Action, ActionCode, ActionKind, FieldValue};

/// The times that telecrm sets itself.
const OWN_TIMES: [&str; 2] = ["created_on", "modified_on"];

const PAYMENT: &str = "PAYMENT";

/// The key of an entry's time, in Unix milliseconds.
const CREATED: &str = "creationTimestamp";

/// Fields by name. A `BTreeMap` takes three times the memory.
type Fields = LiteMap<String, FieldValue>;

/// Fields as a JSON object. `LiteMap` itself serializes an empty map as a list.
mod object {
    use super::{BTreeMap, Fields};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) struct Object<'a>(pub(super) &'a Fields);

    impl Serialize for Object<'_> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map(self.0.iter())
        }
    }

    pub(super) fn serialize<S: Serializer>(fields: &Fields, to: S) -> Result<S::Ok, S::Error> {
        Object(fields).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        let fields = BTreeMap::deserialize(from)?;
        Ok(fields.into_iter().collect())
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredLead {
    pub(crate) id: String,
    #[serde(with = "object")]
    fields: Fields,
    pub(super) created_on: i64,
    modified_on: i64,
    /// The sum of the scores of its actions.
    score: f64,
    /// In the order in which the entries were appended. The state file has a row for each.
    #[serde(skip)]
    pub(super) timeline: Vec<StoredAction>,
}

/// An entry of a lead's timeline.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredAction {
    pub(crate) id: String,
    pub(crate) kind: EntryKind,
    /// The fields of a custom action. For other entries, all keys except `type`.
    #[serde(with = "object")]
    fields: Fields,
    pub(crate) created: i64,
    modified: Option<i64>,
}

/// The type of a timeline entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub(crate) enum EntryKind {
    Custom(ActionCode),
    Payment,
    /// An entry that only telecrm itself creates: a call, a message, a note and so on.
    BuiltIn(String),
}

impl From<EntryKind> for String {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Custom(code) => code.prefixed(),
            EntryKind::Payment => PAYMENT.to_owned(),
            EntryKind::BuiltIn(name) => name,
        }
    }
}

impl From<String> for EntryKind {
    fn from(name: String) -> Self {
        match name.parse::<ActionCode>() {
            Ok(code) if code.prefixed() == name => Self::Custom(code),
            _ if name == PAYMENT => Self::Payment,
            _ => Self::BuiltIn(name),
        }
    }
}

impl StoredLead {
    pub(super) fn new(id: String, created_on: i64) -> Self {
        Self {
            id,
            fields: Fields::new(),
            created_on,
            modified_on: created_on,
            score: 0.0,
            timeline: Vec::new(),
        }
    }

    /// The fields as answers show them, with the times that telecrm sets.
    pub(crate) fn fields(&self) -> LeadFields<'_> {
        LeadFields { lead: self, omitted: &[], has_employee: false, has_computed: false }
    }

    /// The lead as a row of a search.
    pub(crate) fn row(
        &self,
        attributes: LeadAttributes,
        has_id: bool,
        has_computed: bool,
    ) -> LeadRow<'_> {
        LeadRow { lead: self, attributes, has_id, has_computed }
    }

    /// The fields that telecrm computes from the timeline, as users report them.
    fn computed(&self) -> Vec<(&'static str, Value)> {
        let calls: Vec<_> =
            self.timeline.iter().filter(|entry| entry.type_name().contains("CALL")).collect();
        let durations = calls.iter().filter_map(|call| call.fields.get("duration")?.as_i64());
        // A call that was not connected has no duration, or -1.
        let connected: Vec<_> = durations.filter(|seconds| *seconds > 0).collect();
        let rate = 100.0 * connected.len() as f64 / calls.len().max(1) as f64;
        let mut computed = vec![
            ("calls_count", json!(calls.len())),
            ("connected_call_count", json!(connected.len())),
            ("call_connection_rate_(%)", number((rate * 100.0).round() / 100.0)),
            ("total_call_duration", json!(connected.iter().sum::<i64>())),
        ];
        if let Some(last) = self.timeline().next() {
            computed.push(("last_activity_type", json!(last.type_name())));
            computed.push(("last_activity_on", json!(last.created)));
        }
        computed
    }

    /// A field, or one of the times that telecrm sets.
    pub(crate) fn field(&self, name: &str) -> Option<FieldValue> {
        match name {
            "created_on" => Some(self.created_on.into()),
            "modified_on" => Some(self.modified_on.into()),
            _ => self.fields.get(name).cloned(),
        }
    }

    pub(crate) fn action(&self, id: &str) -> Option<&StoredAction> {
        self.timeline.iter().find(|entry| entry.id == id)
    }

    /// The timeline in the order in which the entries were appended.
    pub(crate) fn actions(&self) -> &[StoredAction] {
        &self.timeline
    }

    /// The timeline from the newest entry to the oldest.
    pub(crate) fn timeline(&self) -> impl Iterator<Item = &StoredAction> {
        let mut newest_first: Vec<_> = self.timeline.iter().rev().collect();
        // A stable sort: of two entries with the same time, the later one comes first.
        newest_first.sort_by_key(|action| Reverse(action.created));
        newest_first.into_iter()
    }

    pub(super) fn write(&mut self, fields: BTreeMap<String, FieldValue>, now: i64) {
        self.fields.extend(fields);
        self.modified_on = now.max(self.created_on);
    }

    /// Appends entries to the timeline.
    pub(super) fn append(&mut self, entries: Vec<StoredAction>, score: f64) {
        if self.timeline.is_empty() {
            // Most leads never get more entries than these.
            self.timeline.reserve_exact(entries.len());
        }
        self.timeline.extend(entries);
        self.score += score;
    }
}

impl StoredAction {
    pub(super) fn new(
        id: String,
        kind: EntryKind,
        fields: BTreeMap<String, FieldValue>,
        created: i64,
    ) -> Self {
        Self { id, kind, fields: fields.into_iter().collect(), created, modified: None }
    }

    pub(super) fn write(&mut self, fields: BTreeMap<String, FieldValue>, now: i64) {
        self.fields.extend(fields);
        self.modified = Some(now);
    }

    /// The type as the Sync API accepts it, such as `1001` or `PAYMENT`.
    pub(crate) fn type_name(&self) -> &str {
        match &self.kind {
            EntryKind::Custom(code) => code.bare(),
            EntryKind::Payment => PAYMENT,
            EntryKind::BuiltIn(name) => name,
        }
    }

    /// The address of the performer. Actions that arrive through an API have none.
    pub(crate) fn performer(&self) -> Option<&str> {
        match self.kind {
            EntryKind::BuiltIn(_) => self.fields.get("employeeid")?.as_str(),
            _ => None,
        }
    }

    /// The entry as answers show it, with or without the prefix of the code.
    pub(crate) fn shown(&self, is_prefixed: bool) -> ShownAction<'_> {
        ShownAction { entry: self, is_prefixed }
    }
}

/// An entry that telecrm itself adds to a timeline.
pub(crate) struct BuiltInEntry {
    type_name: String,
    keys: BTreeMap<String, FieldValue>,
    created: Option<i64>,
}

impl BuiltInEntry {
    /// An entry with these keys, among them perhaps its time.
    pub(crate) fn new(type_name: String, mut keys: BTreeMap<String, FieldValue>) -> Self {
        keys.remove("id");
        Self { type_name, created: keys.remove(CREATED).and_then(|time| time.as_i64()), keys }
    }

    /// The entry as a timeline stores it.
    pub(super) fn stored(self, id: String, now: i64) -> StoredAction {
        let kind = EntryKind::BuiltIn(self.type_name);
        StoredAction::new(id, kind, self.keys, self.created.unwrap_or(now))
    }

    /// Reads an entry. The error is a sentence for the caller.
    pub(crate) fn from_json(body: Value) -> Result<Self, &'static str> {
        const TYPE: &str = "The entry needs a `type` other than PAYMENT or a custom action's code";
        let Value::Object(mut keys) = body else {
            return Err(TYPE);
        };
        let ActionKind::Other(type_name) = Action::from(keys.clone()).kind() else {
            return Err(TYPE);
        };
        if type_name.trim().is_empty() {
            return Err(TYPE);
        }
        if let Some(time) = keys.get(CREATED)
            && time.as_i64().is_none()
        {
            return Err("The `creationTimestamp` of an entry must be Unix milliseconds");
        }
        keys.remove("type");
        let keys = keys.into_iter().map(|(key, value)| (key, value.into()));
        Ok(Self::new(type_name, keys.collect()))
    }
}

/// Serializes the fields of a lead without building a tree first.
pub(crate) struct LeadFields<'a> {
    lead: &'a StoredLead,
    omitted: &'static [&'static str],
    has_employee: bool,
    has_computed: bool,
}

impl LeadFields<'_> {
    /// Shows the fields that telecrm computes too.
    pub(crate) fn with_computed(mut self, has_computed: bool) -> Self {
        self.has_computed = has_computed;
        self
    }

    /// Shows the assignee as `employeeid` too.
    pub(crate) fn with_employee(mut self, has_employee: bool) -> Self {
        self.has_employee = has_employee;
        self
    }
}

impl Serialize for LeadFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lead = self.lead;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &lead.fields {
            let name = name.as_str();
            if !OWN_TIMES.contains(&name) && !self.omitted.contains(&name) {
                map.serialize_entry(name, value)?;
            }
        }
        if self.has_employee
            && let Some(assignee) = lead.fields.get("assignee")
        {
            map.serialize_entry("employeeid", assignee)?;
        }
        for (name, time) in OWN_TIMES.iter().zip([lead.created_on, lead.modified_on]) {
            map.serialize_entry(name, &time)?;
        }
        if self.has_computed {
            for (name, value) in lead.computed() {
                map.serialize_entry(name, &value)?;
            }
        }
        map.end()
    }
}

/// Serializes a row of a search.
pub(crate) struct LeadRow<'a> {
    lead: &'a StoredLead,
    attributes: LeadAttributes,
    has_id: bool,
    has_computed: bool,
}

impl Serialize for LeadRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lead = self.lead;
        let mut map = serializer.serialize_map(None)?;
        if self.has_id {
            map.serialize_entry("id", &lead.id)?;
        }
        let fields = LeadFields {
            omitted: match self.attributes {
                LeadAttributes::Row => &["status", "rating", "assignee"],
                _ => &[],
            },
            has_computed: self.has_computed,
            ..lead.fields()
        };
        map.serialize_entry("fields", &fields)?;
        map.serialize_entry("actions", &[(); 0])?;
        if self.has_computed {
            map.serialize_entry("labelids", &[(); 0])?;
            map.serialize_entry("createdBy", "API")?;
            map.serialize_entry("modifiedBy", "API")?;
        }
        if self.attributes != LeadAttributes::Fields {
            map.serialize_entry("score", &number(lead.score))?;
            map.serialize_entry("isArchived", &false)?;
            map.serialize_entry("isSpam", &false)?;
            map.serialize_entry(CREATED, &lead.created_on)?;
            for (name, key) in
                [("status", "status"), ("rating", "rating"), ("assignee", "employeeid")]
            {
                if let Some(value) = lead.fields.get(name) {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        map.end()
    }
}

/// Serializes an entry of a timeline.
pub(crate) struct ShownAction<'a> {
    entry: &'a StoredAction,
    is_prefixed: bool,
}

impl Serialize for ShownAction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.entry;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &entry.id)?;
        match &entry.kind {
            EntryKind::Custom(code) if self.is_prefixed => {
                map.serialize_entry("type", &code.prefixed())?;
            }
            _ => map.serialize_entry("type", entry.type_name())?,
        }
        map.serialize_entry(CREATED, &entry.created)?;
        if let Some(modified) = entry.modified {
            map.serialize_entry("modificationTimestamp", &modified)?;
        }
        match entry.kind {
            EntryKind::Custom(_) => map.serialize_entry("fields", &Object(&entry.fields))?,
            _ => {
                for (key, value) in &entry.fields {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        map.end()
    }
}

/// A score as JSON. Whole numbers have no fraction.
fn number(score: f64) -> Value {
    if score.fract() == 0.0 { json!(score as i64) } else { json!(score) }
}
