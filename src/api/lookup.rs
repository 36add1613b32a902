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

/// Returns the row that is the lead. A search for a foreign number may also return the national
/// number with the same digits (ID2).
pub(crate) fn select(
    workspace: &Workspace,
    lead: &Lead,
    rows: Vec<LeadRecord>,
) -> Option<LeadRecord> {
    let value = identifier(workspace, lead);
    if let Some(value) = value.filter(|value| workspace.assumes_country(value)) {
        return only_ending(workspace, value, rows);
    }
    let key = value.and_then(|value| workspace.identifier_key(value));
    let Some(key) = key else {
        return rows.into_iter().next();
    };
    let identifier = workspace.identifier().api_name();
    let mut in_other_spelling = None;
    for row in rows {
        if let Some(stored) = row.get(identifier) {
            let text = stored.as_str().map(str::to_lowercase);
            let text = text.unwrap_or_else(|| stored.to_string());
            let text = if is_phone(workspace) { text.trim_start_matches('+') } else { &text };
            if text == key {
                return Some(row);
            }
            if workspace.identifier_key(stored).as_ref() != Some(&key) {
                continue;
            }
        }
        // A row without the identifier counts as a match: the server found it.
        in_other_spelling.get_or_insert(row);
    }
    in_other_spelling
}

/// Returns the only row whose number ends with a number without a country code.
fn only_ending(
    workspace: &Workspace,
    number: &FieldValue,
    rows: Vec<LeadRecord>,
) -> Option<LeadRecord> {
    let stored =
        |row: &LeadRecord| row.get(workspace.identifier().api_name())?.as_str().map(str::to_owned);
    let ends = |row: &LeadRecord| {
        stored(row).zip(number.as_str()).is_some_and(|(stored, number)| stored.ends_with(number))
    };
    let mut rows = rows.into_iter().filter(ends);
    let row = rows.next()?;
    rows.next().is_none().then_some(row)
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
        let found = select(&Workspace::sample(), &lead, rows)?;
        found.get("phone")?.as_str().map(str::to_owned)
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
            let row = select(&workspace, &lead, numbers.iter().map(row).collect())?;
            row.get("phone")?.as_str().map(str::to_owned)
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
