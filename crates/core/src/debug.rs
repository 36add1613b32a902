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

/// Implements `Debug` for structs, with only these entries.
macro_rules! show_only {
    ($($(#[$doc:meta])* $type:ident |$it:ident| { $($name:ident: $value:expr),+ $(,)? })+) => {$(
        $(#[$doc])*
        impl Debug for $type {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                let $it = self;
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($name), &$value))+
                    .finish_non_exhaustive()
            }
        }
    )+};
}

show_only! {
    /// Hides reason and suggestion, which can repeat a value.
    Finding |it| {
        path: it.path,
        kind: it.kind,
        pitfall: it.pitfall,
        certainty: it.certainty,
        repaired: it.repaired,
    }

    /// Hides the text of the remark, which can repeat a value.
    Remark |it| { path: it.path, status: it.status, sent: it.sent }

    /// Hides labels and reasons.
    FieldOutcome |it| { stored: it.clone().stored(), created: it.created().len() }

    /// Hides values and labels.
    Acceptance |it| {
        identified: it.identifier.is_some(),
        fields: it.fields,
        created: it.created.len(),
        actions: it.actions,
        findings: it.findings,
    }

    /// Hides values and labels.
    AcceptedAction |it| {
        index: it.index,
        code: it.code,
        fields: it.fields,
        backdated: it.created_on.is_some(),
        created: it.created.len(),
    }

    /// Shows the statuses and lost reasons, and the structure of the response.
    Pipeline |it| {
        statuses: it.statuses,
        lost_reasons: it.lost_reasons,
        extra: Keys(&it.extra),
    }

    /// Shows how many items there are, because metadata and team members are personal data.
    WorkspaceFile |it| {
        metadata: it.metadata.is_some(),
        custom_fields: it.custom_fields.len(),
        custom_actions: it.custom_actions.len(),
        pipeline: it.pipeline.is_some(),
        team_members: it.team_members.len(),
        emulator: Keys(&it.emulator),
        extra: Keys(&it.extra),
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
