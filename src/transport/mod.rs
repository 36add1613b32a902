//! What every request passes through on its way out.

mod channel;
mod retry;

pub(crate) use channel::{BrokenOff, Call, Channel, OutOfTime};
pub use retry::CallOptions;

use std::fmt;
use std::sync::Arc;

use progenitor_client::{ClientHooks, ClientInfo, Error as RawError, OperationInfo};
use reqwest::header::{AUTHORIZATION, HeaderValue, InvalidHeaderValue};
use reqwest::{Request, Response, StatusCode};

use crate::Operation;
use crate::operation::Idempotency;
use crate::raw::check_path;

/// What a generated client needs beside a base URL: the token, which does not print.
#[derive(Clone)]
pub struct Context {
    way: Way,
    hand_over: bool,
}

/// How requests get out.
#[derive(Clone)]
enum Way {
    /// At once, once, with this token.
    Direct(HeaderValue),
    /// With limits, retries and the client's tokens; a call of its own, or by these options.
    Channel(Arc<Channel>, CallOptions, Option<Arc<Call>>),
}

impl Context {
    /// For requests that carry this token, and are sent at once and once.
    ///
    /// # Errors
    /// When the token holds characters that a header cannot carry.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeaderValue> {
        Ok(Self {
            way: Way::Direct(authorization(token)?),
            hand_over: false,
        })
    }

    /// For requests with the client's tokens, limits and retries.
    pub(crate) fn through(channel: Arc<Channel>, options: CallOptions) -> Self {
        Self {
            way: Way::Channel(channel, options, None),
            hand_over: false,
        }
    }

    /// For one call, whose answer the generated code is not to decode, but to hand over: see [`HandedOver`].
    pub(crate) fn handing_over(channel: Arc<Channel>, call: Arc<Call>) -> Self {
        Self {
            way: Way::Channel(channel, call.options, Some(call)),
            hand_over: true,
        }
    }

    fn prepare(&self, request: &mut Request, base: &str) -> Result<(), String> {
        check_path(request.url(), base)?;
        if let Way::Direct(authorization) = &self.way {
            request
                .headers_mut()
                .insert(AUTHORIZATION, authorization.clone());
        }
        Ok(())
    }

    async fn execute(
        &self,
        client: &reqwest::Client,
        request: Request,
        info: &OperationInfo,
    ) -> reqwest::Result<Response> {
        let response = match &self.way {
            Way::Direct(_) => client.execute(request).await?,
            Way::Channel(channel, _, Some(call)) => channel.execute(client, request, call).await?,
            Way::Channel(channel, options, None) => {
                let operation = Operation::from_generated(info.operation_id);
                // What a newer spec adds is not known to be harmless.
                let class = operation.map_or(Idempotency::Appends, Operation::idempotency);
                let call = Call::new(class, *options);
                channel.execute(client, request, &call).await?
            }
        };
        Ok(match self.hand_over {
            true => HandedOver::wrap(response),
            false => response,
        })
    }
}

/// The header that carries a token, and does not print it.
pub(crate) fn authorization(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

/// The status of an answer that is handed over undecoded.
///
/// Generated code decodes the statuses it knows and gives back every other answer untouched. So the answer
/// travels under a status that no server sends, and its own goes along as an extension.
#[derive(Clone, Copy)]
pub(crate) struct HandedOver(StatusCode);

const UNKNOWN_STATUS: u16 = 599;

impl HandedOver {
    fn wrap(response: Response) -> Response {
        let Ok(carrier) = StatusCode::from_u16(UNKNOWN_STATUS) else {
            return response;
        };
        let mut response: http::Response<reqwest::Body> = response.into();
        let status = std::mem::replace(response.status_mut(), carrier);
        response.extensions_mut().insert(Self(status));
        response.into()
    }

    /// The status that the server sent.
    pub(crate) fn status_of(response: &Response) -> StatusCode {
        match response.extensions().get() {
            Some(Self(status)) => *status,
            None => response.status(),
        }
    }
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
                    .prepare(request, self.baseurl())
                    .map_err(RawError::InvalidRequest)
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
