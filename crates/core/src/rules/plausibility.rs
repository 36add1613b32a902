//! Numbers that telecrm takes, and that are nobody's.

use super::phone;
use crate::rules::Acceptance;
use crate::{
    Certainty, FieldDefinition, FieldPath, FieldType, FieldValue, Finding, FindingKind, Lead,
    Workspace,
};

impl Workspace {
    /// Phone numbers that telecrm stores though no country has them. They are no losses: what telecrm takes is told by
    /// its own rules, which know lengths and not numbers.
    pub(crate) fn doubts(&self, lead: &Lead, accepted: &Acceptance) -> Vec<Finding> {
        let mut doubts = Vec::new();
        for (name, stored) in &accepted.fields {
            if is_phone(self.field(name)) {
                doubts.extend(self.doubt(lead, FieldPath::Field(name.clone()), stored));
            }
        }
        for action in &accepted.actions {
            let definition = action.code.as_ref().and_then(|code| self.action(code));
            for (name, stored) in &action.fields {
                if is_phone(definition.and_then(|definition| definition.field(name))) {
                    let path = FieldPath::ActionField(action.index, name.clone());
                    doubts.extend(self.doubt(lead, path, stored));
                }
            }
        }
        doubts
    }

    fn doubt(&self, lead: &Lead, path: FieldPath, stored: &FieldValue) -> Option<Finding> {
        let written = lead.at(&path)?;
        let stored = stored.as_str()?;
        let trunk = phone::without_trunk_zero(stored);
        let reason = match (&trunk, phone::exists(stored)) {
            (Some(_), _) => "with the zero that is dialled only within the country",
            (None, Some(false)) => "which is no number of any country",
            (None, Some(true) | None) => return None,
        };
        let other =
            trunk.or_else(|| phone::other_reading(written.as_str()?, stored, self.country()));
        Some(Finding {
            path,
            kind: FindingKind::ValueChanged,
            reason: format!("stored as {stored}, {reason}"),
            suggestion: other.map(|other| format!("did you mean +{other}?")),
            pitfall: Some("ID2".to_owned()),
            certainty: Certainty::Inferred,
            repaired: false,
        })
    }
}

fn is_phone(field: Option<&FieldDefinition>) -> bool {
    field.is_some_and(|field| field.field_type == FieldType::Phone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_after_the_country_code_is_told_and_mended_where_one_number_can_be_meant() {
        let workspace = Workspace::sample();
        for written in ["+9109999999999", "+91 09999999999", "0091-0-99999 99999"] {
            let checked = workspace.check(&Lead::new().set("phone", written));
            assert!(checked.report().iter().all(|f| f.repaired), "{written}");
            assert!(!checked.report().is_empty(), "{written}");
            let clean = checked.into_clean().expect("sendable");
            assert_eq!(
                clean.get("phone"),
                Some(&"919999999999".into()),
                "{written}"
            );
        }
        // Taken as it is, so it is told and not touched.
        let checked = workspace.check(&Lead::new().set("phone", "9109999999999"));
        let suggestion = checked.report()[0].suggestion.clone();
        assert_eq!(suggestion.as_deref(), Some("did you mean +919999999999?"));
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean.get("phone"), Some(&"9109999999999".into()));
    }
}

#[cfg(all(test, feature = "phone"))]
mod library {
    use super::*;

    fn doubts(lead: &Lead) -> Vec<(String, Option<String>)> {
        let checked = Workspace::sample().check(lead);
        assert!(!checked.has_losses(), "a doubt is no loss");
        let findings = checked
            .findings()
            .iter()
            .filter(|finding| !finding.repaired);
        findings
            .map(|finding| (finding.path.to_string(), finding.suggestion.clone()))
            .collect()
    }

    #[test]
    fn a_number_that_no_country_has_is_told_and_sent() {
        let path = "fields.phone".to_owned();
        for written in ["9199999999", "919999999999", "9123456789", "+12025550173"] {
            let lead = Lead::new().set("phone", written);
            assert!(
                doubts(&lead).iter().all(|(_, other)| other.is_none()),
                "{written}"
            );
        }
        // A digit short, and one too many: telecrm's rules take both.
        for written in ["+91 99999 9999", "9199999999999"] {
            let lead = Lead::new().set("phone", written);
            let checked = Workspace::sample().check(&lead);
            let told = checked
                .report()
                .iter()
                .any(|f| f.path.to_string() == path && !f.repaired);
            assert!(told, "{written}");
            assert!(checked.into_clean().is_ok(), "{written}");
        }
    }

    #[test]
    fn the_number_that_may_be_meant_is_suggested() {
        // As an Indian number nobody's; with the code of Singapore it is one.
        let lead = Lead::new()
            .set("phone", "+919999999999")
            .set("alternate_phone", "4572859805");
        let expected = (
            "fields.alternate_phone".to_owned(),
            Some("did you mean +4572859805?".to_owned()),
        );
        assert_eq!(doubts(&lead), [expected]);
    }
}
