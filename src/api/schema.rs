//! A workspace's own description, endpoint by endpoint, over the Sync API.

use crate::{Error, Telecrm};
use serde_json::Value;
use telecrm_core::ActionCode;
use telecrm_core::response::{CustomActionRecord, CustomFieldRecord, Metadata};
use telecrm_core::workspace::Pipeline;

/// What a workspace says of itself, endpoint by endpoint. From [`Telecrm::schema`].
///
/// To check leads use [`Telecrm::workspace`], which puts all of it together and keeps it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
/// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
/// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
/// #     .sync_url(emulator.sync_url())
/// #     .async_url(emulator.async_url())
/// #     .build()?;
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
pub struct Schema(pub(crate) Telecrm);

impl Schema {
    /// The enterprise: name, identifier field, integrations.
    ///
    /// # Errors
    /// As any read.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        self.0.sync()?.metadata().await?.decode()
    }

    /// The fields of leads, the standard ones included, in the detailed shape.
    ///
    /// # Errors
    /// As any read.
    pub async fn fields(&self) -> Result<Vec<CustomFieldRecord>, Error> {
        let answer = self.0.sync()?.custom_fields().await?;
        answer.decode_member("customFields")
    }

    /// One field by its API name, which is case-sensitive (pitfall EN2).
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is none of this name.
    pub async fn field(&self, api_name: &str) -> Result<CustomFieldRecord, Error> {
        self.0.sync()?.custom_field(api_name).await?.decode()
    }

    /// The custom actions, in the detailed shape.
    ///
    /// # Errors
    /// As any read.
    pub async fn actions(&self) -> Result<Vec<CustomActionRecord>, Error> {
        let answer = self.0.sync()?.custom_actions().await?;
        answer.decode_member("customActions")
    }

    /// One custom action. The path wants `ACTION_1001` (pitfall EN4), which [`ActionCode`] sees to.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is none of this code.
    pub async fn action(&self, code: impl Into<ActionCode>) -> Result<CustomActionRecord, Error> {
        let code = code.into().prefixed();
        self.0.sync()?.custom_action(&code).await?.decode()
    }

    /// The pipeline: which statuses and lost reasons can be written (pitfall EN3).
    ///
    /// # Errors
    /// As any read.
    pub async fn pipeline(&self) -> Result<Pipeline, Error> {
        let answer = self.0.sync()?.pipeline().await?;
        let Value::Object(pipeline) = answer.json()? else {
            return Err(answer.misshapen("something else than an object"));
        };
        Pipeline::read(&pipeline).map_err(|error| answer.misshapen(error))
    }
}
