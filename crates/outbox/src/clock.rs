//! The only module that reads the time and sleeps.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use telecrm::Clock;

/// A point in time, in milliseconds since 1970.
pub(crate) type Millis = i64;

/// The duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

/// The time of one open outbox.
///
/// The date of the machine is read once. From there on a monotonic clock counts, so that a step of
/// the date neither ends a wait early nor allows a burst.
#[derive(Clone)]
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    opened: Instant,
    date: Millis,
}

impl Time {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let date = clock.date().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { opened: clock.now(), date: millis(date), clock }
    }

    pub(crate) fn now(&self) -> Millis {
        self.date + millis(self.clock.now().saturating_duration_since(self.opened))
    }

    /// Waits for the given number of milliseconds.
    pub(crate) async fn sleep(&self, wait: Millis) {
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or_default());
        self.clock.sleep(wait).await;
    }
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this module reads the clock")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this module sleeps")]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
