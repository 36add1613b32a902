//! `Debug` output that shows the structure of data and never a value. Leads are personal data, and
//! many people read logs. Types that hold only field values derive `Debug`.

use crate::rules::{Acceptance, AcceptedAction, FieldOutcome};
use crate::workspace::{Pipeline, WorkspaceFile};
use crate::{CountryError, Decimal, FieldValue, Finding, Remark};
use serde_json::{Map, Value};
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
        let entries = self.0.iter().map(|(key, value)| (key, Shape(value)));
        f.debug_map().entries(entries).finish()
    }
}

/// Shows the JSON type, such as `string` or `[number]`.
impl Debug for FieldValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Shape(self.as_json()).fmt(f)
    }
}

/// Hides the digits.
impl Debug for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Decimal(…)")
    }
}

/// Hides the text that is not a code.
impl Debug for CountryError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("CountryError(…)")
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
            .field("fields", &self.fields)
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
            .field("fields", &self.fields)
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
    use crate::Lead;
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
            "Lead { fields: {\"interests\": [string], \"name\": null, \"phone\": string, \"rating\": number}, \
             actions: [Action({\"fields\": {\"note\": string, \"paid\": boolean}, \"type\": string})], \
             extra: {\"note\": string} }"
        );
    }
}
