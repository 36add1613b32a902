//! Compares a lead as it was sent with the lead that telecrm stored.

use crate::action::PAYMENT;
use crate::rules::phone::tidy;
use crate::rules::{Note, parse_iso};
use crate::workspace::{DateFormat, FieldDefinition, FieldType, utc_millis};
use crate::{
    Action, ActionKind, ActionRecord, Certainty, FieldPath, FieldValue, Finding, FindingKind, Lead,
    LeadRecord, Workspace,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// The differences between a lead as it was sent and the lead that telecrm stored.
///
/// ```
/// use telecrm_core::compare::new_actions;
/// use telecrm_core::{ActionRecord, CustomAction, Lead, LeadRecord, FieldPath, Workspace};
///
/// let sent = Lead::new()
///     .set("phone", "+919999999999")
///     .set("rating", 4)
///     .action(CustomAction::new(1001)?.field("note", "called"));
/// let stored: LeadRecord =
///     serde_json::from_str(r#"{ "id": "l1", "fields": { "phone": "919999999999",
///         "rating": 3 } }"#)?;
/// let before: Vec<ActionRecord> = serde_json::from_str(r#"[{ "id": "a1", "type": "1002" }]"#)?;
/// let after: Vec<ActionRecord> = serde_json::from_str(
///     r#"[{ "id": "a2", "type": "1001", "fields": { "note": "called" } }, { "id": "a1",
///         "type": "1002" }]"#,
/// )?;
///
/// let timeline = new_actions(&before, &after);
/// let compared = Workspace::sample().compare(&sent, &stored, Some(&timeline));
/// assert_eq!(compared.losses.len(), 1);
/// assert_eq!(compared.losses[0].path, FieldPath::Field("rating".into()));
/// assert!(compared.unreadable.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// What telecrm did not store as sent.
    pub losses: Vec<Finding>,
    /// What the responses do not show, so that it cannot be compared.
    pub unreadable: Vec<FieldPath>,
}

impl Workspace {
    /// Compares a lead as it was sent with the stored lead, field by field and action by action.
    ///
    /// `timeline` holds the entries that were added since ([`new_actions`]), or None if the
    /// timeline could not be read. Two values are equal if they mean the same to telecrm, such as a
    /// phone number in two spellings, or a date in two time zones.
    pub fn compare(
        &self,
        sent: &Lead,
        stored: &LeadRecord,
        timeline: Option<&[ActionRecord]>,
    ) -> Comparison {
        let mut compared = Comparison::default();
        for (name, value) in sent.fields() {
            let field = self.field(name);
            let found = stored.get(name).or_else(|| match field?.field_type {
                // Live responses have these next to `fields`, under their own names.
                FieldType::LostReason => stored.get("lostReasonid"),
                FieldType::Status => stored.get("status"),
                FieldType::Rating => stored.get("rating"),
                _ => None,
            });
            if !self.is_stored(field, value, found) {
                compared.losses.push(lost(FieldPath::Field(name.clone())));
            }
        }
        match timeline {
            Some(timeline) => self.compare_actions(sent, timeline, &mut compared),
            None => compared.unreadable.extend((0..sent.actions().len()).map(FieldPath::Action)),
        }
        // No response of telecrm contains the other keys.
        let keys = sent.extra().iter().filter(|(_, value)| !value.is_null());
        let losses = keys.map(|(key, _)| lost(FieldPath::Key(key.clone())));
        compared.losses.extend(losses);
        self.explain(sent, &mut compared.losses);
        compared
    }

    /// Replaces losses that the rules predict by the predictions, which know the reason.
    fn explain(&self, sent: &Lead, losses: &mut [Finding]) {
        let predicted = self.accept(sent).findings.into_iter();
        let predicted: BTreeMap<_, _> = predicted.map(|finding| (finding.key(), finding)).collect();
        for loss in losses {
            if let Some(explained) = predicted.get(&loss.key()) {
                *loss = explained.clone();
            }
        }
    }

    fn compare_actions(&self, sent: &Lead, timeline: &[ActionRecord], compared: &mut Comparison) {
        let partners = self.pair(sent.actions(), timeline);
        for (index, action) in sent.actions().iter().enumerate() {
            let Some(partner) = partners[index] else {
                compared.losses.push(Finding {
                    kind: FindingKind::ActionDropped,
                    reason: "the timeline does not show the action that was sent".to_owned(),
                    ..lost(FieldPath::Action(index))
                });
                continue;
            };
            if let ActionKind::Custom(_) = action.kind() {
                self.compare_custom(index, action, &timeline[partner], compared);
            }
            compared.losses.extend(action.misplaced(index).into_iter().map(lost));
        }
    }

    fn compare_custom(
        &self,
        index: usize,
        action: &Action,
        record: &ActionRecord,
        compared: &mut Comparison,
    ) {
        let definition = self.definition_of(action);
        for (name, value) in action.fields().unwrap_or_default() {
            let field = definition.and_then(|definition| definition.field(&name));
            if !self.is_stored(field, &value, record.field(&name).as_ref()) {
                compared.losses.push(lost(FieldPath::ActionField(index, name)));
            }
        }
        let key = |key: &str| FieldPath::ActionKey(index, key.to_owned());
        if action.key("fields").is_some_and(|fields| !fields.is_null()) && action.fields().is_none()
        {
            compared.losses.push(lost(key("fields")));
        }
        if let Some(sent) = action.key("created_on").filter(|value| !value.is_null()) {
            match record.created() {
                Some(created) if self.same_time(sent, created) => {}
                Some(_) => compared.losses.push(lost(key("created_on"))),
                None => compared.unreadable.push(key("created_on")),
            }
        }
    }

    /// Finds the entry of the timeline for each action that was sent.
    fn pair(&self, sent: &[Action], timeline: &[ActionRecord]) -> Vec<Option<usize>> {
        // The most similar pairs first. Among equals, the order of the request decides.
        let mut candidates = BinaryHeap::new();
        for (index, action) in sent.iter().enumerate() {
            for (partner, record) in timeline.iter().enumerate() {
                if let Some(likeness) = self.likeness(action, record) {
                    candidates.push((likeness, Reverse(index), Reverse(partner)));
                }
            }
        }
        let mut partners = vec![None; sent.len()];
        let mut taken = vec![false; timeline.len()];
        while let Some((_, Reverse(index), Reverse(partner))) = candidates.pop() {
            if partners[index].is_none() && !taken[partner] {
                partners[index] = Some(partner);
                taken[partner] = true;
            }
        }
        partners
    }

    /// How similar an entry is to an action. Returns None if it cannot be the same.
    fn likeness(&self, action: &Action, record: &ActionRecord) -> Option<Likeness> {
        let kind = action.kind();
        let spelling = match &kind {
            _ if kind != record.kind() => return None,
            ActionKind::Custom(code) => code.prefixed(),
            ActionKind::Payment => PAYMENT.to_owned(),
            ActionKind::Other(_) | ActionKind::Missing => return None,
        };
        let well_spelled = action.key("type") == Some(&spelling.into());
        if kind == ActionKind::Payment {
            return Some((true, equal_keys(action, record)?, 0, well_spelled));
        }
        let sent = action.fields().unwrap_or_default();
        let stored = record.key("fields").cloned().unwrap_or_default();
        let definition = self.definition_of(action);
        let (mut alike, mut equal, mut foreign) = (0, 0, 0);
        for (name, value) in stored.into_members().unwrap_or_default() {
            let field = definition.and_then(|definition| definition.field(&name));
            let same = |sent| self.same_value(field, sent, &value);
            match sent.get(name.as_str()) {
                _ if value.is_null() => {}
                Some(sent) if same(sent) => {
                    alike += 1;
                    equal += usize::from(*sent == value);
                }
                _ => foreign += 1,
            }
        }
        // An entry with another value is unlikely to be the same, but telecrm may have changed it.
        let nothing_foreign = foreign == 0;
        if let (Some(value), Some(created)) = (action.key("created_on"), record.created()) {
            let same = self.same_time(value, created);
            alike += usize::from(same);
            equal += usize::from(same && value.as_json().is_number());
        }
        Some((nothing_foreign, alike, equal, well_spelled))
    }
}

/// How many keys of a payment are stored exactly as sent. Returns None if one has another meaning.
fn equal_keys(payment: &Action, record: &ActionRecord) -> Option<usize> {
    let mut equal = 0;
    for key in ["status", "currency", "amount"] {
        let (sent, stored) = (payment.key(key)?, record.key(key)?);
        let same_text = || plain(sent).eq_ignore_ascii_case(&plain(stored));
        if !same_decimal(sent, stored).unwrap_or_else(same_text) {
            return None;
        }
        equal += usize::from(sent == stored);
    }
    Some(equal)
}

/// The finding about a value that was sent and is not stored.
fn lost(path: FieldPath) -> Finding {
    let reason = "the stored lead does not have the value that was sent";
    Note::new(Certainty::Reported, "AS5", reason).finding(path, FindingKind::FieldDropped)
}

/// How similar an action and an entry are: whether the entry has no other value, how many values
/// mean the same, how many are identical, and whether the type is spelled correctly.
type Likeness = (bool, usize, usize, bool);

/// The entries of `after` that are not in `before`. Compares IDs, or whole entries without an ID.
pub fn new_actions(before: &[ActionRecord], after: &[ActionRecord]) -> Vec<ActionRecord> {
    let mut before: Vec<&ActionRecord> = before.iter().collect();
    let mut new = Vec::new();
    // Timelines start with the newest entry, so the known entries are at the end.
    for record in after.iter().rev() {
        let known = before.iter().position(|old| match (old.id(), record.id()) {
            (Some(old), Some(new)) => old == new,
            _ => *old == record,
        });
        match known {
            Some(known) => {
                before.swap_remove(known);
            }
            None => new.push(record.clone()),
        }
    }
    new
}

impl Workspace {
    fn is_stored(
        &self,
        field: Option<&FieldDefinition>,
        sent: &FieldValue,
        stored: Option<&FieldValue>,
    ) -> bool {
        match stored {
            _ if sent.is_null() => true,
            Some(stored) => self.same_value(field, sent, stored),
            // An empty list of tags is stored as no field.
            None => {
                field.is_some_and(|field| field.field_type == FieldType::Tags)
                    && sent.as_json().as_array().is_some_and(Vec::is_empty)
            }
        }
    }

    /// Whether a `created_on` that was sent means this time.
    fn same_time(&self, sent: &FieldValue, stored: Timestamp) -> bool {
        same_date(sent, &DateFormat::default(), self.time_zone(), stored.as_millisecond())
    }

    /// Whether two values mean the same to telecrm in a field of this type.
    fn same_value(
        &self,
        field: Option<&FieldDefinition>,
        sent: &FieldValue,
        stored: &FieldValue,
    ) -> bool {
        if sent == stored {
            return true;
        }
        let same_text = || plain(sent) == plain(stored);
        let Some(field) = field else {
            return same_text();
        };
        match field.field_type {
            FieldType::Date => match stored.as_i64() {
                Some(stored) => same_date(sent, &field.date_format(), self.time_zone(), stored),
                None => same_text(),
            },
            FieldType::Phone => same_phone(&plain(sent), &plain(stored)),
            FieldType::Tags => tags(sent).is_some() && tags(sent) == tags(stored),
            FieldType::Number | FieldType::Rating | FieldType::Money => {
                same_decimal(sent, stored).unwrap_or_else(same_text)
            }
            FieldType::Email | FieldType::ActiveUsers => {
                plain(sent).eq_ignore_ascii_case(&plain(stored))
            }
            // A label in another case is another label.
            _ => same_text(),
        }
    }
}

/// Whether two spellings are the same number. A national number equals the number that it ends.
fn same_phone(sent: &str, stored: &str) -> bool {
    let (Some(sent), Some(stored)) = (tidy(sent), tidy(stored)) else {
        return sent == stored;
    };
    let stored = stored.trim_start_matches('+');
    match sent.strip_prefix('+') {
        // A number with its country code is not the end of another one.
        Some(sent) => sent == stored,
        None => sent == stored || sent.len() >= 7 && stored.ends_with(&sent),
    }
}

fn tags(value: &FieldValue) -> Option<BTreeSet<&str>> {
    match value.as_str() {
        Some(tag) => Some([tag].into()),
        None => Some(value.as_strings()?.into_iter().collect()),
    }
}

/// Whether a value means this time: in milliseconds, as an ISO date, or in the workspace's format.
/// The latter may be in any time zone, because telecrm does not say which one it uses.
fn same_date(sent: &FieldValue, format: &DateFormat, zone: &TimeZone, stored: i64) -> bool {
    let Some(text) = sent.as_str() else {
        return sent.as_i64() == Some(stored);
    };
    let Some(civil) = format.parse_civil(text) else {
        let is_iso = |zone| parse_iso(text, zone) == Some(stored);
        return is_iso(zone) || is_iso(&TimeZone::UTC) || text.trim() == stored.to_string();
    };
    let offset = (utc_millis(civil) - stored).abs();
    // Time zones differ from UTC by whole quarters of an hour, and by at most fourteen hours. The
    // last one that counted seconds changed in 1972. Until then, local mean times were in use.
    if civil.year() < 1972 {
        return offset % 1000 == 0 && offset < 16 * 3_600_000;
    }
    offset % (15 * 60_000) == 0 && offset <= 14 * 3_600_000
}

/// A scalar as text, so that `"3"` equals `3`.
fn plain(value: &FieldValue) -> String {
    match value.as_str() {
        Some(text) => text.trim().to_owned(),
        None => value.to_string(),
    }
}

/// Whether two decimals are equal in every digit. Returns None if one of them is not a decimal.
fn same_decimal(one: &FieldValue, other: &FieldValue) -> Option<bool> {
    Some(one.as_decimal()? == other.as_decimal()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(sent: &str, stored: &str) -> usize {
        let lead = Lead::new().set("phone", "919999999999").set("budget", sent);
        let row = format!(r#"{{ "fields": {{ "phone": "919999999999", "budget": {stored} }} }}"#);
        let row = serde_json::from_str(&row).expect("a row");
        Workspace::sample().compare(&lead, &row, None).losses.len()
    }

    fn same_money(sent: &str, stored: &str) {
        assert_eq!(losses(sent, stored), 0);
    }

    cases! { same_money:
        string("12345678901234567890.12", "\"12345678901234567890.12\""),
        number("12345678901234567890.12", "12345678901234567890.12"),
        trailing_zero("12345678901234567890.12", "12345678901234567890.120"),
        exponent("1000", "1e3"),
        negative_exponent("-12.5", "-125e-1"),
        upper_case_exponent("0.00125", "1.25E-3"),
        exponent_with_plus("1250", "1.25e+3"),
    }

    fn other_money(sent: &str, stored: &str) {
        assert_eq!(losses(sent, stored), 1);
    }

    cases! { other_money:
        last_digit("12345678901234567890.12", "\"12345678901234567890.13\""),
        no_fraction("12345678901234567890.12", "12345678901234567890"),
        rounded("12345678901234567890123", "1.2345678901234568e22"),
        huge_exponent("1", "1e999999999"),
    }

    fn phones(sent: &str, stored: &str, expected: bool) {
        assert_eq!(same_phone(sent, stored), expected);
    }

    cases! { phones:
        national("6591234567", "916591234567", true),
        trunk_prefix("065912 34567", "916591234567", true),
        blanks("+65 9123 4567", "6591234567", true),
        country_code_is_not_an_end("+6591234567", "916591234567", false),
        two_zeros_are_a_country_code("006591234567", "916591234567", false),
    }

    fn date(sent: &str, stored: i64, losses: usize) {
        let lead = Lead::new().set("phone", "919999999999").set("follow_up_date", sent);
        let row =
            format!(r#"{{ "fields": {{ "phone": "919999999999", "follow_up_date": {stored} }} }}"#);
        let row = serde_json::from_str(&row).expect("a row");
        assert_eq!(Workspace::sample().compare(&lead, &row, None).losses.len(), losses);
    }

    cases! { date:
        local_mean_time("01/01/1900", -2_209_008_070_000, 0),
        another_day_in_1900("02/01/1900", -2_209_008_070_000, 1),
        the_middle_ages("01/06/1026", -29_775_276_000_000 + 60_000, 1),
        the_last_minute("31/12/9999 23:59", 253_402_280_940_000, 0),
        another_last_day("30/12/9999", 253_402_280_940_000, 1),
        half_an_hour_off("01/06/2026 10:30", 1_780_290_000_000 + 1_800_000, 0),
        a_minute_off("01/06/2026 10:30", 1_780_290_000_000 + 60_000, 1),
    }

    fn payment(stored: &str, losses: usize) {
        let amount = "4999.50".parse().expect("an amount");
        let lead = Lead::new()
            .set("phone", "919999999999")
            .action(crate::Payment::completed(amount, crate::Currency::Inr));
        let row = serde_json::from_str(r#"{ "fields": { "phone": "919999999999" } }"#);
        let row: LeadRecord = row.expect("a row");
        let entry = format!(
            r#"{{ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": {stored} }}"#
        );
        let timeline = [serde_json::from_str(&entry).expect("an entry")];
        let compared = Workspace::sample().compare(&lead, &row, Some(&timeline));
        assert_eq!(compared.losses.len(), losses);
    }

    cases! { payment:
        amount_as_string("\"4999.50\"", 0),
        amount_as_number("4999.5", 0),
        other_amount("4999.51", 1),
    }
}
