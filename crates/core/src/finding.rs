//! Findings: report what telecrm stores differently from what was sent.

use crate::text::shown;
use crate::{FieldPath, write_hint};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing that telecrm does to a lead without an error.
///
/// A check predicts findings, reading a lead back finds them, and the emulator logs them. All three
/// use this shape. Its JSON is
/// `{"path","kind","reason","suggestion","pitfall","certainty","repaired"}`.
///
/// `Display` writes one line. The alternate form `{:#}` adds the [hint](Self::hint) on a second
/// line. Both can repeat a value of the lead, unlike [`Debug`](fmt::Debug).
///
/// ```
/// use telecrm_core::{Certainty, FindingKind, Lead, Workspace};
///
/// let checked = Workspace::sample().check(&Lead::new().set("phone",
///     "919999999999").set("rating", 9));
/// let finding = &checked.findings()[0];
/// assert_eq!((finding.kind, finding.certainty), (FindingKind::FieldDropped,
///     Certainty::Documented));
/// assert!(finding.is_loss() && finding.kind.is_loss());
/// assert_eq!(finding.kind.as_str(), "field_dropped");
/// assert_eq!(
///     format!("{finding:#}"),
///     "fields.rating not stored: a rating is a whole number from 1 to 5 (AS3)\n  \
///      hint: write a whole number from 1 to 5",
/// );
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// The place in the lead.
    pub path: FieldPath,
    /// What happens there.
    pub kind: FindingKind,
    /// The reason, for people.
    pub reason: String,
    /// What to do, for people. For a repaired finding, what the repair did.
    pub suggestion: Option<String>,
    /// The ID of the pitfall in `docs/api-notes.md`, such as `AS3`.
    pub pitfall: Option<String>,
    /// How certain it is that telecrm does this.
    pub certainty: Certainty,
    /// Whether the check repaired the lead, so that nothing is lost.
    pub repaired: bool,
}

impl Finding {
    /// Creates a finding without suggestion and pitfall.
    ///
    /// ```
    /// use telecrm_core::{Certainty, Finding, FindingKind, FieldPath};
    ///
    /// let path = FieldPath::Field("rating".into());
    /// let finding = Finding::new(path, FindingKind::FieldDropped, Certainty::Reported,
    ///     "it is missing");
    /// assert_eq!(finding.to_string(), "fields.rating not stored: it is missing");
    /// ```
    pub fn new(
        path: FieldPath,
        kind: FindingKind,
        certainty: Certainty,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            path,
            kind,
            reason: reason.into(),
            suggestion: None,
            pitfall: None,
            certainty,
            repaired: false,
        }
    }

    /// Whether something is not stored: the `*_dropped` kinds.
    pub fn is_loss(&self) -> bool {
        self.kind.is_loss()
    }

    /// What to do about it, as one sentence. Returns None if nothing has to be done.
    ///
    /// ```
    /// use telecrm_core::{Lead, Workspace};
    ///
    /// let lead = Lead::new().set("phone", "+91 99999 99999").set("ratng", 4);
    /// let checked = Workspace::sample().check(&lead);
    /// let hints: Vec<_> = checked.report().iter().map(|finding| finding.hint()).collect();
    /// assert_eq!(hints, [None, Some("use `rating`".to_owned())], "the phone number is repaired");
    /// ```
    pub fn hint(&self) -> Option<String> {
        if self.repaired {
            return None;
        }
        if let Some(suggestion) = &self.suggestion {
            return Some(suggestion.clone());
        }
        let hint = match (self.kind, self.pitfall.as_deref()) {
            (FindingKind::LeadDropped, _) => "give the lead a valid identifier",
            (FindingKind::FieldDropped | FindingKind::ActionDropped, Some("AS5")) => {
                "check the lead against the workspace before sending it"
            }
            (FindingKind::FieldDropped, Some("AS6")) => "correct the name or leave it out",
            (FindingKind::FieldDropped, _) => "correct the value or leave it out",
            (FindingKind::ActionDropped, _) => "correct the action or leave it out",
            (FindingKind::OptionCreated, _) => "use an existing label unless you want a new one",
            (FindingKind::ValueChanged | FindingKind::Doubtful, _) => return None,
        };
        Some(hint.to_owned())
    }

    /// The place and the kind, which together identify a finding of a lead.
    pub(crate) fn key(&self) -> (FieldPath, FindingKind) {
        (self.path.clone(), self.kind)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = &self.reason;
        let path = self.path.to_string();
        let path = shown(&path);
        match (&self.suggestion, self.kind) {
            (Some(done), _) if self.repaired => write!(f, "{path} {done}")?,
            (None, _) if self.repaired => write!(f, "{path} repaired: {reason}")?,
            (_, FindingKind::LeadDropped) => {
                write!(f, "{path} not stored, lead dropped: {reason}")?;
            }
            (_, FindingKind::FieldDropped | FindingKind::ActionDropped) => {
                write!(f, "{path} not stored: {reason}")?;
            }
            (_, FindingKind::Doubtful) => write!(f, "{path} doubtful: {reason}")?,
            (_, FindingKind::OptionCreated | FindingKind::ValueChanged) => {
                write!(f, "{path}: {reason}")?;
            }
        }
        if let Some(pitfall) = &self.pitfall {
            write!(f, " ({pitfall})")?;
        }
        write_hint(f, self.hint().as_deref())
    }
}

/// What happens to a part of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The whole lead is dropped, because its identifier is missing or invalid.
    LeadDropped,
    /// A field of the lead or of an action, or another key, is dropped.
    FieldDropped,
    /// An action is dropped.
    ActionDropped,
    /// The value is stored, and telecrm creates a new dropdown option or tag for it.
    OptionCreated,
    /// The value is stored in another form or read in another sense.
    ValueChanged,
    /// The value is stored as written, but probably not meant: a date in the year 2926, or `RenÃ©`.
    Doubtful,
}

impl FindingKind {
    /// Whether something is not stored.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::LeadDropped | Self::FieldDropped | Self::ActionDropped)
    }

    /// The kind as written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeadDropped => "lead_dropped",
            Self::FieldDropped => "field_dropped",
            Self::ActionDropped => "action_dropped",
            Self::OptionCreated => "option_created",
            Self::ValueChanged => "value_changed",
            Self::Doubtful => "doubtful",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How certain it is that telecrm behaves as a finding says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Certainty {
    /// The vendor's documentation says so.
    Documented,
    /// Users of the live service report it.
    Reported,
    /// The documentation is silent, and `docs/api-notes.md` explains the assumption.
    Inferred,
}
