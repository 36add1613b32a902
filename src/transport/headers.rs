//! Headers of responses: when the server answered, and how long it asks to wait.

use crate::clock::Clock;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
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
    if let Ok(seconds) = text.parse() {
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

fn parse_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
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
    fn retry_after_that_cannot_be_read_is_ignored() {
        assert_eq!(seconds(Some("soon"), None), None);
        assert_eq!(seconds(Some("-5"), None), None);
        assert_eq!(seconds(None, HALF_PAST_TEN), None);
    }
}
