//! The calls of the client, one file for each part of the API.

mod actions;
mod batch;
mod changes;
mod filter;
mod ingest;
mod leads;
mod lookup;
mod ping;
mod request;
mod schema;
mod team_members;
mod verify;
mod verify_all;
