//! What goes in and out of both APIs: bodies, query parameters, the error envelope.

use crate::exchange::Slot;
use crate::log::Effect;
use crate::{App, clock};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Extension, IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;
use telecrm_core::Finding;
use telecrm_core::json::read_json;

/// The largest body that is read. telecrm documents no limit.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// An error in the envelope of both APIs.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<Value>,
    findings: Vec<Finding>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl fmt::Display) -> Self {
        Self {
            status,
            code,
            message: message.to_string(),
            details: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn bad_request(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// A value does not fit its field.
    pub(crate) fn validation(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
            format_args!("The body is larger than {BODY_LIMIT} bytes"),
        )
    }

    pub(crate) fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "REQUEST_TIMEOUT",
            "The body took too long",
        )
    }

    /// telecrm documents neither code nor message.
    pub(crate) fn too_many(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn not_authorized(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "NOT_AUTHORIZED", message)
    }

    /// Says of each field of the body what is wrong: `{"field","message"}`.
    pub(crate) fn details(mut self, details: Vec<Value>) -> Self {
        self.details = details;
        self
    }

    /// Says in the log why.
    pub(crate) fn because(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let effect = Effect {
            stored: None,
            findings: self.findings,
        };
        let mut envelope = json!({ "error": { "code": self.code, "message": self.message } });
        if !self.details.is_empty() {
            envelope["error"]["details"] = self.details.into();
        }
        (self.status, Extension(effect), Json(envelope)).into_response()
    }
}

/// A body that is JSON, whatever its content type says.
pub(crate) struct JsonBody(pub(crate) Value);

impl FromRequest<App> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (bytes, slot) = read(request, app.config.patience).await?;
        let (json, repeated) = read_json(&bytes).map_err(|error| {
            let help = advice(&bytes).map_or(String::new(), |help| format!("; {help}"));
            ApiError::bad_request(format_args!("The body is not JSON: {error}{help}"))
        })?;
        match (slot, repeated.first()) {
            (_, None) => {}
            (Some(slot), _) => slot.put_repeated(repeated),
            // There is no log of what is only the emulator's.
            (None, Some(twice)) => {
                return Err(ApiError::bad_request(format_args!(
                    "`{twice}` stands twice: write each key once"
                )));
            }
        }
        Ok(Self(json))
    }
}

/// What helps where a body looks like something else than JSON.
fn advice(body: &[u8]) -> Option<&'static str> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let is_json = |first: &u8| b"{[".contains(first);
    if body.starts_with(GZIP) {
        Some("send it uncompressed")
    } else if BYTE_ORDER_MARKS.iter().any(|mark| body.starts_with(mark)) {
        Some("send it as UTF-8 without a byte order mark")
    } else if body.is_empty() {
        Some("it is empty")
    } else if !body.trim_ascii_start().first().is_some_and(is_json) && body.contains(&b'=') {
        Some("send an object such as {\"fields\": {}}, not a form")
    } else {
        None
    }
}

/// Reads the body of a request, and gives both, so that the body can be read again.
pub(crate) async fn buffered(
    request: Request,
    patience: Duration,
) -> Result<(Request, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let (bytes, _) = read(Request::from_parts(parts.clone(), body), patience).await?;
    Ok((Request::from_parts(parts, bytes.clone().into()), bytes))
}

/// The body of a request, and where it was left for the log.
async fn read(request: Request, patience: Duration) -> Result<(Bytes, Option<Slot>), ApiError> {
    let slot = request.extensions().get::<Slot>().cloned();
    let bytes = clock::within(patience, Bytes::from_request(request, &())).await;
    let bytes = bytes.ok_or_else(ApiError::too_slow)?.map_err(unread)?;
    if let Some(slot) = &slot {
        slot.put(&bytes);
    }
    Ok((bytes, slot))
}

/// A body that nobody wants. It is read all the same: for the log, and because a client that is still sending it, or goes on to
/// the next request of its connection, would otherwise see that connection break.
pub(crate) struct Unwanted;

impl FromRequest<App> for Unwanted {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Infallible> {
        // What cannot be read is as unwanted.
        let _ = read(request, app.config.patience).await;
        Ok(Self)
    }
}

fn unread(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(),
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

    /// A switch that is off unless it says `true`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::bad_request(format_args!(
                "{name} should be true or false"
            ))),
        }
    }

    /// The page asked for, of at most `most` items.
    pub(crate) fn page(&self, most: usize) -> Result<Page, ApiError> {
        let skip = match self.get("skip").map(str::parse) {
            None => 0,
            Some(Ok(skip)) => skip,
            Some(Err(_)) => return Err(ApiError::bad_request("Skip should be 0 or more")),
        };
        match self.get("limit").map(str::parse) {
            None => Ok(Page { skip, limit: 10 }),
            Some(Ok(limit)) if (1..=most).contains(&limit) => Ok(Page { skip, limit }),
            Some(_) => Err(ApiError::bad_request(format_args!(
                "Limit should be between 1 and {most}"
            ))),
        }
    }
}

/// A part of a list.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    pub(crate) skip: usize,
    pub(crate) limit: usize,
}

impl Page {
    pub(crate) fn of<T>(self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        items.skip(self.skip).take(self.limit)
    }
}
