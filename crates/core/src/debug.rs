//! `Debug` output that shows the structure of data and never a value. Leads are personal data, and
//! many people read logs.

use crate::rules::{Acceptance, AcceptedAction, FieldOutcome};
use crate::workspace::{Pipeline, WorkspaceFile};
use crate::{Action, Amount, CustomAction, Decimal, FieldValue, Finding, Lead, Remark};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::{Debug, Formatter, Result};

/// The structure of a JSON value: keys, and the types of their values.
struct Shape<'a>(&'a Value);

impl Debug for Shape<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(_) => f.write_str("boolean"),
            Value::Number(_) => f.write_str("number"),
            Value::String(_) => f.write_str("string"),
            Value::Array(items) => f.debug_list().entries(items.iter().map(Shape)).finish(),
            Value::Object(object) => Keys(object).fmt(f),
        }
    }
}

/// The structure of a JSON object.
struct Keys<'a>(&'a Map<String, Value>);

impl Debug for Keys<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let keys = self.0.iter().map(|(key, value)| (Name(key), Shape(value)));
        f.debug_map().entries(keys).finish()
    }
}

/// The structure of fields.
struct Fields<'a>(&'a BTreeMap<String, FieldValue>);

impl Debug for Fields<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let fields = self.0.iter();
        let fields = fields.map(|(name, value)| (Name(name), Shape(value.as_json())));
        f.debug_map().entries(fields).finish()
    }
}

/// A name without quotes.
struct Name<'a>(&'a str);

impl Debug for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.0)
    }
}

/// Shows the JSON type, such as `FieldValue(string)`.
impl Debug for FieldValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_tuple("FieldValue")
            .field(&Shape(self.as_json()))
            .finish()
    }
}

/// Shows the names and JSON types of fields and actions.
impl Debug for Lead {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Lead")
            .field("fields", &Fields(self.fields()))
            .field("actions", &self.actions())
            .field("extra", &Fields(self.extra()))
            .finish()
    }
}

/// Shows the names and JSON types of the keys.
impl Debug for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_tuple("Action").field(&Fields(self.keys())).finish()
    }
}

/// Shows the names and JSON types of the fields.
impl Debug for CustomAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let action = Action::from(self.clone());
        f.debug_tuple("CustomAction")
            .field(&Fields(action.keys()))
            .finish()
    }
}

/// Hides the digits.
impl Debug for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Decimal(…)")
    }
}

/// Hides the amount.
impl Debug for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Amount(…)")
    }
}

/// Hides reason and suggestion, which can repeat a value.
impl Debug for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Finding")
            .field("path", &self.path)
            .field("kind", &self.kind)
            .field("pitfall", &self.pitfall)
            .field("certainty", &self.certainty)
            .field("repaired", &self.repaired)
            .finish_non_exhaustive()
    }
}

/// Hides the text of the remark, which can repeat a value.
impl Debug for Remark {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Remark")
            .field("path", &self.path)
            .field("status", &self.status)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// Hides labels and reasons.
impl Debug for FieldOutcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("FieldOutcome")
            .field("stored", &self.clone().stored())
            .field("created", &self.created().len())
            .finish_non_exhaustive()
    }
}

/// Hides values and labels.
impl Debug for Acceptance {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Acceptance")
            .field("identified", &self.identifier.is_some())
            .field("fields", &Fields(&self.fields))
            .field("created", &self.created.len())
            .field("actions", &self.actions)
            .field("findings", &self.findings)
            .finish()
    }
}

/// Hides values and labels.
impl Debug for AcceptedAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("AcceptedAction")
            .field("index", &self.index)
            .field("code", &self.code)
            .field("fields", &Fields(&self.fields))
            .field("backdated", &self.created_on.is_some())
            .field("created", &self.created.len())
            .finish()
    }
}

/// Shows the statuses and lost reasons, and the structure of the response.
impl Debug for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Pipeline")
            .field("statuses", &self.statuses)
            .field("lost_reasons", &self.lost_reasons)
            .field("extra", &Keys(&self.extra))
            .finish()
    }
}

/// Shows how many items there are, because metadata and team members are personal data.
impl Debug for WorkspaceFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("WorkspaceFile")
            .field("metadata", &self.metadata.is_some())
            .field("custom_fields", &self.custom_fields.len())
            .field("custom_actions", &self.custom_actions.len())
            .field("pipeline", &self.pipeline.is_some())
            .field("team_members", &self.team_members.len())
            .field("emulator", &Keys(&self.emulator))
            .field("extra", &Keys(&self.extra))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lead_shows_its_structure_and_no_value() {
        let lead = Lead::from_json(json!({
            "fields": { "phone": "919999999999", "rating": 4, "interests": ["VIP"], "name": null },
            "actions": [{ "type": "ACTION_1001", "fields": { "note": "s3cret", "paid": true } }],
            "note": "s3cret",
        }))
        .expect("a lead");
        assert_eq!(
            format!("{lead:?}"),
            "Lead { fields: {interests: [string], name: null, phone: string, rating: number}, \
             actions: [Action({fields: {note: string, paid: boolean}, type: string})], extra: {note: string} }"
        );
    }
}
