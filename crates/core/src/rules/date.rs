//! What telecrm stores of a date (pitfall AS4).

use super::field_outcome::{FieldOutcome, Note};
use crate::FieldValue;
use crate::workspace::{ActionDefinition, DateFormat, to_timestamp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Numbers that are plausible as seconds (1990 to 2100), and hardly meant as milliseconds.
const LIKELY_SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

/// Checks the value of a date field.
pub(super) fn accept_date(
    value: &FieldValue,
    format: &DateFormat,
    zone: &TimeZone,
) -> FieldOutcome {
    let reason = format!("a date is Unix milliseconds or text in the format {format}");
    let hint = "write Unix milliseconds";
    let documented = || FieldOutcome::drop(Note::documented("AS4", reason.as_str()).hint(hint));
    let inferred = || FieldOutcome::drop(Note::inferred("AS4", reason.as_str()).hint(hint));
    match value.as_json() {
        Value::Number(_) => match value.as_i64() {
            Some(seconds) if LIKELY_SECONDS.contains(&seconds) => {
                let note = Note::inferred("AS4", "as milliseconds, the date is in January 1970");
                FieldOutcome::change(seconds, note.hint("multiply seconds by 1000"))
            }
            Some(millis) => FieldOutcome::keep(millis),
            None => inferred(),
        },
        Value::String(text) => match format.parse(text, zone) {
            Some(time) => FieldOutcome::keep(time),
            None if text.trim().parse::<i64>().is_ok() => inferred(),
            None => documented(),
        },
        _ => documented(),
    }
}

/// Checks the time to which an action is backdated.
pub(super) fn accept_created_on(
    written: &FieldValue,
    definition: &ActionDefinition,
    zone: &TimeZone,
) -> Result<i64, Note> {
    if !definition.allows_predated {
        let code = definition.code.prefixed();
        let reason = format!("the workspace does not allow {code} to be backdated");
        return Err(Note::documented("", reason).hint("leave it out"));
    }
    let millis = match written.as_json() {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let time = DateFormat::default().parse(text, zone);
            time.map(Timestamp::as_millisecond)
        }
        _ => None,
    };
    let reason = "`created_on` is Unix milliseconds or text in the format DD/MM/YYYY HH:mm:ss";
    millis.ok_or_else(|| Note::documented("AS4", reason).hint("write Unix milliseconds"))
}

/// Reads an ISO 8601 date, with or without time and offset. telecrm does not understand these, but
/// a check repairs them.
pub(crate) fn parse_iso(text: &str, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    let time = match text.parse() {
        Ok(time) => time,
        Err(_) => to_timestamp(text.parse().ok()?, zone)?,
    };
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str, zone: &str, expected: Option<i64>) {
        let zone = TimeZone::get(zone).expect("bundled");
        assert_eq!(parse_iso(text, &zone), expected);
    }

    cases! { iso:
        offset("2026-06-01T10:30:00+05:30", "UTC", Some(1_780_290_000_000)),
        time_in_the_zone("2026-06-01T10:30", "Asia/Kolkata", Some(1_780_290_000_000)),
        date_in_the_zone("2026-06-01", "Asia/Kolkata", Some(1_780_252_200_000)),
        month_name("June", "Asia/Kolkata", None),
    }
}
