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

/// What is known of a call so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// Whether the call may change something on the server.
    pub(crate) writes: bool,
    /// How often the client tried to send the request.
    pub(crate) tries: u32,
    /// How often the request was on the wire.
    pub(crate) attempts: u32,
    /// The token slot of the latest request on its way.
    pub(crate) slot: Option<usize>,
    /// How far the latest attempt came.
    pub(crate) phase: Phase,
    /// The status of the latest attempt. `None` if no response arrived.
    pub(crate) status: Option<StatusCode>,
    /// How long the server asked to wait, in the response to the latest attempt.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the server may have acted on an attempt before the latest one.
    pub(crate) earlier_doubt: bool,
    /// How the latest of the earlier attempts ended whose request was sent.
    pub(crate) earlier: Option<Sent>,
    /// Whether the response to the latest attempt broke off.
    pub(crate) is_cut: bool,
    /// How long the call waited for the rate limit and between attempts.
    pub(crate) waited: Duration,
}

/// How an attempt ended whose request was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    phase: Phase,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
}

impl Progress {
    pub(crate) fn new(writes: bool) -> Self {
        Self {
            writes,
            tries: 0,
            attempts: 0,
            slot: None,
            phase: Phase::NotBuilt,
            status: None,
            retry_after: None,
            earlier_doubt: false,
            earlier: None,
            is_cut: false,
            waited: Duration::ZERO,
        }
    }

    /// Begins an attempt, whose request is not sent yet.
    pub(crate) fn begin_attempt(&mut self) {
        let is_sent = !matches!(self.phase, Phase::NotBuilt | Phase::NotSent);
        let Self { phase, status, retry_after, .. } = *self;
        *self = Self {
            earlier: is_sent.then_some(Sent { phase, status, retry_after }).or(self.earlier),
            phase: Phase::NotSent,
            status: None,
            retry_after: None,
            is_cut: false,
            earlier_doubt: self.earlier_doubt || self.leaves_doubt(),
            ..*self
        };
    }

    /// What is known of all attempts. If the latest request was not sent, the one before it counts:
    /// a call of which a request was sent is never called not sent.
    pub(crate) fn summary(&self) -> Self {
        match (self.phase, self.earlier) {
            (Phase::NotSent, Some(Sent { phase, status, retry_after })) => {
                Self { phase, status, retry_after, ..*self }
            }
            _ => *self,
        }
    }

    /// The request of this attempt is on its way, with the token of this slot.
    pub(crate) fn sent(&mut self, slot: usize) {
        self.slot = Some(slot);
        self.tries += 1;
        self.attempts += 1;
        self.phase = Phase::MaybeSent;
    }

    /// The attempt ended without a response.
    pub(crate) fn failed(&mut self, phase: Phase) {
        let was_on_the_wire = !matches!(phase, Phase::NotBuilt | Phase::NotSent);
        if self.phase == Phase::MaybeSent && !was_on_the_wire {
            self.attempts -= 1;
        }
        self.phase = phase;
    }

    pub(crate) fn is_success(&self) -> bool {
        self.phase == Phase::Answered && self.status.is_some_and(|status| status.is_success())
    }

    /// Whether the server may have acted on the latest attempt although it did not confirm that.
    pub(crate) fn leaves_doubt(&self) -> bool {
        match (self.phase, self.status) {
            (Phase::NotBuilt | Phase::NotSent, _) => false,
            (Phase::MaybeSent | Phase::Unreadable, _) => true,
            // 303 says that the request was carried out. 1xx is no final answer, and nothing says
            // what a status from 600 means.
            (Phase::Answered, status) => status
                .is_some_and(|status| matches!(status.as_u16(), 100..=199 | 303 | 408 | 500..)),
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        match self.phase {
            Phase::NotBuilt => false,
            Phase::Unreadable => self.is_cut,
            Phase::NotSent | Phase::MaybeSent => true,
            Phase::Answered => self.status.is_some_and(|status| {
                status.is_server_error()
                    || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }),
        }
    }

    /// Whether the call is a write that the server may have carried out without confirming it.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        self.writes && (self.earlier_doubt || self.leaves_doubt())
    }
}
