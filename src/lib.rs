#![doc = include_str!("../README.md")]

mod api;
mod builder;
mod client;
mod clock;
mod environment;
mod error;
mod handle;
mod operation;
mod pagination;
pub mod raw;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod transport;
mod workspace_cache;

pub use api::actions::Actions;
pub use api::filter::{ActionFilter, Filter, Period};
pub use api::ingest::{Baseline, Ingest, Receipt};
pub use api::leads::{Leads, Upserted};
pub use api::request::{Method, Reply, Request};
pub use api::schema::Schema;
pub use api::team_members::{NewTeamMember, TeamMembers};
pub use api::verify::Verification;
pub use builder::{ASYNC_URL, Builder, SYNC_URL};
pub use client::{Raw, Telecrm};
pub use clock::Clock;
pub use error::{Error, ErrorCode, ErrorDetail, Phase};
pub use operation::{Idempotency, Operation};
pub use pagination::{Items, PageRequest};
pub use telecrm_core::*;
pub use token::{AsyncToken, SyncToken, TokenError};
pub use transport::rate_limit::{LimitState, RateLimit};
pub use transport::{CallOptions, CallReport};
