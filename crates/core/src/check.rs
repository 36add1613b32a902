//! Checking a lead before it is sent, and mending what can be mended.

use crate::finding::Told;
use crate::rules::phone;
use crate::rules::{Acceptance, CodeForm, same_label};
use crate::text::{texts, trim, unseen};
use crate::value::is_decimal;
use crate::workspace::date_format as date;
use crate::{
    Action, ActionKind, Certainty, FieldDefinition, FieldPath, FieldType, FieldValue, Finding,
    FindingKind, Lead, Workspace,
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
        let accepted = self.accept(lead);
        let mut as_written = accepted.findings.clone();
        as_written.append(&mut self.doubts(lead, &accepted));
        let mut clean = lead.clone();
        let mut report = self.leave_out_blanks(&mut clean, &accepted);
        as_written.append(&mut report.clone());
        let as_written = Told::of(&as_written);
        let mut told = Told::of(&report);
        for left_out in &report {
            told.add(&left_out.path, FindingKind::ValueChanged);
        }
        // What is mended may have hidden something else: an action is looked into only once its type is right.
        loop {
            let mut mended = false;
            for mut finding in self.accept(&clean).findings {
                if told.has(&finding) {
                    continue;
                }
                told.add(&finding.path, finding.kind);
                if let Some(suggestion) = self.mend(&mut clean, &finding.path) {
                    finding.suggestion = Some(suggestion);
                    finding.repaired = true;
                    mended = true;
                    // How telecrm writes what was mended is nothing to tell beside that.
                    told.add(&finding.path, FindingKind::ValueChanged);
                }
                report.push(finding);
            }
            if !mended {
                break;
            }
        }
        let mut doubts = self.doubts(&clean, &self.accept(&clean));
        // That telecrm writes the number in another form is nothing to tell beside that.
        let doubtful = Told::of(&doubts);
        report.retain(|finding| !doubtful.has(finding));
        report.append(&mut doubts);
        let lead_dropped = report
            .iter()
            .find(|f| f.kind == FindingKind::LeadDropped && !f.repaired);
        let mut findings = Vec::new();
        for finding in &report {
            if as_written.has(finding) {
                findings.push(finding.clone());
            }
        }
        Checked {
            findings,
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

    /// Takes out blank texts that nobody asked for, and says so. Of the identifier, and of a field that the workspace lacks,
    /// there is more to say than that.
    fn leave_out_blanks(&self, lead: &mut Lead, accepted: &Acceptance) -> Vec<Finding> {
        if accepted.identifier.is_none() {
            return Vec::new();
        }
        let (mut left_out, mut places) = (Vec::new(), Vec::new());
        for path in lead.stray_blanks() {
            let is_known = match &path {
                FieldPath::ActionField(index, name) => !self.lacks(&lead.actions()[*index], name),
                FieldPath::Field(name) => self.field(name).is_some(),
                _ => false,
            };
            if !is_known {
                continue;
            }
            places.push(path.clone());
            let is_text = lead.at(&path).is_some_and(|value| value.as_str().is_some());
            let mut known = accepted.findings.iter();
            let known = known.find(|finding| is_text && finding.path == path);
            left_out.push(Finding {
                suggestion: Some("leave it out".to_owned()),
                repaired: true,
                ..known.cloned().unwrap_or_else(|| stray_blank(path))
            });
        }
        lead.leave_out_blanks(&places);
        left_out
    }

    /// Whether the action is known to have no such field.
    fn lacks(&self, action: &Action, api_name: &str) -> bool {
        let ActionKind::Custom(code) = action.kind() else {
            return true;
        };
        self.action(&code).is_none_or(|definition| {
            definition.fields.is_some() && definition.field(api_name).is_none()
        })
    }

    /// Fields for an update of a lead, in the form that telecrm takes.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use telecrm_core::{FieldPath, Workspace};
    ///
    /// let workspace = Workspace::sample();
    /// let fields = BTreeMap::from([("rating".to_owned(), "4".into())]);
    /// assert_eq!(workspace.check_update(fields)?["rating"], 4.into());
    ///
    /// // The identifier cannot be written (LE1).
    /// let fields = BTreeMap::from([("phone".to_owned(), "919999999999".into())]);
    /// assert_eq!(workspace.check_update(fields).unwrap_err().path, FieldPath::Field("phone".into()));
    /// # Ok::<(), telecrm_core::Finding>(())
    /// ```
    ///
    /// # Errors
    /// The first thing that telecrm would refuse or drop: the identifier (pitfall LE1), an unknown field or
    /// label (LE8), a value that does not fit (LE9). Also a blank text that is not [`FieldValue::blank()`], and null,
    /// which leaves the field as it is.
    pub fn check_update(
        &self,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<BTreeMap<String, FieldValue>, Finding> {
        let identifier = self.identifier().api_name();
        if fields.contains_key(identifier) {
            return Err(Finding {
                path: FieldPath::Field(identifier.to_owned()),
                kind: FindingKind::FieldDropped,
                reason: "the lead identifier cannot be changed".to_owned(),
                suggestion: Some("leave it out".to_owned()),
                pitfall: Some("LE1".to_owned()),
                certainty: Certainty::Documented,
                repaired: false,
            });
        }
        let mut checked = BTreeMap::new();
        for (name, written) in fields {
            let path = FieldPath::Field(name.clone());
            let field = self.field(&name);
            let mut value = match written.clone().without_stray_blanks() {
                Some(value) => value,
                None if field.is_some() => return Err(stray_blank(path)),
                None => written,
            };
            if let Some(finding) = self.accept_field(&name, &value).finding(path) {
                // Who updates with it wants the field emptied, and it would stay.
                if value.is_null() {
                    return Err(Finding {
                        kind: FindingKind::FieldDropped,
                        suggestion: Some("leave it out".to_owned()),
                        ..finding
                    });
                }
                match field.and_then(|field| self.mend_value(field, &value)) {
                    Some(mended) => value = mended,
                    None if finding.is_loss() => return Err(finding),
                    None => {}
                }
            }
            checked.insert(name, value);
        }
        Ok(checked)
    }

    /// Mends the value at a path, if exactly one thing can be meant. Says what stands there now.
    fn mend(&self, lead: &mut Lead, path: &FieldPath) -> Option<String> {
        match path {
            FieldPath::Field(name) => {
                let field = self.field(name)?;
                let value = lead.fields_mut().get_mut(name.as_str())?;
                let mended = self.mend_value(field, value)?;
                let suggestion = format!("write {mended}");
                *value = mended;
                Some(suggestion)
            }
            FieldPath::Action(index) => {
                let action = lead.actions_mut().get_mut(*index)?;
                let mended = self.mend_action(*index, action)?;
                let suggestion = match mended.kind() {
                    ActionKind::Custom(code) => format!("write {}", code.prefixed()),
                    _ => format!("write {}", FieldValue::from(mended.keys().clone())),
                };
                *action = mended;
                Some(suggestion)
            }
            FieldPath::ActionField(index, name) => {
                let action = lead.actions_mut().get_mut(*index)?;
                let ActionKind::Custom(code) = action.kind() else {
                    return None;
                };
                let field = self.action(&code)?.field(name)?;
                let mended = self.mend_value(field, &action.field(name)?)?;
                let suggestion = format!("write {mended}");
                action.change_fields(|fields| _ = fields.insert(name.clone(), mended));
                Some(suggestion)
            }
            FieldPath::ActionKey(index, key) if key == "created_on" => {
                let action = lead.actions_mut().get_mut(*index)?;
                let ActionKind::Custom(code) = action.kind() else {
                    return None;
                };
                if !self.action(&code)?.allows_predated {
                    return None;
                }
                let written = action.keys_mut().get_mut(key.as_str())?;
                let millis = self.mend_date(written)?;
                *written = millis.into();
                Some(format!("write {millis}"))
            }
            FieldPath::ActionKey(..) | FieldPath::Key(_) => None,
        }
    }

    /// The value that is meant, if telecrm then takes it as it is.
    fn mend_value(&self, field: &FieldDefinition, value: &FieldValue) -> Option<FieldValue> {
        let text = value.as_str();
        // A float has lost how it was written: 1.10 is 1.1, and 9.9e9 may be a number of a phone or of a spreadsheet.
        let integer = value.as_json().as_u64().map(|integer| integer.to_string());
        let mended: FieldValue = match &field.field_type {
            FieldType::Text => integer?.into(),
            // In the digits in which it was written, without the blanks around them.
            FieldType::Money => value.as_decimal()?.into(),
            FieldType::Email | FieldType::ActiveUsers => {
                // Within an address it may belong there, and is for people to judge.
                let address = Some(trim(text?)).filter(|address| unseen(address).is_none());
                address?.into()
            }
            FieldType::Phone => self.mend_phone(text.or(integer.as_deref())?)?.into(),
            FieldType::Number => {
                let text = text?.trim();
                let parsed: Value = serde_json::from_str(text).ok()?;
                // Written and read alike, or digits were lost on the way.
                let round_trip = serde_json::to_string(&parsed).ok()?;
                (is_decimal(text) && round_trip == text).then(|| parsed.into())?
            }
            FieldType::Rating => text?.trim().parse::<i64>().ok()?.into(),
            FieldType::Date => self.mend_date(value)?.into(),
            FieldType::Dropdown => only(&texts(&field.options, String::as_str), text?)?.into(),
            FieldType::Tags => {
                let tag = text?.trim();
                (!tag.is_empty() && !tag.contains([',', ';', '|'])).then(|| [tag].into())?
            }
            FieldType::Status | FieldType::LostReason => {
                let labels = self.pipeline()?.labels(&field.field_type)?;
                only(&labels.active, text?)?.into()
            }
            FieldType::Website | FieldType::MediaLink => text?.trim().into(),
            FieldType::Unknown(_) => return None,
        };
        let verdict = self.accept_value(field, &mended);
        let accepted = !verdict.is_dropped() && verdict.created().is_empty();
        // What telecrm takes is written in no other form than the one in which it stores it.
        let written = self.accept_value(field, value);
        let is_taken = !written.is_dropped() && written.created().is_empty();
        let stored = written.stored();
        let number = stored.as_ref().and_then(FieldValue::as_str);
        let trunk = number.filter(|_| field.field_type == FieldType::Phone);
        let trunk = trunk.and_then(phone::without_trunk_zero);
        let as_stored = !is_taken
            || stored.as_ref() == Some(&mended)
            || trunk.is_some_and(|number| mended == number.into())
            // Around an address there is only what does not belong to it.
            || matches!(field.field_type, FieldType::Email | FieldType::ActiveUsers);
        (accepted && as_stored && mended != *value).then_some(mended)
    }

    /// The number without what people write between its digits, and with its country code if that is known: in a form that
    /// telecrm reads as that very number. Without its `+` a foreign number may read as a national one of the default country (ID2).
    fn mend_phone(&self, text: &str) -> Option<String> {
        let mut tidy = phone::tidy(text)?;
        let mut meant = phone::normal_form(&tidy, self.country()).ok()?;
        if let Some(number) = phone::without_trunk_zero(&meant) {
            (tidy, meant) = (format!("+{number}"), number);
        }
        // Which country telecrm adds to a national number is for telecrm to know, unless somebody said it.
        let is_known = self.known_country().is_some() && phone::exists(&meant) == Some(true);
        let without_plus = tidy.trim_start_matches('+');
        let is_read = |form: &str| phone::normal_form(form, self.country()).as_ref() == Ok(&meant);
        if is_known && is_read(&meant) {
            Some(meant)
        } else if is_read(without_plus) {
            Some(without_plus.to_owned())
        } else {
            is_read(&tidy).then_some(tidy)
        }
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
                    change(&mut mended, key, |value| {
                        Some(value.as_str()?.trim().to_ascii_uppercase())
                    });
                }
                change(&mut mended, "amount", |value| match value.as_str() {
                    Some(text) => Some(text.trim().to_owned()),
                    None => Some(value.as_decimal()?.to_string()),
                });
            }
            ActionKind::Other(_) | ActionKind::Missing => return None,
        }
        let (accepted, _) = self.accept_action(index, &mended, CodeForm::Prefixed);
        accepted.map(|_| mended)
    }
}

/// Puts a text in the place of a value.
fn change(action: &mut Action, key: &str, text: impl Fn(&FieldValue) -> Option<String>) {
    if let Some(value) = action.keys_mut().get_mut(key)
        && let Some(text) = text(value)
    {
        *value = text.into();
    }
}

/// What there is to say of a blank that telecrm would take.
fn stray_blank(path: FieldPath) -> Finding {
    let reason = match &path {
        FieldPath::Field(_) => "telecrm would store the blank text over what the lead has",
        _ => "telecrm would store the blank text",
    };
    let mut finding = Finding::new(path, FindingKind::ValueChanged, Certainty::Inferred, reason);
    finding.suggestion = Some("leave it out".to_owned());
    finding
}

/// The one label that differs only in case and blanks.
fn only<'a>(labels: &[&'a str], text: &str) -> Option<&'a str> {
    let mut same = labels.iter().filter(|label| same_label(label, text));
    same.next().filter(|_| same.next().is_none()).copied()
}

fn remove_losses(lead: &mut Lead, report: &[Finding]) {
    let mut lost = Vec::new();
    for finding in report {
        if finding.is_loss() && !finding.repaired {
            lost.push(finding.path.clone());
        }
    }
    lead.change_fields(&lost, |fields, name| _ = fields.remove(name));
    let mut is_lost = vec![false; lead.actions().len()];
    for place in &lost {
        match place {
            FieldPath::Key(key) => {
                lead.extra_mut().remove(key.as_str());
            }
            FieldPath::ActionKey(index, key) => {
                if let Some(action) = lead.actions_mut().get_mut(*index) {
                    action.keys_mut().remove(key.as_str());
                }
            }
            // Last, since the paths count them.
            FieldPath::Action(index) => is_lost[*index] = true,
            FieldPath::Field(_) | FieldPath::ActionField(..) => {}
        }
    }
    let mut index = 0;
    lead.actions_mut().retain(|_| {
        index += 1;
        !is_lost[index - 1]
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CustomAction, WorkspaceFile};

    /// What is told of a place: the kind, and whether it was mended.
    fn told(checked: &Checked, path: &str) -> Option<(FindingKind, bool)> {
        let mut findings = checked.findings().iter();
        let finding = findings.find(|finding| finding.path.to_string() == path)?;
        Some((finding.kind, finding.repaired))
    }

    /// The sample workspace, as it is where nobody says which country it is in.
    fn without_a_country() -> Workspace {
        let mut file = WorkspaceFile::sample();
        file.emulator.remove("defaultCountry");
        Workspace::from_file(&file).expect("a workspace")
    }

    fn read(fields: Value) -> Lead {
        let fields = serde_json::json!({ "fields": fields });
        Lead::from_json(fields).expect("a lead")
    }

    #[test]
    fn addresses_are_sent_without_the_blanks_around_them() {
        let lead = Lead::new()
            .set("phone", "919999999999")
            .set("email", " jane.doe@example.com ");
        let checked = Workspace::sample().check(&lead);
        assert_eq!(
            told(&checked, "fields.email"),
            Some((FindingKind::ValueChanged, true))
        );
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean.get("email"), Some(&"jane.doe@example.com".into()));

        let update = lead.fields().clone().into_iter();
        let update = update.filter(|(name, _)| name != "phone").collect();
        let update = Workspace::sample().check_update(update).expect("sendable");
        assert_eq!(update["email"], "jane.doe@example.com".into());
    }

    #[test]
    fn what_nobody_sees_is_left_out_of_numbers_and_around_addresses_and_labels() {
        for unseen in [
            '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{202a}', '\u{a0}',
        ] {
            let around = |text: &str| format!("{unseen}{text}{unseen}");
            let lead = Lead::new()
                .set("phone", around(&format!("+91 99999{unseen}99999")))
                .set("email", around("jane.doe@example.com"))
                .set("status", around("Fresh"))
                .set("contact_source", around("Website"));
            let checked = Workspace::sample().check(&lead);
            let mended = checked.report().iter().filter(|f| f.repaired).count();
            assert_eq!((mended, checked.report().len()), (4, 4), "{unseen:?}");
            let clean = checked.into_clean().expect("sendable");
            let meant = Lead::new()
                .set("phone", "919999999999")
                .set("email", "jane.doe@example.com")
                .set("status", "Fresh")
                .set("contact_source", "Website");
            assert_eq!(clean, meant, "{unseen:?}");
            let update = [("email".to_owned(), around("jane.doe@example.com").into())].into();
            let update = Workspace::sample().check_update(update).expect("sendable");
            assert_eq!(update["email"], "jane.doe@example.com".into());
        }
    }

    #[test]
    fn what_nobody_sees_within_an_address_is_told_and_left_for_people_to_judge() {
        for unseen in ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'] {
            let address = format!("{unseen}jane{unseen}.doe@example.com ");
            let lead = Lead::new()
                .set("phone", "919999999999")
                .set("email", address);
            let checked = Workspace::sample().check(&lead);
            assert_eq!(checked.findings(), checked.report());
            let [finding] = checked.findings() else {
                panic!("{unseen:?}: {:?}", checked.findings());
            };
            assert_eq!(finding.path.to_string(), "fields.email");
            assert!(!finding.is_loss() && !finding.repaired, "{finding}");
            let code = format!("(U+{:04X})", u32::from(unseen));
            assert!(finding.reason.contains(&code), "{finding}");
            let meant = finding.suggestion.as_deref();
            assert_eq!(meant, Some("did you mean `jane.doe@example.com`?"));
            assert_eq!(checked.into_clean().as_ref(), Ok(&lead));
        }
    }

    #[test]
    fn a_country_code_is_written_only_where_it_is_known() {
        let clean = |workspace: Workspace, phone: &str| {
            let lead = Lead::new().set("phone", phone);
            let clean = workspace.check(&lead).into_clean().expect("sendable");
            clean.get("phone").map(FieldValue::to_string)
        };
        let known = match cfg!(feature = "phone") {
            true => "\"919999999999\"",
            false => "\"9999999999\"",
        };
        for national in ["9999999999", "099999 99999", "(99999) 99999"] {
            let sample = Workspace::sample();
            assert_eq!(
                clean(sample, national).as_deref(),
                Some(known),
                "{national}"
            );
            let guessed = clean(without_a_country(), national);
            assert_eq!(guessed.as_deref(), Some("\"9999999999\""), "{national}");
        }
        for international in ["+919999999999", "+91 99999-99999", "0091 9999999999"] {
            for workspace in [Workspace::sample(), without_a_country()] {
                let written = clean(workspace, international);
                assert_eq!(
                    written.as_deref(),
                    Some("\"919999999999\""),
                    "{international}"
                );
            }
        }
        let emirates = Workspace::sample().with_default_country("AE".parse().expect("known"));
        let local = match cfg!(feature = "phone") {
            true => "\"971501234567\"",
            false => "\"501234567\"",
        };
        assert_eq!(clean(emirates, "050 123 4567").as_deref(), Some(local));
    }

    /// A number written with its country code stays that number: without its `+` it may be another person's.
    #[test]
    fn a_foreign_number_never_becomes_a_national_one() {
        for country in ["IN", "AE", "MY"] {
            let workspace =
                Workspace::sample().with_default_country(country.parse().expect("known"));
            for code in [
                "1", "44", "45", "49", "60", "61", "64", "65", "91", "221", "354", "371", "971",
                "974",
            ] {
                for total in 8..=11 {
                    let digits: String = code
                        .chars()
                        .chain("912345678901".chars())
                        .take(total)
                        .collect();
                    let (first, rest) = digits.split_at(5);
                    for written in [
                        format!("+{digits}"),
                        format!("00{digits}"),
                        format!("00 {first}-{rest}"),
                    ] {
                        let clean =
                            |lead: &Lead| workspace.check(lead).into_clean().expect("sendable");
                        let once = clean(&Lead::new().set("phone", written.clone()));
                        let sent = once.get("phone").expect("a number");
                        let stored = workspace.identifier_key(sent);
                        assert_eq!(stored.as_ref(), Some(&digits), "{country} {written} {sent}");
                        assert_eq!(clean(&once), once, "{country} {written}");
                        let fields =
                            [("alternate_phone".to_owned(), written.as_str().into())].into();
                        let updated = workspace.check_update(fields).expect("sendable");
                        assert_eq!(&updated["alternate_phone"], sent, "{country} {written}");
                    }
                    let bare = workspace
                        .check(&Lead::new().set("phone", digits))
                        .into_clean();
                    if let Ok(bare) = bare {
                        let again = workspace.check(&bare).into_clean();
                        assert_eq!(again.as_ref(), Ok(&bare));
                    }
                }
            }
        }
    }

    #[test]
    fn blanks_that_nobody_asked_for_are_left_out_and_told() {
        let lead = read(serde_json::json!({
            "phone": "919999999999", "name": " ", "email": "", "contact_source": "", "bogus": "",
        }));
        let checked = Workspace::sample().check(&lead);
        assert_eq!(
            told(&checked, "fields.name"),
            Some((FindingKind::ValueChanged, true))
        );
        for typed in ["fields.email", "fields.contact_source"] {
            let expected = Some((FindingKind::FieldDropped, true));
            assert_eq!(told(&checked, typed), expected, "{typed}");
        }
        // A name that the workspace lacks is a mistake, whatever stands under it.
        assert_eq!(
            told(&checked, "fields.bogus"),
            Some((FindingKind::FieldDropped, false))
        );
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean, Lead::new().set("phone", "919999999999"));
    }

    #[test]
    fn blanks_in_actions_and_lists_are_left_out_and_told() {
        let lead = serde_json::json!({
            "fields": { "phone": "919999999999", "interests": ["VIP", " "], "tags_2": [""] },
            "actions": [
                { "type": "1001", "fields": { "note": " ", "outcome": "", "bogus": "" } },
                { "type": "ACTION_1001", "fields": { "note": "called" } },
            ],
        });
        let lead = Lead::from_json(lead).expect("a lead");
        let checked = Workspace::sample().check(&lead);
        for (path, kind) in [
            ("fields.interests", FindingKind::ValueChanged),
            ("actions[0].fields.note", FindingKind::ValueChanged),
            ("actions[0].fields.outcome", FindingKind::ValueChanged),
        ] {
            assert_eq!(told(&checked, path), Some((kind, true)), "{path}");
        }
        // What the workspace lacks is a mistake, whatever stands there.
        assert_eq!(
            told(&checked, "fields.tags_2"),
            Some((FindingKind::FieldDropped, false))
        );
        let bogus = "actions[0].fields.bogus";
        let hidden = checked
            .report()
            .iter()
            .find(|f| f.path.to_string() == bogus);
        assert!(hidden.is_some_and(|f| f.is_loss() && !f.repaired));
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(
            clean.to_json(),
            serde_json::json!({
                "fields": { "phone": "919999999999", "interests": ["VIP"] },
                "actions": [
                    { "type": "ACTION_1001", "fields": {} },
                    { "type": "ACTION_1001", "fields": { "note": "called" } },
                ],
            })
        );

        let only_blanks = read(serde_json::json!({ "phone": "919999999999", "interests": [""] }));
        let checked = Workspace::sample().check(&only_blanks);
        assert_eq!(
            told(&checked, "fields.interests"),
            Some((FindingKind::ValueChanged, true))
        );
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean, Lead::new().set("phone", "919999999999"));
        // No tags at all are a statement.
        let none = read(serde_json::json!({ "phone": "919999999999", "interests": [] }));
        let clean = Workspace::sample().check(&none).into_clean();
        assert_eq!(clean, Ok(none));
    }

    #[test]
    fn money_loses_only_the_blanks_around_it() {
        let clean = |budget: &str| {
            let lead = Lead::new()
                .set("phone", "919999999999")
                .set("budget", budget);
            let checked = Workspace::sample().check(&lead);
            let reason = checked.findings().first().map(|f| f.reason.clone());
            let clean = checked.into_clean().expect("sendable");
            (clean.get("budget").cloned(), reason.unwrap_or_default())
        };
        for written in [" 5000 ", "5000\t", "\u{a0}5000"] {
            let (budget, reason) = clean(written);
            assert_eq!(budget, Some("5000".into()), "{written:?}");
            assert!(reason.contains("no blanks"), "{reason}");
        }
        for written in ["5 000", "5,000", "₹5000", "5000 INR", "5e3", "+5000"] {
            let (budget, reason) = clean(written);
            assert_eq!(budget, None, "{written:?}");
            assert!(reason.contains("no blanks, commas"), "{reason}");
        }
    }

    #[test]
    fn building_leaves_out_what_checking_leaves_out() {
        let visit = || CustomAction::new(1001).expect("a code");
        let built = Lead::new()
            .set("interests", ["VIP", ""])
            .set("labels", [" "])
            .action(visit().field("tags", ["", "a"]).field("note", ""));
        let meant = Lead::new()
            .set("interests", ["VIP"])
            .action(visit().field("tags", ["a"]));
        assert_eq!(built, meant);
    }

    #[test]
    fn blanks_that_are_meant_are_sent() {
        let lead = Lead::new()
            .set("phone", "919999999999")
            .set("name", FieldValue::blank());
        let checked = Workspace::sample().check(&lead);
        assert_eq!(told(&checked, "fields.name"), None);
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean.to_json()["fields"]["name"], "");
    }

    #[test]
    fn an_update_does_not_blank_a_field_unless_asked() {
        let update = |value: FieldValue| {
            let fields = [("name".to_owned(), value)].into();
            Workspace::sample().check_update(fields)
        };
        let finding = update(" ".into()).expect_err("refused");
        assert_eq!(finding.path.to_string(), "fields.name");
        let asked = update(FieldValue::blank()).expect("sendable");
        assert_eq!(asked["name"], "".into());
        let tags = |tags: [&str; 2]| {
            let fields = [("interests".to_owned(), tags.into())].into();
            Workspace::sample().check_update(fields)
        };
        assert!(tags(["", " "]).is_err());
        assert_eq!(
            tags(["VIP", " "]).expect("sendable")["interests"],
            ["VIP"].into()
        );
    }

    #[test]
    fn labels_are_written_as_the_workspace_spells_them() {
        let lead = Lead::new()
            .set("phone", "919999999999")
            .set("status", " fresh")
            .set("contact_source", "WEBSITE");
        let clean = Workspace::sample().check(&lead).into_clean();
        let clean = clean.expect("sendable");
        assert_eq!(clean.get("status"), Some(&"Fresh".into()));
        assert_eq!(clean.get("contact_source"), Some(&"Website".into()));
    }

    // Of parts so many that no one would wait for work that grows with their square.

    fn each(count: usize, part: fn(usize) -> String) -> String {
        let parts: Vec<_> = (0..count).map(part).collect();
        parts.join(",")
    }

    /// A lead with these members beside its fields.
    fn lead_with(members: &str) -> Lead {
        let body = format!(r#"{{"fields":{{"phone":"919999999999"}},{members}}}"#);
        serde_json::from_str(&body).expect("a lead")
    }

    #[test]
    fn very_many_tags_are_checked_and_compared() {
        let mut tags: Vec<_> = (0..50_000).map(|tag| format!("tag {tag}")).collect();
        let lead = Lead::new()
            .set("phone", "919999999999")
            .set("interests", tags.clone());
        let checked = Workspace::sample().check(&lead);
        assert_eq!(checked.findings().len(), 1);
        assert_eq!(checked.into_clean().as_ref(), Ok(&lead));

        tags.reverse();
        let row = serde_json::json!({ "fields": { "phone": "919999999999", "interests": tags } });
        let row = serde_json::from_value(row).expect("a row");
        let compared = Workspace::sample().compare(&lead, &row, None);
        assert_eq!(compared.losses, []);
    }

    #[test]
    fn very_many_losses_are_told() {
        let lead = lead_with(&each(30_000, |key| format!(r#""k{key}":1"#)));
        let checked = Workspace::sample().check(&lead);
        assert_eq!(checked.findings().len(), 30_000);
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean.extra().len(), 0);

        let row = r#"{ "fields": { "phone": "919999999999" } }"#;
        let row = serde_json::from_str(row).expect("a row");
        let compared = Workspace::sample().compare(&lead, &row, None);
        let explained = |loss: &&Finding| loss.certainty == Certainty::Inferred;
        assert_eq!(compared.losses.iter().filter(explained).count(), 30_000);
    }

    #[test]
    fn an_action_of_very_many_parts_is_checked() {
        let fields = each(5_000, |field| format!(r#""f{field}":1"#));
        let keys = each(5_000, |key| format!(r#""k{key}":1"#));
        let action = format!(r#"{{"type":"ACTION_1001","fields":{{{fields}}},{keys}}}"#);
        let lead = lead_with(&format!(r#""actions":[{action}]"#));
        let checked = Workspace::sample().check(&lead);
        assert_eq!(checked.findings().len(), 10_000);
        let clean = checked.into_clean().expect("sendable");
        assert_eq!(clean.actions()[0].fields(), Some(BTreeMap::new()));
        assert_eq!(clean.actions()[0].keys().len(), 2);
    }

    #[test]
    fn very_many_blanks_are_left_out() {
        let fields = each(5_000, |field| format!(r#""f{field}":"""#));
        let lead = lead_with(&format!(r#""actions":[{{"fields":{{{fields}}}}}]"#));
        let sent = lead.without_stray_blanks();
        assert_eq!(sent.actions()[0].fields(), Some(BTreeMap::new()));
    }

    #[test]
    fn very_many_keys_that_stand_twice_are_told() {
        let keys = each(400_000, |key| format!(r#""k{}":1"#, key * 7_919 % 200_000));
        let (_, repeated) = crate::read_json(format!("{{{keys}}}").as_bytes()).expect("JSON");
        assert_eq!(repeated.len(), 200_000);
    }
}
