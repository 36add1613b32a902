//! The generated clients, for calls that the facade does not cover.
//!
//! Everything here follows the specs: a newer spec may change any of it, in any release. With the
//! feature `regenerate` it follows the spec that you name in `TELECRM_OPENAPI_DIR`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = telecrm_emulator::Emulator::start().await?;
//! # let (base, token, enterprise_id) = (emulator.sync_url(), emulator.sync_token(), emulator.enterprise());
//! use telecrm::raw::{Context, sync};
//!
//! let client = sync::Client::new_with_client(&base, reqwest::Client::new(), Context::bearer(token)?);
//! let pipeline = client.get_lead_stage_pipeline(enterprise_id).await?;
//! assert_eq!(pipeline.version, Some(3));
//! # Ok(())
//! # }
//! ```
//!
//! Answers outside the documented successes arrive as `Error::UnexpectedResponse` with status,
//! headers and the unread body. The texts of these errors may hold the URL and the body: the
//! enterprise ID and personal data. Do not log them.

pub use crate::transport::Context;

#[cfg(not(feature = "regenerate"))]
pub use crate::generated::{ingest, sync};

#[cfg(feature = "regenerate")]
include!(concat!(env!("OUT_DIR"), "/sync.rs"));
#[cfg(feature = "regenerate")]
include!(concat!(env!("OUT_DIR"), "/async.rs"));

pub(crate) mod shim;

pub(crate) use shim::{check_path, encode_path};
