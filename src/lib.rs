#![doc = include_str!("../README.md")]

mod api;
mod client;
mod clock;
mod error;
mod operation;
mod pagination;
pub mod raw;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod transport;
mod workspace_cache;

pub use api::actions::{ActionFilter, Actions};
pub use api::ingest::{Baseline, Ingest, Receipt, Verification};
pub use api::leads::{Filter, Leads, PageRequest, Upserted};
pub use api::period::Period;
pub use api::request::{Method, Reply, Request};
pub use api::schema::Schema;
pub use api::team_members::{NewTeamMember, TeamMembers};
pub use client::{ASYNC_URL, Builder, Raw, SYNC_URL, Telecrm};
pub use clock::Clock;
pub use error::{Error, ErrorCode, ErrorDetail, Phase};
pub use operation::{Idempotency, Operation};
pub use pagination::Items;
pub use telecrm_core::{compare::*, json::read_json, response::*, rules::*, workspace::*, *};
pub use token::{AsyncToken, SyncToken, TokenError};
pub use transport::rate_limit::{LimitState, RateLimit};
pub use transport::{CallOptions, CallReport};
