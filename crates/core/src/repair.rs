//! Repairs a lead where only one value can be meant.

use crate::rules::phone::{exists, normal_form, tidy, without_trunk_zero};
use crate::rules::{CodeForm, parse_iso};
use crate::suggest::only_label;
use crate::text::{find_invisible, trim};
use crate::value::is_decimal;
use crate::workspace::{FieldDefinition, FieldType};
use crate::{Action, ActionKind, FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace};
use serde_json::Value;
use std::collections::BTreeSet;

impl Workspace {
    /// Repairs a lead, and returns the findings that concern the repaired lead. `report` holds what
    /// was reported before.
    pub(crate) fn repair(&self, lead: &mut Lead, mut report: Vec<Finding>) -> Vec<Finding> {
        let mut seen: BTreeSet<_> = report.iter().map(Finding::key).collect();
        seen.extend(report.iter().map(changed));
        // A repair can reveal another finding, because the rules look into an action only once its
        // type is right.
        loop {
            let mut is_repaired = false;
            for mut finding in self.accept(lead).findings {
                if !seen.insert(finding.key()) {
                    continue;
                }
                if let Some(repaired) = self.repair_at(lead, &finding.path) {
                    finding.suggestion = Some(format!("reformatted as {repaired}"));
                    finding.repaired = true;
                    is_repaired = true;
                    // The form in which telecrm stores the repaired value needs no finding.
                    seen.insert(changed(&finding));
                }
                report.push(finding);
            }
            if !is_repaired {
                return report;
            }
        }
    }

    /// Repairs the value at a path, and describes the new value. Returns None if it cannot be
    /// repaired.
    fn repair_at(&self, lead: &mut Lead, path: &FieldPath) -> Option<String> {
        match path {
            FieldPath::Field(name) => {
                let field = self.field(name)?;
                let value = lead.fields_mut().get_mut(name.as_str())?;
                *value = self.repair_value(field, value)?;
                Some(plain(value))
            }
            FieldPath::Action(index) => {
                let action = lead.actions_mut().get_mut(*index)?;
                *action = self.repair_action(*index, action)?;
                Some(match action.kind() {
                    ActionKind::Custom(code) => code.prefixed(),
                    _ => FieldValue::from(action.keys().clone()).to_string(),
                })
            }
            FieldPath::ActionField(index, name) => {
                let action = lead.actions_mut().get_mut(*index)?;
                let field = self.definition_of(action)?.field(name)?;
                let repaired = self.repair_value(field, &action.field(name)?)?;
                let text = plain(&repaired);
                action.change_fields(|fields| _ = fields.insert(name.clone(), repaired));
                Some(text)
            }
            FieldPath::ActionKey(index, key) if key == "created_on" => {
                let action = lead.actions_mut().get_mut(*index)?;
                if !self.definition_of(action)?.allows_predated {
                    return None;
                }
                let written = action.keys_mut().get_mut(key.as_str())?;
                *written = self.repair_date(written)?.into();
                Some(plain(written))
            }
            FieldPath::ActionKey(..) | FieldPath::Key(_) => None,
        }
    }

    /// The value that is meant, in a form that telecrm stores unchanged. Returns None if several
    /// values can be meant, or if the value needs no repair.
    pub(crate) fn repair_value(
        &self,
        field: &FieldDefinition,
        value: &FieldValue,
    ) -> Option<FieldValue> {
        let repaired = self.meant_value(field, value)?;
        let is_stored = self.accept_value(field, &repaired).is_stored();
        (is_stored && repaired != *value && self.may_replace(field, value, &repaired))
            .then_some(repaired)
    }

    /// The value that is meant, whether or not telecrm stores it.
    fn meant_value(&self, field: &FieldDefinition, value: &FieldValue) -> Option<FieldValue> {
        let text = value.as_str();
        // Not a float, because a float loses digits: 1.10 becomes 1.1, and 9.9e9 can be a phone
        // number from a spreadsheet.
        let integer = value.as_json().as_u64().map(|integer| integer.to_string());
        Some(match &field.field_type {
            FieldType::Text => integer?.into(),
            FieldType::Money => value.as_decimal()?.into(),
            FieldType::Email | FieldType::ActiveUsers => {
                // An invisible character inside an address can be part of it.
                let address = trim(text?);
                find_invisible(address).is_none().then_some(address)?.into()
            }
            FieldType::Phone => self.repair_phone(text.or(integer.as_deref())?)?.into(),
            FieldType::Number => {
                let text = text?.trim();
                let number: Value = serde_json::from_str(text).ok()?;
                // A number that is written differently has lost digits.
                let written = number.to_string();
                (is_decimal(text) && written == text).then_some(number)?.into()
            }
            FieldType::Rating => text?.trim().parse::<i64>().ok()?.into(),
            FieldType::Date => self.repair_date(value)?.into(),
            FieldType::Dropdown => {
                only_label(field.options.iter().map(String::as_str), text?)?.into()
            }
            FieldType::Tags => {
                let tag = text?.trim();
                let is_one = !tag.is_empty() && !tag.contains([',', ';', '|']);
                is_one.then_some([tag])?.into()
            }
            FieldType::Status | FieldType::LostReason => {
                let labels = self.pipeline()?.labels(&field.field_type)?;
                only_label(labels.active, text?)?.into()
            }
            FieldType::Website | FieldType::MediaLink => text?.trim().into(),
            FieldType::Unknown(_) => return None,
        })
    }

    /// Whether a repair can replace this value. A value that telecrm stores as it is can only
    /// become the form in which telecrm stores it.
    fn may_replace(
        &self,
        field: &FieldDefinition,
        value: &FieldValue,
        repaired: &FieldValue,
    ) -> bool {
        let written = self.accept_value(field, value);
        if !written.is_stored() {
            return true;
        }
        let stored = written.stored();
        match field.field_type {
            // The blanks around an address are never part of it.
            FieldType::Email | FieldType::ActiveUsers => true,
            FieldType::Phone if stored.as_ref() != Some(repaired) => {
                let number = stored.as_ref().and_then(FieldValue::as_str);
                number.and_then(without_trunk_zero).map(FieldValue::from).as_ref() == Some(repaired)
            }
            _ => stored.as_ref() == Some(repaired),
        }
    }

    /// The number without blanks and dashes, and with its country code if that is known, in a form
    /// that telecrm reads as this number. Without its `+`, a foreign number can look like a
    /// national one (ID2).
    fn repair_phone(&self, text: &str) -> Option<String> {
        let mut tidied = tidy(text)?;
        let mut meant = normal_form(&tidied, self.country()).ok()?;
        if let Some(number) = without_trunk_zero(&meant) {
            (tidied, meant) = (format!("+{number}"), number);
        }
        let is_read = |form: &str| normal_form(form, self.country()).as_ref() == Ok(&meant);
        // A country that is only assumed must not be added: telecrm adds its own.
        let is_known = self.known_country().is_some() && exists(&meant) == Some(true);
        if is_known && is_read(&meant) {
            return Some(meant);
        }
        let without_plus = tidied.trim_start_matches('+');
        if is_read(without_plus) {
            return Some(without_plus.to_owned());
        }
        is_read(&tidied).then_some(tidied)
    }

    /// Unix milliseconds for an ISO date, or for digits that can only be milliseconds.
    fn repair_date(&self, value: &FieldValue) -> Option<i64> {
        let text = value.as_str()?.trim();
        match text.parse::<i64>() {
            // Thirteen digits are milliseconds from 2001 to 2286.
            Ok(millis) if text.len() == 13 => Some(millis),
            Ok(_) => None,
            Err(_) => parse_iso(text, self.time_zone()),
        }
    }

    /// The action with its type and the literals of a payment in the right spelling. Returns None
    /// if telecrm still drops it.
    fn repair_action(&self, index: usize, action: &Action) -> Option<Action> {
        let mut repaired = action.clone();
        match action.kind() {
            ActionKind::Custom(_) => repaired = repaired.with_prefixed_code(),
            ActionKind::Payment => {
                for key in ["type", "status", "currency"] {
                    change_text(&mut repaired, key, |value| {
                        Some(value.as_str()?.trim().to_ascii_uppercase())
                    });
                }
                change_text(&mut repaired, "amount", |value| match value.as_str() {
                    Some(text) => Some(text.trim().to_owned()),
                    None => Some(value.as_decimal()?.to_string()),
                });
            }
            ActionKind::Other(_) | ActionKind::Missing => return None,
        }
        let (accepted, _) = self.accept_action(index, &repaired, CodeForm::Prefixed);
        accepted.map(|_| repaired)
    }
}

/// The key of a finding that says that telecrm stores the value in another form.
fn changed(finding: &Finding) -> (FieldPath, FindingKind) {
    (finding.path.clone(), FindingKind::ValueChanged)
}

/// The value for people: a string without quotes, anything else as JSON.
fn plain(value: &FieldValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Replaces the value of a key by a text.
fn change_text(action: &mut Action, key: &str, text: impl Fn(&FieldValue) -> Option<String>) {
    if let Some(value) = action.keys_mut().get_mut(key)
        && let Some(text) = text(value)
    {
        *value = text.into();
    }
}
