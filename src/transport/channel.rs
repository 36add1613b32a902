//! Sending a request: its turn, its token, its attempts.

use super::observe::{self, Observer, Watch};
use super::retry::{self, CallOptions, Deadline, Ending, Throttle};
use super::sent::Sent;
use crate::ingest::Turn;
use crate::limit::Limiter;
use crate::operation::{Idempotency, Operation};
use crate::time::Clock;
use crate::{LimitState, RateLimit};
use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Request, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tracing::Instrument;

/// The way to one of the two APIs, shared by all calls.
pub(crate) struct Channel {
    lanes: Vec<Lane>,
    throttle: Throttle,
    carrier: Carrier,
    pub(super) observer: Observer,
    pub(super) clock: Arc<dyn Clock>,
}

/// Who brings requests to the server.
#[derive(Clone)]
pub(crate) enum Carrier {
    /// The HTTP client.
    Http,
    /// A script.
    #[cfg(feature = "testing")]
    Fake(Arc<crate::testing::Script>),
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
    /// Nothing for what no spec describes.
    pub(crate) operation: Option<Operation>,
    pub(crate) options: CallOptions,
    class: Idempotency,
    turn: Option<Turn>,
    attempts: AtomicU32,
    waited: AtomicU64,
    in_doubt: AtomicBool,
}

impl Call {
    pub(crate) fn new(
        operation: Option<Operation>,
        class: Idempotency,
        options: CallOptions,
    ) -> Self {
        Self {
            operation,
            options,
            class,
            turn: None,
            attempts: AtomicU32::new(0),
            waited: AtomicU64::new(0),
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

    /// Whether the call may change something.
    pub(crate) fn writes(&self) -> bool {
        self.class != Idempotency::Safe
    }

    /// How long the call waited for its turn and between attempts.
    pub(super) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    async fn wait(&self, duration: Duration, clock: &dyn Clock) {
        clock.sleep(duration).await;
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Whether an attempt before the last may have been carried out.
    pub(crate) fn was_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }
}

/// Why there is no answer, where reqwest has no error for it. Travels as an extension, because hooks cannot make
/// errors of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The limit left no time for the request.
    OutOfTime,
    /// Nobody listened, as a script has it.
    #[cfg(feature = "testing")]
    Refused,
    /// Nothing came in time, as a script has it.
    #[cfg(feature = "testing")]
    TimedOut,
    /// The connection broke, as a script has it.
    #[cfg(feature = "testing")]
    Reset,
    /// The script has no answer.
    #[cfg(feature = "testing")]
    Unscripted,
}

impl NoAnswer {
    pub(crate) fn of(response: &Response) -> Option<Self> {
        response.extensions().get().copied()
    }

    fn ending(self) -> Ending {
        match self {
            Self::OutOfTime => Ending::NotSent,
            #[cfg(feature = "testing")]
            Self::Refused => Ending::NotSent,
            #[cfg(feature = "testing")]
            Self::TimedOut | Self::Reset => Ending::InDoubt,
            // Asking again does not add to the script.
            #[cfg(feature = "testing")]
            Self::Unscripted => Ending::Answered(StatusCode::BAD_REQUEST),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
        response.extensions_mut().insert(self);
        response.into()
    }
}

/// Pages hold 100 leads at most, so an answer beyond this is none.
const LARGEST_ANSWER: usize = 64 << 20;

/// Marks an answer whose body broke off, and says why.
#[derive(Debug, Clone)]
pub(crate) struct BrokenOff(pub(crate) Arc<dyn std::error::Error + Send + Sync>);

impl Channel {
    pub(crate) fn new(
        authorizations: Vec<HeaderValue>,
        limit: Option<RateLimit>,
        carrier: Carrier,
        observer: Observer,
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
            carrier,
            observer,
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
    pub(crate) async fn execute(
        &self,
        client: &reqwest::Client,
        request: Request,
        call: &Call,
    ) -> reqwest::Result<Response> {
        let watch = Watch::begin(self, &request, call);
        let span = watch.span();
        let result = self.repeat(client, request, call).instrument(span).await;
        watch.end(&result);
        result
    }

    async fn repeat(
        &self,
        client: &reqwest::Client,
        mut request: Request,
        call: &Call,
    ) -> reqwest::Result<Response> {
        let clock = &*self.clock;
        let deadline = Deadline::after(call.options.total_timeout, clock);
        loop {
            let Some((lane, left)) = self.turn(deadline, call).await else {
                return Ok(NoAnswer::OutOfTime.into_response());
            };
            request
                .headers_mut()
                .insert(AUTHORIZATION, lane.authorization.clone());
            let Some(mut attempt) = request.try_clone() else {
                // Bodies are JSON in memory; if a newer spec has a stream, it is sent once.
                return client.execute(request).await;
            };
            let timeout = left.min(call.options.attempt_timeout);
            *attempt.timeout_mut() = Some(timeout);
            let number = call.attempts.fetch_add(1, Ordering::Relaxed) + 1;
            let result = match self.carry(client, attempt, call, timeout).await {
                Ok(response) => Ok(read(response).await),
                Err(error) => Err(error),
            };
            let ending = ending(&result);
            observe::attempted(number, ending);
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
                return result.map(|response| Sent::along(response, &request));
            }
            if ending.leaves_doubt() {
                call.in_doubt.store(true, Ordering::Relaxed);
            }
            observe::waiting(delay);
            call.wait(delay, clock).await;
        }
    }

    async fn carry(
        &self,
        client: &reqwest::Client,
        request: Request,
        #[cfg_attr(not(feature = "testing"), expect(unused_variables))] call: &Call,
        #[cfg_attr(not(feature = "testing"), expect(unused_variables))] timeout: Duration,
    ) -> reqwest::Result<Response> {
        match &self.carrier {
            Carrier::Http => client.execute(request).await,
            #[cfg(feature = "testing")]
            Carrier::Fake(script) => {
                let response = script.play(call.operation, &request);
                if NoAnswer::of(&response) == Some(NoAnswer::TimedOut) {
                    self.clock.sleep(timeout).await;
                }
                Ok(response)
            }
        }
    }

    /// Waits for the token that is free first, in turn where several are; nothing if that is beyond the deadline.
    async fn turn(&self, deadline: Deadline, call: &Call) -> Option<(&Lane, Duration)> {
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
            observe::waiting(place.wait());
            call.wait(place.wait(), &*self.clock).await;
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

pub(super) fn ending(result: &reqwest::Result<Response>) -> Ending {
    match result {
        Ok(response) => match NoAnswer::of(response) {
            Some(none) => none.ending(),
            None if response.extensions().get::<BrokenOff>().is_some() => Ending::InDoubt,
            None => Ending::Answered(response.status()),
        },
        Err(error) if error.is_connect() || error.is_builder() => Ending::NotSent,
        Err(_) => Ending::InDoubt,
    }
}

fn retry_after(result: &reqwest::Result<Response>) -> Option<Duration> {
    let header = result.as_ref().ok()?.headers().get(RETRY_AFTER)?;
    let seconds = header.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
