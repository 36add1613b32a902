//! What a generated call brings.

use crate::Error;
use crate::transport::Response;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A decoded answer, with its status and headers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let (base, token, enterprise_id) = (emulator.sync_url(), emulator.sync_token(), emulator.enterprise());
/// use telecrm::raw::{Context, ResponseValue, sync};
///
/// let client = sync::Client::new_with_client(&base, reqwest::Client::new(), Context::bearer(token)?);
/// let answer: ResponseValue<sync::types::EnterpriseMetadata> = client.get_metadata(enterprise_id).await?;
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.header("content-type"), Some("application/json"));
/// assert_eq!(answer.lead_identifier_field_id.as_deref(), Some("phone"));
/// let metadata = answer.into_inner();
/// # drop(metadata);
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
    pub(crate) fn of(value: T, answer: Response) -> Self {
        Self {
            value,
            status: answer.status.as_u16(),
            headers: answer.headers,
        }
    }

    /// What was decoded.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The status of the answer; every success is decoded.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header of the answer, whatever its case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Of JSON.
    pub(crate) fn from_response(answer: Response) -> Result<Self, Error> {
        let value = answer.decode()?;
        Ok(Self::of(value, answer))
    }
}

/// Without what was decoded, and without the headers.
impl<T> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("status", &self.status)
            .finish_non_exhaustive()
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
