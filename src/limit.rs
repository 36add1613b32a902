//! Staying within a rate limit, in front of the wire.

use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// ```
    /// use telecrm::RateLimit;
    ///
    /// // A third of the hour, for one of three programs that share a token.
    /// const MINE: RateLimit = RateLimit::new(6_000, 20);
    /// assert_eq!(MINE.per_hour(), 6_000);
    /// ```
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

    /// How long a request with this place on the virtual clock has to wait.
    fn wait(self, place: Instant, now: Instant) -> Duration {
        let behind = self.interval() * (self.burst - 1);
        place
            .checked_sub(behind)
            .map_or(Duration::ZERO, |free| free.saturating_duration_since(now))
    }
}

/// How far the limit of one token is used up.
///
/// ```
/// use std::time::Duration;
/// use telecrm::LimitState;
/// # let telecrm = telecrm::testing::FakeTelecrm::new().client();
///
/// let worn_out = |state: &LimitState| state.set_aside || state.next_free_in > Duration::from_secs(60);
/// assert!(!telecrm.async_limits().iter().all(worn_out));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitState {
    /// How many requests can leave at once; nothing if there is no limit.
    pub remaining: Option<u32>,
    /// How long until the next request can leave.
    pub next_free_in: Duration,
    /// Whether the token is used no more, because the server refused it while others were taken.
    pub set_aside: bool,
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

/// A place in the queue. Given back if it is dropped before it is [kept](Self::keep), as far as that is
/// fair: only if nobody has taken a later one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    wait: Duration,
    taken: Option<Instant>,
}

impl Place<'_> {
    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }

    pub(crate) fn keep(mut self) {
        self.taken = None;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let (Some(taken), Some(limit)) = (self.taken, self.limiter.limit) {
            let mut next = self.limiter.lock();
            if *next == Some(taken + limit.interval()) {
                *next = Some(taken);
            }
        }
    }
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self {
            limit,
            next: Mutex::new(None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until a request could leave.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let next = *self.lock();
        match (self.limit, next) {
            (Some(limit), Some(next)) => limit.wait(next, now),
            _ => Duration::ZERO,
        }
    }

    /// Takes the next free place.
    pub(crate) fn reserve(&self, now: Instant) -> Place<'_> {
        let Some(limit) = self.limit else {
            return Place {
                limiter: self,
                wait: Duration::ZERO,
                taken: None,
            };
        };
        let mut next = self.lock();
        let place = next.map_or(now, |next| next.max(now));
        *next = Some(place + limit.interval());
        Place {
            limiter: self,
            wait: limit.wait(place, now),
            taken: Some(place),
        }
    }

    pub(crate) fn state(&self, now: Instant, set_aside: bool) -> LimitState {
        let next = self.lock().map_or(now, |next| next.max(now));
        LimitState {
            remaining: self.limit.map(|limit| {
                let used = (next - now)
                    .as_nanos()
                    .div_ceil(limit.interval().as_nanos().max(1));
                limit
                    .burst
                    .saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
            }),
            next_free_in: self.wait(now),
            set_aside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Clock, SystemClock};

    /// When requests leave that all want to leave at once, whenever they may.
    fn departures(limit: RateLimit, count: u32) -> Vec<Duration> {
        let limiter = Limiter::new(Some(limit));
        let start = SystemClock.now();
        let mut now = start;
        (0..count)
            .map(|_| {
                let place = limiter.reserve(now);
                now += place.wait();
                place.keep();
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
        let start = SystemClock.now();
        let take = |now| {
            let place = limiter.reserve(now);
            let wait = place.wait();
            place.keep();
            wait
        };
        for left in (0..60).rev() {
            assert_eq!(take(start), Duration::ZERO);
            assert_eq!(limiter.state(start, false).remaining, Some(left));
        }
        assert!(take(start) > Duration::ZERO);
        let later = start + Duration::from_secs(60);
        for _ in 0..60 {
            assert_eq!(take(later), Duration::ZERO);
        }
    }

    #[test]
    fn a_place_that_is_not_used_is_given_back_if_it_is_the_last() {
        let limiter = Limiter::new(Some(RateLimit::new(10, 1)));
        let start = SystemClock.now();
        limiter.reserve(start).keep();
        let wait = limiter.wait(start);
        drop(limiter.reserve(start));
        assert_eq!(limiter.wait(start), wait);

        let abandoned = limiter.reserve(start);
        limiter.reserve(start).keep();
        let wait = limiter.wait(start);
        drop(abandoned);
        assert_eq!(limiter.wait(start), wait, "somebody stands behind it");
    }
}
