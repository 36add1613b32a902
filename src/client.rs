//! The client.

use crate::api::ingest::Ingest;
use crate::api::leads::Leads;
use crate::api::ping::Ping;
use crate::api::request::{Method, Request};
use crate::api::schema::{self, Schema};
use crate::api::team_members::TeamMembers;
use crate::handle::{Handle, missing_token};
use crate::transport::CallOptions;
use crate::{Error, LimitState, raw};
use std::sync::Arc;
use std::time::Duration;
use telecrm_core::Workspace;

/// A client of one telecrm workspace.
///
/// Clones are cheap, and share connections, rate limits and the discovered workspace. Calls need a
/// tokio runtime with I/O and time enabled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::{AsyncToken, Lead, SyncToken, Telecrm, Verification};
///
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let (sync_token, async_token) = (emulator.sync_token(), emulator.async_token());
/// let telecrm = Telecrm::builder("ent-local")
///     .sync_token(SyncToken::new(sync_token)?)
///     .async_token(AsyncToken::new(async_token)?)
/// #     .sync_url(emulator.sync_url())
/// #     .async_url(emulator.async_url())
///     .build()?;
///
/// let workspace = telecrm.workspace().await?;
/// let lead = Lead::new().set("phone", "+91 99999 99999").set("status", "fresh");
/// let clean = workspace.check(&lead).complete()?;
/// let receipt = telecrm.ingest().push(&clean).await?;
/// let verification = telecrm.ingest().verify(&receipt).await?;
/// assert!(matches!(verification, Verification::Stored(_)));
///
/// assert_eq!(telecrm.leads().count(&telecrm::Filter::new()).await?, 1);
/// assert_eq!(telecrm.team_members().stream().collect().await?.len(), 2);
/// assert_eq!(telecrm.schema().metadata().await?.name(), Some("Acme Corporation"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Telecrm(pub(crate) Handle);

impl Telecrm {
    /// Returns the schema of the workspace, which this client discovers once and caches for 15
    /// minutes. If telecrm cannot be reached after that, the cached one is returned again, and
    /// [`workspace_age`](Self::workspace_age) grows.
    ///
    /// # Errors
    /// Returns an error if one of the four requests fails, or their responses cannot be combined.
    ///
    /// Concurrent calls wait for one discovery, each for its own
    /// [total timeout](CallOptions::total_timeout). If that expires, the call has sent nothing.
    pub async fn workspace(&self) -> Result<Arc<Workspace>, Error> {
        schema::workspace(&self.0).await
    }

    /// Discovers the schema of the workspace again, and replaces the cached one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let telecrm = telecrm::testing::FakeTelecrm::new().client();
    /// let before = telecrm.workspace().await?;
    /// // A field that is added in the dashboard now would otherwise show after 15 minutes.
    /// let after = telecrm.refresh_workspace().await?;
    /// assert_eq!(before.fields(), after.fields());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`workspace`](Self::workspace).
    pub async fn refresh_workspace(&self) -> Result<Arc<Workspace>, Error> {
        schema::refresh_workspace(&self.0).await
    }

    /// Returns a clone of this client with other timeouts and retries.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use telecrm::{CallOptions, Operation};
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let fake = FakeTelecrm::new().always(Operation::GetLead, Response::timeout());
    /// # let telecrm = fake.client();
    ///
    /// let options = CallOptions::new().attempts(1).total_timeout(Duration::from_secs(2));
    /// let error = telecrm.with_options(options).leads().get("62ab16e").await.unwrap_err();
    /// assert!(error.is_timeout() && error.attempts() == 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self(self.0.with_options(options))
    }

    /// The timeouts and retries of this client.
    pub fn call_options(&self) -> CallOptions {
        self.0.options
    }

    /// Shuts down this client and its clones: requests in flight finish, and retries and waits
    /// stop.
    ///
    /// A request in flight is not aborted, because only its response shows whether a write
    /// succeeded. A call that waits returns at once: with the result of its last attempt, or as
    /// [stopped](Error::is_shutdown). Later calls make one attempt, if the rate limit allows it
    /// without waiting.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Operation;
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let fake = FakeTelecrm::new().always(Operation::GetLead, Response::html(502));
    /// # let telecrm = fake.client();
    ///
    /// telecrm.shutdown();
    /// let error = telecrm.leads().get("62ab16e").await.unwrap_err();
    /// assert_eq!((error.attempts(), error.status_code()), (1, Some(502)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&self) {
        self.0.shutdown.begin();
    }

    /// Returns the state of the rate limit of each Async token, in the order of the builder.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::{Lead, RateLimit};
    /// # use telecrm::{Operation, testing::{Response, FakeTelecrm}};
    /// # let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued());
    /// # let builder = fake.builder();
    /// let telecrm = builder.async_limit(Some(RateLimit::ASYNC)).build()?;
    /// assert_eq!(telecrm.async_limits()[0].remaining, Some(60));
    ///
    /// let receipt = telecrm.ingest().push(&Lead::new().set("phone", "919999999999")).await?;
    /// assert_eq!(telecrm.async_limits()[0].remaining, Some(59));
    /// # assert_eq!(telecrm.sync_limit().and_then(|limit| limit.remaining), None);
    /// # drop(receipt);
    /// # Ok(())
    /// # }
    /// ```
    pub fn async_limits(&self) -> Vec<LimitState> {
        let api = self.0.ingest.as_ref();
        api.map_or_else(Vec::new, |api| api.connection.transport.limits())
    }

    /// Returns the state of the rate limit of the Sync token, or `None` without a token.
    ///
    /// ```
    /// use std::time::Duration;
    /// use telecrm::Telecrm;
    ///
    /// let telecrm = Telecrm::builder("enterprise-id")
    ///     .sync_token(telecrm::SyncToken::new("0f1e2d3c")?)
    ///     .build()?;
    /// let state = telecrm.sync_limit().expect("a Sync token");
    /// assert_eq!((state.remaining, state.next_free_in), (Some(600), Duration::ZERO));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sync_limit(&self) -> Option<LimitState> {
        let api = self.0.sync.as_ref()?;
        api.connection.transport.limits().into_iter().next()
    }

    /// The generated clients, with this client's tokens, limits and retries. See
    /// [`raw`](crate::raw).
    pub fn raw(&self) -> Raw<'_> {
        Raw(&self.0)
    }

    /// Creates a request to an endpoint that no method covers, with this client's token, limits and
    /// retries.
    ///
    /// ```
    /// # async fn run() -> Result<(), telecrm::Error> {
    /// use telecrm::Method;
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let response = Response::json(serde_json::json!({ "total": 3 }));
    /// # let fake = FakeTelecrm::new().on_request(response);
    /// # let telecrm = fake.client();
    /// let reply = telecrm
    ///     .request(Method::Get, "/reports/calls")
    ///     .query("from", "2026-06-01")
    ///     .send()
    ///     .await?;
    /// assert_eq!(reply.json()?["total"], 3);
    /// # assert_eq!(fake.requests()[0].path(), "/reports/calls");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        Request::new(self.0.clone(), method, path.into())
    }

    /// How long ago the workspace was discovered that [`workspace`](Self::workspace) returns at the
    /// moment. Returns `None` if none was discovered yet.
    ///
    /// It is discovered again after 15 minutes. If telecrm cannot be reached then, the old one
    /// stays in use and grows older.
    pub fn workspace_age(&self) -> Option<Duration> {
        self.0.workspace.age(self.0.clock.now())
    }

    /// Asks whether enterprise, tokens and hosts are right. Sends one request to the Sync API, and
    /// after a 401 one more, to see whether the two tokens are swapped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// let report = telecrm.ping().probe_async().await;
    /// assert!(report.is_ok(), "{report:#}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn ping(&self) -> Ping {
        Ping::new(self.0.clone())
    }

    /// Creating, reading, updating and finding leads, over the Sync API.
    pub fn leads(&self) -> Leads {
        Leads(self.0.clone())
    }

    /// Team members, over the Sync API.
    pub fn team_members(&self) -> TeamMembers {
        TeamMembers { handle: self.0.clone(), with_deleted: false }
    }

    /// The schema of the workspace, endpoint by endpoint, over the Sync API.
    pub fn schema(&self) -> Schema {
        Schema(self.0.clone())
    }

    /// Pushing leads over the Async API, and reading them back over the Sync API.
    pub fn ingest(&self) -> Ingest {
        Ingest(self.0.clone())
    }
}

/// The generated clients of a [`Telecrm`]. From [`Telecrm::raw`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client();
/// # use telecrm::Lead;
/// # let lead = telecrm.leads().create(&Lead::new().set("phone", "919999999999")).await?;
/// # let lead_id = &lead.complete()?.lead_id;
/// use telecrm::raw::sync::parameters::GetLead;
///
/// let raw = telecrm.raw();
/// let enterprise_id = raw.enterprise_id()?;
/// let newest =
///     GetLead { enterprise_id, lead_id, include_actions: Some(true), limit: Some(5), skip: None };
/// let lead = raw.sync()?.get_lead(newest).await?;
/// assert_eq!(lead.actions.as_ref().map_or(0, Vec::len), 0);
/// # let _ = raw.ingest()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(&'a Handle);

impl Raw<'_> {
    /// Creates the generated client of the Sync API.
    ///
    /// # Errors
    /// Returns an error without a Sync token.
    pub fn sync(&self) -> Result<raw::sync::Client, Error> {
        let connection = &self.0.sync_api()?.connection;
        Ok(connection.generated(raw::sync::Client::new_with_client, self.0.options))
    }

    /// Creates the generated client of the Async API.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::raw::ingest::parameters::CreateOrUpdateLead;
    /// use telecrm::raw::ingest::types::CreateOrUpdateLeadBody;
    ///
    /// let lead = serde_json::json!({ "fields": { "phone": "919999999999" } });
    /// let body: CreateOrUpdateLeadBody = serde_json::from_value(lead)?;
    /// let raw = telecrm.raw();
    /// let push = CreateOrUpdateLead { enterprise_id: raw.enterprise_id()?, body: &body };
    /// let answer = raw.ingest()?.create_or_update_lead(push).await?;
    /// assert_eq!(answer.status.as_ref().map(|status| status.as_str()), Some("QUEUED"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error without an Async token.
    pub fn ingest(&self) -> Result<raw::ingest::Client, Error> {
        let connection = &self.0.async_api()?.connection;
        Ok(connection.generated(raw::ingest::Client::new_with_client, self.0.options))
    }

    /// Returns the enterprise ID, which every generated method needs. Do not log it.
    ///
    /// # Errors
    /// Returns an error without any token.
    pub fn enterprise_id(&self) -> Result<&str, Error> {
        let sync = self.0.sync.as_ref().map(|api| &api.connection);
        let ingest = self.0.ingest.as_ref().map(|api| &api.connection);
        let connection = sync.or(ingest).ok_or_else(|| missing_token("a token"))?;
        Ok(&connection.enterprise)
    }
}
