//! What telecrm stores of a value, by the type of its field.

use super::date::accept_date;
use super::doubt::with_text_doubt;
use super::field_outcome::{FieldOutcome, Note, drop_value};
use super::phone::accept_phone;
use crate::suggest::similar_name;
use crate::text::{
    describe, find_invisible, folded, is_blank, is_folded, quoted, shown, without_invisible,
};
use crate::value::{Decimal, is_decimal};
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
        let accepted = match &field.field_type {
            FieldType::Text => text.map(FieldOutcome::keep).ok_or(Documented),
            FieldType::Email | FieldType::ActiveUsers => accept_email(text.unwrap_or_default()),
            FieldType::Phone => return accept_phone(self, text),
            FieldType::Number => accept_number(value),
            FieldType::Rating => accept_rating(value),
            FieldType::Money => accept_money(value),
            FieldType::Date => {
                return accept_date(value, &field.date_format(), self.time_zone());
            }
            FieldType::Dropdown => accept_dropdown(field, text),
            FieldType::Tags => accept_tags(field, value),
            FieldType::Website => accept_address(text, is_web_address),
            FieldType::MediaLink => {
                accept_address(text, |text| has_web_scheme(text) && is_web_address(text))
            }
            FieldType::Status => accept_label(self.pipeline(), field, text, "status", "LE8"),
            FieldType::LostReason => {
                accept_label(self.pipeline(), field, text, "lost reason", "EN3")
            }
            FieldType::Unknown(_) => Ok(FieldOutcome::keep(value.clone())),
        };
        let (reason, hint) = expectation(&field.field_type);
        let outcome = accepted.unwrap_or_else(|certainty| drop_value(certainty, reason, hint));
        let tags = value.as_json().as_array().into_iter().flatten();
        let texts = text.into_iter().chain(tags.filter_map(Value::as_str));
        texts.fold(outcome, with_text_doubt)
    }
}

/// What a field of this type stores, and how to write it: the reason and the hint for every value
/// that does not fit.
fn expectation(field_type: &FieldType) -> (&'static str, &'static str) {
    match field_type {
        FieldType::Text => ("a text field stores only strings", "write the value as a string"),
        FieldType::Email | FieldType::ActiveUsers => (
            "an email address has the form local@domain.tld",
            "write an address such as jane.doe@example.com",
        ),
        FieldType::Number => {
            ("a number field stores only JSON numbers", "write a number, without quotes")
        }
        FieldType::Rating => {
            ("a rating is a whole number from 1 to 5", "write a whole number from 1 to 5")
        }
        FieldType::Money => (
            "money is a string of digits with at most one point",
            "write a string such as \"1250.50\", without blanks, commas and currency signs",
        ),
        FieldType::Dropdown => {
            ("a dropdown stores the label of an option", "write the label of an option as a string")
        }
        FieldType::Tags => {
            ("tags are a list of strings", "write a list such as [\"VIP\", \"Returning\"]")
        }
        FieldType::Website => {
            ("the value is not a web address", "write an address such as https://example.com")
        }
        FieldType::MediaLink => (
            "a media link is a public http or https address",
            "write an address that starts with https://",
        ),
        _ => {
            ("the value is not the label of a status or lost reason", "write the label as a string")
        }
    }
}

/// The outcome for a value that fits the type, or how certain it is that telecrm drops the value.
type Accepted = Result<FieldOutcome, Certainty>;

fn accept_number(value: &FieldValue) -> Accepted {
    match value.as_json() {
        Value::Number(_) => Ok(match rounded(value) {
            None => FieldOutcome::keep(value.clone()),
            Some(rounded) => {
                let reason = format!("the number has too many digits: it becomes {rounded}");
                let hint = "use a text field for numbers with more than 15 digits";
                drop_value(Inferred, reason, hint)
            }
        }),
        Value::String(text) if is_decimal(text.trim()) => Err(Inferred),
        _ => Err(Documented),
    }
}

/// The nearest double of a number that none is equal to. JSON readers keep numbers as doubles.
fn rounded(value: &FieldValue) -> Option<String> {
    let digits = value.digits()?;
    // Every number of so many digits is a double, or becomes one that is written alike.
    if digits.len() <= 15 {
        return None;
    }
    let double = value.as_f64()?;
    let nearest = if double.abs() < 1e21 { double.to_string() } else { format!("{double:e}") };
    let is_equal = Decimal::from_json_number(&digits) == Decimal::from_json_number(&nearest);
    (!is_equal).then_some(nearest)
}

fn accept_rating(value: &FieldValue) -> Accepted {
    match value.as_i64() {
        Some(rating @ 1..=5) => Ok(FieldOutcome::keep(rating)),
        _ => Err(Documented),
    }
}

fn accept_money(value: &FieldValue) -> Accepted {
    match value.as_json() {
        Value::String(text) if is_decimal(text) => Ok(FieldOutcome::keep(text.as_str())),
        Value::String(text) if is_decimal(text.trim()) => Err(Inferred),
        Value::Number(_) => Err(Inferred),
        _ => Err(Documented),
    }
}

fn accept_email(text: &str) -> Accepted {
    let stored = text.trim();
    let visible = without_invisible(stored);
    if !is_email(&visible) {
        return Err(Documented);
    }
    Ok(match find_invisible(stored) {
        Some(invisible) => {
            let reason = format!("stored with {invisible}, which a search by the address misses");
            let note = Note::inferred("", reason).hint(format!("write `{}`", shown(&visible)));
            FieldOutcome::change(stored, note)
        }
        None if odd_in_email(stored).is_some() => {
            let odd = odd_in_email(stored).map(describe).unwrap_or_default();
            let note = Note::inferred("", format!("the address has {odd}"));
            FieldOutcome::keep(stored).doubt(note.hint("write the address only"))
        }
        None if stored == text => FieldOutcome::keep(text),
        None => {
            let note = Note::inferred("", "stored without the blanks around the address");
            FieldOutcome::change(stored, note)
        }
    })
}

fn accept_dropdown(field: &FieldDefinition, text: Option<&str>) -> Accepted {
    let text = text.ok_or(Documented)?;
    let known = || field.options.iter().map(String::as_str);
    if known().any(|label| label == text) {
        return Ok(FieldOutcome::keep(text));
    }
    if is_blank(text) {
        return Err(Inferred);
    }
    let existing = || {
        let known = quoted(known());
        (!known.is_empty()).then(|| format!("use one of {known} unless you want a new one"))
    };
    let hint = similar_name(text, known()).or_else(existing);
    let reason = format!("telecrm creates the new option `{}`", shown(text));
    let note = Note::documented("EN5", reason).maybe_hint(hint);
    Ok(FieldOutcome::create(text, &[text], note))
}

fn accept_tags(field: &FieldDefinition, value: &FieldValue) -> Accepted {
    let tags = value.as_strings().ok_or(Documented)?;
    let mut known: BTreeSet<_> = field.options.iter().map(String::as_str).collect();
    let new: Vec<_> = tags.into_iter().filter(|tag| known.insert(tag)).collect();
    // If the workspace lists no tags, it is unknown which ones are new.
    if new.is_empty() || field.options.is_empty() {
        return Ok(FieldOutcome::keep(value.clone()));
    }
    let tags = if new.len() == 1 { "tag" } else { "tags" };
    let reason = format!("telecrm creates the new {tags} {}", quoted(&new));
    let note = Note::inferred("EN5", reason);
    Ok(FieldOutcome::create(value.clone(), &new, note))
}

/// Accepts a string that fits. The documentation does not say which addresses do.
fn accept_address(text: Option<&str>, fits: impl Fn(&str) -> bool) -> Accepted {
    let text = text.ok_or(Documented)?;
    if fits(text) { Ok(FieldOutcome::keep(text)) } else { Err(Inferred) }
}

fn accept_label(
    pipeline: Option<&Pipeline>,
    field: &FieldDefinition,
    text: Option<&str>,
    what: &str,
    pitfall: &'static str,
) -> Accepted {
    let text = text.ok_or(Documented)?;
    let labels = pipeline.and_then(|pipeline| pipeline.labels(&field.field_type));
    let Some(Labels { active, archived }) = labels else {
        return Ok(FieldOutcome::keep(text));
    };
    if active.contains(&text) {
        return Ok(FieldOutcome::keep(text));
    }
    let mut all = active.iter().chain(&archived);
    let bare = folded(text);
    let note = if archived.contains(&text) {
        Note::documented("EN3", format!("the {what} `{text}` is archived"))
    } else if all.any(|label| is_folded(label, &bare)) {
        Note::inferred(pitfall, format!("the workspace spells the {what} differently"))
    } else {
        Note::documented(pitfall, format!("the workspace has no {what} `{}`", shown(text)))
    };
    let hint = (!active.is_empty()).then(|| format!("use one of {}", quoted(&active)));
    Ok(FieldOutcome::drop(note.maybe_hint(hint)))
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

/// The first character that is hardly part of an address: what a list, a mail program or a
/// spreadsheet puts around it.
pub(crate) fn odd_in_email(address: &str) -> Option<char> {
    const QUOTES: [char; 7] = ['"', '“', '”', '‘', '«', '»', '`'];
    let is_odd_domain = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._".contains(c);
    let is_odd = |c: char| QUOTES.contains(&c) || "<>,;:()[]\\".contains(c);
    // Most addresses have nothing else, so that this is quick.
    if address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@.-_+".contains(&byte)) {
        return None;
    }
    let (local, domain) = address.split_once('@')?;
    let quote = local.chars().next().filter(|c| matches!(c, '\'' | '’'));
    quote
        .or_else(|| local.chars().find(|c| is_odd(*c)))
        .or_else(|| domain.chars().find(|c| is_odd(*c) || is_odd_domain(*c) || *c == '’'))
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
