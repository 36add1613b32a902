//! A client for the two HTTP APIs of the [telecrm](https://telecrm.in) CRM.
//!
//! telecrm answers 200 to a lead and silently drops the parts that it does not accept. This crate
//! checks every lead before sending it and reads it back afterwards, so that no lead and no field
//! is lost unnoticed. The crate is unofficial, and has not been run against the live service yet.
//!
//! # Start here
//!
//! [`Telecrm`] is the client. [`Telecrm::from_env`] reads the enterprise ID and the tokens from
//! `TELECRM_*` variables, and [`Telecrm::builder`] takes them as arguments. Calls need a tokio
//! runtime.
//!
//! ```no_run
//! use telecrm::{Lead, Telecrm, Verification};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let telecrm = Telecrm::from_env()?;
//!     let workspace = telecrm.workspace().await?;
//!
//!     let lead = Lead::new().set("phone", "+91 99999 99999").set("status", "fresh");
//!     let checked = workspace.check(&lead);
//!     for finding in checked.report() {
//!         eprintln!("{finding}");
//!     }
//!
//!     let receipt = telecrm.ingest().push(&checked.complete()?).await?;
//!     match telecrm.ingest().verify(&receipt).await? {
//!         Verification::Stored(lead) => println!("stored: {:?}", lead.id()),
//!         other => eprintln!("not stored as sent: {other:?}"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! To run it without an account, start `telecrm emulator` (from the crate `telecrm-cli`). It is a
//! local server, and prints the `export` lines that point this program at it.
//!
//! # Five steps
//!
//! Each step can be used alone, and every result type is `#[must_use]`.
//!
//! | step | call | result |
//! |---|---|---|
//! | discover | [`Telecrm::workspace`] | [`Workspace`]: fields, actions, statuses, identifier |
//! | check | [`Workspace::check`] | [`Checked`]: a [`Finding`] for each drop or change |
//! | | [`Checked::complete`], [`Checked::accept_partial`] | the [`Lead`] to send |
//! | send | [`Ingest::push`] | [`Receipt`] of the Async API |
//! | | [`Leads::create`], [`Leads::update`] | [`Outcome`] of the Sync API |
//! | inspect | [`Outcome::complete`] | the value, or an error that lists what telecrm ignored |
//! | verify | [`Ingest::verify`] | [`Verification`]: stored, differs, missing or unknown |
//!
//! # Nouns
//!
//! | method of [`Telecrm`] | type | operations |
//! |---|---|---|
//! | [`workspace()`](Telecrm::workspace) | [`Workspace`] | the whole schema, to check leads |
//! | [`leads()`](Telecrm::leads) | [`Leads`] | create, get, update, upsert, search, count, stream |
//! | [`leads().actions(id)`](Leads::actions) | [`Actions`] | the actions and payments of a lead |
//! | [`ingest()`](Telecrm::ingest) | [`Ingest`] | push over the Async API, verify |
//! | [`team_members()`](Telecrm::team_members) | [`TeamMembers`] | list, get, create, stream |
//! | [`schema()`](Telecrm::schema) | [`Schema`] | the schema, endpoint by endpoint |
//! | [`ping()`](Telecrm::ping) | [`PingReport`] | whether the settings are right |
//! | [`request()`](Telecrm::request) | [`Request`] | any other endpoint |
//!
//! [`Lead`], [`CustomAction`] and [`Payment`] are what you send. [`Filter`], [`Period`],
//! [`PageRequest`] and [`Items`] select what you read.
//!
//! # Guides
//!
#![cfg_attr(doc, doc = "The module [`guide`] has complete programs for common jobs.")]
//!
//! # Errors
//!
//! All calls fail with [`Error`]. Its [`phase`](Error::phase) says how far the call came. After a
//! write, [`is_outcome_unknown`](Error::is_outcome_unknown) says that telecrm may have stored it:
//! read it back before you send it again. Safe requests are retried, requests that could append
//! twice are not, and [`CallOptions`] sets how often and how long. Requests wait for the
//! [`RateLimit`] by themselves.
//!
//! Errors, logs and debug output contain no tokens, no enterprise ID and no values of leads.
//!
//! IDs such as `AS3` or `LE8` name pitfalls of the API, which
//! [docs/api-notes.md](https://github.com/telecrm-rs/telecrm/blob/main/docs/api-notes.md)
//! describes.
//!
//! # Tests
//!
//! With the feature `testing`, the module `testing` replaces the network with scripted responses.
//! The crate `telecrm-emulator` is a local server that stores leads, for tests over HTTP.
//!
//! # Generated clients
//!
//! The module [`raw`] has all 19 operations as generated from the OpenAPI documents.
//! [`Telecrm::raw`] gives them this client's tokens, limits and retries.
//!
//! # Features
//!
//! | feature | effect |
//! |---|---|
//! | `rustls` (default) | TLS by rustls, with the certificates of the system |
//! | `phone` (default) | checks and completes phone numbers with libphonenumber's data |
//! | `native-tls` | TLS by the platform's library |
//! | `rustls-no-provider` | TLS by rustls, with a crypto provider that the program installs |
//! | `http2`, `gzip` | HTTP/2, compressed responses |
//! | `system-proxy` | the proxy settings of the system |
//! | `testing` | the module `testing` |
//! | `schemars` | JSON Schemas of leads, responses, findings and [`raw`] |
//! | `regenerate` | generates [`raw`] at build time, from `openapi/` or `TELECRM_OPENAPI_DIR` |

mod api;
mod builder;
mod client;
mod clock;
mod environment;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
mod handle;
mod operation;
mod pagination;
pub mod raw;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod transport;
mod workspace_cache;

pub use builder::{ASYNC_URL, Builder, SYNC_URL};
pub use client::{Raw, Telecrm};
pub use token::{AsyncToken, SyncToken, TokenError};
pub use transport::gate::{Gate, GateError, GateRequest, TokenAnswer};
pub use transport::{CallOptions, CallReport, SlotEvent};

pub use api::actions::Actions;
pub use api::batch::Batch;
pub use api::ingest::{Baseline, Ingest, Receipt};
pub use api::leads::{Leads, Upserted};
pub use api::ping::{Access, Ping, PingReport};
pub use api::request::{Method, Reply, Request};
pub use api::schema::Schema;
pub use api::team_members::{NewTeamMember, TeamMembers};
pub use api::verify::Verification;
pub use api::verify_all::Verifications;

pub use api::changes::{ChangeMark, Changes};
pub use api::filter::{ActionFilter, Filter, Period};
pub use pagination::cursor::Cursor;
pub use pagination::{Items, PageRequest};

pub use error::{Error, ErrorCode, ErrorDetail, Phase};
pub use operation::{Idempotency, Operation};

pub use clock::Clock;
pub use transport::rate_limit::{LimitState, RateLimit};

#[doc(inline)]
pub use telecrm_core::*;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
