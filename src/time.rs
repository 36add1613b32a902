//! The only place that reads the clock and sleeps, so that everything else can be tested without waiting.

use std::time::{Duration, Instant};

/// A point in time for measuring distances.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
