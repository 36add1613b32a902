//! What is known of a call so far. Everything that an error says about the server comes from here.

use reqwest::StatusCode;
use std::time::Duration;

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// No request was built: the settings or the arguments are invalid.
    NotBuilt,
    /// No request was sent: the server was not reached, or the client did not try.
    NotSent,
    /// The request was sent, at least in part, and no response arrived. The server may have acted.
    MaybeSent,
    /// The server answered with an error.
    Answered,
    /// The server answered, but the response cannot be read or contradicts itself. The server may
    /// have acted.
    Unreadable,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    /// There is no request to send.
    #[default]
    NotBuilt,
    /// The request was not sent.
    NotSent,
    /// The request was sent, at least in part, and no response arrived.
    NoResponse,
    /// The server answered with this status.
    Answered(StatusCode),
    /// The server answered with this status, and the response cannot be used.
    Unreadable(StatusCode),
}

impl AttemptOutcome {
    pub(crate) fn phase(self) -> Phase {
        match self {
            Self::NotBuilt => Phase::NotBuilt,
            Self::NotSent => Phase::NotSent,
            Self::NoResponse => Phase::MaybeSent,
            Self::Answered(_) => Phase::Answered,
            Self::Unreadable(_) => Phase::Unreadable,
        }
    }

    pub(crate) fn status(self) -> Option<StatusCode> {
        match self {
            Self::NotBuilt | Self::NotSent | Self::NoResponse => None,
            Self::Answered(status) | Self::Unreadable(status) => Some(status),
        }
    }

    pub(crate) fn is_success(self) -> bool {
        matches!(self, Self::Answered(status) if status.is_success())
    }

    /// Whether the server may have acted although it did not confirm that.
    pub(crate) fn leaves_doubt(self) -> bool {
        match self {
            Self::NotBuilt | Self::NotSent => false,
            Self::NoResponse | Self::Unreadable(_) => true,
            Self::Answered(status) => {
                status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
            }
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(self) -> bool {
        match self {
            Self::NotBuilt | Self::Unreadable(_) => false,
            Self::NotSent | Self::NoResponse => true,
            Self::Answered(status) => {
                self.leaves_doubt() || status == StatusCode::TOO_MANY_REQUESTS
            }
        }
    }
}

/// What is known of a call so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Whether the call may change something on the server.
    pub(crate) writes: bool,
    /// How often the request was sent.
    pub(crate) attempts: u32,
    /// How the latest attempt ended.
    pub(crate) last: AttemptOutcome,
    /// Whether the server may have acted on an attempt before the latest one.
    pub(crate) earlier_doubt: bool,
    /// How long the server asked to wait in its latest response.
    pub(crate) retry_after: Option<Duration>,
    /// How long the call waited for the rate limit and between attempts.
    pub(crate) waited: Duration,
}

impl Progress {
    /// Begins an attempt, whose request is not sent yet.
    pub(crate) fn begin_attempt(&mut self) {
        self.earlier_doubt |= self.last.leaves_doubt();
        self.last = AttemptOutcome::NotSent;
        self.retry_after = None;
    }

    /// The request of this attempt is on its way.
    pub(crate) fn sent(&mut self) {
        self.attempts += 1;
        self.last = AttemptOutcome::NoResponse;
    }

    /// Whether the server may have carried out a write that it did not confirm.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        self.writes && (self.earlier_doubt || self.last.leaves_doubt())
    }
}
