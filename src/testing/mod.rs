//! A telecrm without a network, for tests of code that uses this crate. Needs the feature
//! `testing`.
//!
//! A [`FakeTelecrm`] makes a real [`Telecrm`], which checks, encodes, limits, retries and decodes
//! as in production. Only the responses come from a script, and waits take no real time.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), telecrm::Error> {
//! use telecrm::testing::{FakeTelecrm, Response};
//! use telecrm::{Lead, Operation};
//!
//! let fake = FakeTelecrm::new()
//!     .on(Operation::CreateLead, Response::rate_limited(Some(17)))
//!     .on(Operation::CreateLead, Response::created("62ab16e"));
//! let telecrm = fake.client();
//!
//! let lead = Lead::new().set("phone", "919999999999");
//! let outcome = telecrm.leads().create(&lead).await?;
//! assert_eq!(outcome.complete().expect("nothing was ignored").lead_id, "62ab16e");
//!
//! let requests = fake.requests();
//! assert_eq!(requests.len(), 2, "the client retried after the 429");
//! assert_eq!((requests[1].method(), requests[1].path()), ("POST", "/lead"));
//! assert_eq!(requests[1].body().unwrap()["fields"]["phone"], "919999999999");
//! assert_eq!(fake.clock().slept().as_secs(), 17);
//! # Ok(())
//! # }
//! ```
//!
//! The crate `telecrm-emulator` has a server that listens on a port, stores leads, and drops what
//! telecrm drops.

mod clock;
mod response;

pub use clock::ManualClock;
pub use response::Response;

use crate::raw::runtime::print_names_only;
use crate::transport::Call;
use crate::transport::backend::{Backend, Reply, Sending};
use crate::{AsyncToken, Builder, Clock, Error, Operation, SyncToken, Telecrm, WorkspaceFile};
use reqwest::{Client, Request};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A telecrm that answers from a script. See the [module](self).
///
/// The four reads of [`Telecrm::workspace`] return a sample workspace unless the script has other
/// responses. A call without a response in the script fails with an error that says so. Clones
/// share the script.
#[derive(Clone)]
pub struct FakeTelecrm {
    enterprise: String,
    script: Arc<Script>,
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

    /// The same with another enterprise ID.
    ///
    /// ```
    /// use telecrm::testing::FakeTelecrm;
    ///
    /// let telecrm = FakeTelecrm::of_enterprise("ent-mine").client();
    /// assert_eq!(telecrm.raw().enterprise_id()?, "ent-mine");
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    pub fn of_enterprise(enterprise_id: impl Into<String>) -> Self {
        let fake = Self { enterprise: enterprise_id.into(), script: Arc::default() };
        fake.workspace(&WorkspaceFile::sample())
    }

    /// Sets the workspace that [`Telecrm::workspace`] discovers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::WorkspaceFile;
    /// use telecrm::testing::FakeTelecrm;
    ///
    /// let phone = serde_json::json!({ "apiName": "phone", "type": "PHONE" });
    /// let file = WorkspaceFile::from_json(serde_json::json!({ "customFields": [phone] }))?;
    /// let telecrm = FakeTelecrm::new().workspace(&file).client();
    /// assert!(telecrm.workspace().await?.field("budget").is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn workspace(self, workspace: &WorkspaceFile) -> Self {
        let pipeline = workspace.pipeline.clone().unwrap_or_default();
        let metadata = workspace.metadata.clone().unwrap_or_default();
        let fields = json!({ "customFields": workspace.custom_fields });
        let actions = json!({ "customActions": workspace.custom_actions });
        self.always(Operation::GetMetadata, Response::json(metadata))
            .always(Operation::ListCustomFields, Response::json(fields))
            .always(Operation::ListCustomActions, Response::json(actions))
            .always(Operation::GetLeadStagePipeline, Response::json(pipeline))
    }

    /// Answers one request of this operation. Several responses are used in order.
    #[must_use]
    pub fn on(self, operation: Operation, response: Response) -> Self {
        self.script.lock().responses(Some(operation)).once.push_back(response);
        self
    }

    /// Answers every request of this operation for which no other response is left.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Operation;
    /// use telecrm::testing::{FakeTelecrm, Response};
    ///
    /// let fake = FakeTelecrm::new()
    ///     .on(Operation::GetLead, Response::html(502))
    ///     .always(Operation::GetLead, Response::json(serde_json::json!({ "id": "62ab16e" })));
    /// for _ in 0..3 {
    ///     assert_eq!(fake.client().leads().get("62ab16e").await?.id(), Some("62ab16e"));
    /// }
    /// // The client retried after the 502.
    /// assert_eq!(fake.requests_to(Operation::GetLead).len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn always(self, operation: Operation, response: Response) -> Self {
        self.script.lock().responses(Some(operation)).always = Some(response);
        self
    }

    /// Answers one request of [`Telecrm::request`]. Several responses are used in order.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Method;
    /// use telecrm::testing::{FakeTelecrm, RecordedRequest, Response};
    ///
    /// let fake = FakeTelecrm::new().on_request(Response::text(200, "text/csv", "id,phone"));
    /// let reply = fake.client().request(Method::Get, "/export").query("page", 2).send().await?;
    /// assert_eq!(reply.bytes(), b"id,phone");
    ///
    /// let request: &RecordedRequest = &fake.requests()[0];
    /// assert_eq!((request.operation(), request.query("page")), (None, Some("2")));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_request(self, response: Response) -> Self {
        self.script.lock().responses(None).once.push_back(response);
        self
    }

    /// A client of this telecrm, with tokens of both types and without rate limits.
    pub fn client(&self) -> Telecrm {
        self.builder().build().expect("the settings of a fake are valid")
    }

    /// The builder behind [`client`](Self::client), to change its settings.
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
        Telecrm::builder(&self.enterprise)
            .sync_token(SyncToken::new("fake").expect("a token"))
            .async_token(AsyncToken::new("fake").expect("a token"))
            .sync_limit(None)
            .async_limit(None)
            .clock(self.clock().clone())
            .backend(self.script.clone())
    }

    /// The clock of this telecrm's clients.
    pub fn clock(&self) -> &ManualClock {
        &self.script.clock
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.script.lock().requests.clone()
    }

    /// The requests of one operation so far, in order.
    pub fn requests_to(&self, operation: Operation) -> Vec<RecordedRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.operation == Some(operation));
        requests
    }
}

print_names_only!(FakeTelecrm);

/// A request that a [`FakeTelecrm`] received. Its `Debug` output shows all data, because it is
/// meant for tests.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRequest {
    operation: Option<Operation>,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl RecordedRequest {
    fn of(operation: Option<Operation>, request: &Request) -> Self {
        let path = request.url().path();
        let below = match path.split_once("/enterprise/") {
            Some((_, rest)) => rest.find('/').map(|slash| &rest[slash..]),
            None => None,
        };
        let body = request.body().and_then(reqwest::Body::as_bytes);
        Self {
            operation,
            method: request.method().to_string(),
            path: below.unwrap_or(path).to_owned(),
            query: request.url().query_pairs().into_owned().collect(),
            body: body.and_then(|body| serde_json::from_slice(body).ok()),
        }
    }

    /// The operation. Returns `None` for [`Telecrm::request`].
    pub fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// The method, such as `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The encoded path below `/enterprise/{id}`, such as `/lead/62ab16e`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A parameter of the query. Returns `None` if the query does not have it.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// The body. Returns `None` if it is empty or not JSON.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }
}

/// The responses of a fake, and the requests that it received.
#[derive(Default)]
struct Script {
    state: Mutex<State>,
    clock: ManualClock,
}

#[derive(Default)]
struct State {
    responses: HashMap<Option<Operation>, Responses>,
    requests: Vec<RecordedRequest>,
}

/// The responses to one operation.
#[derive(Default)]
struct Responses {
    once: VecDeque<Response>,
    always: Option<Response>,
}

impl State {
    fn responses(&mut self, operation: Option<Operation>) -> &mut Responses {
        self.responses.entry(operation).or_default()
    }
}

impl Script {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and answers it.
    fn reply(&self, operation: Option<Operation>, request: &Request) -> Result<Reply, Error> {
        let request = RecordedRequest::of(operation, request);
        let mut state = self.lock();
        let responses = state.responses(operation);
        let next = responses.once.pop_front();
        let reply = match next.or_else(|| responses.always.clone()) {
            Some(response) => response.into_reply(request.body()),
            None => Err(Error::refused("the fake has no response for this request")
                .with_hint("add one with `FakeTelecrm::on`")),
        };
        state.requests.push(request);
        reply
    }
}

impl Backend for Script {
    fn send<'a>(&'a self, _: &'a Client, call: &Call, request: Request) -> Sending<'a> {
        let reply = self.reply(call.operation, &request);
        Box::pin(async move {
            if let (Err(error), Some(timeout)) = (&reply, request.timeout())
                && error.is_timeout()
            {
                self.clock.sleep(*timeout).await;
            }
            reply
        })
    }
}
