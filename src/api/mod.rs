//! The operations of both APIs, one module for each noun.

pub(crate) mod actions;
pub(crate) mod batch;
pub(crate) mod changes;
pub(crate) mod filter;
pub(crate) mod ingest;
pub(crate) mod leads;
mod list;
mod lookup;
pub(crate) mod ping;
pub(crate) mod request;
pub(crate) mod schema;
pub(crate) mod team_members;
mod update;
pub(crate) mod verify;
pub(crate) mod verify_all;

/// Identifies an item without an ID by its content.
fn content_key(item: &impl serde::Serialize) -> String {
    serde_json::to_string(item).unwrap_or_default()
}
