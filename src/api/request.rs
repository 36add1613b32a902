//! Requests to endpoints that have no method here.

use crate::error::REQUEST_IDS;
use crate::handle::{Connection, Handle};
use crate::raw::encode_path;
use crate::transport::{Call, Response, Unbuilt};
use crate::{Error, Idempotency};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::fmt;

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// A request to a path that no method covers. From [`Telecrm::request`](crate::Telecrm::request).
///
/// The path begins below `/enterprise/{id}`. Each segment is percent-encoded as it is, percent
/// signs included. Empty segments, `.` and `..` are refused. The request goes to the Sync API by
/// default.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::{Idempotency, Method, Reply};
/// # use telecrm::testing::{Response, FakeTelecrm};
/// # let answer = || Response::json(serde_json::json!({ "archived": 2 }));
/// # let fake = FakeTelecrm::new().on_request(answer()).on_request(answer());
/// # let telecrm = fake.client();
///
/// let reply: Reply = telecrm
///     .request(Method::Post, "/lead/archive")
///     .query("dry_run", true)
///     .header("x-request-id", "archive-1")
///     .json(&serde_json::json!({ "ids": ["62ab16e", "62ab16f"] }))
///     .idempotency(Idempotency::Idempotent) // archiving twice is harmless
///     .send()
///     .await?;
/// assert_eq!((reply.status(), reply.header("content-type")), (200, Some("application/json")));
///
/// #[derive(serde::Deserialize)]
/// struct Archived {
///     archived: u32,
/// }
/// assert_eq!(reply.decode::<Archived>()?.archived, 2);
///
/// // On the host of the Async API, with an Async token:
/// let reply = telecrm.request(Method::Get, "/queue").over_async().send().await?;
/// assert_eq!(reply.json()?["archived"], 2);
/// assert!(reply.bytes().starts_with(b"{"));
/// # Ok(())
/// # }
/// ```
#[must_use = "a request does nothing until `send` is called"]
pub struct Request {
    handle: Handle,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Result<Box<RawValue>, serde_json::Error>>,
    class: Idempotency,
    over_async: bool,
}

impl Request {
    pub(crate) fn new(handle: Handle, method: Method, path: String) -> Self {
        Self {
            handle,
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            class: match method {
                Method::Get => Idempotency::Safe,
                // Nothing is known of the endpoint, so assume the worst.
                _ => Idempotency::NotIdempotent,
            },
            over_async: false,
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a header. The client sets `Authorization` by itself.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body. Numbers keep all their digits.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(to_raw_value(body));
        self
    }

    /// Sets when the request may be retried. The default is [`Safe`](Idempotency::Safe) for `GET`
    /// and [`NotIdempotent`](Idempotency::NotIdempotent) for all other methods.
    pub fn idempotency(mut self, class: Idempotency) -> Self {
        self.class = class;
        self
    }

    /// Sends the request to the Async API, with an Async token.
    pub fn over_async(mut self) -> Self {
        self.over_async = true;
        self
    }

    /// Sends the request, with the options of its client.
    ///
    /// # Errors
    /// - Invalid if the path has an empty segment, `.`, `..` or a query, a header is not valid in
    ///   HTTP or is `Authorization`, or the body cannot be written as JSON.
    /// - The errors of any call if the response has no success status.
    pub async fn send(self) -> Result<Reply, Error> {
        if self.path.contains(['?', '#', '\\']) {
            return Err(Error::refused("the path contains `?`, `#` or `\\`")
                .with_hint("add parameters with `query`"));
        }
        let body = self.body.as_ref().map(Result::as_deref).transpose();
        let body = body.map_err(|_| Error::refused("the body cannot be written as JSON"))?;
        let connection = if self.over_async {
            &self.handle.async_api()?.connection
        } else {
            &self.handle.sync_api()?.connection
        };
        let request = self.build(connection, body);
        let call = Call::new(None, self.class, self.handle.options);
        connection.send(call, request).await.map(Reply)
    }

    fn build(
        &self,
        connection: &Connection,
        body: Option<&RawValue>,
    ) -> Result<reqwest::Request, Unbuilt> {
        let mut url = connection.base_url.clone();
        let segments = self.path.trim_matches('/').split('/');
        // Segments are encoded like path parameters, so that none of them can name another
        // resource.
        for segment in ["enterprise", &connection.enterprise].into_iter().chain(segments) {
            let reason = "a path segment is empty, `.` or `..`, or contains control characters";
            let segment = encode_path("path", segment).map_err(|_| Unbuilt::because(reason))?;
            url.push_str(&format!("/{segment}"));
        }
        let mut request = connection.http.request(self.method.into(), url);
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        for (name, value) in &self.headers {
            if name.eq_ignore_ascii_case("authorization") {
                return Err(Unbuilt::because("the client sets the header `Authorization`"));
            }
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(request.build()?)
    }
}

/// Prints without path, query and body, which may hold personal data.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("idempotency", &self.class)
            .finish_non_exhaustive()
    }
}

/// The successful response to a [`Request`].
pub struct Reply(Response);

impl Reply {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// The first value of a header, in any case. Returns `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }

    /// The ID of the request, as in [`Error::request_id`].
    pub fn request_id(&self) -> Option<&str> {
        REQUEST_IDS.iter().find_map(|name| self.header(name))
    }

    /// The body as received.
    pub fn bytes(&self) -> &[u8] {
        &self.0.body
    }

    /// Parses the body as JSON. Numbers are rounded as `serde_json` does it:
    /// [`decode`](Self::decode) can keep all digits.
    ///
    /// # Errors
    /// Returns an error if the body is not JSON.
    pub fn json(&self) -> Result<Value, Error> {
        self.0.json()
    }

    /// Parses the body as a type of your own.
    ///
    /// # Errors
    /// Returns an error if the body is not JSON or does not match the type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.0.decode()
    }
}

/// Prints without the body.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status())
            .field("bytes", &self.bytes().len())
            .finish_non_exhaustive()
    }
}
