//! The store with what goes along with it: the clock, and the state file.

use crate::clock::{Clock, ClockError, Hands};
use crate::state_error::StateError;
use crate::store::{Journal, Store};
use crate::{lock, recording};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Lends the store to one at a time, and writes down what each did to it.
pub(crate) struct Keeper {
    kept: Mutex<Kept>,
    clock: Clock,
    turns: AtomicU64,
    failure: Mutex<Option<StateError>>,
}

struct Kept {
    store: Store,
    journal: Option<Journal>,
    is_closed: bool,
}

impl Kept {
    /// Writes down what changed, and says whether that went well, if anything did.
    fn keep(&mut self, hands: Hands) -> Option<Result<(), StateError>> {
        let kept = self.store.keep(self.journal.as_mut(), hands)?;
        Some(match self.is_closed {
            true => Err(StateError(
                "the emulator stops, and has closed its state file".to_owned(),
            )),
            false => kept,
        })
    }
}

impl Keeper {
    pub(crate) fn new(store: Store, journal: Option<Journal>, hands: Hands) -> Self {
        Self {
            kept: Mutex::new(Kept {
                store,
                journal,
                is_closed: false,
            }),
            clock: Clock::new(hands),
            turns: AtomicU64::new(1),
            failure: Mutex::default(),
        }
    }

    /// The store, in which it is one time until it is given back.
    pub(crate) fn hold(&self) -> Hold<'_> {
        let mut kept = lock(&self.kept);
        let (turn, now) = (self.take_turn(), self.clock.now());
        recording::note_turn(turn, now);
        kept.store.begin(now);
        Hold {
            keeper: self,
            kept,
            turn,
            now,
        }
    }

    /// The next place in the order of what happens.
    pub(crate) fn take_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::SeqCst)
    }

    /// Now, in Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(crate) fn hands(&self) -> Hands {
        self.clock.hands()
    }

    /// Sets the clock.
    pub(crate) fn set_clock(
        &self,
        change: impl FnOnce(&Clock) -> Result<(), ClockError>,
    ) -> Result<(), ClockError> {
        // Held, so that no call sees two times.
        let mut store = self.hold();
        change(&self.clock)?;
        store.clock_was_set();
        Ok(())
    }

    /// Stops the clock, or lets it go on from where it stands.
    pub(crate) fn hold_clock(&self, held: bool) {
        // Holding it cannot fail.
        let _ = self.set_clock(|clock| {
            clock.hold(held);
            Ok(())
        });
    }

    /// Closes the state file, if there is one, so that it can be opened again at once. No change is acknowledged any more.
    pub(crate) fn close(&self) {
        let mut kept = lock(&self.kept);
        kept.is_closed |= kept.journal.take().is_some();
    }

    /// Why the latest changes are not in the state file, if they are not.
    pub(crate) fn failure(&self) -> Option<StateError> {
        lock(&self.failure).clone()
    }
}

/// The store as long as somebody has it. When it is given back, what changed is in the state file.
pub(crate) struct Hold<'a> {
    keeper: &'a Keeper,
    kept: MutexGuard<'a, Kept>,
    pub(crate) turn: u64,
    pub(crate) now: i64,
}

impl Deref for Hold<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.kept.store
    }
}

impl DerefMut for Hold<'_> {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.kept.store
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.keep(self.keeper.clock.hands()) {
            *lock(&self.keeper.failure) = kept.err();
        }
    }
}

#[cfg(all(test, feature = "state"))]
mod tests {
    use super::*;
    use crate::Emulator;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn nothing_is_acknowledged_that_the_file_has_no_room_for() {
        let name = format!("telecrm-full-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let start = async || {
            let builder = Emulator::builder().state(&path);
            builder.start().await.expect("the emulator starts")
        };
        let emulator = start().await;
        let limit = |pages| {
            let kept = lock(&emulator.app.keeper.kept);
            kept.journal.as_ref().expect("a file").limit_pages(pages);
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
        assert_eq!(emulator.log(0)[0].status, 500, "the log tells it too");
        let snapshot = format!("{}/_emulator/snapshot", emulator.url());
        let snapshot = reqwest::Client::new().post(snapshot).send().await;
        assert_eq!(snapshot.expect("an answer").status().as_u16(), 500);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains("make room on the disk"), "{message}");
        assert!(message.contains("telecrm-full-"), "{message}");

        limit(1_000_000);
        assert_eq!(create("919999999992").await.0, 201, "it is tried again");
        emulator.shutdown().await;
        let emulator = start().await;
        let leads = emulator.app.store().newest_first().count();
        assert_eq!(leads, 2, "what had no room is there too");
        emulator.shutdown().await;
        std::fs::remove_file(&path).expect("the only file that is left");
    }
}
