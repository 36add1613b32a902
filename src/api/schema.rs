//! The schema of a workspace, over the Sync API: single endpoints, and the discovery that combines
//! them.

use crate::error::Kind;
use crate::handle::Handle;
use crate::raw::generated::sync::parameters;
use crate::transport::{Deadline, Response};
use crate::{Error, Operation};
use futures_util::future::try_join4;
use serde_json::{Value, json};
use std::sync::Arc;
use telecrm_core::response::{CustomActionRecord, CustomFieldRecord, Metadata};
use telecrm_core::workspace::{Pipeline, WorkspaceError};
use telecrm_core::{ActionCode, Workspace, WorkspaceFile};

/// The schema of the workspace, endpoint by endpoint. From
/// [`Telecrm::schema`](crate::Telecrm::schema).
///
/// To check leads, use [`Telecrm::workspace`](crate::Telecrm::workspace), which combines these
/// endpoints and caches the result.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client();
/// let schema = telecrm.schema();
/// assert_eq!(schema.metadata().await?.lead_identifier_field_id(), Some("phone"));
///
/// let fields = schema.fields().await?;
/// assert!(fields.iter().any(|field| field.api_name() == Some("contact_source")));
/// assert_eq!(schema.field("phone").await?.is_lead_id(), Some(true));
///
/// let actions = schema.actions().await?;
/// assert_eq!(actions[0].display_name(), Some("Site Visit"));
/// assert_eq!(schema.action(1001).await?.code(), Some("ACTION_1001"));
///
/// let pipeline = schema.pipeline().await?;
/// assert!(pipeline.active_statuses().any(|status| status == "Fresh"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Schema(pub(crate) Handle);

impl Schema {
    /// Reads the metadata of the enterprise: its name, identifier field and integrations.
    ///
    /// # Errors
    /// Returns an error if the request fails or the response cannot be read.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        metadata(&self.0).await?.decode()
    }

    /// Reads all fields of leads, standard ones included, with all details.
    ///
    /// # Errors
    /// Returns an error if the request fails or the response cannot be read.
    pub async fn fields(&self) -> Result<Vec<CustomFieldRecord>, Error> {
        fields(&self.0).await?.decode_member("customFields")
    }

    /// Reads one field by its API name, which is case-sensitive (EN2).
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if no field has this API name.
    pub async fn field(&self, api_name: &str) -> Result<CustomFieldRecord, Error> {
        let response = self.0.send(Operation::GetCustomField, |api, enterprise_id| {
            api.get_custom_field_request(parameters::GetCustomField { enterprise_id, api_name })
        });
        response.await?.decode()
    }

    /// Reads all custom actions, with all details.
    ///
    /// # Errors
    /// Returns an error if the request fails or the response cannot be read.
    pub async fn actions(&self) -> Result<Vec<CustomActionRecord>, Error> {
        actions(&self.0).await?.decode_member("customActions")
    }

    /// Reads one custom action. [`ActionCode`] adds the prefix that the path needs: `ACTION_1001`
    /// (EN4).
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if no custom action has this code.
    pub async fn action(&self, code: impl Into<ActionCode>) -> Result<CustomActionRecord, Error> {
        let code = code.into().prefixed();
        let response = self.0.send(Operation::GetCustomAction, |api, enterprise_id| {
            api.get_custom_action_request(parameters::GetCustomAction {
                enterprise_id,
                code: &code,
            })
        });
        response.await?.decode()
    }

    /// Reads the pipeline: the statuses and lost reasons that can be written (EN3).
    ///
    /// # Errors
    /// Returns an error if the request fails or the response cannot be read.
    pub async fn pipeline(&self) -> Result<Pipeline, Error> {
        let response = pipeline(&self.0).await?;
        let Value::Object(pipeline) = response.json()? else {
            return Err(response.malformed("not a JSON object"));
        };
        Pipeline::read(&pipeline).map_err(|error| response.malformed(error))
    }

    /// Returns the responses of the four endpoints that describe a workspace, as one file. Sends
    /// four requests.
    ///
    /// The file has no team members. [`WorkspaceFile::to_lock`] leaves out what is personal.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::{Workspace, WorkspaceFile};
    ///
    /// let file: WorkspaceFile = telecrm.schema().file().await?;
    /// let workspace = Workspace::from_file(&file)?;
    /// assert_eq!(workspace.identifier().api_name(), "phone");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if a request fails or a response cannot be read.
    pub async fn file(&self) -> Result<WorkspaceFile, Error> {
        file(&self.0).await
    }
}

async fn metadata(handle: &Handle) -> Result<Response, Error> {
    handle
        .send(Operation::GetMetadata, |api, enterprise_id| api.get_metadata_request(enterprise_id))
        .await
}

async fn fields(handle: &Handle) -> Result<Response, Error> {
    let operation = Operation::ListCustomFields;
    handle
        .send(operation, |api, enterprise_id| {
            api.list_custom_fields_request(parameters::ListCustomFields {
                enterprise_id,
                detail: Some(true),
            })
        })
        .await
}

async fn actions(handle: &Handle) -> Result<Response, Error> {
    let operation = Operation::ListCustomActions;
    handle
        .send(operation, |api, enterprise_id| {
            api.list_custom_actions_request(parameters::ListCustomActions {
                enterprise_id,
                detail: Some(true),
            })
        })
        .await
}

async fn pipeline(handle: &Handle) -> Result<Response, Error> {
    let operation = Operation::GetLeadStagePipeline;
    handle
        .send(operation, |api, enterprise_id| api.get_lead_stage_pipeline_request(enterprise_id))
        .await
}

/// Returns the cached workspace, or discovers it. If telecrm is down, an older one is returned.
pub(crate) async fn workspace(handle: &Handle) -> Result<Arc<Workspace>, Error> {
    let (cache, clock) = (&handle.workspace, &*handle.clock);
    if let Some(workspace) = cache.fresh(clock.now()) {
        return Ok(workspace);
    }
    let discovered = async {
        let deadline = handle.options.deadline_from(clock.now());
        let _lock = cache.lock(clock, deadline).await?;
        // Another call may have discovered it while this one waited.
        if let Some(workspace) = cache.fresh(clock.now()) {
            return Ok(workspace);
        }
        discover_until(handle, deadline).await
    };
    match discovered.await {
        // An old workspace is better than none while telecrm is down.
        Err(error) if error.is_transient() || handle.sync.is_none() => {
            cache.keep(clock.now()).ok_or(error)
        }
        result => result,
    }
}

/// Discovers the workspace, even if it is cached.
pub(crate) async fn refresh_workspace(handle: &Handle) -> Result<Arc<Workspace>, Error> {
    let (cache, clock) = (&handle.workspace, &*handle.clock);
    let deadline = handle.options.deadline_from(clock.now());
    cache.expire();
    let _lock = cache.lock(clock, deadline).await?;
    discover_until(handle, deadline).await
}

async fn discover_until(handle: &Handle, deadline: Deadline) -> Result<Arc<Workspace>, Error> {
    let now = handle.clock.now();
    // If the discovery of another call has failed, no time may be left.
    let Some(left) = deadline.left(now) else {
        return Err(Error::new(Kind::Deadline));
    };
    // Boxed, because the four requests would make the future of every call large.
    let workspace = Arc::new(Box::pin(discover(handle.at_most(left))).await?);
    handle.workspace.store(workspace.clone(), now);
    Ok(workspace)
}

/// Reads the four endpoints that describe a workspace.
async fn file(handle: &Handle) -> Result<WorkspaceFile, Error> {
    let responses = try_join4(metadata(handle), fields(handle), actions(handle), pipeline(handle));
    let (metadata, fields, actions, pipeline) = responses.await?;
    let file = json!({
        "metadata": metadata.json()?,
        "customFields": fields.json()?,
        "customActions": actions.json()?,
        "leadStagePipeline": pipeline.json()?,
    });
    WorkspaceFile::from_json(file).map_err(inconsistent)
}

fn inconsistent(error: WorkspaceError) -> Error {
    Error::inconsistent(Operation::GetMetadata, error.to_string())
}

async fn discover(handle: Handle) -> Result<Workspace, Error> {
    let file = file(&handle).await?;
    let mut workspace = Workspace::from_file(&file).map_err(inconsistent)?;
    if let Some(country) = handle.default_country {
        workspace = workspace.with_default_country(country);
    }
    if let Some(zone) = &handle.time_zone {
        workspace = workspace.with_time_zone(zone.clone());
    }
    Ok(workspace)
}
