//! The client and how it is made.

use crate::api::calls::{AsyncEndpoint, Caller, Endpoint, SyncEndpoint};
use crate::clock::{Clock, SystemClock};
use crate::raw::generated::{ingest, sync};
use crate::transport::write_order::WriteOrder;
use crate::transport::{
    Backend, CallOptions, CallReport, Observer, Settings, Stop, Transport, authorization,
};
use crate::{
    AsyncToken, Error, Ingest, Leads, LimitState, Method, RateLimit, Request, Schema, SyncToken,
    TeamMembers, raw, workspace_cache,
};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use telecrm_core::{Country, Workspace};

/// The Sync API's base URL.
///
/// ```
/// use telecrm::{ASYNC_URL, SYNC_URL, Telecrm};
///
/// // What a builder starts with; both are https.
/// assert!(SYNC_URL.ends_with("/autoupdate/v2"));
/// let telecrm = Telecrm::builder("enterprise-id").sync_url(SYNC_URL).async_url(ASYNC_URL).build()?;
/// # Ok::<(), telecrm::Error>(())
/// ```
pub const SYNC_URL: &str = "https://next.telecrm.in/autoupdate/v2";

/// The Async API's base URL.
pub const ASYNC_URL: &str = "https://next-api.telecrm.in";

/// A client of one workspace. Cloning it is free, and clones share connections, limits and what was discovered. Calls need a
/// tokio runtime with I/O and time.
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
/// let lead = workspace.check(&lead).complete()?;
/// let receipt = telecrm.ingest().push(&lead).await?;
/// let verdict = telecrm.ingest().verify(&receipt).await?;
/// assert!(matches!(verdict, Verification::Stored(_)));
///
/// // The rest of both APIs:
/// assert_eq!(telecrm.leads().count(&telecrm::Filter::new()).await?, 1);
/// assert_eq!(telecrm.team_members().stream(false).collect().await?.len(), 2);
/// assert_eq!(telecrm.schema().metadata().await?.name(), Some("Acme Corporation"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Telecrm {
    shared: Arc<Shared>,
    options: CallOptions,
}

pub(crate) struct Shared {
    pub(crate) sync: Option<SyncEndpoint>,
    pub(crate) ingest: Option<AsyncEndpoint>,
    pub(crate) workspace: workspace_cache::Cache,
    pub(crate) verify_timeout: Duration,
    pub(crate) write_order: WriteOrder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: Stop,
}

impl Telecrm {
    /// Starts a client of the workspace with this enterprise ID (dashboard: Settings, Website and API).
    pub fn builder(enterprise_id: impl Into<String>) -> Builder {
        Builder {
            enterprise_id: enterprise_id.into(),
            sync_token: None,
            async_tokens: Vec::new(),
            sync_url: SYNC_URL.to_owned(),
            async_url: ASYNC_URL.to_owned(),
            http: reqwest::ClientBuilder::new(),
            connect_timeout: Duration::from_secs(10),
            options: CallOptions::new(),
            clock: Arc::new(SystemClock),
            observer: Observer::default(),
            backend: Backend::Http,
            verify_timeout: Duration::from_secs(30),
            sync_limit: Some(RateLimit::SYNC),
            async_limit: Some(RateLimit::ASYNC),
            allow_http: false,
            default_country: None,
            time_zone: None,
        }
    }

    /// The workspace's schema: discovered at the first call, kept for 15 minutes.
    ///
    /// # Errors
    /// If one of the four requests fails, or an answer cannot be understood. Calls that come while it is being discovered wait for
    /// that, each no longer than its own [time](CallOptions::total_timeout): then nothing was sent for it, and it can be repeated.
    pub async fn workspace(&self) -> Result<Arc<Workspace>, Error> {
        self.shared.workspace.get(self, false).await
    }

    /// The workspace's schema, discovered anew.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let telecrm = telecrm::testing::FakeTelecrm::new().client();
    /// let before = telecrm.workspace().await?;
    /// // Somebody adds a field in the dashboard; this client would see it after 15 minutes.
    /// let after = telecrm.refresh_workspace().await?;
    /// assert_eq!(before.fields(), after.fields());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`workspace`](Self::workspace).
    pub async fn refresh_workspace(&self) -> Result<Arc<Workspace>, Error> {
        self.shared.workspace.get(self, true).await
    }

    /// The same client, calling by these options.
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
    /// let hasty = telecrm.with_options(CallOptions::new().attempts(1).total_timeout(Duration::from_secs(2)));
    /// let error = hasty.leads().get("62ab16e").await.unwrap_err();
    /// assert!(error.is_timeout() && error.attempts() == 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self {
            options,
            ..self.clone()
        }
    }

    pub(crate) fn options(&self) -> CallOptions {
        self.options
    }

    /// The same client, for the requests of one call.
    pub(crate) fn in_one_call(&self) -> Self {
        self.with_options(self.options.in_one_call(self.shared.clock.now()))
    }

    /// The same client, with calls of at most this time, or of one attempt.
    pub(crate) fn for_at_most(&self, time: Duration) -> Self {
        let options = self.options;
        let time = time.max(options.attempt_timeout);
        self.with_options(options.total_timeout(time.min(options.total_timeout)))
    }

    /// From now on nothing is sent again and nothing waits, in this client and its clones: for an orderly shutdown.
    ///
    /// Calls under way finish the attempt that they are at, whose answer alone tells what became of a write; those that wait end at once,
    /// with what their last attempt brought or as [stopped](Error::is_stopped). Calls made later have one attempt, if the
    /// rate limit lets it leave at once.
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
        self.shared.stop.set();
    }

    /// How far the limits of the Async tokens are used up, in the order in which they were given.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::{Lead, RateLimit};
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let fake = FakeTelecrm::new().always(telecrm::Operation::CreateOrUpdateLead, Response::queued());
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
        let endpoint = self.shared.ingest.as_ref();
        endpoint.map_or_else(Vec::new, |endpoint| endpoint.transport().limits())
    }

    /// How far the limit of the Sync token is used up; nothing without one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use telecrm::Telecrm;
    ///
    /// let telecrm = Telecrm::builder("enterprise-id")
    ///     .sync_token(telecrm::SyncToken::new("0f1e2d3c")?)
    ///     .build()?;
    /// let state = telecrm.sync_limit().expect("there is a Sync token");
    /// assert_eq!((state.remaining, state.next_free_in), (Some(600), Duration::ZERO));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sync_limit(&self) -> Option<LimitState> {
        let endpoint = self.shared.sync.as_ref()?;
        endpoint.transport().limits().into_iter().next()
    }

    /// The generated clients, with this client's tokens, limits and retries. See [`raw`](crate::raw).
    pub fn raw(&self) -> Raw<'_> {
        Raw(self)
    }

    /// A request that no method covers, with this client's token, limits and retries: see [`Request`].
    ///
    /// ```
    /// # async fn run() -> Result<(), telecrm::Error> {
    /// use telecrm::Method;
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let fake = FakeTelecrm::new().on_request(Response::json(serde_json::json!({ "total": 3 })));
    /// # let telecrm = fake.client();
    /// let reply = telecrm
    ///     .request(Method::Get, "/reports/calls")
    ///     .query("from", "2026-06-01")
    ///     .send()
    ///     .await?;
    /// assert_eq!(reply.json()?["total"], 3);
    /// # assert_eq!(fake.sent()[0].path(), "/reports/calls");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        Request::new(self.clone(), method, path.into())
    }

    /// Single leads, over the Sync API.
    pub fn leads(&self) -> Leads {
        Leads(self.clone())
    }

    /// Team members.
    pub fn team_members(&self) -> TeamMembers {
        TeamMembers(self.clone())
    }

    /// What the workspace says of itself, endpoint by endpoint.
    pub fn schema(&self) -> Schema {
        Schema(self.clone())
    }

    /// Pushing leads over the Async API, and reading them back.
    pub fn ingest(&self) -> Ingest {
        Ingest(self.clone())
    }
}

impl Telecrm {
    pub(crate) fn sync(&self) -> Result<Caller<'_, sync::Client>, Error> {
        match &self.shared.sync {
            Some(endpoint) => Ok(endpoint.with(self.options)),
            None => Err(Error::config(
                "this call needs a Sync token: give the builder one",
            )),
        }
    }

    pub(crate) fn async_api(&self) -> Result<Caller<'_, ingest::Client>, Error> {
        match &self.shared.ingest {
            Some(endpoint) => Ok(endpoint.with(self.options)),
            None => Err(Error::config(
                "this call needs an Async token: give the builder one",
            )),
        }
    }

    /// The API name of the lead identifier, if the workspace is known.
    pub(crate) fn identifier(&self) -> Option<String> {
        let workspace = self.shared.workspace.known()?;
        Some(workspace.identifier().api_name().to_owned())
    }

    /// The country of numbers without a country code.
    pub(crate) fn default_country(&self) -> Country {
        self.shared.workspace.country().unwrap_or_default()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// Without tokens and enterprise ID.
impl fmt::Debug for Telecrm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telecrm")
            .field("sync", &self.shared.sync.is_some())
            .field("async", &self.shared.ingest.is_some())
            .finish_non_exhaustive()
    }
}

/// The generated clients of a [`Telecrm`]. From [`Telecrm::raw`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
/// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
/// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
/// #     .sync_url(emulator.sync_url())
/// #     .async_url(emulator.async_url())
/// #     .build()?;
/// # use telecrm::Lead;
/// # let lead = telecrm.leads().create(&Lead::new().set("phone", "919999999999")).await?;
/// # let lead_id = &lead.complete()?.lead_id;
/// let raw = telecrm.raw();
/// let lead = raw.sync()?.get_lead(raw.enterprise_id()?, lead_id, Some(true), Some(5), None).await?;
/// assert_eq!(lead.actions.as_ref().map_or(0, Vec::len), 0);
/// # let _ = raw.ingest()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(&'a Telecrm);

impl Raw<'_> {
    /// The generated client of the Sync API.
    ///
    /// # Errors
    /// If there is no Sync token.
    pub fn sync(&self) -> Result<raw::sync::Client, Error> {
        Ok(self.0.sync()?.raw(raw::sync::Client::new_with_client))
    }

    /// The generated client of the Async API.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
    /// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
    /// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
    /// #     .sync_url(emulator.sync_url())
    /// #     .async_url(emulator.async_url())
    /// #     .build()?;
    /// use telecrm::raw::ingest::types::CreateOrUpdateLeadBody;
    ///
    /// let lead = serde_json::json!({ "fields": { "phone": "919999999999" } });
    /// let body: CreateOrUpdateLeadBody = serde_json::from_value(lead)?;
    /// let raw = telecrm.raw();
    /// let answer = raw.ingest()?.create_or_update_lead(raw.enterprise_id()?, &body).await?;
    /// assert_eq!(answer.status.as_ref().map(|status| status.as_str()), Some("QUEUED"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no Async token.
    pub fn ingest(&self) -> Result<raw::ingest::Client, Error> {
        Ok(self
            .0
            .async_api()?
            .raw(raw::ingest::Client::new_with_client))
    }

    /// The enterprise ID, which every generated call wants. Do not log it.
    ///
    /// # Errors
    /// If there is no token at all.
    pub fn enterprise_id(&self) -> Result<&str, Error> {
        let shared = &self.0.shared;
        let sync = shared.sync.as_ref().map(Endpoint::enterprise);
        sync.or_else(|| shared.ingest.as_ref().map(Endpoint::enterprise))
            .ok_or_else(|| Error::config("this call needs a token: give the builder one"))
    }
}

/// Settings of a [`Telecrm`].
///
/// ```
/// use std::time::Duration;
/// use telecrm::{AsyncToken, CallOptions, RateLimit, SyncToken, Telecrm};
///
/// let telecrm = Telecrm::builder("enterprise-id")
///     .sync_token(SyncToken::new("0f1e2d3c")?)
///     .async_token(AsyncToken::new("4b5a6978")?)
///     .async_token(AsyncToken::new("8796a5b4")?) // used in turn with the first
///     .connect_timeout(Duration::from_secs(5))
///     .call_options(CallOptions::new().attempts(5))
///     .verify_timeout(Duration::from_secs(60))
///     .sync_limit(Some(RateLimit::new(1_200, 60))) // other programs use this token too
///     .async_limit(Some(RateLimit::ASYNC))
///     .default_country("AE")
///     .time_zone(jiff::tz::TimeZone::get("Asia/Dubai")?)
///     .build()?;
/// assert_eq!(telecrm.async_limits().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Builder {
    enterprise_id: String,
    sync_token: Option<SyncToken>,
    async_tokens: Vec<AsyncToken>,
    sync_url: String,
    async_url: String,
    http: reqwest::ClientBuilder,
    connect_timeout: Duration,
    options: CallOptions,
    clock: Arc<dyn Clock>,
    observer: Observer,
    backend: Backend,
    verify_timeout: Duration,
    sync_limit: Option<RateLimit>,
    async_limit: Option<RateLimit>,
    allow_http: bool,
    default_country: Option<String>,
    time_zone: Option<jiff::tz::TimeZone>,
}

impl Builder {
    /// The token for everything but pushing.
    pub fn sync_token(mut self, token: SyncToken) -> Self {
        self.sync_token = Some(token);
        self
    }

    /// A token for pushing; up to three may be given, which are used in turn, each within its own limit. One that the server
    /// refuses is set aside as long as there is another: see [`Telecrm::async_limits`].
    pub fn async_token(mut self, token: AsyncToken) -> Self {
        self.async_tokens.push(token);
        self
    }

    /// The Sync API's base URL, with `/autoupdate/v2` (pitfall TR1). [`SYNC_URL`] unless set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// use telecrm::{SyncToken, Telecrm};
    ///
    /// // The emulator, or a proxy of yours.
    /// let telecrm = Telecrm::builder(emulator.enterprise())
    ///     .sync_token(SyncToken::new(emulator.sync_token())?)
    ///     .sync_url(emulator.sync_url())
    ///     .async_url(emulator.async_url())
    ///     .build()?;
    /// assert!(telecrm.schema().pipeline().await?.statuses.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn sync_url(mut self, url: impl Into<String>) -> Self {
        self.sync_url = url.into();
        self
    }

    /// The Async API's base URL. [`ASYNC_URL`] unless set.
    pub fn async_url(mut self, url: impl Into<String>) -> Self {
        self.async_url = url.into();
        self
    }

    /// What reqwest offers beyond the settings here: proxies, root certificates, DNS. Redirects, `https` only and
    /// timeouts are set by this builder, whatever is set there.
    ///
    /// ```
    /// use telecrm::Telecrm;
    ///
    /// let http = reqwest::ClientBuilder::new().proxy(reqwest::Proxy::all("http://proxy.example.com:3128")?);
    /// let telecrm = Telecrm::builder("enterprise-id").http(http).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = http;
        self
    }

    /// How long to wait for a connection; 10 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How calls wait and repeat unless told otherwise: three attempts of at most 30 s each, within 90 s.
    pub fn call_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Where the client takes the time from; the machine's clock unless set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use telecrm::testing::ManualClock;
    /// use telecrm::Telecrm;
    ///
    /// let clock = ManualClock::new();
    /// let telecrm = Telecrm::builder("enterprise-id").clock(clock.clone()).build()?;
    /// // What the client waits for is over at once, and told:
    /// assert_eq!(clock.slept(), Duration::ZERO);
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Whom to tell of every call when it is over, for metrics. Called in the course of the call, so it should be quick.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// # async fn run() -> Result<(), telecrm::Error> {
    /// let requests = Arc::new(AtomicU32::new(0));
    /// let counter = requests.clone();
    /// # let fake = telecrm::testing::FakeTelecrm::new();
    /// # let builder = fake.builder();
    /// let telecrm = builder
    ///     .on_call(move |report| _ = counter.fetch_add(report.attempts, Ordering::Relaxed))
    ///     .build()?;
    /// telecrm.workspace().await?;
    /// assert_eq!(requests.load(Ordering::Relaxed), 4);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn on_call(mut self, observer: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// Sends nothing, and answers by a script.
    #[cfg(feature = "testing")]
    pub(crate) fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// How long [`Ingest::verify`] looks for a lead; 30 s unless set. A look that began in time may take one attempt longer.
    pub fn verify_timeout(mut self, timeout: Duration) -> Self {
        self.verify_timeout = timeout;
        self
    }

    /// The limit of requests to the Sync API; [`RateLimit::SYNC`] unless set, none with `None`.
    pub fn sync_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.sync_limit = limit;
        self
    }

    /// The limit of requests to the Async API; [`RateLimit::ASYNC`] unless set, none with `None`.
    pub fn async_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.async_limit = limit;
        self
    }

    /// Allows `http:` beyond this machine. Tokens then cross the network in the clear.
    ///
    /// ```
    /// use telecrm::{SyncToken, Telecrm};
    ///
    /// let builder = || {
    ///     Telecrm::builder("enterprise-id")
    ///         .sync_token(SyncToken::new("0f1e2d3c").expect("a token"))
    ///         .sync_url("http://telecrm.internal/autoupdate/v2")
    /// };
    /// assert!(builder().build().is_err());
    /// assert!(builder().allow_http(true).build().is_ok());
    /// ```
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// The country of phone numbers without a country code, by its ISO 3166 code, as the workspace's settings have it: any with the
    /// feature `phone`, else one of those that [`Country`] knows.
    ///
    /// With it, [checking](Workspace::check) a lead writes national numbers with their country code; what is not checked is sent as it is.
    /// Unless it is set, `IN` is taken for it in judging numbers, but none is rewritten, since a guessed code could make another number of it.
    pub fn default_country(mut self, code: impl Into<String>) -> Self {
        self.default_country = Some(code.into());
        self
    }

    /// The zone in which telecrm reads date strings; `Asia/Kolkata` unless set.
    pub fn time_zone(mut self, zone: jiff::tz::TimeZone) -> Self {
        self.time_zone = Some(zone);
        self
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// If the enterprise ID cannot stand in a path, a base URL is not one or not `https`, the default country is not one that is
    /// known here, or the TLS library refuses to start.
    pub fn build(self) -> Result<Telecrm, Error> {
        let enterprise = check_enterprise_id(&self.enterprise_id)?;
        check_tls()?;
        let default_country = self
            .default_country
            .map(|code| code.parse::<Country>())
            .transpose()
            .map_err(|error| Error::config(format!("default country: {error}")))?;
        let http = self
            .http
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.connect_timeout)
            .timeout(self.options.attempt_timeout)
            .user_agent(concat!("telecrm-rust/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                Error::config(format!(
                    "the HTTP client could not be made: {}",
                    error.without_url()
                ))
            })?;
        if self.async_tokens.len() > MOST_TOKENS {
            return Err(Error::config(format!(
                "there are more than {MOST_TOKENS} Async tokens, and a workspace has no more"
            )));
        }
        let tokens: Vec<&str> = self.async_tokens.iter().map(AsyncToken::expose).collect();
        let sync_token = self.sync_token.iter().map(SyncToken::expose);
        let secrets: Vec<String> = sync_token
            .chain(tokens.iter().copied())
            .chain([enterprise.as_str()])
            .map(str::to_owned)
            .collect();
        let stop = Stop::default();
        let settings = Settings {
            backend: self.backend,
            timeout: self.options.attempt_timeout,
            observer: self.observer,
            clock: self.clock.clone(),
            stop: stop.clone(),
        };
        let transport = |tokens: &[&str], limit| {
            let mut authorizations = Vec::new();
            for token in tokens {
                let reason = "a token holds characters that no header can carry";
                authorizations.push(authorization(token).map_err(|_| Error::config(reason))?);
            }
            Ok(Transport::new(
                authorizations,
                secrets.clone(),
                limit,
                settings.clone(),
            ))
        };
        let sync = match &self.sync_token {
            Some(token) => Some(Endpoint::new(
                sync::Client::new_with_client,
                check_base_url("Sync", &self.sync_url, self.allow_http)?,
                http.clone(),
                enterprise.clone(),
                transport(&[token.expose()], self.sync_limit)?,
            )),
            None => None,
        };
        let ingest = match tokens.is_empty() {
            false => Some(Endpoint::new(
                ingest::Client::new_with_client,
                check_base_url("Async", &self.async_url, self.allow_http)?,
                http,
                enterprise,
                transport(&tokens, self.async_limit)?,
            )),
            true => None,
        };
        Ok(Telecrm {
            options: self.options,
            shared: Arc::new(Shared {
                sync,
                ingest,
                workspace: workspace_cache::Cache::new(default_country, self.time_zone),
                verify_timeout: self.verify_timeout,
                write_order: WriteOrder::default(),
                clock: self.clock,
                stop,
            }),
        })
    }
}

/// With rustls but without a provider of cryptography reqwest would panic.
fn check_tls() -> Result<(), Error> {
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config(
            "rustls has no provider: install one with `CryptoProvider::install_default`, or enable the feature `rustls`",
        ));
    }
    Ok(())
}

/// A workspace has at most three tokens of each type.
const MOST_TOKENS: usize = 3;

/// Without tokens and enterprise ID.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

/// IDs have no documented shape, so only what cannot be a path segment is refused.
fn check_enterprise_id(id: &str) -> Result<String, Error> {
    let id = id.trim();
    if id.is_empty() {
        return Err(Error::config("the enterprise ID is empty"));
    }
    if matches!(id, "." | "..") || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::config(
            "the enterprise ID is not one: was it copied whole, and alone?",
        ));
    }
    // Seen in the wild: a token pasted into the ID's field. Tokens have a colon, IDs do not.
    if id.contains(':') {
        return Err(Error::config(
            "the enterprise ID has a colon in it: is it a token?",
        ));
    }
    Ok(id.to_owned())
}

fn check_base_url(which: &str, url: &str, allow_http: bool) -> Result<String, Error> {
    let parsed = reqwest::Url::parse(url.trim())
        .map_err(|error| Error::config(format!("the {which} base URL is not a URL: {error}")))?;
    let host = parsed.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match parsed.scheme() {
        "https" => {}
        "http" if loopback || allow_http => {}
        "http" => {
            return Err(Error::config(format!(
                "the {which} base URL is not https: tokens would cross the network in the clear"
            )));
        }
        _ => {
            return Err(Error::config(format!(
                "the {which} base URL is neither https nor http"
            )));
        }
    }
    let has_login = !parsed.username().is_empty() || parsed.password().is_some();
    if parsed.query().is_some() || parsed.fragment().is_some() || has_login {
        return Err(Error::config(format!(
            "the {which} base URL has more than a host and a path"
        )));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn build(enterprise: &str, url: &str) -> Result<Telecrm, String> {
        Telecrm::builder(enterprise)
            .sync_token(SyncToken::new("s3cret").expect("a token"))
            .sync_url(url)
            .build()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn base_urls_are_https_except_on_this_machine() {
        for url in [
            SYNC_URL,
            "http://127.0.0.1:4010/autoupdate/v2/",
            "http://localhost:4010",
            "http://[::1]:4010",
        ] {
            assert!(build("ent", url).is_ok(), "{url}");
        }
        for (url, reason) in [
            ("http://next.telecrm.in", "not https"),
            ("ftp://next.telecrm.in", "neither https nor http"),
            ("next.telecrm.in", "not a URL"),
            ("https://next.telecrm.in?x=1", "more than a host and a path"),
            (
                "https://:s3cret@next.telecrm.in",
                "more than a host and a path",
            ),
        ] {
            let error = build("ent", url).expect_err("refused");
            assert!(error.contains(reason), "{url}: {error}");
        }
    }

    #[test]
    fn enterprise_ids_stay_within_their_segment() {
        for id in ["", "  ", "..", ".", "a b", "uuid-1234567890123:uuid"] {
            let error = build(id, SYNC_URL).expect_err("refused");
            assert!(error.contains("enterprise ID"), "{id}: {error}");
        }
    }

    #[test]
    fn a_country_that_is_not_known_is_refused_at_once() {
        let build = |code: &str| {
            let builder = Telecrm::builder("ent").default_country(code);
            builder.build().map_err(|error| error.to_string())
        };
        assert!(build("AE").is_ok() && build("in").is_ok());
        #[cfg(feature = "phone")]
        assert!(build("GB").is_ok());
        for code in ["XX", "001", "India", ""] {
            let error = build(code).expect_err("refused");
            assert!(error.contains("default country"), "{code}: {error}");
        }
    }

    #[test]
    fn a_workspace_has_no_more_than_three_tokens_of_a_type() {
        let build = |count: usize| {
            let tokens = (0..count).map(|number| format!("async-{number}"));
            let with = |builder: Builder, token: String| {
                builder.async_token(AsyncToken::new(&token).expect("a token"))
            };
            let builder = tokens.fold(Telecrm::builder("ent"), with);
            builder.build().map_err(|error| error.to_string())
        };
        assert_eq!(build(3).expect("builds").async_limits().len(), 3);
        let error = build(4).expect_err("refused");
        assert!(error.contains("more than 3 Async tokens"), "{error}");
    }

    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    #[test]
    fn without_a_provider_of_cryptography_there_is_an_error_and_no_panic() {
        let error = build("ent", SYNC_URL).expect_err("refused");
        assert!(error.contains("install_default"), "{error}");
    }

    #[cfg(not(any(
        feature = "rustls",
        feature = "native-tls",
        feature = "rustls-no-provider"
    )))]
    #[tokio::test]
    async fn without_tls_the_error_names_the_features() {
        let telecrm = build("ent", "https://localhost:9").expect("builds");
        let once = telecrm.with_options(CallOptions::new().attempts(1));
        let error = once.schema().metadata().await.expect_err("refused");
        assert!(error.to_string().contains("`native-tls`"), "{error}");
        assert!(!error.is_transient() && !error.is_outcome_unknown());
    }

    #[test]
    fn outside_a_runtime_calls_are_errors_and_no_panics() {
        let telecrm = build("ent", SYNC_URL).expect("builds");
        let call = pin!(telecrm.workspace());
        let Poll::Ready(Err(error)) = call.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing can be waited for");
        };
        assert!(error.to_string().contains("tokio runtime"), "{error}");
        assert!(!error.is_transient() && !error.is_outcome_unknown());
    }

    #[test]
    fn nothing_secret_prints() {
        let builder = Telecrm::builder("ent-s3cret")
            .sync_token(SyncToken::new("tok-s3cret").expect("a token"));
        assert!(!format!("{builder:?}").contains("s3cret"));
        assert!(!format!("{:?}", builder.build().expect("builds")).contains("s3cret"));
    }
}
