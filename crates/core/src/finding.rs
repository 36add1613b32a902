//! What becomes of a part of a lead.

use crate::FieldPath;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// One thing that telecrm does, or did, to a lead without saying so.
///
/// The same shape tells what a check predicts, what reading back found, and what the emulator did.
/// As JSON: `{"path","kind","reason","suggestion","pitfall","certainty","repaired"}`.
///
/// ```
/// use telecrm_core::{Certainty, FindingKind, Lead, Workspace};
///
/// let checked = Workspace::sample().check(&Lead::new().set("phone", "919999999999").set("rating", 9));
/// let finding = &checked.findings()[0];
/// assert_eq!((finding.kind, finding.certainty), (FindingKind::FieldDropped, Certainty::Documented));
/// assert!(finding.is_loss() && finding.kind.is_loss());
/// assert_eq!(finding.kind.as_str(), "field_dropped");
/// assert!(finding.to_string().starts_with("fields.rating: "));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// Where in the lead.
    pub path: FieldPath,
    /// What happens there.
    pub kind: FindingKind,
    /// Why, as a sentence for people.
    pub reason: String,
    /// What to write instead, if that can be told.
    pub suggestion: Option<String>,
    /// The pitfall's ID in `docs/api-notes.md`, such as `AS3`.
    pub pitfall: Option<String>,
    /// How sure it is that telecrm behaves so.
    pub certainty: Certainty,
    /// Whether cleaning the lead mends it, so that nothing is lost after all.
    pub repaired: bool,
}

impl Finding {
    /// A finding without suggestion and pitfall, and not repaired.
    ///
    /// ```
    /// use telecrm_core::{Certainty, Finding, FindingKind, FieldPath};
    ///
    /// let path = FieldPath::Field("rating".into());
    /// let finding = Finding::new(path, FindingKind::FieldDropped, Certainty::Reported, "not there");
    /// assert_eq!(finding.to_string(), "fields.rating: not there");
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

    /// Whether something does not arrive: the `*_dropped` kinds.
    pub fn is_loss(&self) -> bool {
        self.kind.is_loss()
    }
}

/// For people: `fields.rating: does not fit … (AS3)`. Reason and suggestion may repeat a value, unlike [`Debug`](fmt::Debug).
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {suggestion}")?;
        }
        if let Some(pitfall) = &self.pitfall {
            write!(f, " ({pitfall})")?;
        }
        Ok(())
    }
}

/// What was said, by place and kind. A lead may have as many findings as fields, so they are not looked for one by one.
#[derive(Default)]
pub(crate) struct Told(Map<String, Value>);

impl Told {
    /// Each with its number in the list.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut told = Self::default();
        for (index, finding) in findings.iter().enumerate() {
            let key = Self::key(&finding.path, finding.kind);
            told.0.insert(key, index.into());
        }
        told
    }

    pub(crate) fn add(&mut self, path: &FieldPath, kind: FindingKind) {
        self.0.insert(Self::key(path, kind), Value::Null);
    }

    pub(crate) fn has(&self, finding: &Finding) -> bool {
        let key = Self::key(&finding.path, finding.kind);
        self.0.contains_key(&key)
    }

    /// The number of what was said of the same in the list.
    pub(crate) fn number(&self, finding: &Finding) -> Option<usize> {
        let key = Self::key(&finding.path, finding.kind);
        self.0.get(&key)?.as_u64()?.try_into().ok()
    }

    /// Not as it is displayed: then a key `fields.name` beside the fields would be the field `name`.
    fn key(path: &FieldPath, kind: FindingKind) -> String {
        format!("{kind} {path:?}")
    }
}

/// What happens to a part of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The whole lead is dropped: its identifier is missing or would be dropped.
    LeadDropped,
    /// One field, of the lead or of an action, or another key is dropped.
    FieldDropped,
    /// One action is dropped as a whole.
    ActionDropped,
    /// The value is stored, and a new dropdown option or tag is created for it.
    OptionCreated,
    /// The value is stored in another form, or understood otherwise than it may be meant.
    ValueChanged,
}

impl FindingKind {
    /// Whether something does not arrive.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            Self::LeadDropped | Self::FieldDropped | Self::ActionDropped
        )
    }

    /// The kind as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeadDropped => "lead_dropped",
            Self::FieldDropped => "field_dropped",
            Self::ActionDropped => "action_dropped",
            Self::OptionCreated => "option_created",
            Self::ValueChanged => "value_changed",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure it is that telecrm behaves as a finding says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Certainty {
    /// The vendor's documentation says so.
    Documented,
    /// People who use the live service say so.
    Reported,
    /// Concluded where the documentation is silent; `docs/api-notes.md` lists every such reading.
    Inferred,
}
