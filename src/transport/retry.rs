//! Retries: decides after each attempt whether to send the request again, and how long to wait
//! first.

use super::backend::{Broken, Reply};
use super::backoff::backoff;
use super::call::Call;
use super::deadline::Deadline;
use super::gate::{Gate, GateError, GateRequest, TokenAnswer};
use super::headers;
use super::observe::{self, SlotEvent};
use super::settings::Settings;
use crate::clock::Clock;
use crate::error::{Error, Kind, Phase, Progress};
use crate::operation::Idempotency;
use futures_util::future;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, StatusCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sends requests to one API. All calls share the tokens and the budget.
pub(super) struct Retry {
    /// `Sync` or `Async`.
    api: &'static str,
    slots: Vec<TokenSlot>,
    pub(super) gate: Arc<dyn Gate>,
    budget: RetryBudget,
    pub(super) settings: Settings,
}

/// The token that a slot of the gate stands for.
struct TokenSlot {
    authorization: HeaderValue,
    /// Whether the server refused the token when it was last used.
    is_refused: AtomicBool,
}

impl Retry {
    pub(super) fn new(
        api: &'static str,
        authorizations: Vec<HeaderValue>,
        gate: Arc<dyn Gate>,
        settings: Settings,
    ) -> Self {
        let slot = |authorization| TokenSlot { authorization, is_refused: AtomicBool::new(false) };
        let slots = authorizations.into_iter().map(slot).collect();
        Self { api, slots, gate, budget: RetryBudget::new(), settings }
    }

    /// Sends a request until an attempt succeeds or may not be repeated.
    pub(super) async fn send(
        &self,
        client: &reqwest::Client,
        request: &Request,
        call: &mut Call,
    ) -> Result<Reply, Error> {
        let settings = &self.settings;
        let deadline = call.options.deadline_from(settings.clock.now());
        let mut previous: Option<Previous> = None;
        loop {
            let token = self.acquire(call, deadline).await;
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
            self.report(slot, answer);
            if call.progress.is_success() {
                self.budget.deposit();
                return result;
            }
            let is_paid = match answer {
                TokenAnswer::Refused if self.may_switch_token(call) => false,
                TokenAnswer::Throttled(_) if self.may_wait_for_limit(call, deadline) => false,
                TokenAnswer::Refused | TokenAnswer::Throttled(_) => return result,
                TokenAnswer::Nothing | TokenAnswer::Valid => {
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
        let deadline = call.options.deadline_from(self.settings.clock.now());
        let (slot, left) = self.acquire(call, deadline).await?;
        self.attempt(client, request, call, slot, left).await
    }

    /// Waits for a token slot. Returns it with the time that the call has left.
    ///
    /// # Errors
    /// Returns an error if the wait would exceed the deadline, or if the client is shutting down.
    async fn acquire(
        &self,
        call: &mut Call,
        deadline: Deadline,
    ) -> Result<(usize, Duration), Error> {
        let Settings { clock, shutdown, .. } = &self.settings;
        let late = || Error::new(Kind::Deadline);
        let began = clock.now();
        let left = deadline.left(began).ok_or_else(late)?;
        // Calls that need not wait are sent during a shutdown too.
        let left = if shutdown.has_begun() { Duration::ZERO } else { left };
        let request = GateRequest { operation: call.operation, left };
        let slot = shutdown.unless_begun(self.gate.acquire(request)).await;
        let now = clock.now();
        call.progress.waited += now.saturating_duration_since(began);
        let slot = match slot {
            Some(Ok(slot)) => slot,
            Some(Err(GateError::Failed(reason))) => {
                return Err(Error::new(Kind::Gate).because(reason));
            }
            None | Some(Err(GateError::Late)) if shutdown.has_begun() => {
                return Err(Error::new(Kind::Shutdown));
            }
            None | Some(Err(GateError::Late)) => return Err(late()),
        };
        if slot >= self.slots.len() {
            let count = self.slots.len();
            return Err(Error::config(format!("the gate chose token slot {slot} of {count}"))
                .with_hint("slots are numbered from zero, in the order of the builder"));
        }
        Ok((slot, deadline.left(now).ok_or_else(late)?))
    }

    /// Passes on what the server said about a token.
    fn report(&self, slot: usize, answer: TokenAnswer) {
        self.gate.report(slot, answer);
        let is_refused = match answer {
            TokenAnswer::Refused => true,
            TokenAnswer::Valid => false,
            TokenAnswer::Nothing | TokenAnswer::Throttled(_) => return,
        };
        let was_refused = &self.slots[slot].is_refused;
        // Read first, because writing is dear where many calls share the slot.
        if was_refused.load(Ordering::SeqCst) != is_refused
            && was_refused.swap(is_refused, Ordering::SeqCst) != is_refused
        {
            let state = self.gate.slots().get(slot).copied().unwrap_or_default();
            let event = SlotEvent { api: self.api, slot, is_refused, state };
            observe::slot_changed(&event, &self.settings.slot_observer);
        }
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &Request,
        call: &mut Call,
        slot: usize,
        left: Duration,
    ) -> Result<Reply, Error> {
        // Bodies are JSON in memory, so only a future spec could bring one that is a stream.
        let Some(mut request) = request.try_clone() else {
            return Err(Error::refused("a body that is a stream cannot be sent"));
        };
        let authorization = self.slots[slot].authorization.clone();
        request.headers_mut().insert(AUTHORIZATION, authorization);
        let timeout = left.min(call.options.attempt_timeout);
        // An endless timeout leaves it to the HTTP client, which may have its own.
        if timeout < Duration::MAX {
            *request.timeout_mut() = Some(timeout);
        }
        call.progress.sent(slot);
        self.settings.backend.send(client, call, request).await
    }

    /// Whether to send the request again with another token.
    fn may_switch_token(&self, call: &Call) -> bool {
        call.may_repeat_for_free() && self.gate.slots().iter().any(|slot| !slot.set_aside)
    }

    /// How long a request would wait for a token that asks now.
    pub(super) fn until_free(&self) -> Duration {
        let slots = self.gate.slots();
        let first = slots.iter().min_by_key(|slot| (slot.set_aside, slot.next_free_in));
        first.map_or(Duration::ZERO, |slot| slot.next_free_in)
    }

    /// Whether to send the request again as soon as a token may be used. Such a request costs
    /// neither attempts nor budget, because the server did nothing.
    fn may_wait_for_limit(&self, call: &mut Call, deadline: Deadline) -> bool {
        let now = self.settings.clock.now();
        let wait = self.until_free();
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
fn answer(progress: &Progress) -> TokenAnswer {
    match (progress.phase, progress.status) {
        (Phase::Answered, Some(StatusCode::UNAUTHORIZED)) => TokenAnswer::Refused,
        (Phase::Answered, Some(StatusCode::TOO_MANY_REQUESTS)) => {
            TokenAnswer::Throttled(progress.retry_after)
        }
        // A proxy answers 3xx, 408 and 5xx without looking at the token.
        (Phase::Answered | Phase::Unreadable, Some(status))
            if status.is_success()
                || status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT =>
        {
            TokenAnswer::Valid
        }
        _ => TokenAnswer::Nothing,
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
