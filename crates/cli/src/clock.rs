//! The only place that reads the clock or waits.
#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::time::{Duration, Instant};

/// A point in time for measuring distances.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) async fn sleep(length: Duration) {
    tokio::time::sleep(length).await;
}

/// What comes of `work` if it is done within the limit.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    tokio::time::timeout(limit, work).await.ok()
}

/// A length of time as people read it: to the second below an hour, to the minute above.
pub(crate) fn readable(length: Duration) -> String {
    let seconds = length.as_secs();
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
    fn lengths_of_time_are_readable() {
        for (seconds, text) in [(7, "7 s"), (61, "1 min 1 s"), (4020, "1 h 7 min")] {
            assert_eq!(readable(Duration::from_secs(seconds)), text);
        }
    }
}
