//! The clock: the only module that reads the time or waits.
#![expect(clippy::disallowed_methods, reason = "all other modules use this one")]

use std::time::{Duration, Instant};

/// The current time, for measuring durations.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The date in UTC.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Waits for the duration.
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Awaits the future. Returns None if it takes longer than the limit.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    tokio::time::timeout(limit, work).await.ok()
}

/// Formats a duration for people: to the second below an hour, to the minute above.
pub(crate) fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_formatted_to_the_second_or_the_minute() {
        for (seconds, text) in [(7, "7 s"), (61, "1 min 1 s"), (4020, "1 h 7 min")] {
            assert_eq!(format_duration(Duration::from_secs(seconds)), text);
        }
    }
}
