//! The handle that every part of the client holds: both APIs, the cached workspace, and call
//! options.

use crate::clock::Clock;
use crate::raw::generated::{ingest, sync};
use crate::transport::envelope::without_bom;
use crate::transport::write_order::{Target, WriteOrder};
use crate::transport::{Call, CallOptions, Context, Response, Shutdown, Transport, Unbuilt};
use crate::workspace_cache::WorkspaceCache;
use crate::{Error, Idempotency, Operation};
use jiff::tz::TimeZone;
use reqwest::Request;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use telecrm_core::{Country, Created, FieldValue, Lead, Outcome};

/// A cheap clone of the client's state, with the options of the calls that it makes.
#[derive(Clone)]
pub(crate) struct Handle {
    shared: Arc<Shared>,
    pub(crate) options: CallOptions,
}

pub(crate) struct Shared {
    pub(crate) sync: Option<Api<sync::Client>>,
    pub(crate) ingest: Option<Api<ingest::Client>>,
    pub(crate) workspace: WorkspaceCache,
    pub(crate) default_country: Option<Country>,
    pub(crate) time_zone: Option<TimeZone>,
    pub(crate) verify_timeout: Duration,
    /// How many leads one search looks for.
    pub(crate) leads_per_search: LeadsPerSearch,
    pub(crate) write_order: WriteOrder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shutdown: Shutdown,
}

/// How many leads one search looks for. Lowered for good if the server does not support as many.
pub(crate) struct LeadsPerSearch(AtomicUsize);

impl Default for LeadsPerSearch {
    /// Two spellings of 50 phone numbers are a hundred values.
    fn default() -> Self {
        Self(AtomicUsize::new(50))
    }
}

impl LeadsPerSearch {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn lower_to(&self, count: usize) {
        self.0.fetch_min(count.max(1), Ordering::Relaxed);
    }
}

impl Deref for Handle {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// Prints without tokens and enterprise ID.
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("sync", &self.sync.is_some())
            .field("async", &self.ingest.is_some())
            .finish_non_exhaustive()
    }
}

impl Handle {
    pub(crate) fn new(shared: Shared, options: CallOptions) -> Self {
        let shared = Arc::new(shared);
        Self { shared, options }
    }

    pub(crate) fn with_options(&self, options: CallOptions) -> Self {
        Self { options, ..self.clone() }
    }

    /// Returns a handle whose calls share one total timeout, which begins now.
    pub(crate) fn in_one_call(&self) -> Self {
        self.with_options(self.options.in_one_call(self.clock.now()))
    }

    /// Returns a handle whose calls take at most this long, or as long as one attempt if that is
    /// longer.
    pub(crate) fn at_most(&self, time: Duration) -> Self {
        let options = self.options;
        let time = time.max(options.attempt_timeout);
        self.with_options(options.total_timeout(time.min(options.total_timeout)))
    }

    /// The ID of the enterprise. Empty without a token.
    pub(crate) fn enterprise(&self) -> &str {
        let sync = self.sync.as_ref().map(|api| &api.connection);
        let connection = sync.or(self.ingest.as_ref().map(|api| &api.connection));
        connection.map_or("", |connection| &connection.enterprise)
    }

    pub(crate) fn sync_api(&self) -> Result<&Api<sync::Client>, Error> {
        self.sync.as_ref().ok_or_else(|| missing_token("a Sync token"))
    }

    pub(crate) fn async_api(&self) -> Result<&Api<ingest::Client>, Error> {
        self.ingest.as_ref().ok_or_else(|| missing_token("an Async token"))
    }

    /// Sends a request of the Sync API.
    ///
    /// `build` makes it with the generated client, which knows method, path, query and body. The
    /// response is not decoded, because the generated types accept only what is documented.
    pub(crate) async fn send(
        &self,
        operation: Operation,
        build: impl FnOnce(&sync::Client, &str) -> Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        let call = Call::new(Some(operation), operation.idempotency(), self.options);
        self.sync_api()?.send(call, build).await
    }

    /// Sends a request that overwrites earlier ones to the same target.
    pub(crate) async fn send_write(
        &self,
        operation: Operation,
        target: Target,
        build: impl FnOnce(&sync::Client, &str) -> Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        let call = Call::new(Some(operation), operation.idempotency(), self.options);
        let call = call.with_ticket(Some(self.write_order.enter(target)));
        self.sync_api()?.send(call, build).await
    }

    /// Remembers the ID of a lead with this identifier, so that its writes keep one order over both
    /// APIs.
    pub(crate) fn learn_id(&self, fields: &BTreeMap<String, FieldValue>, lead_id: Option<&str>) {
        let Some((workspace, id)) = self.workspace.last_known().zip(lead_id) else {
            return;
        };
        let identifier = fields.get(workspace.identifier().api_name());
        if let Some(key) = identifier.and_then(|value| workspace.identifier_key(value)) {
            self.write_order.learn(key, id.to_owned());
        }
    }

    /// Whether the Sync API accepts the Async token, which means that the two are swapped.
    pub(crate) async fn takes_async_token(&self) -> bool {
        let (Some(sync), Some(ingest)) = (&self.sync, &self.ingest) else {
            return false;
        };
        let connection = &sync.connection;
        let request = sync.client.get_metadata_request(&connection.enterprise);
        let call = Call::new(Some(Operation::GetMetadata), Idempotency::Safe, self.options);
        ingest.connection.transport.is_accepted(&connection.http, call, request).await
    }

    /// Reads the response to a creation. Remarks of the server are masked like its error messages.
    pub(crate) fn outcome(
        &self,
        response: &Response,
        sent: &Lead,
    ) -> Result<Outcome<Created>, Error> {
        let outcome = Outcome::from_response(without_bom(&response.body), sent);
        let outcome = outcome.map_err(|error| response.unreadable(error))?;
        let transport = &self.sync_api()?.connection.transport;
        Ok(outcome.map_remarks(|text| transport.masked(text, response)))
    }
}

pub(crate) fn missing_token(token: &str) -> Error {
    Error::config(format!("this call needs {token}")).with_hint("give the builder one")
}

/// One of the two APIs.
pub(crate) struct Api<C> {
    /// The generated client, used to build requests.
    client: C,
    pub(crate) connection: Connection,
}

/// Where and how the requests of one API are sent.
pub(crate) struct Connection {
    pub(crate) base_url: String,
    pub(crate) enterprise: String,
    pub(crate) http: reqwest::Client,
    pub(crate) transport: Arc<Transport>,
}

impl<C> Api<C> {
    pub(crate) fn new(
        generated: fn(&str, reqwest::Client, Context) -> C,
        connection: Connection,
    ) -> Self {
        Self { client: connection.generated(generated, CallOptions::default()), connection }
    }

    pub(crate) async fn send(
        &self,
        call: Call,
        build: impl FnOnce(&C, &str) -> Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        let request = build(&self.client, &self.connection.enterprise);
        self.connection.send(call, request).await
    }
}

impl<C> Api<C> {
    /// The error for a success status whose body refuses the request for this reason.
    pub(crate) fn refusal(&self, response: &Response, reason: &str) -> Error {
        response.refusal(&self.connection.transport.masked(reason, response))
    }
}

impl Connection {
    pub(crate) async fn send(
        &self,
        call: Call,
        request: Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        self.transport.call(&self.http, call, request).await
    }

    /// Creates a generated client with the same tokens, limits and retries.
    pub(crate) fn generated<C>(
        &self,
        new: fn(&str, reqwest::Client, Context) -> C,
        options: CallOptions,
    ) -> C {
        let context = Context::through(self.transport.clone(), options);
        new(&self.base_url, self.http.clone(), context)
    }
}
