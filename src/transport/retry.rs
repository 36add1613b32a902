//! When a request may be sent again, and after how long.

use crate::clock::Clock;
use crate::error::leaves_doubt;
use crate::operation::Idempotency;
use futures_util::future;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How calls wait and repeat. Set for a client by [`Builder::call_options`](crate::Builder::call_options), for single
/// calls by [`Telecrm::with_options`](crate::Telecrm::with_options).
///
/// ```
/// use std::time::Duration;
/// use telecrm::CallOptions;
///
/// let patient = CallOptions::new()
///     .attempts(5)
///     .attempt_timeout(Duration::from_secs(10))
///     .total_timeout(Duration::from_secs(120));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct CallOptions {
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
    /// When the call must be over of which this one is a part.
    until: Option<Instant>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            attempts: 3,
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(90),
            until: None,
        }
    }
}

impl CallOptions {
    /// Three attempts of at most 30 s each, within 90 s.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often a request is sent at most; with 1 never again. What may be repeated is decided by the
    /// operation's [`Idempotency`](crate::Idempotency).
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long one attempt may take, from connecting to the end of the answer.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How long the call may take in all: waits, repeats, and each request that a method makes, such as
    /// [`upsert`](crate::Leads::upsert). Lists have this time for each page, and [verifying](crate::Builder::verify_timeout) has its own.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// When a call that begins now must be over.
    pub(crate) fn deadline(&self, now: Instant) -> Deadline {
        let Deadline(own) = Deadline::of(now, self.total_timeout);
        Deadline(match (own, self.until) {
            (Some(own), Some(whole)) => Some(own.min(whole)),
            (own, whole) => own.or(whole),
        })
    }

    /// For the parts of a call that begins now, which end together.
    pub(crate) fn in_one_call(mut self, now: Instant) -> Self {
        self.until = self.deadline(now).0;
        self
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptOutcome {
    /// The request never left.
    NotSent,
    /// It left, or part of it, and no whole answer came.
    InDoubt,
    /// The server answered.
    Answered(StatusCode),
}

impl AttemptOutcome {
    /// Whether the server may have acted without our knowing.
    pub(super) fn leaves_doubt(self) -> bool {
        match self {
            Self::NotSent => false,
            Self::InDoubt => true,
            Self::Answered(status) => leaves_doubt(status),
        }
    }

    fn is_fault(self) -> bool {
        match self {
            Self::NotSent | Self::InDoubt => true,
            Self::Answered(status) => {
                self.leaves_doubt() || status == StatusCode::TOO_MANY_REQUESTS
            }
        }
    }
}

/// Whether another attempt can do no harm.
pub(super) fn may_repeat(class: Idempotency, ending: AttemptOutcome) -> bool {
    ending.is_fault()
        && match class {
            Idempotency::Safe | Idempotency::Idempotent => true,
            Idempotency::NotIdempotent => !ending.leaves_doubt(),
        }
}

/// The date of an answer, by the server's clock, if it tells that.
pub(crate) fn answered(headers: &HeaderMap) -> Option<Timestamp> {
    date(headers.get(DATE)?.to_str().ok()?.trim())
}

fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// How long the server asks to wait: in seconds, or until a date, which is measured by its own clock where it tells that.
pub(crate) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = date(asked)?;
    let ours = || Timestamp::try_from(clock.date()).ok();
    let now = answered(headers).or_else(ours)?;
    // What is over need not be waited for.
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// A random share of a bound that doubles with each attempt, so that clients that failed together do not come back
/// together; at least what the server asks for.
pub(super) fn delay(attempt: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let bound = FIRST_DELAY
        .saturating_mul(1 << (attempt - 1).min(16))
        .min(LONGEST_DELAY);
    bound.mul_f64(random).max(retry_after.unwrap_or_default())
}

/// Stops repeating when everything fails: each repeat costs one, each success gives a tenth back.
#[derive(Debug)]
pub(super) struct Throttle(Mutex<f64>);

const MOST: f64 = 10.0;

impl Throttle {
    pub(super) fn new() -> Self {
        Self(Mutex::new(MOST))
    }

    fn lock(&self) -> MutexGuard<'_, f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a repeat can be paid as things are.
    pub(super) fn has_any(&self) -> bool {
        *self.lock() >= 1.0
    }

    /// Takes the price of a repeat, if it can be paid.
    pub(super) fn take(&self) -> bool {
        let mut left = self.lock();
        let enough = *left >= 1.0;
        if enough {
            *left -= 1.0;
        }
        enough
    }

    pub(super) fn succeeded(&self) {
        let mut left = self.lock();
        *left = (*left + 0.1).min(MOST);
    }
}

/// Whether a client is being shut down. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    is_set: AtomicBool,
    set: Notify,
}

impl Stop {
    pub(crate) fn set(&self) {
        self.0.is_set.store(true, Ordering::SeqCst);
        self.0.set.notify_waiters();
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::SeqCst)
    }

    /// Waits, no longer than until it is set.
    pub(crate) async fn or(&self, wait: impl Future) {
        // Before looking, so that nothing can be missed in between.
        let set = self.0.set.notified();
        if !self.is_set() {
            future::select(pin!(set), pin!(wait)).await;
        }
    }
}

/// The end of a call, and what is left until then. None lies beyond what a clock can tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn of(began: Instant, timeout: Duration) -> Self {
        Self(began.checked_add(timeout))
    }

    /// What is left, or nothing if it is over.
    pub(crate) fn left(self, now: Instant) -> Option<Duration> {
        let left = self
            .0
            .map_or(Duration::MAX, |end| end.saturating_duration_since(now));
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::pin::Pin;
    use std::time::SystemTime;

    #[test]
    fn only_what_can_do_no_harm_is_repeated() {
        use Idempotency::{Idempotent, NotIdempotent, Safe};
        let answered = |status| AttemptOutcome::Answered(StatusCode::from_u16(status).unwrap());
        for class in [Safe, Idempotent, NotIdempotent] {
            for ending in [AttemptOutcome::NotSent, answered(429)] {
                assert!(may_repeat(class, ending), "{class:?} {ending:?}");
            }
            for ending in [
                answered(200),
                answered(302),
                answered(400),
                answered(401),
                answered(404),
                answered(409),
            ] {
                assert!(!may_repeat(class, ending), "{class:?} {ending:?}");
            }
            for ending in [
                AttemptOutcome::InDoubt,
                answered(408),
                answered(500),
                answered(502),
                answered(503),
            ] {
                assert_eq!(
                    may_repeat(class, ending),
                    class != NotIdempotent,
                    "{class:?} {ending:?}"
                );
            }
        }
    }

    #[test]
    fn delays_double_within_bounds_and_heed_the_server() {
        assert_eq!(delay(1, None, 1.0), Duration::from_millis(500));
        assert_eq!(delay(3, None, 0.5), Duration::from_secs(1));
        assert_eq!(delay(40, None, 1.0), LONGEST_DELAY);
        assert_eq!(
            delay(1, Some(Duration::from_secs(17)), 0.1),
            Duration::from_secs(17)
        );
    }

    #[test]
    fn waits_are_told_in_seconds_or_until_a_date_by_the_server_s_clock_or_ours() {
        /// Midnight of the first of June.
        struct Midnight;

        impl Clock for Midnight {
            fn now(&self) -> Instant {
                SystemClock.now()
            }

            fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
                Box::pin(std::future::ready(()))
            }

            fn date(&self) -> SystemTime {
                let midnight: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
                midnight.into()
            }
        }

        for (asked, date, expected) in [
            (Some("17"), None, Some(17)),
            (
                Some(" 17 "),
                Some("Mon, 01 Jun 2026 10:30:00 GMT"),
                Some(17),
            ),
            (Some("Mon, 01 Jun 2026 00:01:00 GMT"), None, Some(60)),
            (
                Some("Mon, 01 Jun 2026 10:30:09 GMT"),
                Some("Mon, 01 Jun 2026 10:30:00 GMT"),
                Some(9),
            ),
            (
                Some("Mon, 01 Jun 2026 00:01:00 GMT"),
                Some("not a date"),
                Some(60),
            ),
            (Some("Sun, 31 May 2026 23:59:00 GMT"), None, Some(0)),
            (
                Some("Mon, 01 Jun 2026 10:29:00 GMT"),
                Some("Mon, 01 Jun 2026 10:30:00 GMT"),
                Some(0),
            ),
            (Some("soon"), None, None),
            (Some("-5"), None, None),
            (None, Some("Mon, 01 Jun 2026 10:30:00 GMT"), None),
        ] {
            let header = |name, text: Option<&str>| Some((name, text?.parse().unwrap()));
            let headers = [header(RETRY_AFTER, asked), header(DATE, date)];
            let headers = HeaderMap::from_iter(headers.into_iter().flatten());
            let wait = retry_after(&headers, &Midnight);
            assert_eq!(
                wait,
                expected.map(Duration::from_secs),
                "{asked:?} {date:?}"
            );
        }
    }

    #[test]
    fn when_everything_fails_repeating_stops_and_successes_pay_for_more() {
        let throttle = Throttle::new();
        assert_eq!((0..20).filter(|_| throttle.take()).count(), 10);
        (0..9).for_each(|_| throttle.succeeded());
        assert!(!throttle.has_any() && !throttle.take());
        (0..2).for_each(|_| throttle.succeeded());
        assert!(throttle.has_any() && throttle.take());
    }
}
