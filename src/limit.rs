//! Staying within a rate limit, in front of the wire.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A number of requests per hour that is never exceeded, over any hour.
///
/// ```
/// use telecrm::RateLimit;
///
/// assert_eq!(RateLimit::ASYNC.per_hour(), 18_000);
/// assert_eq!(RateLimit::SYNC.per_hour(), 3_600);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    per_hour: u32,
    burst: u32,
}

const HOUR: Duration = Duration::from_secs(3600);

impl RateLimit {
    /// The documented limit of the Async API: 18,000 requests/hour per token. Steadily one per 200.7 ms after a burst of 60.
    pub const ASYNC: Self = Self::new(18_000, 60);

    /// What is reported of the Sync API, which documents no limit: 3,600 requests/hour, here with a burst of 600.
    pub const SYNC: Self = Self::new(3_600, 600);

    /// At most `per_hour` requests in any hour, of which `burst` may follow each other at once.
    ///
    /// # Panics
    /// Unless `0 < burst < per_hour`.
    pub const fn new(per_hour: u32, burst: u32) -> Self {
        assert!(burst > 0 && burst < per_hour);
        Self { per_hour, burst }
    }

    /// Requests per hour.
    pub const fn per_hour(self) -> u32 {
        self.per_hour
    }

    /// The distance of requests after the burst. The burst is part of the hour's number, not on top of it.
    fn interval(self) -> Duration {
        HOUR / (self.per_hour - self.burst)
    }
}

/// Hands out the times at which requests may leave.
///
/// A virtual clock (GCRA): each request moves the time of the next one forward by the interval, and
/// the burst is how far that time may lie behind.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    next: Mutex<Option<Instant>>,
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self {
            limit,
            next: Mutex::new(None),
        }
    }

    /// Takes the next free place, and says how long it is until then.
    pub(crate) fn reserve(&self, now: Instant) -> Duration {
        let Some(limit) = self.limit else {
            return Duration::ZERO;
        };
        let interval = limit.interval();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.map_or(now, |next| next.max(now));
        *next = Some(place + interval);
        let behind = interval * (limit.burst - 1);
        place
            .checked_sub(behind)
            .map_or(Duration::ZERO, |free| free.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When requests leave that all want to leave at once, whenever they may.
    fn departures(limit: RateLimit, count: u32) -> Vec<Duration> {
        let limiter = Limiter::new(Some(limit));
        let start = crate::time::now();
        let mut now = start;
        (0..count)
            .map(|_| {
                now += limiter.reserve(now);
                now - start
            })
            .collect()
    }

    #[test]
    fn as9_no_hour_holds_more_than_the_limit() {
        for limit in [RateLimit::ASYNC, RateLimit::SYNC, RateLimit::new(10, 3)] {
            let departures = departures(limit, 3 * limit.per_hour);
            let whole = limit.per_hour as usize;
            for (first, after) in departures.iter().zip(&departures[whole..]) {
                assert!(*after - *first >= HOUR, "{limit:?}: {first:?} {after:?}");
            }
        }
    }

    #[test]
    fn the_burst_leaves_at_once_and_the_rest_steadily() {
        let departures = departures(RateLimit::ASYNC, 62);
        assert_eq!(departures[59], Duration::ZERO);
        assert_eq!(departures[60].as_millis(), 200);
        assert_eq!((departures[61] - departures[60]).as_millis(), 200);
    }

    #[test]
    fn a_rest_fills_the_burst_again() {
        let limiter = Limiter::new(Some(RateLimit::ASYNC));
        let start = crate::time::now();
        for _ in 0..60 {
            assert_eq!(limiter.reserve(start), Duration::ZERO);
        }
        assert!(limiter.reserve(start) > Duration::ZERO);
        let later = start + Duration::from_secs(60);
        for _ in 0..60 {
            assert_eq!(limiter.reserve(later), Duration::ZERO);
        }
    }
}
