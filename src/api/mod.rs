//! The operations of both APIs, one module for each noun.

pub(crate) mod actions;
pub(crate) mod calls;
pub(crate) mod filter;
pub(crate) mod ingest;
pub(crate) mod leads;
pub(crate) mod request;
pub(crate) mod schema;
pub(crate) mod team_members;
