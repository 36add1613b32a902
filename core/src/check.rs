//! Checking a lead before it is sent, and mending what can be mended.

use crate::accept::{CodeForm, same_label};
use crate::action::is_decimal;
use crate::{
    Action, ActionKind, Certainty, Field, FieldType, FieldValue, Finding, FindingKind, Lead, Path,
    Workspace, date, phone,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A lead with what telecrm would do to it.
///
/// ```
/// use telecrm_core::{Lead, Workspace};
///
/// let lead = Lead::new().set("phone", "919999999999").set("rating", "3").set("nickname", "Jo");
/// let checked = Workspace::sample().check(&lead);
/// assert_eq!(checked.findings().len(), 2);
/// // The rating is mended; the field that does not exist is lost.
/// assert_eq!(checked.report().iter().filter(|finding| finding.repaired).count(), 1);
/// assert!(checked.has_losses());
/// assert_eq!(checked.into_clean()?.get("nickname"), None);
/// # Ok::<(), telecrm_core::LeadDropped>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the findings tell what would be lost"]
pub struct Checked {
    clean: Result<Lead, LeadDropped>,
    findings: Vec<Finding>,
    report: Vec<Finding>,
}

impl Checked {
    /// What telecrm would do to the lead as it is written. A lead that would be dropped is one loss.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What remains to be said when the mended lead is sent: [`findings`](Self::findings), and what came to
    /// light only behind something that was mended.
    pub fn report(&self) -> &[Finding] {
        &self.report
    }

    /// Whether anything is lost even when the mended lead is sent.
    pub fn has_losses(&self) -> bool {
        self.report.iter().any(|f| f.is_loss() && !f.repaired)
    }

    /// The lead in the form that telecrm takes: mended where that is beyond doubt, without what would be dropped.
    ///
    /// # Errors
    /// If nothing of it can be sent, because its identifier is missing or would be dropped.
    pub fn into_clean(self) -> Result<Lead, LeadDropped> {
        self.clean
    }
}

/// A lead that telecrm would drop as a whole.
///
/// ```
/// use telecrm_core::{FindingKind, Lead, Workspace};
///
/// let checked = Workspace::sample().check(&Lead::new().set("name", "Jane Doe"));
/// let dropped = checked.into_clean().unwrap_err();
/// assert_eq!(dropped.finding().kind, FindingKind::LeadDropped);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LeadDropped(Finding);

impl LeadDropped {
    /// Why.
    pub fn finding(&self) -> &Finding {
        &self.0
    }
}

/// With the [finding](Finding), which may repeat a value, unlike [`Debug`](fmt::Debug).
impl fmt::Display for LeadDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "telecrm would drop this lead: {}", self.0)
    }
}

impl std::error::Error for LeadDropped {}

impl Workspace {
    /// Tells what telecrm would drop, change or create if this lead were sent, and mends what is beyond doubt.
    ///
    /// ```
    /// use telecrm_core::{FindingKind, Lead, Workspace};
    ///
    /// let lead = Lead::new()
    ///     .set("phone", "+91 99999 99999") // mended to 919999999999
    ///     .set("rating", "3")              // mended to 3
    ///     .set("interests", "VIP, Returning"); // one tag or two? not for us to guess
    /// let checked = Workspace::sample().check(&lead);
    /// assert!(checked.has_losses());
    ///
    /// let clean = checked.into_clean()?;
    /// assert_eq!(clean.get("phone"), Some(&"919999999999".into()));
    /// assert_eq!(clean.get("rating"), Some(&3.into()));
    /// assert_eq!(clean.get("interests"), None);
    /// # Ok::<(), telecrm_core::LeadDropped>(())
    /// ```
    pub fn check(&self, lead: &Lead) -> Checked {
        let as_written = self.accept(lead).findings;
        let mut clean = lead.clone();
        let mut report: Vec<Finding> = Vec::new();
        // What is mended may have hidden something else: an action is looked into only once its type is right.
        loop {
            let mut mended = false;
            for mut finding in self.accept(&clean).findings {
                let known = report.iter().any(|f| {
                    f.path == finding.path
                        // How telecrm writes what was mended is nothing to tell beside that.
                        && (f.kind == finding.kind
                            || f.repaired && finding.kind == FindingKind::ValueChanged)
                });
                if known {
                    continue;
                }
                // What telecrm stores in another form it stores all the same, and knows that form best.
                let needs_mending = finding.kind != FindingKind::ValueChanged;
                if let Some(suggestion) = needs_mending
                    .then(|| self.mend(&mut clean, &finding.path))
                    .flatten()
                {
                    finding.suggestion = Some(suggestion);
                    finding.repaired = true;
                    mended = true;
                }
                report.push(finding);
            }
            if !mended {
                break;
            }
        }
        let lead_dropped = report
            .iter()
            .find(|f| f.kind == FindingKind::LeadDropped && !f.repaired);
        Checked {
            findings: report
                .iter()
                .filter(|finding| {
                    let mut as_written = as_written.iter();
                    as_written.any(|f| f.path == finding.path && f.kind == finding.kind)
                })
                .cloned()
                .collect(),
            clean: match lead_dropped {
                Some(finding) => Err(LeadDropped(finding.clone())),
                None => {
                    remove_losses(&mut clean, &report);
                    Ok(clean)
                }
            },
            report,
        }
    }

    /// Fields for an update of a lead, in the form that telecrm takes.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use telecrm_core::{Path, Workspace};
    ///
    /// let workspace = Workspace::sample();
    /// let fields = BTreeMap::from([("rating".to_owned(), "4".into())]);
    /// assert_eq!(workspace.check_update(fields)?["rating"], 4.into());
    ///
    /// // The identifier cannot be written (LE1).
    /// let fields = BTreeMap::from([("phone".to_owned(), "919999999999".into())]);
    /// assert_eq!(workspace.check_update(fields).unwrap_err().path, Path::Field("phone".into()));
    /// # Ok::<(), telecrm_core::Finding>(())
    /// ```
    ///
    /// # Errors
    /// The first thing that telecrm would refuse or drop: the identifier (pitfall LE1), an unknown field or
    /// label (LE8), a value that does not fit (LE9).
    pub fn check_update(
        &self,
        mut fields: BTreeMap<String, FieldValue>,
    ) -> Result<BTreeMap<String, FieldValue>, Finding> {
        let identifier = self.identifier().api_name();
        if fields.contains_key(identifier) {
            return Err(Finding {
                path: Path::Field(identifier.to_owned()),
                kind: FindingKind::FieldDropped,
                reason: "the lead identifier cannot be changed".to_owned(),
                suggestion: Some("leave it out".to_owned()),
                pitfall: Some("LE1".to_owned()),
                certainty: Certainty::Documented,
                repaired: false,
            });
        }
        for (name, value) in &mut fields {
            let Some(finding) = self
                .accept_field(name, value)
                .finding(Path::Field(name.clone()))
            else {
                continue;
            };
            match self
                .field(name)
                .and_then(|field| self.mend_value(field, value))
            {
                Some(mended) => *value = mended,
                None if finding.is_loss() => return Err(finding),
                None => {}
            }
        }
        Ok(fields)
    }

    /// Mends the value at a path, if exactly one thing can be meant. Says what stands there now.
    fn mend(&self, lead: &mut Lead, path: &Path) -> Option<String> {
        match path {
            Path::Field(name) => {
                let field = self.field(name)?;
                let value = lead.fields_mut().get_mut(name)?;
                let mended = self.mend_value(field, value)?;
                let suggestion = format!("write {mended}");
                *value = mended;
                Some(suggestion)
            }
            Path::Action(index) => {
                let action = lead.actions_mut().get_mut(*index)?;
                let mended = self.mend_action(*index, action)?;
                let suggestion = match mended.kind() {
                    ActionKind::Custom(code) => format!("write {}", code.prefixed()),
                    _ => format!("write {}", Value::Object(mended.as_json().clone())),
                };
                *action = mended;
                Some(suggestion)
            }
            Path::ActionField(index, name) => {
                let action = lead.actions_mut().get_mut(*index)?;
                let ActionKind::Custom(code) = action.kind() else {
                    return None;
                };
                let field = self.action(&code)?.field(name)?;
                let value = action.as_json_mut().get_mut("fields")?.get_mut(name)?;
                let mended = self.mend_value(field, &value.clone().into())?;
                let suggestion = format!("write {mended}");
                *value = mended.into();
                Some(suggestion)
            }
            Path::ActionKey(index, key) if key == "created_on" => {
                let action = lead.actions_mut().get_mut(*index)?;
                let ActionKind::Custom(code) = action.kind() else {
                    return None;
                };
                if !self.action(&code)?.allows_predated {
                    return None;
                }
                let written = action.as_json_mut().get_mut(key)?;
                let millis = self.mend_date(&written.clone().into())?;
                *written = millis.into();
                Some(format!("write {millis}"))
            }
            Path::ActionKey(..) | Path::Key(_) => None,
        }
    }

    /// The value that is meant, if telecrm then takes it as it is.
    fn mend_value(&self, field: &Field, value: &FieldValue) -> Option<FieldValue> {
        let text = value.as_str();
        // A float has lost how it was written: 1.10 is 1.1, and 9.9e9 may be a number of a phone or of a spreadsheet.
        let integer = value.as_json().as_u64().map(|integer| integer.to_string());
        let mended: FieldValue = match &field.field_type {
            FieldType::Text => integer?.into(),
            FieldType::Money => match value.as_json() {
                Value::Number(number) => number.to_string().into(),
                _ => return None,
            },
            FieldType::Email | FieldType::ActiveUsers => text?.trim().into(),
            FieldType::Phone => {
                let tidy = phone::tidy(text.or(integer.as_deref())?)?;
                // Which country telecrm adds to a national number is for telecrm to know.
                tidy.strip_prefix('+').unwrap_or(&tidy).into()
            }
            FieldType::Number => {
                let text = text?.trim();
                let parsed: Value = serde_json::from_str(text).ok()?;
                // Written and read alike, or digits were lost on the way.
                let round_trip = serde_json::to_string(&parsed).ok()?;
                (is_decimal(text) && round_trip == text).then(|| parsed.into())?
            }
            FieldType::Rating => text?.trim().parse::<i64>().ok()?.into(),
            FieldType::Date => self.mend_date(value)?.into(),
            FieldType::Dropdown => only(&field.options, text?)?.into(),
            FieldType::Tags => {
                let tag = text?.trim();
                (!tag.is_empty() && !tag.contains([',', ';', '|'])).then(|| [tag].into())?
            }
            FieldType::Status => {
                let statuses = self.pipeline()?.active_statuses();
                only(statuses, text?)?.into()
            }
            FieldType::LostReason => {
                let reasons = self.pipeline()?.active_lost_reasons();
                only(reasons, text?)?.into()
            }
            FieldType::Website | FieldType::MediaLink => text?.trim().into(),
            FieldType::Unknown(_) => return None,
        };
        let verdict = self.accept_value(field, &mended);
        let accepted = !verdict.is_dropped() && verdict.created().is_empty();
        (accepted && mended != *value).then_some(mended)
    }

    /// Unix milliseconds for an ISO date, or for digits in a string that can only be milliseconds.
    fn mend_date(&self, value: &FieldValue) -> Option<i64> {
        let text = value.as_str()?.trim();
        match text.parse::<i64>() {
            // Thirteen digits are milliseconds from 2001 to 2286.
            Ok(millis) if text.len() == 13 => Some(millis),
            Ok(_) => None,
            Err(_) => date::parse_iso(text, self.time_zone()),
        }
    }

    /// The action with its type and a payment's literals spelled right, if telecrm then takes it.
    fn mend_action(&self, index: usize, action: &Action) -> Option<Action> {
        let mut mended = action.clone();
        match action.kind() {
            ActionKind::Custom(_) => mended = mended.with_prefixed_code(),
            ActionKind::Payment => {
                for key in ["type", "status", "currency"] {
                    if let Some(Value::String(text)) = mended.as_json_mut().get_mut(key) {
                        *text = text.trim().to_ascii_uppercase();
                    }
                }
                if let Some(amount) = mended.as_json_mut().get_mut("amount") {
                    match amount {
                        Value::Number(number) => *amount = number.to_string().into(),
                        Value::String(text) => *text = text.trim().to_owned(),
                        _ => {}
                    }
                }
            }
            ActionKind::Other(_) | ActionKind::Missing => return None,
        }
        let (accepted, _) = self.accept_action(index, &mended, CodeForm::Prefixed);
        accepted.map(|_| mended)
    }
}

/// The one label that differs only in case and blanks.
fn only<'a, S: AsRef<str> + 'a + ?Sized>(
    labels: impl IntoIterator<Item = &'a S>,
    text: &str,
) -> Option<&'a str> {
    let mut same = labels
        .into_iter()
        .map(AsRef::as_ref)
        .filter(|label| same_label(label, text));
    same.next().filter(|_| same.next().is_none())
}

fn remove_losses(lead: &mut Lead, report: &[Finding]) {
    let mut dropped_actions = Vec::new();
    for finding in report.iter().filter(|f| f.is_loss() && !f.repaired) {
        match &finding.path {
            Path::Field(name) => {
                lead.fields_mut().remove(name);
            }
            Path::Key(key) => {
                lead.extra_mut().remove(key);
            }
            Path::Action(index) => dropped_actions.push(*index),
            Path::ActionField(index, name) => {
                let action = lead.actions_mut().get_mut(*index);
                let fields = action.and_then(|action| action.as_json_mut().get_mut("fields"));
                if let Some(fields) = fields.and_then(Value::as_object_mut) {
                    fields.remove(name);
                }
            }
            Path::ActionKey(index, key) => {
                if let Some(action) = lead.actions_mut().get_mut(*index) {
                    action.as_json_mut().remove(key);
                }
            }
        }
    }
    let mut index = 0;
    lead.actions_mut().retain(|_| {
        index += 1;
        !dropped_actions.contains(&(index - 1))
    });
}
