//! Reads bodies and query parameters.

use super::response::ApiError;
use crate::app::App;
use crate::clock;
use crate::log::exchange::BodySlot;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;
use telecrm_core::json::read_json;

/// The largest body that the emulator reads. telecrm documents no limit.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

pub(super) fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "PAYLOAD_TOO_LARGE",
        format_args!("The body has more than {BODY_LIMIT} bytes"),
    )
}

pub(super) fn too_slow() -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body did not arrive in time")
}

/// A JSON body. Its content type does not matter.
pub(crate) struct JsonBody(pub(crate) Value);

impl FromRequest<App> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (bytes, slot) = read(request, app.config.read_timeout).await?;
        let (json, repeated) = read_json(&bytes).map_err(|error| not_json(&bytes, &error))?;
        if repeated.is_empty() {
            return Ok(Self(json));
        }
        // The log shows repeated keys, but has no calls to the emulator's own endpoints.
        let Some(slot) = slot else {
            return Err(ApiError::bad_request(format_args!(
                "The body has the key `{}` twice",
                repeated[0]
            )));
        };
        slot.put_repeated(repeated);
        Ok(Self(json))
    }
}

fn not_json(body: &[u8], error: &serde_json::Error) -> ApiError {
    let problem = Problem::new(format!("The body is not JSON: {error}"));
    match cause(body) {
        Some((cause, hint)) => ApiError::bad_request(problem.hint(hint)).refused((cause, hint)),
        None => {
            let message = problem.to_string();
            ApiError::bad_request(problem).refused(("invalid_json", message))
        }
    }
}

/// The cause and what helps, if the body looks like something other than JSON.
fn cause(body: &[u8]) -> Option<(&'static str, &'static str)> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let is_json = |first: &u8| b"{[".contains(first);
    if body.starts_with(GZIP) {
        Some(("compressed_body", "send the body uncompressed"))
    } else if BYTE_ORDER_MARKS.iter().any(|mark| body.starts_with(mark)) {
        Some(("byte_order_mark", "send the body as UTF-8 without a byte order mark"))
    } else if body.is_empty() {
        Some(("empty_body", "send a body, such as {\"fields\": {}}"))
    } else if !body.trim_ascii_start().first().is_some_and(is_json) && body.contains(&b'=') {
        Some(("form_body", "send an object, such as {\"fields\": {}}, instead of a form"))
    } else {
        None
    }
}

/// Reads the body of a request. Returns it together with the request, which keeps it.
pub(super) async fn buffered(
    request: Request,
    timeout: Duration,
) -> Result<(Request, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let (bytes, _) = read(Request::from_parts(parts.clone(), body), timeout).await?;
    Ok((Request::from_parts(parts, bytes.clone().into()), bytes))
}

/// Reads the body of a request, and leaves a copy in the slot for the log if there is one.
async fn read(request: Request, timeout: Duration) -> Result<(Bytes, Option<BodySlot>), ApiError> {
    let slot = request.extensions().get::<BodySlot>().cloned();
    let bytes = clock::within(timeout, Bytes::from_request(request, &())).await;
    let bytes = bytes.ok_or_else(too_slow)?.map_err(unreadable)?;
    if let Some(slot) = &slot {
        slot.put(&bytes);
    }
    Ok((bytes, slot))
}

/// A body without any use. It is read for the log, and because a client would otherwise see the
/// connection break while it sends the body or its next request.
pub(crate) struct DiscardedBody;

impl FromRequest<App> for DiscardedBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Infallible> {
        let _ = read(request, app.config.read_timeout).await;
        Ok(Self)
    }
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => ApiError::bad_request("The body could not be read"),
    }
}

/// The query parameters.
pub(crate) struct Params(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(_) => Err(ApiError::bad_request("The query is malformed")),
        }
    }
}

impl Params {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A flag, which is false by default.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::bad_request(format_args!("{name} should be true or false"))),
        }
    }

    /// The requested page of a list, which has at most `max` items.
    pub(crate) fn page(&self, max: usize) -> Result<Page, ApiError> {
        let skip = match self.get("skip").map(str::parse) {
            None => 0,
            Some(Ok(skip)) => skip,
            Some(Err(_)) => {
                let message = "skip is not a whole number from 0";
                let error = ApiError::bad_request("Skip should be 0 or more");
                return Err(error.refused(("skip_out_of_range", message)));
            }
        };
        match self.get("limit").map(str::parse) {
            None => Ok(Page { skip, limit: 10 }),
            Some(Ok(limit)) if (1..=max).contains(&limit) => Ok(Page { skip, limit }),
            Some(_) => {
                let message =
                    format!("limit is not a whole number from 1 to {max}; read on with skip (LE5)");
                Err(ApiError::bad_request(format_args!("Limit should be between 1 and {max}"))
                    .refused(("limit_out_of_range", message)))
            }
        }
    }
}

/// A page of a list.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    pub(crate) skip: usize,
    pub(crate) limit: usize,
}

impl Page {
    /// The items of this page.
    pub(crate) fn of<T>(self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        items.skip(self.skip).take(self.limit)
    }
}
