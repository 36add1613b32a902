//! What was sent and answered, as the log keeps it: without tokens, and no more than fits.
#![cfg_attr(
    not(feature = "web"),
    expect(dead_code, reason = "some of it only the pages show")
)]

use crate::recording::mask_password;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock};
use telecrm_core::{Certainty, FieldPath, Finding, FindingKind};

/// How much of one body is kept.
pub(crate) const BODY_KEPT: usize = 64 * 1024;

/// How much of the headers of one message is kept.
const HEADERS_KEPT: usize = 8 * 1024;

/// What stands in the place of a secret.
const MASK: &str = "…";

/// A request and its answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// When it came, in Unix milliseconds.
    pub(crate) at: i64,
    pub(crate) query: Option<Box<str>>,
    pub(crate) request: Message,
    pub(crate) answer: Message,
}

/// One half of an exchange.
#[derive(Clone, Default)]
pub(crate) struct Message {
    /// A line for each.
    headers: Box<str>,
    /// Nothing if it was not read, or there was none.
    pub(crate) body: Option<Kept>,
}

/// The beginning of a body.
#[derive(Clone)]
pub(crate) struct Kept {
    bytes: Bytes,
    /// How long the whole is.
    length: usize,
}

/// Where whoever reads the body of a request leaves it for the log, with what reading it as JSON loses.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Left>);

#[derive(Default)]
struct Left {
    body: OnceLock<Kept>,
    repeated: OnceLock<Vec<Finding>>,
}

/// The right answer, where another is sent.
#[derive(Clone)]
pub(crate) struct Whole(pub(crate) Bytes);

impl Slot {
    pub(crate) fn put(&self, body: &Bytes) {
        // Of one body, the first reader has all there is.
        self.0.body.get_or_init(|| Kept::copied(body));
    }

    pub(crate) fn body(&self) -> Option<Kept> {
        self.0.body.get().cloned()
    }

    pub(crate) fn put_repeated(&self, paths: Vec<FieldPath>) {
        self.0.repeated.get_or_init(|| repeated(paths));
    }

    /// What is lost because its key stands again in the body.
    pub(crate) fn repeated(&self) -> Vec<Finding> {
        self.0.repeated.get().cloned().unwrap_or_default()
    }
}

fn repeated(paths: Vec<FieldPath>) -> Vec<Finding> {
    let finding = |path| {
        let reason = "the key stands more than once, and only its last value is read";
        let mut finding =
            Finding::new(path, FindingKind::FieldDropped, Certainty::Inferred, reason);
        finding.suggestion = Some("write each key once".to_owned());
        finding
    };
    paths.into_iter().map(finding).collect()
}

impl Exchange {
    pub(crate) fn begin(at: i64, uri: &Uri, headers: &HeaderMap, bearer: &str) -> Self {
        Self {
            at,
            query: uri.query().map(Into::into),
            request: Message {
                headers: lines(headers, bearer),
                body: None,
            },
            answer: Message::default(),
        }
    }

    pub(crate) fn answered(&mut self, headers: &HeaderMap, body: &Bytes) {
        self.answer = Message {
            headers: lines(headers, MASK),
            body: (!body.is_empty()).then(|| Kept::shared(body)),
        };
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        let messages = [&self.request, &self.answer].map(|message| {
            let body = message.body.as_ref().map_or(0, |body| body.bytes.len());
            message.headers.len() + body
        });
        messages.iter().sum::<usize>() + self.query.as_ref().map_or(0, |query| query.len())
    }
}

impl Message {
    /// Name and value of each header.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .lines()
            .filter_map(|line| line.split_once(": "))
    }

    /// Takes the password out of the body. Of one that is not kept whole, or is no JSON object, nothing is left.
    pub(crate) fn mask_password(&mut self) {
        self.body = self.body.take().filter(Kept::is_whole).and_then(|body| {
            let is_object = body.json().is_some_and(|json| json.is_object());
            let masked = mask_password(body.bytes()).map(Bytes::from);
            match masked {
                Some(masked) => Some(Kept::shared(&masked)),
                None => is_object.then_some(body),
            }
        });
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut headers = self.headers();
        headers.find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl Kept {
    /// A copy: the bytes of a request are a part of all that its connection has read, which would stay with them.
    fn copied(body: &Bytes) -> Self {
        Self {
            bytes: Bytes::copy_from_slice(&body[..body.len().min(BODY_KEPT)]),
            length: body.len(),
        }
    }

    fn shared(body: &Bytes) -> Self {
        match body.len() <= BODY_KEPT {
            true => Self {
                bytes: body.clone(),
                length: body.len(),
            },
            false => Self::copied(body),
        }
    }

    /// What is kept of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length of all of it, also of what is not kept.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.bytes.len() == self.length
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.bytes).ok()
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
        if lines.len() + name.as_str().len() + value.len() > HEADERS_KEPT {
            break;
        }
        for part in [name.as_str(), ": ", &value, "\n"] {
            lines.push_str(part);
        }
    }
    lines.into()
}

/// A request that was received, for assertions in tests. From [`Emulator::received`](crate::Emulator::received).
///
/// ```
/// use telecrm_emulator::Received;
///
/// fn is_push_of(received: &Received, phone: &str) -> bool {
///     let sent = Received::json(received).unwrap_or_default();
///     Received::header(received, "content-type") == Some("application/json")
///         && received.path.ends_with("/autoupdatelead")
///         && sent["fields"]["phone"] == phone
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = telecrm_emulator::Emulator::start().await?;
/// let url = format!("{}/enterprise/{}/autoupdatelead", emulator.async_url(), emulator.enterprise());
/// let lead = serde_json::json!({ "fields": { "phone": "919999999999" } });
/// reqwest::Client::new().post(url).bearer_auth(emulator.async_token()).json(&lead).send().await?;
/// assert!(is_push_of(&emulator.received(0)[0], "919999999999"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The number of the call in the log.
    pub seq: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its question mark.
    pub query: Option<String>,
    /// Names in lower case, and values. Tokens are not among them: of `authorization` it is said which token it was.
    pub headers: Vec<(String, String)>,
    /// The body, at most its first 64 KiB. Nothing if the call was refused before it was read.
    pub body: Option<Vec<u8>>,
}

impl Received {
    pub(crate) fn new(seq: u64, method: &str, path: &str, exchange: &Exchange) -> Self {
        let headers = exchange.request.headers();
        let body = exchange.request.body.as_ref();
        Self {
            seq,
            method: method.to_owned(),
            path: path.to_owned(),
            query: exchange.query.as_deref().map(str::to_owned),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.map(|body| body.bytes().to_vec()),
        }
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }
}

/// Without query, headers and body, which may hold personal data.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("seq", &self.seq)
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
