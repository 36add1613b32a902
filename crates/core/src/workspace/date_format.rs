//! Date formats of a workspace, such as `DD/MM/YYYY HH:mm` (pitfall AS4).

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, fmt::strtime};

/// A date format of a workspace, such as `DD/MM/YYYY HH:mm`.
///
/// telecrm shows dates in this format, and reads dates that are sent as text in it. Send a
/// [`jiff::Timestamp`] instead where you can: it becomes milliseconds, which are unambiguous (AS4).
/// A format does not say the time zone, so each call needs one.
///
/// ```
/// use telecrm_core::Workspace;
/// use telecrm_core::workspace::DateFormat;
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

/// `DD/MM/YYYY`, the format of `created_on` and of fields without a format.
impl Default for DateFormat {
    fn default() -> Self {
        Self::new("DD/MM/YYYY")
    }
}

impl DateFormat {
    /// Creates a format from the tokens `YYYY`, `YY`, `MMMM`, `MMM`, `MM`, `M`, `DD`, `D`, `HH`,
    /// `H`, `hh`, `h`, `mm`, `ss` and `A`, and any text between them. In a format with `yy` or
    /// `yyyy`, days are `dd` or `d`, and `a` is `AM` or `PM`.
    pub fn new(format: impl Into<String>) -> Self {
        Self(format.into())
    }

    /// Reads a date in a time zone. Returns None if the text has another format.
    ///
    /// The time of day can be missing or have seconds, whatever the format says, because the
    /// documentation also sends seconds to a field whose format has none.
    pub fn parse(&self, text: &str, zone: &TimeZone) -> Option<Timestamp> {
        to_timestamp(self.parse_civil(text)?, zone)
    }

    /// Reads a date in a time zone, also one beyond the range of [`Timestamp`].
    pub(crate) fn read(&self, text: &str, zone: &TimeZone) -> Option<ReadDate> {
        let civil = self.parse_civil(text)?;
        let ambiguous = zone.to_ambiguous_timestamp(civil);
        let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let millis = match ambiguous.compatible() {
            Ok(time) => time.as_millisecond(),
            Err(_) => {
                utc_millis(civil) - i64::from(zone.to_offset(nearest(civil)).seconds()) * 1000
            }
        };
        Some(ReadDate { civil, millis, is_skipped })
    }

    /// Whether years have two digits.
    pub(crate) fn has_short_year(&self) -> bool {
        let format = self.0.to_ascii_uppercase();
        format.contains("YY") && !format.contains("YYYY")
    }

    /// Writes a time as a date in a time zone.
    ///
    /// # Errors
    /// Returns an error if [`jiff::fmt::strtime::format`] fails. No format is known for which it
    /// does.
    pub fn print(&self, time: Timestamp, zone: &TimeZone) -> Result<String, jiff::Error> {
        strtime::format(self.to_strftime(), &time.to_zoned(zone.clone()))
    }

    /// Reads a date without a time zone.
    pub(crate) fn parse_civil(&self, text: &str) -> Option<DateTime> {
        let format = self.to_strftime();
        // The part of the format before its first time token.
        let mut date = format.as_str();
        for token in ["%H", "%-H", "%I", "%-I", "%M", "%S", "%p"] {
            if let Some((before, _)) = date.split_once(token) {
                date = before.trim_end();
            }
        }
        let read = |format: &str| {
            let parsed = strtime::parse(format, text).ok()?;
            let date = parsed.to_date().ok()?;
            // A year such as 26 in the place of four digits does not say the century.
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

    /// Converts into the syntax of strftime: `DD/MM/YYYY HH:mm` becomes `%d/%m/%Y %H:%M`.
    fn to_strftime(&self) -> String {
        const TOKENS: [(&str, &str); 16] = [
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
            ("%", "%%"),
        ];
        // The tokens of Java, of which only these differ.
        let java = self.0.contains("yy").then(|| self.0.replace('y', "Y").replace('d', "D"));
        let java = java.map(|format| format.replace('a', "A"));
        let mut rest = java.as_deref().unwrap_or(&self.0);
        let mut out = String::new();
        while let Some(next) = rest.chars().next() {
            let token = TOKENS.iter().find(|(token, _)| rest.starts_with(token));
            if let Some((token, directive)) = token {
                out.push_str(directive);
                rest = &rest[token.len()..];
            } else {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        out
    }
}

impl std::fmt::Display for DateFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A date that was read.
pub(crate) struct ReadDate {
    pub(crate) civil: DateTime,
    pub(crate) millis: i64,
    /// Whether clocks in the zone are put forward over this time.
    pub(crate) is_skipped: bool,
}

/// Unix milliseconds of a date in UTC, also of one beyond the range of [`Timestamp`].
pub(crate) fn utc_millis(date: DateTime) -> i64 {
    let since = date.duration_since(jiff::civil::date(1970, 1, 1).to_datetime(Default::default()));
    since.as_secs() * 1000 + i64::from(since.subsec_millis())
}

/// The first or the last time, for a date beyond it.
fn nearest(date: DateTime) -> Timestamp {
    if date.year() < 0 { Timestamp::MIN } else { Timestamp::MAX }
}

/// The time at which clocks in a zone show a date.
pub(crate) fn to_timestamp(date: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(date).compatible().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORNING: Option<i64> = Some(1_780_290_000_000);
    const MIDNIGHT: Option<i64> = Some(1_780_252_200_000);

    fn parse(text: &str, format: &str, zone: &TimeZone) -> Option<i64> {
        let time = DateFormat::new(format).parse(text, zone)?;
        Some(time.as_millisecond())
    }

    fn kolkata() -> TimeZone {
        TimeZone::get("Asia/Kolkata").expect("bundled")
    }

    fn as4_reads(text: &str, format: &str, expected: Option<i64>) {
        assert_eq!(parse(text, format, &kolkata()), expected);
    }

    cases! { as4_reads:
        a_time("01/06/2026 10:30", "DD/MM/YYYY HH:mm", MORNING),
        seconds("01/06/2026 10:30:00", "DD/MM/YYYY HH:mm", MORNING),
        single_digits("1/6/2026 10:30", "DD/MM/YYYY HH:mm", MORNING),
        a_date("01/06/2026", "DD/MM/YYYY", MIDNIGHT),
        a_date_without_its_time("01/06/2026", "DD/MM/YYYY HH:mm", MIDNIGHT),
        a_year_of_two_digits("01/06/26 10:30", "DD/MM/YY HH:mm", MORNING),
        java_tokens("01/06/2026 10:30", "dd/MM/yyyy HH:mm", MORNING),
        java_tokens_of_one_letter("1/6/26 10:30 AM", "d/M/yy h:mm a", MORNING),
    }

    fn as4_refuses(text: &str) {
        assert_eq!(parse(text, "DD/MM/YYYY HH:mm", &kolkata()), None);
    }

    cases! { as4_refuses:
        a_year_of_two_digits("1/6/26"),
        a_year_of_two_digits_with_time("01/06/26 10:30"),
        a_year_with_leading_zeros("01/06/0026"),
        an_iso_date("2026-06-01"),
        an_iso_time("2026-06-01T10:30:00Z"),
        a_day_that_does_not_exist("31/02/2026"),
        a_month_that_does_not_exist("06/31/2026"),
        a_word("tomorrow"),
        an_empty_text(""),
    }

    #[test]
    fn the_format_decides_between_day_and_month() {
        assert_eq!(
            parse("02/01/2026", "MM/DD/YYYY", &TimeZone::UTC),
            parse("01/02/2026", "DD/MM/YYYY", &TimeZone::UTC)
        );
    }

    #[test]
    fn month_names_and_twelve_hour_clocks_are_read() {
        assert_eq!(
            parse("1 Jun 2026 10:30 PM", "D MMM YYYY hh:mm A", &TimeZone::UTC),
            parse("2026-06-01 22:30", "YYYY-MM-DD HH:mm", &TimeZone::UTC)
        );
    }

    fn time() -> Timestamp {
        "2026-06-01T04:05:00Z".parse().expect("a time")
    }

    fn printed_dates_are_read_back(format: &str, zone: &str, printed: &str) {
        let format = DateFormat::new(format);
        let zone = TimeZone::get(zone).expect("bundled");
        assert_eq!(format.print(time(), &zone).expect("prints"), printed);
        assert_eq!(format.parse(printed, &zone), Some(time()));
    }

    cases! { printed_dates_are_read_back:
        day_first("DD/MM/YYYY HH:mm", "Asia/Kolkata", "01/06/2026 09:35"),
        month_first("MM-DD-YYYY hh:mm A", "Asia/Dubai", "06-01-2026 08:05 AM"),
        no_zeros("D/M/YYYY H:mm", "Asia/Kolkata", "1/6/2026 9:35"),
        month_name("D MMM YYYY h:mm A", "America/New_York", "1 Jun 2026 12:05 AM"),
        full_month_name("DD MMMM YYYY, HH:mm:ss", "UTC", "01 June 2026, 04:05:00"),
        percent_sign("YY.MM.DD HH:mm 100%", "UTC", "26.06.01 04:05 100%"),
    }

    fn leading_zeros_are_optional(format: &str, text: &str) {
        let format = DateFormat::new(format);
        assert_eq!(format.parse(text, &TimeZone::UTC), Some(time()));
    }

    cases! { leading_zeros_are_optional:
        in_a_format_without_them("D/M/YYYY H:mm", "01/06/2026 04:05"),
        in_a_format_with_them("DD/MM/YYYY HH:mm", "1/6/2026 4:05"),
    }
}
