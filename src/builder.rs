//! The settings of a client, and how they become one.

use crate::clock::{Clock, SystemClock};
use crate::handle::{Api, Connection, Handle, LeadsPerSearch, Shared};
use crate::raw::generated::{ingest, sync};
use crate::raw::runtime::print_names_only;
use crate::transport::gate::Gate;
use crate::transport::write_order::WriteOrder;
use crate::transport::{
    Backend, CallOptions, CallReport, Http, Observer, Settings, Shutdown, SlotEvent, SlotObserver,
    TokenSlots, Transport, authorization,
};
use crate::workspace_cache::WorkspaceCache;
use crate::{AsyncToken, Error, RateLimit, SyncToken, Telecrm};
use jiff::tz::TimeZone;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use telecrm_core::{Country, Workspace};

/// The base URL of the Sync API, and the default of [`Builder::sync_url`].
///
/// ```
/// use telecrm::{ASYNC_URL, SYNC_URL, Telecrm};
///
/// assert!(SYNC_URL.ends_with("/autoupdate/v2"));
/// let builder = Telecrm::builder("enterprise-id");
/// let telecrm = builder.sync_url(SYNC_URL).async_url(ASYNC_URL).build()?;
/// # Ok::<(), telecrm::Error>(())
/// ```
pub const SYNC_URL: &str = "https://next.telecrm.in/autoupdate/v2";

/// The base URL of the Async API, and the default of [`Builder::async_url`].
pub const ASYNC_URL: &str = "https://next-api.telecrm.in";

/// A workspace has at most three tokens of each type.
const MAX_TOKENS: usize = 3;

/// The settings of a [`Telecrm`]. From [`Telecrm::builder`] or [`Builder::from_env`].
///
/// ```
/// use std::time::Duration;
/// use telecrm::{AsyncToken, CallOptions, RateLimit, SyncToken, Telecrm};
///
/// let telecrm = Telecrm::builder("enterprise-id")
///     .sync_token(SyncToken::new("0f1e2d3c")?)
///     .async_token(AsyncToken::new("4b5a6978")?)
///     .async_token(AsyncToken::new("8796a5b4")?) // alternates with the first
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
    http: Option<reqwest::ClientBuilder>,
    app_name: Option<String>,
    connect_timeout: Duration,
    options: CallOptions,
    clock: Arc<dyn Clock>,
    observer: Observer,
    slot_observer: SlotObserver,
    backend: Arc<dyn Backend>,
    verify_timeout: Duration,
    sync_limit: Option<RateLimit>,
    async_limit: Option<RateLimit>,
    sync_gate: Option<Arc<dyn Gate>>,
    async_gate: Option<Arc<dyn Gate>>,
    allow_http: bool,
    workspace: Option<Workspace>,
    default_country: Option<String>,
    time_zone: Option<TimeZone>,
}

impl Telecrm {
    /// Starts a builder for the workspace with this enterprise ID (dashboard: Settings, Website and
    /// API).
    pub fn builder(enterprise_id: impl Into<String>) -> Builder {
        Builder {
            enterprise_id: enterprise_id.into(),
            sync_token: None,
            async_tokens: Vec::new(),
            sync_url: SYNC_URL.to_owned(),
            async_url: ASYNC_URL.to_owned(),
            http: None,
            app_name: None,
            connect_timeout: Duration::from_secs(10),
            options: CallOptions::new(),
            clock: Arc::new(SystemClock),
            observer: Observer::default(),
            slot_observer: SlotObserver::default(),
            backend: Arc::new(Http),
            verify_timeout: Duration::from_secs(30),
            sync_limit: Some(RateLimit::SYNC),
            async_limit: Some(RateLimit::ASYNC),
            sync_gate: None,
            async_gate: None,
            allow_http: false,
            workspace: None,
            default_country: None,
            time_zone: None,
        }
    }
}

impl Builder {
    /// Sets the token of type Sync, for all calls except pushing.
    pub fn sync_token(mut self, token: SyncToken) -> Self {
        self.sync_token = Some(token);
        self
    }

    /// Adds a token of type Async, for pushing.
    ///
    /// Up to three tokens alternate, each within its own rate limit. A token that is given twice
    /// counts once. A token that the server refuses (401) is not used for ten minutes while another
    /// one works, and a token with too many requests (429) is not used as long as the server asks:
    /// see [`Telecrm::async_limits`].
    ///
    /// Two clients do not know of each other's requests. Give each client tokens of its own, or a
    /// part of the [limit](Self::async_limit).
    pub fn async_token(mut self, token: AsyncToken) -> Self {
        if !self.async_tokens.contains(&token) {
            self.async_tokens.push(token);
        }
        self
    }

    /// Adds several tokens, as [`async_token`](Self::async_token) does.
    pub fn async_tokens(self, tokens: impl IntoIterator<Item = AsyncToken>) -> Self {
        tokens.into_iter().fold(self, Self::async_token)
    }

    /// Sets the base URL of the Sync API, with `/autoupdate/v2` (TR1). The default is [`SYNC_URL`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// use telecrm::{SyncToken, Telecrm};
    ///
    /// // The emulator, or a proxy of your own.
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

    /// Sets the base URL of the Async API. The default is [`ASYNC_URL`].
    pub fn async_url(mut self, url: impl Into<String>) -> Self {
        self.async_url = url.into();
        self
    }

    /// Sets the HTTP client, for what this builder does not cover: proxies, root certificates, DNS.
    ///
    /// This builder overrides its redirect policy, timeouts, user agent, and retries, because the
    /// client retries by itself and counts its attempts. Without this method, the proxy variables
    /// of the environment apply to all hosts except those of the machine itself.
    ///
    /// ```
    /// use telecrm::Telecrm;
    ///
    /// let proxy = reqwest::Proxy::all("http://proxy.example.com:3128")?;
    /// let http = reqwest::ClientBuilder::new().proxy(proxy);
    /// let telecrm = Telecrm::builder("enterprise-id").http(http).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(http);
        self
    }

    /// Sets the name of your program, such as `my-app/1.2`, which goes in front of the name of this
    /// crate in the header `User-Agent`.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.app_name = Some(name.into());
        self
    }

    /// Sets how long to wait for a connection. The default is 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets timeouts and retries. The default is three attempts of at most 30 s each, within 90 s.
    pub fn call_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the clock that waits, limits and deadlines use. The default is the system clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use telecrm::testing::ManualClock;
    /// use telecrm::Telecrm;
    ///
    /// let clock = ManualClock::new();
    /// let telecrm = Telecrm::builder("enterprise-id").clock(clock.clone()).build()?;
    /// // Waits of the client return at once, and the clock adds them up:
    /// assert_eq!(clock.slept(), Duration::ZERO);
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets a function to call after every call, for example to count requests. It runs within the
    /// call, so it must return quickly. If it panics, the call keeps its result.
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
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets a function to call when the server begins to refuse a token, and when it accepts the
    /// token again. It runs within a call, so it must return quickly.
    ///
    /// ```
    /// let telecrm = telecrm::Telecrm::builder("enterprise-id")
    ///     .on_slot(|event| {
    ///         if event.is_refused {
    ///             eprintln!("replace {} token {}", event.api, event.slot);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    pub fn on_slot(mut self, observer: impl Fn(&SlotEvent) + Send + Sync + 'static) -> Self {
        self.slot_observer = Some(Arc::new(observer));
        self
    }

    /// Replaces the network with scripted responses.
    #[cfg(feature = "testing")]
    pub(crate) fn backend(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = backend;
        self
    }

    /// Sets how long [`Ingest::verify`](crate::Ingest::verify) looks for a lead. The default is 30
    /// s. The last read may take one attempt longer.
    pub fn verify_timeout(mut self, timeout: Duration) -> Self {
        self.verify_timeout = timeout;
        self
    }

    /// Sets the rate limit of the Sync API, or none. The default is [`RateLimit::SYNC`].
    pub fn sync_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.sync_limit = limit;
        self
    }

    /// Sets the rate limit of each Async token, or none. The default is [`RateLimit::ASYNC`].
    pub fn async_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.async_limit = limit;
        self
    }

    /// Lets this gate decide when requests of the Sync API leave, instead of the
    /// [limit](Self::sync_limit).
    pub fn sync_gate(mut self, gate: impl Gate) -> Self {
        self.sync_gate = Some(Arc::new(gate));
        self
    }

    /// Lets this gate decide when pushes leave and with which token, instead of the
    /// [limit](Self::async_limit). See [`Gate`].
    pub fn async_gate(mut self, gate: impl Gate) -> Self {
        self.async_gate = Some(Arc::new(gate));
        self
    }

    /// Allows `http:` URLs of other machines. Tokens and leads then cross the network unencrypted.
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
    /// assert!(builder().allow_http().build().is_ok());
    /// ```
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Sets the country of phone numbers without a country code, as in the settings of the
    /// workspace.
    ///
    /// The country is an ISO 3166 code: any with the feature `phone`, otherwise one that
    /// [`Country`] knows. [Checking](telecrm_core::Workspace::check) a lead then adds the country
    /// code to national numbers. By default, numbers are checked as Indian ones, but none is
    /// rewritten.
    pub fn default_country(mut self, code: impl Into<String>) -> Self {
        self.default_country = Some(code.into());
        self
    }

    /// Sets the time zone in which telecrm reads dates. The default is `Asia/Kolkata`.
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        self.time_zone = Some(zone);
        self
    }

    /// Gives the client a workspace to check with until it has discovered one, for example from a
    /// file that [`Schema::file`](crate::Schema::file) once returned. It is used while telecrm
    /// cannot be reached, and by clients without a Sync token.
    ///
    /// Its country and time zone count, not those of this builder.
    /// [`Telecrm::workspace_age`] tells whether a discovered workspace is in use.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::{AsyncToken, Lead, Telecrm, Workspace};
    ///
    /// let telecrm = Telecrm::builder("enterprise-id")
    ///     .async_token(AsyncToken::new("0f1e2d3c4b5a")?)
    ///     .workspace(Workspace::sample())
    ///     .build()?;
    /// let workspace = telecrm.workspace().await?;
    /// assert!(workspace.check(&Lead::new().set("rating", 9)).has_losses());
    /// assert_eq!(telecrm.workspace_age(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn workspace(mut self, workspace: Workspace) -> Self {
        self.workspace = Some(workspace);
        self
    }

    /// Creates the client. Nothing is sent yet.
    ///
    /// # Errors
    /// Returns an error if the enterprise ID cannot be part of a path, a base URL is invalid or not
    /// `https`, the default country is unknown, there are more than three Async tokens, or TLS
    /// cannot be set up.
    pub fn build(self) -> Result<Telecrm, Error> {
        let enterprise = check_enterprise_id(&self.enterprise_id)?;
        let default_country = self.default_country.map(|code| code.parse::<Country>());
        let default_country = default_country
            .transpose()
            .map_err(|error| Error::config(format!("default country: {error}")))?;
        if self.async_tokens.len() > MAX_TOKENS {
            return Err(Error::config(format!("there are more than {MAX_TOKENS} Async tokens"))
                .with_hint("give at most as many as a workspace has"));
        }
        let settings = HttpSettings {
            connect_timeout: self.connect_timeout,
            attempt_timeout: self.options.attempt_timeout,
            user_agent: user_agent(self.app_name.as_deref()),
        };
        let http = HttpClients::new(self.http, settings)?;
        let sync_tokens: Vec<&str> = self.sync_token.iter().map(SyncToken::expose).collect();
        let async_tokens: Vec<&str> = self.async_tokens.iter().map(AsyncToken::expose).collect();
        let secrets = [&sync_tokens[..], &async_tokens[..], &[&enterprise]].concat();
        let shutdown = Shutdown::default();
        let mut connector = Connector {
            secrets: secrets.into_iter().map(str::to_owned).collect(),
            enterprise,
            http,
            allow_http: self.allow_http,
            settings: Settings {
                backend: self.backend,
                observer: self.observer,
                slot_observer: self.slot_observer,
                clock: self.clock.clone(),
                shutdown: shutdown.clone(),
            },
        };
        let gate = |gate: Option<Arc<dyn Gate>>, count, limit| {
            gate.unwrap_or_else(|| Arc::new(TokenSlots::new(count, limit, self.clock.clone())))
        };
        let sync_gate = gate(self.sync_gate, sync_tokens.len(), self.sync_limit);
        let async_gate = gate(self.async_gate, async_tokens.len(), self.async_limit);
        let sync = connector.connect("Sync", &self.sync_url, &sync_tokens, sync_gate)?;
        let ingest = connector.connect("Async", &self.async_url, &async_tokens, async_gate)?;
        let shared = Shared {
            sync: sync.map(|connection| Api::new(sync::Client::new_with_client, connection)),
            ingest: ingest.map(|connection| Api::new(ingest::Client::new_with_client, connection)),
            workspace: self.workspace.map_or_else(WorkspaceCache::default, WorkspaceCache::given),
            default_country,
            time_zone: self.time_zone,
            verify_timeout: self.verify_timeout,
            leads_per_search: LeadsPerSearch::default(),
            write_order: WriteOrder::default(),
            clock: self.clock,
            shutdown,
        };
        Ok(Telecrm(Handle::new(shared, self.options)))
    }
}

print_names_only!(Builder);

/// What the connections to both APIs have in common.
struct Connector {
    enterprise: String,
    http: HttpClients,
    allow_http: bool,
    /// The texts that must not appear in a message: all tokens, and the enterprise ID.
    secrets: Vec<String>,
    settings: Settings,
}

impl Connector {
    /// Returns `None` if there are no tokens for the API.
    fn connect(
        &mut self,
        api: &'static str,
        base_url: &str,
        tokens: &[&str],
        gate: Arc<dyn Gate>,
    ) -> Result<Option<Connection>, Error> {
        if tokens.is_empty() {
            return Ok(None);
        }
        let headers = tokens.iter().map(|token| authorization(token));
        let headers = headers
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Error::config("a token contains characters that a header cannot carry"))?;
        let (secrets, settings) = (self.secrets.clone(), self.settings.clone());
        let base_url = check_base_url(api, base_url, self.allow_http)?;
        let url = reqwest::Url::parse(&base_url);
        let is_local = url.is_ok_and(|url| is_loopback(&url));
        Ok(Some(Connection {
            base_url,
            enterprise: self.enterprise.clone(),
            http: self.http.client(is_local)?,
            transport: Arc::new(Transport::new(api, headers, secrets, gate, settings)),
        }))
    }
}

/// The HTTP clients for both APIs, usually one.
struct HttpClients {
    settings: HttpSettings,
    remote: Option<reqwest::Client>,
    /// Connects without a proxy, so that no proxy sees requests to the machine itself.
    local: Option<reqwest::Client>,
}

struct HttpSettings {
    connect_timeout: Duration,
    attempt_timeout: Duration,
    user_agent: String,
}

/// The name of the program, if it has one, and of this crate.
fn user_agent(app_name: Option<&str>) -> String {
    const CRATE: &str = concat!("telecrm-rust/", env!("CARGO_PKG_VERSION"));
    app_name.map_or_else(|| CRATE.to_owned(), |name| format!("{} {CRATE}", name.trim()))
}

impl HttpClients {
    fn new(given: Option<reqwest::ClientBuilder>, settings: HttpSettings) -> Result<Self, Error> {
        let given = given.map(|http| http_client(http, &settings)).transpose()?;
        Ok(Self { settings, remote: given.clone(), local: given })
    }

    fn client(&mut self, is_local: bool) -> Result<reqwest::Client, Error> {
        let client = if is_local { &mut self.local } else { &mut self.remote };
        if let Some(client) = client {
            return Ok(client.clone());
        }
        let http = reqwest::ClientBuilder::new();
        let http = if is_local { http.no_proxy() } else { http };
        Ok(client.insert(http_client(http, &self.settings)?).clone())
    }
}

fn http_client(
    http: reqwest::ClientBuilder,
    settings: &HttpSettings,
) -> Result<reqwest::Client, Error> {
    // Without a provider reqwest would panic.
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config("rustls has no crypto provider")
            .with_hint("call `CryptoProvider::install_default`, or enable the feature `rustls`"));
    }
    let http = http
        .redirect(reqwest::redirect::Policy::none())
        // Only this crate retries, so that its attempts are all that the server sees.
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.attempt_timeout)
        .user_agent(&settings.user_agent);
    http.build().map_err(|error| {
        let reason = error.without_url();
        Error::config(format!("the HTTP client could not be created: {reason}"))
    })
}

/// Enterprise IDs have no documented format, so only what cannot be a path segment is refused.
fn check_enterprise_id(id: &str) -> Result<String, Error> {
    let id = id.trim();
    if id.is_empty() {
        return Err(Error::config("the enterprise ID is empty"));
    }
    if matches!(id, "." | "..") || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::config(
            "the enterprise ID contains blanks or control characters, or is `.` or `..`",
        )
        .with_hint("copy it from the dashboard again (Settings, Website and API)"));
    }
    // People paste tokens here. Tokens contain a colon, enterprise IDs do not.
    if id.contains(':') {
        return Err(Error::config("the enterprise ID has a colon in it")
            .with_hint("it looks like a token; copy the enterprise ID from the dashboard"));
    }
    Ok(id.to_owned())
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn check_base_url(api: &str, url: &str, allow_http: bool) -> Result<String, Error> {
    let invalid = |reason: &str| Error::config(format!("the {api} base URL {reason}"));
    let parsed = reqwest::Url::parse(url.trim())
        .map_err(|error| invalid(&format!("is not a URL: {error}")))?;
    match parsed.scheme() {
        "https" => {}
        "http" if is_loopback(&parsed) || allow_http => {}
        "http" => {
            return Err(invalid("is not https")
                .with_hint("use https, or `allow_http` to send tokens and leads unencrypted"));
        }
        _ => return Err(invalid("is neither https nor http")),
    }
    let has_login = !parsed.username().is_empty() || parsed.password().is_some();
    if parsed.query().is_some() || parsed.fragment().is_some() || has_login {
        return Err(invalid("has more than a host and a path"));
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
            .map_err(|error| format!("{error:#}"))
    }

    fn assert_refused(enterprise: &str, url: &str, reason: &str) {
        let error = build(enterprise, url).expect_err("an error");
        assert!(error.contains(reason), "{enterprise} {url}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn an_https_url_is_accepted() {
        assert!(build("ent", SYNC_URL).is_ok());
    }

    #[test]
    fn an_http_url_of_this_machine_is_accepted() {
        for url in
            ["http://127.0.0.1:4010/autoupdate/v2/", "http://localhost:4010", "http://[::1]:4010"]
        {
            assert!(build("ent", url).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_http_url_of_another_machine_is_refused() {
        assert_refused("ent", "http://next.telecrm.in", "not https");
    }

    #[test]
    fn a_url_of_another_scheme_is_refused() {
        assert_refused("ent", "ftp://next.telecrm.in", "neither https nor http");
    }

    #[test]
    fn a_host_without_scheme_is_refused() {
        assert_refused("ent", "next.telecrm.in", "not a URL");
    }

    #[test]
    fn a_url_with_a_query_is_refused() {
        assert_refused("ent", "https://next.telecrm.in?x=1", "more than a host and a path");
    }

    #[test]
    fn a_url_with_a_login_is_refused() {
        assert_refused("ent", "https://:s3cret@next.telecrm.in", "more than a host and a path");
    }

    #[test]
    fn an_enterprise_id_that_is_not_a_path_segment_is_refused() {
        for id in ["", "  ", "..", ".", "a b"] {
            assert_refused(id, SYNC_URL, "enterprise ID");
        }
    }

    #[test]
    fn a_token_as_enterprise_id_is_refused() {
        assert_refused("uuid-1234567890123:uuid", SYNC_URL, "enterprise ID");
    }

    fn build_in(country: &str) -> Result<Telecrm, String> {
        let builder = Telecrm::builder("ent").default_country(country);
        builder.build().map_err(|error| error.to_string())
    }

    #[test]
    fn a_known_country_is_accepted_in_either_case() {
        assert!(build_in("AE").is_ok() && build_in("in").is_ok());
    }

    #[cfg(feature = "phone")]
    #[test]
    fn with_the_feature_phone_every_country_is_known() {
        assert!(build_in("GB").is_ok());
    }

    #[test]
    fn an_unknown_country_is_refused() {
        for code in ["XX", "001", "India", ""] {
            let error = build_in(code).expect_err("an error");
            assert!(error.contains("default country"), "{code}: {error}");
        }
    }

    fn build_with_tokens(count: usize) -> Result<Telecrm, String> {
        let tokens = (0..count).map(|number| AsyncToken::new(format!("async-{number}")));
        let builder = tokens.fold(Telecrm::builder("ent"), |builder, token| {
            builder.async_token(token.expect("a token"))
        });
        builder.build().map_err(|error| error.to_string())
    }

    #[test]
    fn three_async_tokens_are_accepted() {
        let telecrm = build_with_tokens(3).expect("a client");
        assert_eq!(telecrm.async_limits().len(), 3);
    }

    #[test]
    fn four_async_tokens_are_refused() {
        let error = build_with_tokens(4).expect_err("an error");
        assert!(error.contains("more than 3 Async tokens"), "{error}");
    }

    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    #[test]
    fn a_missing_crypto_provider_is_an_error() {
        assert_refused("ent", SYNC_URL, "install_default");
    }

    #[cfg(not(any(feature = "rustls", feature = "native-tls", feature = "rustls-no-provider")))]
    #[tokio::test]
    async fn without_tls_the_error_names_the_features() {
        let telecrm = build("ent", "https://localhost:9").expect("a client");
        let once = telecrm.with_options(CallOptions::new().attempts(1));
        let error = once.schema().metadata().await.expect_err("an error");
        assert!(format!("{error:#}").contains("`native-tls`"), "{error:#}");
        assert!(!error.is_transient() && !error.is_outcome_unknown());
    }

    #[test]
    fn a_call_outside_a_runtime_is_an_error() {
        let telecrm = build("ent", SYNC_URL).expect("a client");
        let call = pin!(telecrm.workspace());
        let Poll::Ready(Err(error)) = call.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the call waits");
        };
        assert!(error.to_string().contains("no tokio runtime"), "{error}");
        assert!(!error.is_transient() && !error.is_outcome_unknown());
    }

    #[test]
    fn debug_output_contains_no_secrets() {
        let builder = Telecrm::builder("ent-s3cret")
            .sync_token(SyncToken::new("tok-s3cret").expect("a token"));
        assert!(!format!("{builder:?}").contains("s3cret"));
        let telecrm = builder.build().expect("a client");
        assert!(!format!("{telecrm:?}").contains("s3cret"));
    }
}
