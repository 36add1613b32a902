//! What every request passes through on its way out.

use std::fmt;

use progenitor_client::{ClientHooks, ClientInfo, Error as RawError, OperationInfo};
use reqwest::header::{AUTHORIZATION, HeaderValue, InvalidHeaderValue};
use reqwest::{Request, Response, StatusCode};

use crate::raw::check_path;

/// What a generated client needs beside a base URL: the token, which does not print.
#[derive(Clone)]
pub struct Context {
    authorization: HeaderValue,
    hand_over: bool,
}

impl Context {
    /// For requests that carry this token.
    ///
    /// # Errors
    /// When the token holds characters that a header cannot carry.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeaderValue> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            authorization,
            hand_over: false,
        })
    }

    /// For requests whose answers the generated code is not to decode, but to hand over: see [`HandedOver`].
    pub(crate) fn handing_over(token: &str) -> Result<Self, InvalidHeaderValue> {
        Ok(Self {
            hand_over: true,
            ..Self::bearer(token)?
        })
    }

    fn prepare(&self, request: &mut Request, base: &str) -> Result<(), String> {
        check_path(request.url(), base)?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        Ok(())
    }
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
                _info: &OperationInfo,
            ) -> reqwest::Result<Response> {
                let response = self.client().execute(request).await?;
                Ok(match self.inner().hand_over {
                    true => HandedOver::wrap(response),
                    false => response,
                })
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
