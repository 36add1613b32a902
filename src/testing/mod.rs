//! A telecrm without a network, for tests of code that uses this crate. With the feature `testing`.
//!
//! A [`FakeTelecrm`] makes a real [`Telecrm`]: what is checked, encoded, limited, repeated and decoded is the same as in
//! production. Only the answers come from a script, operation by operation, and time does not pass by itself.
//!
//! ```
//! use telecrm::testing::{Response, FakeTelecrm};
//! use telecrm::{Lead, Operation};
//!
//! # async fn run() -> Result<(), telecrm::Error> {
//! let fake = FakeTelecrm::new()
//!     .on(Operation::CreateLead, Response::rate_limited(Some(17)))
//!     .on(Operation::CreateLead, Response::created("62ab16e"));
//! let telecrm = fake.client();
//!
//! let lead = Lead::new().set("phone", "919999999999");
//! let outcome = telecrm.leads().create(&lead).await?;
//! assert_eq!(outcome.complete().expect("nothing was ignored").lead_id, "62ab16e");
//!
//! let sent = fake.sent();
//! assert_eq!(sent.len(), 2, "once more after the refusal");
//! assert_eq!((sent[1].method(), sent[1].path()), ("POST", "/lead"));
//! assert_eq!(sent[1].body().unwrap()["fields"]["phone"], "919999999999");
//! assert_eq!(fake.clock().slept().as_secs(), 17);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! For a server that keeps what it is sent, drops what telecrm drops, and listens on a port, take the crate
//! `telecrm-emulator`.

use crate::clock::SystemClock;
use crate::error::tells_of_an_error;
use crate::operation::Idempotency;
use crate::transport::{Backend, Call, TransportFailure, retry_after};
use crate::{
    AsyncToken, Builder, CallOptions, Clock, Error, ErrorCode, Operation, SyncToken, Telecrm,
    WorkspaceFile,
};
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Request, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A telecrm that answers by a script. See the [module](self).
///
/// The four reads of [`Telecrm::workspace`] are answered from a sample workspace, unless told otherwise. A call for which the
/// script has no answer is an error that says so. Clones share the script.
#[derive(Clone)]
pub struct FakeTelecrm {
    enterprise: String,
    script: Arc<Script>,
    clock: ManualClock,
}

impl Default for FakeTelecrm {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeTelecrm {
    /// A telecrm with the [sample](WorkspaceFile::sample) workspace.
    pub fn new() -> Self {
        Self::of_enterprise("ent-fake")
    }

    /// The same, with an enterprise ID of yours.
    ///
    /// ```
    /// use telecrm::testing::FakeTelecrm;
    ///
    /// let telecrm = FakeTelecrm::of_enterprise("ent-mine").client();
    /// assert_eq!(telecrm.raw().enterprise_id()?, "ent-mine");
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    pub fn of_enterprise(enterprise_id: impl Into<String>) -> Self {
        let fake = Self {
            enterprise: enterprise_id.into(),
            script: Arc::default(),
            clock: ManualClock::new(),
        };
        fake.workspace(&WorkspaceFile::sample())
    }

    /// Answers what is asked of the workspace from this one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::WorkspaceFile;
    /// use telecrm::testing::FakeTelecrm;
    ///
    /// let fields = serde_json::json!({ "customFields": [{ "apiName": "phone", "type": "PHONE" }] });
    /// let telecrm = FakeTelecrm::new().workspace(&WorkspaceFile::from_json(fields)?).client();
    /// assert!(telecrm.workspace().await?.field("budget").is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn workspace(self, workspace: &WorkspaceFile) -> Self {
        let pipeline = workspace.pipeline.clone().unwrap_or_default();
        let metadata = workspace.metadata.clone().unwrap_or_default();
        self.always(Operation::GetMetadata, Response::json(metadata))
            .always(
                Operation::ListCustomFields,
                Response::json(json!({ "customFields": workspace.custom_fields })),
            )
            .always(
                Operation::ListCustomActions,
                Response::json(json!({ "customActions": workspace.custom_actions })),
            )
            .always(Operation::GetLeadStagePipeline, Response::json(pipeline))
    }

    /// Answers one request of this operation; several are given in their order.
    #[must_use]
    pub fn on(self, operation: Operation, answer: Response) -> Self {
        self.script
            .add(Some(operation), |lines| lines.once.push_back(answer));
        self
    }

    /// Answers every request of this operation for which nothing else is left.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Operation;
    /// use telecrm::testing::{Response, FakeTelecrm};
    ///
    /// let fake = FakeTelecrm::new()
    ///     .on(Operation::GetLead, Response::html(502))
    ///     .always(Operation::GetLead, Response::json(serde_json::json!({ "id": "62ab16e" })));
    /// for _ in 0..3 {
    ///     assert_eq!(fake.client().leads().get("62ab16e").await?.id(), Some("62ab16e"));
    /// }
    /// assert_eq!(fake.sent_to(Operation::GetLead).len(), 4, "one of them was sent again");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn always(self, operation: Operation, answer: Response) -> Self {
        self.script
            .add(Some(operation), |lines| lines.always = Some(answer));
        self
    }

    /// Answers one request made by [`Telecrm::request`]; several are given in their order.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Method;
    /// use telecrm::testing::{Response, FakeTelecrm, SentRequest};
    ///
    /// let fake = FakeTelecrm::new().on_request(Response::text(200, "text/csv", "id,phone"));
    /// let reply = fake.client().request(Method::Get, "/export").query("page", 2).send().await?;
    /// assert_eq!(reply.bytes(), b"id,phone");
    ///
    /// let sent: &SentRequest = &fake.sent()[0];
    /// assert_eq!((sent.operation(), sent.query("page")), (None, Some("2")));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_request(self, answer: Response) -> Self {
        self.script.add(None, |lines| lines.once.push_back(answer));
        self
    }

    /// A client of this telecrm, with tokens of both types and without limits.
    pub fn client(&self) -> Telecrm {
        self.builder()
            .build()
            .expect("the settings of a fake are right")
    }

    /// The settings of [`client`](Self::client), to change them.
    ///
    /// ```
    /// use telecrm::RateLimit;
    /// use telecrm::testing::FakeTelecrm;
    ///
    /// let telecrm = FakeTelecrm::new().builder().async_limit(Some(RateLimit::ASYNC)).build()?;
    /// assert_eq!(telecrm.async_limits()[0].remaining, Some(60));
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    pub fn builder(&self) -> Builder {
        let (sync, ingest) = (SyncToken::new("fake"), AsyncToken::new("fake"));
        Telecrm::builder(&self.enterprise)
            .sync_token(sync.expect("a token"))
            .async_token(ingest.expect("a token"))
            .sync_limit(None)
            .async_limit(None)
            .clock(self.clock.clone())
            .backend(Backend::Fake(self.script.clone()))
    }

    /// The time of this telecrm's clients.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// What was sent, in its order.
    pub fn sent(&self) -> Vec<SentRequest> {
        self.script.lock().sent.clone()
    }

    /// What was sent of one operation, in its order.
    pub fn sent_to(&self, operation: Operation) -> Vec<SentRequest> {
        let mut sent = self.sent();
        sent.retain(|request| request.operation == Some(operation));
        sent
    }
}

impl fmt::Debug for FakeTelecrm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeTelecrm").finish_non_exhaustive()
    }
}

/// A request that reached a [`FakeTelecrm`]. `Debug` shows all of it: it is meant for tests.
#[derive(Debug, Clone, PartialEq)]
pub struct SentRequest {
    operation: Option<Operation>,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl SentRequest {
    /// The operation; nothing for [`Telecrm::request`].
    pub fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// The method, such as `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path below `/enterprise/{id}`, such as `/lead/62ab16e`, as it is encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let mut query = self.query.iter();
        query
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body, if it is JSON.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }
}

/// An answer of a [`FakeTelecrm`], or the lack of one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::testing::{Response, FakeTelecrm};
/// use telecrm::{ErrorCode, Filter, Lead, Operation, PageRequest};
///
/// let fake = FakeTelecrm::new()
///     .on(Operation::CreateOrUpdateLead, Response::queued())
///     .on(Operation::CreateLead, Response::created_in_part("62ab16e", [("rating", "Rating must be between 1 and 5")]))
///     .on(Operation::CreateLead, Response::refusal(409, ErrorCode::LeadAlreadyExists, "exists already"))
///     .on(Operation::SearchLeads, Response::page([serde_json::json!({ "fields": { "phone": "919999999999" } })]));
/// let telecrm = fake.client();
///
/// let lead = Lead::new().set("phone", "919999999999").set("rating", 9);
/// let receipt = telecrm.ingest().push(&lead).await?;
/// let outcome = telecrm.leads().create(&lead).await?;
/// assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
/// assert!(telecrm.leads().create(&lead).await.unwrap_err().is_already_exists());
/// assert_eq!(telecrm.leads().search(&Filter::new(), PageRequest::default()).await?.data.len(), 1);
/// # drop(receipt);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response {
    play: Play,
    /// To be told of as many actions as were sent.
    creates: bool,
}

#[derive(Clone)]
enum Play {
    Response {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    Nothing(TransportFailure),
}

impl Response {
    /// 200 with this body: a JSON value, a [`LeadRecord`](crate::LeadRecord), a [`Page`](crate::Page), anything that serialises.
    ///
    /// # Panics
    /// If the body cannot be written as JSON.
    pub fn json(body: impl Serialize) -> Self {
        Self::json_with(StatusCode::OK, &body)
    }

    /// 200 with one page of a list or search that holds these rows and no more. After a full page (100 leads or entries, 10 members) a
    /// stream asks for what follows it, which is to be answered by a page without rows.
    ///
    /// # Panics
    /// If a row cannot be written as JSON.
    pub fn page<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Self {
        let rows: Vec<T> = rows.into_iter().collect();
        let (count, limit) = (rows.len(), rows.len().max(10));
        Self::json(json!({ "data": rows, "total_count": count, "skip": 0, "limit": limit }))
    }

    /// 201: a lead was created, or actions of it, and nothing was ignored. The actions that are sent get IDs: `a0`, `a1` and so on.
    pub fn created(lead_id: &str) -> Self {
        Self::created_in_part(lead_id, [])
    }

    /// 201: a lead was created without these fields, each with telecrm's remark.
    pub fn created_in_part<'a>(
        lead_id: &str,
        ignored: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let remarks = ignored.into_iter().map(|(field, remark)| {
            json!({ "field": format!("fields.{field}"), "status": "IGNORED", "remark": remark })
        });
        let remarks: Vec<_> = remarks.collect();
        let body = json!({ "lead_id": lead_id, "actions": [], "remarks": remarks });
        Self {
            creates: true,
            ..Self::json_with(StatusCode::CREATED, &body)
        }
    }

    /// 200: a push was queued.
    pub fn queued() -> Self {
        Self::json(json!({ "status": "QUEUED" }))
    }

    /// A refusal in telecrm's envelope.
    ///
    /// # Panics
    /// If the status is not between 100 and 999.
    pub fn refusal(status: u16, code: ErrorCode, message: &str) -> Self {
        let body = json!({ "error": { "code": code, "message": message } });
        Self::json_with(status_code(status), &body)
    }

    /// 429, with the seconds after which to come back if they are told (pitfall AS9).
    pub fn rate_limited(retry_after: Option<u64>) -> Self {
        let mut answer = Self::refusal(429, ErrorCode::TooManyRequests, "too many requests");
        if let (Some(seconds), Play::Response { headers, .. }) = (retry_after, &mut answer.play) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    /// A web page, as proxies and wrong base URLs answer it (pitfall TR1).
    ///
    /// # Panics
    /// If the status is not between 100 and 999.
    pub fn html(status: u16) -> Self {
        Self::text(
            status,
            "text/html",
            "<!doctype html><title>Not JSON</title>",
        )
    }

    /// Any body under any status.
    ///
    /// # Panics
    /// If the status is not between 100 and 999, or the type holds what no header can carry.
    pub fn text(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let content_type = HeaderValue::from_str(content_type).expect("a content type");
        Self::of(Play::Response {
            status: status_code(status),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: body.into().into(),
        })
    }

    /// Nobody listens: nothing was sent.
    pub fn refused() -> Self {
        Self::of(Play::Nothing(TransportFailure::Refused))
    }

    /// Nothing comes in time: the request may have been carried out.
    pub fn timeout() -> Self {
        Self::of(Play::Nothing(TransportFailure::TimedOut))
    }

    /// The connection breaks: the request may have been carried out.
    pub fn reset() -> Self {
        Self::of(Play::Nothing(TransportFailure::Reset))
    }

    /// The error of a call that ends with this answer. A success becomes the error for a success that cannot be read.
    ///
    /// ```
    /// use telecrm::Operation;
    /// use telecrm::testing::Response;
    ///
    /// let lost = Response::reset().into_error(Operation::CreateActions);
    /// assert!(lost.is_outcome_unknown());
    /// let late = Response::timeout().into_error(Operation::CreateActions);
    /// assert!(late.is_outcome_unknown() && late.is_timeout());
    /// let refused = Response::refused().into_error(Operation::CreateActions);
    /// assert!(refused.is_connect() && !refused.is_outcome_unknown());
    /// ```
    pub fn into_error(self, operation: Operation) -> Error {
        let error = match self.play {
            Play::Response { status, body, .. }
                if status.is_success() && !tells_of_an_error(&body) =>
            {
                Error::unreadable(status, body, "the answer is another one than expected")
            }
            Play::Response {
                status,
                headers,
                body,
            } => {
                let wait = retry_after(&headers, &SystemClock);
                Error::status(status, wait, body, str::to_owned)
            }
            Play::Nothing(reason) => Error::failure(reason),
        };
        let class: Idempotency = operation.idempotency();
        error.during(&Call::new(Some(operation), class, CallOptions::new()))
    }

    fn json_with(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body can be written as JSON");
        let json = HeaderValue::from_static("application/json");
        Self::of(Play::Response {
            status,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
            body: body.into(),
        })
    }

    fn of(play: Play) -> Self {
        Self {
            play,
            creates: false,
        }
    }

    fn into_response(self, request: &SentRequest) -> reqwest::Response {
        match self.play {
            Play::Nothing(reason) => reason.into_response(),
            Play::Response {
                status,
                headers,
                body,
            } => {
                let sent = request.body().and_then(|sent| sent["actions"].as_array());
                let body = match sent.filter(|_| self.creates) {
                    Some(sent) => with_actions(&body, sent.len()),
                    None => body,
                };
                let mut response = http::Response::new(body);
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response.into()
            }
        }
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}

fn with_actions(answer: &[u8], count: usize) -> Bytes {
    let mut answer: Value = serde_json::from_slice(answer).expect("it was written as JSON");
    let created = |index| json!({ "action_id": format!("a{index}"), "status": "CREATED" });
    answer["actions"] = (0..count).map(created).collect();
    answer.to_string().into()
}

/// Without the body.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.play {
            Play::Response { status, .. } => f.debug_tuple("Response").field(status).finish(),
            Play::Nothing(reason) => f.debug_tuple("Response").field(reason).finish(),
        }
    }
}

/// What a fake answers, and what it was sent.
#[derive(Default)]
pub(crate) struct Script(Mutex<State>);

#[derive(Default)]
struct State {
    lines: HashMap<Option<Operation>, Lines>,
    sent: Vec<SentRequest>,
}

#[derive(Default)]
struct Lines {
    once: VecDeque<Response>,
    always: Option<Response>,
}

impl Script {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what is answered.
    fn add(&self, operation: Option<Operation>, add: impl FnOnce(&mut Lines)) {
        add(self.lock().lines.entry(operation).or_default());
    }

    /// Answers a request.
    pub(crate) fn play(
        &self,
        operation: Option<Operation>,
        request: &Request,
    ) -> reqwest::Response {
        let mut state = self.lock();
        let sent = record(operation, request);
        let lines = state.lines.entry(operation).or_default();
        let response = match lines.once.pop_front().or_else(|| lines.always.clone()) {
            Some(answer) => answer.into_response(&sent),
            None => TransportFailure::Unscripted.into_response(),
        };
        state.sent.push(sent);
        response
    }
}

fn record(operation: Option<Operation>, request: &Request) -> SentRequest {
    let path = request.url().path();
    let enterprise = path.split_once("/enterprise/").map(|(_, rest)| rest);
    let below = enterprise.and_then(|rest| rest.find('/').map(|slash| &rest[slash..]));
    let body = request.body().and_then(reqwest::Body::as_bytes);
    SentRequest {
        operation,
        method: request.method().to_string(),
        path: below.unwrap_or(path).to_owned(),
        query: request.url().query_pairs().into_owned().collect(),
        body: body.and_then(|body| serde_json::from_slice(body).ok()),
    }
}

/// A clock on which every wait is over at once, and took its time. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use telecrm::Clock;
/// use telecrm::testing::ManualClock;
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now() - start, Duration::from_secs(3600));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Instant,
    date: SystemTime,
    passed: Arc<Mutex<Passed>>,
}

#[derive(Debug, Default)]
struct Passed {
    slept: Duration,
    advanced: Duration,
}

impl ManualClock {
    /// A clock that stands still at the present.
    pub fn new() -> Self {
        Self {
            start: SystemClock.now(),
            date: SystemClock.date(),
            passed: Arc::default(),
        }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.lock().advanced += duration;
    }

    /// How much time was waited away, of all waits together.
    pub fn slept(&self) -> Duration {
        self.lock().slept
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let passed = self.lock();
        self.start + passed.slept + passed.advanced
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.lock().slept += duration;
        Box::pin(std::future::ready(()))
    }

    fn date(&self) -> SystemTime {
        let passed = self.lock();
        self.date + passed.slept + passed.advanced
    }
}
