//! What the calls of one client share, whichever API they use.

use super::backend::Backend;
use super::call::Call;
use super::observe::{self, Observer, SlotObserver};
use super::shutdown::Shutdown;
use crate::clock::Clock;
use futures_util::future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) observer: Observer,
    pub(crate) slot_observer: SlotObserver,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shutdown: Shutdown,
}

impl Settings {
    /// Waits until the time has passed, `early` is ready or the shutdown begins.
    pub(super) async fn wait(&self, time: Duration, early: impl Future, call: &mut Call) {
        observe::waiting(time);
        let began = self.clock.now();
        let early = pin!(early);
        let wait = future::select(early, self.clock.sleep(time));
        self.shutdown.interrupt(wait).await;
        call.progress.waited += self.clock.now().saturating_duration_since(began);
    }
}
