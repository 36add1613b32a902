//! Deadlines: when a call ends, and how much time it has left.

use std::time::{Duration, Instant};

/// The end of a call. `None` is an end that lies beyond the range of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(timeout: Duration, start: Instant) -> Self {
        Self(start.checked_add(timeout))
    }

    pub(super) fn at(end: Instant) -> Self {
        Self(Some(end))
    }

    /// The earlier of two deadlines.
    pub(super) fn earlier(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.min(other))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// The time that is left. Returns `None` if the deadline has passed.
    pub(crate) fn left(self, now: Instant) -> Option<Duration> {
        match self.0 {
            None => Some(Duration::MAX),
            Some(end) => end.checked_duration_since(now).filter(|left| !left.is_zero()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_deadline_that_has_passed_leaves_no_time() {
        let start = SystemClock.now();
        let deadline = Deadline::after(SECOND, start);
        assert_eq!(deadline.left(start), Some(SECOND));
        assert_eq!(deadline.left(start + SECOND), None);
        assert_eq!(deadline.left(start + 2 * SECOND), None);
    }

    #[test]
    fn an_endless_timeout_leaves_endless_time() {
        let start = SystemClock.now();
        let endless = Deadline::after(Duration::MAX, start);
        assert_eq!(endless.left(start + SECOND), Some(Duration::MAX));
        let earlier = endless.earlier(Deadline::after(SECOND, start));
        assert_eq!(earlier.left(start), Some(SECOND));
    }
}
