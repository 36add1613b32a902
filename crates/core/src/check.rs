//! Checks a lead before it is sent: predicts what telecrm would do, and repairs the lead.

use crate::rules::{Acceptance, Note};
use crate::{FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace, write_hint};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A lead that was checked, with the findings of the check.
///
/// A check repairs the lead where only one value can be meant. Decide about what it cannot repair:
/// [`complete`](Self::complete) makes losses an error, and
/// [`accept_partial`](Self::accept_partial) goes on without the lost parts.
///
/// ```
/// use telecrm_core::{CheckError, Lead, Workspace};
///
/// let lead = Lead::new().set("phone", "919999999999").set("rating", "3").set("nickname", "Jo");
/// let checked = Workspace::sample().check(&lead);
/// assert_eq!(checked.findings().len(), 2);
/// // The rating is repaired. The field that does not exist is lost.
/// assert_eq!(checked.report().iter().filter(|finding| finding.repaired).count(), 1);
/// assert!(checked.has_losses());
///
/// let error: CheckError = checked.complete().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "telecrm would store only part of the lead: \
///      fields.nickname not stored: the workspace has no field `nickname` (AS6)",
/// );
/// let lead = error.into_checked().accept_partial()?;
/// assert_eq!(lead, Lead::new().set("phone", "919999999999").set("rating", 3));
/// # Ok::<(), telecrm_core::CheckError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the check may have found losses: decide with `complete` or `accept_partial`"]
pub struct Checked {
    /// The repaired lead without its lost parts. None if telecrm would drop the lead.
    lead: Option<Lead>,
    findings: Vec<Finding>,
    report: Vec<Finding>,
}

impl Checked {
    /// What telecrm would do to the lead as written, without the repairs. A dropped lead is one
    /// finding.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What telecrm would do to the repaired lead, and what was repaired. Show this list to people.
    /// It has the [`findings`](Self::findings), and others that a repair revealed.
    pub fn report(&self) -> &[Finding] {
        &self.report
    }

    /// Whether something is lost even if the repaired lead is sent.
    pub fn has_losses(&self) -> bool {
        self.losses().next().is_some()
    }

    fn losses(&self) -> impl Iterator<Item = &Finding> + Clone {
        self.report.iter().filter(|f| f.is_loss() && !f.repaired)
    }

    /// The repaired lead, if telecrm stores all of it.
    ///
    /// # Errors
    /// Returns an error that lists the losses if a part cannot be repaired.
    pub fn complete(self) -> Result<Lead, CheckError> {
        if self.has_losses() {
            return Err(CheckError(Box::new(self)));
        }
        self.accept_partial()
    }

    /// The repaired lead without the parts that telecrm would drop.
    ///
    /// # Errors
    /// Returns an error if telecrm would drop the whole lead, because its identifier is missing or
    /// invalid.
    pub fn accept_partial(mut self) -> Result<Lead, CheckError> {
        match self.lead.take() {
            Some(lead) => Ok(lead),
            None => Err(CheckError(Box::new(self))),
        }
    }
}

/// The error for a lead of which telecrm would drop all or a part.
///
/// ```
/// use telecrm_core::{Lead, Workspace};
///
/// let checked = Workspace::sample().check(&Lead::new().set("name", "Jane Doe"));
/// let error = checked.accept_partial().unwrap_err();
/// assert!(error.is_lead_dropped());
/// assert_eq!(error.losses().count(), 1);
/// assert!(error.checked().has_losses());
/// assert_eq!(
///     error.to_string(),
///     "telecrm would not store the lead: \
///      fields.phone not stored, lead dropped: the lead has no identifier `phone` (AS2)",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CheckError(Box<Checked>);

impl CheckError {
    /// The losses that the check could not repair.
    pub fn losses(&self) -> impl Iterator<Item = &Finding> {
        self.0.losses()
    }

    /// Whether telecrm would drop the whole lead.
    pub fn is_lead_dropped(&self) -> bool {
        self.0.lead.is_none()
    }

    /// The checked lead.
    pub fn checked(&self) -> &Checked {
        &self.0
    }

    /// What to do about the losses. Returns None if no loss has a hint.
    pub fn hint(&self) -> Option<String> {
        let hints: BTreeSet<_> = self.losses().filter_map(Finding::hint).collect();
        let hints: Vec<_> = hints.into_iter().collect();
        (!hints.is_empty()).then(|| hints.join("; "))
    }

    /// Gives the checked lead back, for another decision.
    pub fn into_checked(self) -> Checked {
        *self.0
    }
}

/// `{}` lists the [losses](Finding). `{:#}` adds the hint on a line of its own. Both can repeat a
/// value, unlike [`Debug`](fmt::Debug).
impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_lead_dropped() {
            "telecrm would not store the lead: "
        } else {
            "telecrm would store only part of the lead: "
        })?;
        let losses: Vec<_> = self.losses().map(Finding::to_string).collect();
        f.write_str(&losses.join("; "))?;
        write_hint(f, self.hint().as_deref())
    }
}

impl std::error::Error for CheckError {}

/// What telecrm would do to the lead as written.
struct Prediction {
    /// The keys of all findings.
    keys: BTreeSet<(FieldPath, FindingKind)>,
    /// The findings about blank texts, which the check leaves out.
    blanks: Vec<Finding>,
}

impl Workspace {
    /// Predicts what telecrm would drop, change or create, and repairs what is unambiguous.
    ///
    /// ```
    /// use telecrm_core::{Lead, Workspace};
    ///
    /// let lead = Lead::new()
    ///     .set("phone", "+91 99999 99999")     // repaired: 919999999999
    ///     .set("rating", "3")                  // repaired: 3
    ///     .set("interests", "VIP, Night owl"); // ambiguous: one tag or two
    /// let checked = Workspace::sample().check(&lead);
    /// assert!(checked.has_losses());
    ///
    /// let lead = checked.accept_partial()?;
    /// assert_eq!(lead.get("phone"), Some(&"919999999999".into()));
    /// assert_eq!(lead.get("rating"), Some(&3.into()));
    /// assert_eq!(lead.get("interests"), None);
    /// # Ok::<(), telecrm_core::CheckError>(())
    /// ```
    pub fn check(&self, lead: &Lead) -> Checked {
        let prediction = self.predict(lead);
        let mut repaired = lead.clone();
        let blanks: Vec<_> = prediction.blanks.iter().map(|f| f.path.clone()).collect();
        repaired.remove_stray_blanks(&blanks);
        let report = self.repair(&mut repaired, prediction.blanks);
        self.report(&prediction.keys, repaired, report)
    }

    fn predict(&self, lead: &Lead) -> Prediction {
        let accepted = self.accept(lead);
        let blanks = self.stray_blanks(lead, &accepted);
        let phones = self.implausible_phones(lead, &accepted);
        let all = accepted.findings.iter().chain(&phones).chain(&blanks);
        Prediction { keys: all.map(Finding::key).collect(), blanks }
    }

    /// Puts together the result of a check from the predicted keys, the repaired lead and its
    /// findings.
    fn report(
        &self,
        predicted: &BTreeSet<(FieldPath, FindingKind)>,
        mut lead: Lead,
        mut report: Vec<Finding>,
    ) -> Checked {
        let phones = self.implausible_phones(&lead, &self.accept(&lead));
        // They replace the finding that telecrm stores the number in another form.
        let replaced: BTreeSet<_> = phones.iter().map(Finding::key).collect();
        report.retain(|finding| !replaced.contains(&finding.key()));
        report.extend(phones);
        let is_predicted = |finding: &&Finding| predicted.contains(&finding.key());
        let findings = report.iter().filter(is_predicted).cloned().collect();
        let mut checked = Checked { lead: None, findings, report };
        if !checked.losses().any(|finding| finding.kind == FindingKind::LeadDropped) {
            remove_paths(&mut lead, checked.losses().map(|finding| &finding.path));
            checked.lead = Some(lead);
        }
        checked
    }

    /// The findings about blank texts. Leaves out those of the identifier and of unknown fields,
    /// which have findings of their own.
    fn stray_blanks(&self, lead: &Lead, accepted: &Acceptance) -> Vec<Finding> {
        if accepted.identifier.is_none() {
            return Vec::new();
        }
        let is_known = |path: &FieldPath| match path {
            FieldPath::ActionField(index, name) => {
                let definition = self.definition_of(&lead.actions()[*index]);
                definition.is_some_and(|definition| definition.may_have(name))
            }
            FieldPath::Field(name) => self.field(name).is_some(),
            _ => false,
        };
        let paths = lead.stray_blanks().into_iter().filter(is_known);
        paths
            .map(|path| {
                let is_text = lead.at(&path).is_some_and(|value| value.as_str().is_some());
                let mut known = accepted.findings.iter();
                let known = known.find(|finding| is_text && finding.path == path);
                Finding {
                    suggestion: Some("left out because it is blank".to_owned()),
                    repaired: true,
                    ..known.cloned().unwrap_or_else(|| stray_blank(path))
                }
            })
            .collect()
    }

    /// Checks the fields for an update of a lead, and repairs what is unambiguous.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use telecrm_core::{FieldPath, Workspace};
    ///
    /// let workspace = Workspace::sample();
    /// let fields = BTreeMap::from([("rating".to_owned(), "4".into())]);
    /// assert_eq!(workspace.check_update(fields)?["rating"], 4);
    /// let fields = BTreeMap::from([("Rating".to_owned(), 4.into())]);
    /// assert_eq!(workspace.check_update(fields)?["rating"], 4);
    ///
    /// // The identifier cannot be changed (LE1).
    /// let fields = BTreeMap::from([("phone".to_owned(), "919999999999".into())]);
    /// assert_eq!(workspace.check_update(fields).unwrap_err().path,
    ///     FieldPath::Field("phone".into()));
    /// # Ok::<(), telecrm_core::Finding>(())
    /// ```
    ///
    /// # Errors
    /// Returns the first finding that telecrm would refuse or drop: the identifier (pitfall LE1),
    /// an unknown field or label (LE8), or an invalid value (LE9). Also refuses null and blank
    /// texts other than [`FieldValue::blank()`], because they do not clear a field.
    pub fn check_update(
        &self,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<BTreeMap<String, FieldValue>, Finding> {
        let fields = self.renamed(fields);
        let identifier = self.identifier().api_name();
        if fields.contains_key(identifier) {
            let note = Note::documented("LE1", "the identifier of a lead cannot be changed");
            let path = FieldPath::Field(identifier.to_owned());
            return Err(note.hint("leave it out").finding(path, FindingKind::FieldDropped));
        }
        let fields = fields.into_iter();
        fields
            .map(|(name, written)| Ok((name.clone(), self.check_updated_field(&name, written)?)))
            .collect()
    }

    fn check_updated_field(&self, name: &str, written: FieldValue) -> Result<FieldValue, Finding> {
        let path = FieldPath::Field(name.to_owned());
        let field = self.field(name);
        let value = match written.clone().without_stray_blanks() {
            Some(value) => value,
            None if field.is_some() => return Err(stray_blank(path)),
            None => written,
        };
        let Some(finding) = self.accept_field(name, &value).finding(path) else {
            return Ok(value);
        };
        // The caller wants to clear the field, and telecrm would leave it unchanged.
        if value.is_null() {
            return Err(Finding { kind: FindingKind::FieldDropped, ..finding });
        }
        match field.and_then(|field| self.repair_value(field, &value)) {
            Some(repaired) => Ok(repaired),
            None if finding.is_loss() => Err(finding),
            None => Ok(value),
        }
    }
}

/// The finding about a blank text that telecrm would store.
fn stray_blank(path: FieldPath) -> Finding {
    let reason = match &path {
        FieldPath::Field(_) => "telecrm replaces the stored value with the blank text",
        _ => "telecrm stores the blank text",
    };
    Note::inferred("", reason).hint("leave it out").finding(path, FindingKind::ValueChanged)
}

/// Removes what is at these paths from a lead.
fn remove_paths<'a>(lead: &mut Lead, paths: impl Iterator<Item = &'a FieldPath> + Clone) {
    lead.change_fields(paths.clone(), |fields, name| _ = fields.remove(name));
    let mut actions = BTreeSet::new();
    for path in paths {
        match path {
            FieldPath::Key(key) => _ = lead.extra_mut().remove(key.as_str()),
            FieldPath::ActionKey(index, key) => {
                if let Some(action) = lead.actions_mut().get_mut(*index) {
                    action.keys_mut().remove(key.as_str());
                }
            }
            FieldPath::Action(index) => _ = actions.insert(*index),
            FieldPath::Field(_) | FieldPath::ActionField(..) => {}
        }
    }
    // From the last one, because the paths count the actions.
    for index in actions.into_iter().rev() {
        lead.actions_mut().remove(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Certainty;
    use crate::{CustomAction, WorkspaceFile};
    use serde_json::{Value, json};

    const PHONE: &str = "919999999999";

    fn lead() -> Lead {
        Lead::new().set("phone", PHONE)
    }

    fn from_json(body: Value) -> Lead {
        Lead::from_json(body).expect("a lead")
    }

    fn check(lead: &Lead) -> Checked {
        Workspace::sample().check(lead)
    }

    /// The lead that is sent after a check.
    fn repaired(workspace: &Workspace, lead: &Lead) -> Lead {
        workspace.check(lead).accept_partial().expect("sendable")
    }

    /// The finding at a path: its kind, and whether it was repaired.
    fn finding_at(checked: &Checked, path: &str) -> Option<(FindingKind, bool)> {
        let mut findings = checked.findings().iter();
        let finding = findings.find(|finding| finding.path.to_string() == path)?;
        Some((finding.kind, finding.repaired))
    }

    fn update(name: &str, value: impl Into<FieldValue>) -> Result<FieldValue, Finding> {
        let fields = [(name.to_owned(), value.into())].into();
        let mut checked = Workspace::sample().check_update(fields)?;
        Ok(checked.remove(name).expect("the field stays"))
    }

    /// The sample workspace without a default country.
    fn without_a_country() -> Workspace {
        let mut file = WorkspaceFile::sample();
        file.emulator.remove("defaultCountry");
        Workspace::from_file(&file).expect("a workspace")
    }

    #[test]
    fn as6_the_fields_of_an_update_are_renamed() {
        let fields = [("Rating".to_owned(), 4.into()), ("E_MAIL".to_owned(), "x".into())].into();
        let finding = Workspace::sample().check_update(fields).expect_err("no such address");
        assert_eq!(finding.path.to_string(), "fields.email");
    }

    #[test]
    fn as6_a_field_of_an_update_that_is_there_under_both_names_is_refused() {
        let fields = [("Rating".to_owned(), 4.into()), ("rating".to_owned(), 5.into())].into();
        let finding = Workspace::sample().check_update(fields).expect_err("both names");
        assert_eq!(finding.path.to_string(), "fields.Rating");
    }

    #[test]
    fn le1_the_identifier_in_another_case_is_not_updated() {
        let finding = update("Phone", "919999999999").expect_err("the identifier");
        assert_eq!(finding.pitfall, Some("LE1".into()));
    }

    #[test]
    fn complete_returns_a_lead_that_was_only_repaired() {
        let checked = check(&lead().set("rating", "3"));
        assert_eq!(checked.complete(), Ok(lead().set("rating", 3)));
    }

    #[test]
    fn complete_fails_on_a_loss() {
        let error = check(&lead().set("rating", 9)).complete();
        let error = error.expect_err("the rating is lost");
        let paths: Vec<_> = error.losses().map(|loss| loss.path.to_string()).collect();
        assert_eq!(paths, ["fields.rating"]);
        assert!(!error.is_lead_dropped());
        assert_eq!(error.into_checked().accept_partial(), Ok(lead()));
    }

    #[test]
    fn accept_partial_fails_on_a_dropped_lead() {
        let checked = check(&Lead::new().set("phone", "99999"));
        let error = checked.clone().accept_partial().expect_err("dropped");
        assert!(error.is_lead_dropped());
        assert_eq!(error.checked(), &checked);
        assert!(checked.complete().is_err());
    }

    #[test]
    fn blanks_around_an_address_are_removed() {
        let checked = check(&lead().set("email", " jane.doe@example.com "));
        let found = finding_at(&checked, "fields.email");
        assert_eq!(found, Some((FindingKind::ValueChanged, true)));
        let expected = lead().set("email", "jane.doe@example.com");
        assert_eq!(checked.complete(), Ok(expected));
    }

    #[test]
    fn blanks_around_an_updated_address_are_removed() {
        let updated = update("email", " jane.doe@example.com ");
        assert_eq!(updated, Ok("jane.doe@example.com".into()));
    }

    fn invisible_character_around_values_is_removed(invisible: char) {
        let around = |text: &str| format!("{invisible}{text}{invisible}");
        let written = Lead::new()
            .set("phone", around(&format!("+91 99999{invisible}99999")))
            .set("email", around("jane.doe@example.com"))
            .set("status", around("Fresh"))
            .set("contact_source", around("Website"));
        let checked = check(&written);
        let repaired = checked.report().iter().filter(|f| f.repaired).count();
        assert_eq!((repaired, checked.report().len()), (4, 4));
        let expected = lead()
            .set("email", "jane.doe@example.com")
            .set("status", "Fresh")
            .set("contact_source", "Website");
        assert_eq!(checked.complete(), Ok(expected));
        let updated = update("email", around("jane.doe@example.com"));
        assert_eq!(updated, Ok("jane.doe@example.com".into()));
    }

    cases! { invisible_character_around_values_is_removed:
        zero_width_space('\u{200b}'),
        zero_width_non_joiner('\u{200c}'),
        zero_width_joiner('\u{200d}'),
        word_joiner('\u{2060}'),
        byte_order_mark('\u{feff}'),
        direction_mark('\u{202a}'),
        no_break_space('\u{a0}'),
    }

    fn invisible_character_inside_an_address_is_reported(invisible: char) {
        let address = format!("{invisible}jane{invisible}.doe@example.com ");
        let written = lead().set("email", address);
        let checked = check(&written);
        assert_eq!(checked.findings(), checked.report());
        let [finding] = checked.findings() else {
            panic!("{:?}", checked.findings());
        };
        assert_eq!(finding.path.to_string(), "fields.email");
        assert!(!finding.is_loss() && !finding.repaired, "{finding}");
        let code = format!("U+{:04X} ", u32::from(invisible));
        assert!(finding.reason.contains(&code), "{finding}");
        let hint = finding.suggestion.as_deref();
        assert_eq!(hint, Some("write `jane.doe@example.com`"));
        assert_eq!(checked.complete(), Ok(written));
    }

    cases! { invisible_character_inside_an_address_is_reported:
        zero_width_space('\u{200b}'),
        zero_width_non_joiner('\u{200c}'),
        zero_width_joiner('\u{200d}'),
        word_joiner('\u{2060}'),
        byte_order_mark('\u{feff}'),
    }

    fn phone_is_sent_as(workspace: Workspace, written: &str, expected: &str) {
        let sent = repaired(&workspace, &Lead::new().set("phone", written));
        assert_eq!(sent.get("phone"), Some(&expected.into()));
    }

    /// Without libphonenumber, no number is known to exist, so no country code is added.
    const KNOWN: &str = if cfg!(feature = "phone") { PHONE } else { "9999999999" };
    const KNOWN_IN_THE_EMIRATES: &str =
        if cfg!(feature = "phone") { "971501234567" } else { "501234567" };

    fn in_the_emirates() -> Workspace {
        Workspace::sample().with_default_country("AE".parse().expect("a known country"))
    }

    cases! { phone_is_sent_as:
        national(Workspace::sample(), "9999999999", KNOWN),
        trunk_prefix(Workspace::sample(), "099999 99999", KNOWN),
        brackets(Workspace::sample(), "(99999) 99999", KNOWN),
        national_of_an_unknown_country(without_a_country(), "9999999999", "9999999999"),
        trunk_prefix_of_an_unknown_country(without_a_country(), "099999 99999", "9999999999"),
        brackets_of_an_unknown_country(without_a_country(), "(99999) 99999", "9999999999"),
        plus(Workspace::sample(), "+919999999999", PHONE),
        blanks_and_dashes(Workspace::sample(), "+91 99999-99999", PHONE),
        two_zeros(Workspace::sample(), "0091 9999999999", PHONE),
        plus_without_a_country(without_a_country(), "+919999999999", PHONE),
        blanks_and_dashes_without_a_country(without_a_country(), "+91 99999-99999", PHONE),
        two_zeros_without_a_country(without_a_country(), "0091 9999999999", PHONE),
        national_of_the_emirates(in_the_emirates(), "050 123 4567", KNOWN_IN_THE_EMIRATES),
    }

    /// Without its `+`, a number with a country code can look like another person's national
    /// number.
    fn foreign_number_keeps_its_country_code(country: &str) {
        let workspace = Workspace::sample().with_default_country(country.parse().expect("known"));
        for code in
            ["1", "44", "45", "49", "60", "61", "64", "65", "91", "221", "354", "371", "971", "974"]
        {
            for total in 8..=11 {
                let digits = format!("{code}912345678901")[..total].to_owned();
                let (first, rest) = digits.split_at(5);
                for written in
                    [format!("+{digits}"), format!("00{digits}"), format!("00 {first}-{rest}")]
                {
                    let once = repaired(&workspace, &Lead::new().set("phone", written.clone()));
                    let sent = once.get("phone").expect("a number");
                    let stored = workspace.identifier_key(sent);
                    assert_eq!(stored.as_ref(), Some(&digits), "{written} {sent}");
                    assert_eq!(repaired(&workspace, &once), once, "{written}");
                    let fields = [("alternate_phone".to_owned(), written.as_str().into())].into();
                    let updated = workspace.check_update(fields).expect("sendable");
                    assert_eq!(&updated["alternate_phone"], sent, "{written}");
                }
                let bare = workspace.check(&Lead::new().set("phone", digits));
                if let Ok(bare) = bare.accept_partial() {
                    assert_eq!(repaired(&workspace, &bare), bare);
                }
            }
        }
    }

    cases! { foreign_number_keeps_its_country_code:
        in_india("IN"),
        in_the_emirates("AE"),
        in_malaysia("MY"),
    }

    fn with_blanks() -> Lead {
        from_json(json!({ "fields": {
            "phone": PHONE, "name": " ", "email": "", "contact_source": "", "bogus": "",
        } }))
    }

    fn blank(path: &str, kind: FindingKind, repaired: bool) {
        let found = finding_at(&check(&with_blanks()), path);
        assert_eq!(found, Some((kind, repaired)));
    }

    cases! { blank:
        text_is_left_out("fields.name", FindingKind::ValueChanged, true),
        address_is_left_out("fields.email", FindingKind::FieldDropped, true),
        option_is_left_out("fields.contact_source", FindingKind::FieldDropped, true),
        unknown_field_is_a_loss("fields.bogus", FindingKind::FieldDropped, false),
    }

    #[test]
    fn blanks_are_not_sent() {
        assert_eq!(check(&with_blanks()).accept_partial(), Ok(lead()));
    }

    fn with_nested_blanks() -> Lead {
        from_json(json!({
            "fields": { "phone": PHONE, "interests": ["VIP", " "], "tags_2": [""] },
            "actions": [
                { "type": "1001", "fields": { "note": " ", "outcome": "", "bogus": "" } },
                { "type": "ACTION_1001", "fields": { "note": "called" } },
            ],
        }))
    }

    fn nested_blank(path: &str, kind: FindingKind, repaired: bool) {
        let found = finding_at(&check(&with_nested_blanks()), path);
        assert_eq!(found, Some((kind, repaired)));
    }

    cases! { nested_blank:
        tag_is_left_out("fields.interests", FindingKind::ValueChanged, true),
        action_text_is_left_out("actions[0].fields.note", FindingKind::ValueChanged, true),
        action_option_is_left_out("actions[0].fields.outcome", FindingKind::ValueChanged, true),
        unknown_field_is_a_loss("fields.tags_2", FindingKind::FieldDropped, false),
    }

    #[test]
    fn an_unknown_action_field_is_revealed_by_repairing_the_type() {
        let checked = check(&with_nested_blanks());
        let mut report = checked.report().iter();
        let hidden = report.find(|f| f.path.to_string() == "actions[0].fields.bogus");
        assert!(hidden.is_some_and(|f| f.is_loss() && !f.repaired));
    }

    #[test]
    fn nested_blanks_are_not_sent() {
        let sent = check(&with_nested_blanks()).accept_partial();
        assert_eq!(
            sent.expect("sendable").to_json(),
            json!({
                "fields": { "phone": PHONE, "interests": ["VIP"] },
                "actions": [
                    { "type": "ACTION_1001", "fields": {} },
                    { "type": "ACTION_1001", "fields": { "note": "called" } },
                ],
            })
        );
    }

    #[test]
    fn a_list_of_blanks_is_left_out() {
        let written = from_json(json!({ "fields": { "phone": PHONE, "interests": [""] } }));
        let checked = check(&written);
        let found = finding_at(&checked, "fields.interests");
        assert_eq!(found, Some((FindingKind::ValueChanged, true)));
        assert_eq!(checked.complete(), Ok(lead()));
    }

    #[test]
    fn an_empty_list_is_sent() {
        let written = from_json(json!({ "fields": { "phone": PHONE, "interests": [] } }));
        assert_eq!(check(&written).complete(), Ok(written));
    }

    #[test]
    fn an_intended_blank_is_sent() {
        let checked = check(&lead().set("name", FieldValue::blank()));
        assert_eq!(finding_at(&checked, "fields.name"), None);
        let sent = checked.complete().expect("nothing is lost");
        assert_eq!(sent.to_json()["fields"]["name"], "");
    }

    #[test]
    fn a_builder_leaves_out_blanks_as_a_check_does() {
        let visit = || CustomAction::new(1001).expect("a code");
        let built = Lead::new()
            .set("interests", ["VIP", ""])
            .set("labels", [" "])
            .action(visit().field("tags", ["", "a"]).field("note", ""));
        let expected = Lead::new().set("interests", ["VIP"]).action(visit().field("tags", ["a"]));
        assert_eq!(built, expected);
    }

    #[test]
    fn an_update_refuses_a_blank() {
        let finding = update("name", " ").expect_err("refused");
        assert_eq!(finding.path.to_string(), "fields.name");
    }

    #[test]
    fn an_update_sends_an_intended_blank() {
        assert_eq!(update("name", FieldValue::blank()), Ok("".into()));
    }

    #[test]
    fn an_update_refuses_a_list_of_blanks() {
        assert!(update("interests", ["", " "]).is_err());
    }

    #[test]
    fn an_update_leaves_a_blank_out_of_a_list() {
        assert_eq!(update("interests", ["VIP", " "]), Ok(["VIP"].into()));
    }

    fn money(written: &str, expected: Option<&str>) {
        let checked = check(&lead().set("budget", written));
        assert!(checked.findings()[0].reason.starts_with("money is"));
        let sent = checked.accept_partial().expect("sendable");
        assert_eq!(sent.get("budget"), expected.map(FieldValue::from).as_ref());
    }

    cases! { money:
        blanks_around_it(" 5000 ", Some("5000")),
        tab_after_it("5000\t", Some("5000")),
        no_break_space_before_it("\u{a0}5000", Some("5000")),
        blank_inside_it("5 000", None),
        comma("5,000", None),
        currency_sign("₹5000", None),
        currency_code("5000 INR", None),
        exponent("5e3", None),
        plus("+5000", None),
    }

    #[test]
    fn labels_are_sent_in_the_spelling_of_the_workspace() {
        let written = lead().set("status", " fresh").set("contact_source", "WEBSITE");
        let sent = check(&written).complete().expect("nothing is lost");
        assert_eq!(sent.get("status"), Some(&"Fresh".into()));
        assert_eq!(sent.get("contact_source"), Some(&"Website".into()));
    }

    fn renamed(written: Value, expected: Value) {
        let sent = check(&from_json(json!({ "fields": written }))).accept_partial();
        assert_eq!(sent.expect("sendable").to_json()["fields"], expected);
    }

    cases! { renamed:
        identifier(json!({ "Phone": PHONE }), json!({ "phone": PHONE })),
        blanks_and_case(
            json!({ "phone": PHONE, "Follow Up Date": 5_000_000_000_i64 }),
            json!({ "phone": PHONE, "follow_up_date": 5_000_000_000_i64 }),
        ),
        with_a_repair(json!({ "phone": PHONE, "RATING": "4" }), json!({ "phone": PHONE, "rating": 4 })),
        invisible(json!({ "phone": PHONE, "na\u{200b}me": "A" }), json!({ "phone": PHONE, "name": "A" })),
        not_over_the_api_name(
            json!({ "phone": PHONE, "name": "A", "Name": "B" }),
            json!({ "phone": PHONE, "name": "A" }),
        ),
        not_two_names_for_one_field(
            json!({ "phone": PHONE, "NAME": "A", "Name": "B" }),
            json!({ "phone": PHONE }),
        ),
    }

    #[test]
    fn a_renamed_field_is_a_repaired_loss() {
        let checked = check(&lead().set("Rating", 4));
        assert_eq!(finding_at(&checked, "fields.Rating"), Some((FindingKind::FieldDropped, true)));
        assert_eq!(checked.report()[0].to_string(), "fields.Rating renamed to `rating` (AS6)");
        assert_eq!(checked.report()[0].certainty, Certainty::Inferred);
        let identifier = check(&Lead::new().set("Phone", PHONE));
        let text = identifier.report()[0].to_string();
        assert_eq!(text, "fields.phone renamed from `Phone` (AS2)");
        assert!(identifier.complete().is_ok());
    }

    #[test]
    fn the_field_of_an_action_is_renamed() {
        let visit = CustomAction::new(1001).expect("a code").field("Note", "called");
        let sent = check(&lead().action(visit)).complete().expect("nothing is lost");
        assert_eq!(sent.actions()[0].field("note"), Some("called".into()));
    }

    #[test]
    fn a_field_with_this_label_is_renamed_if_it_is_the_only_one() {
        let workspace = |labels: [&str; 2]| {
            let field = |name: &str, label: &str| json!({ "apiName": name, "type": "TEXT", "displayName": label });
            let file = json!({ "customFields": [
                { "apiName": "phone", "type": "PHONE" }, field("cf_1", labels[0]), field("cf_2", labels[1]),
            ] });
            Workspace::from_file(&WorkspaceFile::from_json(file).expect("a file")).expect("read")
        };
        let written = lead().set("Home Town", "Pune");
        let sent = repaired(&workspace(["Home town", "Office"]), &written);
        assert_eq!(sent, lead().set("cf_1", "Pune"));
        assert_eq!(repaired(&workspace(["Home town", "Home  Town"]), &written), lead());
    }

    fn email(written: &str, expected: &str) {
        let sent = repaired(&Workspace::sample(), &lead().set("email", written));
        assert_eq!(sent.get("email"), Some(&expected.into()));
    }

    cases! { email:
        comma("a@example.com,", "a@example.com"),
        several("\"<a@example.com>;\", ", "a@example.com"),
        point("a@example.com.", "a@example.com"),
        brackets("<a@example.com>", "a@example.com"),
        name_before_brackets("Asha Rao <a@example.com>", "a@example.com"),
        scheme("MAILTO:a@example.com", "a@example.com"),
        curly_quotes("“a@example.com”", "a@example.com"),
        null_inside("a\0@example.com", "a@example.com"),
        apostrophe_inside("o'brien@example.com", "o'brien@example.com"),
        ambiguous_path("a@example.com/b", "a@example.com/b"),
        a_comma_inside("a,b@example.com", "a,b@example.com"),
    }

    #[test]
    fn two_addresses_are_a_loss() {
        for two in
            ["a@example.com, b@example.com", "a@example.com;b@example.com", "<a@x.in> b@x.in"]
        {
            assert!(check(&lead().set("email", two)).has_losses(), "{two}");
        }
    }

    fn tags(written: impl Into<FieldValue>, expected: Option<&[&str]>) {
        let sent = repaired(&Workspace::sample(), &lead().set("interests", written));
        assert_eq!(sent.get("interests").and_then(FieldValue::as_strings).as_deref(), expected);
    }

    cases! { tags:
        known_parts("VIP, returning", Some(&["VIP", "Returning"])),
        an_unknown_part("VIP, Night owl", None),
        one_unknown("Night owl", None),
        one_in_another_case("vip", Some(&["VIP"])),
        a_list_with_a_look_alike(["VIP\u{a0}", "Returning"], Some(&["VIP", "Returning"])),
        only_separators(", ;", None),
    }

    // The following leads are so large that a check whose time grows with their square would not
    // end.

    fn each(count: usize, part: fn(usize) -> String) -> String {
        let parts: Vec<_> = (0..count).map(part).collect();
        parts.join(",")
    }

    /// A lead with these members next to `fields`.
    fn lead_with(members: &str) -> Lead {
        let body = format!(r#"{{"fields":{{"phone":"{PHONE}"}},{members}}}"#);
        serde_json::from_str(&body).expect("a lead")
    }

    fn many_tags() -> Vec<String> {
        (0..50_000).map(|tag| format!("tag {tag}")).collect()
    }

    #[test]
    fn very_many_tags_are_checked() {
        let written = lead().set("interests", many_tags());
        let checked = check(&written);
        assert_eq!(checked.findings().len(), 1);
        assert_eq!(checked.complete(), Ok(written));
    }

    #[test]
    fn very_many_tags_are_compared() {
        let mut tags = many_tags();
        let sent = lead().set("interests", tags.clone());
        tags.reverse();
        let row = json!({ "fields": { "phone": PHONE, "interests": tags } });
        let row = serde_json::from_value(row).expect("a row");
        let compared = Workspace::sample().compare(&sent, &row, None);
        assert_eq!(compared.losses, []);
    }

    fn with_many_keys() -> Lead {
        lead_with(&each(30_000, |key| format!(r#""k{key}":1"#)))
    }

    #[test]
    fn very_many_losses_are_found_and_removed() {
        let checked = check(&with_many_keys());
        assert_eq!(checked.findings().len(), 30_000);
        let sent = checked.accept_partial().expect("sendable");
        assert_eq!(sent.extra().len(), 0);
    }

    #[test]
    fn very_many_losses_are_explained() {
        let row = format!(r#"{{ "fields": {{ "phone": "{PHONE}" }} }}"#);
        let row = serde_json::from_str(&row).expect("a row");
        let compared = Workspace::sample().compare(&with_many_keys(), &row, None);
        let explained = |loss: &&Finding| loss.certainty == Certainty::Inferred;
        assert_eq!(compared.losses.iter().filter(explained).count(), 30_000);
    }

    #[test]
    fn an_action_of_very_many_parts_is_checked() {
        let fields = each(5_000, |field| format!(r#""f{field}":1"#));
        let keys = each(5_000, |key| format!(r#""k{key}":1"#));
        let action = format!(r#"{{"type":"ACTION_1001","fields":{{{fields}}},{keys}}}"#);
        let checked = check(&lead_with(&format!(r#""actions":[{action}]"#)));
        assert_eq!(checked.findings().len(), 10_000);
        let sent = checked.accept_partial().expect("sendable");
        assert_eq!(sent.actions()[0].fields(), Some(BTreeMap::new()));
        assert_eq!(sent.actions()[0].keys().len(), 2);
    }

    #[test]
    fn very_many_blanks_are_left_out() {
        let fields = each(5_000, |field| format!(r#""f{field}":"""#));
        let lead = lead_with(&format!(r#""actions":[{{"fields":{{{fields}}}}}]"#));
        let sent = lead.without_stray_blanks();
        assert_eq!(sent.actions()[0].fields(), Some(BTreeMap::new()));
    }

    #[test]
    fn very_many_repeated_keys_are_found() {
        let keys = each(400_000, |key| format!(r#""k{}":1"#, key * 7_919 % 200_000));
        let text = format!("{{{keys}}}");
        let (_, repeated) = crate::json::read_json(text.as_bytes()).expect("JSON");
        assert_eq!(repeated.len(), 200_000);
    }
}
