//! Keeps the discovered workspace for 15 minutes, and lets one call at a time discover it.

use crate::Error;
use crate::clock::{self, Clock};
use crate::error::Kind;
use crate::transport::Deadline;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use telecrm_core::Workspace;

/// Fields and statuses rarely change: somebody edits them in the dashboard.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// How long no discovery is tried after one that failed.
const OUTAGE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct WorkspaceCache {
    last: Mutex<Option<Cached>>,
    discovering: tokio::sync::Mutex<()>,
}

struct Cached {
    /// `None` once a refresh was requested.
    since: Option<Instant>,
    /// `None` if the workspace was given.
    discovered: Option<Instant>,
    workspace: Arc<Workspace>,
}

impl WorkspaceCache {
    /// Returns the workspace if it was discovered within the last 15 minutes.
    pub(crate) fn fresh(&self, now: Instant) -> Option<Arc<Workspace>> {
        let last = self.last();
        let cached = last.as_ref()?;
        let is_fresh = now.duration_since(cached.since?) < MAX_AGE;
        is_fresh.then(|| cached.workspace.clone())
    }

    /// How long ago the workspace was discovered. Returns `None` if none was, or it was given.
    pub(crate) fn age(&self, now: Instant) -> Option<Duration> {
        let since = self.last().as_ref()?.discovered?;
        Some(now.saturating_duration_since(since))
    }

    /// Returns the workspace as last discovered, of any age.
    pub(crate) fn last_known(&self) -> Option<Arc<Workspace>> {
        self.last().as_ref().map(|cached| cached.workspace.clone())
    }

    pub(crate) fn store(&self, workspace: Arc<Workspace>, now: Instant) {
        *self.last() = Some(Cached { since: Some(now), discovered: Some(now), workspace });
    }

    /// Returns the workspace as last discovered, and counts it as fresh for a minute, so that not
    /// every call waits for a server that is down.
    pub(crate) fn keep(&self, now: Instant) -> Option<Arc<Workspace>> {
        let mut last = self.last();
        let cached = last.as_mut()?;
        cached.since = now.checked_sub(MAX_AGE - OUTAGE);
        Some(cached.workspace.clone())
    }

    /// Keeps a workspace that was not discovered, until one is.
    pub(crate) fn given(workspace: Workspace) -> Self {
        let workspace = Arc::new(workspace);
        let cached = Cached { since: None, discovered: None, workspace };
        Self { last: Mutex::new(Some(cached)), ..Self::default() }
    }

    pub(crate) fn expire(&self) {
        if let Some(cached) = self.last().as_mut() {
            cached.since = None;
        }
    }

    /// Waits until no other call discovers the workspace. The other call may have a longer timeout.
    pub(crate) async fn lock(
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

    fn last(&self) -> MutexGuard<'_, Option<Cached>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
