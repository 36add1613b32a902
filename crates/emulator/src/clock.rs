//! Time: the only module that reads the machine's clock or sleeps.
#![expect(clippy::disallowed_methods, reason = "only this module reads the clock and sleeps")]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use telecrm_core::constant_error;
use tokio::time::{self, Instant};

/// Longer than any emulator runs. A longer wait would overflow an `Instant`.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The latest time in Unix milliseconds that fits into an ID, which has 32 bits for the seconds.
const LATEST: i64 = u32::MAX as i64 * 1000 + 999;

/// The clock of the workspace: whether it runs or is paused, and at which time. Delays do not
/// follow it: a delay of a second takes a second. The state file keeps it under these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClockState {
    /// Runs this many milliseconds ahead of the machine's clock.
    #[serde(rename = "ahead")]
    Running(i64),
    /// Paused at this Unix time in milliseconds.
    #[serde(rename = "held")]
    Paused(i64),
}

impl Default for ClockState {
    fn default() -> Self {
        Self::Running(0)
    }
}

impl ClockState {
    /// The time in Unix milliseconds.
    pub(crate) fn now(self) -> i64 {
        match self {
            Self::Running(ahead) => machine().saturating_add(ahead),
            Self::Paused(now) => now,
        }
    }

    /// The clock at another time. A paused clock stays paused.
    pub(crate) fn at(self, now: i64) -> Result<Self, ClockError> {
        if !(0..=LATEST).contains(&now) {
            return Err(ClockError);
        }
        Ok(match self {
            Self::Running(_) => Self::Running(now - machine()),
            Self::Paused(_) => Self::Paused(now),
        })
    }

    /// The clock this many milliseconds later, or earlier if they are negative.
    pub(crate) fn advanced(self, millis: i64) -> Result<Self, ClockError> {
        self.at(self.now().saturating_add(millis))
    }

    pub(crate) fn paused(self) -> Self {
        Self::Paused(self.now())
    }

    /// The clock, which runs on from its current time.
    pub(crate) fn resumed(self) -> Self {
        Self::Running(self.now() - machine())
    }
}

/// An error for a time before 1970 or after 2106. Lead IDs cannot hold such a time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{ClockError, Emulator};
///
/// let emulator = Emulator::start().await?;
/// assert_eq!(emulator.set_clock("1969-12-31T00:00:00Z".parse()?), Err(ClockError));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockError;

constant_error!(
    ClockError,
    "the time is outside the range of lead IDs",
    "use a time between 1970 and 2106"
);

/// The machine's time in Unix milliseconds, regardless of the workspace's clock.
pub(crate) fn machine() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The moment after this delay.
pub(crate) fn after(delay: Duration) -> Instant {
    Instant::now() + delay.min(FOREVER)
}

/// Measures the time since its start.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits until this moment.
pub(crate) async fn wait_until(moment: Instant) {
    time::sleep_until(moment).await;
}

/// Returns the output of `work`, or None if it takes longer than the limit.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    time::timeout(limit, work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_clock_shows_the_machines_time() {
        let clock = ClockState::default();
        assert!((clock.now() - machine()).abs() < 60_000);
    }

    #[test]
    fn a_paused_clock_moves_only_by_set_and_advance() {
        let clock = ClockState::default().paused().at(1_000).expect("a valid time");
        assert_eq!(clock, ClockState::Paused(1_000));
        assert_eq!(clock.now(), 1_000);
        let clock = clock.advanced(500).expect("a valid time");
        assert_eq!(clock.now(), 1_500);
    }

    #[test]
    fn a_resumed_clock_runs_on_from_its_time() {
        let clock = ClockState::Paused(1_500).resumed();
        assert!((1_500..61_500).contains(&clock.now()));
    }

    #[test]
    fn a_refused_time_leaves_the_clock_as_it_was() {
        let clock = ClockState::Paused(1_500);
        assert_eq!(clock.at(-1), Err(ClockError));
        assert_eq!(clock.advanced(i64::MAX), Err(ClockError));
        assert_eq!(clock.now(), 1_500);
    }
}
