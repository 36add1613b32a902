//! Phone numbers that telecrm stores although they do not exist.

use super::field_outcome::Note;
use super::lead::Acceptance;
use super::phone::{exists, other_reading, without_trunk_zero};
use crate::workspace::{FieldDefinition, FieldType};
use crate::{FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace};

impl Workspace {
    /// Finds stored phone numbers that do not exist. These findings are not losses, because
    /// telecrm's own rules check lengths only.
    pub(crate) fn implausible_phones(&self, lead: &Lead, accepted: &Acceptance) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, stored) in &accepted.fields {
            if is_phone(self.field(name)) {
                let path = FieldPath::Field(name.clone());
                findings.extend(self.implausible_phone(lead, path, stored));
            }
        }
        for action in &accepted.actions {
            let definition = action.code.as_ref().and_then(|code| self.action(code));
            for (name, stored) in &action.fields {
                if is_phone(definition.and_then(|definition| definition.field(name))) {
                    let path = FieldPath::ActionField(action.index, name.clone());
                    findings.extend(self.implausible_phone(lead, path, stored));
                }
            }
        }
        findings
    }

    fn implausible_phone(
        &self,
        lead: &Lead,
        path: FieldPath,
        stored: &FieldValue,
    ) -> Option<Finding> {
        let written = lead.at(&path)?;
        let stored = stored.as_str()?;
        let (reason, other) = if let Some(number) = without_trunk_zero(stored) {
            ("with the zero that is only dialled inside the country", Some(number))
        } else if exists(stored) == Some(false) {
            let other = other_reading(written.as_str()?, stored, self.country());
            ("which is not a number of any country", other)
        } else {
            return None;
        };
        let note = Note::inferred("ID2", format!("stored as {stored}, {reason}"))
            .maybe_hint(other.map(|other| format!("write +{other} if you mean that number")));
        Some(note.finding(path, FindingKind::ValueChanged))
    }
}

fn is_phone(field: Option<&FieldDefinition>) -> bool {
    field.is_some_and(|field| field.field_type == FieldType::Phone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk_zero_is_repaired(written: &str) {
        let checked = Workspace::sample().check(&Lead::new().set("phone", written));
        assert!(!checked.report().is_empty());
        assert!(checked.report().iter().all(|finding| finding.repaired));
        let lead = checked.complete().expect("nothing is lost");
        assert_eq!(lead.get("phone"), Some(&"919999999999".into()));
    }

    cases! { trunk_zero_is_repaired:
        after_the_code("+9109999999999"),
        after_a_blank("+91 09999999999"),
        between_dashes("0091-0-99999 99999"),
    }

    #[test]
    fn a_trunk_zero_in_a_number_that_telecrm_stores_is_only_reported() {
        let lead = Lead::new().set("phone", "9109999999999");
        let checked = Workspace::sample().check(&lead);
        let hint = checked.report()[0].hint();
        assert_eq!(hint.as_deref(), Some("write +919999999999 if you mean that number"));
        assert_eq!(checked.complete().as_ref(), Ok(&lead));
    }
}

#[cfg(all(test, feature = "phone"))]
mod library {
    use super::*;

    /// The path and the hint of each finding that is not repaired.
    fn reported(lead: &Lead) -> Vec<(String, Option<String>)> {
        let checked = Workspace::sample().check(lead);
        assert!(!checked.has_losses(), "an implausible number is not a loss");
        let findings = checked.findings().iter().filter(|f| !f.repaired);
        findings.map(|finding| (finding.path.to_string(), finding.suggestion.clone())).collect()
    }

    fn no_other_number_is_suggested(written: &str) {
        let reported = reported(&Lead::new().set("phone", written));
        assert!(reported.iter().all(|(_, suggestion)| suggestion.is_none()));
    }

    cases! { no_other_number_is_suggested:
        national_that_starts_like_the_code("9199999999"),
        country_code("919999999999"),
        national("9123456789"),
        united_states("+12025550173"),
    }

    fn reported_and_sent(written: &str) {
        let lead = Lead::new().set("phone", written);
        let checked = Workspace::sample().check(&lead);
        let mut report = checked.report().iter();
        assert!(report.any(|f| f.path.to_string() == "fields.phone" && !f.repaired));
        assert!(checked.complete().is_ok());
    }

    cases! { reported_and_sent:
        a_digit_short("+91 99999 9999"),
        a_digit_too_many("9199999999999"),
    }

    #[test]
    fn a_number_of_another_country_is_suggested() {
        // It does not exist in India, but with the country code of Denmark.
        let lead = Lead::new().set("phone", "+919999999999").set("alternate_phone", "4572859805");
        let expected = (
            "fields.alternate_phone".to_owned(),
            Some("write +4572859805 if you mean that number".to_owned()),
        );
        assert_eq!(reported(&lead), [expected]);
    }
}
