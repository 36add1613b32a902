//! Headers of responses: when the server answered, and how long it asks to wait.

use crate::clock::Clock;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use std::time::Duration;

/// When the server answered, by its own clock. Returns `None` if the response has no date.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    parse_date(text(headers, &DATE)?)
}

/// How long the server asks to wait. `Retry-After` holds seconds or a date. A date is compared with
/// the server's clock if the response has a date, else with ours.
pub(crate) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = text(headers, &RETRY_AFTER)?;
    if let Some(seconds) = seconds(text) {
        return Some(Duration::from_secs(seconds));
    }
    let until = parse_date(text)?;
    let now = match date(headers) {
        Some(date) => date,
        None => Timestamp::try_from(clock.date()).ok()?,
    };
    // A date in the past means no wait.
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A number of seconds, rounded up. More than fit into a number are as many as fit.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let rest = fraction.bytes().any(|digit| digit != b'0');
    Some(whole.parse().unwrap_or(u64::MAX).saturating_add(rest.into()))
}

/// A date in one of the three forms of RFC 9110. The weekday adds nothing, so it may be wrong.
fn parse_date(text: &str) -> Option<Timestamp> {
    let parser = DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok().or_else(|| parse_obsolete_date(text))
}

/// A date as in RFC 850 (`Sunday, 06-Nov-94 08:49:37 GMT`) or from `asctime`
/// (`Sun Nov  6 08:49:37 1994`).
fn parse_obsolete_date(text: &str) -> Option<Timestamp> {
    let (format, date) = match text.split_once(", ") {
        Some((_, date)) => {
            let (date, zone) = date.rsplit_once(' ')?;
            let is_utc = ["GMT", "UTC"].iter().any(|name| zone.eq_ignore_ascii_case(name));
            (
                if date.contains('-') { "%d-%b-%y %T" } else { "%d %b %Y %T" },
                is_utc.then_some(date)?,
            )
        }
        None => ("%b %e %T %Y", text.split_once(' ')?.1),
    };
    let date = DateTime::strptime(format, date).ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::pin::Pin;
    use std::time::{Instant, SystemTime};

    /// A clock that shows midnight of the first of June 2026.
    struct Midnight;

    impl Clock for Midnight {
        fn now(&self) -> Instant {
            SystemClock.now()
        }

        fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(std::future::ready(()))
        }

        fn date(&self) -> SystemTime {
            let midnight: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
            midnight.into()
        }
    }

    const HALF_PAST_TEN: Option<&str> = Some("Mon, 01 Jun 2026 10:30:00 GMT");

    /// The seconds to wait after a response with these headers.
    fn seconds(retry_after: Option<&str>, date: Option<&str>) -> Option<u64> {
        let header = |name, text: Option<&str>| Some((name, text?.parse().unwrap()));
        let headers = [header(RETRY_AFTER, retry_after), header(DATE, date)];
        let headers = HeaderMap::from_iter(headers.into_iter().flatten());
        super::retry_after(&headers, &Midnight).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_may_be_seconds() {
        assert_eq!(seconds(Some("17"), None), Some(17));
        assert_eq!(seconds(Some(" 17 "), HALF_PAST_TEN), Some(17));
    }

    #[test]
    fn retry_after_may_be_a_date_by_the_server_s_clock() {
        let nine_seconds_later = Some("Mon, 01 Jun 2026 10:30:09 GMT");
        assert_eq!(seconds(nine_seconds_later, HALF_PAST_TEN), Some(9));
    }

    #[test]
    fn retry_after_is_compared_with_our_clock_if_the_server_sends_no_date() {
        let one_past_midnight = Some("Mon, 01 Jun 2026 00:01:00 GMT");
        assert_eq!(seconds(one_past_midnight, None), Some(60));
        assert_eq!(seconds(one_past_midnight, Some("not a date")), Some(60));
    }

    #[test]
    fn retry_after_in_the_past_is_no_wait() {
        assert_eq!(seconds(Some("Sun, 31 May 2026 23:59:00 GMT"), None), Some(0));
        let a_minute_ago = Some("Mon, 01 Jun 2026 10:29:00 GMT");
        assert_eq!(seconds(a_minute_ago, HALF_PAST_TEN), Some(0));
    }

    #[test]
    fn w14_retry_after_may_be_more_seconds_than_fit() {
        for digits in ["18446744073709551615", "99999999999999999999999"] {
            assert_eq!(seconds(Some(digits), None), Some(u64::MAX));
        }
    }

    #[test]
    fn w14_a_fraction_of_a_second_is_rounded_up() {
        assert_eq!(seconds(Some("1.5"), None), Some(2));
        assert_eq!(seconds(Some("1.0"), None), Some(1));
    }

    #[test]
    fn w14_every_form_of_a_date_is_read() {
        for date in [
            "Mon, 01 Jun 2026 00:01:00 GMT",
            "mon, 01 jun 2026 00:01:00 gmt",
            "Mon, 01 Jun 2026 00:01:00 UTC",
            "Sun, 01 Jun 2026 00:01:00 GMT",
            "Monday, 01-Jun-26 00:01:00 GMT",
            "monday, 01-jun-26 00:01:00 gmt",
            "Mon Jun  1 00:01:00 2026",
            "Mon Jun 01 00:01:00 2026",
        ] {
            assert_eq!(seconds(Some(date), None), Some(60), "{date}");
        }
    }

    #[test]
    fn the_date_of_the_server_may_have_an_obsolete_form() {
        let a_minute_later = Some("Mon, 01 Jun 2026 10:31:00 GMT");
        let date = Some("Monday, 01-Jun-26 10:30:00 GMT");
        assert_eq!(seconds(a_minute_later, date), Some(60));
    }

    #[test]
    fn retry_after_that_cannot_be_read_is_ignored() {
        for text in [
            "soon",
            "-5",
            "+5",
            "",
            "120;x",
            "7, 7",
            "1.",
            ".5",
            "5 s",
            "Sun, 06 Nov 2044 08:49:37",
            "Sunday, 06-Nov-44 08:49:37 IST",
            "Sun Nov 31 08:49:37 2044",
        ] {
            assert_eq!(seconds(Some(text), None), None, "{text}");
        }
        assert_eq!(seconds(None, HALF_PAST_TEN), None);
    }
}
