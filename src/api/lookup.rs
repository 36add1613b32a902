//! Finds a lead by its identifier: which spellings to search for, and which result is the lead.

use crate::Filter;
use serde_json::Value;
use telecrm_core::workspace::FieldType;
use telecrm_core::{FieldValue, Lead, LeadRecord, Workspace};

/// Returns the filter that finds the lead, or `None` if it has no identifier to search for.
pub(crate) fn filter(workspace: &Workspace, lead: &Lead) -> Option<Filter> {
    let spellings = spellings(workspace, lead)?;
    Some(Filter::new().any_of(workspace.identifier().api_name(), spellings))
}

/// Returns the spellings of the identifier to search for, or `None` if the lead has no identifier.
pub(crate) fn spellings(workspace: &Workspace, lead: &Lead) -> Option<Vec<FieldValue>> {
    let value = identifier(workspace, lead)?;
    // The normal form comes first. The workspace may hold other spellings from earlier times.
    let mut spellings: Vec<FieldValue> = Vec::new();
    // With an assumed country code, the number can be another person's.
    let is_assumed = workspace.assumes_country(value);
    if let Some(key) = workspace.identifier_key(value).filter(|_| !is_assumed) {
        if is_phone(workspace) {
            spellings.push(format!("+{key}").into());
        }
        spellings.push(key.into());
    }
    if !spellings.contains(value) {
        spellings.push(value.clone());
    }
    Some(spellings)
}

/// Returns the value of the identifier, if a search can look for it.
pub(crate) fn identifier<'a>(workspace: &Workspace, lead: &'a Lead) -> Option<&'a FieldValue> {
    let value = lead.get(workspace.identifier().api_name())?;
    let is_searchable = match value.as_json() {
        Value::String(text) => !text.trim().is_empty(),
        Value::Number(_) => true,
        _ => false,
    };
    is_searchable.then_some(value)
}

/// What a search for an identifier has found.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Lead {
        lead: LeadRecord,
        /// Leads with the same identifier in other spellings.
        twins: Vec<LeadRecord>,
    },
    /// Several leads, of which none has the exact spelling, or more than one.
    Several(Vec<LeadRecord>),
    /// Rows that do not show the identifier, so that each may be another lead.
    Hidden,
}

/// Returns the rows that are the lead. A search for a foreign number may also return the national
/// number with the same digits (ID2).
pub(crate) fn select(workspace: &Workspace, lead: &Lead, rows: Vec<LeadRecord>) -> Found {
    let Some(sent) = identifier(workspace, lead) else {
        return Found::Nothing;
    };
    if workspace.assumes_country(sent) {
        return ending_with(workspace, sent, rows);
    }
    let key = workspace.identifier_key(sent);
    let text = |value: &FieldValue| value.as_str().map_or(value.to_string(), |t| t.to_owned());
    let is_phone = is_phone(workspace);
    let (mut exact, mut similar, mut is_hidden) = (Vec::new(), Vec::new(), false);
    for row in rows {
        let shown = row.get(workspace.identifier().api_name());
        let Some(stored) = shown.filter(|stored| !text(stored).trim().is_empty()) else {
            is_hidden = true;
            continue;
        };
        let is_exact = match &key {
            Some(key) if is_phone => text(stored).trim_start_matches('+') == key,
            _ => text(stored) == text(sent),
        };
        let is_similar = key.is_some() && workspace.identifier_key(stored) == key;
        let is_known = |known: &LeadRecord| known.id().is_some() && known.id() == row.id();
        if !is_exact && !is_similar || exact.iter().chain(&similar).any(is_known) {
            continue;
        }
        if is_exact { exact.push(row) } else { similar.push(row) }
    }
    // telecrm stores numbers in their normal form, so others may belong to another country.
    if is_phone && !exact.is_empty() {
        similar.clear();
    }
    match (exact.len(), similar.len()) {
        (0, 0) if is_hidden => Found::Hidden,
        (0, 0) => Found::Nothing,
        (1, _) => Found::Lead { lead: exact.remove(0), twins: similar },
        (0, 1) if !is_hidden => Found::Lead { lead: similar.remove(0), twins: Vec::new() },
        (0, 1) => Found::Hidden,
        _ => Found::Several(exact.into_iter().chain(similar).collect()),
    }
}

/// Returns the rows whose number ends with a number without a country code.
fn ending_with(workspace: &Workspace, number: &FieldValue, rows: Vec<LeadRecord>) -> Found {
    let stored =
        |row: &LeadRecord| row.get(workspace.identifier().api_name())?.as_str().map(str::to_owned);
    let ends = |row: &LeadRecord| {
        stored(row).zip(number.as_str()).is_some_and(|(stored, number)| stored.ends_with(number))
    };
    let mut rows: Vec<LeadRecord> = rows.into_iter().filter(ends).collect();
    match rows.len() {
        0 => Found::Nothing,
        1 => Found::Lead { lead: rows.remove(0), twins: Vec::new() },
        _ => Found::Several(rows),
    }
}

/// Whether the identifier is a phone number. A leading `+` does not change a phone number, but it
/// does change other texts.
fn is_phone(workspace: &Workspace) -> bool {
    let field = workspace.field(workspace.identifier().api_name());
    field.is_some_and(|field| field.field_type == FieldType::Phone)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Selects from leads with these phone numbers.
    fn selected(phone: &str, rows: &[&str]) -> Option<String> {
        let row = |phone: &&str| -> LeadRecord {
            let row = serde_json::json!({ "fields": { "phone": phone } });
            serde_json::from_str(&row.to_string()).expect("a row")
        };
        let lead = Lead::new().set("phone", phone);
        let rows = rows.iter().map(row).collect();
        match select(&Workspace::sample(), &lead, rows) {
            Found::Lead { lead, .. } => lead.get("phone")?.as_str().map(str::to_owned),
            _ => None,
        }
    }

    #[test]
    fn a_number_of_an_unknown_country_is_only_the_one_lead_that_ends_with_it() {
        let mut file = telecrm_core::WorkspaceFile::sample();
        file.emulator.remove("defaultCountry");
        let workspace = Workspace::from_file(&file).expect("a workspace");
        let lead = Lead::new().set("phone", "9833000201");
        let expected = Filter::new().any_of("phone", vec![FieldValue::from("9833000201")]);
        assert_eq!(filter(&workspace, &lead), Some(expected));
        let select = |numbers: &[&str]| {
            let row = |number: &&str| -> LeadRecord {
                let row = serde_json::json!({ "fields": { "phone": number } });
                serde_json::from_str(&row.to_string()).expect("a row")
            };
            match select(&workspace, &lead, numbers.iter().map(row).collect()) {
                Found::Lead { lead, .. } => lead.get("phone")?.as_str().map(str::to_owned),
                _ => None,
            }
        };
        assert_eq!(select(&["19833000201"]).as_deref(), Some("19833000201"));
        assert_eq!(select(&["19833000201", "919833000201"]), None);
        assert_eq!(select(&["19833000202"]), None);
    }

    #[test]
    fn a_national_number_is_not_the_foreign_one_with_the_same_digits() {
        assert_eq!(selected("+6591234567", &["916591234567"]), None);
    }

    #[test]
    fn a_foreign_number_is_found_after_a_national_one() {
        let found = selected("+6591234567", &["916591234567", "6591234567"]);
        assert_eq!(found.as_deref(), Some("6591234567"));
    }

    #[test]
    fn a_national_number_is_found_after_a_foreign_one() {
        let found = selected("6591234567", &["6591234567", "916591234567"]);
        assert_eq!(found.as_deref(), Some("916591234567"));
    }
}
