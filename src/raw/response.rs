//! The responses of the generated clients.

use crate::Error;
use crate::transport::Response;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A decoded response with its status and headers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::raw::{ResponseValue, sync};
/// use telecrm_emulator::Emulator;
///
/// let emulator = Emulator::start().await?;
/// let telecrm = emulator.client();
/// let raw = telecrm.raw();
/// let response: ResponseValue<sync::types::EnterpriseMetadata> =
///     raw.sync()?.get_metadata(raw.enterprise_id()?).await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.header("content-type"), Some("application/json"));
/// assert_eq!(response.lead_identifier_field_id.as_deref(), Some("phone"));
/// let _metadata = response.into_inner();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ResponseValue<T> {
    value: T,
    status: u16,
    headers: HeaderMap,
}

impl<T> ResponseValue<T> {
    pub(crate) fn of(value: T, response: Response) -> Self {
        Self { value, status: response.status.as_u16(), headers: response.headers }
    }

    /// The decoded value.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The status. Every success status is decoded, documented or not.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, in any case. Returns `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes a JSON body.
    pub(crate) fn from_response(response: Response) -> Result<Self, Error> {
        let value = response.decode()?;
        Ok(Self::of(value, response))
    }
}

/// Shows neither the decoded value nor the headers.
impl<T> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
