//! Discovering a workspace's schema, and keeping it.

use crate::transport::TransportFailure;
use crate::{Error, Operation, Telecrm, clock};
use futures_util::future::try_join4;
use jiff::tz::TimeZone;
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use telecrm_core::{Country, Workspace, WorkspaceFile};

/// Fields and statuses change by hand in a dashboard, so now and then is often enough.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// The workspace as last discovered. Callers that come while it is being discovered wait for that one discovery.
pub(crate) struct Cache {
    default_country: Option<Country>,
    time_zone: Option<TimeZone>,
    last: Mutex<Option<Known>>,
    discovering: tokio::sync::Mutex<()>,
}

struct Known {
    /// Nothing if it is to be discovered anew.
    since: Option<Instant>,
    workspace: Arc<Workspace>,
}

impl Cache {
    pub(crate) fn new(default_country: Option<Country>, time_zone: Option<TimeZone>) -> Self {
        Self {
            default_country,
            time_zone,
            last: Mutex::default(),
            discovering: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn country(&self) -> Option<Country> {
        self.default_country
    }

    /// The workspace that is kept; a new one, if there is none or one is wanted `anew`.
    pub(crate) async fn get(&self, telecrm: &Telecrm, anew: bool) -> Result<Arc<Workspace>, Error> {
        let clock = &telecrm.shared().clock;
        let kept = || self.kept(clock.now()).filter(|_| !anew);
        if let Some(workspace) = kept() {
            return Ok(workspace);
        }
        let deadline = telecrm.options().deadline(clock.now());
        if anew && let Some(known) = self.last().as_mut() {
            known.since = None;
        }
        let out_of_time = || Error::failure(TransportFailure::OutOfTime);
        let _alone = match self.discovering.try_lock() {
            Ok(alone) => alone,
            Err(_) => {
                // Whoever is discovering it may have more time than this call.
                let left = deadline.left(clock.now()).unwrap_or_default();
                let turn = clock::within(left, self.discovering.lock()).await;
                turn.ok_or_else(out_of_time)?
            }
        };
        if let Some(workspace) = kept() {
            return Ok(workspace);
        }
        let now = clock.now();
        // Whoever discovered before us did so in vain, and may have taken all the time there was.
        let left = deadline.left(now).ok_or_else(out_of_time)?;
        let telecrm = telecrm.for_at_most(left);
        // Four calls at once are large, and every call that may need the workspace would be as large.
        let workspace = Box::pin(self.discover(&telecrm)).await?;
        *self.last() = Some(Known {
            since: Some(now),
            workspace: workspace.clone(),
        });
        Ok(workspace)
    }

    /// The workspace, if it was discovered a short time ago.
    fn kept(&self, now: Instant) -> Option<Arc<Workspace>> {
        let last = self.last();
        let known = last.as_ref()?;
        let is_kept = now.duration_since(known.since?) < KEPT;
        is_kept.then(|| known.workspace.clone())
    }

    /// The workspace as last discovered, also while it is being discovered anew.
    pub(crate) fn known(&self) -> Option<Arc<Workspace>> {
        self.last().as_ref().map(|known| known.workspace.clone())
    }

    fn last(&self) -> MutexGuard<'_, Option<Known>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn discover(&self, telecrm: &Telecrm) -> Result<Arc<Workspace>, Error> {
        let endpoint = telecrm.sync()?;
        let answers = try_join4(
            endpoint.metadata(),
            endpoint.custom_fields(),
            endpoint.custom_actions(),
            endpoint.pipeline(),
        );
        let (metadata, fields, actions, pipeline) = answers.await?;
        let answers = json!({
            "metadata": metadata.json()?,
            "customFields": fields.json()?,
            "customActions": actions.json()?,
            "leadStagePipeline": pipeline.json()?,
        });
        let not_understood = |error: telecrm_core::workspace::WorkspaceError| {
            Error::inconsistent(Operation::GetMetadata, error.to_string())
        };
        let file = WorkspaceFile::from_json(answers).map_err(not_understood)?;
        let mut workspace = Workspace::from_file(&file).map_err(not_understood)?;
        if let Some(country) = self.default_country {
            workspace = workspace.with_default_country(country);
        }
        if let Some(zone) = &self.time_zone {
            workspace = workspace.with_time_zone(zone.clone());
        }
        Ok(Arc::new(workspace))
    }
}
