//! Dates: Unix milliseconds, and strings in the workspace's format (pitfall AS4).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};

/// The format of `created_on`, and of fields whose format the workspace does not tell.
pub(crate) const DEFAULT_FORMAT: &str = "DD/MM/YYYY";

/// A workspace's format of dates, such as `DD/MM/YYYY HH:mm`: what telecrm shows, and reads where a date is sent as text.
///
/// What is sent is better a [`jiff::Timestamp`], which goes out as milliseconds and means one thing (AS4). A format says nothing of
/// the zone, so that is told each time.
///
/// ```
/// use telecrm_core::{DateFormat, Workspace};
///
/// let workspace = Workspace::sample();
/// let format = workspace.field("follow_up_date").and_then(|field| field.date_format.as_deref());
/// let format = DateFormat::new(format.unwrap_or("DD/MM/YYYY"));
/// let kolkata = jiff::tz::TimeZone::get("Asia/Kolkata")?;
/// let due = "2026-06-01T10:30:00+05:30".parse()?;
/// assert_eq!(format.print(due, &kolkata)?, "01/06/2026 10:30");
/// assert_eq!(format.parse("01/06/2026 10:30", &kolkata), Some(due));
/// assert_eq!(format.parse("June", &kolkata), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat(String);

impl DateFormat {
    /// From `YYYY`, `YY`, `MMMM`, `MMM`, `MM`, `M`, `DD`, `D`, `HH`, `H`, `hh`, `h`, `mm`, `ss` and `A`, and what stands between them.
    pub fn new(format: impl Into<String>) -> Self {
        Self(format.into())
    }

    /// The time that a text tells on clocks in this zone. Its time of day may be left out, or have seconds, whatever the format says.
    pub fn parse(&self, text: &str, zone: &TimeZone) -> Option<Timestamp> {
        Timestamp::from_millisecond(parse(text, &self.0, zone)?).ok()
    }

    /// What clocks in this zone tell at a time.
    ///
    /// # Errors
    /// As [`jiff::fmt::strtime::format`]; none of these formats is known to fail.
    pub fn print(&self, time: Timestamp, zone: &TimeZone) -> Result<String, jiff::Error> {
        strtime::format(to_strftime(&self.0), &time.to_zoned(zone.clone()))
    }
}

/// A date string in the workspace's format as Unix milliseconds.
///
/// The documentation sends seconds to a field whose format has none, so the time of day may be
/// left out, or given with or without seconds, whatever the format says of it.
pub(crate) fn parse(text: &str, format: &str, zone: &TimeZone) -> Option<i64> {
    to_millis(parse_civil(text, format)?, zone)
}

/// A date string in the workspace's format as a time on the wall.
pub(crate) fn parse_civil(text: &str, format: &str) -> Option<DateTime> {
    let format = to_strftime(format);
    // The date's part of the format, as far as its first token of time.
    let mut date = format.as_str();
    for token in ["%H", "%-H", "%I", "%-I", "%M", "%S", "%p"] {
        if let Some((before, _)) = date.split_once(token) {
            date = before.trim_end();
        }
    }
    let read = |format: &str| {
        let parsed = strtime::parse(format, text).ok()?;
        let date = parsed.to_date().ok()?;
        // Year 26 is nobody's: which century is meant is not for us to say.
        if format.contains("%Y") && date.year() < 1000 {
            return None;
        }
        let time = parsed.to_time().unwrap_or_default();
        Some(date.to_datetime(time))
    };
    read(&format)
        .or_else(|| read(&format!("{date} %H:%M")))
        .or_else(|| read(&format!("{date} %H:%M:%S")))
        .or_else(|| read(date))
}

/// An ISO 8601 date, with or without a time and an offset, as Unix milliseconds. telecrm does not
/// understand these; this is how they are mended.
pub(crate) fn parse_iso(text: &str, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    to_millis(text.parse().ok()?, zone)
}

fn to_millis(time: DateTime, zone: &TimeZone) -> Option<i64> {
    let timestamp = zone.to_ambiguous_timestamp(time).compatible().ok()?;
    Some(timestamp.as_millisecond())
}

/// `DD/MM/YYYY HH:mm` as `%d/%m/%Y %H:%M`.
fn to_strftime(format: &str) -> String {
    const TOKENS: [(&str, &str); 15] = [
        ("YYYY", "%Y"),
        ("YY", "%y"),
        ("MMMM", "%B"),
        ("MMM", "%b"),
        ("MM", "%m"),
        ("M", "%-m"),
        ("DD", "%d"),
        ("D", "%-d"),
        ("HH", "%H"),
        ("H", "%-H"),
        ("hh", "%I"),
        ("h", "%-I"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("A", "%p"),
    ];
    let mut rest = format;
    let mut out = String::new();
    while let Some(next) = rest.chars().next() {
        if let Some((token, directive)) = TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
            out.push_str(directive);
            rest = &rest[token.len()..];
        } else {
            out.push(next);
            if next == '%' {
                out.push('%');
            }
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kolkata() -> TimeZone {
        TimeZone::get("Asia/Kolkata").expect("bundled")
    }

    #[test]
    fn as4_workspace_strings_are_read_with_or_without_a_time() {
        let morning = Some(1_780_290_000_000);
        for text in ["01/06/2026 10:30", "01/06/2026 10:30:00", "1/6/2026 10:30"] {
            assert_eq!(
                parse(text, "DD/MM/YYYY HH:mm", &kolkata()),
                morning,
                "{text}"
            );
        }
        let midnight = Some(1_780_252_200_000);
        for format in ["DD/MM/YYYY", "DD/MM/YYYY HH:mm"] {
            assert_eq!(
                parse("01/06/2026", format, &kolkata()),
                midnight,
                "{format}"
            );
        }
    }

    #[test]
    fn as4_a_year_has_four_digits_where_the_format_has_them() {
        for text in ["1/6/26", "01/06/26 10:30", "01/06/0026"] {
            assert_eq!(parse(text, "DD/MM/YYYY HH:mm", &kolkata()), None, "{text}");
        }
        let morning = Some(1_780_290_000_000);
        assert_eq!(
            parse("01/06/26 10:30", "DD/MM/YY HH:mm", &kolkata()),
            morning
        );
    }

    #[test]
    fn as4_other_formats_are_refused() {
        for text in [
            "2026-06-01",
            "2026-06-01T10:30:00Z",
            "31/02/2026",
            "06/31/2026",
            "tomorrow",
            "",
        ] {
            assert_eq!(parse(text, "DD/MM/YYYY HH:mm", &kolkata()), None, "{text}");
        }
    }

    #[test]
    fn the_workspace_decides_between_day_and_month() {
        let new_year_plus = parse("02/01/2026", "MM/DD/YYYY", &TimeZone::UTC);
        assert_eq!(
            new_year_plus,
            parse("01/02/2026", "DD/MM/YYYY", &TimeZone::UTC)
        );
        assert_eq!(
            parse("1 Jun 2026 10:30 PM", "D MMM YYYY hh:mm A", &TimeZone::UTC),
            parse("2026-06-01 22:30", "YYYY-MM-DD HH:mm", &TimeZone::UTC)
        );
    }

    #[test]
    fn iso_dates_are_understood_for_mending() {
        assert_eq!(
            parse_iso("2026-06-01T10:30:00+05:30", &TimeZone::UTC),
            Some(1_780_290_000_000)
        );
        assert_eq!(
            parse_iso("2026-06-01T10:30", &kolkata()),
            Some(1_780_290_000_000)
        );
        assert_eq!(parse_iso("2026-06-01", &kolkata()), Some(1_780_252_200_000));
        assert_eq!(parse_iso("June", &kolkata()), None);
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let time: Timestamp = "2026-06-01T04:05:00Z".parse().unwrap();
        for (format, zone, printed) in [
            ("DD/MM/YYYY HH:mm", "Asia/Kolkata", "01/06/2026 09:35"),
            ("MM-DD-YYYY hh:mm A", "Asia/Dubai", "06-01-2026 08:05 AM"),
            ("D/M/YYYY H:mm", "Asia/Kolkata", "1/6/2026 9:35"),
            (
                "D MMM YYYY h:mm A",
                "America/New_York",
                "1 Jun 2026 12:05 AM",
            ),
            ("DD MMMM YYYY, HH:mm:ss", "UTC", "01 June 2026, 04:05:00"),
            ("YY.MM.DD HH:mm 100%", "UTC", "26.06.01 04:05 100%"),
        ] {
            let (format, zone) = (DateFormat::new(format), TimeZone::get(zone).unwrap());
            assert_eq!(format.print(time, &zone).unwrap(), printed);
            assert_eq!(format.parse(printed, &zone), Some(time), "{printed}");
        }
        // Zeros in front may be there or not.
        let format = DateFormat::new("D/M/YYYY H:mm");
        assert_eq!(format.parse("01/06/2026 04:05", &TimeZone::UTC), Some(time));
        let format = DateFormat::new("DD/MM/YYYY HH:mm");
        assert_eq!(format.parse("1/6/2026 4:05", &TimeZone::UTC), Some(time));
    }
}
