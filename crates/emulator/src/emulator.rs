//! The handle of a running emulator.

use crate::app::App;
use crate::background::Queue;
use crate::builder::{Builder, invalid_input};
use crate::clock::{self, ClockError};
use crate::faults::rate_limit::Limiter;
use crate::faults::rules::Faults;
use crate::faults::{Fault, FaultError};
use crate::http::connection;
use crate::log::exchange::ReceivedRequest;
use crate::log::{Log, LogEntry};
use crate::operations::SYNC_BASE;
use crate::profile::Profile;
use crate::readiness::reachable;
use crate::recording::RecordingError;
use crate::replay::{self, Difference};
use crate::router::router;
use crate::shared::Shared;
use crate::store::BuiltInEntry;
use crate::store::session::SharedStore;
use jiff::Timestamp;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};

/// How long [`Emulator::shutdown`] waits for requests in flight.
const GRACE: Duration = Duration::from_secs(5);

/// A running emulator. Dropping it stops it.
///
/// The emulator runs on the tokio runtime on which it was started.
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
/// // Save the state, make calls fail, and return to the saved state.
/// let empty = emulator.snapshot();
/// emulator.fault(Fault::reset_after().on("createLead"))?;
/// // … run the client under test …
/// emulator.wait_idle().await; // all pushed leads are processed
/// emulator.clear_faults();
/// assert!(emulator.restore(empty));
/// assert!(emulator.log(0).is_empty());
/// emulator.reset();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulator {
    pub(crate) app: App,
    differences: Vec<Difference>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    worker: AbortHandle,
}

impl Builder {
    /// Starts the emulator.
    ///
    /// # Errors
    /// Returns an error if the emulator cannot listen on the address, or if a setting is invalid:
    /// an address that other machines can reach without [`allow_remote`](Self::allow_remote), a
    /// seed that is not a workspace, an impossible fault, time or host name, an empty enterprise
    /// ID, no connection, or more than three tokens of a type.
    ///
    /// The error contains a [`SettingsError`](crate::SettingsError) if a setting is invalid, a
    /// [`StateError`](crate::StateError) if the state file cannot be used, and a
    /// [`RecordingError`] if the recording cannot be created. Print it with `{:#}` to see the hint.
    pub async fn start(mut self) -> io::Result<Emulator> {
        self.validate()?;
        let recording = self.replay.take();
        if let Some(recording) = &recording {
            self.apply_header(&recording.header)?;
        }
        let faults = Faults::new(self.random_seed);
        faults.add(self.faults.clone()).map_err(invalid_input)?;
        let (store, state_file, clock) = self.open_store()?;
        let shared_store = SharedStore::new(store, state_file, clock);
        if let Some(now) = self.now {
            let changed = shared_store.change_clock(|clock| clock.at(now.as_millisecond()));
            changed.map_err(invalid_input)?;
        }
        let listener = TcpListener::bind(self.listen).await?;
        let recorder = self.create_recorder(&shared_store.session())?;
        let local = listener.local_addr()?;
        let (queue, worker) = Queue::new();
        let shared = Arc::new(Shared {
            sync_limiter: Limiter::new(self.config.sync_limit),
            async_limiter: Limiter::new(self.config.async_limit),
            config: self.config,
            profile: Mutex::new(self.profile),
            shared_store,
            recorder: recorder.map(Arc::new),
            snapshots: Mutex::default(),
            resets: watch::Sender::default(),
            log: Log::default(),
            faults,
        });
        let app = App { shared: Arc::clone(&shared), queue: Arc::new(queue) };
        let router = router(app.clone(), local);
        let differences = match recording {
            Some(recording) => replay::run(&app, router.clone(), local, &recording).await,
            None => Vec::new(),
        };
        app.queue.open(&app.store());
        let (stop, stopped) = oneshot::channel();
        let (timeout, max) = (app.config.read_timeout, app.config.max_connections);
        let server = connection::serve(listener, router, timeout, max, stopped);
        Ok(Emulator {
            app,
            differences,
            address: reachable(local),
            stop: Some(stop),
            server: tokio::spawn(server),
            worker: tokio::spawn(worker.run(shared)).abort_handle(),
        })
    }
}

impl Emulator {
    /// Starts an emulator with the vendor's sample workspace on a free port of this machine.
    ///
    /// # Errors
    /// Returns an error if no port is free.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The address for clients on this machine, such as `http://127.0.0.1:4010`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL of the Sync API.
    pub fn sync_url(&self) -> String {
        format!("{}{SYNC_BASE}", self.url())
    }

    /// The base URL of the Async API.
    pub fn async_url(&self) -> String {
        self.url()
    }

    /// Five `export` lines for a shell that point a client at this emulator. They have the first
    /// token of each type.
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

    /// The accepted enterprise ID.
    pub fn enterprise(&self) -> &str {
        &self.app.config.enterprise
    }

    /// The first accepted Sync token.
    pub fn sync_token(&self) -> &str {
        &self.app.config.sync_tokens[0]
    }

    /// The first accepted Async token.
    pub fn async_token(&self) -> &str {
        &self.app.config.async_tokens[0]
    }

    /// A client for this emulator, without rate limits.
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
        self.client_builder().build().expect("the emulator's addresses and tokens are valid")
    }

    /// The builder behind [`client`](Self::client), for tests with further settings.
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

    /// Waits until all leads that the Async API has accepted so far are processed.
    ///
    /// Does not wait for leads that a [`Fault`] postpones until the next lead, or forever.
    pub async fn wait_idle(&self) {
        self.app.queue.wait_idle().await;
    }

    /// The calls after this number, from the oldest to the newest. The log keeps 10,000 calls.
    pub fn log(&self, since: u64) -> Vec<LogEntry> {
        self.app.log.since(since)
    }

    /// The requests after this number, from the oldest to the newest. The log keeps 64 MB of them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let emulator = telecrm_emulator::Emulator::start().await?;
    /// // … run the code under test …
    /// let pushed = emulator.received(0).into_iter().filter(|request| request.method == "POST");
    /// assert_eq!(pushed.filter_map(|request| request.json()).count(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn received(&self, since: u64) -> Vec<ReceivedRequest> {
        self.app.log.received(since)
    }

    /// Adds an entry to a lead's timeline that only telecrm itself can create: a call, a message or
    /// a note. Returns the entry's ID.
    ///
    /// The entry has the form in which the Sync API returns it: `type`, and keys such as
    /// `employeeid` (the performer), `creationTimestamp` and `duration`.
    ///
    /// Returns None if there is no lead with this ID, if clients can create entries of this type,
    /// or if the time is not in Unix milliseconds.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// let lead = telecrm::Lead::new().set("phone", "919999999999");
    /// let created = emulator.client().leads().create(&lead).await?.complete()?;
    /// let call = serde_json::json!({
    ///     "type": "OUTGOING_CALL", "employeeid": "jane.doe@example.com", "duration": 42,
    /// });
    /// assert!(emulator.add_timeline_entry(created.lead_id.as_str(), call).is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_timeline_entry(&self, lead: &str, entry: serde_json::Value) -> Option<String> {
        let entry = BuiltInEntry::from_json(entry).ok()?;
        self.app.store().append_built_in(lead, entry)
    }

    /// The calls of the [replayed recording](Builder::replay) whose answers differ from the
    /// recorded ones.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Writes everything to the [recording](Builder::record) for which the disk had no room
    /// earlier. Does nothing without a recording.
    ///
    /// # Errors
    /// Returns an error if the recording is still incomplete.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("flush-{}.jsonl", std::process::id()));
    /// let emulator = telecrm_emulator::Emulator::builder().record(&file).start().await?;
    /// // … run the code under test …
    /// emulator.flush_recording()?;
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn flush_recording(&self) -> Result<(), RecordingError> {
        match &self.app.recorder {
            Some(recorder) => recorder.flush(),
            None => Ok(()),
        }
    }

    /// Adds a rule that makes calls fail from now on.
    ///
    /// # Errors
    /// Returns an error if the rule is invalid.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.app.faults.add(vec![fault])
    }

    /// Removes all rules that make calls fail.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// The time in the workspace. It is the machine's unless a test has set it.
    pub fn now(&self) -> Timestamp {
        // The clock refuses times that a timestamp cannot hold.
        Timestamp::from_millisecond(self.app.shared_store.now()).unwrap_or_default()
    }

    /// Sets the time in the workspace.
    ///
    /// This time decides on `created_on` and similar fields, on new IDs, and on the hour of a
    /// [`RateLimit`](crate::RateLimit). Delays, such as that of a queued lead, take real time.
    ///
    /// A lead is never older than the lead before it: after the clock was set back, new leads have
    /// the time of the newest one.
    ///
    /// # Errors
    /// Returns an error if the time is before 1970 or after 2106.
    pub fn set_clock(&self, now: Timestamp) -> Result<(), ClockError> {
        let now = now.as_millisecond();
        self.app.shared_store.change_clock(|clock| clock.at(now))
    }

    /// Moves the time in the workspace forward.
    ///
    /// # Errors
    /// Returns an error if the new time is after 2106.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use telecrm_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.pause_clock();
    /// emulator.set_clock("2026-04-01T00:00:00Z".parse()?)?;
    /// emulator.advance_clock(Duration::from_secs(3600))?;
    /// assert_eq!(emulator.now(), "2026-04-01T01:00:00Z".parse()?);
    /// emulator.resume_clock();
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance_clock(&self, by: Duration) -> Result<(), ClockError> {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.app.shared_store.change_clock(|clock| clock.advanced(millis))
    }

    /// Pauses the clock of the workspace.
    pub fn pause_clock(&self) {
        self.app.shared_store.pause_clock();
    }

    /// Lets the clock of the workspace run on from its current time.
    pub fn resume_clock(&self) {
        self.app.shared_store.resume_clock();
    }

    /// The answers on which sources disagree.
    pub fn profile(&self) -> Profile {
        self.app.profile()
    }

    /// Sets the answers on which sources disagree, from the next call on.
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

    /// Saves the state of the workspace in memory. Returns its number for
    /// [`restore`](Self::restore).
    pub fn snapshot(&self) -> usize {
        self.app.snapshot()
    }

    /// Returns to a saved state. The queue is emptied, and the clock runs on. Returns false if
    /// there is no snapshot with this number.
    pub fn restore(&self, snapshot: usize) -> bool {
        self.app.restore(snapshot)
    }

    /// Returns to the seed, and clears the queue and the log. Faults and rate limits stay, and
    /// count from zero again. The profile and the clock stay too.
    pub fn reset(&self) {
        self.app.reset();
    }

    /// Stops the emulator, and waits until its port and its state file are free.
    pub async fn shutdown(mut self) {
        self.stop.take();
        self.app.log.close();
        if clock::within(GRACE, &mut self.server).await.is_none() {
            self.server.abort();
        }
        // Dropping the emulator closes the state file.
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Dropping `stop` stops the server.
        self.worker.abort();
        self.app.log.close();
        self.app.shared_store.close();
    }
}
