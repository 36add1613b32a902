//! What telecrm stores of a value, by the type of its field.

use super::date::accept_date;
use super::field_outcome::{FieldOutcome, Note, drop_value};
use super::phone::accept_phone;
use crate::suggest::{same_label, similar_name};
use crate::text::{find_invisible, quoted, without_invisible};
use crate::value::is_decimal;
use crate::workspace::{FieldDefinition, FieldType, Labels, Pipeline};
use crate::{Certainty, FieldValue, Workspace};
use serde_json::Value;
use std::collections::BTreeSet;

use Certainty::{Documented, Inferred};

impl Workspace {
    /// Predicts what telecrm stores of a value in this field.
    pub(crate) fn accept_value(&self, field: &FieldDefinition, value: &FieldValue) -> FieldOutcome {
        if value.is_null() {
            return FieldOutcome::ignore_null();
        }
        let text = value.as_str();
        match &field.field_type {
            FieldType::Text => match text {
                Some(text) => FieldOutcome::keep(text),
                None => drop_value(
                    Documented,
                    "a text field stores only strings",
                    "write the value as a string",
                ),
            },
            FieldType::Email | FieldType::ActiveUsers => accept_address(text.unwrap_or_default()),
            FieldType::Phone => accept_phone(self, text),
            FieldType::Number => accept_number(value),
            FieldType::Rating => accept_rating(value),
            FieldType::Money => accept_money(value),
            FieldType::Date => accept_date(value, &field.date_format(), self.time_zone()),
            FieldType::Dropdown => accept_dropdown(field, text),
            FieldType::Tags => accept_tags(field, value),
            FieldType::Website => accept_website(text),
            FieldType::MediaLink => accept_media_link(text),
            FieldType::Status => accept_label(self.pipeline(), field, text, "status", "LE8"),
            FieldType::LostReason => {
                accept_label(self.pipeline(), field, text, "lost reason", "EN3")
            }
            FieldType::Unknown(_) => FieldOutcome::keep(value.clone()),
        }
    }
}

fn accept_number(value: &FieldValue) -> FieldOutcome {
    let reason = "a number field stores only JSON numbers";
    match value.as_json() {
        Value::Number(_) => FieldOutcome::keep(value.clone()),
        Value::String(text) if is_decimal(text.trim()) => {
            drop_value(Inferred, reason, "write the number without quotes")
        }
        _ => drop_value(Documented, reason, "write a number"),
    }
}

fn accept_rating(value: &FieldValue) -> FieldOutcome {
    match value.as_i64() {
        Some(rating @ 1..=5) => FieldOutcome::keep(rating),
        _ => drop_value(
            Documented,
            "a rating is a whole number from 1 to 5",
            "write a whole number from 1 to 5",
        ),
    }
}

fn accept_money(value: &FieldValue) -> FieldOutcome {
    let reason = "money is a string of digits with at most one point";
    let hint = "write the amount without blanks, commas and currency signs, such as \"1250.50\"";
    match value.as_str() {
        Some(text) if is_decimal(text) => FieldOutcome::keep(text),
        Some(text) if is_decimal(text.trim()) => drop_value(Inferred, reason, hint),
        None if value.as_json().is_number() => drop_value(
            Inferred,
            "money is a string of digits, not a JSON number",
            "write the amount as a string, such as \"1250.50\"",
        ),
        _ => drop_value(Documented, reason, hint),
    }
}

fn accept_address(text: &str) -> FieldOutcome {
    let stored = text.trim();
    let visible = without_invisible(stored);
    if !is_email(&visible) {
        return drop_value(
            Documented,
            "an email address has the form local@domain.tld",
            "write an address such as jane.doe@example.com",
        );
    }
    if let Some(invisible) = find_invisible(stored) {
        let reason = format!("stored with {invisible}, which a search by the address misses");
        let note = Note::inferred("", reason).hint(format!("write `{visible}`"));
        return FieldOutcome::change(stored, note);
    }
    if stored != text {
        let note = Note::inferred("", "stored without the blanks around the address");
        return FieldOutcome::change(stored, note);
    }
    FieldOutcome::keep(text)
}

fn accept_dropdown(field: &FieldDefinition, text: Option<&str>) -> FieldOutcome {
    let known = || field.options.iter().map(String::as_str);
    match text {
        Some(text) if known().any(|label| label == text) => FieldOutcome::keep(text),
        Some(text) if text.trim().is_empty() => drop_value(
            Inferred,
            "an empty text is not the label of an option",
            "write a label or leave the field out",
        ),
        Some(text) => {
            let reason = format!("telecrm creates the new option `{text}`");
            let existing = || {
                let known = quoted(known());
                (!known.is_empty()).then(|| format!("use one of {known} unless you want a new one"))
            };
            let similar = similar_name(text, known());
            let note = Note::documented("EN5", reason).maybe_hint(similar.or_else(existing));
            FieldOutcome::create(text, &[text], note)
        }
        None => drop_value(
            Documented,
            "a dropdown stores the label of an option as a string",
            "write the label of an option",
        ),
    }
}

fn accept_tags(field: &FieldDefinition, value: &FieldValue) -> FieldOutcome {
    let Some(tags) = value.as_strings() else {
        return drop_value(
            Documented,
            "tags are a list of strings",
            "write a list such as [\"VIP\", \"Returning\"]",
        );
    };
    let mut known: BTreeSet<_> = field.options.iter().map(String::as_str).collect();
    let new: Vec<_> = tags.into_iter().filter(|tag| known.insert(tag)).collect();
    // If the workspace lists no tags, it is unknown which ones are new.
    if new.is_empty() || field.options.is_empty() {
        return FieldOutcome::keep(value.clone());
    }
    let tags = if new.len() == 1 { "tag" } else { "tags" };
    let reason = format!("telecrm creates the new {tags} {}", quoted(&new));
    FieldOutcome::create(value.clone(), &new, Note::inferred("EN5", reason))
}

fn accept_website(text: Option<&str>) -> FieldOutcome {
    match text {
        Some(text) if is_web_address(text) => FieldOutcome::keep(text),
        _ => drop_value(
            if text.is_some() { Inferred } else { Documented },
            "the value is not a web address",
            "write an address such as https://example.com",
        ),
    }
}

fn accept_media_link(text: Option<&str>) -> FieldOutcome {
    match text {
        Some(text) if has_web_scheme(text) && is_web_address(text) => FieldOutcome::keep(text),
        _ => drop_value(
            if text.is_some() { Inferred } else { Documented },
            "a media link is a public http or https address",
            "write an address that starts with https://",
        ),
    }
}

fn accept_label(
    pipeline: Option<&Pipeline>,
    field: &FieldDefinition,
    text: Option<&str>,
    what: &str,
    pitfall: &'static str,
) -> FieldOutcome {
    let Some(text) = text else {
        return drop_value(
            Documented,
            format!("a {what} is a label, written as a string"),
            "write the label as a string",
        );
    };
    let labels = pipeline.and_then(|pipeline| pipeline.labels(&field.field_type));
    let Some(Labels { active, archived }) = labels else {
        return FieldOutcome::keep(text);
    };
    if active.contains(&text) {
        return FieldOutcome::keep(text);
    }
    let is_same = |label: &&str| same_label(label, text);
    let note = if archived.contains(&text) {
        Note::documented("EN3", format!("the {what} `{text}` is archived"))
    } else if active.iter().chain(&archived).any(is_same) {
        Note::inferred(
            pitfall,
            format!("the workspace spells the {what} differently"),
        )
    } else {
        Note::documented(pitfall, format!("the workspace has no {what} `{text}`"))
    };
    let hint = (!active.is_empty()).then(|| format!("use one of {}", quoted(&active)));
    FieldOutcome::drop(note.maybe_hint(hint))
}

/// Whether a text has the form `local@domain.tld`, without blanks and a second `@`.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && !text.contains(char::is_whitespace)
        && !domain.contains('@')
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

fn has_web_scheme(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn is_web_address(text: &str) -> bool {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    !text.contains(char::is_whitespace)
        && (has_web_scheme(text) || !text.contains("://"))
        && !host.is_empty()
        && (host.contains('.') || host.starts_with("localhost"))
}
