//! What telecrm stores of a lead.

use super::action::{AcceptedAction, CodeForm};
use super::doubt::identifier_doubt;
use super::field_outcome::{FieldOutcome, Note, unknown_name};
use crate::suggest::closest;
use crate::text::shown;
use crate::workspace::FieldType;
use crate::{FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace};
use serde_json::Value;
use std::collections::BTreeMap;

/// What telecrm stores of a lead.
///
/// ```
/// use telecrm_core::rules::Acceptance;
/// use telecrm_core::{CustomAction, Lead, Workspace};
///
/// let lead = Lead::new()
///     .set("phone", "+919999999999")
///     .set("rating", 9)
///     .action(CustomAction::new(1001)?.field("note", "called"));
/// let accepted: Acceptance = Workspace::sample().accept(&lead);
/// assert_eq!(accepted.identifier.as_deref(), Some("919999999999"));
/// assert!(!accepted.fields.contains_key("rating"));
/// assert_eq!(accepted.findings.iter().filter(|finding| finding.is_loss()).count(), 1);
/// assert_eq!(accepted.actions[0].fields["note"], "called");
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Acceptance {
    /// The key by which telecrm finds the lead, from its identifier. None if the lead is dropped.
    pub identifier: Option<String>,
    /// The fields in the form in which telecrm stores them.
    pub fields: BTreeMap<String, FieldValue>,
    /// The labels for which telecrm creates options, with the name of their field.
    pub created: Vec<(String, String)>,
    /// The actions that telecrm stores.
    pub actions: Vec<AcceptedAction>,
    /// What telecrm drops, creates or changes. A dropped lead is one finding.
    pub findings: Vec<Finding>,
}

impl Lead {
    /// The keys that telecrm drops in any workspace: those other than `fields` and `actions`.
    ///
    /// ```
    /// use telecrm_core::{Lead, FieldPath};
    ///
    /// let body = serde_json::json!({ "fields": { "phone": "919999999999" }, "campaign": "June" });
    /// let stray = Lead::from_json(body)?.stray_keys();
    /// assert_eq!(stray[0].path, FieldPath::Key("campaign".into()));
    /// # Ok::<(), telecrm_core::LeadError>(())
    /// ```
    pub fn stray_keys(&self) -> Vec<Finding> {
        let keys = self.extra().iter().filter(|(_, value)| !value.is_null());
        keys.map(|(key, _)| {
            let note = Note::inferred("AS6", "a lead has only the keys `fields` and `actions`");
            note.finding(FieldPath::Key(key.clone()), FindingKind::FieldDropped)
        })
        .collect()
    }
}

impl Workspace {
    /// Predicts what telecrm stores of a lead that is sent over the Async API.
    pub fn accept(&self, lead: &Lead) -> Acceptance {
        let mut accepted = Acceptance::default();
        let value = lead.get(self.identifier().api_name()).cloned().unwrap_or_default();
        accepted.identifier = self.identifier_key(&value);
        if accepted.identifier.is_none() {
            accepted.findings = vec![self.lead_dropped(lead, &value)];
            return accepted;
        }
        for (name, value) in lead.fields() {
            let outcome = self.accept_field(name, value);
            let finding = outcome.finding(FieldPath::Field(name.clone()));
            accepted.findings.extend(finding);
            let created = outcome.created().iter().cloned();
            accepted.created.extend(created.map(|label| (name.clone(), label)));
            if let Some(value) = outcome.stored() {
                accepted.fields.insert(name.clone(), value);
            }
        }
        for (index, action) in lead.actions().iter().enumerate() {
            let (action, findings) = self.accept_action(index, action, CodeForm::Prefixed);
            accepted.actions.extend(action);
            accepted.findings.extend(findings);
        }
        for mut finding in lead.stray_keys() {
            if let FieldPath::Key(key) = &finding.path
                && self.field(key).is_some()
            {
                finding.suggestion = Some("move it into `fields`".to_owned());
            }
            accepted.findings.push(finding);
        }
        accepted
    }

    /// The finding about a lead whose identifier is missing or dropped.
    fn lead_dropped(&self, lead: &Lead, value: &FieldValue) -> Finding {
        let identifier = self.identifier().api_name();
        let outcome = self.accept_field(identifier, value);
        let note = match outcome.drop_note() {
            Some(note) if value.as_str() != Some("") => note.clone(),
            _ => {
                let names = lead.fields().keys().map(String::as_str);
                let near = closest(identifier, names).filter(|near| *near != identifier);
                let reason = format!("the lead has no identifier `{identifier}`");
                let hint = |near| format!("rename `{}` to `{identifier}`", shown(near));
                Note::documented("AS2", reason).maybe_hint(near.map(hint))
            }
        };
        let path = FieldPath::Field(identifier.to_owned());
        note.finding(path, FindingKind::LeadDropped)
    }

    /// Predicts what telecrm stores of a lead's field.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let outcome = Workspace::sample().accept_field("phone", &"9999999999".into());
    /// assert_eq!(outcome.stored(), Some("919999999999".into()));
    /// ```
    pub fn accept_field(&self, api_name: &str, value: &FieldValue) -> FieldOutcome {
        match self.field(api_name) {
            _ if value.is_null() => FieldOutcome::ignore_null(),
            Some(field) => {
                let outcome = self.accept_value(field, value);
                let is_text_identifier =
                    api_name == self.identifier().api_name() && field.field_type == FieldType::Text;
                let text = value.as_str().filter(|_| is_text_identifier);
                match text.and_then(identifier_doubt) {
                    Some(note) => outcome.doubt(note),
                    None => outcome,
                }
            }
            None => {
                let reason = format!("the workspace has no field `{}`", shown(api_name));
                unknown_name(api_name, reason, self.all_fields(), self.field_like(api_name))
            }
        }
    }

    /// The key by which telecrm finds a lead, from the value of its identifier: phone numbers with
    /// country code, email addresses trimmed, and everything in lower case. Returns None if telecrm
    /// drops the value.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample();
    /// for spelling in ["919999999999", "+919999999999", "9999999999"] {
    ///     assert_eq!(workspace.identifier_key(&spelling.into()).as_deref(), Some("919999999999"));
    /// }
    /// assert_eq!(workspace.identifier_key(&"99999".into()), None);
    /// ```
    pub fn identifier_key(&self, value: &FieldValue) -> Option<String> {
        let outcome = self.accept_field(self.identifier().api_name(), value);
        let key = match outcome.stored()?.as_json() {
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        };
        (!key.is_empty()).then_some(key)
    }

    /// The options that telecrm creates for a lead written over the Sync API, whose responses do
    /// not mention them (EN5).
    ///
    /// ```
    /// use telecrm_core::{Lead, FieldPath, Workspace};
    ///
    /// let lead = Lead::new().set("phone", "919999999999").set("contact_source", "Billboard");
    /// let created = Workspace::sample().new_options(&lead);
    /// assert_eq!(created[0].path, FieldPath::Field("contact_source".into()));
    /// ```
    pub fn new_options(&self, lead: &Lead) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, value) in lead.fields() {
            let outcome = self.accept_field(name, value);
            findings.extend(outcome.finding(FieldPath::Field(name.clone())));
        }
        for (index, action) in lead.actions().iter().enumerate() {
            let action = action.clone().with_bare_code();
            findings.extend(self.accept_action(index, &action, CodeForm::Bare).1);
        }
        findings.retain(|finding| finding.kind == FindingKind::OptionCreated);
        findings
    }
}
