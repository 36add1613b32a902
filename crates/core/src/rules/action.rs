//! What telecrm stores of an action.

use super::date::accept_created_on;
use super::field_outcome::{FieldOutcome, Note, unknown_name};
use super::payment::accept_payment;
use crate::action::PAYMENT;
use crate::json::type_name;
use crate::text::{quoted, shown};
use crate::workspace::ActionDefinition;
use crate::{
    Action, ActionCode, ActionKind, Certainty, FieldPath, FieldValue, Finding, FindingKind,
    Workspace,
};
use std::collections::BTreeMap;

/// How a custom action's code has to be spelled, which depends on the API.
///
/// ```
/// use telecrm_core::rules::CodeForm;
/// use telecrm_core::{CustomAction, Workspace};
///
/// let visit = CustomAction::new(1001)?.field("note", "called").into();
/// let (accepted, findings) = Workspace::sample().accept_action(0, &visit, CodeForm::Prefixed);
/// assert_eq!(accepted.unwrap().code, Some(1001.into()));
/// assert!(findings.is_empty());
///
/// // The Sync API does not accept `ACTION_` (AC2).
/// let (accepted, findings) = Workspace::sample().accept_action(0, &visit, CodeForm::Bare);
/// assert!(accepted.is_none() && findings[0].is_loss());
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeForm {
    /// The Async API: `ACTION_1001`.
    Prefixed,
    /// The Sync API: `1001`.
    Bare,
}

/// What telecrm stores of an action.
///
/// ```
/// use telecrm_core::rules::AcceptedAction;
/// use telecrm_core::{Currency, Lead, Payment, Workspace};
///
/// let lead = Lead::new()
///     .set("phone", "919999999999")
///     .action(Payment::completed(5000.into(), Currency::Inr));
/// let accepted = Workspace::sample().accept(&lead);
/// let is_payment = |action: &AcceptedAction| action.code.is_none();
/// assert!(accepted.actions.iter().all(is_payment));
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct AcceptedAction {
    /// The index of the action in the request.
    pub index: usize,
    /// The code of a custom action. None for a payment.
    pub code: Option<ActionCode>,
    /// The fields of a custom action, or the keys of a payment other than `type`.
    pub fields: BTreeMap<String, FieldValue>,
    /// The time to which the action is backdated, in Unix milliseconds.
    pub created_on: Option<i64>,
    /// The labels for which telecrm creates options, with the name of their field.
    pub created: Vec<(String, String)>,
}

impl Workspace {
    /// Predicts what telecrm stores of an action.
    pub fn accept_action(
        &self,
        index: usize,
        action: &Action,
        form: CodeForm,
    ) -> (Option<AcceptedAction>, Vec<Finding>) {
        let mut accepted = AcceptedAction { index, ..AcceptedAction::default() };
        let mut findings = Vec::new();
        let result = match self.accept_type(action, form) {
            Ok(Some(definition)) => {
                self.accept_custom(action, definition, &mut accepted, &mut findings);
                Ok(())
            }
            Ok(None) => accept_payment(action).map(|keys| accepted.fields = keys),
            Err(note) => Err(note),
        };
        if let Err(note) = result {
            let finding = note.finding(FieldPath::Action(index), FindingKind::ActionDropped);
            return (None, vec![finding]);
        }
        for path in action.misplaced(index) {
            let note = misplaced(&accepted, &path);
            findings.push(note.finding(path, FindingKind::FieldDropped));
        }
        (Some(accepted), findings)
    }

    /// Finds the definition of a custom action. Returns None for a payment.
    fn accept_type(
        &self,
        action: &Action,
        form: CodeForm,
    ) -> Result<Option<&ActionDefinition>, Note> {
        let written = action.key("type").and_then(FieldValue::as_str);
        match action.kind() {
            ActionKind::Payment if written == Some(PAYMENT) => Ok(None),
            ActionKind::Payment => {
                let note = Note::inferred("AS7", "telecrm spells the type of payments in capitals");
                Err(note.hint(format!("write `{PAYMENT}`")))
            }
            ActionKind::Custom(code) => match self.action(&code) {
                Some(definition) => accept_code(&code, written, form).map(|()| Some(definition)),
                None => {
                    let codes = quoted(self.actions().iter().map(|action| action.code.prefixed()));
                    let reason = format!("the workspace has no custom action {}", code.prefixed());
                    let hint = (!codes.is_empty()).then(|| format!("use one of {codes}"));
                    Err(Note::documented("AS7", reason).maybe_hint(hint))
                }
            },
            ActionKind::Other(name) => {
                let reason = format!("telecrm does not accept actions of the type `{name}`");
                Err(Note::documented("AS7", reason).hint(USE_ANOTHER_TYPE))
            }
            ActionKind::Missing => {
                let note = Note::documented("AS7", "the action has no type");
                Err(note.hint(USE_ANOTHER_TYPE))
            }
        }
    }

    fn accept_custom(
        &self,
        action: &Action,
        definition: &ActionDefinition,
        accepted: &mut AcceptedAction,
        findings: &mut Vec<Finding>,
    ) {
        let index = accepted.index;
        accepted.code = Some(definition.code.clone());
        let fields = action.fields();
        if let (None, Some(other)) = (&fields, action.key("fields").filter(|f| !f.is_null())) {
            let found = type_name(other.as_json());
            let note = Note::inferred("AS3", format!("`fields` is {found}, not an object"))
                .hint("write `fields` as an object");
            let path = FieldPath::ActionKey(index, "fields".to_owned());
            findings.push(note.finding(path, FindingKind::FieldDropped));
        }
        for (name, value) in fields.unwrap_or_default() {
            let outcome = self.accept_action_field(definition, &name, &value);
            findings.extend(outcome.finding(FieldPath::ActionField(index, name.clone())));
            let created = outcome.created().iter().cloned();
            accepted.created.extend(created.map(|label| (name.clone(), label)));
            if let Some(value) = outcome.stored() {
                accepted.fields.insert(name, value);
            }
        }
        if let Some(written) = action.key("created_on").filter(|v| !v.is_null()) {
            let outcome = accept_created_on(written, definition, self.time_zone());
            let path = FieldPath::ActionKey(index, "created_on".to_owned());
            findings.extend(outcome.finding(path));
            accepted.created_on = outcome.stored().and_then(|time| time.as_i64());
        }
    }

    fn accept_action_field(
        &self,
        definition: &ActionDefinition,
        name: &str,
        value: &FieldValue,
    ) -> FieldOutcome {
        if value.is_null() {
            return FieldOutcome::ignore_null();
        }
        let Some(fields) = &definition.fields else {
            // The workspace does not list the action's fields, so no value can be judged.
            return FieldOutcome::keep(value.clone());
        };
        match definition.field(name) {
            Some(field) => self.accept_value(field, value),
            None => {
                let code = definition.code.prefixed();
                let reason = format!("{code} has no field `{}`", shown(name));
                unknown_name(name, reason, fields.iter(), definition.field_like(name))
            }
        }
    }
}

const USE_ANOTHER_TYPE: &str = "use `PAYMENT` or a custom action of the workspace";

/// Checks the spelling of a custom action's code.
fn accept_code(code: &ActionCode, written: Option<&str>, form: CodeForm) -> Result<(), Note> {
    let (api, expected, other, pitfall) = match form {
        CodeForm::Prefixed => ("Async", code.prefixed(), code.bare().to_owned(), "AS1"),
        CodeForm::Bare => ("Sync", code.bare().to_owned(), code.prefixed(), "AC2"),
    };
    if written == Some(&expected) {
        return Ok(());
    }
    // The documentation only covers the spelling of the other API.
    let certainty =
        if written == Some(&other) { Certainty::Documented } else { Certainty::Inferred };
    let reason = format!("the {api} API does not recognize this spelling of the code");
    Err(Note::new(certainty, pitfall, reason).hint(format!("write `{expected}`")))
}

/// Explains a value that does not belong into an action.
fn misplaced(accepted: &AcceptedAction, path: &FieldPath) -> Note {
    match (&accepted.code, path) {
        (None, FieldPath::ActionField(..)) => Note::documented("AS6", "a payment has no `fields`"),
        (None, FieldPath::ActionKey(_, key)) if key == "created_on" => {
            Note::documented("AS6", "a payment cannot be backdated").hint("leave it out")
        }
        (None, _) => Note::inferred("AS6", "a payment has no such key"),
        (Some(_), _) => Note::inferred("AS6", "a custom action has no such key next to `fields`")
            .hint("move it into `fields`"),
    }
}
