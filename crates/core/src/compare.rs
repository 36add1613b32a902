//! Comparing what was sent with what is read back.

use crate::finding::Told;
use crate::rules::phone;
use crate::text::set;
use crate::workspace::date_format::{self as date, DEFAULT_FORMAT};
use crate::{
    Action, ActionKind, ActionRecord, Certainty, FieldDefinition, FieldPath, FieldType, FieldValue,
    Finding, FindingKind, Lead, LeadRecord, Workspace,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What reading a lead back tells about what was sent.
///
/// ```
/// use telecrm_core::{ActionRecord, CustomAction, Lead, LeadRecord, FieldPath, Workspace, new_actions};
///
/// let sent = Lead::new()
///     .set("phone", "+919999999999")
///     .set("rating", 4)
///     .action(CustomAction::new(1001)?.field("note", "called"));
/// let stored: LeadRecord =
///     serde_json::from_str(r#"{ "id": "l1", "fields": { "phone": "919999999999", "rating": 3 } }"#)?;
/// let before: Vec<ActionRecord> = serde_json::from_str(r#"[{ "id": "a1", "type": "1002" }]"#)?;
/// let after: Vec<ActionRecord> = serde_json::from_str(
///     r#"[{ "id": "a2", "type": "1001", "fields": { "note": "called" } }, { "id": "a1", "type": "1002" }]"#,
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
    /// What did not arrive.
    pub losses: Vec<Finding>,
    /// What the answers do not show, so that nothing can be said of it.
    pub unreadable: Vec<FieldPath>,
}

impl Workspace {
    /// Compares a lead as sent with what is read back, field by field and action by action.
    ///
    /// `timeline` holds the entries that appeared since ([`new_actions`]), or nothing if the timeline could not be read.
    /// Values are the same if they mean the same to telecrm: a number in its normal form, a date in any zone.
    pub fn compare(
        &self,
        sent: &Lead,
        stored: &LeadRecord,
        timeline: Option<&[ActionRecord]>,
    ) -> Comparison {
        let mut losses = Vec::new();
        let mut unreadable = Vec::new();
        for (name, value) in sent.fields() {
            let field = self.field(name);
            let found = stored.get(name).or_else(|| match field?.field_type {
                // Live rows carry these beside `fields`, under names of their own.
                FieldType::LostReason => stored.get("lostReasonid"),
                FieldType::Status => stored.get("status"),
                FieldType::Rating => stored.get("rating"),
                _ => None,
            });
            if !self.is_stored(field, value, found) {
                losses.push(lost(FieldPath::Field(name.clone())));
            }
        }
        match timeline {
            Some(timeline) => self.compare_actions(sent, timeline, &mut losses, &mut unreadable),
            None => {
                for index in 0..sent.actions().len() {
                    unreadable.push(FieldPath::Action(index));
                }
            }
        }
        for (key, value) in sent.extra() {
            // No answer of telecrm has a place for them.
            if !value.is_null() {
                losses.push(lost(FieldPath::Key(key.clone())));
            }
        }
        let expected = self.accept(sent).findings;
        let told = Told::of(&expected);
        for loss in &mut losses {
            if let Some(explained) = told.number(loss) {
                *loss = expected[explained].clone();
            }
        }
        Comparison { losses, unreadable }
    }

    fn compare_actions(
        &self,
        sent: &Lead,
        timeline: &[ActionRecord],
        losses: &mut Vec<Finding>,
        unreadable: &mut Vec<FieldPath>,
    ) {
        let partners = self.pair(sent.actions(), timeline);
        for (index, action) in sent.actions().iter().enumerate() {
            let Some(record) = partners[index].map(|partner| &timeline[partner]) else {
                losses.push(Finding {
                    kind: FindingKind::ActionDropped,
                    reason: "sent, and not on the timeline".to_owned(),
                    ..lost(FieldPath::Action(index))
                });
                continue;
            };
            let custom = matches!(action.kind(), ActionKind::Custom(_));
            match action.key("fields") {
                Some(fields) if custom && !fields.is_null() => match action.fields() {
                    Some(fields) => {
                        for (name, value) in fields {
                            let field = self.action_field(action, &name);
                            if !self.is_stored(field, &value, record.field(&name).as_ref()) {
                                losses.push(lost(FieldPath::ActionField(index, name)));
                            }
                        }
                    }
                    None => losses.push(lost(FieldPath::ActionKey(index, "fields".to_owned()))),
                },
                _ => {}
            }
            if let Some(value) = action.key("created_on").filter(|v| custom && !v.is_null()) {
                let path = FieldPath::ActionKey(index, "created_on".to_owned());
                match record.created() {
                    Some(created)
                        if !same_date(value, DEFAULT_FORMAT, self.time_zone(), created) =>
                    {
                        losses.push(lost(path));
                    }
                    Some(_) => {}
                    None => unreadable.push(path),
                }
            }
            for path in action.misplaced(index) {
                losses.push(lost(path));
            }
        }
    }

    /// Finds for each action sent the entry that it became.
    fn pair(&self, sent: &[Action], timeline: &[ActionRecord]) -> Vec<Option<usize>> {
        // The most alike first; among equals in the order in which they were sent.
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

    /// How much an entry looks like what became of an action; nothing if it cannot be.
    fn likeness(&self, action: &Action, record: &ActionRecord) -> Option<Likeness> {
        let kind = action.kind();
        if kind != record.kind() {
            return None;
        }
        let well_spelled = action.key("type").and_then(FieldValue::as_str)
            == Some(&match &kind {
                ActionKind::Custom(code) => code.prefixed(),
                ActionKind::Payment => crate::action::PAYMENT.to_owned(),
                ActionKind::Other(_) | ActionKind::Missing => return None,
            });
        if kind == ActionKind::Payment {
            let mut equal = 0;
            for key in ["status", "currency", "amount"] {
                let (sent, stored) = (action.key(key)?, record.key(key)?);
                let same = same_decimal(sent, stored)
                    .unwrap_or_else(|| plain(sent).eq_ignore_ascii_case(&plain(stored)));
                if !same {
                    return None;
                }
                equal += usize::from(sent == stored);
            }
            return Some((true, equal, 0, well_spelled));
        }
        let sent = action.fields().unwrap_or_default();
        let stored = record.key("fields").cloned().unwrap_or_default();
        let (mut alike, mut equal, mut foreign) = (0, 0, 0);
        for (name, value) in stored.into_members().unwrap_or_default() {
            let field = self.action_field(action, &name);
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
        // An entry with a value that was not sent so is hardly the one, but may have been changed on the way.
        let nothing_foreign = foreign == 0;
        if let (Some(value), Some(created)) = (action.key("created_on"), record.created()) {
            let same = same_date(value, DEFAULT_FORMAT, self.time_zone(), created);
            alike += usize::from(same);
            equal += usize::from(same && value.as_json().is_number());
        }
        Some((nothing_foreign, alike, equal, well_spelled))
    }

    fn action_field(&self, action: &Action, name: &str) -> Option<&FieldDefinition> {
        match action.kind() {
            ActionKind::Custom(code) => self.action(&code)?.field(name),
            _ => None,
        }
    }
}

/// What was sent and is not there now.
fn lost(path: FieldPath) -> Finding {
    let reason = "sent, and not what the lead has now";
    let kind = FindingKind::FieldDropped;
    Finding {
        pitfall: Some("AS5".to_owned()),
        ..Finding::new(path, kind, Certainty::Reported, reason)
    }
}

/// How alike an action and an entry are: nothing that was not sent, how much means the same, how much is the same to the letter, and whether
/// the type is spelled right.
type Likeness = (bool, usize, usize, bool);

/// The entries of `after` that were not there before: by their IDs, or by counting equal ones.
pub fn new_actions(before: &[ActionRecord], after: &[ActionRecord]) -> Vec<ActionRecord> {
    let mut before: Vec<&ActionRecord> = before.iter().collect();
    let mut new = Vec::new();
    // Timelines come newest first, so the entries known from before are met last.
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
            // No tags are no tags, whether the lead says so or not.
            None => {
                field.is_some_and(|field| field.field_type == FieldType::Tags)
                    && sent.as_json().as_array().is_some_and(Vec::is_empty)
            }
        }
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
        match field.map(|field| (&field.field_type, &field.date_format)) {
            Some((FieldType::Date, format)) => {
                let format = format.as_deref().unwrap_or(DEFAULT_FORMAT);
                match stored.as_i64().map(Timestamp::from_millisecond) {
                    Some(Ok(stored)) => same_date(sent, format, self.time_zone(), stored),
                    _ => plain(sent) == plain(stored),
                }
            }
            Some((FieldType::Phone, _)) => same_phone(&plain(sent), &plain(stored)),
            Some((FieldType::Tags, _)) => match (tags(sent), tags(stored)) {
                (Some(sent), Some(stored)) => set(&sent) == set(&stored),
                _ => false,
            },
            Some((FieldType::Number | FieldType::Rating | FieldType::Money, _)) => {
                same_decimal(sent, stored).unwrap_or_else(|| plain(sent) == plain(stored))
            }
            Some((FieldType::Email | FieldType::ActiveUsers, _)) => {
                plain(sent).eq_ignore_ascii_case(&plain(stored))
            }
            // A label in another case is another label.
            _ => plain(sent) == plain(stored),
        }
    }
}

/// The same number, given with its country code or as the national number that ends it.
fn same_phone(sent: &str, stored: &str) -> bool {
    let (Some(sent), Some(stored)) = (phone::tidy(sent), phone::tidy(stored)) else {
        return sent == stored;
    };
    let stored = stored.trim_start_matches('+');
    match sent.strip_prefix('+') {
        // A number with its country code ends no other one.
        Some(sent) => sent == stored,
        None => sent == stored || sent.len() >= 7 && stored.ends_with(&sent),
    }
}

fn tags(value: &FieldValue) -> Option<Vec<&str>> {
    match value.as_str() {
        Some(tag) => Some(vec![tag]),
        None => value.as_strings(),
    }
}

/// Whether what was sent names this time: in milliseconds, as an ISO date, or in the workspace's format on a wall
/// clock of any zone, since telecrm does not say in which zone it reads.
fn same_date(sent: &FieldValue, format: &str, zone: &TimeZone, stored: Timestamp) -> bool {
    let stored = stored.as_millisecond();
    let Some(text) = sent.as_str() else {
        return sent.as_i64() == Some(stored);
    };
    let Some(civil) = date::parse_civil(text, format) else {
        let is_iso = |zone| date::parse_iso(text, zone) == Some(stored);
        return is_iso(zone) || is_iso(&TimeZone::UTC) || text.trim() == stored.to_string();
    };
    let Ok(sent) = TimeZone::UTC.to_timestamp(civil) else {
        return false;
    };
    let offset = (sent.as_millisecond() - stored).abs();
    // Offsets from UTC are whole quarters of an hour, at most fourteen hours.
    offset % (15 * 60_000) == 0 && offset <= 14 * 3_600_000
}

/// A scalar as text, so that `"3"` and `3` read alike.
fn plain(value: &FieldValue) -> String {
    match value.as_str() {
        Some(text) => text.trim().to_owned(),
        None => value.to_string(),
    }
}

/// Whether two decimals are the same number, in every digit; nothing if one of them is none.
fn same_decimal(one: &FieldValue, other: &FieldValue) -> Option<bool> {
    Some(one.as_decimal()? == other.as_decimal()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(sent: FieldValue, stored: &str) -> usize {
        let lead = Lead::new().set("phone", "919999999999").set("budget", sent);
        let row = format!(r#"{{ "fields": {{ "phone": "919999999999", "budget": {stored} }} }}"#);
        let row = serde_json::from_str(&row).expect("a row");
        Workspace::sample().compare(&lead, &row, None).losses.len()
    }

    #[test]
    fn money_is_compared_in_every_digit() {
        let sent = || FieldValue::from("12345678901234567890.12");
        for same in [
            "\"12345678901234567890.12\"",
            "12345678901234567890.12",
            "12345678901234567890.120",
        ] {
            assert_eq!(losses(sent(), same), 0, "{same}");
        }
        for other in ["\"12345678901234567890.13\"", "12345678901234567890"] {
            assert_eq!(losses(sent(), other), 1, "{other}");
        }
        for (sent, same) in [
            ("1000", "1e3"),
            ("-12.5", "-125e-1"),
            ("0.00125", "1.25E-3"),
            ("1250", "1.25e+3"),
        ] {
            assert_eq!(losses(sent.into(), same), 0, "{sent} {same}");
        }
        for (sent, other) in [
            ("12345678901234567890123", "1.2345678901234568e22"),
            ("1", "1e999999999"),
        ] {
            assert_eq!(losses(sent.into(), other), 1, "{sent} {other}");
        }
    }

    #[test]
    fn a_number_with_its_country_code_ends_no_other_one() {
        for (sent, stored, same) in [
            ("6591234567", "916591234567", true),
            ("065912 34567", "916591234567", true),
            ("+65 9123 4567", "6591234567", true),
            ("+6591234567", "916591234567", false),
            ("006591234567", "916591234567", false),
        ] {
            assert_eq!(same_phone(sent, stored), same, "{sent} {stored}");
        }
    }

    #[test]
    fn a_payment_is_recognised_however_its_amount_is_written() {
        let amount = "4999.50".parse().expect("an amount");
        let lead = Lead::new()
            .set("phone", "919999999999")
            .action(crate::Payment::completed(amount, crate::Currency::Inr));
        let row = serde_json::from_str(r#"{ "fields": { "phone": "919999999999" } }"#);
        let row: LeadRecord = row.expect("a row");
        for (stored, losses) in [("\"4999.50\"", 0), ("4999.5", 0), ("4999.51", 1)] {
            let entry = format!(
                r#"{{ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": {stored} }}"#
            );
            let timeline = [serde_json::from_str(&entry).expect("an entry")];
            let compared = Workspace::sample().compare(&lead, &row, Some(&timeline));
            assert_eq!(compared.losses.len(), losses, "{stored}");
        }
    }
}
