//! Shutdown: ends the waits of all calls of a client.

use futures_util::future;
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

    /// Waits for a future, but not beyond the beginning of the shutdown.
    pub(crate) async fn interrupt(&self, wait: impl Future) {
        // Registered before the check, so that no notification falls in between.
        let begun = self.0.begun.notified();
        if !self.has_begun() {
            future::select(pin!(begun), pin!(wait)).await;
        }
    }
}
