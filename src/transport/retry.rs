//! Retries: decides after each attempt whether to send the request again, and how long to wait
//! first.

use super::backend::Reply;
use super::call::Call;
use super::deadline::Deadline;
use super::headers;
use super::observe;
use super::settings::Settings;
use super::tokens::{TokenSlot, TokenSlots};
use crate::error::{AttemptOutcome, Error};
use crate::operation::Idempotency;
use futures_util::future;
use reqwest::header::AUTHORIZATION;
use reqwest::{Request, StatusCode};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sends the request of one call until an attempt succeeds or may not be repeated.
pub(super) struct Retry<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) tokens: &'a TokenSlots,
    pub(super) budget: &'a RetryBudget,
    pub(super) settings: &'a Settings,
}

impl Retry<'_> {
    pub(super) async fn send(&self, request: &Request, call: &mut Call) -> Result<Reply, Error> {
        let deadline = call.options.deadline(self.settings.clock.now());
        let mut previous = None;
        loop {
            let token = self
                .tokens
                .acquire(deadline, self.settings, &mut call.progress)
                .await;
            if token.is_ok()
                && let Some(result) = previous.take()
                && !self.may_still_retry(call)
            {
                return result;
            }
            call.progress.begin_attempt();
            let (slot, left) = token?;
            let result = self.attempt(request, call, slot, left).await;
            call.progress.last = classify(&result);
            observe::attempted(&call.progress);
            if call.progress.last.is_success() {
                self.budget.deposit();
                return result;
            }
            if self.has_other_token(call.progress.last, slot) {
                continue;
            }
            let Some(delay) = self.delay(call, deadline) else {
                return result;
            };
            self.settings
                .wait(delay, future::pending::<()>(), &mut call.progress)
                .await;
            if self.settings.shutdown.has_begun() {
                return result;
            }
            previous = Some(result);
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        call: &mut Call,
        slot: &TokenSlot,
        left: Duration,
    ) -> Result<Reply, Error> {
        // Bodies are JSON in memory, so only a future spec could bring one that is a stream.
        let Some(mut request) = request.try_clone() else {
            return Err(Error::refused("a body that is a stream cannot be sent"));
        };
        let authorization = slot.authorization.clone();
        request.headers_mut().insert(AUTHORIZATION, authorization);
        let timeout = left.min(call.options.attempt_timeout);
        // An endless timeout leaves it to the HTTP client, which may have its own.
        if timeout < Duration::MAX {
            *request.timeout_mut() = Some(timeout);
        }
        call.progress.sent();
        let clock = &*self.settings.clock;
        let sending = self
            .settings
            .backend
            .send(self.client, clock, call.operation, request);
        let reply = sending.await?;
        call.progress.retry_after = headers::retry_after(&reply.headers, clock);
        Ok(reply)
    }

    /// Whether the server refused the token, and the request can be sent with another one.
    fn has_other_token(&self, outcome: AttemptOutcome, slot: &TokenSlot) -> bool {
        outcome == AttemptOutcome::Answered(StatusCode::UNAUTHORIZED)
            && self.tokens.set_aside(slot)
            && !self.settings.shutdown.has_begun()
    }

    /// How long to wait before the next attempt. Returns `None` if there should be none.
    fn delay(&self, call: &Call, deadline: Deadline) -> Option<Duration> {
        let progress = &call.progress;
        let may_retry = progress.attempts < call.options.attempts
            && is_retryable(call.class, progress.last)
            && call.is_latest()
            && self.budget.has_any();
        if !may_retry {
            return None;
        }
        let delay = backoff(progress.attempts, progress.retry_after, fastrand::f64());
        let left = deadline.left(self.settings.clock.now())?;
        (delay < left).then_some(delay)
    }

    /// Whether the retry is still allowed after the waits. Meanwhile a later write may have begun,
    /// and other calls may have spent the budget. The budget is charged here and not earlier, so
    /// that a call that is dropped while it waits costs nothing.
    fn may_still_retry(&self, call: &Call) -> bool {
        call.is_latest() && self.budget.withdraw()
    }
}

fn classify(result: &Result<Reply, Error>) -> AttemptOutcome {
    match result {
        Ok(reply) if reply.broken.is_some() => AttemptOutcome::Unreadable(reply.status),
        Ok(reply) => AttemptOutcome::Answered(reply.status),
        Err(error) => error.outcome(),
    }
}

/// Whether sending the request again may help and cannot do harm.
fn is_retryable(class: Idempotency, outcome: AttemptOutcome) -> bool {
    let is_incomplete = matches!(outcome, AttemptOutcome::Unreadable(_));
    let may_help = outcome.is_transient() || is_incomplete;
    let is_harmless = class != Idempotency::NotIdempotent || !outcome.leaves_doubt();
    may_help && is_harmless
}

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// A random part of a bound that doubles with each attempt, but at least what the server asks for.
/// The randomness spreads out clients that failed at the same time.
fn backoff(attempt: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let bound = (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY);
    bound.mul_f64(random).max(retry_after.unwrap_or_default())
}

/// Limits the retries of all calls together, so that they stop when every request fails. A retry
/// costs one unit, a success earns a tenth of it.
#[derive(Debug)]
pub(super) struct RetryBudget(Mutex<f64>);

const FULL_BUDGET: f64 = 10.0;

impl RetryBudget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(FULL_BUDGET))
    }

    fn lock(&self) -> MutexGuard<'_, f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the budget covers a retry.
    fn has_any(&self) -> bool {
        *self.lock() >= 1.0
    }

    /// Pays for a retry. Returns `false` if the budget does not cover it.
    fn withdraw(&self) -> bool {
        let mut left = self.lock();
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }

    fn deposit(&self) {
        let mut left = self.lock();
        *left = (*left + 0.1).min(FULL_BUDGET);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Idempotency::{Idempotent, NotIdempotent, Safe};

    const CLASSES: [Idempotency; 3] = [Safe, Idempotent, NotIdempotent];

    fn answered(status: u16) -> AttemptOutcome {
        AttemptOutcome::Answered(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn a_request_that_had_no_effect_is_retried_in_every_class() {
        for class in CLASSES {
            assert!(is_retryable(class, AttemptOutcome::NotSent), "{class:?}");
            assert!(is_retryable(class, answered(429)), "{class:?}");
        }
    }

    #[test]
    fn a_final_answer_is_not_retried_in_any_class() {
        for class in CLASSES {
            for status in [200, 302, 400, 401, 404, 409] {
                assert!(!is_retryable(class, answered(status)), "{class:?} {status}");
            }
            assert!(!is_retryable(class, AttemptOutcome::NotBuilt), "{class:?}");
        }
    }

    #[test]
    fn a_request_that_may_have_had_an_effect_is_retried_unless_it_would_append_twice() {
        let incomplete = AttemptOutcome::Unreadable(StatusCode::OK);
        for class in CLASSES {
            for outcome in [
                AttemptOutcome::NoResponse,
                incomplete,
                answered(408),
                answered(500),
                answered(502),
                answered(503),
            ] {
                let expected = class != NotIdempotent;
                assert_eq!(
                    is_retryable(class, outcome),
                    expected,
                    "{class:?} {outcome:?}"
                );
            }
        }
    }

    #[test]
    fn delays_double_up_to_a_bound() {
        assert_eq!(backoff(1, None, 1.0), Duration::from_millis(500));
        assert_eq!(backoff(3, None, 0.5), Duration::from_secs(1));
        assert_eq!(backoff(40, None, 1.0), LONGEST_DELAY);
    }

    #[test]
    fn a_delay_is_at_least_what_the_server_asks_for() {
        let asked = Duration::from_secs(17);
        assert_eq!(backoff(1, Some(asked), 0.1), asked);
    }

    #[test]
    fn the_budget_is_spent_after_ten_retries() {
        let budget = RetryBudget::new();
        assert_eq!((0..20).filter(|_| budget.withdraw()).count(), 10);
        assert!(!budget.has_any());
    }

    #[test]
    fn ten_successes_pay_for_a_retry() {
        let budget = RetryBudget::new();
        (0..10).for_each(|_| assert!(budget.withdraw()));
        (0..9).for_each(|_| budget.deposit());
        assert!(!budget.has_any() && !budget.withdraw());
        // The sum of ten tenths is a little less than one.
        (0..2).for_each(|_| budget.deposit());
        assert!(budget.has_any() && budget.withdraw());
    }
}
