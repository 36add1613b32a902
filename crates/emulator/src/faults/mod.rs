//! Faults: rules that make calls fail on purpose.

pub(crate) mod rate_limit;
pub(crate) mod rules;

use crate::operations;
use crate::problem::{Problem, impl_error};
use crate::setters::setters;
use crate::store::Processing;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm_core::Workspace;

/// A rule that makes some calls fail: which calls, and how.
///
/// If several rules match a call, the first one applies. A second run with the same calls has the
/// same faults, even if a rule has a [`chance`](Fault::chance).
///
/// ```
/// use std::time::Duration;
/// use telecrm_emulator::{Fault, FaultyAnswer};
///
/// // The emulator refuses the second and the third creation, and names a time to wait.
/// let busy = FaultyAnswer::new(429).header("Retry-After", "1");
/// let refused = Fault::answer(busy).on("createLead").nth(2).times(2);
///
/// // The same rule as JSON, for `POST /_emulator/faults` and `telecrm emulator --fault FILE`:
/// let json = serde_json::json!({
///     "operation": "createLead", "nth": 2, "times": 2,
///     "do": { "answer": { "status": 429, "headers": { "Retry-After": "1" } } },
/// });
/// assert_eq!(Fault::list(json)?, [refused]);
///
/// // Late, wrong, partial and missing answers:
/// let slow = Fault::latency(Duration::from_secs(2)).field("phone", "919999999999");
/// let wrong = Fault::content_type("text/plain").path("/lead/62ab16e");
/// let broken = [
///     Fault::hang(),
///     Fault::reset_before(),
///     Fault::reset_after(),
///     Fault::truncated(),
///     Fault::endless(),
/// ];
///
/// // Leads that the Async API accepts, and then processes late, twice or never:
/// let queue = [
///     Fault::process_later(Duration::from_secs(5)),
///     Fault::process_never().field("phone", "919999999998"),
///     Fault::process_twice(),
///     Fault::process_after_next().nth(1),
/// ];
/// # let _ = (slow, wrong, broken, queue);
/// # Ok::<(), telecrm_emulator::FaultError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a rule, such as {\"operation\": \"createLead\", \"do\": \"hang\"}"
)]
#[must_use]
pub struct Fault {
    /// The operation's ID. None matches every operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// A part of the path, such as a lead's ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Values in the body, either of a lead's fields or of top-level keys.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
    /// The first matching call that fails, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    /// How many matching calls fail from there on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// The probability that such a call fails, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chance: Option<f64>,
    #[serde(rename = "do")]
    kind: FaultKind,
}

/// How a call fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FaultKind {
    Answer(FaultyAnswer),
    ContentType(String),
    LatencyMs(u64),
    Hang,
    ResetBefore,
    ResetAfter,
    Truncated,
    Endless,
    ProcessLaterMs(u64),
    ProcessNever,
    ProcessTwice,
    ProcessAfterNext,
}

impl FaultKind {
    /// The same without a delay, for a replay: no client waits for the answer.
    pub(crate) fn without_delay(self) -> Self {
        match self {
            Self::LatencyMs(_) => Self::LatencyMs(0),
            Self::Hang => Self::ResetBefore,
            other => other,
        }
    }

    /// Whether the client gets no answer, or one without a proper end.
    pub(crate) fn breaks_answer(&self) -> bool {
        matches!(
            self,
            Self::Hang | Self::ResetBefore | Self::ResetAfter | Self::Truncated | Self::Endless
        )
    }

    /// Whether the connection is reset instead of answered.
    pub(crate) fn is_reset(&self) -> bool {
        matches!(self, Self::ResetBefore | Self::ResetAfter)
    }

    /// The name in a rule and in the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::ContentType(_) => "content_type",
            Self::LatencyMs(_) => "latency_ms",
            Self::Hang => "hang",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::Truncated => "truncated",
            Self::Endless => "endless",
            Self::ProcessLaterMs(_) => "process_later_ms",
            Self::ProcessNever => "process_never",
            Self::ProcessTwice => "process_twice",
            Self::ProcessAfterNext => "process_after_next",
        }
    }

    /// How the background worker processes the lead of this call.
    pub(crate) fn processing(&self) -> Processing {
        match self {
            Self::ProcessLaterMs(millis) => Processing::Later(Duration::from_millis(*millis)),
            Self::ProcessNever => Processing::Never,
            Self::ProcessTwice => Processing::Twice,
            Self::ProcessAfterNext => Processing::AfterNext,
            _ => Processing::Once,
        }
    }

    /// Whether the fault happens after the answer, which is possible with the Async API only.
    fn is_processing(&self) -> bool {
        self.processing() != Processing::Once
    }
}

/// A wrong answer.
///
/// ```
/// use telecrm_emulator::{Fault, FaultyAnswer};
///
/// let proxy = Fault::answer(FaultyAnswer::new(502).html("<h1>Bad gateway</h1>"));
/// // The emulator creates the lead, and answers with an error.
/// let error = serde_json::json!({ "error": { "code": "OOPS" } });
/// let lie = FaultyAnswer::new(500).body(error).after_commit();
/// # let _ = (proxy, lie);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct FaultyAnswer {
    status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// A string is sent as plain text, everything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) after_commit: bool,
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self {
            operation: None,
            path: None,
            fields: Map::new(),
            nth: None,
            times: None,
            chance: None,
            kind,
        }
    }

    /// Reads one rule or a list of rules.
    ///
    /// # Errors
    /// Returns an error if the JSON is not a rule, or if a rule is invalid.
    pub fn list(json: Value) -> Result<Vec<Self>, FaultError> {
        let list = match json {
            Value::Array(_) => serde_json::from_value(json),
            one => serde_json::from_value(one).map(|fault| vec![fault]),
        };
        let list: Vec<Self> = list.map_err(|error| {
            let hint = "write a rule such as {\"operation\": \"createLead\", \"do\": \"hang\"}";
            FaultError::new(error.to_string(), hint)
        })?;
        list.iter().try_for_each(Self::check)?;
        Ok(list)
    }

    /// The client gets this answer instead of the right one.
    pub fn answer(answer: FaultyAnswer) -> Self {
        Self::new(FaultKind::Answer(answer))
    }

    /// The client gets the right answer with this content type.
    pub fn content_type(value: impl Into<String>) -> Self {
        Self::new(FaultKind::ContentType(value.into()))
    }

    /// The client gets the right answer late. The call takes effect even if the client has
    /// disconnected meanwhile.
    pub fn latency(delay: Duration) -> Self {
        Self::new(FaultKind::LatencyMs(millis(delay)))
    }

    /// The client gets no answer, and the connection stays open. The call has no effect.
    pub fn hang() -> Self {
        Self::new(FaultKind::Hang)
    }

    /// The connection is reset. The call has no effect.
    pub fn reset_before() -> Self {
        Self::new(FaultKind::ResetBefore)
    }

    /// The connection is reset after the call has taken effect.
    pub fn reset_after() -> Self {
        Self::new(FaultKind::ResetAfter)
    }

    /// The right answer ends halfway.
    pub fn truncated() -> Self {
        Self::new(FaultKind::Truncated)
    }

    /// Endless blanks follow the right answer.
    pub fn endless() -> Self {
        Self::new(FaultKind::Endless)
    }

    /// The Async API accepts the lead, and processes it and the leads behind it this much later.
    pub fn process_later(delay: Duration) -> Self {
        Self::new(FaultKind::ProcessLaterMs(millis(delay)))
    }

    /// The Async API accepts the lead, and never processes it.
    pub fn process_never() -> Self {
        Self::new(FaultKind::ProcessNever)
    }

    /// The Async API processes the lead twice, which appends its actions twice.
    pub fn process_twice() -> Self {
        Self::new(FaultKind::ProcessTwice)
    }

    /// The Async API processes the lead after the next lead. Until that arrives, it waits.
    pub fn process_after_next() -> Self {
        Self::new(FaultKind::ProcessAfterNext)
    }
}

setters! {
    Fault:

    /// Matches only the operation with this ID in the OpenAPI descriptions, such as `createLead`.
    pub fn on(self, operation: impl Into<String>) { self.operation = Some(operation.into()); }

    /// Matches only paths that contain this text, such as a lead's ID.
    pub fn path(self, part: impl Into<String>) { self.path = Some(part.into()); }

    /// Matches only bodies in which this field or top-level key has this value. Every spelling of
    /// the lead identifier matches.
    pub fn field(self, name: impl Into<String>, value: impl Into<Value>) {
        self.fields.insert(name.into(), value.into());
    }

    /// Only the nth matching call fails, counted from 1. By default, all of them do.
    pub fn nth(self, nth: u64) { self.nth = Some(nth); }

    /// This many matching calls fail, from the [`nth`](Self::nth) or else from the first on.
    pub fn times(self, times: u64) { self.times = Some(times); }

    /// The probability that a matching call fails, from 0 to 1.
    ///
    /// [`Builder::random_seed`](crate::Builder::random_seed) decides which calls fail. Each run
    /// with the same seed has the same ones.
    ///
    /// ```
    /// use telecrm_emulator::{Fault, FaultyAnswer};
    ///
    /// let unavailable = FaultyAnswer::new(503);
    /// let now_and_then = Fault::answer(unavailable).on("searchLeads").chance(0.1);
    /// # let _ = now_and_then;
    /// ```
    pub fn chance(self, chance: f64) { self.chance = Some(chance); }
}

impl Fault {
    fn matches_route(&self, operation: Option<&str>, path: &str) -> bool {
        let named = self.operation.as_deref();
        named.is_none_or(|named| operation == Some(named))
            && (!self.kind.is_processing() || operation == Some(operations::INGEST))
            && self.path.as_ref().is_none_or(|part| path.contains(part))
    }

    fn matches_body(&self, body: &Value, workspace: &Workspace) -> bool {
        self.fields.iter().all(|(name, wanted)| {
            let sent = body.get("fields").and_then(|fields| fields.get(name));
            let Some(sent) = sent.or_else(|| body.get(name)) else {
                return false;
            };
            let key = |value: &Value| workspace.identifier_key(&value.clone().into());
            let is_identifier = name == workspace.identifier().api_name();
            sent == wanted || (is_identifier && key(sent).is_some() && key(sent) == key(wanted))
        })
    }

    /// Whether the matching call with this number fails.
    fn applies(&self, call: u64, luck: impl FnOnce() -> f64) -> bool {
        let first = self.nth.unwrap_or(1);
        let times = self.times.or(self.nth.map(|_| 1)).unwrap_or(u64::MAX);
        (first..first.saturating_add(times)).contains(&call)
            && self.chance.is_none_or(|chance| luck() < chance)
    }

    fn check(&self) -> Result<(), FaultError> {
        if let Some(operation) = &self.operation {
            if !operations::ids().any(|known| known == operation) {
                let known: Vec<_> = operations::ids().collect();
                return Err(FaultError::new(
                    format!("unknown operation {operation:?}"),
                    format!("choose from {}", known.join(", ")),
                ));
            }
            if self.kind.is_processing() && operation != operations::INGEST {
                return Err(FaultError::new(
                    format!("{operation} has no background processing that could fail"),
                    format!("use {}, or leave the operation out", operations::INGEST),
                ));
            }
        }
        for (name, count) in [("nth", self.nth), ("times", self.times)] {
            if count == Some(0) {
                return Err(FaultError::new(format!("`{name}` is 0"), "count calls from 1"));
            }
        }
        if let Some(chance) = self.chance
            && !(0.0..=1.0).contains(&chance)
        {
            return Err(FaultError::new(
                format!("the chance is {chance}"),
                "use a number from 0 to 1",
            ));
        }
        match &self.kind {
            FaultKind::Answer(answer) => answer.response().map(drop),
            FaultKind::ContentType(value) => header_value(value).map(drop),
            _ => Ok(()),
        }
    }
}

setters! {
    FaultyAnswer:

    /// Adds a header.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) {
        self.headers.insert(name.into(), value.into());
    }

    /// Sets the body. A string is sent as plain text, everything else as JSON.
    pub fn body(self, body: impl Into<Value>) { self.body = Some(body.into()); }

    /// Lets the call take effect before this answer is sent.
    pub fn after_commit(self) { self.after_commit = true; }
}

fn millis(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

impl FaultyAnswer {
    /// An answer with this status and no body. The call has no effect.
    pub fn new(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: None, after_commit: false }
    }

    /// Makes the answer a web page.
    pub fn html(self, page: impl Into<String>) -> Self {
        self.header("Content-Type", "text/html; charset=utf-8").body(page.into())
    }

    pub(crate) fn response(&self) -> Result<Response<Body>, FaultError> {
        let (content_type, body) = match &self.body {
            None => (None, Body::empty()),
            Some(Value::String(text)) => (Some("text/plain; charset=utf-8"), text.clone().into()),
            Some(json) => (Some("application/json"), json.to_string().into()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = match StatusCode::from_u16(self.status) {
            Ok(status) if !status.is_informational() => status,
            _ => {
                return Err(FaultError::new(
                    format!("{} is not the status of an answer", self.status),
                    "use a status from 200 to 999",
                ));
            }
        };
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        for (name, value) in &self.headers {
            let Ok(key) = HeaderName::try_from(name) else {
                return Err(FaultError::new(
                    format!("{name:?} is not a header name"),
                    "use letters, digits and hyphens",
                ));
            };
            if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(&key) {
                return Err(FaultError::new(
                    format!("the emulator sets {key} itself"),
                    "leave the header out, or use \"truncated\" for an answer that ends halfway",
                ));
            }
            response.headers_mut().insert(key, header_value(value)?);
        }
        Ok(response)
    }
}

fn header_value(text: &str) -> Result<HeaderValue, FaultError> {
    HeaderValue::from_str(text).map_err(|_| {
        FaultError::new(
            format!("{text:?} is not a header value"),
            "use a single line without control characters",
        )
    })
}

/// An error for an invalid rule, such as one for an unknown operation.
///
/// ```
/// use telecrm_emulator::Fault;
///
/// let rule = serde_json::json!({ "operation": "createLeads", "do": "hang" });
/// let error = Fault::list(rule).unwrap_err();
/// assert!(error.hint().is_some_and(|hint| hint.contains("createLead")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError(Problem);

impl FaultError {
    fn new(message: String, hint: impl Into<String>) -> Self {
        Self(Problem::new(message).hint(hint))
    }
}

impl_error!(FaultError);
