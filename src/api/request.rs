//! Requests that neither the facade nor a spec describes.

use crate::transport::Response;
use crate::{Error, Idempotency, Telecrm};
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

/// A request to a path that no method covers. From [`Telecrm::request`].
///
/// The path stands below `/enterprise/{id}`. Each of its segments is sent as it is written here, percent signs included;
/// empty ones, `.` and `..` are refused. It goes to the Sync API, unless [told otherwise](Self::over_async).
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
///     .json(&serde_json::json!({ "ids": ["62ab16e", "62ab16f"] }))
///     .idempotency(Idempotency::Idempotent) // archiving twice does no harm
///     .send()
///     .await?;
/// assert_eq!(reply.status(), 200);
///
/// #[derive(serde::Deserialize)]
/// struct Archived {
///     archived: u32,
/// }
/// assert_eq!(reply.decode::<Archived>()?.archived, 2);
///
/// // What lives on the host of the Async API, with a token of that type:
/// let reply = telecrm.request(Method::Get, "/queue").over_async().send().await?;
/// assert_eq!(reply.json()?["archived"], 2);
/// assert!(reply.bytes().starts_with(b"{"));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    telecrm: Telecrm,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Result<Box<RawValue>, serde_json::Error>>,
    class: Idempotency,
    over_async: bool,
}

impl Request {
    pub(crate) fn new(telecrm: Telecrm, method: Method, path: String) -> Self {
        Self {
            telecrm,
            method,
            path,
            query: Vec::new(),
            body: None,
            class: match method {
                Method::Get => Idempotency::Safe,
                // What a request does that nobody describes is not known.
                _ => Idempotency::NotIdempotent,
            },
            over_async: false,
        }
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// The body, in every digit.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(to_raw_value(body));
        self
    }

    /// When the request may be sent again by itself. Unless told, `GET` is [`Safe`](Idempotency::Safe), and
    /// everything else [`NotIdempotent`](Idempotency::NotIdempotent).
    pub fn idempotency(mut self, class: Idempotency) -> Self {
        self.class = class;
        self
    }

    /// Sends to the Async API, with a token of that type.
    pub fn over_async(mut self) -> Self {
        self.over_async = true;
        self
    }

    /// Sends the request, by the options of the client it comes from.
    ///
    /// # Errors
    /// Invalid if the path cannot be one or the body is not JSON; as any call if the answer is not a success.
    pub async fn send(self) -> Result<Reply, Error> {
        if self.path.contains(['?', '#', '\\']) {
            return Err(Error::refused(
                "the path holds more than a path: give parameters by `query`",
            ));
        }
        let body = self.body.transpose();
        let body = body.map_err(|_| Error::refused("the body cannot be written as JSON"))?;
        let (method, query) = (self.method.into(), &self.query);
        let (path, class) = (&self.path, self.class);
        let answer = match self.over_async {
            true => {
                let endpoint = self.telecrm.async_api()?;
                endpoint
                    .request(method, path, query, body.as_deref(), class)
                    .await
            }
            false => {
                let endpoint = self.telecrm.sync()?;
                endpoint
                    .request(method, path, query, body.as_deref(), class)
                    .await
            }
        };
        answer.map(Reply)
    }
}

/// Without path, query and body, which may hold personal data.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("idempotency", &self.class)
            .finish_non_exhaustive()
    }
}

/// The successful answer to a [`Request`].
pub struct Reply(Response);

impl Reply {
    /// The status.
    pub fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// The body as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.0.body
    }

    /// The body as JSON. Numbers have the range of `serde_json`: [`decode`](Self::decode) reads every digit.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn json(&self) -> Result<Value, Error> {
        self.0.json()
    }

    /// The body as a type of yours.
    ///
    /// # Errors
    /// If it is not JSON, or does not fit the type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.0.decode()
    }
}

/// Without the body.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status())
            .field("bytes", &self.bytes().len())
            .finish_non_exhaustive()
    }
}
