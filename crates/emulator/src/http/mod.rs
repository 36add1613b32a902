//! HTTP: connections, authentication, bodies, errors, and the layers around every call.

pub(crate) mod auth;
pub(crate) mod call;
pub(crate) mod capture;
pub(crate) mod connection;
pub(crate) mod explain;
pub(crate) mod fault;
pub(crate) mod origin;
pub(crate) mod request;
pub(crate) mod response;

pub(crate) use call::ReplayedFault;
pub(crate) use request::{BODY_LIMIT, DiscardedBody, JsonBody, Page, Params};
pub(crate) use response::ApiError;
