//! The outcome of a rule for one value.

use crate::suggest::similar_name;
use crate::workspace::FieldDefinition;
use crate::{Certainty, FieldPath, FieldValue, Finding, FindingKind};

/// What telecrm does with one value.
///
/// ```
/// use telecrm_core::{FieldPath, Workspace};
///
/// let workspace = Workspace::sample();
/// let outcome = workspace.accept_field("rating", &"seven".into());
/// assert!(outcome.is_dropped());
/// let finding = outcome.finding(FieldPath::Field("rating".into())).expect("the value is dropped");
/// assert!(finding.is_loss());
///
/// let outcome = workspace.accept_field("interests", &["VIP", "Night owl"].into());
/// assert_eq!(outcome.created(), ["Night owl"]);
/// assert_eq!(outcome.stored(), Some(["VIP", "Night owl"].into()));
/// ```
#[derive(Clone, PartialEq)]
pub struct FieldOutcome {
    stored: Option<FieldValue>,
    created: Vec<String>,
    note: Option<(FindingKind, Note)>,
}

/// A finding without its place.
#[derive(Clone, PartialEq)]
pub(crate) struct Note {
    reason: String,
    hint: Option<String>,
    pitfall: Option<&'static str>,
    certainty: Certainty,
}

impl Note {
    /// A note on behaviour that the documentation describes.
    pub(crate) fn documented(pitfall: &'static str, reason: impl Into<String>) -> Self {
        Self::new(Certainty::Documented, pitfall, reason)
    }

    /// A note on behaviour that is assumed.
    pub(crate) fn inferred(pitfall: &'static str, reason: impl Into<String>) -> Self {
        Self::new(Certainty::Inferred, pitfall, reason)
    }

    /// Creates a note. An empty pitfall means that none applies.
    pub(crate) fn new(
        certainty: Certainty,
        pitfall: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            reason: reason.into(),
            hint: None,
            pitfall: (!pitfall.is_empty()).then_some(pitfall),
            certainty,
        }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    pub(crate) fn maybe_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    pub(crate) fn finding(self, path: FieldPath, kind: FindingKind) -> Finding {
        Finding {
            suggestion: self.hint,
            pitfall: self.pitfall.map(str::to_owned),
            ..Finding::new(path, kind, self.certainty, self.reason)
        }
    }
}

impl FieldOutcome {
    /// Stores the value.
    pub(super) fn keep(value: impl Into<FieldValue>) -> Self {
        Self { stored: Some(value.into()), created: Vec::new(), note: None }
    }

    /// Stores the value in another form.
    pub(super) fn change(value: impl Into<FieldValue>, note: Note) -> Self {
        Self { note: Some((FindingKind::ValueChanged, note)), ..Self::keep(value) }
    }

    /// Stores the value as it is, although it is probably not meant.
    pub(super) fn doubt(self, note: Note) -> Self {
        Self { note: Some((FindingKind::Doubtful, note)), ..self }
    }

    /// The outcome with the hint of another note.
    pub(super) fn with_hint_of(self, other: Note) -> Self {
        let note = self.note.map(|(kind, note)| (kind, note.maybe_hint(other.hint)));
        Self { note, ..self }
    }

    /// Stores the value, and creates options for these labels.
    pub(super) fn create(value: impl Into<FieldValue>, labels: &[&str], note: Note) -> Self {
        Self {
            created: labels.iter().map(|label| (*label).to_owned()).collect(),
            note: Some((FindingKind::OptionCreated, note)),
            ..Self::keep(value)
        }
    }

    /// Leaves the field unchanged.
    pub(super) fn ignore_null() -> Self {
        let reason =
            "null leaves the field unchanged, because telecrm documents no way to clear it";
        let note = Note::inferred("", reason).hint("leave it out");
        Self { stored: None, created: Vec::new(), note: Some((FindingKind::ValueChanged, note)) }
    }

    /// Drops the value.
    pub(super) fn drop(note: Note) -> Self {
        Self { stored: None, created: Vec::new(), note: Some((FindingKind::FieldDropped, note)) }
    }

    /// The value in the form in which telecrm stores it. Returns None if telecrm stores nothing.
    pub fn stored(self) -> Option<FieldValue> {
        self.stored
    }

    /// The labels for which telecrm creates new options.
    pub fn created(&self) -> &[String] {
        &self.created
    }

    /// Whether the value is lost.
    pub fn is_dropped(&self) -> bool {
        self.drop_note().is_some()
    }

    /// Whether telecrm stores the value without creating an option.
    pub(crate) fn is_stored(&self) -> bool {
        !self.is_dropped() && self.created.is_empty()
    }

    /// Whether there is something to report about the value.
    pub(super) fn has_note(&self) -> bool {
        self.note.is_some()
    }

    /// Why the value is lost. Returns None if it is not.
    pub(super) fn drop_note(&self) -> Option<&Note> {
        match &self.note {
            Some((FindingKind::FieldDropped, note)) => Some(note),
            _ => None,
        }
    }

    /// The finding about the value at this place. Returns None if the value is stored as written.
    pub fn finding(&self, path: FieldPath) -> Option<Finding> {
        let (kind, note) = self.note.clone()?;
        Some(note.finding(path, kind))
    }
}

/// Drops a value that does not fit the type of its field (pitfall AS3).
pub(super) fn drop_value(
    certainty: Certainty,
    reason: impl Into<String>,
    hint: &str,
) -> FieldOutcome {
    FieldOutcome::drop(Note::new(certainty, "AS3", reason).hint(hint))
}

/// Drops a value whose name is no API name. telecrm may know names that differ only in case.
pub(super) fn unknown_name<'a>(
    name: &str,
    reason: String,
    fields: impl Iterator<Item = &'a FieldDefinition>,
    like: Option<&FieldDefinition>,
) -> FieldOutcome {
    let note = match like {
        Some(field) => Note::inferred("AS6", reason).hint(format!("use `{}`", field.api_name)),
        None => {
            let names = fields.map(|field| field.api_name.as_str());
            Note::documented("AS6", reason).maybe_hint(similar_name(name, names))
        }
    };
    FieldOutcome::drop(note)
}
