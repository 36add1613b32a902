//! Requests and answers as the log keeps them: without tokens and passwords, and of limited size.
#![cfg_attr(not(feature = "web"), expect(dead_code, reason = "only the web pages show some of it"))]

use super::LogEntry;
use crate::redact::mask_passwords;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, header};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock};
use telecrm_core::{Certainty, FieldPath, Finding, FindingKind};

/// How many bytes of a body the log keeps.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// How many bytes of the headers of a message the log keeps.
const MAX_HEADERS: usize = 8 * 1024;

/// Replaces a secret.
pub(crate) const MASK: &str = "…";

/// A request and its answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// When the request arrived, in Unix milliseconds.
    pub(crate) at: i64,
    pub(crate) request: Message,
    pub(crate) answer: Message,
}

/// A request or an answer.
#[derive(Clone, Default)]
pub(crate) struct Message {
    /// One line for each header.
    headers: Box<str>,
    /// None if the message has no body, or if nothing has read it.
    pub(crate) body: Option<LoggedBody>,
}

/// The beginning of a body, and the length of the whole.
#[derive(Clone)]
pub(crate) struct LoggedBody {
    pub(crate) bytes: Bytes,
    /// The length of the whole body.
    pub(crate) length: usize,
}

/// Attached to a request: the reader of its body leaves a copy here for the log, together with the
/// values that reading it as JSON loses.
#[derive(Clone, Default)]
pub(crate) struct BodySlot(Arc<SlotContent>);

#[derive(Default)]
struct SlotContent {
    body: OnceLock<LoggedBody>,
    repeated: OnceLock<Vec<Finding>>,
}

/// Attached to an answer whose body a fault breaks: the body without the fault.
#[derive(Clone)]
pub(crate) struct IntendedBody(pub(crate) Bytes);

impl BodySlot {
    pub(crate) fn put(&self, body: &Bytes) {
        // The first reader has the whole body.
        self.0.body.get_or_init(|| LoggedBody::copied(body));
    }

    pub(crate) fn body(&self) -> Option<LoggedBody> {
        self.0.body.get().cloned()
    }

    pub(crate) fn put_repeated(&self, paths: Vec<FieldPath>) {
        self.0.repeated.get_or_init(|| repeated(paths));
    }

    /// The values that are lost because their key occurs again.
    pub(crate) fn repeated(&self) -> Vec<Finding> {
        self.0.repeated.get().cloned().unwrap_or_default()
    }
}

fn repeated(paths: Vec<FieldPath>) -> Vec<Finding> {
    let finding = |path| {
        let reason = "the key occurs more than once, and telecrm reads only its last value";
        let mut finding =
            Finding::new(path, FindingKind::FieldDropped, Certainty::Inferred, reason);
        finding.suggestion = Some("write each key once".to_owned());
        finding
    };
    paths.into_iter().map(finding).collect()
}

impl Exchange {
    pub(crate) fn begin(at: i64, headers: &HeaderMap, bearer: &str) -> Self {
        Self {
            at,
            request: Message { headers: lines(headers, bearer), body: None },
            answer: Message::default(),
        }
    }

    pub(crate) fn answered(&mut self, headers: &HeaderMap, body: &Bytes) {
        self.answer = Message {
            headers: lines(headers, MASK),
            body: (!body.is_empty()).then(|| LoggedBody::shared(body)),
        };
    }

    /// The size in bytes.
    pub(crate) fn size(&self) -> usize {
        let messages = [&self.request, &self.answer].map(|message| {
            let body = message.body.as_ref().map_or(0, |body| body.bytes.len());
            message.headers.len() + body
        });
        messages.iter().sum()
    }
}

impl Message {
    /// The name and value of each header.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.lines().filter_map(|line| line.split_once(": "))
    }

    /// Masks the passwords in the body. Drops a body that is incomplete or not a JSON object.
    pub(crate) fn mask_passwords(&mut self) {
        let Some(body) = self.body.take().filter(LoggedBody::is_whole) else {
            return;
        };
        self.body = match mask_passwords(&body.bytes) {
            Some(masked) => Some(LoggedBody::shared(&masked.into())),
            None if body.json().is_some_and(|json| json.is_object()) => Some(body),
            None => None,
        };
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut headers = self.headers();
        headers.find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl LoggedBody {
    /// Copies the bytes. Shared bytes would keep the whole read buffer of their connection alive.
    fn copied(body: &Bytes) -> Self {
        Self {
            bytes: Bytes::copy_from_slice(&body[..body.len().min(MAX_BODY)]),
            length: body.len(),
        }
    }

    fn shared(body: &Bytes) -> Self {
        if body.len() > MAX_BODY {
            return Self::copied(body);
        }
        Self { bytes: body.clone(), length: body.len() }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.bytes.len() == self.length
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.bytes).ok()
    }

    /// The body as JSON, or else as a text.
    pub(crate) fn to_json(&self) -> Value {
        self.json().unwrap_or_else(|| String::from_utf8_lossy(&self.bytes).into())
    }
}

fn lines(headers: &HeaderMap, bearer: &str) -> Box<str> {
    let mut lines = String::with_capacity(256);
    for (name, value) in headers {
        let value = match *name {
            header::AUTHORIZATION => bearer.into(),
            header::COOKIE | header::SET_COOKIE | header::PROXY_AUTHORIZATION => MASK.into(),
            _ => String::from_utf8_lossy(value.as_bytes()),
        };
        if lines.len() + name.as_str().len() + value.len() > MAX_HEADERS {
            break;
        }
        for part in [name.as_str(), ": ", &value, "\n"] {
            lines.push_str(part);
        }
    }
    lines.into()
}

/// A request that the emulator received, for assertions in tests.
///
/// ```
/// use telecrm_emulator::{Emulator, ReceivedRequest};
///
/// fn is_push_of(request: &ReceivedRequest, phone: &str) -> bool {
///     let body = request.json().unwrap_or_default();
///     request.header("content-type") == Some("application/json")
///         && request.path.ends_with("/autoupdatelead")
///         && body["fields"]["phone"] == phone
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::start().await?;
/// let lead = telecrm::Lead::new().set("phone", "919999999999");
/// emulator.client().ingest().push(&lead).await?;
/// assert!(emulator.received(0).iter().any(|request| is_push_of(request, "919999999999")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The number of the call in the log.
    pub seq: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its question mark.
    pub query: Option<String>,
    /// Names in lower case, and values. The value of `authorization` names the kind of the token
    /// instead of the token.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the body. None if the emulator answered before it read the body.
    pub body: Option<Vec<u8>>,
}

impl ReceivedRequest {
    pub(crate) fn new(entry: &LogEntry, exchange: &Exchange) -> Self {
        let headers = exchange.request.headers();
        let body = exchange.request.body.as_ref();
        Self {
            seq: entry.seq,
            method: entry.method.clone(),
            path: entry.path.clone(),
            query: entry.query.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: body.map(|body| body.bytes.to_vec()),
        }
    }

    /// The value of the header with this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON. Returns None if it is not JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }
}

/// Omits query, headers and body, which may contain personal data.
impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("seq", &self.seq)
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
