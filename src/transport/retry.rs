//! Retries: decides after each attempt whether to send the request again, and how long to wait
//! first.

use super::backend::{Broken, Reply};
use super::backoff::backoff;
use super::call::Call;
use super::deadline::Deadline;
use super::headers;
use super::observe;
use super::settings::Settings;
use super::tokens::{Answer, TokenSlot, TokenSlots};
use crate::clock::Clock;
use crate::error::{Error, Phase, Progress};
use crate::operation::Idempotency;
use futures_util::future;
use reqwest::header::AUTHORIZATION;
use reqwest::{Request, StatusCode};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sends requests to one API. All calls share the tokens and the budget.
pub(super) struct Retry {
    pub(super) tokens: TokenSlots,
    pub(super) budget: RetryBudget,
    pub(super) settings: Settings,
}

impl Retry {
    /// Sends a request until an attempt succeeds or may not be repeated.
    pub(super) async fn send(
        &self,
        client: &reqwest::Client,
        request: &Request,
        call: &mut Call,
    ) -> Result<Reply, Error> {
        let settings = &self.settings;
        let deadline = call.options.deadline(settings.clock.now());
        let mut previous: Option<Previous> = None;
        loop {
            let token = self.tokens.acquire(call, deadline, settings).await;
            if let Some(previous) = previous.take() {
                // A call that only waits for a token ends with the answer that made it wait.
                let is_over = match token {
                    Ok(_) => !self.may_still_retry(call, previous.is_paid),
                    Err(_) => !previous.is_paid,
                };
                if is_over {
                    return previous.result;
                }
            }
            call.progress.begin_attempt();
            let (slot, left) = token?;

            let result = self.attempt(client, request, call, slot, left).await;
            classify(&result, &mut call.progress, &*settings.clock);
            observe::attempted(&call.progress);
            let answer = answer(&call.progress);
            self.tokens.report(slot, &answer, settings.clock.now());
            if call.progress.is_success() {
                self.budget.deposit();
                return result;
            }
            let is_paid = match answer {
                Answer::Refused if self.may_switch_token(call) => false,
                Answer::Throttled(_) if self.may_wait_for_limit(call, deadline) => false,
                Answer::Refused | Answer::Throttled(_) => return result,
                Answer::Nothing | Answer::Valid => {
                    let Some(delay) = self.delay(call, deadline) else {
                        return result;
                    };
                    settings.wait(delay, future::pending::<()>(), call).await;
                    true
                }
            };
            if settings.shutdown.has_begun() {
                return result;
            }
            call.free_attempts += u32::from(!is_paid);
            previous = Some(Previous { result, is_paid });
        }
    }

    /// Sends a request once, within the rate limit.
    pub(super) async fn send_once(
        &self,
        client: &reqwest::Client,
        request: &Request,
        call: &mut Call,
    ) -> Result<Reply, Error> {
        let deadline = call.options.deadline(self.settings.clock.now());
        let (slot, left) = self.tokens.acquire(call, deadline, &self.settings).await?;
        self.attempt(client, request, call, slot, left).await
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
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
        self.settings.backend.send(client, call, request).await
    }

    /// Whether to send the request again with another token.
    fn may_switch_token(&self, call: &Call) -> bool {
        call.may_repeat_for_free() && self.tokens.has_valid(self.settings.clock.now())
    }

    /// Whether to send the request again as soon as a token may be used. Such a request costs
    /// neither attempts nor budget, because the server did nothing.
    fn may_wait_for_limit(&self, call: &mut Call, deadline: Deadline) -> bool {
        let now = self.settings.clock.now();
        let wait = self.tokens.wait(now);
        call.throttled = call.throttled.saturating_add(wait);
        call.may_repeat_for_free()
            && call.throttled <= call.options.throttle_timeout
            && deadline.left(now).is_some_and(|left| wait < left)
    }

    /// How long to wait before the next attempt. Returns `None` if there should be none.
    fn delay(&self, call: &Call, deadline: Deadline) -> Option<Duration> {
        let progress = &call.progress;
        let tries = progress.tries - call.free_attempts;
        let may_retry = tries < call.options.attempts
            && is_retryable(call.class, progress)
            && call.is_latest()
            && self.budget.has_any();
        if !may_retry {
            return None;
        }
        let delay = backoff(tries, progress.retry_after, fastrand::f64());
        let left = deadline.left(self.settings.clock.now())?;
        (delay < left).then_some(delay)
    }

    /// Whether the retry is still allowed after the waits. Meanwhile a later write may have begun,
    /// and other calls may have spent the budget. The budget is charged here and not earlier, so
    /// that a call that is dropped while it waits costs nothing.
    fn may_still_retry(&self, call: &Call, is_paid: bool) -> bool {
        call.is_latest() && (!is_paid || self.budget.withdraw())
    }
}

/// An attempt that failed, while another one is prepared.
struct Previous {
    result: Result<Reply, Error>,
    /// Whether the next attempt counts as a retry.
    is_paid: bool,
}

/// What the response says about the token.
fn answer(progress: &Progress) -> Answer {
    match (progress.phase, progress.status) {
        (Phase::Answered, Some(StatusCode::UNAUTHORIZED)) => Answer::Refused,
        (Phase::Answered, Some(StatusCode::TOO_MANY_REQUESTS)) => {
            Answer::Throttled(progress.retry_after)
        }
        // A proxy answers 3xx, 408 and 5xx without looking at the token.
        (Phase::Answered | Phase::Unreadable, Some(status))
            if status.is_success()
                || status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT =>
        {
            Answer::Valid
        }
        _ => Answer::Nothing,
    }
}

/// Notes how an attempt ended.
fn classify(result: &Result<Reply, Error>, progress: &mut Progress, clock: &dyn Clock) {
    match result {
        Ok(reply) => {
            let is_complete = reply.broken.is_none() || !reply.status.is_success();
            progress.phase = if is_complete { Phase::Answered } else { Phase::Unreadable };
            progress.is_cut = !is_complete && matches!(reply.broken, Some(Broken::Cut(_)));
            progress.status = Some(reply.status);
            progress.retry_after = headers::retry_after(&reply.headers, clock);
        }
        Err(error) => progress.failed(error.phase()),
    }
}

/// Whether sending the request again may help and cannot do harm.
fn is_retryable(class: Idempotency, progress: &Progress) -> bool {
    let may_help = progress.is_transient() || progress.phase == Phase::Unreadable;
    let is_harmless = class != Idempotency::NotIdempotent || !progress.leaves_doubt();
    may_help && is_harmless
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

    fn ended(phase: Phase, status: Option<u16>) -> Progress {
        Progress {
            phase,
            status: status.map(|status| StatusCode::from_u16(status).unwrap()),
            ..Progress::new(true)
        }
    }

    fn answered(status: u16) -> Progress {
        ended(Phase::Answered, Some(status))
    }

    #[test]
    fn a_request_that_had_no_effect_is_retried_in_every_class() {
        for class in CLASSES {
            assert!(is_retryable(class, &ended(Phase::NotSent, None)), "{class:?}");
            assert!(is_retryable(class, &answered(429)), "{class:?}");
        }
    }

    #[test]
    fn a_final_response_is_not_retried_in_any_class() {
        for class in CLASSES {
            for status in [101, 200, 302, 303, 400, 401, 404, 409, 600, 999] {
                assert!(!is_retryable(class, &answered(status)), "{class:?} {status}");
            }
        }
    }

    #[test]
    fn w15_a_status_that_does_not_refuse_the_request_leaves_doubt() {
        for status in [100, 101, 199, 303, 408, 500, 599, 600, 999] {
            assert!(answered(status).is_outcome_unknown(), "{status}");
        }
        for status in [200, 300, 301, 302, 304, 307, 308, 400, 401, 404, 409, 429, 499] {
            assert!(!answered(status).is_outcome_unknown(), "{status}");
        }
    }

    #[test]
    fn an_invalid_request_is_not_retried_in_any_class() {
        for class in CLASSES {
            assert!(!is_retryable(class, &ended(Phase::NotBuilt, None)), "{class:?}");
        }
    }

    #[test]
    fn a_request_that_may_have_had_an_effect_is_retried_unless_it_would_append_twice() {
        let mut outcomes = vec![ended(Phase::MaybeSent, None), ended(Phase::Unreadable, Some(200))];
        outcomes.extend([408, 500, 502, 503].map(answered));
        for class in CLASSES {
            for outcome in &outcomes {
                let expected = class != NotIdempotent;
                assert_eq!(is_retryable(class, outcome), expected, "{class:?} {outcome:?}");
            }
        }
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
