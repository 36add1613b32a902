//! What telecrm takes, and in which form it stores it: the one rule set.
//!
//! [`Workspace::check`] predicts with it and the emulator acts by it. Every rule names its pitfall and
//! how sure it is; `docs/api-notes.md` lists the readings chosen where the documentation is silent.

pub(crate) mod phone;
mod plausibility;

use self::phone::Refused;
use crate::action::PAYMENT;
use crate::value::is_decimal;

use crate::text::{each_letter, is_unseen, list, set, texts, trim, unseen};
use crate::workspace::{Labels, date_format as date};
use crate::{
    Action, ActionCode, ActionDefinition, ActionKind, Certainty, Currency, FieldDefinition,
    FieldPath, FieldType, FieldValue, Finding, FindingKind, Lead, PaymentStatus, Workspace,
};
use serde_json::Value;
use std::collections::BTreeMap;

use Certainty::{Documented, Inferred};

/// What telecrm does with one value.
///
/// ```
/// use telecrm_core::{FieldPath, Workspace};
///
/// let workspace = Workspace::sample();
/// let verdict = workspace.accept_field("rating", &"seven".into());
/// assert!(verdict.is_dropped());
/// let finding = verdict.finding(FieldPath::Field("rating".into())).expect("a dropped value has one");
/// assert!(finding.is_loss());
///
/// let verdict = workspace.accept_field("interests", &["VIP", "Night owl"].into());
/// assert_eq!(verdict.created(), ["Night owl"]);
/// assert_eq!(verdict.stored(), Some(["VIP", "Night owl"].into()));
/// ```
#[derive(Clone, PartialEq)]
pub struct FieldOutcome {
    stored: Option<FieldValue>,
    created: Vec<String>,
    note: Option<(FindingKind, Note)>,
}

/// Why, how sure, and what to do.
#[derive(Clone, PartialEq)]
struct Note {
    reason: String,
    suggestion: Option<String>,
    pitfall: Option<&'static str>,
    certainty: Certainty,
}

impl Note {
    fn new(certainty: Certainty, pitfall: &'static str, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            suggestion: None,
            pitfall: (!pitfall.is_empty()).then_some(pitfall),
            certainty,
        }
    }

    fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    fn finding(self, path: FieldPath, kind: FindingKind) -> Finding {
        Finding {
            suggestion: self.suggestion,
            pitfall: self.pitfall.map(str::to_owned),
            ..Finding::new(path, kind, self.certainty, self.reason)
        }
    }
}

impl FieldOutcome {
    fn keep(value: impl Into<FieldValue>) -> Self {
        Self {
            stored: Some(value.into()),
            created: Vec::new(),
            note: None,
        }
    }

    fn change(value: impl Into<FieldValue>, note: Note) -> Self {
        Self {
            note: Some((FindingKind::ValueChanged, note)),
            ..Self::keep(value)
        }
    }

    fn create(value: impl Into<FieldValue>, labels: &[&str], note: Note) -> Self {
        let mut created = Vec::new();
        for label in labels {
            created.push((*label).to_owned());
        }
        Self {
            created,
            note: Some((FindingKind::OptionCreated, note)),
            ..Self::keep(value)
        }
    }

    fn ignore() -> Self {
        Self {
            stored: None,
            created: Vec::new(),
            note: Some((
                FindingKind::ValueChanged,
                Note::new(
                    Inferred,
                    "",
                    "null leaves the field as it is: telecrm documents no way to clear one",
                ),
            )),
        }
    }

    fn drop(note: Note) -> Self {
        Self {
            stored: None,
            created: Vec::new(),
            note: Some((FindingKind::FieldDropped, note)),
        }
    }

    /// The value as telecrm stores it, or nothing if it stores nothing.
    pub fn stored(self) -> Option<FieldValue> {
        self.stored
    }

    /// The labels for which telecrm creates new options.
    pub fn created(&self) -> &[String] {
        &self.created
    }

    /// Whether the value is lost.
    pub fn is_dropped(&self) -> bool {
        matches!(self.note, Some((FindingKind::FieldDropped, _)))
    }

    /// What there is to say of it, said of a place.
    pub fn finding(&self, path: FieldPath) -> Option<Finding> {
        let (kind, note) = self.note.clone()?;
        Some(note.finding(path, kind))
    }
}

/// How a custom action's code must be spelled, which differs between the two APIs.
///
/// ```
/// use telecrm_core::{CodeForm, CustomAction, Workspace};
///
/// let visit = CustomAction::new(1001)?.field("note", "called").into();
/// let (accepted, findings) = Workspace::sample().accept_action(0, &visit, CodeForm::Prefixed);
/// assert_eq!(accepted.unwrap().code, Some(1001.into()));
/// assert!(findings.is_empty());
///
/// // The Sync API takes no `ACTION_` (AC2).
/// let (accepted, findings) = Workspace::sample().accept_action(0, &visit, CodeForm::Bare);
/// assert!(accepted.is_none() && findings[0].is_loss());
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeForm {
    /// `ACTION_1001`: the Async API.
    Prefixed,
    /// `1001`: the Sync API.
    Bare,
}

/// What telecrm stores of a lead.
///
/// ```
/// use telecrm_core::{Acceptance, CustomAction, Lead, Workspace};
///
/// let lead = Lead::new()
///     .set("phone", "+919999999999")
///     .set("rating", 9)
///     .action(CustomAction::new(1001)?.field("note", "called"));
/// let accepted: Acceptance = Workspace::sample().accept(&lead);
/// assert_eq!(accepted.identifier.as_deref(), Some("919999999999"));
/// assert!(!accepted.fields.contains_key("rating"));
/// assert_eq!(accepted.findings.iter().filter(|finding| finding.is_loss()).count(), 1);
/// assert_eq!(accepted.actions[0].fields["note"], "called".into());
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Acceptance {
    /// The identifier's key, by which leads are told apart; nothing if the lead is dropped.
    pub identifier: Option<String>,
    /// The fields in the form in which they are stored.
    pub fields: BTreeMap<String, FieldValue>,
    /// Labels for which options are created, by field.
    pub created: Vec<(String, String)>,
    /// The actions that are stored.
    pub actions: Vec<AcceptedAction>,
    /// What is lost, created or changed. A dropped lead is one finding.
    pub findings: Vec<Finding>,
}

/// What telecrm stores of an action.
///
/// ```
/// use telecrm_core::{AcceptedAction, Currency, Lead, Payment, Workspace};
///
/// let lead = Lead::new()
///     .set("phone", "919999999999")
///     .action(Payment::completed(5000.into(), Currency::Inr));
/// let accepted = Workspace::sample().accept(&lead);
/// let is_payment = |action: &AcceptedAction| action.code.is_none();
/// assert!(accepted.actions.iter().all(is_payment));
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct AcceptedAction {
    /// Its place in the request.
    pub index: usize,
    /// The custom action's code, or nothing for a payment.
    pub code: Option<ActionCode>,
    /// Fields of a custom action, or the keys of a payment beside `type`.
    pub fields: BTreeMap<String, FieldValue>,
    /// The time to which it is dated back, in Unix milliseconds.
    pub created_on: Option<i64>,
    /// Labels for which options are created, by field.
    pub created: Vec<(String, String)>,
}

impl Lead {
    /// What telecrm drops of a lead in whichever workspace: keys beside `fields` and `actions`.
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
        let mut stray = Vec::new();
        for (key, value) in self.extra() {
            if !value.is_null() {
                let reason = "telecrm takes nothing beside `fields` and `actions`";
                let note = Note::new(Inferred, "AS6", reason);
                stray.push(note.finding(FieldPath::Key(key.clone()), FindingKind::FieldDropped));
            }
        }
        stray
    }
}

impl Workspace {
    /// The options that telecrm creates for a lead that is written over the Sync API as it is, of which its answers say nothing (EN5).
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
            let verdict = self.accept_field(name, value);
            findings.extend(verdict.finding(FieldPath::Field(name.clone())));
        }
        for (index, action) in lead.actions().iter().enumerate() {
            let action = action.clone().with_bare_code();
            findings.append(&mut self.accept_action(index, &action, CodeForm::Bare).1);
        }
        findings.retain(|finding| finding.kind == FindingKind::OptionCreated);
        findings
    }

    /// What the Async API stores of a lead.
    pub fn accept(&self, lead: &Lead) -> Acceptance {
        let mut accepted = Acceptance {
            identifier: None,
            fields: BTreeMap::new(),
            created: Vec::new(),
            actions: Vec::new(),
            findings: Vec::new(),
        };
        let identifier = self.identifier().api_name();
        let value = lead.get(identifier).cloned().unwrap_or_default();
        accepted.identifier = self.identifier_key(&value);
        if accepted.identifier.is_none() {
            accepted.findings = vec![self.lead_dropped(lead, identifier, &value)];
            return accepted;
        }
        for (name, value) in lead.fields() {
            let verdict = self.accept_field(name, value);
            accepted
                .findings
                .extend(verdict.finding(FieldPath::Field(name.clone())));
            for label in verdict.created() {
                accepted.created.push((name.clone(), label.clone()));
            }
            if let Some(value) = verdict.stored() {
                accepted.fields.insert(name.clone(), value);
            }
        }
        for (index, action) in lead.actions().iter().enumerate() {
            let (action, mut findings) = self.accept_action(index, action, CodeForm::Prefixed);
            if let Some(action) = action {
                accepted.actions.push(action);
            }
            accepted.findings.append(&mut findings);
        }
        for mut finding in lead.stray_keys() {
            if let FieldPath::Key(key) = &finding.path
                && self.field(key).is_some()
            {
                finding.suggestion = Some(format!("move it into `fields.{key}`"));
            }
            accepted.findings.push(finding);
        }
        accepted
    }

    fn lead_dropped(&self, lead: &Lead, identifier: &str, value: &FieldValue) -> Finding {
        let mut names = Vec::new();
        for name in lead.fields().keys() {
            names.push(name.as_str());
        }
        let path = FieldPath::Field(identifier.to_owned());
        let verdict = self.accept_field(identifier, value);
        let note = match verdict.note {
            Some((FindingKind::FieldDropped, note)) if value.as_str() != Some("") => Note {
                reason: format!(
                    "the lead identifier is dropped, and the lead with it: {}",
                    note.reason
                ),
                ..note
            },
            _ => Note::new(
                Documented,
                "AS2",
                format!(
                    "the lead identifier `{identifier}` is missing, so the whole lead is dropped"
                ),
            )
            .suggest(
                closest(identifier, &names)
                    .filter(|near| *near != identifier)
                    .map(|near| format!("rename `{near}` to `{identifier}`")),
            ),
        };
        note.finding(path, FindingKind::LeadDropped)
    }

    /// What telecrm stores of a lead's field.
    pub fn accept_field(&self, api_name: &str, value: &FieldValue) -> FieldOutcome {
        match self.field(api_name) {
            _ if value.is_null() => FieldOutcome::ignore(),
            Some(field) => self.accept_value(field, value),
            None => FieldOutcome::drop(
                Note::new(
                    Documented,
                    "AS6",
                    format!("the workspace has no field `{api_name}`"),
                )
                .suggest(did_you_mean(api_name, &self.names())),
            ),
        }
    }

    /// What telecrm stores of an action.
    pub fn accept_action(
        &self,
        index: usize,
        action: &Action,
        form: CodeForm,
    ) -> (Option<AcceptedAction>, Vec<Finding>) {
        let mut findings = Vec::new();
        let accepted = match self.accept_type(action, form) {
            Err(note) => Err(note),
            Ok(None) => accept_payment(action).map(|fields| AcceptedAction {
                index,
                code: None,
                fields,
                created_on: None,
                created: Vec::new(),
            }),
            Ok(Some(definition)) => {
                Ok(self.accept_custom(index, action, definition, &mut findings))
            }
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(note) => {
                let path = FieldPath::Action(index);
                return (None, vec![note.finding(path, FindingKind::ActionDropped)]);
            }
        };
        for path in action.misplaced(index) {
            let note = match (&accepted.code, &path) {
                (None, FieldPath::ActionField(..)) => {
                    Note::new(Documented, "AS6", "a payment has no `fields`")
                }
                (None, FieldPath::ActionKey(_, key)) if key == "created_on" => {
                    Note::new(Documented, "AS6", "a payment cannot be dated back")
                }
                (None, _) => Note::new(Inferred, "AS6", "a payment has no such key"),
                (Some(_), _) => Note::new(
                    Inferred,
                    "AS6",
                    "a custom action's values belong into its `fields`, not beside them",
                ),
            };
            findings.push(note.finding(path, FindingKind::FieldDropped));
        }
        (Some(accepted), findings)
    }

    /// Which custom action it is; nothing means a payment.
    fn accept_type(
        &self,
        action: &Action,
        form: CodeForm,
    ) -> Result<Option<&ActionDefinition>, Note> {
        let text = action.key("type").and_then(FieldValue::as_str);
        match action.kind() {
            ActionKind::Payment if text == Some(PAYMENT) => Ok(None),
            ActionKind::Payment => Err(Note::new(
                Inferred,
                "AS7",
                format!("the type of payments is spelled `{PAYMENT}`"),
            )),
            ActionKind::Custom(code) => {
                let Some(definition) = self.action(&code) else {
                    let mut codes = Vec::new();
                    for action in self.actions() {
                        codes.push(action.code.prefixed());
                    }
                    let codes = texts(&codes, String::as_str);
                    return Err(Note::new(
                        Documented,
                        "AS7",
                        format!("the workspace has no custom action {}", code.prefixed()),
                    )
                    .suggest(list("its custom actions are", "", &codes)));
                };
                let (expected, pitfall) = match form {
                    CodeForm::Prefixed => (code.prefixed(), "AS1"),
                    CodeForm::Bare => (code.bare().to_owned(), "AC2"),
                };
                if text == Some(&expected) {
                    return Ok(Some(definition));
                }
                let other_form = match form {
                    CodeForm::Prefixed => text == Some(code.bare()),
                    CodeForm::Bare => text == Some(&code.prefixed()),
                };
                Err(Note::new(
                    if other_form { Documented } else { Inferred },
                    pitfall,
                    format!("the type of this custom action is spelled `{expected}` here"),
                ))
            }
            ActionKind::Other(name) => Err(Note::new(
                Documented,
                "AS7",
                format!("only payments and the workspace's custom actions are taken, not `{name}`"),
            )
            .suggest(Some("use a custom action of the workspace".to_owned()))),
            ActionKind::Missing => Err(Note::new(
                Documented,
                "AS7",
                "the action has no type: only payments and the workspace's custom actions are taken",
            )),
        }
    }

    fn accept_custom(
        &self,
        index: usize,
        action: &Action,
        definition: &ActionDefinition,
        findings: &mut Vec<Finding>,
    ) -> AcceptedAction {
        let mut accepted = AcceptedAction {
            index,
            code: Some(definition.code.clone()),
            fields: BTreeMap::new(),
            created_on: None,
            created: Vec::new(),
        };
        let fields = action.fields();
        if let (None, Some(other)) = (&fields, action.key("fields").filter(|f| !f.is_null())) {
            let note = Note::new(
                Inferred,
                "AS3",
                format!(
                    "`fields` must be an object, and is {}",
                    crate::lead::json_type(other.as_json())
                ),
            );
            let path = FieldPath::ActionKey(index, "fields".to_owned());
            findings.push(note.finding(path, FindingKind::FieldDropped));
        }
        for (name, value) in fields.unwrap_or_default() {
            let verdict = match (definition.field(&name), &definition.fields) {
                _ if value.is_null() => FieldOutcome::ignore(),
                (Some(field), _) => self.accept_value(field, &value),
                (None, Some(fields)) => FieldOutcome::drop(
                    Note::new(
                        Documented,
                        "AS6",
                        format!("{} has no field `{name}`", definition.code.prefixed()),
                    )
                    .suggest(did_you_mean(&name, &texts(fields, |field| &field.api_name))),
                ),
                // The workspace did not tell this action's fields, so none can be judged.
                (None, None) => FieldOutcome::keep(value),
            };
            findings.extend(verdict.finding(FieldPath::ActionField(index, name.clone())));
            for label in verdict.created() {
                accepted.created.push((name.clone(), label.clone()));
            }
            if let Some(value) = verdict.stored() {
                accepted.fields.insert(name, value);
            }
        }
        if let Some(written) = action.key("created_on").filter(|v| !v.is_null()) {
            match self.accept_created_on(written, definition) {
                Ok(time) => accepted.created_on = Some(time),
                Err(note) => {
                    let path = FieldPath::ActionKey(index, "created_on".to_owned());
                    findings.push(note.finding(path, FindingKind::FieldDropped));
                }
            }
        }
        accepted
    }

    fn accept_created_on(
        &self,
        written: &FieldValue,
        definition: &ActionDefinition,
    ) -> Result<i64, Note> {
        if !definition.allows_predated {
            return Err(Note::new(
                Documented,
                "",
                format!(
                    "the workspace does not allow {} to be dated back",
                    definition.code.prefixed()
                ),
            ));
        }
        let time = match written.as_json() {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => date::parse(text, date::DEFAULT_FORMAT, self.time_zone()),
            _ => None,
        };
        time.ok_or_else(|| {
            Note::new(
                Documented,
                "AS4",
                "`created_on` takes Unix milliseconds or DD/MM/YYYY HH:mm:ss, and nothing else",
            )
        })
    }

    /// What telecrm stores for a value in a field of this type.
    pub(crate) fn accept_value(&self, field: &FieldDefinition, value: &FieldValue) -> FieldOutcome {
        if value.is_null() {
            return FieldOutcome::ignore();
        }
        let text = value.as_str();
        match &field.field_type {
            FieldType::Text => match text {
                Some(text) => FieldOutcome::keep(text),
                None => unfit(Documented, "a text field takes a string"),
            },
            FieldType::Email | FieldType::ActiveUsers => accept_address(text.unwrap_or_default()),
            FieldType::Phone => self.accept_phone(text),
            FieldType::Number => match value.as_json() {
                Value::Number(_) => FieldOutcome::keep(value.clone()),
                Value::String(text) if is_decimal(text.trim()) => {
                    unfit(Inferred, "a number field takes a JSON number, not a string")
                }
                _ => unfit(Documented, "a number field takes a JSON number"),
            },
            FieldType::Rating => match value.as_i64() {
                Some(rating @ 1..=5) => FieldOutcome::keep(rating),
                Some(_) => unfit(Documented, "a rating is from 1 to 5"),
                None => unfit(
                    Documented,
                    "a rating is a whole number from 1 to 5, and no string",
                ),
            },
            FieldType::Money => match text {
                Some(text) if is_decimal(text) => FieldOutcome::keep(text),
                None if value.as_json().is_number() => unfit(
                    Inferred,
                    "a money field takes a numeric string such as \"1000\", not a JSON number",
                ),
                Some(text) if is_decimal(text.trim()) => unfit(Inferred, MONEY),
                _ => unfit(Documented, MONEY),
            },
            FieldType::Date => self.accept_date(field, value),
            FieldType::Dropdown => accept_dropdown(field, text),
            FieldType::Tags => accept_tags(field, value),
            FieldType::Website => match text {
                Some(text) if is_web_address(text) => FieldOutcome::keep(text),
                Some(_) => unfit(Inferred, "a website field takes a web address"),
                None => unfit(Documented, "a website field takes a web address"),
            },
            FieldType::MediaLink => match text {
                Some(text) if has_web_scheme(text) && is_web_address(text) => {
                    FieldOutcome::keep(text)
                }
                Some(_) => unfit(Inferred, "a media link is a public http(s) address"),
                None => unfit(Documented, "a media link is a public http(s) address"),
            },
            FieldType::Status => self.accept_label(field, text, "status", "LE8"),
            FieldType::LostReason => self.accept_label(field, text, "lost reason", "EN3"),
            FieldType::Unknown(_) => FieldOutcome::keep(value.clone()),
        }
    }

    fn accept_phone(&self, text: Option<&str>) -> FieldOutcome {
        let Some(text) = text else {
            return unfit(Documented, "a phone number is written as a string");
        };
        let stripped;
        let digits = match self.strips_phone_blanks() {
            true => {
                stripped = phone::without_blanks(text);
                &stripped
            }
            false => text,
        };
        match phone::normal_form(digits, self.country()) {
            Ok(normal) if normal == text => FieldOutcome::keep(normal),
            Ok(normal) => FieldOutcome::change(
                normal,
                Note::new(
                    Documented,
                    "ID2",
                    "stored as country code and number, digits only",
                ),
            ),
            Err(Refused::Symbols) => {
                let reason =
                    "a phone number is digits with at most a leading `+`: no blanks, no dashes";
                let unseen = unseen(text).map(|unseen| format!("{reason}; this one has {unseen}"));
                unfit(Inferred, unseen.unwrap_or_else(|| reason.to_owned()))
            }
            Err(Refused::Implausible) => unfit(
                // Where nobody said which country it is, it may be a number of that one.
                match self.known_country() {
                    None if phone::may_be_national(digits) => Inferred,
                    _ => Documented,
                },
                "not a phone number with its country code, nor one of the default country",
            ),
        }
    }

    fn accept_date(&self, field: &FieldDefinition, value: &FieldValue) -> FieldOutcome {
        let format = field.date_format.as_deref().unwrap_or(date::DEFAULT_FORMAT);
        let as4 = |certainty| {
            let reason = format!("a date is Unix milliseconds or a string like {format}");
            FieldOutcome::drop(Note::new(certainty, "AS4", reason))
        };
        match value.as_json() {
            Value::Number(_) => match value.as_i64() {
                Some(seconds) if LIKELY_SECONDS.contains(&seconds) => FieldOutcome::change(
                    seconds,
                    Note::new(
                        Inferred,
                        "AS4",
                        "read as milliseconds, this is in January 1970",
                    )
                    .suggest(Some("seconds? multiply by 1000".to_owned())),
                ),
                Some(millis) => FieldOutcome::keep(millis),
                None => as4(Inferred),
            },
            Value::String(text) => match date::parse(text, format, self.time_zone()) {
                Some(millis) => FieldOutcome::keep(millis),
                None if text.trim().parse::<i64>().is_ok() => as4(Inferred),
                None => as4(Documented),
            },
            _ => as4(Documented),
        }
    }

    fn accept_label(
        &self,
        field: &FieldDefinition,
        text: Option<&str>,
        what: &str,
        pitfall: &'static str,
    ) -> FieldOutcome {
        let Some(text) = text else {
            return unfit(Documented, format!("a {what} is written as its label"));
        };
        let labels = match self.pipeline() {
            Some(pipeline) => pipeline.labels(&field.field_type),
            None => None,
        };
        let Some(Labels { active, archived }) = labels else {
            return FieldOutcome::keep(text);
        };
        if active.contains(&text) {
            return FieldOutcome::keep(text);
        }
        let is_same = |label: &&str| same_label(label, text);
        let note = if archived.contains(&text) {
            Note::new(
                Documented,
                "EN3",
                format!("the {what} `{text}` is archived"),
            )
        } else if active.iter().any(is_same) || archived.iter().any(is_same) {
            Note::new(
                Inferred,
                pitfall,
                format!("a {what} must be spelled to the letter"),
            )
        } else {
            Note::new(
                Documented,
                pitfall,
                format!("the workspace has no {what} `{text}`"),
            )
        };
        FieldOutcome::drop(note.suggest(list("choose from", "`", &active)))
    }
}

const MONEY: &str = "money is a string of digits with at most one point, such as \"1250.50\": no blanks, commas or currency signs";

/// Times that are plausible in seconds (1990 to 2100) and hardly meant as milliseconds.
const LIKELY_SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

fn accept_payment(action: &Action) -> Result<BTreeMap<String, FieldValue>, Note> {
    let text = |key| action.key(key).and_then(FieldValue::as_str);
    let statuses = texts(PaymentStatus::KNOWN, PaymentStatus::as_str);
    let currencies = texts(Currency::KNOWN, Currency::as_str);
    for (key, known) in [("status", &statuses), ("currency", &currencies)] {
        if !text(key).is_some_and(|text| known.contains(&text)) {
            let reason = format!("a payment needs a `{key}` that telecrm knows");
            let note = Note::new(Documented, "AS7", reason);
            return Err(note.suggest(list("choose from", "", known)));
        }
    }
    match action.key("amount").map(FieldValue::as_json) {
        Some(Value::String(amount)) if amount.parse::<crate::Amount>().is_ok() => {}
        Some(Value::Number(_)) => {
            return Err(Note::new(
                Inferred,
                "AS7",
                "a payment's `amount` is a numeric string, not a JSON number",
            ));
        }
        _ => {
            return Err(Note::new(
                Documented,
                "AS7",
                "a payment needs an `amount`: a numeric string above zero",
            ));
        }
    }
    let mut kept = BTreeMap::new();
    for key in ["status", "currency", "amount"] {
        if let Some(text) = text(key) {
            kept.insert(key.to_owned(), text.into());
        }
    }
    Ok(kept)
}

fn accept_dropdown(field: &FieldDefinition, text: Option<&str>) -> FieldOutcome {
    match text {
        Some(text) if field.has_option(text) => FieldOutcome::keep(text),
        Some(text) if text.trim().is_empty() => {
            unfit(Inferred, "an empty text is not the label of an option")
        }
        Some(text) => {
            let known = texts(&field.options, String::as_str);
            let note = Note::new(
                Documented,
                "EN5",
                "not an option yet, so telecrm creates it",
            )
            .suggest(did_you_mean(text, &known).or_else(|| list("known are", "`", &known)));
            FieldOutcome::create(text, &[text], note)
        }
        None => unfit(
            Documented,
            "a dropdown takes the label of an option as a string",
        ),
    }
}

fn accept_tags(field: &FieldDefinition, value: &FieldValue) -> FieldOutcome {
    let Some(tags) = value.as_strings() else {
        return unfit(
            Documented,
            "tags are a list of strings, not one string with commas",
        );
    };
    let mut known = set(&texts(&field.options, String::as_str));
    let mut new = Vec::new();
    for tag in tags {
        if known.insert(tag.to_owned(), Value::Null).is_none() {
            new.push(tag);
        }
    }
    match list("not a tag yet, so telecrm creates it:", "", &new) {
        // Where the workspace tells no labels, it cannot be said which are new.
        Some(reason) if !field.options.is_empty() => {
            FieldOutcome::create(value.clone(), &new, Note::new(Inferred, "EN5", reason))
        }
        _ => FieldOutcome::keep(value.clone()),
    }
}

fn unfit(certainty: Certainty, reason: impl Into<String>) -> FieldOutcome {
    FieldOutcome::drop(Note::new(certainty, "AS3", reason))
}

fn accept_address(text: &str) -> FieldOutcome {
    let stored = text.trim();
    let seen = each_letter(stored, |c| (!is_unseen(c)).then_some(c));
    if !is_email(&seen) {
        return unfit(Documented, "this field takes an address: local@domain.tld");
    }
    match unseen(stored) {
        Some(unseen) => {
            let reason = format!("stored with {unseen}, and not found by who types the address");
            let meant = Some(format!("did you mean `{seen}`?"));
            FieldOutcome::change(stored, Note::new(Inferred, "", reason).suggest(meant))
        }
        None if stored == text => FieldOutcome::keep(text),
        None => {
            let reason = "an address loses the blanks around it";
            FieldOutcome::change(stored, Note::new(Inferred, "", reason))
        }
    }
}

/// `local@domain.tld`, and no blank or second `@` in it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && !text.contains(char::is_whitespace)
        && !domain.contains('@')
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

fn has_web_scheme(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn is_web_address(text: &str) -> bool {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    !text.contains(char::is_whitespace)
        && (has_web_scheme(text) || !text.contains("://"))
        && !host.is_empty()
        && (host.contains('.') || host.starts_with("localhost"))
}

/// Whether two labels differ only in case, and in blanks and what nobody sees around them.
pub(crate) fn same_label(one: &str, other: &str) -> bool {
    trim(one).to_lowercase() == trim(other).to_lowercase()
}

fn did_you_mean(name: &str, known: &[&str]) -> Option<String> {
    closest(name, known).map(|near| format!("did you mean `{near}`?"))
}

/// The known name that is nearest, if any is near enough to be meant.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| {
        each_letter(&text.to_lowercase(), |c| match c {
            ' ' | '-' => Some('_'),
            _ => Some(c),
        })
    };
    let name = plain(name);
    let (mut nearest, mut most) = (None, 0.85);
    for candidate in known {
        let likeness = strsim::jaro_winkler(&name, &plain(candidate));
        if likeness > 0.85 && likeness >= most {
            (nearest, most) = (Some(*candidate), likeness);
        }
    }
    nearest
}
