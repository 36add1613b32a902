//! What every request passes through on its way out.

mod channel;
mod observe;
mod retry;
mod sent;

pub(crate) use channel::{Call, Carrier, Channel, NoAnswer, Reply};
pub use observe::CallReport;
pub(crate) use observe::Observer;
pub use retry::CallOptions;
#[cfg(feature = "testing")]
pub(crate) use retry::retry_after;
pub(crate) use retry::{Deadline, Stop, answered};
pub(crate) use sent::{Sent, mask};

use std::fmt;
use std::sync::Arc;

use progenitor_client::{ClientHooks, ClientInfo, Error as RawError, OperationInfo};
use reqwest::header::{AUTHORIZATION, HeaderValue, InvalidHeaderValue};
use reqwest::{Request, Response};

use crate::Operation;
use crate::operation::Idempotency;
use crate::raw::check_path;

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
pub struct Context(Way);

/// How requests get out.
#[derive(Clone)]
enum Way {
    /// At once, once, with this token.
    Direct(HeaderValue),
    /// With limits, retries and the client's tokens.
    Channel(Arc<Channel>, CallOptions),
    /// The same, and past the generated code, which builds the request and is stopped there: the facade takes the
    /// reply from the call, and decodes it by itself.
    Past(Arc<Channel>, Arc<Call>),
}

impl Context {
    /// For requests that carry this token, and are sent at once and once.
    ///
    /// # Errors
    /// When the token holds characters that a header cannot carry.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeaderValue> {
        Ok(Self(Way::Direct(authorization(token)?)))
    }

    /// For requests with the client's tokens, limits and retries.
    pub(crate) fn through(channel: Arc<Channel>, options: CallOptions) -> Self {
        Self(Way::Channel(channel, options))
    }

    /// For one call of the facade.
    pub(crate) fn past(channel: Arc<Channel>, call: Arc<Call>) -> Self {
        Self(Way::Past(channel, call))
    }

    /// The last that is done to a request that generated code has built.
    async fn prepare<E>(
        &self,
        client: &reqwest::Client,
        request: &mut Request,
        base: &str,
    ) -> Result<(), RawError<E>> {
        check_path(request.url(), base).map_err(RawError::InvalidRequest)?;
        match &self.0 {
            Way::Direct(authorization) => {
                let headers = request.headers_mut();
                headers.insert(AUTHORIZATION, authorization.clone());
                Ok(())
            }
            Way::Channel(..) => Ok(()),
            Way::Past(channel, call) => {
                call.hand_over(channel.execute(client, request, call).await);
                // Only an error stops generated code; the facade does not look at it.
                Err(RawError::Custom(String::new()))
            }
        }
    }

    async fn execute(
        &self,
        client: &reqwest::Client,
        mut request: Request,
        info: &OperationInfo,
    ) -> reqwest::Result<Response> {
        let Way::Channel(channel, options) = &self.0 else {
            return client.execute(request).await;
        };
        let operation = Operation::from_generated(info.operation_id);
        // What a newer spec adds is not known to be harmless.
        let class = operation.map_or(Idempotency::Appends, Operation::idempotency);
        let call = Call::new(operation, class, *options);
        let reply = channel.execute(client, &mut request, &call).await?;
        Ok(reply.into_response())
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

macro_rules! hooks {
    ($($client:ty),+) => {
        $(impl ClientHooks<Context> for $client {
            async fn pre<E>(
                &self,
                request: &mut Request,
                _info: &OperationInfo,
            ) -> Result<(), RawError<E>> {
                self.inner()
                    .prepare(self.client(), request, self.baseurl())
                    .await
            }

            async fn exec(
                &self,
                request: Request,
                info: &OperationInfo,
            ) -> reqwest::Result<Response> {
                self.inner().execute(self.client(), request, info).await
            }
        })+
    };
}

hooks!(
    crate::generated::sync::Client,
    crate::generated::ingest::Client
);
#[cfg(feature = "regenerate")]
hooks!(crate::raw::sync::Client, crate::raw::ingest::Client);
