//! The worker: takes what is due, sends it, and records how that ended. The decisions are in
//! `engine`.

use crate::clock::{Millis, millis};
use crate::engine::{
    self, Back, Blocked, Lease, Look, Outcome, Policy, Settled, Verdict, classify,
};
use crate::error::Error;
use crate::event::Event;
use crate::held::Held;
use crate::item::{Kind, State};
use crate::options::WhenMaybeSent;
use crate::outbox::Outbox;
use crate::sender::{Answer, Arrival, ReadBack, Sender};
use crate::store::{Lock, Tables};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use telecrm::RateLimit;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

/// The store is asked for work at least this often: other processes add leads.
const POLL: Millis = 1000;
/// Between two probes of a workspace that is held.
const PROBE: Millis = 5000;
const WORKSPACE_PROBE: Millis = 60_000;
/// This many server faults in a row over different leads are not the leads' fault.
const SERVER_FAULTS: usize = 5;
/// Requests in flight end within this time after a stop. The rest is recorded as maybe sent.
const GRACE: Duration = Duration::from_secs(22);
/// The most leads that are read back together.
const BATCH: usize = 100;
/// The longest time that counts at once as time in which the workspace could send.
const LONGEST_TICK: Millis = 600_000;
/// The slot whose rate limits reading back.
const READING: &str = "sync";

/// The one sender of an outbox.
pub struct Worker {
    outbox: Outbox,
    sender: Arc<dyn Sender>,
    tasks: JoinSet<Done>,
    /// What the tasks work on, so that nothing is lost if one panics.
    working: HashMap<Id, Work>,
    /// Results that the store has not recorded yet.
    unsettled: Vec<(Lease, Outcome)>,
    unsettled_looks: Vec<(Look, ReadBack)>,
    state: Health,
    /// How long requests in flight have once the worker is stopped.
    stop: watch::Sender<Option<Duration>>,
    rounds: u64,
    /// Held as long as the worker lives.
    _lock: Lock,
}

/// What the worker knows about the workspace and its tokens.
#[derive(Default)]
struct Health {
    /// When the next probe is due. None if the workspace is not held.
    probe_at: Option<Millis>,
    probe_every: Millis,
    connection_failures: u32,
    /// The items and leads of server faults in a row.
    server_faults: Vec<(u64, String)>,
    /// How often the rate of a token was refused in a row, and until when it waits.
    rate_refusals: HashMap<String, (u32, Millis)>,
    refused_tokens: BTreeSet<String>,
    last_tick: Option<Millis>,
}

enum Work {
    Send(Box<Lease>),
    Look(Vec<Look>),
}

/// What a task has found out.
enum Done {
    Answered(Answer),
    Looked(Arrival),
    Read(Vec<ReadBack>),
}

/// Stops a worker from elsewhere.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<Option<Duration>>);

impl Stopper {
    /// Sends nothing more. Requests in flight have 22 s to end.
    pub fn stop(&self) {
        self.stop_within(GRACE);
    }

    /// Sends nothing more. Requests in flight have this time to end. Those that do not may have
    /// been sent, and are recorded so.
    pub fn stop_within(&self, grace: Duration) {
        self.0.send_replace(Some(grace));
    }
}

/// How a run of the worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// When there is more to do. None if nothing waits.
    pub next: Option<Duration>,
    /// How many requests were in flight when the run ended. They may have arrived.
    pub maybe_sent: usize,
}

impl Worker {
    /// Becomes the sender of the outbox. Takes back what a process that has ended had in flight.
    ///
    /// # Errors
    /// Returns an error if another process or another worker sends from the store.
    pub async fn start(outbox: &Outbox, sender: impl Sender) -> Result<Self, Error> {
        let now = outbox.0.time.now();
        let slots = sender.slots();
        let (sending, reading) = (outbox.0.options.async_limit, outbox.0.options.sync_limit);
        let policy = policy(outbox, 0);
        let prepare = move |tables: &mut dyn Tables| {
            let lock = tables.lock_sender()?;
            engine::void_leases(tables, now, policy)?;
            engine::restart_slots(tables, now, &slots, sending)?;
            engine::restart_slots(tables, now, &[READING.to_owned()], reading)?;
            tables.put_setting("held", None)?;
            Ok(lock)
        };
        let lock = outbox.0.writer.run(prepare).await?;
        Ok(Self {
            outbox: outbox.clone(),
            sender: Arc::new(sender),
            tasks: JoinSet::new(),
            working: HashMap::new(),
            unsettled: Vec::new(),
            unsettled_looks: Vec::new(),
            state: Health::default(),
            stop: watch::channel(None).0,
            rounds: 0,
            _lock: lock,
        })
    }

    /// A handle that stops [`run`](Self::run).
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// How often the worker has looked for work.
    #[doc(hidden)]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Sends until it is stopped. Requests in flight then have 22 s to end.
    ///
    /// Faults of the store do not end the run: the worker tries again every second.
    pub async fn run(mut self) -> Drained {
        let mut stopped = self.stop.subscribe();
        while stopped.borrow_and_update().is_none() {
            let wait = self.round().await.unwrap_or(POLL);
            tokio::select! {
                _ = stopped.changed() => {}
                Some(done) = self.tasks.join_next_with_id() => self.record(done),
                () = self.outbox.0.wake.notified() => {}
                () = self.outbox.0.time.sleep(wait.min(POLL)) => {}
            }
        }
        self.finish().await
    }

    /// Does everything that is due now, and returns when there is more to do.
    ///
    /// # Errors
    /// Returns an error if the store fails. Results that are not recorded yet are kept.
    pub async fn drain(&mut self) -> Result<Drained, Error> {
        loop {
            let wait = self.round().await?;
            let Some(done) = self.tasks.join_next_with_id().await else {
                let next = (wait < Millis::MAX).then(|| wait.max(0).unsigned_abs());
                return Ok(Drained { next: next.map(Duration::from_millis), maybe_sent: 0 });
            };
            self.record(done);
        }
    }

    async fn finish(mut self) -> Drained {
        let grace = self.stop.borrow().unwrap_or(GRACE);
        let end = self.outbox.0.time.now() + millis(grace);
        loop {
            let left = end - self.outbox.0.time.now();
            tokio::select! {
                done = self.tasks.join_next_with_id() => match done {
                    Some(done) => self.record(done),
                    None => break,
                },
                () = self.outbox.0.time.sleep(left) => break,
            }
        }
        self.tasks.abort_all();
        let mut maybe_sent = 0;
        for work in std::mem::take(&mut self.working).into_values() {
            match work {
                Work::Send(lease) => {
                    maybe_sent += 1;
                    let back = Back { maybe: true, ..Back::default() };
                    self.unsettled.push((*lease, Outcome::Back(back)));
                }
                Work::Look(looks) => {
                    let unknown = looks.into_iter().map(|look| (look, ReadBack::Unknown));
                    self.unsettled_looks.extend(unknown);
                }
            }
        }
        // If the store fails, the next start finds the items in flight.
        let _ = self.settle().await;
        Drained { next: None, maybe_sent }
    }

    /// Records results, and begins what is due. Returns how long there is nothing more to begin.
    async fn round(&mut self) -> Result<Millis, Error> {
        self.rounds += 1;
        while let Some(done) = self.tasks.try_join_next_with_id() {
            self.record(done);
        }
        self.settle().await?;
        let now = self.outbox.0.time.now();
        let free = self.outbox.0.options.concurrency.saturating_sub(self.tasks.len());
        let limit = match self.state.probe_at {
            None => free,
            Some(at) => usize::from(at <= now).min(free),
        };
        let sendable = self.tick(now);
        let slots = self.sender.slots();
        let reading = self.working.values().any(|work| matches!(work, Work::Look(_)));
        let batch = if reading { 0 } else { BATCH };
        let options = &self.outbox.0.options;
        let (sending, read_rate) = (options.async_limit, options.sync_limit);
        let claim = move |tables: &mut dyn Tables| {
            let sendable = engine::sendable(tables)? + sendable;
            tables.put_setting("sendable", Some(&sendable.to_string()))?;
            let paused = tables.setting("paused")?.is_some();
            let limit = if paused { 0 } else { limit };
            let (leases, permit_wait) = engine::claim(tables, now, &slots, sending, limit)?;
            let looks = claim_looks(tables, now, read_rate, batch)?;
            let next = [Kind::Send, Kind::Verify].map(|kind| tables.next_due(kind));
            let [send, verify] = next;
            let send = match send? {
                Some(due) if due <= now && permit_wait < Millis::MAX => now + permit_wait,
                Some(due) => due,
                None => Millis::MAX,
            };
            Ok((leases, looks, send, verify?.unwrap_or(Millis::MAX)))
        };
        let (leases, looks, send, verify) = self.outbox.0.writer.run(claim).await?;
        if let Some(at) = &mut self.state.probe_at
            && !leases.is_empty()
        {
            *at = now + self.state.probe_every;
        }
        for lease in leases {
            self.begin_send(lease);
        }
        if !looks.is_empty() {
            self.begin_look(looks);
        }
        let send = match self.state.probe_at {
            Some(at) if send < Millis::MAX => send.max(at),
            _ => send,
        };
        // What is due already waits for a free place, a permit or the end of a pause.
        let wait = |due: Millis| match due {
            Millis::MAX => Millis::MAX,
            due if due <= now => POLL,
            due => due - now,
        };
        Ok(wait(send).min(wait(verify)))
    }

    /// The time since the last round in which the workspace could send.
    fn tick(&mut self, now: Millis) -> Millis {
        let last = self.state.last_tick.replace(now).unwrap_or(now);
        if self.state.probe_at.is_some() || self.all_refused() {
            return 0;
        }
        (now - last).clamp(0, LONGEST_TICK)
    }

    fn all_refused(&self) -> bool {
        self.state.refused_tokens.len() >= self.sender.slots().len()
    }

    fn begin_send(&mut self, lease: Lease) {
        let (sender, time) = (Arc::clone(&self.sender), self.outbox.0.time.clone());
        let timeout = millis(self.outbox.0.options.send_timeout);
        let look_first = lease.item.detail.maybe
            && lease.item.has_actions()
            && self.outbox.0.options.when_maybe_sent == WhenMaybeSent::Check;
        let (lead, slot) = (lease.item.lead.clone().unwrap_or_default(), lease.slot.clone());
        let task = self.tasks.spawn(async move {
            if look_first {
                match sender.arrived(&lead).await {
                    Arrival::NotThere => {}
                    other => return Done::Looked(other),
                }
            }
            tokio::select! {
                answer = sender.send(&lead, &slot) => Done::Answered(answer),
                () = time.sleep(timeout) => Done::Answered(Answer::NoAnswer),
            }
        });
        self.working.insert(task.id(), Work::Send(Box::new(lease)));
    }

    fn begin_look(&mut self, looks: Vec<Look>) {
        let sender = Arc::clone(&self.sender);
        let leads: Vec<_> = looks.iter().map(|look| look.lead.clone()).collect();
        let task = self.tasks.spawn(async move { Done::Read(sender.read_back(&leads).await) });
        self.working.insert(task.id(), Work::Look(looks));
    }

    fn record(&mut self, done: Result<(Id, Done), tokio::task::JoinError>) {
        let (id, done) = match done {
            Ok((id, done)) => (id, Some(done)),
            Err(error) => (error.id(), None),
        };
        match (self.working.remove(&id), done) {
            (Some(Work::Send(lease)), done) => {
                let outcome = match done {
                    Some(Done::Answered(answer)) => self.judge(&lease, &answer),
                    Some(Done::Looked(Arrival::Arrived)) => Outcome::Arrived,
                    Some(_) => Outcome::Back(Back { unsent: true, ..Back::default() }),
                    None => Outcome::Back(Back { maybe: true, crashed: true, ..Back::default() }),
                };
                self.unsettled.push((*lease, outcome));
            }
            (Some(Work::Look(looks)), done) => {
                let read = if let Some(Done::Read(read)) = done { read } else { Vec::new() };
                let read = read.into_iter().chain(std::iter::repeat(ReadBack::Unknown));
                self.unsettled_looks.extend(looks.into_iter().zip(read));
            }
            (None, _) => {}
        }
    }

    /// What an answer means for the item. Also notes what it means for the workspace.
    fn judge(&mut self, lease: &Lease, answer: &Answer) -> Outcome {
        let verdict = classify(answer);
        if !matches!(verdict, Verdict::Retry) {
            self.state.server_faults.clear();
        }
        if !matches!(verdict, Verdict::Blocked(_) | Verdict::Retry | Verdict::Maybe) {
            self.release(&lease.slot);
        }
        let answer = Some(describe(answer));
        match verdict {
            Verdict::Accepted => Outcome::Accepted,
            Verdict::Dead(reason) => Outcome::Dead(reason),
            Verdict::Maybe => {
                Outcome::Back(Back { maybe: true, counts: true, answer, ..Back::default() })
            }
            Verdict::Retry => {
                self.server_fault(lease);
                let counts = self.state.probe_at.is_none();
                // Other leads probe a held workspace first.
                let wait = if counts { 0 } else { PROBE };
                Outcome::Back(Back { maybe: true, counts, wait, answer, ..Back::default() })
            }
            Verdict::Blocked(blocked) => {
                let wait = self.blocked(lease, &blocked);
                let unsent = blocked == Blocked::Connection;
                Outcome::Back(Back { unsent, wait, answer, ..Back::default() })
            }
        }
    }

    /// Notes that the workspace and a token work.
    fn release(&mut self, slot: &str) {
        self.state.connection_failures = 0;
        let limited = self.state.rate_refusals.remove(slot).is_some();
        let mut held = self.all_refused();
        if self.state.refused_tokens.remove(slot) || limited {
            let (slot, now) = (slot.to_owned(), self.outbox.0.time.now());
            self.outbox.0.writer.post(move |tables| drop(engine::enable(tables, now, &slot)));
        }
        held |= self.state.probe_at.take().is_some();
        if held {
            self.outbox.0.writer.post(|tables| drop(tables.put_setting("held", None)));
            self.outbox.tell(Event::Released);
        }
    }

    fn server_fault(&mut self, lease: &Lease) {
        let faults = &mut self.state.server_faults;
        if faults.iter().any(|(_, lead_key)| *lead_key == lease.item.lead_key) {
            return;
        }
        faults.push((lease.item.seq, lease.item.lead_key.clone()));
        if faults.len() >= SERVER_FAULTS && self.state.probe_at.is_none() {
            // The attempts that were counted were not the leads' fault. The latest is not recorded
            // yet, and settles before this.
            let seqs: Vec<_> = std::mem::take(faults).into_iter().map(|(seq, _)| seq).collect();
            self.hold(Held::Server, PROBE);
            self.refund(seqs);
        }
    }

    /// Takes back one attempt of each item.
    fn refund(&mut self, seqs: Vec<u64>) {
        for (lease, outcome) in &mut self.unsettled {
            if let Outcome::Back(back) = outcome
                && seqs.contains(&lease.item.seq)
            {
                back.counts = false;
            }
        }
        let unsettled: Vec<_> = self.unsettled.iter().map(|(lease, _)| lease.item.seq).collect();
        self.outbox.0.writer.post(move |tables| {
            for seq in seqs.into_iter().filter(|seq| !unsettled.contains(seq)) {
                if let Ok(Some(mut item)) = tables.item(seq)
                    && item.state == State::Queued
                {
                    item.detail.fails = item.detail.fails.saturating_sub(1);
                    // A refund that fails costs the lead one of its attempts.
                    let _ = tables.update(&item);
                }
            }
        });
    }

    /// Notes why nothing can be sent. Returns how long the lane waits.
    fn blocked(&mut self, lease: &Lease, blocked: &Blocked) -> Millis {
        let now = self.outbox.0.time.now();
        let slot = lease.slot.clone();
        match blocked {
            Blocked::Connection => {
                self.state.connection_failures += 1;
                if self.state.connection_failures >= 5 {
                    self.hold(Held::Connection, PROBE);
                }
                engine::connection_backoff(self.state.connection_failures)
            }
            Blocked::Token => {
                if self.state.refused_tokens.insert(slot.clone()) {
                    self.outbox.tell(Event::TokenRefused(slot.clone()));
                }
                let all = self.all_refused();
                self.outbox.0.writer.post(move |tables| {
                    let held = all.then(|| Held::Tokens.to_text());
                    // A slot that stays enabled is refused again.
                    let _ = engine::disable(tables, now, &slot);
                    let _ = held.map(|held| tables.put_setting("held", Some(&held)));
                });
                0
            }
            Blocked::RateLimit(wait) => {
                let entry = self.state.rate_refusals.entry(slot.clone());
                let (refusals, until) = entry.or_insert((0, now));
                // Requests that were in flight together are one refusal.
                *refusals += u32::from(*until <= now);
                let wait = wait.map_or(0, millis).max(engine::rate_limit_backoff(*refusals));
                *until = now + wait;
                let rate = self.outbox.0.options.async_limit;
                self.outbox.0.writer.post(move |tables| {
                    drop(engine::penalize(tables, now, &slot, rate, wait));
                });
                0
            }
            Blocked::Workspace(answer) => {
                self.hold(Held::Workspace(answer.clone()), WORKSPACE_PROBE);
                0
            }
        }
    }

    fn hold(&mut self, held: Held, probe_every: Millis) {
        self.state.probe_every = probe_every;
        let at = self.outbox.0.time.now() + probe_every;
        if self.state.probe_at.replace(at).is_none() {
            let text = held.to_text();
            self.outbox.tell(Event::Held(held));
            self.outbox.0.writer.post(move |tables| {
                drop(tables.put_setting("held", Some(&text)));
            });
        }
    }

    /// Records results, all in one transaction.
    async fn settle(&mut self) -> Result<(), Error> {
        if self.unsettled.is_empty() && self.unsettled_looks.is_empty() {
            return Ok(());
        }
        let now = self.outbox.0.time.now();
        let (results, looks) = (self.unsettled.clone(), self.unsettled_looks.clone());
        let mut policy = policy(&self.outbox, 0);
        let work = move |tables: &mut dyn Tables| {
            policy.sendable = engine::sendable(tables)?;
            let mut events = Vec::new();
            for (lease, outcome) in &results {
                let settled = engine::settle(tables, now, lease, outcome, policy)?;
                events.extend(event(tables, lease, outcome, settled)?);
            }
            for (look, result) in &looks {
                let changed = engine::settle_look(tables, now, look, result)?;
                events.extend(changed.into_iter().map(|(seq, state)| Event::ReadBack(seq, state)));
            }
            Ok(events)
        };
        let events = self.outbox.0.writer.run(work).await?;
        self.unsettled.clear();
        self.unsettled_looks.clear();
        events.into_iter().for_each(|event| self.outbox.tell(event));
        Ok(())
    }
}

fn policy(outbox: &Outbox, sendable: Millis) -> Policy {
    Policy {
        when_maybe_sent: outbox.0.options.when_maybe_sent,
        gap: millis(outbox.0.options.gap),
        sendable,
        random: fastrand::f64(),
    }
}

fn claim_looks(
    tables: &mut dyn Tables,
    now: Millis,
    rate: Option<RateLimit>,
    limit: usize,
) -> Result<Vec<Look>, Error> {
    let due = tables.due_lanes(Kind::Verify, now, limit)?.len();
    if due == 0 {
        return Ok(Vec::new());
    }
    let (permits, _) = engine::take(tables, now, &[READING.to_owned()], rate, due)?;
    Look::claim(tables, now, permits.len())
}

/// What to tell about a result. Records the send of a lost lease.
fn event(
    tables: &mut dyn Tables,
    lease: &Lease,
    outcome: &Outcome,
    settled: Settled,
) -> Result<Option<Event>, Error> {
    let seq = lease.item.seq;
    Ok(match settled {
        Settled::Done(State::Accepted, _) => Some(Event::Accepted(seq)),
        Settled::Done(State::Dead, reason) => Some(Event::Dead(seq, reason.unwrap_or_default())),
        Settled::Done(State::Queued, _) => Some(Event::Retry(seq)),
        Settled::Done(..) => None,
        Settled::LeaseLost => {
            if *outcome == Outcome::Accepted {
                engine::extra_send(tables, seq)?;
            }
            Some(Event::ExtraSend(seq))
        }
    })
}

/// An answer without values of the lead.
fn describe(answer: &Answer) -> String {
    match answer {
        Answer::Accepted => "accepted".to_owned(),
        Answer::Refused { status, code, .. } => match code {
            Some(code) => format!("{status} {code}"),
            None => status.to_string(),
        },
        Answer::ErrorBody(code) => format!("a success status with the error {code}"),
        Answer::Unreadable => "a success status without an acknowledgement".to_owned(),
        Answer::NotSent => "no connection".to_owned(),
        Answer::NoAnswer => "no answer".to_owned(),
    }
}
