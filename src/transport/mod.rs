//! What every request passes through on its way out.

mod call;
mod observe;
pub(crate) mod rate_limit;
mod redact;
mod response;
mod retry;
pub(crate) mod write_order;

pub(crate) use call::{Backend, Call, Settings, Transport, TransportFailure};
pub use observe::CallReport;
pub(crate) use observe::Observer;
pub(crate) use response::Response;
pub use retry::CallOptions;
#[cfg(feature = "testing")]
pub(crate) use retry::retry_after;
pub(crate) use retry::{Deadline, Stop};

use crate::clock::SystemClock;
use crate::operation::Idempotency;
use crate::raw::Unbuilt;
use crate::{Error, Operation};
use reqwest::Request;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a generated client needs beside a base URL: the token, which does not print.
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
    /// For requests that carry this token, and are sent at once and once.
    ///
    /// # Errors
    /// When the token holds characters that a header cannot carry.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeaderValue> {
        let transport = Transport::new(
            vec![authorization(token)?],
            vec![token.to_owned()],
            None,
            Settings {
                backend: Backend::Http,
                timeout: Duration::MAX,
                observer: Observer::default(),
                clock: Arc::new(SystemClock),
                stop: Stop::default(),
            },
        );
        let options = CallOptions::new()
            .attempts(1)
            .attempt_timeout(Duration::MAX)
            .total_timeout(Duration::MAX);
        Ok(Self::through(Arc::new(transport), options))
    }

    /// For requests with the client's tokens, limits and retries.
    pub(crate) fn through(transport: Arc<Transport>, options: CallOptions) -> Self {
        Self { transport, options }
    }

    /// Sends what generated code has built.
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

/// The header that carries a token, and does not print it.
pub(crate) fn authorization(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}
