//! The outbox: add leads, follow them, and decide about dead ones.

use crate::clock::{Millis, Time, millis};
use crate::engine::{self, Admission, CheckReport, NewItem, Requeued};
use crate::error::{Error, ErrorKind};
use crate::event::{Counters, Event};
use crate::export::Exported;
use crate::held::Held;
use crate::item::{Detail, Filter, Item, Kind, State};
use crate::options::{Options, WhenLossy};
use crate::store::{Memory, Tables, Writer};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use telecrm::{Country, Finding, Lead, Workspace, WorkspaceFile};
use tokio::sync::{Notify, broadcast};

/// The largest lead, as JSON.
const LARGEST: usize = 1 << 20;

/// Keeps leads until telecrm has accepted them, also across restarts.
///
/// Clones share the store. Dropping the last one loses nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::{Lead, WorkspaceFile};
/// use telecrm_outbox::{NewLead, Options, Outbox, State};
///
/// let outbox = Outbox::memory(Options::new("ent-local")).await?;
/// outbox.set_workspace(&WorkspaceFile::sample()).await?;
///
/// let lead = Lead::new().set("phone", "919999999999").set("rating", 4);
/// let first = outbox.enqueue([NewLead::new(lead.clone()).key("form-17")]).await?.remove(0)?;
/// // The same key again adds nothing.
/// let again = outbox.enqueue([NewLead::new(lead).key("form-17")]).await?.remove(0)?;
/// assert_eq!((first.seq, first.state), (again.seq, State::Queued));
/// assert!(again.repeated);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Outbox(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) writer: Writer,
    pub(crate) time: Time,
    pub(crate) options: Options,
    pub(crate) wake: Notify,
    pub(crate) events: broadcast::Sender<Event>,
    workspace: Mutex<Option<Arc<Workspace>>>,
    counters: Mutex<Counters>,
    repaired: CheckReport,
}

/// A lead to be added.
#[derive(Clone)]
pub struct NewLead {
    lead: Lead,
    key: Option<String>,
    findings: Option<Vec<Finding>>,
    maybe: bool,
    /// The digest of the lead as it was written, if that is not the lead that is sent.
    digest: Option<u128>,
}

impl NewLead {
    /// A lead without a key. The outbox checks it.
    pub fn new(lead: Lead) -> Self {
        Self { lead, key: None, findings: None, maybe: false, digest: None }
    }

    /// A lead that the caller has checked and repaired. It is queued as it is, with these findings.
    pub fn checked(lead: Lead, findings: Vec<Finding>) -> Self {
        Self { findings: Some(findings), ..Self::new(lead) }
    }

    /// A key by which the outbox recognizes the lead if it is added again.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the key of a row of a file, so that the row is known if the file is added again: a hash
    /// of the path, of the lead as the file has it, and of how often it stood in earlier rows.
    ///
    /// ```
    /// use telecrm::Lead;
    /// use telecrm_outbox::NewLead;
    ///
    /// let written = Lead::new().set("phone", "+91 99999 99999");
    /// let repaired = Lead::new().set("phone", "919999999999");
    /// let new = NewLead::checked(repaired, Vec::new()).key_in_file("/leads.csv", &written, 0);
    /// ```
    #[must_use]
    pub fn key_in_file(mut self, path: &str, written: &Lead, occurrence: u64) -> Self {
        let text = serde_json::to_string(written).unwrap_or_default();
        self.digest = Some(digest(&text));
        let row = digest(&format!("{occurrence}\n{path}\n{text}"));
        self.key(format!("row-{row:032x}"))
    }

    /// Says that the lead may have been sent before, so that its actions are looked for first.
    #[must_use]
    pub fn maybe_sent(mut self) -> Self {
        self.maybe = true;
        self
    }
}

/// Shows neither the lead nor its key.
impl std::fmt::Debug for NewLead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewLead").field("maybe", &self.maybe).finish_non_exhaustive()
    }
}

impl From<Lead> for NewLead {
    fn from(lead: Lead) -> Self {
        Self::new(lead)
    }
}

/// The durable acknowledgement of a lead.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The number of the item.
    pub seq: u64,
    /// Its state when the receipt was made.
    pub state: State,
    /// Whether the key was known, so that nothing was added.
    pub repeated: bool,
    /// What the check found. Empty for a repeated lead.
    pub findings: Vec<Finding>,
}

/// The numbers of an outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    counts: crate::store::Counts,
    /// Why nothing can be sent at present, if the worker has met a fault that is not a lead's.
    pub held: Option<Held>,
    /// Why sending is paused.
    pub paused: Option<String>,
    /// For how long the lead that is read back next has been due. None if none is due.
    pub verification_behind: Option<Duration>,
    /// What was repaired when the outbox was opened.
    pub repaired: CheckReport,
    /// What happened in this process.
    pub counters: Counters,
    /// The bytes of the log that is not part of the file yet.
    pub log_bytes: u64,
}

impl Stats {
    /// How many items are in this state.
    pub fn count(&self, state: State) -> u64 {
        self.counts[usize::from(state.code())]
    }

    /// How many items wait to be sent or are being sent.
    pub fn waiting(&self) -> u64 {
        self.count(State::Queued) + self.count(State::InFlight)
    }

    /// How many items were accepted and are not read back yet.
    pub fn unverified(&self) -> u64 {
        self.count(State::Accepted)
    }

    /// What needs the attention of an operator, as sentences.
    pub fn warnings(&self) -> Vec<String> {
        const LONGEST_LOG: u64 = 64 << 20;
        let mut warnings = Vec::new();
        if self.log_bytes > LONGEST_LOG {
            let megabytes = self.log_bytes >> 20;
            warnings.push(format!(
                "the log of the file has {megabytes} MB: a program that reads the file keeps it \
                 from shrinking"
            ));
        }
        warnings
    }
}

/// A stream of events. If it is not read, the oldest events are dropped.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event. Returns None once the outbox is closed.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Outbox {
    /// Opens an outbox that ends with the process.
    ///
    /// # Errors
    /// Returns an error if the country or the time zone is unknown.
    pub async fn memory(options: Options) -> Result<Self, Error> {
        Self::start(Box::new(Memory::default()), options).await
    }

    /// Opens a store by its URL, such as `sqlite:leads.outbox`. A missing file is created, readable
    /// for its owner only.
    ///
    /// # Errors
    /// Returns an error if the store cannot be used, is newer than this program, lies on a network
    /// file system, or belongs to another enterprise, country or time zone.
    #[cfg(feature = "sqlite")]
    pub async fn open(url: &str, options: Options) -> Result<Self, Error> {
        let tables = crate::store::Sqlite::open(path_of(url)?.as_ref(), options.max_pages)?;
        Self::start(Box::new(tables), options).await
    }

    /// Reads what can be read from a damaged file, without changing it. Calls `found` for each
    /// item, and returns how many could not be read.
    ///
    /// # Errors
    /// Returns an error if nothing can be read.
    #[cfg(feature = "sqlite")]
    pub fn recover(url: &str, mut found: impl FnMut(Exported)) -> Result<u64, Error> {
        crate::store::salvage(path_of(url)?.as_ref(), &mut |item| found(item.into()))
    }

    async fn start(tables: Box<dyn Tables>, mut options: Options) -> Result<Self, Error> {
        let time = Time::new(Arc::clone(&options.clock));
        let now = time.now();
        let writer = Writer::start(tables)?;
        let owner = [
            ("enterprise", options.enterprise.clone()),
            ("country", options.country.clone()),
            ("time_zone", options.time_zone.clone()),
        ];
        let adopts = options.adopts;
        let opened = writer.run(move |tables| {
            let mut settings = Vec::new();
            for (name, value) in owner {
                let known = tables.setting(name)?;
                if adopts && known.is_none() {
                    let error = Error::of_store(ErrorKind::OtherWorkspace, "has no workspace yet");
                    return Err(error.with_hint("open it with the ID of an enterprise first"));
                }
                match known.clone().filter(|_| !adopts) {
                    Some(known) if known != value => {
                        let name = name.replace('_', " ");
                        let message = format!("belongs to the {name} `{known}`, not `{value}`");
                        return Err(Error::of_store(ErrorKind::OtherWorkspace, message).with_hint(
                            "open it with the settings it was made with, or use another",
                        ));
                    }
                    None if known.is_none() => tables.put_setting(name, Some(&value))?,
                    _ => {}
                }
                settings.push(known.unwrap_or(value));
            }
            Ok((engine::repair(tables, now)?, tables.setting("workspace")?, settings))
        });
        let (repaired, file, settings) = opened.await?;
        if let Ok([enterprise, country, time_zone]) = <[String; 3]>::try_from(settings) {
            options = Options { enterprise, country, time_zone, ..options };
        }
        let workspace = file.map(|text| read_workspace(&text, &options)).transpose()?;
        Ok(Self(Arc::new(Inner {
            writer,
            time,
            options,
            wake: Notify::new(),
            events: broadcast::channel(1024).0,
            workspace: Mutex::new(workspace.map(Arc::new)),
            counters: Mutex::default(),
            repaired,
        })))
    }

    /// Sets the workspace against which leads are checked, and keeps it in the store. Waiting leads
    /// are checked again: their findings change, but none of them dies.
    ///
    /// # Errors
    /// Returns an error if the file is no workspace. If the lead identifier is another one while
    /// leads wait, sending is paused and the old workspace stays.
    pub async fn set_workspace(&self, file: &WorkspaceFile) -> Result<(), Error> {
        let text = file.to_json().to_string();
        let workspace = Arc::new(read_workspace(&text, &self.0.options)?);
        let identifier = workspace.identifier().api_name().to_owned();
        let (new_identifier, new_text) = (identifier.clone(), text.clone());
        let compared = self.0.writer.run(move |tables| {
            if tables.setting("workspace")?.as_ref() == Some(&new_text) {
                return Ok(None);
            }
            let known = tables.setting("identifier")?;
            let changed = known.filter(|known| *known != new_identifier);
            let counts = tables.counts()?;
            if let Some(known) = changed.filter(|_| counts[..3].iter().sum::<u64>() > 0) {
                let reason =
                    format!("the lead identifier changed from `{known}` to `{new_identifier}`");
                tables.put_setting("paused", Some(&reason))?;
                return Ok(Some(Err(reason)));
            }
            Ok(Some(Ok(())))
        });
        let changed = compared.await?;
        if let Some(Err(reason)) = changed {
            let hint = "resume to send what waits with the old identifier, or export and add again";
            return Err(Error::new(ErrorKind::OtherWorkspace, reason).with_hint(hint));
        }
        if changed.is_some() {
            // In many transactions, because others wait meanwhile.
            let mut after = 0;
            while let Some(last) = self.check_again(&workspace, after).await? {
                after = last;
            }
            let store = move |tables: &mut dyn Tables| {
                tables.put_setting("identifier", Some(&identifier))?;
                tables.put_setting("workspace", Some(&text))
            };
            self.0.writer.run(store).await?;
        }
        *self.0.workspace.lock().unwrap_or_else(PoisonError::into_inner) = Some(workspace);
        Ok(())
    }

    /// Checks leads and adds them. Returns once they are durable, with one result per lead in the
    /// same order. Leads that are refused do not keep the others from being added.
    ///
    /// # Errors
    /// Returns an error if the workspace is unknown, or if the store or its disk is full or fails.
    /// Then nothing was added. The result of a lead is an error if the lead has no valid
    /// identifier, if telecrm would drop a part of it ([`Options::when_lossy`]), if its key was
    /// used for another lead, or if the outbox is full.
    pub async fn enqueue<L: Into<NewLead>>(
        &self,
        leads: impl IntoIterator<Item = L>,
    ) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let workspace = self.workspace()?;
        let checked = leads.into_iter().map(|lead| {
            let new = self.check_lead(&workspace, lead.into())?;
            Ok((new.findings.clone(), new))
        });
        let (now, capacity) = (self.0.time.now(), self.0.options.capacity);
        self.add(checked.collect(), move |tables, new| engine::enqueue(tables, now, capacity, new))
            .await
    }

    /// Adds items of another store. Those that wait there wait here, in the order given, and the
    /// others keep their state. Returns like [`enqueue`](Self::enqueue).
    ///
    /// # Errors
    /// Returns an error as `enqueue` does. The result of an item is an error if its lead is missing
    /// or has no valid identifier, or if its key was used for another lead.
    pub async fn import(
        &self,
        items: impl IntoIterator<Item = Exported>,
    ) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let workspace = self.workspace()?;
        let items = items.into_iter().map(|exported| {
            let text = serde_json::to_string(&exported.lead).unwrap_or_default();
            let lead_key = match &exported.lead {
                Some(lead) => lead_key(&workspace, lead)?,
                None if exported.state.is_open() || exported.key.is_none() => {
                    let error = Error::new(ErrorKind::Lead, "the item has no lead");
                    return Err(error.with_hint("export the items again, or leave this one out"));
                }
                None => String::new(),
            };
            let digest = exported.digest().unwrap_or_else(|| digest(&text));
            let detail = Detail {
                maybe: exported.maybe,
                findings: exported.findings.clone(),
                reason: exported.reason,
                ..Detail::default()
            };
            let (key, lead, state) = (exported.key, exported.lead, exported.state);
            let item = Item { seq: 0, lead_key, key, lead, state, digest, settled: None, detail };
            Ok((exported.findings, item))
        });
        let now = self.0.time.now();
        self.add(items.collect(), move |tables, items| {
            items.into_iter().map(|item| engine::import(tables, now, item)).collect()
        })
        .await
    }

    /// The items after this number as they go to another store, with the number of each.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn export(&self, after: u64, limit: usize) -> Result<Vec<(u64, Exported)>, Error> {
        let items = self.list(Filter::new(), after, limit).await?;
        Ok(items.into_iter().map(|item| (item.seq, item.into())).collect())
    }

    /// Adds what is valid, unless the disk is nearly full.
    async fn add<T: Send + 'static>(
        &self,
        checked: Vec<Result<(Vec<Finding>, T), Error>>,
        add: impl FnOnce(&mut dyn Tables, Vec<T>) -> Result<Vec<Admission>, Error> + Send + 'static,
    ) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let mut new = Vec::new();
        let checked = checked.into_iter().map(|lead| {
            lead.map(|(findings, lead)| {
                new.push(lead);
                findings
            })
        });
        let checked: Vec<_> = checked.collect();
        let low_water = self.0.options.low_water;
        let added = self.0.writer.run(move |tables| {
            if tables.free_space().is_some_and(|free| free < low_water) {
                let message = "is on a disk that is nearly full, so nothing was queued";
                return Err(Error::of_store(ErrorKind::Full, message)
                    .with_hint("free some space; sending goes on meanwhile"));
            }
            add(tables, new)
        });
        let admissions = added.await?;
        let queued =
            admissions.iter().filter(|admission| matches!(admission, Admission::Queued(_)));
        self.tell(Event::Queued(queued.count()));
        self.0.wake.notify_one();
        let mut admissions = admissions.into_iter();
        let receipts = checked.into_iter().map(|findings| {
            let closed = || Error::new(ErrorKind::Closed, "the outbox is closed");
            let findings = findings?;
            receipt(admissions.next().ok_or_else(closed)?, findings)
        });
        Ok(receipts.collect())
    }

    /// The workspace against which leads are checked: the last one that was set, also by an earlier
    /// process. None in a new store.
    ///
    /// ```
    /// # async fn example() -> Result<(), telecrm_outbox::Error> {
    /// use telecrm::WorkspaceFile;
    /// use telecrm_outbox::{Options, Outbox};
    ///
    /// let outbox = Outbox::memory(Options::new("enterprise-id")).await?;
    /// assert!(outbox.known_workspace().is_none());
    /// outbox.set_workspace(&WorkspaceFile::sample()).await?;
    /// assert!(outbox.known_workspace().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn known_workspace(&self) -> Option<Arc<Workspace>> {
        self.0.workspace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn workspace(&self) -> Result<Arc<Workspace>, Error> {
        self.known_workspace().ok_or_else(|| {
            let error = Error::new(ErrorKind::OtherWorkspace, "the outbox has no workspace");
            error.with_hint("set the workspace first, so that leads can be checked")
        })
    }

    fn check_lead(&self, workspace: &Workspace, new: NewLead) -> Result<NewItem, Error> {
        let lossy = |error: telecrm::CheckError| {
            let lead = Error::new(ErrorKind::Lead, error.to_string());
            match error.hint() {
                Some(hint) => lead.with_hint(hint),
                None => lead,
            }
        };
        let text = serde_json::to_string(&new.lead).unwrap_or_default();
        if text.len() > LARGEST {
            let message = format!("the lead has {} bytes, more than {LARGEST}", text.len());
            return Err(Error::new(ErrorKind::Lead, message).with_hint("leave large values out"));
        }
        let (lead, findings) = match new.findings {
            Some(findings) => (new.lead, findings),
            None => {
                let checked = workspace.check(&new.lead);
                let findings = checked.report().to_vec();
                let lead = match self.0.options.when_lossy {
                    WhenLossy::Refuse => checked.complete().map_err(lossy)?,
                    WhenLossy::QueueValid => checked.accept_partial().map_err(lossy)?,
                    WhenLossy::QueueAsIs => new.lead,
                };
                (lead, findings)
            }
        };
        let lead_key = lead_key(workspace, &lead)?;
        let (key, maybe) = (new.key, new.maybe);
        let digest = new.digest.unwrap_or_else(|| digest(&text));
        Ok(NewItem { lead_key, key, digest, lead, findings, maybe })
    }

    /// Renews the findings of some waiting items. Returns the number of the last.
    async fn check_again(
        &self,
        workspace: &Arc<Workspace>,
        after: u64,
    ) -> Result<Option<u64>, Error> {
        let workspace = Arc::clone(workspace);
        let check = move |tables: &mut dyn Tables| {
            let items = tables.items(&Filter::new().state(State::Queued), after, 500)?;
            for mut item in items.iter().cloned() {
                let Some(lead) = &item.lead else { continue };
                let findings = workspace.check(lead).report().to_vec();
                if findings != item.detail.findings {
                    item.detail.findings = findings;
                    tables.update(&item)?;
                }
            }
            Ok(items.last().map(|item| item.seq))
        };
        self.0.writer.run(check).await
    }

    /// An item by its number.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn get(&self, seq: u64) -> Result<Option<Item>, Error> {
        self.0.writer.run(move |tables| tables.item(seq)).await
    }

    /// An item by its key.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn find(&self, key: &str) -> Result<Option<Item>, Error> {
        let key = key.to_owned();
        self.0.writer.run(move |tables| tables.item_by_key(&key)).await
    }

    /// The items after this number, in order. Begin with 0, and go on with the last number.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn list(&self, filter: Filter, after: u64, limit: usize) -> Result<Vec<Item>, Error> {
        self.0.writer.run(move |tables| tables.items(&filter, after, limit)).await
    }

    /// Cancels an item. Returns its state: an item in flight stays so until its answer comes, and
    /// is not repeated.
    ///
    /// # Errors
    /// Returns an error if the item does not wait.
    pub async fn cancel(&self, seq: u64) -> Result<State, Error> {
        let now = self.0.time.now();
        self.0.writer.run(move |tables| engine::cancel(tables, now, seq)).await
    }

    /// Gives a dead item up.
    ///
    /// # Errors
    /// Returns an error if the item is not dead.
    pub async fn discard(&self, seq: u64) -> Result<(), Error> {
        let now = self.0.time.now();
        self.0.writer.run(move |tables| engine::discard(tables, now, seq)).await
    }

    /// Replaces the lead of a dead item. The item stays dead until it is
    /// [queued again](Self::requeue).
    ///
    /// # Errors
    /// Returns an error if the item is not dead, or as [`enqueue`](Self::enqueue) does for a lead.
    pub async fn edit(&self, seq: u64, lead: Lead) -> Result<Vec<Finding>, Error> {
        let workspace = self.workspace()?;
        let new = self.check_lead(&workspace, NewLead::new(lead))?;
        let findings = new.findings.clone();
        self.0.writer.run(move |tables| engine::edit(tables, seq, &new)).await?;
        Ok(findings)
    }

    /// Queues a dead item again, as a new item behind all others of its lead. Does nothing if it
    /// would overwrite newer values.
    ///
    /// # Errors
    /// Returns an error if the item is not dead, or pruned.
    pub async fn requeue(&self, seq: u64) -> Result<Requeued, Error> {
        self.queue_again(seq, false).await
    }

    /// Queues a dead item again, even if it overwrites newer values.
    ///
    /// # Errors
    /// Returns an error if the item is not dead, or pruned.
    pub async fn requeue_overwriting(&self, seq: u64) -> Result<Requeued, Error> {
        self.queue_again(seq, true).await
    }

    async fn queue_again(&self, seq: u64, overwrite: bool) -> Result<Requeued, Error> {
        let now = self.0.time.now();
        let work = move |tables: &mut dyn Tables| engine::requeue(tables, now, seq, overwrite);
        let requeued = self.0.writer.run(work).await?;
        self.0.wake.notify_one();
        Ok(requeued)
    }

    /// Makes all accepted leads due to be read back, as fast as the rate limit allows. Returns how
    /// many were not due yet.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn verify_now(&self) -> Result<usize, Error> {
        let now = self.0.time.now();
        let count =
            self.0.writer.run(move |tables| tables.bring_forward(Kind::Verify, now)).await?;
        self.0.wake.notify_one();
        Ok(count)
    }

    /// Stops sending, for every process, until [`resume`](Self::resume). Leads can still be added.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn pause(&self, reason: &str) -> Result<(), Error> {
        let reason = reason.to_owned();
        self.0.writer.run(move |tables| tables.put_setting("paused", Some(&reason))).await
    }

    /// Sends again after a [`pause`](Self::pause).
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn resume(&self) -> Result<(), Error> {
        self.0.writer.run(|tables| tables.put_setting("paused", None)).await?;
        self.0.wake.notify_one();
        Ok(())
    }

    /// The numbers of the outbox. They are kept, not counted, so this is quick.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let repaired = self.0.repaired.clone();
        let counters = *self.0.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.time.now();
        let read = move |tables: &mut dyn Tables| {
            let due = tables.next_due(Kind::Verify)?.filter(|due| *due < now);
            let behind = due.map(|due| (now - due).unsigned_abs());
            Ok(Stats {
                counts: tables.counts()?,
                held: tables.setting("held")?.and_then(|text| Held::from_text(&text)),
                paused: tables.setting("paused")?,
                verification_behind: behind.map(Duration::from_millis),
                repaired,
                counters,
                log_bytes: tables.log_bytes(),
            })
        };
        self.0.writer.run(read).await
    }

    /// Removes the leads of items that were done before `age`, and makes the file smaller. Returns
    /// how many leads were removed.
    ///
    /// Items that wait, are dead, were not read back or were not found are kept. Keys are known for
    /// [`Options::keep_keys`].
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn prune(&self, age: Duration) -> Result<u64, Error> {
        let now = self.0.time.now();
        let before = now - millis(age);
        let keys_before: Millis = before.min(now - millis(self.0.options.keep_keys));
        let prune = move |tables: &mut dyn Tables| engine::prune(tables, before, keys_before);
        let pruned = self.0.writer.run(prune).await?;
        self.0.writer.run(|tables| tables.compact()).await?;
        Ok(pruned)
    }

    /// Checks the store, and repairs items without a lane and lanes without items.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn check(&self) -> Result<CheckReport, Error> {
        let now = self.0.time.now();
        let report = self.0.writer.run(move |tables| engine::repair(tables, now)).await?;
        let file = self.0.writer.run(|tables| tables.compact()).await?;
        Ok(CheckReport { file, ..report })
    }

    /// The events of this process from now on.
    pub fn events(&self) -> Events {
        Events(self.0.events.subscribe())
    }

    pub(crate) fn tell(&self, event: Event) {
        self.0.counters.lock().unwrap_or_else(PoisonError::into_inner).count(&event);
        // Listening is optional.
        let _ = self.0.events.send(event);
    }
}

#[cfg(feature = "sqlite")]
fn path_of(url: &str) -> Result<&str, Error> {
    url.strip_prefix("sqlite:").ok_or_else(|| {
        let error = Error::new(ErrorKind::Store, format!("unknown store `{url}`"));
        error.with_hint("write `sqlite:` and the path of a file")
    })
}

fn receipt(admission: Admission, findings: Vec<Finding>) -> Result<Receipt, Error> {
    let (seq, state, repeated) = match admission {
        Admission::Queued(seq) => (seq, State::Queued, false),
        Admission::Merged(seq, _) => (seq, State::Merged, false),
        Admission::Imported(seq, state) => (seq, state, false),
        Admission::Duplicate(seq, state) => (seq, state, true),
        Admission::KeyReused(seq) => {
            let message = format!("the key was used for another lead, item {seq}");
            return Err(Error::new(ErrorKind::KeyReused, message)
                .with_hint("use a new key for a lead with other values"));
        }
        Admission::Full => {
            let error = Error::new(ErrorKind::Full, "the outbox is full: too many leads wait");
            return Err(error.with_hint("add the lead again later, or raise the capacity"));
        }
    };
    let findings = if repeated { Vec::new() } else { findings };
    Ok(Receipt { seq, state, repeated, findings })
}

fn read_workspace(text: &str, options: &Options) -> Result<Workspace, Error> {
    let unfit = |error: String| Error::new(ErrorKind::OtherWorkspace, error);
    let json = serde_json::from_str(text).map_err(|error| unfit(error.to_string()))?;
    let file = WorkspaceFile::from_json(json).map_err(|error| unfit(format!("{error:#}")))?;
    let workspace = Workspace::from_file(&file).map_err(|error| unfit(format!("{error:#}")))?;
    let country: Country =
        options.country.parse().map_err(|error: telecrm::CountryError| unfit(error.to_string()))?;
    let zone = jiff::tz::TimeZone::get(&options.time_zone)
        .map_err(|error| unfit(format!("unknown time zone: {error}")))?;
    Ok(workspace.with_default_country(country).with_time_zone(zone))
}

/// The key by which telecrm finds the lead.
fn lead_key(workspace: &Workspace, lead: &Lead) -> Result<String, Error> {
    let identifier = workspace.identifier().api_name();
    let key = lead.get(identifier).and_then(|value| workspace.identifier_key(value));
    key.ok_or_else(|| {
        let error = Error::new(ErrorKind::Lead, format!("the lead has no valid `{identifier}`"));
        error.with_hint("add the identifier: telecrm drops leads without one (AS2)")
    })
}

/// FNV-1a with 128 bits. It is the same in every version of this crate.
fn digest(text: &str) -> u128 {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    text.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
