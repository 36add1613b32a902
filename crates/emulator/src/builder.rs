//! The settings of an emulator before it starts.

use crate::clock::{self, ClockState};
use crate::config::{Config, MAX_TOKENS};
use crate::faults::Fault;
use crate::faults::rate_limit::RateLimit;
use crate::http::origin::check_name;
use crate::problem::{Problem, impl_error};
use crate::profile::{PhoneBlanks, Profile, SearchIds};
use crate::recording::recorder::Recorder;
use crate::recording::{self, Header, Recording};
use crate::setters::setters;
use crate::store::{Seed, StateFile, Store};
use jiff::Timestamp;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use telecrm_core::WorkspaceFile;

/// Configures an [`Emulator`](crate::Emulator).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use telecrm_emulator::{
///     DEFAULT_PROCESSING_DELAY, DEFAULT_READ_TIMEOUT, Emulator, Fault, Profile, RateLimit,
///     SearchIds, WorkspaceFile,
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
///     .search_ids(SearchIds::No)
///     .fault(Fault::latency(Duration::from_millis(200)).on("searchLeads"))
///     .processing_delay(10 * DEFAULT_PROCESSING_DELAY)
///     .read_timeout(DEFAULT_READ_TIMEOUT / 10)
///     .listen("127.0.0.1:0".parse()?)
///     .start()
///     .await?;
/// assert!(emulator.sync_url().ends_with("/autoupdate/v2"));
/// emulator.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the emulator runs only after `start`"]
pub struct Builder {
    pub(crate) seed: Option<WorkspaceFile>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) now: Option<Timestamp>,
    pub(crate) record: Option<PathBuf>,
    pub(crate) replay: Option<Recording>,
    pub(crate) random_seed: u64,
    pub(crate) profile: Profile,
    pub(crate) listen: SocketAddr,
    pub(crate) is_remote_allowed: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) config: Config,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            seed: None,
            state: None,
            now: None,
            record: None,
            replay: None,
            random_seed: 0,
            profile: Profile::documented(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            is_remote_allowed: false,
            faults: Vec::new(),
            config: Config::default(),
        }
    }
}

setters! {
    Builder:

    /// Sets the workspace. The default is the vendor's sample, which also lends its pipeline to a
    /// workspace without one.
    pub fn seed(self, seed: WorkspaceFile) { self.seed = Some(seed); }

    /// Keeps the state in this file: leads with their timelines, team members, options, IDs, queued
    /// leads and the clock. The file is created if it does not exist.
    ///
    /// Each change is in the file before the call is answered, so the process can be killed at any
    /// time. Log, faults, profile, snapshots and the counts of rate limits are not in the file.
    /// After a start, queued leads wait for the whole processing delay.
    ///
    /// A file keeps the seed that it began with. [`start`](Self::start) returns a
    /// [`StateError`](crate::StateError) if the file is not a state file, is in use, has a newer
    /// version, or belongs to another enterprise or seed. The file contains personal data of leads.
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
    pub fn state(self, file: impl Into<PathBuf>) { self.state = Some(file.into()); }

    /// Records all calls and their answers in this new file, without tokens and passwords.
    /// [`replay`](Self::replay) repeats them.
    ///
    /// The recording lacks what methods of [`Emulator`](crate::Emulator) change. The file contains
    /// personal data of leads.
    pub fn record(self, file: impl Into<PathBuf>) { self.record = Some(file.into()); }

    /// Repeats a recorded run before the emulator listens.
    ///
    /// The emulator begins with the workspace, enterprise, profile, faults and limits of the
    /// recording. It carries out the calls one after another, at their recorded times and with
    /// their recorded faults but without latency.
    /// [`Emulator::differences`](crate::Emulator::differences) lists the calls with another answer,
    /// except those whose recorded answer a fault had broken.
    ///
    /// ```
    /// use telecrm_emulator::{Difference, Emulator, Recording, RecordingError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("telecrm-run-{}.jsonl", std::process::id()));
    /// let emulator = Emulator::builder().random_seed(7).record(&file).start().await?;
    /// emulator.client().workspace().await?;
    /// emulator.shutdown().await;
    ///
    /// let recording: Result<Recording, RecordingError> = Recording::read(&file);
    /// let emulator = Emulator::builder().replay(recording?).start().await?;
    /// let differences: &[Difference] = emulator.differences();
    /// assert!(differences.is_empty(), "{}", differences[0]);
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replay(self, recording: Recording) { self.replay = Some(recording); }

    /// Sets the seed of the random numbers for faults with a [`chance`](Fault::chance). The default
    /// is 0.
    pub fn random_seed(self, seed: u64) { self.random_seed = seed; }

    /// Sets the time in the workspace at the start. The default is that of the state file, or else
    /// the machine's.
    pub fn now(self, now: Timestamp) { self.now = Some(now); }

    /// Sets the enterprise ID. The default is [`DEFAULT_ENTERPRISE`](crate::DEFAULT_ENTERPRISE).
    pub fn enterprise(self, id: impl Into<String>) { self.config.enterprise = id.into(); }

    /// Sets the Sync token. The default is [`DEFAULT_SYNC_TOKEN`](crate::DEFAULT_SYNC_TOKEN).
    pub fn sync_token(self, token: impl Into<String>) {
        self.config.sync_tokens = vec![token.into()];
    }

    /// Accepts a further Sync token. A workspace has at most three.
    pub fn another_sync_token(self, token: impl Into<String>) {
        self.config.sync_tokens.push(token.into());
    }

    /// Sets the Async token. The default is [`DEFAULT_ASYNC_TOKEN`](crate::DEFAULT_ASYNC_TOKEN).
    pub fn async_token(self, token: impl Into<String>) {
        self.config.async_tokens = vec![token.into()];
    }

    /// Accepts a further Async token. A workspace has at most three.
    pub fn another_async_token(self, token: impl Into<String>) {
        self.config.async_tokens.push(token.into());
    }

    /// Limits the requests of each Sync token. By default, there is no limit.
    pub fn sync_limit(self, limit: RateLimit) { self.config.sync_limit = Some(limit); }

    /// Limits the requests of each Async token. By default, there is no limit, so that tests can
    /// send as many as they need. telecrm accepts 18,000 per hour (pitfall AS9).
    pub fn async_limit(self, limit: RateLimit) { self.config.async_limit = Some(limit); }

    /// Adds a rule that makes calls fail. If several rules match a call, the first one applies.
    pub fn fault(self, fault: Fault) { self.faults.push(fault); }

    /// Sets the address to listen on. The default is a free port of 127.0.0.1.
    pub fn listen(self, address: SocketAddr) { self.listen = address; }

    /// Allows [`listen`](Self::listen) to name an address that other machines can reach. The
    /// default tokens are public, so everyone on the network can then read and write all leads.
    pub fn allow_remote(self) { self.is_remote_allowed = true; }

    /// Allows requests with this host name, such as the name of a container. Can be called several
    /// times.
    ///
    /// By default, a request must name localhost or an address of this machine. Otherwise a web
    /// page could reach the emulator by a host name of its own (DNS rebinding).
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
    pub fn allow_host(self, name: impl Into<String>) { self.config.hosts.push(name.into()); }

    /// Allows web pages of every origin to call both APIs (CORS). Without it, browsers block them,
    /// as the answers lack the headers, and the log says so.
    ///
    /// Whether telecrm itself allows them is unknown. A token in a web page is public.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = telecrm_emulator::Emulator::builder().cors().start().await?;
    /// let url = format!("{}/enterprise/ent-local/metadata", emulator.sync_url());
    /// let request = reqwest::Client::new().get(url).header("Origin", "http://localhost:3000");
    /// assert_eq!(request.send().await?.headers()["access-control-allow-origin"], "*");
    /// # Ok(())
    /// # }
    /// ```
    pub fn cors(self) { self.config.cors = true; }

    /// Sets whether rows of a search have the lead's ID (pitfall LE7). By default, they do.
    pub fn search_ids(self, search_ids: SearchIds) { self.profile.search_ids = search_ids; }

    /// Sets the answers on which sources disagree. The default is [`Profile::documented`].
    pub fn profile(self, profile: Profile) { self.profile = profile; }

    /// Sets how long a queued lead waits before it is processed. The default is
    /// [`DEFAULT_PROCESSING_DELAY`](crate::DEFAULT_PROCESSING_DELAY).
    pub fn processing_delay(self, delay: Duration) { self.config.processing_delay = delay; }

    /// Sets how long a client may take to send the head of a request, and then its body. The
    /// default is [`DEFAULT_READ_TIMEOUT`](crate::DEFAULT_READ_TIMEOUT).
    ///
    /// After that time, the emulator closes a connection without the head of a request, even an
    /// idle one, and answers a request without its body with 408.
    pub fn read_timeout(self, timeout: Duration) { self.config.read_timeout = timeout; }

    /// Sets how many connections can be open at once. The default is
    /// [`DEFAULT_MAX_CONNECTIONS`](crate::DEFAULT_MAX_CONNECTIONS).
    ///
    /// The emulator closes further connections at once. It does the same if the process has no file
    /// descriptor left.
    ///
    /// ```
    /// use telecrm_emulator::{DEFAULT_MAX_CONNECTIONS, Emulator};
    ///
    /// let builder = Emulator::builder().max_connections(DEFAULT_MAX_CONNECTIONS / 2);
    /// # let _ = builder;
    /// ```
    pub fn max_connections(self, max: usize) { self.config.max_connections = max; }
}

impl Builder {
    /// Checks the settings as far as possible without starting anything.
    pub(crate) fn validate(&self) -> io::Result<()> {
        if !self.listen.ip().is_loopback() && !self.is_remote_allowed {
            return Err(refused(
                format!("other machines can reach {}", self.listen),
                "listen on 127.0.0.1, or allow remote access",
            ));
        }
        if self.state.is_some() && (self.record.is_some() || self.replay.is_some()) {
            return Err(refused(
                "a recording begins with the seed, but a state file is set too",
                "leave out the recording or the state file",
            ));
        }
        let tokens = [&self.config.sync_tokens, &self.config.async_tokens];
        if tokens.iter().any(|tokens| tokens.len() > MAX_TOKENS) {
            return Err(refused(
                "there are too many tokens of a type",
                &format!("use at most {MAX_TOKENS} tokens of each type, as a workspace does"),
            ));
        }
        if self.config.max_connections == 0 {
            return Err(refused(
                "the maximum number of connections is 0",
                "allow at least one connection",
            ));
        }
        if self.config.enterprise.is_empty() {
            return Err(refused("the enterprise ID is empty", "use an ID such as ent-local"));
        }
        for name in &self.config.hosts {
            check_name(name).map_err(invalid_input)?;
        }
        Ok(())
    }

    /// Takes over the settings of a recorded run.
    pub(crate) fn apply_header(&mut self, header: &Header) -> io::Result<()> {
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
            if !(1..=MAX_TOKENS).contains(&count) {
                return Err(refused(
                    format!(
                        "the recording is damaged in line 1: it has {count} tokens of a type \
                         instead of 1 to {MAX_TOKENS}"
                    ),
                    "make a new recording",
                ));
            }
            for index in tokens.len()..count {
                let next = format!("{}-{}", tokens[0], index + 1);
                tokens.push(next);
            }
            tokens.truncate(count);
        }
        Ok(())
    }

    /// Creates the recording, if one is wanted.
    pub(crate) fn create_recorder(&self, store: &Store) -> io::Result<Option<Recorder>> {
        let Some(path) = &self.record else {
            return Ok(None);
        };
        let values = self.profile.values().into_iter();
        let header = Header {
            version: recording::VERSION,
            enterprise: self.config.enterprise.clone(),
            sync_tokens: self.config.sync_tokens.len(),
            async_tokens: self.config.async_tokens.len(),
            sync_limit: self.config.sync_limit,
            async_limit: self.config.async_limit,
            random_seed: self.random_seed,
            profile: values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            faults: self.faults.clone(),
            seed: store.answers().to_json(),
        };
        let recorder = Recorder::create(path, &header);
        recorder.map(Some).map_err(io::Error::other)
    }

    /// Opens the store from the state file or else from the seed, and returns its clock too.
    pub(crate) fn open_store(&mut self) -> io::Result<(Store, Option<StateFile>, ClockState)> {
        let strip = self.profile.phone_blanks == PhoneBlanks::Stripped;
        let seed = self.seed.take();
        let now = self.now.map_or_else(clock::machine, Timestamp::as_millisecond);
        if let Some(seed) = &seed {
            Seed::check(seed).map_err(invalid_input)?;
        }
        #[cfg(feature = "state")]
        if let Some(path) = &self.state {
            let opened = StateFile::open(path, &self.config.enterprise, seed, strip, now);
            let (state_file, store, clock) = opened.map_err(io::Error::other)?;
            return Ok((store, Some(state_file), clock));
        }
        let seed = seed.unwrap_or_else(WorkspaceFile::sample);
        let seed = Seed::new(seed, strip).map_err(invalid_input)?;
        let store = Store::planted(seed, now).map_err(invalid_input)?;
        Ok((store, None, ClockState::default()))
    }
}

fn refused(reason: impl Into<String>, hint: &str) -> io::Error {
    invalid_input(Problem::new(reason).hint(hint))
}

pub(crate) fn invalid_input(problem: impl Into<Problem>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, SettingsError(problem.into()))
}

/// An error for settings with which no emulator can start.
///
/// [`Builder::start`] returns it inside an [`io::Error`].
///
/// ```
/// use telecrm_emulator::{Emulator, SettingsError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = Emulator::builder().enterprise("").start().await.unwrap_err();
/// let error = error.get_ref().and_then(|error| error.downcast_ref::<SettingsError>()).unwrap();
/// assert_eq!(error.hint(), Some("use an ID such as ent-local"));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(Problem);

impl_error!(SettingsError);
