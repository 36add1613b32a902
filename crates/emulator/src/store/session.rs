//! Exclusive access to the store, together with the clock and the state file.

use super::error::StateError;
use super::{StateFile, Store};
use crate::clock::{Clock, ClockError, ClockState};
use crate::problem::Problem;
use crate::sync::lock;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// The store, for use by one session at a time.
pub(crate) struct SharedStore {
    inner: Mutex<Inner>,
    clock: Clock,
    turns: AtomicU64,
    failure: Mutex<Option<StateError>>,
}

struct Inner {
    store: Store,
    state_file: Option<StateFile>,
    is_closed: bool,
}

impl SharedStore {
    pub(crate) fn new(store: Store, state_file: Option<StateFile>, clock: ClockState) -> Self {
        Self {
            inner: Mutex::new(Inner {
                store,
                state_file,
                is_closed: false,
            }),
            clock: Clock::new(clock),
            turns: AtomicU64::new(1),
            failure: Mutex::default(),
        }
    }

    /// Locks the store. The time does not change during a session.
    pub(crate) fn session(&self) -> Session<'_> {
        let mut inner = lock(&self.inner);
        let (turn, now) = (self.take_turn(), self.clock.now());
        inner.store.begin(now);
        Session {
            owner: self,
            inner,
            turn,
            now,
        }
    }

    /// The next number in the order of all calls and background work.
    pub(crate) fn take_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::SeqCst)
    }

    /// The time in Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(crate) fn clock_state(&self) -> ClockState {
        self.clock.state()
    }

    /// Changes the clock between two sessions.
    pub(crate) fn change_clock(
        &self,
        change: impl FnOnce(&Clock) -> Result<(), ClockError>,
    ) -> Result<(), ClockError> {
        let mut store = self.session();
        change(&self.clock)?;
        store.note_clock_change();
        Ok(())
    }

    pub(crate) fn pause_clock(&self) {
        let mut store = self.session();
        self.clock.pause();
        store.note_clock_change();
    }

    pub(crate) fn resume_clock(&self) {
        let mut store = self.session();
        self.clock.resume();
        store.note_clock_change();
    }

    /// Closes the state file, so that another emulator can open it. Later changes fail.
    pub(crate) fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.is_closed |= inner.state_file.take().is_some();
    }

    /// Returns why the state file lacks the latest changes, or None if it has them all.
    pub(crate) fn failure(&self) -> Option<StateError> {
        lock(&self.failure).clone()
    }
}

/// The locked store. Dropping the session writes its changes to the state file.
pub(crate) struct Session<'a> {
    owner: &'a SharedStore,
    inner: MutexGuard<'a, Inner>,
    pub(crate) turn: u64,
    /// The time of this session, in Unix milliseconds.
    pub(crate) now: i64,
}

impl Deref for Session<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.inner.store
    }
}

impl DerefMut for Session<'_> {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.inner.store
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let Inner {
            store,
            state_file,
            is_closed,
        } = &mut *self.inner;
        let Some(mut saved) = store.save(state_file.as_mut(), self.owner.clock.state()) else {
            return;
        };
        if *is_closed {
            saved = Err(StateError(Problem::new(
                "the emulator is shutting down and has closed its state file",
            )));
        }
        *lock(&self.owner.failure) = saved.err();
    }
}

#[cfg(test)]
mod tests {
    #![cfg(feature = "state")]

    use super::*;
    use crate::Emulator;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn a_call_fails_while_the_disk_is_full_and_its_change_is_saved_later() {
        let name = format!("telecrm-full-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let start = async || {
            let builder = Emulator::builder().state(&path);
            builder.start().await.expect("the emulator starts")
        };
        let emulator = start().await;
        let limit = |pages| {
            let inner = lock(&emulator.app.shared_store.inner);
            let state_file = inner.state_file.as_ref().expect("a state file");
            state_file.limit_pages(pages);
        };
        let create = async |phone: &str| {
            let url = format!("{}/enterprise/ent-local/lead", emulator.sync_url());
            let lead = json!({ "fields": { "phone": phone, "name": "x".repeat(500_000) } });
            let request = reqwest::Client::new().post(url).json(&lead);
            let answer = request.bearer_auth(emulator.sync_token()).send().await;
            let answer = answer.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.expect("JSON"))
        };
        limit(1);
        let (status, answer) = create("919999999991").await;
        assert_eq!(status, 500, "{answer}");
        assert_eq!(answer["error"]["code"], "STATE_NOT_KEPT");
        assert_eq!(
            emulator.log(0)[0].status,
            500,
            "the log has the same status"
        );
        let snapshot = format!("{}/_emulator/snapshot", emulator.url());
        let snapshot = reqwest::Client::new().post(snapshot).send().await;
        assert_eq!(snapshot.expect("an answer").status().as_u16(), 500);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains("make room on the disk"), "{message}");
        assert!(message.contains("telecrm-full-"), "{message}");

        limit(1_000_000);
        let (status, _) = create("919999999992").await;
        assert_eq!(status, 201, "the emulator tries again");
        emulator.shutdown().await;
        let emulator = start().await;
        let leads = emulator.app.store().newest_first().count();
        assert_eq!(leads, 2, "the file has the lead of the failed call too");
        emulator.shutdown().await;
        std::fs::remove_file(&path).expect("the only file that remains");
    }
}
