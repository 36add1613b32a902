//! Repairs a lead where only one value can be meant.

use crate::rules::phone::{exists, normal_form, tidy, without_trunk_zero};
use crate::rules::value::odd_in_email;
use crate::rules::{CodeForm, parse_iso, tidy_date};
use crate::suggest::only_label;
use crate::text::{find_invisible, shown, trim};
use crate::value::is_decimal;
use crate::workspace::{DateFormat, FieldDefinition, FieldType};
use crate::{Action, ActionKind, FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
                let done = self.rename_at(lead, &finding.path).or_else(|| {
                    let repaired = self.repair_at(lead, &finding.path)?;
                    Some(format!("reformatted as {repaired}"))
                });
                if let Some(done) = done {
                    finding.suggestion = Some(done);
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

    /// Renames the fields of an update whose names stand for another field.
    pub(crate) fn renamed(
        &self,
        fields: BTreeMap<String, FieldValue>,
    ) -> BTreeMap<String, FieldValue> {
        let names: Vec<String> = fields.keys().cloned().collect();
        let mut lead = Lead::from(fields);
        for name in names {
            self.rename_at(&mut lead, &FieldPath::Field(name));
        }
        std::mem::take(lead.fields_mut())
    }

    /// Renames the field at a path to the API name that its name stands for, or a field to the
    /// missing identifier. Returns None if the lead has that field, or if several could be meant.
    fn rename_at(&self, lead: &mut Lead, path: &FieldPath) -> Option<String> {
        match path {
            FieldPath::Field(name) if lead.get(name).is_none() => {
                let like = |name: &str| Some(self.field_like(name)?.api_name.as_str());
                let mut names = lead.fields().keys().filter(|other| like(other) == Some(name));
                let written = names.next()?.clone();
                rename(lead.fields_mut(), &written, name, like)?;
                Some(format!("renamed from `{}`", shown(&written)))
            }
            FieldPath::Field(name) if self.field(name).is_none() => {
                let like = |name: &str| Some(self.field_like(name)?.api_name.as_str());
                let api_name = like(name)?;
                rename(lead.fields_mut(), name, api_name, like)?;
                Some(format!("renamed to `{api_name}`"))
            }
            FieldPath::ActionField(index, name) => {
                let action = lead.actions_mut().get_mut(*index)?;
                let definition = self.definition_of(action)?;
                definition.fields.as_ref().filter(|_| definition.field(name).is_none())?;
                let like = |name: &str| Some(definition.field_like(name)?.api_name.as_str());
                let api_name = like(name)?;
                let mut renamed = None;
                action.change_fields(|fields| renamed = rename(fields, name, api_name, like));
                renamed.map(|()| format!("renamed to `{api_name}`"))
            }
            _ => None,
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
                *written = self.repair_date(written, &DateFormat::default())?;
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
                // An invisible character inside an address can be part of it. Controls cannot.
                let address: String = text?.chars().filter(|c| !c.is_control()).collect();
                let address = only_address(&address);
                let is_clear = find_invisible(address).is_none() && odd_in_email(address).is_none();
                is_clear.then_some(address)?.into()
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
            FieldType::Date => self.repair_date(value, &field.date_format())?,
            FieldType::Dropdown => {
                only_label(field.options.iter().map(String::as_str), text?)?.into()
            }
            FieldType::Tags => meant_tags(field, value)?.into(),
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
            // It is stored, and only doubtful.
            FieldType::Date => false,
            // What stands around an address is never part of it.
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

    /// The date in the workspace's format without stray blanks, or Unix milliseconds for an ISO
    /// date and for digits that can only be milliseconds.
    fn repair_date(&self, value: &FieldValue, format: &DateFormat) -> Option<FieldValue> {
        let written = value.as_str()?;
        let text = tidy_date(written);
        if text != written && format.read(&text, self.time_zone()).is_some() {
            return Some((*text).into());
        }
        match text.parse::<i64>() {
            // Thirteen digits are milliseconds from 2001 to 2286.
            Ok(millis) if text.len() == 13 => Some(millis.into()),
            Ok(_) => None,
            Err(_) => parse_iso(&text, self.time_zone()).map(FieldValue::from),
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

/// Renames a key, unless the new one is there or another key stands for it as well.
fn rename<'a>(
    fields: &mut BTreeMap<String, FieldValue>,
    written: &str,
    api_name: &str,
    like: impl Fn(&str) -> Option<&'a str>,
) -> Option<()> {
    let same = fields.keys().filter(|name| *name == api_name || like(name) == Some(api_name));
    if same.count() > 1 {
        return None;
    }
    let value = fields.remove(written)?;
    fields.insert(api_name.to_owned(), value);
    Some(())
}

/// The address without what a list, a mail program or a spreadsheet puts around it.
fn only_address(text: &str) -> &str {
    let mut address = trim(text);
    loop {
        let ends =
            |c: char| matches!(c, ',' | ';' | '.' | '"' | '“' | '”' | '\'' | '‘' | '’' | '`');
        let mut rest = trim(address.trim_matches(ends));
        if rest.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
            rest = &rest[7..];
        }
        // A name may stand before the address: `Asha Rao <asha@example.com>`.
        if let Some((name, bracketed)) = rest.split_once('<')
            && let Some(bracketed) = bracketed.strip_suffix('>')
            && !name.contains('@')
        {
            rest = bracketed;
        }
        if rest == address {
            return address;
        }
        address = rest;
    }
}

/// The tags that are meant, each in the spelling of the workspace. One text with separators is
/// split only if each part is a known tag.
fn meant_tags(field: &FieldDefinition, value: &FieldValue) -> Option<Vec<String>> {
    let known = |tag: &str| only_label(field.options.iter().map(String::as_str), tag);
    if let Some(tags) = value.as_strings() {
        let is_known = |tag: &str| field.options.iter().any(|option| option == tag);
        let meant =
            |tag: &str| if is_known(tag) { tag } else { known(tag).unwrap_or(tag) }.to_owned();
        return Some(tags.into_iter().map(meant).collect());
    }
    let text = trim(value.as_str()?);
    if !text.contains([',', ';', '|']) {
        return (!text.is_empty()).then(|| vec![known(text).unwrap_or(text).to_owned()]);
    }
    let parts = text.split([',', ';', '|']).filter(|part| !trim(part).is_empty());
    let tags: Option<Vec<_>> = parts.map(|part| known(part).map(str::to_owned)).collect();
    tags.filter(|tags| !tags.is_empty())
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
