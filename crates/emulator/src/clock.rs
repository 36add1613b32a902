//! The one place that reads the clock or waits.
#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use crate::lock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{self, Instant};

/// Longer than any emulator runs; a longer wait would overflow the clock.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The last moment that an ID can tell, in Unix milliseconds: it has 32 bits for the seconds.
const LAST: i64 = u32::MAX as i64 * 1000 + 999;

/// What time it is in the workspace. Waiting is not ruled by it: a delay of a second takes a second.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Hands>);

/// Where a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hands {
    /// So many milliseconds ahead of the machine's clock.
    Ahead(i64),
    /// Stopped at this Unix time in milliseconds.
    Held(i64),
}

impl Default for Hands {
    fn default() -> Self {
        Self::Ahead(0)
    }
}

impl Clock {
    pub(crate) fn new(hands: Hands) -> Self {
        Self(Mutex::new(hands))
    }

    pub(crate) fn hands(&self) -> Hands {
        *lock(&self.0)
    }

    /// Now, in Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.hands().now()
    }

    /// Sets the time, and goes on or stands still as before.
    pub(crate) fn set(&self, now: i64) -> Result<(), ClockError> {
        let mut hands = lock(&self.0);
        *hands = hands.at(now)?;
        Ok(())
    }

    /// Lets so many milliseconds pass at once; back, if there are less than none.
    pub(crate) fn advance(&self, millis: i64) -> Result<(), ClockError> {
        let mut hands = lock(&self.0);
        *hands = hands.at(hands.now().saturating_add(millis))?;
        Ok(())
    }

    /// Stops it, or lets it go on from where it stands.
    pub(crate) fn hold(&self, held: bool) {
        let mut hands = lock(&self.0);
        let now = hands.now();
        *hands = match held {
            true => Hands::Held(now),
            false => Hands::Ahead(now - machine()),
        };
    }
}

impl Hands {
    fn now(self) -> i64 {
        match self {
            Self::Ahead(millis) => machine().saturating_add(millis),
            Self::Held(now) => now,
        }
    }

    fn at(self, now: i64) -> Result<Self, ClockError> {
        if !(0..=LAST).contains(&now) {
            return Err(ClockError);
        }
        Ok(match self {
            Self::Ahead(_) => Self::Ahead(now - machine()),
            Self::Held(_) => Self::Held(now),
        })
    }
}

/// A time that no lead could have: it would be before 1970, or after 2106, where IDs end.
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

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time should be between 1970 and 2106, since IDs can tell no other")
    }
}

impl std::error::Error for ClockError {}

/// The machine's time in Unix milliseconds, whatever time it is in the workspace.
pub(crate) fn machine() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The moment that comes after this delay.
pub(crate) fn after(delay: Duration) -> Instant {
    Instant::now() + delay.min(FOREVER)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_advanced_and_held() {
        let clock = Clock::new(Hands::default());
        assert!((clock.now() - machine()).abs() < 60_000);
        clock.hold(true);
        clock.set(1_000).expect("a time");
        assert_eq!((clock.now(), clock.hands()), (1_000, Hands::Held(1_000)));
        clock.advance(500).expect("a time");
        assert_eq!(clock.now(), 1_500);
        clock.hold(false);
        assert!((1_500..61_500).contains(&clock.now()));
        assert_eq!(clock.set(-1), Err(ClockError));
        assert_eq!(clock.advance(i64::MAX), Err(ClockError));
        assert!((1_500..61_500).contains(&clock.now()));
    }
}
