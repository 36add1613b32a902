//! Sending a request: its turn, its token, its attempts.

use super::retry::{self, CallOptions, Deadline, Ending, Throttle};
use crate::ingest::Turn;
use crate::limit::Limiter;
use crate::operation::Idempotency;
use crate::time::Clock;
use crate::{LimitState, RateLimit};
use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Request, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The way to one of the two APIs, shared by all calls.
pub(crate) struct Channel {
    lanes: Vec<Lane>,
    throttle: Throttle,
    clock: Arc<dyn Clock>,
}

/// One token with its limit.
struct Lane {
    authorization: HeaderValue,
    limiter: Limiter,
    /// How many requests it has carried.
    carried: AtomicU64,
    /// The server refused the token while others were taken.
    refused: AtomicBool,
}

/// One call: how it may be made, and what became of it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) options: CallOptions,
    class: Idempotency,
    turn: Option<Turn>,
    attempts: AtomicU32,
    in_doubt: AtomicBool,
}

impl Call {
    pub(crate) fn new(class: Idempotency, options: CallOptions) -> Self {
        Self {
            options,
            class,
            turn: None,
            attempts: AtomicU32::new(0),
            in_doubt: AtomicBool::new(false),
        }
    }

    /// A push, with its place among those of the same lead.
    pub(crate) fn in_turn(mut self, turn: Option<Turn>) -> Self {
        self.turn = turn;
        self
    }

    /// How often the request was sent.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Whether an attempt before the last may have been carried out.
    pub(crate) fn was_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }
}

/// Why a request was not sent although nothing is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfTime;

/// Pages hold 100 leads at most, so an answer beyond this is none.
const LARGEST_ANSWER: usize = 64 << 20;

/// Marks an answer whose body broke off, and says why.
#[derive(Debug, Clone)]
pub(crate) struct BrokenOff(pub(crate) Arc<dyn std::error::Error + Send + Sync>);

impl Channel {
    pub(crate) fn new(
        authorizations: Vec<HeaderValue>,
        limit: Option<RateLimit>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let lanes = authorizations.into_iter().map(|authorization| Lane {
            authorization,
            limiter: Limiter::new(limit),
            carried: AtomicU64::new(0),
            refused: AtomicBool::new(false),
        });
        Self {
            lanes: lanes.collect(),
            throttle: Throttle::new(),
            clock,
        }
    }

    /// How far the limit of each token is used up.
    pub(crate) fn limits(&self) -> Vec<LimitState> {
        let now = self.clock.now();
        let lanes = self.lanes.iter();
        lanes
            .map(|lane| {
                lane.limiter
                    .state(now, lane.refused.load(Ordering::Relaxed))
            })
            .collect()
    }

    /// Sends a request, again where that can do no harm, and reads the answer to its end.
    pub(super) async fn execute(
        &self,
        client: &reqwest::Client,
        request: Request,
        call: &Call,
    ) -> reqwest::Result<Response> {
        let clock = &*self.clock;
        let deadline = Deadline::after(call.options.total_timeout, clock);
        loop {
            let Some((lane, left)) = self.turn(deadline).await else {
                return Ok(out_of_time());
            };
            let mut attempt = match request.try_clone() {
                Some(attempt) => attempt,
                // Bodies are JSON in memory, which can be cloned; a stream is sent once.
                None => return client.execute(request).await,
            };
            attempt
                .headers_mut()
                .insert(AUTHORIZATION, lane.authorization.clone());
            *attempt.timeout_mut() = Some(left.min(call.options.attempt_timeout));
            let number = call.attempts.fetch_add(1, Ordering::Relaxed) + 1;
            let result = match client.execute(attempt).await {
                Ok(response) => Ok(read(response).await),
                Err(error) => Err(error),
            };
            let ending = ending(&result);
            if ending == Ending::Answered(StatusCode::UNAUTHORIZED) && self.set_aside(lane) {
                continue;
            }
            if matches!(ending, Ending::Answered(status) if status.is_success()) {
                self.throttle.succeeded();
            }
            let delay = retry::delay(number, retry_after(&result), fastrand::f64());
            let again = number < call.options.attempts
                && retry::may_repeat(call.class, ending)
                && call.turn.as_ref().is_none_or(Turn::is_latest)
                && deadline.left(clock).is_some_and(|left| delay < left)
                && self.throttle.take();
            if !again {
                return result;
            }
            if ending.leaves_doubt() {
                call.in_doubt.store(true, Ordering::Relaxed);
            }
            clock.sleep(delay).await;
        }
    }

    /// Waits for the token that is free first, in turn where several are; nothing if that is beyond the deadline.
    async fn turn(&self, deadline: Deadline) -> Option<(&Lane, Duration)> {
        let now = self.clock.now();
        let usable = self
            .lanes
            .iter()
            .filter(|lane| !lane.refused.load(Ordering::Relaxed));
        let lane = usable
            .min_by_key(|lane| (lane.limiter.wait(now), lane.carried.load(Ordering::Relaxed)))?;
        let left = deadline.left(&*self.clock)?;
        if lane.limiter.wait(now) >= left {
            return None;
        }
        lane.carried.fetch_add(1, Ordering::Relaxed);
        let place = lane.limiter.reserve(now);
        if !place.wait().is_zero() {
            self.clock.sleep(place.wait()).await;
        }
        place.keep();
        Some((lane, deadline.left(&*self.clock)?))
    }

    /// Uses a refused token no more, if there is another.
    fn set_aside(&self, refused: &Lane) -> bool {
        refused.refused.store(true, Ordering::Relaxed);
        let another = self
            .lanes
            .iter()
            .any(|lane| !lane.refused.load(Ordering::Relaxed));
        if !another {
            // The last one goes on being tried: its refusal is what the caller must see.
            refused.refused.store(false, Ordering::Relaxed);
        }
        another
    }
}

/// The answer with its body in memory, or as much of it as came, with the reason why not more.
async fn read(response: Response) -> Response {
    let (mut head, body) = http::Response::from(response).into_parts();
    let mut body: Response = http::Response::new(body).into();
    let mut whole = BytesMut::new();
    let broken: Option<Arc<dyn std::error::Error + Send + Sync>> = loop {
        match body.chunk().await {
            Ok(Some(chunk)) if whole.len() + chunk.len() <= LARGEST_ANSWER => {
                whole.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => break Some(Arc::from(Box::from("the answer does not end"))),
            Ok(None) => break None,
            Err(error) => break Some(Arc::new(error.without_url())),
        }
    };
    if let Some(error) = broken {
        head.extensions.insert(BrokenOff(error));
    }
    http::Response::from_parts(head, whole.freeze()).into()
}

fn ending(result: &reqwest::Result<Response>) -> Ending {
    match result {
        Ok(response) if response.extensions().get::<BrokenOff>().is_some() => Ending::InDoubt,
        Ok(response) => Ending::Answered(response.status()),
        Err(error) if error.is_connect() || error.is_builder() => Ending::NotSent,
        Err(_) => Ending::InDoubt,
    }
}

fn retry_after(result: &reqwest::Result<Response>) -> Option<Duration> {
    let header = result.as_ref().ok()?.headers().get(RETRY_AFTER)?;
    let seconds = header.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Stands for an answer where there is none: hooks cannot make errors of their own.
fn out_of_time() -> Response {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response.extensions_mut().insert(OutOfTime);
    response.into()
}
