//! The one place that reads the clock or waits.
#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::time::Duration;
use tokio::time::{self, Instant};

/// Longer than any emulator runs; a longer wait would overflow the clock.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Now, in Unix milliseconds.
pub(crate) fn now_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// This moment.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The moment that comes after this delay.
pub(crate) fn after(delay: Duration) -> Instant {
    Instant::now() + delay.min(FOREVER)
}

/// The machine's time in Unix milliseconds, whatever time it is in the workspace.
pub(crate) fn machine_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Where a measurement begins: what it gives tells how long ago that was.
pub(crate) fn stopwatch() -> impl Fn() -> Duration {
    let began = Instant::now();
    move || began.elapsed()
}

/// Waits for a moment, if it is still to come.
pub(crate) async fn wait_until(moment: Instant) {
    time::sleep_until(moment).await;
}

/// What comes of `work` if it is done within the limit.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    time::timeout(limit, work).await.ok()
}
