//! What request handlers get: the shared state and the queue of the background worker.

use crate::background::Queue;
use crate::shared::Shared;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Dereferences to [`Shared`]. The worker gets only that: it ends once every sender of the queue
/// is dropped.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}
