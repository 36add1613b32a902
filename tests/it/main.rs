//! The crate as its users see it, over HTTP on loopback.
//!
//! - `api/` has the calls of the client, one file for each part of the API.
//! - How calls are sent: `retries`, `attempts` (what is known of all of them), `rate_limit`,
//!   `gate`, `token_slots`, `write_order`, `shutdown`, `faults` (connections that break, at the
//!   socket), `lost_answers` (creations in doubt).
//! - What is read and reported: `errors`, `response_tolerance` (answers in another form than the
//!   documented one), `values`, `pagination`, `workspace_cache`, `observability`.
//! - Promises: `losses` (the table in `tests/data/losses.jsonl`), `same_set` (the check predicts
//!   what reading back finds), `privacy` (nothing that prints shows secrets or personal data).
//! - Other parts of the crate: `raw` (the generated clients), `schemas` (JSON Schemas), `fake`
//!   (`telecrm::testing`), `public_api`, and `emulator_snippets` (code on the emulator's pages).
//! - `support/` has clients, sample leads, clocks and servers for all of them.

mod api;
mod attempts;
mod emulator_snippets;
mod error_texts;
mod errors;
mod fake;
mod faults;
mod gate;
mod losses;
mod lost_answers;
mod observability;
mod pagination;
mod privacy;
mod proxy;
mod public_api;
mod rate_limit;
mod raw;
mod reported;
mod response_tolerance;
mod retries;
mod same_set;
mod schemas;
mod shutdown;
mod support;
mod token_slots;
mod values;
mod workspace_cache;
mod write_order;
mod wrong_lead;
