//! What telecrm stores of a date (pitfall AS4).

use super::field_outcome::{FieldOutcome, Note};
use crate::FieldValue;
use crate::text::{is_blank_char, is_invisible, trim};
use crate::workspace::{ActionDefinition, DateFormat, ReadDate, to_timestamp};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// The years that are plausible for a lead.
const YEARS: RangeInclusive<i64> = 1900..=2100;

const DAY_MILLIS: i64 = 86_400_000;
const YEAR_MILLIS: i64 = 31_556_952_000;

/// Checks the value of a date field.
pub(super) fn accept_date(
    value: &FieldValue,
    format: &DateFormat,
    zone: &TimeZone,
) -> FieldOutcome {
    accept(
        value,
        format,
        zone,
        &format!("a date is Unix milliseconds or text in the format {format}"),
    )
}

/// Checks the time to which an action is backdated.
pub(super) fn accept_created_on(
    value: &FieldValue,
    definition: &ActionDefinition,
    zone: &TimeZone,
) -> FieldOutcome {
    if !definition.allows_predated {
        let code = definition.code.prefixed();
        let reason = format!("the workspace does not allow {code} to be backdated");
        return FieldOutcome::drop(Note::documented("", reason).hint("leave it out"));
    }
    let reason = "`created_on` is Unix milliseconds or text in the format DD/MM/YYYY HH:mm:ss";
    accept(value, &DateFormat::default(), zone, reason)
}

fn accept(value: &FieldValue, format: &DateFormat, zone: &TimeZone, reason: &str) -> FieldOutcome {
    let drop = |note: Note| FieldOutcome::drop(note.hint("write Unix milliseconds"));
    match value.as_json() {
        Value::Number(_) => match value.as_i64() {
            Some(millis) => with_doubt(millis, number_doubt(millis, zone)),
            None => drop(Note::inferred("AS4", reason)),
        },
        Value::String(text) => match format.read(text, zone) {
            Some(date) => with_doubt(date.millis, text_doubt(&date, format, zone)),
            None => match trim(text).parse() {
                Ok(number) => {
                    let hint = other_unit(number).map_or_else(
                        || "write Unix milliseconds as a number".to_owned(),
                        |unit| format!("write Unix milliseconds as a number; {unit}"),
                    );
                    FieldOutcome::drop(Note::inferred("AS4", reason).hint(hint))
                }
                Err(_) => drop(Note::documented("AS4", reason)),
            },
        },
        _ => drop(Note::documented("AS4", reason)),
    }
}

fn with_doubt(millis: i64, doubt: Option<Note>) -> FieldOutcome {
    match doubt {
        Some(note) => FieldOutcome::keep(millis).doubt(note),
        None => FieldOutcome::keep(millis),
    }
}

/// Why a number is probably no date in milliseconds.
fn number_doubt(millis: i64, zone: &TimeZone) -> Option<Note> {
    // From 1971 to 2100, which needs no calendar.
    if (31_536_000_000..SECONDS.end * 1000).contains(&millis) {
        return None;
    }
    // The year of a time that is out of range is near enough.
    let year = match Timestamp::from_millisecond(millis) {
        Ok(time) => time.to_zoned(zone.clone()).year().into(),
        Err(_) => 1970 + millis / YEAR_MILLIS,
    };
    // A number of seconds or days is a time of the first weeks of 1970. Midnights are meant, such
    // as dates of birth.
    let is_near_zero = millis.abs() < SECONDS.end && !is_midnight(millis, zone);
    if YEARS.contains(&year) && !is_near_zero {
        return None;
    }
    let note = Note::inferred("AS4", format!("as milliseconds, the date is in the year {year}"));
    Some(note.maybe_hint(other_unit(millis)))
}

fn is_midnight(millis: i64, zone: &TimeZone) -> bool {
    let in_zone = |time: Timestamp| time.to_zoned(zone.clone()).time();
    let time = Timestamp::from_millisecond(millis);
    millis != 0
        && (millis % DAY_MILLIS == 0 || time.is_ok_and(|time| in_zone(time) == Time::midnight()))
}

/// Seconds from 1990 to 2100.
const SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

/// Says which date a number probably means in another unit.
fn other_unit(number: i64) -> Option<String> {
    let day = |days: i64| {
        let first = jiff::civil::date(1899, 12, 30);
        first.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    };
    let digits = |number: i64| {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
    };
    Some(match number {
        20_000..=80_000 => format!("as a spreadsheet's day, it is {}", day(number)?),
        19_000_101..=21_001_231 => format!("as year, month and day, it is {}", digits(number)?),
        _ if SECONDS.contains(&number) => "multiply seconds by 1000".to_owned(),
        _ if SECONDS.contains(&(number / 1_000_000)) => "divide microseconds by 1000".to_owned(),
        _ if SECONDS.contains(&(number / 1_000_000_000)) => {
            "divide nanoseconds by 1000000".to_owned()
        }
        _ => return None,
    })
}

/// Why a date that telecrm reads is probably not meant.
fn text_doubt(date: &ReadDate, format: &DateFormat, zone: &TimeZone) -> Option<Note> {
    let year = date.civil.year();
    if !YEARS.contains(&year.into()) {
        return Some(Note::inferred("AS4", format!("the date is in the year {year}")));
    }
    // A date without a time is the same day after the gap.
    if date.is_skipped && date.civil.time() != Time::midnight() {
        let zone = zone.iana_name().unwrap_or("the time zone");
        let reason = format!("clocks in {zone} skip this time, so telecrm stores another one");
        return Some(Note::inferred("AS4", reason).hint("write Unix milliseconds"));
    }
    format.has_short_year().then(|| {
        let reason = format!("the year of two digits is read as {year}");
        Note::inferred("AS4", reason).hint("write Unix milliseconds")
    })
}

/// The date without blanks around it and without invisible characters. Blanks inside become plain.
pub(crate) fn tidy_date(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let visible = trim(text).chars().filter(|c| !is_invisible(*c));
    let plain: String = visible.map(|c| if is_blank_char(c) { ' ' } else { c }).collect();
    Cow::Owned(plain.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Reads an ISO 8601 date, with or without time and offset. telecrm does not understand these, but
/// a check repairs them.
pub(crate) fn parse_iso(text: &str, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    let time = match text.parse() {
        Ok(time) => time,
        Err(_) => to_timestamp(text.parse::<DateTime>().ok()?, zone)?,
    };
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason of the doubt about a date in this format and zone.
    fn doubt(text: &str, format: &str, zone: &str, expected: Option<&str>) {
        let zone = TimeZone::get(zone).expect("bundled");
        let outcome = accept_date(&text.into(), &DateFormat::new(format), &zone);
        let finding = outcome.finding(crate::FieldPath::Field("due".into()));
        assert!(finding.iter().all(|finding| finding.kind == crate::FindingKind::Doubtful));
        assert_eq!(finding.map(|finding| finding.reason).as_deref(), expected);
    }

    cases! { doubt:
        plausible("01/06/2026 10:30", "DD/MM/YYYY", "Asia/Kolkata", None),
        two_digits("01/06/26", "DD/MM/YY", "Asia/Kolkata", Some("the year of two digits is read as 2026")),
        skipped_hour(
            "08/03/2026 02:30",
            "dd/MM/yyyy",
            "America/New_York",
            Some("clocks in America/New_York skip this time, so telecrm stores another one"),
        ),
        doubled_hour("01/11/2026 01:30", "DD/MM/YYYY", "America/New_York", None),
        day_without_its_midnight("01/01/1906", "DD/MM/YYYY", "Asia/Kolkata", None),
    }

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
