//! A clock that stands still, a sender with scripted answers, and both stores.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use telecrm::{Clock, CustomAction, Lead, WorkspaceFile};
use telecrm_outbox::{
    Answer, Arrival, Error, NewLead, Options, Outbox, ReadBack, Receipt, Sender, Worker,
};
use tokio::sync::watch;

/// A clock that moves only if a test moves it.
#[derive(Clone)]
pub(crate) struct TestClock {
    start: Instant,
    date: Arc<Mutex<SystemTime>>,
    passed: Arc<watch::Sender<Duration>>,
}

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "the start of a clock of tests")]
    pub(crate) fn new() -> Self {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let passed = Arc::new(watch::channel(Duration::ZERO).0);
        Self { start: Instant::now(), date: Arc::new(Mutex::new(date)), passed }
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.passed.send_modify(|passed| *passed += duration);
        *self.date.lock().unwrap() += duration;
    }

    pub(crate) fn seconds(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// Waits until something sleeps on this clock.
    pub(crate) async fn sleeper(&self) {
        while self.passed.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Sets the date of the machine forward or back.
    pub(crate) fn step_date(&self, change: impl Fn(SystemTime) -> SystemTime) {
        let mut date = self.date.lock().unwrap();
        *date = change(*date);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + *self.passed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut passed = self.passed.subscribe();
        let end = *passed.borrow() + duration;
        Box::pin(async move {
            // The clock outlives the test.
            let _ = passed.wait_for(|passed| *passed >= end).await;
        })
    }

    fn date(&self) -> SystemTime {
        *self.date.lock().unwrap()
    }
}

type Rule<T> = Box<dyn FnMut(&Lead) -> T + Send>;

/// A sender whose answers a test decides. Clones share them.
#[derive(Clone)]
pub(crate) struct Script(Arc<Inner>);

struct Inner {
    slots: Vec<String>,
    answer: Mutex<Rule<Option<Answer>>>,
    arrived: Mutex<Rule<Arrival>>,
    read_back: Mutex<Rule<ReadBack>>,
    sent: Mutex<Vec<(String, String, String)>>,
    refused_slot: Mutex<Option<String>>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::with_slots(&["a"])
    }

    pub(crate) fn with_slots(slots: &[&str]) -> Self {
        Self(Arc::new(Inner {
            slots: slots.iter().map(|slot| (*slot).to_owned()).collect(),
            answer: Mutex::new(Box::new(|_| Some(Answer::Accepted))),
            arrived: Mutex::new(Box::new(|_| Arrival::NotThere)),
            read_back: Mutex::new(Box::new(|_| ReadBack::Stored)),
            sent: Mutex::default(),
            refused_slot: Mutex::default(),
        }))
    }

    /// Answers from now on. `None` never answers.
    pub(crate) fn answer(&self, rule: impl FnMut(&Lead) -> Option<Answer> + Send + 'static) {
        *self.0.answer.lock().unwrap() = Box::new(rule);
    }

    pub(crate) fn always(&self, answer: Answer) {
        self.answer(move |_| Some(answer.clone()));
    }

    /// Refuses this token, whatever the answer would be.
    pub(crate) fn refuse_slot(&self, slot: &str) {
        *self.0.refused_slot.lock().unwrap() = Some(slot.to_owned());
    }

    pub(crate) fn arrived(&self, arrival: Arrival) {
        *self.0.arrived.lock().unwrap() = Box::new(move |_| arrival);
    }

    pub(crate) fn read_back(&self, rule: impl FnMut(&Lead) -> ReadBack + Send + 'static) {
        *self.0.read_back.lock().unwrap() = Box::new(rule);
    }

    /// The names of the leads that were sent, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.0.sent.lock().unwrap().iter().map(|(_, name, _)| name.clone()).collect()
    }

    /// The names that were sent for one phone number.
    pub(crate) fn sent_to(&self, phone: u32) -> Vec<String> {
        let sent = self.0.sent.lock().unwrap();
        let own = sent.iter().filter(|(number, ..)| *number == phone_of(phone));
        own.map(|(_, name, _)| name.clone()).collect()
    }

    pub(crate) fn slots_used(&self) -> Vec<String> {
        self.0.sent.lock().unwrap().iter().map(|(.., slot)| slot.clone()).collect()
    }
}

fn text(lead: &Lead, field: &str) -> String {
    let value = lead.get(field).and_then(|value| value.as_json().as_str().map(str::to_owned));
    value.unwrap_or_default()
}

impl Sender for Script {
    fn slots(&self) -> Vec<String> {
        self.0.slots.clone()
    }

    fn send<'a>(
        &'a self,
        lead: &'a Lead,
        slot: &'a str,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        let sent = (text(lead, "phone"), text(lead, "name"), slot.to_owned());
        self.0.sent.lock().unwrap().push(sent);
        let is_refused = self.0.refused_slot.lock().unwrap().as_deref() == Some(slot);
        Box::pin(async move {
            if is_refused {
                return refused(401);
            }
            let answer = {
                let mut rule = self.0.answer.lock().unwrap_or_else(|broken| broken.into_inner());
                rule(lead)
            };
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }

    fn arrived<'a>(&'a self, lead: &'a Lead) -> Pin<Box<dyn Future<Output = Arrival> + Send + 'a>> {
        let arrival = self.0.arrived.lock().unwrap()(lead);
        Box::pin(async move { arrival })
    }

    fn read_back<'a>(
        &'a self,
        leads: &'a [Lead],
    ) -> Pin<Box<dyn Future<Output = Vec<ReadBack>> + Send + 'a>> {
        let results = {
            let mut rule = self.0.read_back.lock().unwrap();
            leads.iter().map(&mut *rule).collect()
        };
        Box::pin(async move { results })
    }
}

/// A valid phone number.
pub(crate) fn phone_of(number: u32) -> String {
    format!("9198{number:08}")
}

/// A lead with a name.
pub(crate) fn lead(number: u32, name: &str) -> Lead {
    Lead::new().set("phone", phone_of(number)).set("name", name)
}

/// A lead with a name and an action.
pub(crate) fn lead_with_action(number: u32, name: &str) -> Lead {
    lead(number, name).action(CustomAction::new(1001).unwrap().field("note", "called"))
}

/// A refusal without code.
pub(crate) fn refused(status: u16) -> Answer {
    // The variant can only be built with all of its fields.
    Answer::Refused { status, code: None, retry_after: None }
}

/// Which store a test runs on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
}

/// An outbox, its clock, and the folder of its file.
pub(crate) struct Fixture {
    pub(crate) outbox: Outbox,
    pub(crate) clock: TestClock,
    pub(crate) script: Script,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with(kind, |options| options).await
    }

    pub(crate) async fn with(kind: Kind, change: impl Fn(Options) -> Options) -> Self {
        let (clock, folder) = (TestClock::new(), tempfile::tempdir().unwrap());
        let options = change(options(&clock));
        let outbox = match kind {
            Kind::Memory => Outbox::memory(options).await.unwrap(),
            Kind::Sqlite => Outbox::open(&url(&folder), options).await.unwrap(),
        };
        outbox.set_workspace(&WorkspaceFile::sample()).await.unwrap();
        Self { outbox, clock, script: Script::new(), folder }
    }

    /// Opens the file again, as another process does.
    pub(crate) async fn reopen(&self) -> Outbox {
        Outbox::open(&url(&self.folder), options(&self.clock)).await.unwrap()
    }

    pub(crate) async fn worker(&self) -> Worker {
        Worker::start(&self.outbox, self.script.clone()).await.unwrap()
    }

    /// Adds leads, all of which must be queued.
    pub(crate) async fn add(&self, leads: impl IntoIterator<Item = Lead>) -> Vec<u64> {
        let results = self.outbox.enqueue(leads).await.unwrap();
        results.into_iter().map(|result| result.unwrap().seq).collect()
    }

    /// Adds a lead under a key.
    pub(crate) async fn add_keyed(&self, lead: Lead, key: &str) -> Result<Receipt, Error> {
        self.outbox.enqueue([NewLead::new(lead).key(key)]).await.unwrap().remove(0)
    }
}

pub(crate) fn options(clock: &TestClock) -> Options {
    Options::new("ent-local").clock(clock.clone()).low_water(0)
}

pub(crate) fn url(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("leads.outbox").display())
}
