//! Token slots: each token has its own rate limit, and each request takes the token that is free
//! first.

use super::backoff::backoff;
use super::call::Call;
use super::deadline::Deadline;
use super::rate_limit::{LimitState, Limiter, RateLimit};
use super::settings::Settings;
use crate::error::{Error, Kind};
use futures_util::future;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a token is not used after the server refused it. It may have been refused by mistake.
const REFUSAL: Duration = Duration::from_secs(600);

/// The tokens for one API.
pub(super) struct TokenSlots {
    slots: Vec<TokenSlot>,
    /// How often a slot was held back. Calls that wait then choose again.
    changes: AtomicU64,
    changed: Notify,
}

/// One token with its rate limit.
pub(super) struct TokenSlot {
    pub(super) authorization: HeaderValue,
    limiter: Limiter,
    /// How many requests used this token.
    requests: AtomicU64,
    hold: Mutex<Hold>,
}

/// What the server said about a token.
pub(super) enum Answer {
    /// Nothing, because no response arrived.
    Nothing,
    /// The token is valid.
    Valid,
    /// The token is not valid.
    Refused,
    /// Too many requests used the token. The server may say how long to wait.
    Throttled(Option<Duration>),
}

/// Until when a token is not used.
#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    refused_until: Option<Instant>,
    throttled_until: Option<Instant>,
    /// How many times in a row the server answered 429.
    throttles: u32,
}

impl TokenSlot {
    fn hold(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_refused(&self, now: Instant) -> bool {
        self.hold().refused_until.is_some_and(|until| until > now)
    }

    /// How long the server asked to wait.
    fn throttled_for(&self, now: Instant) -> Duration {
        let until = self.hold().throttled_until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How long a request would wait that arrives now.
    fn wait(&self, now: Instant) -> Duration {
        self.limiter.wait(now).max(self.throttled_for(now))
    }
}

impl TokenSlots {
    pub(super) fn new(authorizations: Vec<HeaderValue>, limit: Option<RateLimit>) -> Self {
        let slot = |authorization| TokenSlot {
            authorization,
            limiter: Limiter::new(limit),
            requests: AtomicU64::new(0),
            hold: Mutex::default(),
        };
        let slots = authorizations.into_iter().map(slot).collect();
        Self { slots, changes: AtomicU64::new(0), changed: Notify::new() }
    }

    pub(super) fn limits(&self, now: Instant) -> Vec<LimitState> {
        let state = |slot: &TokenSlot| {
            let mut state = slot.limiter.state(now, slot.is_refused(now));
            state.next_free_in = state.next_free_in.max(slot.throttled_for(now));
            state
        };
        self.slots.iter().map(state).collect()
    }

    /// Waits for the token that is free first. Returns it with the time that the call has left.
    ///
    /// # Errors
    /// Returns an error if the wait would exceed the deadline, or if the client is shutting down.
    pub(super) async fn acquire(
        &self,
        call: &mut Call,
        deadline: Deadline,
        settings: &Settings,
    ) -> Result<(&TokenSlot, Duration), Error> {
        loop {
            let changes = self.changes.load(Ordering::SeqCst);
            let slot = self.free_first(settings.clock.now());
            let slot = slot.ok_or_else(|| Error::config("there is no token"))?;
            let place = slot.limiter.enter(settings.clock.now());
            loop {
                // Registered before the wait is computed, so that no notification falls in between.
                let (shortened, changed) = (place.shortened(), self.changed.notified());
                if changes != self.changes.load(Ordering::SeqCst) {
                    // Another slot may be better now.
                    break;
                }
                let now = settings.clock.now();
                let Some(left) = deadline.left(now) else {
                    return Err(Error::new(Kind::Deadline));
                };
                let held = slot.throttled_for(now);
                let wait = if held.is_zero() { place.leave(now).err() } else { Some(held) };
                match wait {
                    None => {
                        slot.requests.fetch_add(1, Ordering::Relaxed);
                        return Ok((slot, left));
                    }
                    Some(wait) if wait >= left => return Err(Error::new(Kind::Deadline)),
                    Some(_) if settings.shutdown.has_begun() => {
                        return Err(Error::new(Kind::Shutdown));
                    }
                    Some(wait) => {
                        let (shortened, changed) = (pin!(shortened), pin!(changed));
                        settings.wait(wait, future::select(shortened, changed), call).await;
                    }
                }
            }
        }
    }

    /// The token that is free first. Among equals, the one that was used least.
    fn free_first(&self, now: Instant) -> Option<&TokenSlot> {
        self.slots.iter().min_by_key(|slot| {
            // A refused token comes last. If all are refused, the caller sees the answer of the
            // server.
            let requests = slot.requests.load(Ordering::Relaxed);
            (slot.is_refused(now), slot.wait(now), requests)
        })
    }

    /// Notes what the server said about a token. A token that is refused or throttled is held back
    /// for all calls, and calls that wait for it choose again.
    pub(super) fn report(&self, slot: &TokenSlot, answer: &Answer, now: Instant) {
        let mut hold = slot.hold();
        match answer {
            Answer::Nothing => return,
            Answer::Valid => {
                // A wait that the server asked for stays, because other requests met the limit.
                *hold = Hold { throttled_until: hold.throttled_until, ..Hold::default() };
                return;
            }
            Answer::Refused => hold.refused_until = now.checked_add(REFUSAL),
            Answer::Throttled(retry_after) => {
                hold.throttles += 1;
                // At least half of the bound, because the server has asked for a wait.
                let random = 0.5 + fastrand::f64() / 2.0;
                let wait = backoff(hold.throttles, *retry_after, random);
                let until = now.checked_add(wait);
                hold.throttled_until = hold.throttled_until.max(until);
            }
        }
        drop(hold);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Whether the server has not refused all tokens.
    pub(super) fn has_valid(&self, now: Instant) -> bool {
        self.slots.iter().any(|slot| !slot.is_refused(now))
    }

    /// How long a request would wait that arrives now.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.free_first(now).map_or(Duration::ZERO, |slot| slot.wait(now))
    }
}

/// The header that carries a token. Its `Debug` output does not show the token.
pub(crate) fn authorization(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    fn slots() -> TokenSlots {
        let tokens = ["one", "two"].map(HeaderValue::from_static);
        TokenSlots::new(tokens.into(), None)
    }

    fn first(slots: &TokenSlots, now: Instant) -> &HeaderValue {
        &slots.free_first(now).expect("a token").authorization
    }

    #[test]
    fn a_refused_token_is_used_again_after_ten_minutes() {
        let (slots, now) = (slots(), SystemClock.now());
        slots.report(&slots.slots[0], &Answer::Refused, now);
        assert_eq!(first(&slots, now), "two");
        slots.slots[1].requests.store(1, Ordering::Relaxed);
        assert_eq!(first(&slots, now + REFUSAL - Duration::from_secs(1)), "two");
        assert_eq!(first(&slots, now + REFUSAL), "one");
    }

    #[test]
    fn a_token_is_found_while_all_of_them_are_refused() {
        let (slots, now) = (slots(), SystemClock.now());
        slots.slots.iter().for_each(|slot| slots.report(slot, &Answer::Refused, now));
        assert!(!slots.has_valid(now) && slots.free_first(now).is_some());
    }

    #[test]
    fn a_throttled_token_is_held_back_as_long_as_the_server_asks() {
        let (slots, now) = (slots(), SystemClock.now());
        let minute = Duration::from_secs(60);
        slots.report(&slots.slots[0], &Answer::Throttled(Some(minute)), now);
        assert_eq!(
            (first(&slots, now), slots.wait(now)),
            (&"two".parse().unwrap(), Duration::ZERO)
        );
        slots.report(&slots.slots[1], &Answer::Throttled(Some(2 * minute)), now);
        assert_eq!((first(&slots, now), slots.wait(now)), (&"one".parse().unwrap(), minute));
    }

    #[test]
    fn an_earlier_answer_does_not_shorten_the_wait() {
        let (slots, now) = (slots(), SystemClock.now());
        let minute = Duration::from_secs(60);
        slots.report(&slots.slots[0], &Answer::Throttled(Some(minute)), now);
        slots.report(&slots.slots[0], &Answer::Throttled(Some(minute / 60)), now);
        assert_eq!(slots.slots[0].wait(now), minute);
    }

    #[test]
    fn tokens_take_turns() {
        let slots = slots();
        slots.slots[0].requests.store(1, Ordering::Relaxed);
        assert_eq!(first(&slots, SystemClock.now()), "two");
    }

    #[test]
    fn an_authorization_does_not_print_its_token() {
        let header = authorization("s3cret").expect("a header");
        assert!(!format!("{header:?}").contains("s3cret"));
    }
}
