//! Discovering a workspace's schema, and keeping it.

use crate::transport::NoAnswer;
use crate::{Error, Operation, Telecrm};
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

    pub(crate) async fn get(&self, telecrm: &Telecrm) -> Result<Arc<Workspace>, Error> {
        let clock = &telecrm.shared().clock;
        let deadline = telecrm.options().deadline(clock.now());
        if let Some(workspace) = self.kept(clock.now()) {
            return Ok(workspace);
        }
        let _alone = self.discovering.lock().await;
        let now = clock.now();
        if let Some(workspace) = self.kept(now) {
            return Ok(workspace);
        }
        // Whoever discovered before us did so in vain, and may have taken all the time there was.
        let left = deadline.left(now);
        let left = left.ok_or_else(|| Error::no_answer(NoAnswer::OutOfTime))?;
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

    pub(crate) async fn refresh(&self, telecrm: &Telecrm) -> Result<Arc<Workspace>, Error> {
        if let Some(known) = self.last().as_mut() {
            known.since = None;
        }
        self.get(telecrm).await
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
        let not_understood = |error: telecrm_core::WorkspaceError| {
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
