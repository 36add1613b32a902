//! The state that the request handlers and the background worker share.

use crate::config::Config;
use crate::faults::rate_limit::Limiter;
use crate::faults::rules::Faults;
use crate::log::Log;
use crate::profile::{PhoneBlanks, Profile};
use crate::recording::pending;
use crate::recording::recorder::Recorder;
use crate::store::Store;
use crate::store::session::{Session, SharedStore};
use crate::sync::lock;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) profile: Mutex<Profile>,
    pub(crate) shared_store: SharedStore,
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) snapshots: Mutex<Vec<Store>>,
    /// Counts the resets and restores.
    pub(crate) resets: watch::Sender<u64>,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) sync_limiter: Limiter,
    pub(crate) async_limiter: Limiter,
}

impl Shared {
    /// Locks the store. A recording notes when the current call had it.
    pub(crate) fn store(&self) -> Session<'_> {
        let session = self.shared_store.session();
        pending::note_turn(session.turn, session.now);
        session
    }

    pub(crate) fn profile(&self) -> Profile {
        lock(&self.profile).clone()
    }

    pub(crate) fn set_profile(&self, profile: Profile) {
        let Ok(()) = self.change_profile(|_| Ok::<_, Infallible>(profile));
    }

    /// Changes the profile. Changes are made one at a time, so that none overwrites another.
    pub(crate) fn change_profile<E>(
        &self,
        change: impl FnOnce(Profile) -> Result<Profile, E>,
    ) -> Result<(), E> {
        let mut store = self.store();
        let profile = change(self.profile())?;
        store.strip_phone_blanks(profile.phone_blanks == PhoneBlanks::Stripped);
        *lock(&self.profile) = profile;
        Ok(())
    }

    /// Returns to the seed.
    pub(crate) fn reset(&self) {
        let mut store = self.store();
        store.reset();
        self.resets.send_modify(|resets| *resets += 1);
        self.log.clear();
        self.faults.rewind();
        self.sync_limiter.reset();
        self.async_limiter.reset();
    }

    /// Saves the state, and returns its number. Numbers begin with 1.
    pub(crate) fn snapshot(&self) -> usize {
        let store = self.store().clone();
        let mut snapshots = lock(&self.snapshots);
        snapshots.push(store);
        snapshots.len()
    }

    /// Returns to a saved state. Returns false if there is no snapshot with this number.
    pub(crate) fn restore(&self, snapshot: usize) -> bool {
        let snapshots = lock(&self.snapshots);
        let Some(earlier) = snapshot.checked_sub(1).and_then(|index| snapshots.get(index)) else {
            return false;
        };
        self.store().restore(earlier);
        self.resets.send_modify(|resets| *resets += 1);
        true
    }
}
