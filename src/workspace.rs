//! Discovering a workspace's schema, and keeping it.

use crate::transport::NoAnswer;
use crate::{Error, Operation, Telecrm};
use futures_util::future::try_join4;
use jiff::tz::TimeZone;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use telecrm_core::{Country, Workspace, WorkspaceFile};
use tokio::sync::Mutex;

/// Fields and statuses change by hand in a dashboard, so now and then is often enough.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// The workspace as last discovered. Callers that come while it is being discovered wait for that one discovery.
pub(crate) struct Cache {
    default_country: Option<Country>,
    time_zone: Option<TimeZone>,
    last: Mutex<Option<(Instant, Arc<Workspace>)>>,
}

impl Cache {
    pub(crate) fn new(default_country: Option<Country>, time_zone: Option<TimeZone>) -> Self {
        Self {
            default_country,
            time_zone,
            last: Mutex::new(None),
        }
    }

    pub(crate) fn country(&self) -> Option<Country> {
        self.default_country
    }

    pub(crate) async fn get(&self, telecrm: &Telecrm) -> Result<Arc<Workspace>, Error> {
        let clock = &telecrm.shared().clock;
        let deadline = telecrm.options().deadline(clock.now());
        let mut last = self.last.lock().await;
        let now = clock.now();
        match &*last {
            Some((since, workspace)) if now.duration_since(*since) < KEPT => Ok(workspace.clone()),
            _ => {
                // Whoever discovered before us did so in vain, and may have taken all the time there was.
                let left = deadline.left(now);
                let left = left.ok_or_else(|| Error::no_answer(NoAnswer::OutOfTime))?;
                let telecrm = telecrm.for_at_most(left);
                // Four calls at once are large, and every call that may need the workspace would be as large.
                let workspace = Box::pin(self.discover(&telecrm)).await?;
                *last = Some((now, workspace.clone()));
                Ok(workspace)
            }
        }
    }

    /// The workspace, if it was discovered and nobody is about to discover it anew.
    pub(crate) fn known(&self) -> Option<Arc<Workspace>> {
        let last = self.last.try_lock().ok()?;
        last.as_ref().map(|(_, workspace)| workspace.clone())
    }

    pub(crate) async fn refresh(&self, telecrm: &Telecrm) -> Result<Arc<Workspace>, Error> {
        *self.last.lock().await = None;
        self.get(telecrm).await
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
