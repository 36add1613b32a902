//! One call: what is asked for, and how far it has come.

use super::options::CallOptions;
use super::write_order::WriteTicket;
use crate::error::{Error, Progress};
use crate::operation::{Idempotency, Operation};
use reqwest::header::InvalidHeaderValue;
use std::time::Duration;

/// How many attempts of one call may meet a refused token or a rate limit. More mean a server that
/// never stops.
const MAX_FREE_ATTEMPTS: u32 = 1_000;

/// One call. Dropping it gives the number of a write back if the write was never sent.
pub(crate) struct Call {
    /// `None` for a request that no spec describes.
    pub(crate) operation: Option<Operation>,
    pub(super) options: CallOptions,
    pub(super) class: Idempotency,
    pub(super) progress: Progress,
    /// How many attempts met a refused token or a rate limit. They do not count as attempts.
    pub(super) free_attempts: u32,
    /// How long the call has waited because the server answered 429.
    pub(super) throttled: Duration,
    ticket: Option<WriteTicket>,
}

impl Call {
    pub(crate) fn new(
        operation: Option<Operation>,
        class: Idempotency,
        options: CallOptions,
    ) -> Self {
        let progress = Progress::new(class != Idempotency::Safe);
        Self {
            operation,
            options,
            class,
            progress,
            free_attempts: 0,
            throttled: Duration::ZERO,
            ticket: None,
        }
    }

    /// Numbers a write among the writes to the same target.
    pub(crate) fn with_ticket(mut self, ticket: Option<WriteTicket>) -> Self {
        self.ticket = ticket;
        self
    }

    /// Whether another attempt may be made that counts as none, because the server did nothing.
    pub(super) fn may_repeat_for_free(&self) -> bool {
        self.options.attempts > 1 && self.free_attempts < MAX_FREE_ATTEMPTS
    }

    /// Whether no later write to the same target began.
    pub(super) fn is_latest(&self) -> bool {
        self.ticket.as_ref().is_none_or(WriteTicket::is_latest)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(ticket) = &self.ticket
            && self.progress.attempts == 0
        {
            ticket.withdraw();
        }
    }
}

/// Why a request could not be built.
#[derive(Debug)]
pub(crate) struct Unbuilt(Error);

impl Unbuilt {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(Error::refused(reason))
    }

    pub(crate) fn into_error(self) -> Error {
        self.0
    }
}

impl From<reqwest::Error> for Unbuilt {
    fn from(error: reqwest::Error) -> Self {
        Self(Error::transport(error))
    }
}

impl From<InvalidHeaderValue> for Unbuilt {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::because("a parameter has characters that a header cannot hold")
    }
}
