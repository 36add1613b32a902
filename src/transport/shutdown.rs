//! Shutdown: ends the waits of all calls of a client.

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Whether a client is shutting down. Clones share their state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown(Arc<State>);

#[derive(Debug, Default)]
struct State {
    has_begun: AtomicBool,
    begun: Notify,
}

impl Shutdown {
    pub(crate) fn begin(&self) {
        self.0.has_begun.store(true, Ordering::SeqCst);
        self.0.begun.notify_waiters();
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.has_begun.load(Ordering::SeqCst)
    }

    /// The result of a future. Returns `None` if it still waits when the shutdown begins.
    pub(crate) async fn unless_begun<F: Future>(&self, work: F) -> Option<F::Output> {
        let begun = self.0.begun.notified();
        // One that need not wait is ready at once, and may go on.
        if self.has_begun() {
            return work.now_or_never();
        }
        match future::select(pin!(work), pin!(begun)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    /// Waits for a future, but not beyond the beginning of the shutdown.
    pub(crate) async fn interrupt(&self, wait: impl Future) {
        // Registered before the check, so that no notification falls in between.
        let begun = self.0.begun.notified();
        if !self.has_begun() {
            future::select(pin!(begun), pin!(wait)).await;
        }
    }
}
