//! A client for the HTTP APIs of the telecrm CRM.

mod calls;
mod client;
mod error;
#[cfg_attr(feature = "regenerate", allow(dead_code))]
mod generated;
mod ingest;
mod leads;
mod limit;
mod operation;
pub mod raw;
mod time;
mod token;
mod transport;
mod workspace;

pub use client::{ASYNC_URL, Builder, SYNC_URL, Telecrm};
pub use error::{Error, ErrorCode, ErrorDetail, Phase};
pub use ingest::{Baseline, Ingest, Receipt, Verdict};
pub use leads::{Filter, Leads, Slice};
pub use limit::RateLimit;
pub use operation::Operation;
pub use telecrm_core::*;
pub use token::{AsyncToken, SyncToken, TokenError};
