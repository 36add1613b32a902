//! Faults on command: which calls go wrong, and how.

use crate::answer::{ApiError, buffered};
use crate::exchange::Whole;
use crate::wire::Scissors;
use crate::{ingest, lock, server};
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Response as HttpResponse, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;
use telecrm_core::Workspace;

/// A rule by which calls go wrong: which, and how. Rules are tried in their order, and the first that fits wins.
/// The same calls meet the same faults again, even where a rule has a [`chance`](Fault::chance).
///
/// ```
/// use std::time::Duration;
/// use telecrm_emulator::{Fault, FaultyAnswer};
///
/// // The second and third creation are refused, and tell when to come back.
/// let busy = FaultyAnswer::new(429).header("Retry-After", "1");
/// let refused = Fault::answer(busy).on("createLead").nth(2).times(2);
///
/// // As JSON, for other languages: `POST /_emulator/faults`, or `telecrm emulator --fault FILE`.
/// let json = serde_json::json!({
///     "operation": "createLead", "nth": 2, "times": 2,
///     "do": { "answer": { "status": 429, "headers": { "Retry-After": "1" } } },
/// });
/// assert_eq!(Fault::list(json)?, [refused]);
///
/// // Answers that come late, wrong, in part or not at all:
/// let slow = Fault::latency(Duration::from_secs(2)).field("phone", "919999999999");
/// let wrong = Fault::content_type("text/plain").path("/lead/62ab16e");
/// let broken = [Fault::hang(), Fault::reset_before(), Fault::reset_after(), Fault::truncated(), Fault::endless()];
///
/// // And leads that the Async API takes, and then processes otherwise than one thinks:
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
    /// The operation's ID; nothing means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// A part of the path, such as a lead's ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Values in the body: of a lead's fields, or of keys beside them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
    /// The first of the fitting calls that goes wrong, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    /// How many go wrong from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// How likely each of these goes wrong, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chance: Option<f64>,
    #[serde(rename = "do")]
    kind: FaultKind,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FaultKind {
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
    /// Whether it is about what comes after the answer, which only the Async API has.
    fn is_processing(&self) -> bool {
        matches!(
            self,
            Self::ProcessLaterMs(_)
                | Self::ProcessNever
                | Self::ProcessTwice
                | Self::ProcessAfterNext
        )
    }
}

/// An answer that telecrm did not mean to give.
///
/// ```
/// use telecrm_emulator::{Fault, FaultyAnswer};
///
/// let proxy = Fault::answer(FaultyAnswer::new(502).html("<h1>Bad gateway</h1>"));
/// // The lead is created, and the answer says otherwise.
/// let lie = FaultyAnswer::new(500).body(serde_json::json!({ "error": { "code": "OOPS" } })).after_commit();
/// # let _ = (proxy, lie);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct FaultyAnswer {
    status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// A text is sent as it is, all else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    after_commit: bool,
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

    /// Reads one rule, or a list of them.
    ///
    /// # Errors
    /// If one is no rule, or cannot happen.
    pub fn list(json: Value) -> Result<Vec<Self>, FaultError> {
        let list = match json {
            Value::Array(_) => serde_json::from_value(json),
            one => serde_json::from_value(one).map(|fault| vec![fault]),
        };
        let list: Vec<Self> = list.map_err(|error| FaultError(error.to_string()))?;
        list.iter().try_for_each(Self::check)?;
        Ok(list)
    }

    /// Another answer in place of the right one.
    pub fn answer(answer: FaultyAnswer) -> Self {
        Self::new(FaultKind::Answer(answer))
    }

    /// The right answer under a wrong content type.
    pub fn content_type(value: impl Into<String>) -> Self {
        Self::new(FaultKind::ContentType(value.into()))
    }

    /// The right answer, late. The call is carried out even if its caller has left by then.
    pub fn latency(delay: Duration) -> Self {
        Self::new(FaultKind::LatencyMs(millis(delay)))
    }

    /// No answer, and the connection stays open. Nothing is done.
    pub fn hang() -> Self {
        Self::new(FaultKind::Hang)
    }

    /// The connection is reset, and nothing is done.
    pub fn reset_before() -> Self {
        Self::new(FaultKind::ResetBefore)
    }

    /// The connection is reset when everything is done.
    pub fn reset_after() -> Self {
        Self::new(FaultKind::ResetAfter)
    }

    /// The right answer breaks off in its middle.
    pub fn truncated() -> Self {
        Self::new(FaultKind::Truncated)
    }

    /// The right answer is followed by blanks without end.
    pub fn endless() -> Self {
        Self::new(FaultKind::Endless)
    }

    /// The Async API takes the lead and processes it so much later, and those behind it too.
    pub fn process_later(delay: Duration) -> Self {
        Self::new(FaultKind::ProcessLaterMs(millis(delay)))
    }

    /// The Async API takes the lead and never processes it.
    pub fn process_never() -> Self {
        Self::new(FaultKind::ProcessNever)
    }

    /// The Async API processes the lead twice, which appends its actions twice.
    pub fn process_twice() -> Self {
        Self::new(FaultKind::ProcessTwice)
    }

    /// The Async API processes the lead after the one that comes next, and until then not at all.
    pub fn process_after_next() -> Self {
        Self::new(FaultKind::ProcessAfterNext)
    }

    /// Only this operation, by its ID in the OpenAPI descriptions, such as `createLead`.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only paths that contain this, such as a lead's ID.
    pub fn path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Only bodies in which this field, or a key beside the fields, has this value. The lead identifier may be spelled otherwise.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Only the nth of the calls that fit, counted from 1. Without this, all of them.
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// So many of the calls that fit: from the [`nth`](Self::nth) on, or from the first.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Only so many of the calls that are left, from 0 for none to 1 for all. Which ones follows from
    /// [`Builder::random_seed`](crate::Builder::random_seed), so it is the same with each run.
    ///
    /// ```
    /// use telecrm_emulator::{Fault, FaultyAnswer};
    ///
    /// let now_and_then = Fault::answer(FaultyAnswer::new(503)).on("searchLeads").chance(0.1);
    /// # let _ = now_and_then;
    /// ```
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = Some(chance);
        self
    }

    fn is_for(&self, operation: Option<&str>, path: &str) -> bool {
        let named = self.operation.as_deref();
        named.is_none_or(|named| operation == Some(named))
            && (!self.kind.is_processing() || operation == Some(ingest::OPERATION))
            && self.path.as_ref().is_none_or(|part| path.contains(part))
    }

    fn fits(&self, body: &Value, workspace: &Workspace) -> bool {
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

    /// Whether the call with this number among those that fit goes wrong.
    fn strikes(&self, call: u64, luck: impl FnOnce() -> f64) -> bool {
        let first = self.nth.unwrap_or(1);
        let times = self.times.or(self.nth.map(|_| 1)).unwrap_or(u64::MAX);
        (first..first.saturating_add(times)).contains(&call)
            && self.chance.is_none_or(|chance| luck() < chance)
    }

    fn check(&self) -> Result<(), FaultError> {
        if let Some(operation) = &self.operation
            && !server::operations().any(|known| known == operation)
        {
            let known: Vec<_> = server::operations().collect();
            return Err(FaultError(format!(
                "there is no operation {operation:?}; choose from {}",
                known.join(", ")
            )));
        }
        if let Some(operation) = &self.operation
            && self.kind.is_processing()
            && operation != ingest::OPERATION
        {
            return Err(FaultError(format!(
                "only {} is processed after its answer, and {operation} is not",
                ingest::OPERATION
            )));
        }
        for (name, count) in [("nth", self.nth), ("times", self.times)] {
            if count == Some(0) {
                return Err(FaultError(format!("{name} is counted from 1")));
            }
        }
        // No range contains what is no number.
        if self
            .chance
            .is_some_and(|chance| !(0.0..=1.0).contains(&chance))
        {
            return Err(FaultError("a chance is between 0 and 1".to_owned()));
        }
        match &self.kind {
            FaultKind::Answer(answer) => answer.response().map(|_| ()),
            FaultKind::ContentType(value) => match HeaderValue::from_str(value) {
                Ok(_) => Ok(()),
                Err(_) => Err(FaultError(format!("{value:?} cannot stand in a header"))),
            },
            _ => Ok(()),
        }
    }
}

fn millis(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

impl FaultyAnswer {
    /// An answer with this status and no body, in place of the right one. Nothing is done.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: BTreeMap::new(),
            body: None,
            after_commit: false,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets the body. A text is sent as it is, all else as JSON.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// A web page.
    pub fn html(self, page: impl Into<String>) -> Self {
        self.header("Content-Type", "text/html; charset=utf-8")
            .body(page.into())
    }

    /// Does what was asked for before it answers so.
    pub fn after_commit(mut self) -> Self {
        self.after_commit = true;
        self
    }

    fn response(&self) -> Result<Response, FaultError> {
        let (content_type, body) = match &self.body {
            None => (None, Body::empty()),
            Some(Value::String(text)) => (Some("text/plain; charset=utf-8"), text.clone().into()),
            Some(json) => (Some("application/json"), json.to_string().into()),
        };
        let wrong = |what: &dyn fmt::Display| FaultError(format!("{what} is no part of an answer"));
        let status = StatusCode::from_u16(self.status).ok();
        let status = status.filter(|status| !status.is_informational());
        let status = status.ok_or_else(|| {
            FaultError(format!(
                "{} is no status of an answer: choose one from 200 to 999",
                self.status
            ))
        })?;
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        for (name, value) in &self.headers {
            let key = HeaderName::try_from(name).map_err(|_| wrong(name))?;
            if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(&key) {
                return Err(FaultError(format!(
                    "{key} follows from the body; for one that breaks off there is \"truncated\""
                )));
            }
            let value = HeaderValue::try_from(value).map_err(|_| wrong(value))?;
            response.headers_mut().insert(key, value);
        }
        Ok(response)
    }
}

/// A fault that cannot happen: an unknown operation, or an answer that HTTP does not know.
///
/// ```
/// use telecrm_emulator::Fault;
///
/// let error = Fault::list(serde_json::json!({ "operation": "createLeads", "do": "hang" })).unwrap_err();
/// assert!(error.to_string().contains("createLead"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}

/// The output of SplitMix64: seeds that are near each other give numbers that have nothing in common, which a
/// generator alone does not do.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The rules, and how many calls fitted each.
pub(crate) struct Faults {
    rules: Mutex<Rules>,
    random_seed: u64,
}

#[derive(Default)]
struct Rules {
    rules: Vec<Rule>,
    next_id: u64,
}

struct Rule {
    /// Stays the same where another is removed, and so does the chance that hangs on it.
    id: u64,
    fault: Fault,
    calls: u64,
}

impl Faults {
    pub(crate) fn new(random_seed: u64) -> Self {
        Self {
            rules: Mutex::default(),
            random_seed,
        }
    }

    /// A number from 0 to 1 that looks like chance, and is the same each time for the same call of the same rule.
    fn luck(&self, rule: u64, call: u64) -> f64 {
        let mixed = [rule, call]
            .into_iter()
            .fold(mix(self.random_seed), |mixed, part| mix(mixed ^ mix(part)));
        fastrand::Rng::with_seed(mixed).f64()
    }

    /// Adds all of the rules, or none.
    pub(crate) fn add(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        faults.iter().try_for_each(Fault::check)?;
        let mut rules = lock(&self.rules);
        for fault in faults {
            let id = rules.next_id;
            rules.next_id += 1;
            let calls = 0;
            rules.rules.push(Rule { id, fault, calls });
        }
        Ok(())
    }

    /// How many there are.
    #[cfg(feature = "web")]
    pub(crate) fn len(&self) -> usize {
        lock(&self.rules).rules.len()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.rules) = Rules::default();
    }

    /// Removes one rule, and says whether there was one.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let rules = &mut lock(&self.rules).rules;
        let place = rules.iter().position(|rule| rule.id == id);
        place.map(|place| rules.remove(place)).is_some()
    }

    /// Counts from 1 again.
    pub(crate) fn rewind(&self) {
        for rule in &mut lock(&self.rules).rules {
            rule.calls = 0;
        }
    }

    /// Each rule, with its ID, and the number of calls that fitted it so far.
    pub(crate) fn to_json(&self) -> Value {
        let rules = lock(&self.rules);
        let shown = rules.rules.iter().map(|rule| {
            let mut shown = json!(rule.fault);
            shown["id"] = rule.id.into();
            shown["calls"] = rule.calls.into();
            shown
        });
        shown.collect()
    }

    /// What goes wrong with this call, if anything.
    pub(crate) async fn strike(
        &self,
        operation: Option<&str>,
        mut request: Request,
        patience: Duration,
        workspace: impl FnOnce() -> Workspace,
    ) -> Result<(Request, Option<Applied>), ApiError> {
        let forced = request.extensions_mut().remove::<Forced>();
        let path = request.uri().path().to_owned();
        let is_for = |rule: &&Rule| rule.fault.is_for(operation, &path);
        let (any, reads) = {
            let rules = lock(&self.rules);
            let mut fitting = rules.rules.iter().filter(is_for);
            let reads = fitting.clone().any(|rule| !rule.fault.fields.is_empty());
            (fitting.next().is_some(), reads)
        };
        if !any {
            return Ok((request, forced.and_then(|Forced(fault)| fault)));
        }
        let sent = match reads {
            true => {
                let (read, bytes) = buffered(request, patience).await?;
                request = read;
                let sent = serde_json::from_slice(&bytes).unwrap_or_default();
                Some((sent, workspace()))
            }
            false => None,
        };
        let mut struck = None;
        let mut rules = lock(&self.rules);
        for Rule { id, fault, calls } in &mut rules.rules {
            let fits = match &sent {
                Some((sent, workspace)) => fault.fits(sent, workspace),
                None => fault.fields.is_empty(),
            };
            if fault.is_for(operation, &path) && fits {
                *calls += 1;
                if struck.is_none() && fault.strikes(*calls, || self.luck(*id, *calls)) {
                    struck = Some(Applied(fault.kind.clone()));
                }
            }
        }
        drop(rules);
        let struck = match forced {
            Some(Forced(fault)) => fault,
            None => struck,
        };
        Ok((request, struck))
    }
}

/// Goes along with a request of which is known what goes wrong with it, or that nothing does. Rules count it all the same.
#[derive(Clone)]
pub(crate) struct Forced(pub(crate) Option<Applied>);

/// A fault that happens to a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Applied(FaultKind);

impl Applied {
    /// The same without waiting, where nobody waits for the answer.
    pub(crate) fn at_once(self) -> Self {
        Self(match self.0 {
            FaultKind::LatencyMs(_) => FaultKind::LatencyMs(0),
            FaultKind::Hang => FaultKind::ResetBefore,
            other => other,
        })
    }

    /// Whether there is no answer, or none that ends as it should.
    pub(crate) fn breaks_answer(&self) -> bool {
        self.is_endless_wait()
            || self.is_silence()
            || matches!(self.0, FaultKind::Truncated | FaultKind::Endless)
    }

    /// Its name, for the log.
    pub(crate) fn name(&self) -> &'static str {
        match self.0 {
            FaultKind::Answer(_) => "answer",
            FaultKind::ContentType(_) => "content_type",
            FaultKind::LatencyMs(_) => "latency_ms",
            FaultKind::Hang => "hang",
            FaultKind::ResetBefore => "reset_before",
            FaultKind::ResetAfter => "reset_after",
            FaultKind::Truncated => "truncated",
            FaultKind::Endless => "endless",
            FaultKind::ProcessLaterMs(_) => "process_later_ms",
            FaultKind::ProcessNever => "process_never",
            FaultKind::ProcessTwice => "process_twice",
            FaultKind::ProcessAfterNext => "process_after_next",
        }
    }

    /// What the background makes of the lead.
    pub(crate) fn processing(&self) -> Processing {
        match self.0 {
            FaultKind::ProcessLaterMs(millis) => Processing::Later(Duration::from_millis(millis)),
            FaultKind::ProcessNever => Processing::Never,
            FaultKind::ProcessTwice => Processing::Twice,
            FaultKind::ProcessAfterNext => Processing::AfterNext,
            _ => Processing::Once,
        }
    }

    /// Whether the call never ends by itself.
    pub(crate) fn is_endless_wait(&self) -> bool {
        matches!(self.0, FaultKind::Hang)
    }

    /// How late the call is carried out.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self.0 {
            FaultKind::LatencyMs(millis) => Some(Duration::from_millis(millis)),
            _ => None,
        }
    }

    /// Whether the call ends without an answer.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self.0, FaultKind::ResetBefore | FaultKind::ResetAfter)
    }

    /// Answers the call, or does not.
    pub(crate) async fn run(self, request: Request, next: Next) -> Response {
        let scissors = request.extensions().get::<Scissors>().cloned();
        let cut = || {
            if let Some(scissors) = &scissors {
                scissors.cut();
            }
            // Nobody gets to see it.
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        };
        match self.0 {
            FaultKind::Answer(answer) => {
                let right = match answer.after_commit {
                    true => Some(next.run(request).await),
                    false => None,
                };
                let Ok(mut wrong) = answer.response() else {
                    // It was looked at when it was added.
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                if let Some(right) = right {
                    *wrong.extensions_mut() = right.into_parts().0.extensions;
                }
                wrong
            }
            FaultKind::ContentType(value) => {
                let mut response = next.run(request).await;
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(header::CONTENT_TYPE, value);
                }
                response
            }
            // A call that hangs ends with the emulator.
            FaultKind::Hang | FaultKind::ResetBefore => cut(),
            FaultKind::ResetAfter => {
                let right = next.run(request).await;
                let mut response = cut();
                *response.extensions_mut() = right.into_parts().0.extensions;
                response
            }
            FaultKind::Truncated => broken(next.run(request).await, Ending::Missing).await,
            FaultKind::Endless => broken(next.run(request).await, Ending::Blanks).await,
            _ => next.run(request).await,
        }
    }
}

/// How the background deals with a lead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Processing {
    #[default]
    Once,
    Later(Duration),
    Never,
    Twice,
    AfterNext,
}

/// The answer with another ending than its own.
async fn broken(response: Response, ending: Ending) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.extensions.insert(Whole(whole.clone()));
    let length = whole.len();
    let start = match ending {
        Ending::Missing => whole.slice(..length / 2),
        Ending::Blanks => whole,
    };
    let body = Broken {
        start: Some(start),
        sent: false,
        length: length as u64,
        ending,
    };
    Response::from_parts(parts, Body::new(body))
}

/// A body that does not end as it should.
struct Broken {
    start: Option<Bytes>,
    sent: bool,
    /// That of the whole.
    length: u64,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Missing,
    Blanks,
}

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        const BLANKS: &[u8] = &[b' '; 8192];
        if self.start.is_none() && !self.sent {
            // What stands in buffers would be lost with the connection.
            self.sent = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = match (self.start.take(), self.ending) {
            (Some(start), _) => Ok(Frame::data(start)),
            (None, Ending::Missing) => Err(io::ErrorKind::ConnectionAborted.into()),
            (None, Ending::Blanks) => Ok(Frame::data(Bytes::from_static(BLANKS))),
        };
        Poll::Ready(Some(frame))
    }

    fn size_hint(&self) -> SizeHint {
        match self.ending {
            Ending::Missing => SizeHint::with_exact(self.length),
            Ending::Blanks => SizeHint::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: u64 = 20_000;

    /// How many of these calls a chance of a tenth strikes.
    fn share(calls: impl Iterator<Item = bool>) -> f64 {
        let (mut all, mut struck) = (0.0, 0.0);
        for is_struck in calls {
            all += 1.0;
            struck += f64::from(u8::from(is_struck));
        }
        struck / all
    }

    #[test]
    fn calls_rules_and_seeds_have_chances_of_their_own() {
        for seed in [0, 1, 2, 42, u64::MAX] {
            let [faults, next] = [seed, seed ^ 1].map(Faults::new);
            let is_struck = |rule, call| faults.luck(rule, call) < 0.1;
            let struck = || (1..=CALLS).filter(|call| is_struck(0, *call));
            for (what, share) in [
                ("of all", share((1..=CALLS).map(|call| is_struck(0, call)))),
                (
                    "in a row",
                    share(struck().map(|call| is_struck(0, call + 1))),
                ),
                ("two on", share(struck().map(|call| is_struck(0, call + 2)))),
                (
                    "of the pair",
                    share(struck().map(|call| is_struck(0, call ^ 1))),
                ),
                (
                    "by two rules",
                    share(struck().map(|call| is_struck(1, call))),
                ),
                (
                    "by two seeds",
                    share(struck().map(|call| next.luck(0, call) < 0.1)),
                ),
            ] {
                // Of 2,000 calls, a standard deviation is 0.0067.
                assert!((share - 0.1).abs() < 0.03, "{seed}, {what}: {share}");
            }
        }
    }
}
