//! The transport: everything between a method of the facade and the network.
//!
//! A [`Call`] waits for a token, is sent by a [`Backend`], is retried, and ends as a [`Response`]
//! or an error.

pub(crate) mod backend;
mod backoff;
mod call;
mod deadline;
pub(crate) mod envelope;
mod fold;
pub(crate) mod gate;
pub(crate) mod headers;
mod observe;
mod options;
pub(crate) mod rate_limit;
mod redact;
mod response;
mod retry;
mod settings;
mod shutdown;
mod tokens;
pub(crate) mod write_order;

pub(crate) use backend::{Backend, Http};
pub(crate) use call::{Call, Unbuilt};
pub(crate) use deadline::Deadline;
pub use observe::{CallReport, SlotEvent};
pub(crate) use observe::{Observer, SlotObserver};
pub use options::CallOptions;
pub(crate) use response::Response;
pub(crate) use settings::Settings;
pub(crate) use shutdown::Shutdown;
pub(crate) use tokens::{TokenSlots, authorization};

use crate::clock::SystemClock;
use crate::error::Error;
use crate::operation::{Idempotency, Operation};
use gate::Gate;
use observe::Watch;
use rate_limit::LimitState;
use reqwest::Request;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use retry::Retry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// The way to one of the two APIs, shared by all of its calls.
pub(crate) struct Transport {
    retry: Retry,
    /// The tokens of both APIs and the enterprise ID, which no message may hold.
    secrets: Vec<String>,
}

impl Transport {
    pub(crate) fn new(
        api: &'static str,
        authorizations: Vec<HeaderValue>,
        secrets: Vec<String>,
        gate: Arc<dyn Gate>,
        settings: Settings,
    ) -> Self {
        Self { retry: Retry::new(api, authorizations, gate, settings), secrets }
    }

    /// The state of the rate limit of each token.
    pub(crate) fn limits(&self) -> Vec<LimitState> {
        self.retry.gate.slots()
    }

    /// How long a call would wait for the rate limit that begins now.
    pub(crate) fn until_free(&self) -> Duration {
        self.retry.until_free()
    }

    /// Makes a call with this request.
    pub(crate) async fn call(
        &self,
        client: &reqwest::Client,
        mut call: Call,
        request: Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        let result = self.exchange(client, &mut call, request).await;
        result.map_err(|error| error.during(call.operation, &call.progress))
    }

    async fn exchange(
        &self,
        client: &reqwest::Client,
        call: &mut Call,
        request: Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        let request = request.map_err(Unbuilt::into_error)?;
        let settings = &self.retry.settings;
        settings.backend.check()?;
        let mut watch = Watch::begin(&request, call, &settings.observer, &*settings.clock);
        let span = watch.span();
        let sending = self.retry.send(client, &request, watch.call());
        let result = sending.instrument(span).await;
        watch.end(&result);
        Response::read(result?, &request, call, &self.secrets)
    }

    /// Whether the server accepts a request with a token of this transport. Sends it once, and does
    /// not conclude anything about the token.
    pub(crate) async fn is_accepted(
        &self,
        client: &reqwest::Client,
        mut call: Call,
        request: Result<Request, Unbuilt>,
    ) -> bool {
        let Ok(request) = request else {
            return false;
        };
        let reply = self.retry.send_once(client, &request, &mut call).await;
        reply.is_ok_and(|reply| reply.status.is_success())
    }

    /// A message of the server without secrets and without the values that were sent.
    pub(crate) fn masked(&self, message: &str, response: &Response) -> String {
        response.mask.apply(message)
    }
}

/// What a generated client needs besides a base URL: the token. Its `Debug` output does not show
/// the token.
///
/// ```
/// use telecrm::raw::Context;
///
/// let token = Context::bearer("0f1e2d3c")?;
/// assert!(!format!("{token:?}").contains("0f1e2d3c"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Context {
    transport: Arc<Transport>,
    options: CallOptions,
}

impl Context {
    /// For requests with this token. They are sent immediately, without retries.
    ///
    /// # Errors
    /// Returns an error if the token has characters that a header cannot hold.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeaderValue> {
        let settings = Settings {
            backend: Arc::new(Http),
            observer: Observer::default(),
            slot_observer: SlotObserver::default(),
            clock: Arc::new(SystemClock),
            shutdown: Shutdown::default(),
        };
        let authorizations = vec![authorization(token)?];
        let gate = Arc::new(TokenSlots::new(1, None, settings.clock.clone()));
        let secrets = vec![token.to_owned()];
        let transport = Transport::new("raw", authorizations, secrets, gate, settings);
        let options = CallOptions::new()
            .attempts(1)
            .attempt_timeout(Duration::MAX)
            .total_timeout(Duration::MAX);
        Ok(Self::through(Arc::new(transport), options))
    }

    /// For requests with the tokens, limits and retries of a client.
    pub(crate) fn through(transport: Arc<Transport>, options: CallOptions) -> Self {
        Self { transport, options }
    }

    /// Sends a request of a generated client.
    pub(crate) fn send(
        &self,
        client: &reqwest::Client,
        operation: Option<Operation>,
        request: Result<Request, Unbuilt>,
    ) -> impl Future<Output = Result<Response, Error>> {
        // An operation that only a newer spec has may add a record each time.
        let class = operation.map_or(Idempotency::NotIdempotent, Operation::idempotency);
        let call = Call::new(operation, class, self.options);
        self.transport.call(client, call, request)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}
