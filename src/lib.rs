#![doc = include_str!("../README.md")]

mod actions;
mod calls;
mod client;
mod error;
mod generated;
mod ingest;
mod leads;
mod limit;
mod operation;
mod period;
pub mod raw;
mod request;
mod schema;
mod stream;
mod team_members;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod timeline;
mod token;
mod transport;
mod turns;
mod walk;
mod workspace;

pub use actions::{ActionFilter, Actions};
pub use client::{ASYNC_URL, Builder, Raw, SYNC_URL, Telecrm};
pub use error::{Error, ErrorCode, ErrorDetail, Phase};
pub use ingest::{Baseline, Ingest, Receipt, Verdict};
pub use leads::{Filter, Leads, Slice, Upserted};
pub use limit::{LimitState, RateLimit};
pub use operation::{Idempotency, Operation};
pub use period::Period;
pub use request::{Method, Reply, Request};
pub use schema::Schema;
pub use stream::Items;
pub use team_members::{NewTeamMember, TeamMembers};
pub use telecrm_core::*;
pub use time::Clock;
pub use token::{AsyncToken, SyncToken, TokenError};
pub use transport::{CallOptions, CallReport};
