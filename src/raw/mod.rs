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
//! Numbers are read as `i64` and `f64`, and no further: integers beyond 2^63 and decimals of more than 17 digits are
//! rounded. The facade's records keep every digit.
//!
//! What is sent and answered prints its name only, since it holds personal data; `serde_json` shows the rest to whom it concerns.
//!
//! Errors are those of the facade: they tell whether the server may have acted, keep the answer's body, and print neither
//! secrets nor what was sent. Any status of success is decoded, documented or not.

pub use crate::transport::Context;
pub use response::ResponseValue;

#[cfg(not(feature = "regenerate"))]
pub use crate::raw::generated::{ingest, sync};

#[cfg(feature = "regenerate")]
include!(concat!(env!("OUT_DIR"), "/sync.rs"));
#[cfg(feature = "regenerate")]
include!(concat!(env!("OUT_DIR"), "/async.rs"));

pub(crate) mod generated;
mod response;
pub(crate) mod runtime;

pub(crate) use runtime::{Unbuilt, encode_path};
