//! Staying within a rate limit, in front of the wire.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

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

/// Lets requests leave no faster than the limit, first come, first served.
///
/// A virtual clock (GCRA): each request that leaves moves the time of the next one forward by the interval, and
/// the burst is how far that time may lie behind. Who waits has booked nothing, so giving up costs nobody anything, in
/// whichever order it is done. A waiter that is not polled holds up the others no longer than until it could have left.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    queue: Mutex<Queue>,
    /// Somebody has given up, so that others may leave earlier.
    shorter: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// The place of the next request on the virtual clock, as those that have left made it.
    next: Option<Instant>,
    /// Who waits, by the number of the ticket, first come, first.
    waiting: Vec<u64>,
    tickets: u64,
}

impl Queue {
    /// How long a request waits that has so many before it.
    fn wait(&self, limit: RateLimit, before: usize, now: Instant) -> Duration {
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        limit.wait(
            self.place(now) + limit.interval().saturating_mul(before),
            now,
        )
    }

    fn place(&self, now: Instant) -> Instant {
        self.next.map_or(now, |next| next.max(now))
    }

    /// How many came before this ticket and still wait.
    fn before(&self, ticket: u64) -> usize {
        self.waiting.partition_point(|other| *other < ticket)
    }

    /// Takes who waits out of the queue; false if nobody waits with this ticket.
    fn remove(&mut self, ticket: u64) -> bool {
        let place = self.before(ticket);
        let waits = self.waiting.get(place) == Some(&ticket);
        if waits {
            self.waiting.remove(place);
        }
        waits
    }
}

/// A place in the queue. Dropping it leaves the queue.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    ticket: u64,
    /// When its turn comes at the latest: whoever is before it and has not left by then does not use the turn.
    due: Instant,
}

impl Place<'_> {
    /// Lets the request leave, or tells how long it has to wait as things are.
    pub(crate) fn leave(&self, now: Instant) -> Result<(), Duration> {
        let Some(limit) = self.limiter.limit else {
            return Ok(());
        };
        let mut queue = self.limiter.lock();
        let before = queue.before(self.ticket);
        let turn = self.due.saturating_duration_since(now);
        let alone = queue.wait(limit, 0, now);
        let wait = queue.wait(limit, before, now).min(turn.max(alone));
        if !wait.is_zero() {
            return Err(wait);
        }
        queue.next = Some(queue.place(now) + limit.interval());
        queue.remove(self.ticket);
        Ok(())
    }

    /// Ready when the wait may have become shorter.
    pub(crate) fn shorter(&self) -> Notified<'_> {
        self.limiter.shorter.notified()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.limiter.limit.is_some() && self.limiter.lock().remove(self.ticket) {
            self.limiter.shorter.notify_waiters();
        }
    }
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self {
            limit,
            queue: Mutex::default(),
            shorter: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a request would wait that came now.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let queue = self.lock();
        self.limit.map_or(Duration::ZERO, |limit| {
            queue.wait(limit, queue.waiting.len(), now)
        })
    }

    /// Joins the queue.
    pub(crate) fn enter(&self, now: Instant) -> Place<'_> {
        let (mut ticket, mut due) = (0, now);
        if let Some(limit) = self.limit {
            let mut queue = self.lock();
            due += queue.wait(limit, queue.waiting.len(), now);
            ticket = queue.tickets;
            queue.tickets += 1;
            queue.waiting.push(ticket);
        }
        Place {
            limiter: self,
            ticket,
            due,
        }
    }

    pub(crate) fn state(&self, now: Instant, set_aside: bool) -> LimitState {
        let remaining = self.limit.map(|limit| {
            let queue = self.lock();
            let used = (queue.place(now) - now)
                .as_nanos()
                .div_ceil(limit.interval().as_nanos().max(1));
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            let waiting = u32::try_from(queue.waiting.len()).unwrap_or(u32::MAX);
            limit.burst.saturating_sub(used).saturating_sub(waiting)
        });
        LimitState {
            remaining,
            next_free_in: self.wait(now),
            set_aside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use proptest::prelude::*;

    /// When requests leave that all want to leave at once, whenever they may.
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
        let take = |now| limiter.enter(now).leave(now);
        for left in (0..60).rev() {
            assert_eq!(take(start), Ok(()));
            assert_eq!(limiter.state(start, false).remaining, Some(left));
        }
        assert!(take(start).is_err());
        let later = start + Duration::from_secs(60);
        for _ in 0..60 {
            assert_eq!(take(later), Ok(()));
        }
    }

    #[test]
    fn who_gives_up_leaves_nothing_behind_in_any_order() {
        let limiter = Limiter::new(Some(RateLimit::new(3_601, 1)));
        let start = SystemClock.now();
        assert_eq!(limiter.enter(start).leave(start), Ok(()));
        for order in ["first in", "last in", "any"] {
            let mut places: Vec<_> = (0..100).map(|_| limiter.enter(start)).collect();
            assert_eq!(limiter.wait(start), Duration::from_secs(101));
            match order {
                "first in" => {}
                "last in" => places.reverse(),
                _ => places.sort_by_key(|place| place.ticket * 37 % 101),
            }
            places.into_iter().for_each(drop);
            let state = limiter.state(start, false);
            assert_eq!(state.next_free_in, Duration::from_secs(1), "{order}");
        }
    }

    #[test]
    fn who_is_never_polled_holds_up_nobody() {
        let limiter = Limiter::new(Some(RateLimit::new(3_601, 1)));
        let start = SystemClock.now();
        let second = Duration::from_secs(1);
        assert_eq!(limiter.enter(start).leave(start), Ok(()));
        let _forgotten = [limiter.enter(start), limiter.enter(start)];
        let (one, other) = (limiter.enter(start), limiter.enter(start));
        assert_eq!(one.leave(start + second), Err(2 * second));
        assert_eq!(one.leave(start + 3 * second), Ok(()));
        assert_eq!(other.leave(start + 3 * second), Err(second));
        assert_eq!(other.leave(start + 4 * second), Ok(()));
    }

    #[test]
    fn who_stands_behind_moves_up_and_no_faster_than_the_limit() {
        let limiter = Limiter::new(Some(RateLimit::new(3_601, 1)));
        let start = SystemClock.now();
        let second = Duration::from_secs(1);
        assert_eq!(limiter.enter(start).leave(start), Ok(()));
        let (gone, one, other) = (
            limiter.enter(start),
            limiter.enter(start),
            limiter.enter(start),
        );
        assert_eq!(one.leave(start), Err(2 * second));
        drop(gone);
        assert_eq!(one.leave(start), Err(second));
        assert_eq!(other.leave(start), Err(2 * second));
        assert_eq!(one.leave(start + second), Ok(()));
        assert_eq!(other.leave(start + second), Err(second));
    }

    /// What those do that want to send, in any order.
    #[derive(Debug, Clone)]
    enum Event {
        Enter,
        /// One of those that wait looks whether it may leave.
        Try(prop::sample::Index),
        /// One of those that wait is dropped.
        GiveUp(prop::sample::Index),
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
        fn as9_no_hour_holds_more_whoever_comes_when_and_gives_up(
            per_hour in 3u32..12,
            burst in 1u32..11,
            events in prop::collection::vec(event(), 0..200),
        ) {
            let limit = RateLimit::new(per_hour, burst.min(per_hour - 1));
            // The other one never hears of those that give up.
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
            prop_assert_eq!(limiter.state(now, false), without.state(now, false));
        }
    }
}
