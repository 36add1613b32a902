//! Keeps the discovered workspace for 15 minutes, and discovers it once for calls that need it
//! together.

use crate::Error;
use crate::clock::{self, Clock};
use crate::error::Kind;
use crate::transport::{CallOptions, Deadline};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use telecrm_core::Workspace;

/// Fields and statuses rarely change: somebody edits them in the dashboard.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);

#[derive(Default)]
pub(crate) struct WorkspaceCache {
    last: Mutex<Option<Cached>>,
    /// Held while a call discovers the workspace.
    discovering: tokio::sync::Mutex<()>,
}

struct Cached {
    /// `None` once a refresh was requested.
    since: Option<Instant>,
    workspace: Arc<Workspace>,
}

impl WorkspaceCache {
    /// Returns the cached workspace, or discovers it. `discover` gets the time that the call has
    /// left.
    pub(crate) async fn get<F>(
        &self,
        clock: &dyn Clock,
        options: &CallOptions,
        discover: impl FnOnce(Duration) -> F,
    ) -> Result<Arc<Workspace>, Error>
    where
        F: Future<Output = Result<Workspace, Error>>,
    {
        if let Some(workspace) = self.fresh(clock.now()) {
            return Ok(workspace);
        }
        let deadline = options.deadline(clock.now());
        let _discovering = self.lock(clock, deadline).await?;
        // Another call may have discovered it while this one waited.
        if let Some(workspace) = self.fresh(clock.now()) {
            return Ok(workspace);
        }
        self.discover(clock, deadline, discover).await
    }

    /// Discovers the workspace, even if it is cached.
    pub(crate) async fn refresh<F>(
        &self,
        clock: &dyn Clock,
        options: &CallOptions,
        discover: impl FnOnce(Duration) -> F,
    ) -> Result<Arc<Workspace>, Error>
    where
        F: Future<Output = Result<Workspace, Error>>,
    {
        if let Some(cached) = self.last().as_mut() {
            cached.since = None;
        }
        let deadline = options.deadline(clock.now());
        let _discovering = self.lock(clock, deadline).await?;
        self.discover(clock, deadline, discover).await
    }

    /// Returns the workspace as last discovered, of any age.
    pub(crate) fn last_known(&self) -> Option<Arc<Workspace>> {
        self.last().as_ref().map(|cached| cached.workspace.clone())
    }

    /// Waits until no other call discovers the workspace. The other call may have a longer timeout.
    async fn lock(
        &self,
        clock: &dyn Clock,
        deadline: Deadline,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, Error> {
        if let Ok(guard) = self.discovering.try_lock() {
            return Ok(guard);
        }
        let left = deadline.left(clock.now()).unwrap_or_default();
        let guard = clock::within(left, self.discovering.lock()).await;
        guard.ok_or_else(|| Error::new(Kind::Deadline))
    }

    async fn discover<F>(
        &self,
        clock: &dyn Clock,
        deadline: Deadline,
        discover: impl FnOnce(Duration) -> F,
    ) -> Result<Arc<Workspace>, Error>
    where
        F: Future<Output = Result<Workspace, Error>>,
    {
        let now = clock.now();
        // If the discovery of another call has failed, no time may be left.
        let Some(left) = deadline.left(now) else {
            return Err(Error::new(Kind::Deadline));
        };
        // Boxed, because the four requests would make the future of every call large.
        let workspace = Arc::new(Box::pin(discover(left)).await?);
        *self.last() = Some(Cached {
            since: Some(now),
            workspace: workspace.clone(),
        });
        Ok(workspace)
    }

    fn fresh(&self, now: Instant) -> Option<Arc<Workspace>> {
        let last = self.last();
        let cached = last.as_ref()?;
        let is_fresh = now.duration_since(cached.since?) < MAX_AGE;
        is_fresh.then(|| cached.workspace.clone())
    }

    fn last(&self) -> MutexGuard<'_, Option<Cached>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
