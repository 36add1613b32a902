//! Token slots: each token has its own rate limit, and each request takes the token that is free
//! first.

use super::call::Call;
use super::deadline::Deadline;
use super::rate_limit::{LimitState, Limiter, RateLimit};
use super::settings::Settings;
use crate::error::{Error, Kind};
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The tokens for one API.
pub(super) struct TokenSlots(Vec<TokenSlot>);

/// One token with its rate limit.
pub(super) struct TokenSlot {
    pub(super) authorization: HeaderValue,
    limiter: Limiter,
    /// How many requests used this token.
    requests: AtomicU64,
    /// Whether the server refused this token while another one was left.
    set_aside: AtomicBool,
}

impl TokenSlot {
    fn is_set_aside(&self) -> bool {
        self.set_aside.load(Ordering::Relaxed)
    }
}

impl TokenSlots {
    pub(super) fn new(authorizations: Vec<HeaderValue>, limit: Option<RateLimit>) -> Self {
        let slot = |authorization| TokenSlot {
            authorization,
            limiter: Limiter::new(limit),
            requests: AtomicU64::new(0),
            set_aside: AtomicBool::new(false),
        };
        Self(authorizations.into_iter().map(slot).collect())
    }

    pub(super) fn limits(&self, now: Instant) -> Vec<LimitState> {
        let state = |slot: &TokenSlot| slot.limiter.state(now, slot.is_set_aside());
        self.0.iter().map(state).collect()
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
        let slot = self.free_first(settings.clock.now());
        let slot = slot.ok_or_else(|| Error::config("there is no token"))?;
        let place = slot.limiter.enter(settings.clock.now());
        loop {
            // Registered before the wait is computed, so that no notification falls in between.
            let shortened = place.shortened();
            let now = settings.clock.now();
            let Some(left) = deadline.left(now) else {
                return Err(Error::new(Kind::Deadline));
            };
            match place.leave(now) {
                Ok(()) => {
                    slot.requests.fetch_add(1, Ordering::Relaxed);
                    return Ok((slot, left));
                }
                Err(wait) if wait >= left => return Err(Error::new(Kind::Deadline)),
                Err(_) if settings.shutdown.has_begun() => return Err(Error::new(Kind::Shutdown)),
                Err(wait) => settings.wait(wait, shortened, call).await,
            }
        }
    }

    /// The token that is free first. Among equals, the one that was used least.
    fn free_first(&self, now: Instant) -> Option<&TokenSlot> {
        self.0.iter().min_by_key(|slot| {
            // A token that was set aside comes last, but it stays in the list: for a moment, while
            // the last token is being refused, all of them are set aside.
            let requests = slot.requests.load(Ordering::Relaxed);
            (slot.is_set_aside(), slot.limiter.wait(now), requests)
        })
    }

    /// Stops using a token that the server refused. Returns whether another token is left.
    pub(super) fn set_aside(&self, refused: &TokenSlot) -> bool {
        refused.set_aside.store(true, Ordering::Relaxed);
        let another = self.0.iter().any(|slot| !slot.is_set_aside());
        if !another {
            // The last token stays in use, so that the caller sees why the server refuses it.
            refused.set_aside.store(false, Ordering::Relaxed);
        }
        another
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

    #[test]
    fn the_last_token_is_not_set_aside() {
        let slots = slots();
        assert!(slots.set_aside(&slots.0[0]));
        assert!(!slots.set_aside(&slots.0[1]));
        assert_eq!(slots.0.iter().filter(|slot| slot.is_set_aside()).count(), 1);
        let slot = slots.free_first(SystemClock.now()).expect("a token");
        assert_eq!(slot.authorization, "two");
    }

    #[test]
    fn a_token_is_found_while_all_of_them_are_set_aside() {
        let slots = slots();
        for slot in &slots.0 {
            slot.set_aside.store(true, Ordering::Relaxed);
        }
        assert!(slots.free_first(SystemClock.now()).is_some());
    }

    #[test]
    fn tokens_take_turns() {
        let slots = slots();
        slots.0[0].requests.store(1, Ordering::Relaxed);
        let slot = slots.free_first(SystemClock.now()).expect("a token");
        assert_eq!(slot.authorization, "two");
    }

    #[test]
    fn an_authorization_does_not_print_its_token() {
        let header = authorization("s3cret").expect("a header");
        assert!(!format!("{header:?}").contains("s3cret"));
    }
}
