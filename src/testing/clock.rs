//! A clock for tests, on which no wait takes real time.

use crate::clock::{Clock, SystemClock};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A clock on which every wait ends immediately, and moves the time forward. Clones share their
/// time.
///
/// ```
/// use std::time::Duration;
/// use telecrm::Clock;
/// use telecrm::testing::ManualClock;
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now() - start, Duration::from_secs(3600));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Instant,
    date: SystemTime,
    passed: Arc<Mutex<Passed>>,
}

#[derive(Debug, Default)]
struct Passed {
    slept: Duration,
    advanced: Duration,
}

impl ManualClock {
    /// A clock that stands still at the present.
    pub fn new() -> Self {
        Self { start: SystemClock.now(), date: SystemClock.date(), passed: Arc::default() }
    }

    /// Moves the time forward.
    pub fn advance(&self, duration: Duration) {
        self.lock().advanced += duration;
    }

    /// The duration of all waits together.
    pub fn slept(&self) -> Duration {
        self.lock().slept
    }

    fn passed(&self) -> Duration {
        let passed = self.lock();
        passed.slept + passed.advanced
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.lock().slept += duration;
        Box::pin(std::future::ready(()))
    }

    fn date(&self) -> SystemTime {
        self.date + self.passed()
    }
}
