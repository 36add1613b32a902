#![doc = include_str!("../README.md")]

mod actions;
mod answer;
mod clock;
mod control;
mod exchange;
mod exports;
mod faults;
mod ingest;
mod keeper;
mod leads;
mod limits;
mod log;
mod profile;
mod ready;
mod recording;
mod remarks;
mod replay;
mod search;
mod server;
mod state_error;
mod store;
mod team_members;
#[cfg(feature = "web")]
mod web;
mod wire;
mod workspace;

pub use clock::ClockError;
pub use exchange::Received;
pub use faults::{Fault, FaultError, FaultyAnswer};
pub use limits::RateLimit;
pub use log::LogEntry;
pub use profile::{
    ActionCodes, AssigneeAndStatuses, AsyncAnswer, BadValues, IdentifierField, Invited,
    LeadAttributes, Performers, PhoneBlanks, PipelineShape, PrefixedTypes, Profile, SearchIds,
    StatusCase, SwitchError, SystemNotes, UnknownEnterprise, UnknownLabels, UnknownMember,
};
pub use ready::wait_until_ready;
pub use recording::{Recording, RecordingError};
pub use replay::Difference;
pub use state_error::StateError;
pub use telecrm_core::workspace::WorkspaceError;
pub use telecrm_core::{Finding, WorkspaceFile};

use clock::Hands;
use faults::Faults;
use ingest::Queue;
use jiff::Timestamp;
use keeper::{Hold, Keeper};
use limits::Limiter;
use log::Log;
use recording::{Header, Recorder};
use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{Journal, Seed, Store};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};

/// The enterprise that is accepted unless another is set.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{DEFAULT_ASYNC_TOKEN, DEFAULT_ENTERPRISE, DEFAULT_SYNC_TOKEN, Emulator};
///
/// let emulator = Emulator::start().await?;
/// assert_eq!(emulator.enterprise(), DEFAULT_ENTERPRISE);
/// assert_eq!(emulator.sync_token(), DEFAULT_SYNC_TOKEN);
/// assert_eq!(emulator.async_token(), DEFAULT_ASYNC_TOKEN);
/// # Ok(())
/// # }
/// ```
pub const DEFAULT_ENTERPRISE: &str = "ent-local";

/// The Sync token that is accepted unless another is set.
pub const DEFAULT_SYNC_TOKEN: &str = "sync-local-token";

/// The Async token that is accepted unless another is set.
pub const DEFAULT_ASYNC_TOKEN: &str = "async-local-token";

/// How long a lead waits in the background unless set otherwise: long enough to notice.
pub const DEFAULT_PROCESSING_DELAY: Duration = Duration::from_millis(10);

/// How long a client may take to send the head of a request, and then its body, unless set otherwise.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);

/// How many connections are open at once, unless set otherwise: more than any test needs, in some 250 MB.
pub const DEFAULT_MAX_CONNECTIONS: usize = 16_384;

/// How many tokens of each type a workspace can have.
const MOST_TOKENS: usize = 3;

/// How long [`Emulator::shutdown`] waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(5);

/// A running emulator. It stops when this is dropped.
///
/// It needs a tokio runtime, and runs on the one in which it was started.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{Emulator, Fault};
///
/// let emulator = Emulator::start().await?;
/// assert!(emulator.url().starts_with("http://127.0.0.1:"));
/// assert!(emulator.sync_url().ends_with("/autoupdate/v2"));
/// assert_eq!(emulator.async_url(), emulator.url());
///
/// // A state to come back to, a time in which calls go wrong, and the way back.
/// let empty = emulator.snapshot();
/// emulator.fault(Fault::reset_after().on("createLead"))?;
/// // …the client under test…
/// emulator.settle().await; // what was pushed is processed
/// emulator.clear_faults();
/// assert!(emulator.restore(empty));
/// assert!(emulator.log(0).is_empty());
/// emulator.reset();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulator {
    app: App,
    differences: Vec<Difference>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    worker: AbortHandle,
}

impl Emulator {
    /// Starts an emulator with the vendor's sample workspace on a free port of this machine.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// An emulator to be set up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The address at which it can be reached from this machine, such as `http://127.0.0.1:4010`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL of the Sync API.
    pub fn sync_url(&self) -> String {
        format!("{}{}", self.url(), server::SYNC_BASE)
    }

    /// The base URL of the Async API.
    pub fn async_url(&self) -> String {
        self.url()
    }

    /// The environment that points a client at it: five `export` lines for a shell, with the first token of each type.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let emulator = telecrm_emulator::Emulator::start().await?;
    /// assert!(emulator.exports().starts_with("export TELECRM_ENTERPRISE_ID=ent-local\n"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn exports(&self) -> String {
        self.app.config.exports(&self.url())
    }

    /// The enterprise ID that it accepts.
    pub fn enterprise(&self) -> &str {
        &self.app.config.enterprise
    }

    /// The Sync token that it accepts, the first of them.
    pub fn sync_token(&self) -> &str {
        &self.app.config.sync_tokens[0]
    }

    /// The Async token that it accepts, the first of them.
    pub fn async_token(&self) -> &str {
        &self.app.config.async_tokens[0]
    }

    /// A client for this emulator, without rate limits, as its tests want it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// let workspace = emulator.client().workspace().await?;
    /// assert_eq!(workspace.identifier().api_name(), "phone");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "client")]
    pub fn client(&self) -> telecrm::Telecrm {
        self.client_builder()
            .build()
            .expect("the emulator's addresses and tokens are valid")
    }

    /// The builder behind [`client`](Self::client), for tests that set more than that.
    #[cfg(feature = "client")]
    pub fn client_builder(&self) -> telecrm::Builder {
        let token = "the emulator's tokens are valid";
        telecrm::Telecrm::builder(self.enterprise())
            .sync_token(telecrm::SyncToken::new(self.sync_token()).expect(token))
            .async_token(telecrm::AsyncToken::new(self.async_token()).expect(token))
            .sync_url(self.sync_url())
            .async_url(self.async_url())
            .sync_limit(None)
            .async_limit(None)
    }

    /// Waits until all leads that the Async API has taken so far are processed, but for those that a
    /// [`Fault`] lets be processed never, or after a next one that has not come.
    pub async fn settle(&self) {
        self.app.queue.settle().await;
    }

    /// The calls after the one with this number, oldest first: at most the latest 10,000.
    pub fn log(&self, since: u64) -> Vec<LogEntry> {
        self.app.log.since(since)
    }

    /// The requests of these calls as they came, oldest first: as many as fit into 64 MB.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let emulator = telecrm_emulator::Emulator::start().await?;
    /// // … the code under test …
    /// let pushed = emulator.received(0).into_iter().filter(|request| request.method == "POST");
    /// assert_eq!(pushed.filter_map(|request| request.json()).count(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn received(&self, since: u64) -> Vec<Received> {
        self.app.log.received(since)
    }

    /// Puts an entry into a lead's timeline that telecrm itself records, and nobody can write: a call, a message,
    /// a note. As JSON it is what is read back: `type`, and any of `employeeid` (who did it), `creationTimestamp`,
    /// `duration` and so on. Gives its ID, or nothing if there is no such lead, the type can be written, or the time is not in Unix milliseconds.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let client = reqwest::Client::new();
    /// # let url = format!("{}/enterprise/{}/lead", emulator.sync_url(), emulator.enterprise());
    /// # let body = serde_json::json!({ "fields": { "phone": "919999999999" } });
    /// # let created = client.post(url).bearer_auth(emulator.sync_token()).json(&body).send().await?;
    /// # let created: serde_json::Value = created.json().await?;
    /// # let lead_id = created["lead_id"].as_str().unwrap();
    /// let call = serde_json::json!({ "type": "OUTGOING_CALL", "employeeid": "jane.doe@example.com", "duration": 42 });
    /// assert!(emulator.record(lead_id, call).is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn record(&self, lead: &str, entry: serde_json::Value) -> Option<String> {
        let entry = control::Recorded::read(entry).ok()?;
        self.app.store().record(lead, entry.type_name, entry.keys)
    }

    /// The calls of the [recording](Builder::replay) that were answered otherwise when they were run again.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Whether all that happened so far is in the [recording](Builder::record), if one is made. What there was no room for is tried again.
    ///
    /// # Errors
    /// If the file lacks something.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("telecrm-recorded-{}.jsonl", std::process::id()));
    /// let emulator = telecrm_emulator::Emulator::builder().record(&file).start().await?;
    /// // …the code under test…
    /// emulator.recorded()?;
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn recorded(&self) -> Result<(), RecordingError> {
        self.app
            .recorder
            .as_ref()
            .map_or(Ok(()), Recorder::catch_up)
    }

    /// Makes calls go wrong from now on.
    ///
    /// # Errors
    /// If there is no such operation, or HTTP knows no such answer.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.app.faults.add(vec![fault])
    }

    /// Lets all calls go right again.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// What time it is in the workspace: that of this machine, unless it was set.
    pub fn now(&self) -> Timestamp {
        // The clock cannot be set to anything else.
        Timestamp::from_millisecond(self.app.keeper.now()).unwrap_or_default()
    }

    /// Sets the time in the workspace. It tells what `created_on` and the like become, what time an ID holds, and when the hour of a
    /// [`RateLimit`] is over. What waits, such as a lead to be processed, waits in real time.
    ///
    /// A lead is never older than one created before, so after a step back new leads share the time of the newest one.
    ///
    /// # Errors
    /// If the time is before 1970 or after 2106.
    pub fn set_clock(&self, now: Timestamp) -> Result<(), ClockError> {
        let now = now.as_millisecond();
        self.app.keeper.set_clock(|clock| clock.set(now))
    }

    /// Lets time pass at once.
    ///
    /// # Errors
    /// If that would go beyond 2106.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use telecrm_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.hold_clock(true);
    /// emulator.set_clock("2026-04-01T00:00:00Z".parse()?)?;
    /// emulator.advance_clock(Duration::from_secs(3600))?;
    /// assert_eq!(emulator.now(), "2026-04-01T01:00:00Z".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance_clock(&self, by: Duration) -> Result<(), ClockError> {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.app.keeper.set_clock(|clock| clock.advance(millis))
    }

    /// Stops the clock, or lets it go on from where it stands.
    pub fn hold_clock(&self, held: bool) {
        self.app.keeper.hold_clock(held);
    }

    /// What is answered where sources disagree.
    pub fn profile(&self) -> Profile {
        self.app.profile()
    }

    /// Sets what is answered where sources disagree, from the next call on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use telecrm_emulator::{Emulator, Profile};
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.set_profile(Profile::reported());
    /// assert_eq!(emulator.profile(), Profile::reported());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_profile(&self, profile: Profile) {
        self.app.set_profile(profile);
    }

    /// Remembers the state of the workspace, and gives the number by which [`restore`](Self::restore) finds it.
    pub fn snapshot(&self) -> usize {
        self.app.snapshot()
    }

    /// Goes back to a state that was remembered, and says whether there is one with this number. Leads that wait to
    /// be processed are forgotten. The clock goes on. What was remembered is in memory only; what it is gone back to is in the
    /// state file too.
    pub fn restore(&self, snapshot: usize) -> bool {
        self.app.restore(snapshot)
    }

    /// Goes back to the seed. Leads that wait to be processed are forgotten, and so is the log. Faults stay, and
    /// count their calls anew, and so do rate limits. Profile and clock stay too.
    pub fn reset(&self) {
        self.app.reset();
    }

    /// Stops it, and returns once its port and its state file are free.
    pub async fn shutdown(mut self) {
        self.stop.take();
        self.app.log.close();
        if clock::within(GRACE, &mut self.server).await.is_none() {
            self.server.abort();
        }
        // Dropping it closes the file.
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The server stops by itself, because the other end of `stop` goes with this.
        self.worker.abort();
        self.app.log.close();
        self.app.keeper.close();
    }
}

/// Sets up an [`Emulator`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use telecrm_emulator::{
///     DEFAULT_PATIENCE, DEFAULT_PROCESSING_DELAY, Emulator, Fault, Profile, RateLimit, WorkspaceFile,
/// };
///
/// let emulator = Emulator::builder()
///     .seed(WorkspaceFile::sample())
///     .enterprise("ent-test")
///     .sync_token("sync-1")
///     .another_sync_token("sync-2")
///     .async_token("async-1")
///     .another_async_token("async-2")
///     .sync_limit(RateLimit::per_hour(3_600))
///     .async_limit(RateLimit::per_hour(18_000).sped_up(60.0))
///     .profile(Profile::reported())
///     .search_ids(false)
///     .fault(Fault::latency(Duration::from_millis(200)).on("searchLeads"))
///     .processing_delay(10 * DEFAULT_PROCESSING_DELAY)
///     .patience(DEFAULT_PATIENCE / 10)
///     .listen("127.0.0.1:0".parse()?)
///     .allow_remote(false)
///     .start()
///     .await?;
/// assert!(emulator.sync_url().ends_with("/autoupdate/v2"));
/// emulator.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    seed: Option<WorkspaceFile>,
    #[cfg(feature = "state")]
    state: Option<PathBuf>,
    now: Option<Timestamp>,
    record: Option<PathBuf>,
    replay: Option<Recording>,
    random_seed: u64,
    profile: Profile,
    listen: SocketAddr,
    allow_remote: bool,
    faults: Vec<Fault>,
    config: Config,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            seed: None,
            #[cfg(feature = "state")]
            state: None,
            now: None,
            record: None,
            replay: None,
            random_seed: 0,
            profile: Profile::documented(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            faults: Vec::new(),
            config: Config {
                enterprise: DEFAULT_ENTERPRISE.to_owned(),
                sync_tokens: vec![DEFAULT_SYNC_TOKEN.to_owned()],
                async_tokens: vec![DEFAULT_ASYNC_TOKEN.to_owned()],
                sync_limit: None,
                async_limit: None,
                processing_delay: DEFAULT_PROCESSING_DELAY,
                patience: DEFAULT_PATIENCE,
                max_connections: DEFAULT_MAX_CONNECTIONS,
                hosts: Vec::new(),
            },
        }
    }
}

impl Builder {
    /// The workspace: the vendor's sample unless set. Where it has no pipeline, the sample's is used.
    pub fn seed(mut self, seed: WorkspaceFile) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps everything in this file, which is made if it is not there: leads with their timelines, team members, options and IDs, leads
    /// that wait to be processed, and the clock. Each change is there before it is answered, so a process may be killed at any
    /// moment. Log, faults, profile, snapshots and counts of rate limits begin anew with each start, and leads that
    /// wait do so from the start.
    ///
    /// A file goes on with the seed that it began from. [`start`](Self::start) fails with a [`StateError`] if it is no such file,
    /// in use, of a newer version, or another enterprise's or seed's. The file holds what was sent, so treat it like the leads.
    ///
    /// ```
    /// use telecrm_emulator::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("telecrm-state-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let file = folder.join("leads.db");
    /// let emulator = Emulator::builder().state(&file).start().await?;
    /// let time = emulator.now();
    /// emulator.shutdown().await;
    ///
    /// let again = Emulator::builder().state(&file).start().await?;
    /// assert!(again.now() >= time);
    /// # again.shutdown().await;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "state")]
    pub fn state(mut self, file: impl Into<PathBuf>) -> Self {
        self.state = Some(file.into());
        self
    }

    /// Writes all calls and their answers into this new file, without tokens and passwords. [`replay`](Self::replay) runs them again. What the
    /// methods of [`Emulator`] change is not in it. The file holds what was sent, so treat it like the leads.
    pub fn record(mut self, file: impl Into<PathBuf>) -> Self {
        self.record = Some(file.into());
        self
    }

    /// Begins as the recorded run did, with its workspace, enterprise, profile, faults and limits, and carries out its calls before it listens,
    /// one after another, at the times that they had. [`Emulator::differences`] says which were answered otherwise.
    ///
    /// Each call meets the fault that it met. Latency is left out, and answers that were broken are not compared.
    ///
    /// ```
    /// use telecrm_emulator::{Difference, Emulator, Recording, RecordingError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("telecrm-run-{}.jsonl", std::process::id()));
    /// let emulator = Emulator::builder().random_seed(7).record(&file).start().await?;
    /// reqwest::get(format!("{}/metadata", emulator.sync_url())).await?;
    /// emulator.shutdown().await;
    ///
    /// let recording: Result<Recording, RecordingError> = Recording::read(&file);
    /// let recording = recording?;
    /// assert_eq!(recording.calls(), 1);
    /// let emulator = Emulator::builder().replay(recording).start().await?;
    /// let differences: &[Difference] = emulator.differences();
    /// assert!(differences.is_empty(), "{}", differences[0]);
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replay(mut self, recording: Recording) -> Self {
        self.replay = Some(recording);
        self
    }

    /// Decides which calls meet a fault that has a [`chance`](Fault::chance): 0 unless set.
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.random_seed = seed;
        self
    }

    /// What time it is in the workspace at the start: that of this machine unless set, or that of the state file.
    pub fn now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// The enterprise ID that is accepted: [`DEFAULT_ENTERPRISE`] unless set.
    pub fn enterprise(mut self, id: impl Into<String>) -> Self {
        self.config.enterprise = id.into();
        self
    }

    /// The Sync token that is accepted: [`DEFAULT_SYNC_TOKEN`] unless set.
    pub fn sync_token(mut self, token: impl Into<String>) -> Self {
        self.config.sync_tokens = vec![token.into()];
        self
    }

    /// One more Sync token that is accepted. A workspace has at most three.
    pub fn another_sync_token(mut self, token: impl Into<String>) -> Self {
        self.config.sync_tokens.push(token.into());
        self
    }

    /// The Async token that is accepted: [`DEFAULT_ASYNC_TOKEN`] unless set.
    pub fn async_token(mut self, token: impl Into<String>) -> Self {
        self.config.async_tokens = vec![token.into()];
        self
    }

    /// One more Async token that is accepted. A workspace has at most three.
    pub fn another_async_token(mut self, token: impl Into<String>) -> Self {
        self.config.async_tokens.push(token.into());
        self
    }

    /// How many requests each Sync token may send: any number unless set, since nothing is documented.
    pub fn sync_limit(mut self, limit: RateLimit) -> Self {
        self.config.sync_limit = Some(limit);
        self
    }

    /// How many requests each Async token may send: any number unless set, though telecrm takes 18,000 per hour
    /// (pitfall AS9), so that tests can send as many as they like.
    pub fn async_limit(mut self, limit: RateLimit) -> Self {
        self.config.async_limit = Some(limit);
        self
    }

    /// Makes calls go wrong. Of several rules the first that fits wins.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Where to listen: a free port of 127.0.0.1 unless set.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Whether other machines may be listened to. The tokens are no secret, so this opens it to everybody there.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// A name by which other machines reach it, such as that of a container. May be given several times. Requests that name another
    /// host than localhost or an address of this machine are refused, because a web page can give a name of its own this address.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = telecrm_emulator::Emulator::builder().allow_host("crm.test").start().await?;
    /// let health = format!("{}/_emulator/health", emulator.url());
    /// let request = reqwest::Client::new().get(health).header("Host", "crm.test:8080");
    /// assert_eq!(request.send().await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.config.hosts.push(name.into());
        self
    }

    /// Whether the rows of a search carry the lead's ID, which they are reported to do (pitfall LE7). They do unless set.
    pub fn search_ids(mut self, carried: bool) -> Self {
        self.profile.search_ids = match carried {
            true => SearchIds::Yes,
            false => SearchIds::No,
        };
        self
    }

    /// What is answered where sources disagree: [`Profile::documented`] unless set.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// How long a lead waits before it is processed: [`DEFAULT_PROCESSING_DELAY`] unless set.
    pub fn processing_delay(mut self, delay: Duration) -> Self {
        self.config.processing_delay = delay;
        self
    }

    /// How long a client may take to send the head of a request, before it is hung up on, and then to send the body,
    /// before it is answered 408: [`DEFAULT_PATIENCE`] unless set. A connection may be idle as long.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.config.patience = patience;
        self
    }

    /// How many connections may be open at once, [`DEFAULT_MAX_CONNECTIONS`] unless set. One more is closed as soon as it is made,
    /// and so is one for which the process may open no more files.
    ///
    /// ```
    /// use telecrm_emulator::{DEFAULT_MAX_CONNECTIONS, Emulator};
    ///
    /// let builder = Emulator::builder().max_connections(DEFAULT_MAX_CONNECTIONS / 2);
    /// # let _ = builder;
    /// ```
    pub fn max_connections(mut self, most: usize) -> Self {
        self.config.max_connections = most;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// If the address cannot be listened on, or lets other machines in without [`allow_remote`](Self::allow_remote),
    /// or if the seed is not a workspace, a fault, a time or the name of a host cannot be, no connection is allowed, the
    /// enterprise ID is empty, or there are more
    /// than three tokens of a type; and with a [`StateError`] inside if the state file cannot be used.
    pub async fn start(mut self) -> io::Result<Emulator> {
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            return Err(invalid_input(format!(
                "{} can be reached from other machines: listen on 127.0.0.1, or allow remote access",
                self.listen
            )));
        }
        #[cfg(feature = "state")]
        if self.state.is_some() && (self.record.is_some() || self.replay.is_some()) {
            return Err(invalid_input(
                "a recording begins from the seed: leave out either the recording or the state file",
            ));
        }
        let replay = self.replay.take();
        if let Some(recording) = &replay {
            self.begin_like(&recording.header)?;
        }
        let tokens = [&self.config.sync_tokens, &self.config.async_tokens];
        if tokens.iter().any(|tokens| tokens.len() > MOST_TOKENS) {
            return Err(invalid_input(format!(
                "a workspace has at most {MOST_TOKENS} tokens of each type"
            )));
        }
        if self.config.max_connections == 0 {
            return Err(invalid_input("nobody could connect: allow a connection"));
        }
        if self.config.enterprise.is_empty() {
            return Err(invalid_input(
                "the enterprise ID is empty, and no path could hold it: give it one such as ent-local",
            ));
        }
        let mut names = self.config.hosts.iter();
        names
            .try_for_each(|name| server::check_name(name))
            .map_err(invalid_input)?;
        let faults = Faults::new(self.random_seed);
        faults.add(self.faults.clone()).map_err(invalid_input)?;
        let (store, journal, hands) = self.open()?;
        let keeper = Keeper::new(store, journal, hands);
        if let Some(now) = self.now {
            let set = keeper.set_clock(|clock| clock.set(now.as_millisecond()));
            set.map_err(invalid_input)?;
        }
        let listener = TcpListener::bind(self.listen).await?;
        let recorder = self.recorder(&keeper.hold())?;
        let local = listener.local_addr()?;
        let patience = self.config.patience;
        let max_connections = self.config.max_connections;
        let unknown_token = unknown_token(&self.config);
        let (queue, worker) = Queue::new();
        let world = Arc::new(World {
            sync_limiter: Limiter::new(self.config.sync_limit),
            async_limiter: Limiter::new(self.config.async_limit),
            config: self.config,
            profile: Mutex::new(self.profile),
            keeper,
            recorder,
            unknown_token,
            snapshots: Mutex::default(),
            returns: watch::Sender::default(),
            log: Log::default(),
            faults,
        });
        let app = App {
            world: Arc::clone(&world),
            queue: Arc::new(queue),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let router = server::router(app.clone(), local);
        let differences = match replay {
            Some(recording) => replay::run(&app, router.clone(), local, &recording).await,
            None => Vec::new(),
        };
        app.queue.open(&app.store());
        Ok(Emulator {
            app,
            differences,
            address: reachable(local),
            stop: Some(stop),
            server: tokio::spawn(wire::serve(
                listener,
                router,
                patience,
                max_connections,
                stopped,
            )),
            worker: tokio::spawn(worker.run(world)).abort_handle(),
        })
    }

    fn begin_like(&mut self, header: &Header) -> io::Result<()> {
        self.seed = Some(WorkspaceFile::from_json(header.seed.clone()).map_err(invalid_input)?);
        self.random_seed = header.random_seed;
        self.faults.clone_from(&header.faults);
        let mut profile = Profile::documented();
        for (name, value) in &header.profile {
            profile = profile.with(name, value).map_err(invalid_input)?;
        }
        self.profile = profile;
        let config = &mut self.config;
        config.enterprise.clone_from(&header.enterprise);
        config.sync_limit = header.sync_limit;
        config.async_limit = header.async_limit;
        for (tokens, count) in [
            (&mut config.sync_tokens, header.sync_tokens),
            (&mut config.async_tokens, header.async_tokens),
        ] {
            if !(1..=MOST_TOKENS).contains(&count) {
                return Err(invalid_input(format!(
                    "the recording is damaged in line 1: it tells of {count} tokens, and there are 1 to {MOST_TOKENS} of each type"
                )));
            }
            for place in tokens.len()..count {
                let next = format!("{}-{}", tokens[0], place + 1);
                tokens.push(next);
            }
            tokens.truncate(count);
        }
        Ok(())
    }

    /// Begins a recording, if one is wanted.
    fn recorder(&self, store: &Store) -> io::Result<Option<Recorder>> {
        let Some(path) = &self.record else {
            return Ok(None);
        };
        let values = self.profile.values().into_iter();
        let header = Header {
            telecrm_recording: Header::VERSION,
            enterprise: self.config.enterprise.clone(),
            sync_tokens: self.config.sync_tokens.len(),
            async_tokens: self.config.async_tokens.len(),
            sync_limit: self.config.sync_limit,
            async_limit: self.config.async_limit,
            random_seed: self.random_seed,
            profile: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            faults: self.faults.clone(),
            seed: store.answers().to_json(),
        };
        let recorder = Recorder::begin(path, &header);
        recorder.map(Some).map_err(io::Error::other)
    }

    /// The store, from the state file or from the seed, and what time it is there.
    fn open(&mut self) -> io::Result<(Store, Option<Journal>, Hands)> {
        let strip = self.profile.phone_blanks == PhoneBlanks::Stripped;
        let seed = self.seed.take();
        #[cfg(feature = "state")]
        if let Some(path) = &self.state {
            let opened = Journal::open(path, &self.config.enterprise, seed, strip);
            let (journal, store, hands) = opened.map_err(io::Error::other)?;
            return Ok((store, Some(journal), hands));
        }
        let seed = seed.unwrap_or_else(WorkspaceFile::sample);
        let seed = Seed::new(seed, strip).map_err(invalid_input)?;
        Ok((Store::new(seed), None, Hands::default()))
    }
}

/// The address at which this machine reaches what listens on `local`.
fn reachable(mut local: SocketAddr) -> SocketAddr {
    match local.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => local.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => local.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    local
}

fn invalid_input(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

fn unknown_token(config: &Config) -> String {
    let mut token = "unknown".to_owned();
    while config.sync_tokens.contains(&token) || config.async_tokens.contains(&token) {
        token.push('-');
    }
    token
}

/// What is set once.
struct Config {
    enterprise: String,
    sync_tokens: Vec<String>,
    async_tokens: Vec<String>,
    sync_limit: Option<RateLimit>,
    async_limit: Option<RateLimit>,
    processing_delay: Duration,
    patience: Duration,
    max_connections: usize,
    /// Names that are this machine's too.
    hosts: Vec<String>,
}

/// Without the tokens: those of a real account may have been set by mistake.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("enterprise", &self.enterprise)
            .field("processing_delay", &self.processing_delay)
            .finish_non_exhaustive()
    }
}

/// What the handlers and the background task share.
struct World {
    config: Config,
    profile: Mutex<Profile>,
    keeper: Keeper,
    recorder: Option<Recorder>,
    /// One that is not accepted.
    unknown_token: String,
    snapshots: Mutex<Vec<Store>>,
    /// How often it went back to an earlier state.
    returns: watch::Sender<u64>,
    log: Log,
    faults: Faults,
    sync_limiter: Limiter,
    async_limiter: Limiter,
}

impl World {
    fn store(&self) -> Hold<'_> {
        self.keeper.hold()
    }

    fn profile(&self) -> Profile {
        lock(&self.profile).clone()
    }

    fn set_profile(&self, profile: Profile) {
        let Ok(()) = self.change_profile(|_| Ok::<_, Infallible>(profile));
    }

    /// Makes another profile of the one that holds, one change at a time, so that none undoes another.
    fn change_profile<E>(
        &self,
        change: impl FnOnce(Profile) -> Result<Profile, E>,
    ) -> Result<(), E> {
        let mut store = self.store();
        let profile = change(self.profile())?;
        store.strip_phone_blanks(profile.phone_blanks == PhoneBlanks::Stripped);
        *lock(&self.profile) = profile;
        Ok(())
    }

    fn reset(&self) {
        let mut store = self.store();
        store.reset();
        self.returns.send_modify(|returns| *returns += 1);
        self.log.clear();
        self.faults.rewind();
        self.sync_limiter.reset();
        self.async_limiter.reset();
    }

    fn snapshot(&self) -> usize {
        let store = self.store().clone();
        let mut snapshots = lock(&self.snapshots);
        snapshots.push(store);
        snapshots.len()
    }

    fn restore(&self, snapshot: usize) -> bool {
        let snapshots = lock(&self.snapshots);
        let earlier = snapshot
            .checked_sub(1)
            .and_then(|place| snapshots.get(place));
        match earlier {
            Some(earlier) => {
                self.store().restore(earlier);
                self.returns.send_modify(|returns| *returns += 1);
                true
            }
            None => false,
        }
    }
}

/// What the handlers need. The background task must not hold the queue, or it would never end.
#[derive(Clone)]
struct App {
    world: Arc<World>,
    queue: Arc<Queue>,
}

impl Deref for App {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

/// Makes a file that only its owner can read.
fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A lock is held only for short steps that do not panic, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
