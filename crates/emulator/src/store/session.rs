//! Exclusive access to the store, together with the clock and the state file.

use super::error::StateError;
use super::{StateFile, Store};
use crate::clock::ClockState;
use crate::problem::Problem;
use crate::sync::lock;
use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// The store, for use by one session at a time.
pub(crate) struct SharedStore {
    inner: Mutex<Inner>,
    clock: Mutex<ClockState>,
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
            inner: Mutex::new(Inner { store, state_file, is_closed: false }),
            clock: Mutex::new(clock),
            turns: AtomicU64::new(1),
            failure: Mutex::default(),
        }
    }

    /// Locks the store. The time does not change during a session.
    pub(crate) fn session(&self) -> Session<'_> {
        let mut inner = lock(&self.inner);
        inner.store.now = self.now();
        Session { owner: self, inner, turn: self.take_turn() }
    }

    /// The next number in the order of all calls and background work.
    pub(crate) fn take_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::SeqCst)
    }

    /// The time in Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock_state().now()
    }

    pub(crate) fn clock_state(&self) -> ClockState {
        *lock(&self.clock)
    }

    /// Changes the clock between two sessions. A failed change leaves it as it is.
    pub(crate) fn change_clock<E>(
        &self,
        change: impl FnOnce(ClockState) -> Result<ClockState, E>,
    ) -> Result<(), E> {
        let mut store = self.session();
        let changed = change(self.clock_state())?;
        *lock(&self.clock) = changed;
        store.changes.clock = true;
        Ok(())
    }

    pub(crate) fn pause_clock(&self) {
        let Ok(()) = self.change_clock(|clock| Ok::<_, Infallible>(clock.paused()));
    }

    pub(crate) fn resume_clock(&self) {
        let Ok(()) = self.change_clock(|clock| Ok::<_, Infallible>(clock.resumed()));
    }

    /// Closes the state file, so that another emulator can open it. Later changes fail.
    pub(crate) fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.is_closed |= inner.state_file.take().is_some();
    }

    /// Limits the size of the state file, as a full disk does.
    #[cfg(all(test, feature = "state"))]
    pub(super) fn limit_pages(&self, pages: u32) {
        if let Some(state_file) = &lock(&self.inner).state_file {
            state_file.limit_pages(pages);
        }
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
        let Inner { store, state_file, is_closed } = &mut *self.inner;
        let Some(mut saved) = store.save(state_file.as_mut(), self.owner.clock_state()) else {
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
