//! Rate limits: hold requests back so that the server never sees more than it allows.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A number of requests per hour. The client does not exceed it in any span of 60 minutes.
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
    /// The documented limit of the Async API: 18,000 requests/hour per token. After a burst of 60,
    /// one request is sent every 200.7 ms.
    pub const ASYNC: Self = Self::new(18_000, 60);

    /// The reported limit of the Sync API: 3,600 requests/hour, used with a burst of 600. telecrm
    /// documents no limit.
    pub const SYNC: Self = Self::new(3_600, 600);

    /// At most `per_hour` requests in any hour, of which `burst` may be sent without a wait.
    ///
    /// ```
    /// use telecrm::RateLimit;
    ///
    /// // A third of the limit, for one of three programs that share a token.
    /// const THIRD: RateLimit = RateLimit::new(6_000, 20);
    /// assert_eq!(THIRD.per_hour(), 6_000);
    /// ```
    ///
    /// # Panics
    /// Panics unless `0 < burst < per_hour`.
    pub const fn new(per_hour: u32, burst: u32) -> Self {
        assert!(burst > 0 && burst < per_hour);
        Self { per_hour, burst }
    }

    /// Requests per hour.
    pub const fn per_hour(self) -> u32 {
        self.per_hour
    }

    /// Requests that may be sent without a wait.
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// The time between two requests after the burst. The burst counts towards the hour.
    fn interval(self) -> Duration {
        HOUR / (self.per_hour - self.burst)
    }

    /// How long a request waits that has this place on the virtual clock.
    fn wait(self, place: Instant, now: Instant) -> Duration {
        let lead = self.interval() * (self.burst - 1);
        match place.checked_sub(lead) {
            Some(free) => free.saturating_duration_since(now),
            None => Duration::ZERO,
        }
    }
}

/// How much of the rate limit of one token is left.
///
/// ```
/// use std::time::Duration;
/// use telecrm::LimitState;
///
/// let telecrm = telecrm::testing::FakeTelecrm::new().client();
/// let minute = Duration::from_secs(60);
/// let is_busy = |state: &LimitState| state.set_aside || state.next_free_in > minute;
/// assert!(!telecrm.async_limits().iter().all(is_busy));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LimitState {
    /// How many requests can be sent without a wait. `None` if there is no limit.
    pub remaining: Option<u32>,
    /// How long the next request would wait.
    pub next_free_in: Duration,
    /// Whether the client stopped using the token because the server refused it but accepted
    /// another one.
    pub set_aside: bool,
    /// When the server began to refuse the token. `None` if it has accepted it since.
    pub refused_since: Option<SystemTime>,
    /// When a token that is set aside will be tried again.
    pub next_try_at: Option<SystemTime>,
}

/// Lets requests leave no faster than the limit, first come, first served.
///
/// This is the generic cell rate algorithm (GCRA) with a virtual clock. Each request that leaves
/// moves the virtual clock forward by the interval. The burst is how far that clock may run ahead.
/// A request that waits has not moved the clock, so it can be dropped at no cost to others. A
/// request that is not polled delays the others only until it could have left.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    queue: Mutex<Queue>,
    /// Notified when a request leaves the queue early, which shortens the wait of others.
    shortened: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// The virtual clock: the place of the next request.
    next: Option<Instant>,
    /// The tickets of the requests that wait, in order of arrival. The first one usually leaves
    /// first, which takes constant time.
    waiting: VecDeque<u64>,
    next_ticket: u64,
}

impl Queue {
    /// How long a request waits that has this number of others in front.
    fn wait(&self, limit: RateLimit, before: usize, now: Instant) -> Duration {
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        limit.wait(self.place(now) + limit.interval().saturating_mul(before), now)
    }

    fn place(&self, now: Instant) -> Instant {
        self.next.map_or(now, |next| next.max(now))
    }

    /// How many requests wait in front of this ticket.
    fn before(&self, ticket: u64) -> usize {
        self.waiting.partition_point(|other| *other < ticket)
    }

    /// Removes a ticket. Returns `false` if it is not in the queue.
    fn remove(&mut self, ticket: u64) -> bool {
        let Ok(index) = self.waiting.binary_search(&ticket) else {
            return false;
        };
        self.waiting.remove(index).is_some()
    }
}

/// A place in the queue. Dropping it gives the place up.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    ticket: u64,
    /// The latest time of departure. Requests in front that have not left by then are overtaken.
    due: Instant,
}

impl Place<'_> {
    /// Lets the request leave. Returns the current wait as an error if it is too early.
    pub(crate) fn leave(&self, now: Instant) -> Result<(), Duration> {
        let Some(limit) = self.limiter.limit else {
            return Ok(());
        };
        let mut queue = self.limiter.lock();
        let before = queue.before(self.ticket);
        let until_due = self.due.saturating_duration_since(now);
        let alone = queue.wait(limit, 0, now);
        let wait = queue.wait(limit, before, now).min(until_due.max(alone));
        if !wait.is_zero() {
            return Err(wait);
        }
        queue.next = Some(queue.place(now) + limit.interval());
        queue.remove(self.ticket);
        Ok(())
    }

    /// Ready when the wait may be shorter than before.
    pub(crate) fn shortened(&self) -> Notified<'_> {
        self.limiter.shortened.notified()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.limiter.limit.is_some() && self.limiter.lock().remove(self.ticket) {
            self.limiter.shortened.notify_waiters();
        }
    }
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, queue: Mutex::default(), shortened: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a request would wait that arrives now.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let queue = self.lock();
        self.limit.map_or(Duration::ZERO, |limit| queue.wait(limit, queue.waiting.len(), now))
    }

    /// Joins the queue.
    pub(crate) fn enter(&self, now: Instant) -> Place<'_> {
        let (mut ticket, mut due) = (0, now);
        if let Some(limit) = self.limit {
            let mut queue = self.lock();
            due += queue.wait(limit, queue.waiting.len(), now);
            ticket = queue.next_ticket;
            queue.next_ticket += 1;
            queue.waiting.push_back(ticket);
        }
        Place { limiter: self, ticket, due }
    }

    pub(crate) fn state(&self, now: Instant) -> LimitState {
        let remaining = self.limit.map(|limit| {
            let queue = self.lock();
            let used =
                (queue.place(now) - now).as_nanos().div_ceil(limit.interval().as_nanos().max(1));
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            let waiting = u32::try_from(queue.waiting.len()).unwrap_or(u32::MAX);
            limit.burst.saturating_sub(used).saturating_sub(waiting)
        });
        LimitState { remaining, next_free_in: self.wait(now), ..LimitState::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use proptest::prelude::*;

    /// When requests leave that arrive at the same time.
    fn departures(limit: RateLimit, count: u32) -> Vec<Duration> {
        let limiter = Limiter::new(Some(limit));
        let start = SystemClock.now();
        let mut now = start;
        (0..count)
            .map(|_| {
                let place = limiter.enter(now);
                while let Err(wait) = place.leave(now) {
                    now += wait;
                }
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
    fn the_burst_leaves_without_a_wait_and_the_rest_at_intervals() {
        let departures = departures(RateLimit::ASYNC, 62);
        assert_eq!(departures[59], Duration::ZERO);
        assert_eq!(departures[60].as_millis(), 200);
        assert_eq!((departures[61] - departures[60]).as_millis(), 200);
    }

    #[test]
    fn a_pause_restores_the_burst() {
        let limiter = Limiter::new(Some(RateLimit::ASYNC));
        let start = SystemClock.now();
        let take = |now| limiter.enter(now).leave(now);
        for left in (0..60).rev() {
            assert_eq!(take(start), Ok(()));
            assert_eq!(limiter.state(start).remaining, Some(left));
        }
        assert!(take(start).is_err());
        let later = start + Duration::from_secs(60);
        for _ in 0..60 {
            assert_eq!(take(later), Ok(()));
        }
    }

    /// Drops a hundred requests that wait, in this order.
    fn assert_dropping_leaves_no_wait(reorder: impl Fn(&mut Vec<Place<'_>>)) {
        let limiter = Limiter::new(Some(RateLimit::new(3_601, 1)));
        let start = SystemClock.now();
        assert_eq!(limiter.enter(start).leave(start), Ok(()));
        let mut places: Vec<_> = (0..100).map(|_| limiter.enter(start)).collect();
        assert_eq!(limiter.wait(start), Duration::from_secs(101));
        reorder(&mut places);
        places.into_iter().for_each(drop);
        let state = limiter.state(start);
        assert_eq!(state.next_free_in, Duration::from_secs(1));
    }

    #[test]
    fn requests_dropped_in_order_of_arrival_leave_no_wait() {
        assert_dropping_leaves_no_wait(|_| {});
    }

    #[test]
    fn requests_dropped_in_reverse_order_leave_no_wait() {
        assert_dropping_leaves_no_wait(|places| places.reverse());
    }

    #[test]
    fn requests_dropped_in_mixed_order_leave_no_wait() {
        assert_dropping_leaves_no_wait(|places| {
            places.sort_by_key(|place| place.ticket * 37 % 101);
        });
    }

    #[test]
    fn requests_that_are_never_polled_are_overtaken() {
        let limiter = Limiter::new(Some(RateLimit::new(3_601, 1)));
        let start = SystemClock.now();
        let second = Duration::from_secs(1);
        assert_eq!(limiter.enter(start).leave(start), Ok(()));
        let _unpolled = [limiter.enter(start), limiter.enter(start)];
        let (one, other) = (limiter.enter(start), limiter.enter(start));
        assert_eq!(one.leave(start + second), Err(2 * second));
        assert_eq!(one.leave(start + 3 * second), Ok(()));
        assert_eq!(other.leave(start + 3 * second), Err(second));
        assert_eq!(other.leave(start + 4 * second), Ok(()));
    }

    #[test]
    fn a_request_moves_up_when_one_in_front_is_dropped() {
        let limiter = Limiter::new(Some(RateLimit::new(3_601, 1)));
        let start = SystemClock.now();
        let second = Duration::from_secs(1);
        assert_eq!(limiter.enter(start).leave(start), Ok(()));
        let (gone, one, other) = (limiter.enter(start), limiter.enter(start), limiter.enter(start));
        assert_eq!(one.leave(start), Err(2 * second));
        drop(gone);
        assert_eq!(one.leave(start), Err(second));
        assert_eq!(other.leave(start), Err(2 * second));
        assert_eq!(one.leave(start + second), Ok(()));
        assert_eq!(other.leave(start + second), Err(second));
    }

    /// One step of a random scenario.
    #[derive(Debug, Clone)]
    enum Event {
        /// A request arrives.
        Enter,
        /// A request that waits tries to leave.
        Try(prop::sample::Index),
        /// A request that waits is dropped.
        GiveUp(prop::sample::Index),
        /// Seconds pass.
        Pass(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => Just(Event::Enter),
            6 => any::<prop::sample::Index>().prop_map(Event::Try),
            2 => any::<prop::sample::Index>().prop_map(Event::GiveUp),
            2 => (0u64..900).prop_map(Event::Pass),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn as9_no_hour_holds_more_than_the_limit_in_random_scenarios(
            per_hour in 3u32..12,
            burst in 1u32..11,
            events in prop::collection::vec(event(), 0..200),
        ) {
            let limit = RateLimit::new(per_hour, burst.min(per_hour - 1));
            // The other limiter only sees the requests that leave.
            let limiter = Limiter::new(Some(limit));
            let without = Limiter::new(Some(limit));
            let start = SystemClock.now();
            let mut now = start;
            let (mut waiting, mut departures) = (Vec::new(), Vec::new());
            for event in events {
                match event {
                    Event::Enter => waiting.push(limiter.enter(now)),
                    Event::Try(place) if !waiting.is_empty() => {
                        let place = place.index(waiting.len());
                        if waiting[place].leave(now).is_ok() {
                            prop_assert_eq!(without.enter(now).leave(now), Ok(()));
                            departures.push(now);
                            drop(waiting.remove(place));
                        }
                    }
                    Event::GiveUp(place) if !waiting.is_empty() => {
                        let place = place.index(waiting.len());
                        drop(waiting.remove(place));
                    }
                    Event::Pass(seconds) => now += Duration::from_secs(seconds),
                    Event::Try(_) | Event::GiveUp(_) => {}
                }
            }
            for (first, after) in departures.iter().zip(departures.iter().skip(per_hour as usize)) {
                prop_assert!(*after - *first >= HOUR, "{:?}", departures);
            }
            drop(waiting);
            prop_assert_eq!(limiter.state(now), without.state(now));
        }
    }
}
