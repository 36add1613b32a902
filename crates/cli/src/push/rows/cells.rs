//! Converts cells of CSV to values of their fields.

use super::number;
use serde_json::Value;
use telecrm::FieldValue;
use telecrm::text::{is_blank, trim};
use telecrm::workspace::{FieldDefinition, FieldType};

/// Converts a cell to a value of its field's type. Returns None if the cell holds nothing.
pub(super) fn value(field: Option<&FieldDefinition>, cell: &str) -> Option<FieldValue> {
    if is_blank(cell) {
        return None;
    }
    Some(match field.map(|field| (&field.field_type, field)) {
        Some((FieldType::Number | FieldType::Rating, _)) => match number::exact(trim(cell)) {
            Some(number) => Value::Number(number).into(),
            None => cell.into(),
        },
        Some((FieldType::Tags, field)) => return tags(field, cell),
        _ => cell.into(),
    })
}

/// Splits a cell into tags. A cell that may mean one tag or several stays text, which the check
/// reports.
fn tags(field: &FieldDefinition, cell: &str) -> Option<FieldValue> {
    let is_separator = |c: char| matches!(c, '|' | ',' | ';');
    if cell.split(is_separator).all(is_blank) {
        return None;
    }
    if trim(cell).starts_with('[')
        && let Ok(Value::Array(tags)) = serde_json::from_str(trim(cell))
    {
        return Some(Value::Array(tags).into());
    }
    let is_known = |tag: &&str| {
        let tag = trim(tag).to_lowercase();
        field.options.iter().any(|option| option.to_lowercase() == tag)
    };
    let list = |tags: Vec<&str>| {
        let tags = tags.into_iter().map(trim).filter(|tag| !tag.is_empty());
        Some(tags.collect::<Vec<_>>().into())
    };
    let parts: Vec<&str> = cell.split('|').collect();
    if parts.iter().all(|tag| !tag.contains([',', ';']) || is_known(tag)) {
        return list(parts);
    }
    let parts: Vec<&str> = cell.split(is_separator).collect();
    if parts.iter().filter(|tag| !is_blank(tag)).all(is_known) {
        return list(parts);
    }
    Some(cell.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use telecrm::Workspace;

    #[test]
    fn tags_are_split_where_their_meaning_is_certain() {
        let sample = Workspace::sample();
        let field = sample.field("interests").expect("tags");
        let tags = |cell: &str| value(Some(field), cell).map(|value| value.as_json().clone());
        for (cell, expected) in [
            ("VIP", json!(["VIP"])),
            ("VIP | New tag", json!(["VIP", "New tag"])),
            ("VIP, Returning", json!(["VIP", "Returning"])),
            ("vip;returning;", json!(["vip", "returning"])),
            ("VIP|Returning,VIP", json!(["VIP", "Returning", "VIP"])),
            ("VIP, New tag", json!("VIP, New tag")),
            ("New|A;B", json!("New|A;B")),
            ("[\"A, B\"]", json!(["A, B"])),
            ("[A", json!(["[A"])),
        ] {
            assert_eq!(tags(cell), Some(expected), "{cell}");
        }
        for cell in ["", " ", "|", " | \u{a0}|", ",", ";;", "\u{200b}"] {
            assert_eq!(tags(cell), None, "{cell:?}");
        }
    }
}
