//! Token slots: each token has its own rate limit, and each request takes the token that is free
//! first.

use super::backoff::backoff;
use super::deadline::Deadline;
use super::gate::{Gate, GateError, GateRequest, TokenAnswer};
use super::observe;
use super::rate_limit::{LimitState, Limiter, RateLimit};
use crate::clock::Clock;
use futures_util::future;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Notify;

/// How long a token is not used after the server refused it. It may have been refused by mistake.
const REFUSAL: Duration = Duration::from_secs(600);

/// The default gate: limits the tokens of one API within this client.
pub(crate) struct TokenSlots {
    slots: Vec<TokenSlot>,
    clock: Arc<dyn Clock>,
    /// How often a slot was held back. Calls that wait then choose again.
    changes: AtomicU64,
    changed: Notify,
}

/// One token with its rate limit.
struct TokenSlot {
    limiter: Limiter,
    /// How many requests used this token.
    requests: AtomicU64,
    hold: Mutex<Hold>,
}

/// Until when a token is not used.
#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    /// When the first of the refusals in a row was.
    refused_since: Option<SystemTime>,
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
    /// This many slots, each with this limit.
    pub(crate) fn new(count: usize, limit: Option<RateLimit>, clock: Arc<dyn Clock>) -> Self {
        let slot = |_| TokenSlot {
            limiter: Limiter::new(limit),
            requests: AtomicU64::new(0),
            hold: Mutex::default(),
        };
        let slots = (0..count).map(slot).collect();
        Self { slots, clock, changes: AtomicU64::new(0), changed: Notify::new() }
    }

    /// Waits for the slot that is free first.
    async fn free_slot(&self, left: Duration) -> Result<usize, GateError> {
        let deadline = Deadline::after(left, self.clock.now());
        loop {
            let changes = self.changes.load(Ordering::SeqCst);
            let first = self.free_first(self.clock.now());
            let (index, slot) = first.ok_or_else(|| GateError::failed("there is no token"))?;
            let place = slot.limiter.enter(self.clock.now());
            loop {
                // Registered before the wait is computed, so that no notification falls in between.
                let (shortened, changed) = (place.shortened(), self.changed.notified());
                if changes != self.changes.load(Ordering::SeqCst) {
                    // Another slot may be better now.
                    break;
                }
                let now = self.clock.now();
                let held = slot.throttled_for(now);
                let wait = if held.is_zero() { place.leave(now).err() } else { Some(held) };
                let Some(wait) = wait else {
                    slot.requests.fetch_add(1, Ordering::Relaxed);
                    return Ok(index);
                };
                if deadline.left(now).is_none_or(|left| wait >= left) {
                    return Err(GateError::Late);
                }
                observe::waiting(wait);
                let (shortened, changed) = (pin!(shortened), pin!(changed));
                future::select(future::select(shortened, changed), self.clock.sleep(wait)).await;
            }
        }
    }

    /// The token that is free first. Among equals, the one that was used least.
    fn free_first(&self, now: Instant) -> Option<(usize, &TokenSlot)> {
        self.slots.iter().enumerate().min_by_key(|(_, slot)| {
            // A refused token comes last. If all are refused, the caller sees the answer of the
            // server.
            let requests = slot.requests.load(Ordering::Relaxed);
            (slot.is_refused(now), slot.wait(now), requests)
        })
    }
}

impl Gate for TokenSlots {
    fn acquire<'a>(
        &'a self,
        request: GateRequest,
    ) -> Pin<Box<dyn Future<Output = Result<usize, GateError>> + Send + 'a>> {
        Box::pin(self.free_slot(request.left))
    }

    /// A token that is refused or throttled is held back for all calls, and calls that wait for it
    /// choose again.
    fn report(&self, slot: usize, answer: TokenAnswer) {
        let now = self.clock.now();
        let mut hold = self.slots[slot].hold();
        match answer {
            TokenAnswer::Nothing => return,
            TokenAnswer::Valid => {
                // A wait that the server asked for stays, because other requests met the limit.
                *hold = Hold { throttled_until: hold.throttled_until, ..Hold::default() };
                return;
            }
            TokenAnswer::Refused => {
                hold.refused_since.get_or_insert_with(|| self.clock.date());
                hold.refused_until = now.checked_add(REFUSAL);
            }
            TokenAnswer::Throttled(retry_after) => {
                hold.throttles += 1;
                // At least half of the bound, because the server has asked for a wait.
                let random = 0.5 + fastrand::f64() / 2.0;
                let wait = backoff(hold.throttles, retry_after, random);
                let until = now.checked_add(wait);
                hold.throttled_until = hold.throttled_until.max(until);
            }
        }
        drop(hold);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    fn slots(&self) -> Vec<LimitState> {
        let (now, date) = (self.clock.now(), self.clock.date());
        let state = |slot: &TokenSlot| {
            let Hold { refused_since, refused_until, .. } = *slot.hold();
            let refused_for = refused_until.and_then(|until| until.checked_duration_since(now));
            let refused_for = refused_for.filter(|time| !time.is_zero());
            let state = slot.limiter.state(now);
            LimitState {
                next_free_in: state.next_free_in.max(slot.throttled_for(now)),
                set_aside: refused_for.is_some(),
                refused_since,
                next_try_at: refused_for.and_then(|time| date.checked_add(time)),
                ..state
            }
        };
        self.slots.iter().map(state).collect()
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
    use crate::clock::SystemClock;

    /// A clock that a test sets.
    struct SetClock(Mutex<Duration>, Instant);

    impl Clock for SetClock {
        fn now(&self) -> Instant {
            self.1 + *self.0.lock().unwrap()
        }

        fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(future::pending())
        }

        fn date(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + *self.0.lock().unwrap()
        }
    }

    fn slots() -> (TokenSlots, Arc<SetClock>) {
        let clock = Arc::new(SetClock(Mutex::default(), SystemClock.now()));
        (TokenSlots::new(2, None, clock.clone()), clock)
    }

    fn first(slots: &TokenSlots) -> usize {
        slots.free_first(slots.clock.now()).expect("a token").0
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_refused_token_is_used_again_after_ten_minutes() {
        let (slots, clock) = slots();
        slots.report(0, TokenAnswer::Refused);
        slots.slots[1].requests.store(1, Ordering::Relaxed);
        *clock.0.lock().unwrap() = REFUSAL - Duration::from_secs(1);
        assert_eq!(first(&slots), 1);
        *clock.0.lock().unwrap() = REFUSAL;
        assert_eq!(first(&slots), 0);
    }

    #[test]
    fn a_slot_shows_since_when_it_is_refused_and_when_it_is_tried_again() {
        let (slots, clock) = slots();
        let at = |time: Duration| Some(SystemTime::UNIX_EPOCH + time);
        slots.report(0, TokenAnswer::Refused);
        let state = slots.slots()[0];
        assert_eq!((state.refused_since, state.next_try_at), (at(Duration::ZERO), at(REFUSAL)));
        // It is refused again when it is tried, and then accepted.
        *clock.0.lock().unwrap() = REFUSAL;
        assert!(!slots.slots()[0].set_aside);
        slots.report(0, TokenAnswer::Refused);
        let state = slots.slots()[0];
        assert_eq!((state.refused_since, state.next_try_at), (at(Duration::ZERO), at(2 * REFUSAL)));
        slots.report(0, TokenAnswer::Valid);
        assert_eq!(slots.slots()[0], LimitState::default());
    }

    #[test]
    fn a_token_is_found_while_all_of_them_are_refused() {
        let (slots, _) = slots();
        [0, 1].iter().for_each(|slot| slots.report(*slot, TokenAnswer::Refused));
        assert!(slots.slots().iter().all(|state| state.set_aside));
        assert_eq!(first(&slots), 0);
    }

    #[test]
    fn a_throttled_token_is_held_back_as_long_as_the_server_asks() {
        let (slots, _) = slots();
        slots.report(0, TokenAnswer::Throttled(Some(MINUTE)));
        assert_eq!((first(&slots), slots.slots()[1].next_free_in), (1, Duration::ZERO));
        slots.report(1, TokenAnswer::Throttled(Some(2 * MINUTE)));
        assert_eq!((first(&slots), slots.slots()[0].next_free_in), (0, MINUTE));
    }

    #[test]
    fn an_earlier_answer_does_not_shorten_the_wait() {
        let (slots, _) = slots();
        slots.report(0, TokenAnswer::Throttled(Some(MINUTE)));
        slots.report(0, TokenAnswer::Throttled(Some(MINUTE / 60)));
        assert_eq!(slots.slots()[0].next_free_in, MINUTE);
    }

    #[test]
    fn tokens_take_turns() {
        let (slots, _) = slots();
        slots.slots[0].requests.store(1, Ordering::Relaxed);
        assert_eq!(first(&slots), 1);
    }

    #[test]
    fn an_authorization_does_not_print_its_token() {
        let header = authorization("s3cret").expect("a header");
        assert!(!format!("{header:?}").contains("s3cret"));
    }
}
