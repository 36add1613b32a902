//! The generated clients, for calls that the facade does not cover.
//!
//! Everything in this module follows the specs, so any release may change it to follow a newer
//! spec. With the feature `regenerate` it follows the specs in the folder `TELECRM_OPENAPI_DIR`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use telecrm::raw::{Context, sync};
//! use telecrm_emulator::Emulator;
//!
//! let emulator = Emulator::start().await?;
//! let token = Context::bearer(emulator.sync_token())?;
//! let client = sync::Client::new_with_client(&emulator.sync_url(), reqwest::Client::new(), token);
//! let pipeline = client.get_lead_stage_pipeline(emulator.enterprise()).await?;
//! assert_eq!(pipeline.version, Some(3));
//! # Ok(())
//! # }
//! ```
//!
//! Numbers are read as `i64` and `f64`, so integers beyond 2^63 and decimals of more than 17 digits
//! are rounded. The records of the facade keep every digit.
//!
//! The `Debug` output of bodies and responses shows only the name of the type, because they hold
//! personal data. Use `serde_json` to see the data.
//!
//! Errors are those of the facade. They know whether the server may have acted, they keep the body
//! of the response, and they print neither secrets nor values that were sent.

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

pub(crate) use runtime::encode_path;
