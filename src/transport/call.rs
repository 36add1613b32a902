//! Sending a request: its turn, its token, its attempts.

use super::observe::{self, Observer, Watch};
use super::redact::Sent;
use super::retry::{self, AttemptOutcome, CallOptions, Deadline, Stop, Throttle};
use crate::clock::Clock;
use crate::error::has_error_key;
use crate::operation::{Idempotency, Operation};
use crate::transport::rate_limit::Limiter;
use crate::transport::write_order::WriteTicket;
use crate::{LimitState, RateLimit};
use bytes::{Bytes, BytesMut};
use futures_util::future;
use memchr::memmem;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Request, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tracing::Instrument;

/// The way to one of the two APIs, shared by all calls.
pub(crate) struct Transport {
    slots: Vec<TokenSlot>,
    /// What must not stand in a message: the tokens of both APIs, and the enterprise.
    pub(super) secrets: Vec<String>,
    throttle: Throttle,
    pub(super) settings: Settings,
}

/// What the ways to both APIs have in common.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) backend: Backend,
    /// How long an attempt may take where nothing is said, as the HTTP client has it.
    pub(crate) timeout: Duration,
    pub(crate) observer: Observer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: Stop,
}

/// Who brings requests to the server.
#[derive(Clone)]
pub(crate) enum Backend {
    /// The HTTP client.
    Http,
    /// A script.
    #[cfg(feature = "testing")]
    Fake(Arc<crate::testing::Script>),
}

/// One token with its limit.
struct TokenSlot {
    authorization: HeaderValue,
    limiter: Limiter,
    /// How many requests it has carried.
    carried: AtomicU64,
    /// The server refused the token while others were taken.
    refused: AtomicBool,
}

/// One call: how it may be made, and what became of it.
pub(crate) struct Call {
    /// Nothing for what no spec describes.
    pub(crate) operation: Option<Operation>,
    pub(crate) options: CallOptions,
    class: Idempotency,
    turn: Option<WriteTicket>,
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

    /// A write, with its place among those of the same target.
    pub(crate) fn in_turn(mut self, turn: Option<WriteTicket>) -> Self {
        self.turn = turn;
        self
    }

    /// Whether nothing newer was written where this call writes.
    fn is_latest(&self) -> bool {
        self.turn.as_ref().is_none_or(WriteTicket::is_latest)
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

    fn waited_for(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Whether an attempt before the last may have been carried out.
    pub(crate) fn was_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }
}

/// A write that never left wrote nothing over others.
impl Drop for Call {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.as_ref().filter(|_| self.attempts() == 0) {
            turn.withdraw();
        }
    }
}

/// Why there is no answer, where reqwest has no error for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransportFailure {
    /// The limit, or another call, left no time for the request.
    OutOfTime,
    /// The request would have had to wait, and the client is being shut down.
    Stopped,
    /// The request's body is a stream, which could not be sent again.
    Unrepeatable,
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

impl TransportFailure {
    fn ending(self) -> AttemptOutcome {
        match self {
            Self::OutOfTime | Self::Stopped | Self::Unrepeatable => AttemptOutcome::NotSent,
            #[cfg(feature = "testing")]
            Self::Refused => AttemptOutcome::NotSent,
            #[cfg(feature = "testing")]
            Self::TimedOut | Self::Reset => AttemptOutcome::InDoubt,
            // Asking again does not add to the script.
            #[cfg(feature = "testing")]
            Self::Unscripted => AttemptOutcome::Answered(StatusCode::BAD_REQUEST),
        }
    }

    /// As a script plays it.
    #[cfg(feature = "testing")]
    pub(crate) fn into_response(self) -> Response {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
        response.extensions_mut().insert(self);
        response.into()
    }
}

/// Pages hold 100 leads at most, so an answer beyond this is none.
const LARGEST_ANSWER: usize = 64 << 20;

/// What an exchange brought, in memory.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The whole body, or as much of it as came.
    pub(crate) body: Bytes,
    /// Why the body broke off, if it did.
    pub(crate) broken: Option<BoxError>,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// Why there is no answer at all, if there is none.
    pub(crate) failure: Option<TransportFailure>,
    /// The values that the request carried, where the answer has words of its own, which may repeat them.
    pub(crate) sent: Option<Sent>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Reply {
    fn none(reason: TransportFailure) -> Self {
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            broken: None,
            retry_after: None,
            failure: Some(reason),
            sent: None,
        }
    }

    /// Reads an answer to its end.
    async fn read(mut response: Response, clock: &dyn Clock) -> Self {
        let mut body = Body::default();
        let broken = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => body.push(chunk),
                Ok(Some(_)) => break Some(BoxError::from("the answer does not end")),
                Ok(None) => break None,
                Err(error) => break Some(error.without_url().into()),
            }
        };
        Self {
            retry_after: retry::retry_after(response.headers(), clock),
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.whole(),
            broken,
            failure: response.extensions().get().copied(),
            sent: None,
        }
    }

    /// Whether the server says something of the request, and not only what was asked for.
    fn has_words(&self, call: &Call) -> bool {
        !self.status.is_success()
            || has_error_key(&self.body)
            // Only what becomes of a write is remarked.
            || call.writes() && memmem::find(&self.body, b"\"remarks\"").is_some()
    }
}

/// A body as it comes: mostly one chunk, which then need not be copied.
#[derive(Default)]
struct Body {
    first: Bytes,
    whole: BytesMut,
}

impl Body {
    fn len(&self) -> usize {
        self.first.len().max(self.whole.len())
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        if self.whole.is_empty() {
            self.whole.extend_from_slice(&self.first);
        }
        self.whole.extend_from_slice(&chunk);
    }

    fn whole(self) -> Bytes {
        match self.whole.is_empty() {
            true => self.first,
            false => self.whole.freeze(),
        }
    }
}

impl Transport {
    pub(crate) fn new(
        authorizations: Vec<HeaderValue>,
        secrets: Vec<String>,
        limit: Option<RateLimit>,
        settings: Settings,
    ) -> Self {
        let slots = authorizations.into_iter().map(|authorization| TokenSlot {
            authorization,
            limiter: Limiter::new(limit),
            carried: AtomicU64::new(0),
            refused: AtomicBool::new(false),
        });
        Self {
            slots: slots.collect(),
            secrets,
            throttle: Throttle::new(),
            settings,
        }
    }

    /// How far the limit of each token is used up.
    pub(crate) fn limits(&self) -> Vec<LimitState> {
        let now = self.settings.clock.now();
        let slots = self.slots.iter();
        slots
            .map(|slot| {
                slot.limiter
                    .state(now, slot.refused.load(Ordering::Relaxed))
            })
            .collect()
    }

    /// Sends a request, again where that can do no harm, and reads the answer to its end.
    pub(crate) async fn execute(
        &self,
        client: &reqwest::Client,
        request: &mut Request,
        call: &Call,
    ) -> reqwest::Result<Reply> {
        let watch = Watch::begin(self, request, call);
        let span = watch.span();
        let deadline = call.options.deadline(watch.began());
        let result = self
            .repeat(client, request, call, deadline)
            .instrument(span)
            .await;
        watch.end(&result);
        result
    }

    async fn repeat(
        &self,
        client: &reqwest::Client,
        request: &mut Request,
        call: &Call,
        deadline: Deadline,
    ) -> reqwest::Result<Reply> {
        let clock = &*self.settings.clock;
        let mut before = None;
        loop {
            let (slot, left) = match self.turn(deadline, call).await {
                Ok(turn) => turn,
                Err(reason) => return Ok(Reply::none(reason)),
            };
            // While this call waited, the same may have been written anew, and others may have repeated all that can be. Paid is
            // what leaves, so that giving up costs nothing.
            if let Some(result) = before.take()
                && !(call.is_latest() && self.throttle.take())
            {
                return told(result, request, call);
            }
            request
                .headers_mut()
                .insert(AUTHORIZATION, slot.authorization.clone());
            let Some(mut attempt) = copy(request) else {
                // Bodies are JSON in memory; a stream of a newer spec could be sent once only.
                return Ok(Reply::none(TransportFailure::Unrepeatable));
            };
            let timeout = left.min(call.options.attempt_timeout);
            // Only where it is another than the HTTP client has: it takes three allocations.
            if timeout != self.settings.timeout {
                *attempt.timeout_mut() = Some(timeout);
            }
            let number = call.attempts.fetch_add(1, Ordering::Relaxed) + 1;
            let result = match self.carry(client, attempt, call, timeout).await {
                Ok(response) => Ok(Reply::read(response, clock).await),
                Err(error) => Err(error),
            };
            let ending = ending(&result);
            observe::attempted(number, ending);
            if ending == AttemptOutcome::Answered(StatusCode::UNAUTHORIZED)
                && self.set_aside(slot)
                && !self.settings.stop.is_set()
            {
                continue;
            }
            if matches!(ending, AttemptOutcome::Answered(status) if status.is_success()) {
                self.throttle.succeeded();
            }
            let may_repeat = number < call.options.attempts
                && retry::may_repeat(call.class, ending)
                && call.is_latest();
            let asked = result.as_ref().ok().and_then(|reply| reply.retry_after);
            let delay = may_repeat
                .then(|| retry::delay(number, asked, fastrand::f64()))
                .filter(|delay| deadline.left(clock.now()).is_some_and(|left| *delay < left))
                .filter(|_| self.throttle.has_any());
            let repeats = match delay {
                Some(delay) => {
                    let began = clock.now();
                    observe::waiting(delay);
                    self.settings.stop.or(clock.sleep(delay)).await;
                    call.waited_for(clock.now().saturating_duration_since(began));
                    !self.settings.stop.is_set()
                }
                None => false,
            };
            if !repeats {
                return told(result, request, call);
            }
            if ending.leaves_doubt() {
                call.in_doubt.store(true, Ordering::Relaxed);
            }
            before = Some(result);
        }
    }

    async fn carry(
        &self,
        client: &reqwest::Client,
        request: Request,
        #[cfg_attr(not(feature = "testing"), expect(unused_variables))] call: &Call,
        #[cfg_attr(not(feature = "testing"), expect(unused_variables))] timeout: Duration,
    ) -> reqwest::Result<Response> {
        match &self.settings.backend {
            Backend::Http => client.execute(request).await,
            #[cfg(feature = "testing")]
            Backend::Fake(script) => {
                let response = script.play(call.operation, &request);
                if response.extensions().get() == Some(&TransportFailure::TimedOut) {
                    self.settings.clock.sleep(timeout).await;
                }
                Ok(response)
            }
        }
    }

    /// Waits for the token that is free first, in turn where several are, unless that is beyond the deadline.
    async fn turn(
        &self,
        deadline: Deadline,
        call: &Call,
    ) -> Result<(&TokenSlot, Duration), TransportFailure> {
        let now = self.settings.clock.now();
        // One that was refused comes last, and not never: while the last one is being refused, all of them are.
        let rank = |slot: &&TokenSlot| {
            let refused = slot.refused.load(Ordering::Relaxed);
            let carried = slot.carried.load(Ordering::Relaxed);
            (refused, slot.limiter.wait(now), carried)
        };
        let slot = self.slots.iter().min_by_key(rank);
        let slot = slot.ok_or(TransportFailure::OutOfTime)?;
        let place = slot.limiter.enter(now);
        loop {
            let shorter = place.shorter();
            let now = self.settings.clock.now();
            let left = deadline.left(now).ok_or(TransportFailure::OutOfTime)?;
            let Err(wait) = place.leave(now) else {
                slot.carried.fetch_add(1, Ordering::Relaxed);
                return Ok((slot, left));
            };
            if wait >= left {
                return Err(TransportFailure::OutOfTime);
            }
            if self.settings.stop.is_set() {
                return Err(TransportFailure::Stopped);
            }
            observe::waiting(wait);
            let shorter = std::pin::pin!(shorter);
            let free = future::select(shorter, self.settings.clock.sleep(wait));
            self.settings.stop.or(free).await;
            call.waited_for(self.settings.clock.now().saturating_duration_since(now));
        }
    }

    /// Uses a refused token no more, if there is another.
    fn set_aside(&self, refused: &TokenSlot) -> bool {
        refused.refused.store(true, Ordering::Relaxed);
        let another = self
            .slots
            .iter()
            .any(|slot| !slot.refused.load(Ordering::Relaxed));
        if !another {
            // The last one goes on being tried: its refusal is what the caller must see.
            refused.refused.store(false, Ordering::Relaxed);
        }
        another
    }
}

/// What came, with what an answer may repeat of the request.
fn told(result: reqwest::Result<Reply>, request: &Request, call: &Call) -> reqwest::Result<Reply> {
    result.map(|reply| match reply.has_words(call) {
        false => reply,
        true => Reply {
            sent: Some(Sent::by(request)),
            ..reply
        },
    })
}

/// `Request::try_clone` does the same, but makes a map for a timeout even where there is none.
fn copy(request: &Request) -> Option<Request> {
    let body = match request.body() {
        Some(body) => Some(Bytes::copy_from_slice(body.as_bytes()?).into()),
        None => None,
    };
    let mut copy = Request::new(request.method().clone(), request.url().clone());
    *copy.headers_mut() = request.headers().clone();
    *copy.body_mut() = body;
    Some(copy)
}

pub(super) fn ending(result: &reqwest::Result<Reply>) -> AttemptOutcome {
    match result {
        Ok(reply) => match reply.failure {
            Some(none) => none.ending(),
            None if reply.broken.is_some() => AttemptOutcome::InDoubt,
            None => AttemptOutcome::Answered(reply.status),
        },
        Err(error) if error.is_connect() || error.is_builder() => AttemptOutcome::NotSent,
        Err(_) => AttemptOutcome::InDoubt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn of_tokens_that_were_all_refused_one_goes_on_being_tried() {
        let settings = Settings {
            backend: Backend::Http,
            timeout: Duration::MAX,
            observer: Observer::default(),
            clock: Arc::new(SystemClock),
            stop: Stop::default(),
        };
        let tokens = ["one", "two"].map(HeaderValue::from_static);
        let transport = Transport::new(tokens.into(), Vec::new(), None, settings);
        // As between the two steps of setting one aside, while others call.
        for slot in &transport.slots {
            slot.refused.store(true, Ordering::Relaxed);
        }
        let call = Call::new(None, Idempotency::Safe, CallOptions::default());
        let deadline = Deadline::of(SystemClock.now(), Duration::MAX);
        assert!(transport.turn(deadline, &call).await.is_ok());
        transport.slots[0].refused.store(false, Ordering::Relaxed);
        for _ in 0..3 {
            let (slot, _) = transport.turn(deadline, &call).await.expect("a turn");
            assert_eq!(slot.authorization, "one");
        }
    }
}
