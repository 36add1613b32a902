//! The texts of errors: one sentence about what happened, and a hint about what to do.
//!
//! No text holds a token, the enterprise ID, a URL or a value that was sent.

use super::{Error, Kind, Phase};
use std::error::Error as _;
use std::fmt;
use telecrm_core::write_hint;

impl Error {
    /// What happened, in one sentence with operation and status.
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let is_call = !matches!(inner.kind, Kind::Config | Kind::Invalid);
        let subject = match inner.operation {
            Some(operation) => Some(operation.words()),
            None => is_call.then_some("the request"),
        };
        if let Some(subject) = subject {
            write!(f, "{subject} failed")?;
            if inner.updated_lead.is_some() {
                f.write_str(" after the fields of the lead were updated")?;
            }
            if self.is_outcome_unknown() {
                f.write_str(", outcome unknown")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(match inner.kind {
            // The message says it all.
            Kind::Config | Kind::Invalid => "",
            Kind::Connect => "the server could not be reached",
            Kind::Timeout if self.phase() == Phase::Unreadable => {
                "the end of the response did not arrive in time"
            }
            Kind::Timeout => "no response arrived in time",
            Kind::Deadline => {
                "the total timeout expired while waiting for the rate limit or another call"
            }
            Kind::Gate => "the gate let no request leave",
            Kind::Shutdown => "it was not sent because the client is shutting down",
            Kind::Interrupted => "the connection broke before a response arrived",
            Kind::Status | Kind::Unreadable => "the server answered ",
            Kind::Contradictory => "the server returned an error body with success status ",
        })?;
        self.write_response(f)
    }

    /// Status, code, message and details.
    fn write_response(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = &self.0.body;
        let mut separator = "";
        // Of an attempt without a response, the status is that of an earlier one.
        let has_response =
            matches!(self.0.kind, Kind::Status | Kind::Unreadable | Kind::Contradictory);
        if let Some(status) = self.status_code().filter(|_| has_response) {
            write!(f, "{status}")?;
            separator = ": ";
        }
        if let Some(code) = &body.code {
            write!(f, " {code}")?;
        }
        if self.is_not_json() {
            f.write_str(" with text that is not JSON, such as a web page")?;
        } else if self.0.kind == Kind::Unreadable {
            f.write_str(" with a response that cannot be read")?;
        }
        if let Some(message) = &body.message {
            let message = match message.split_once(" Please ") {
                // The server asks for a new token, whatever is wrong (EN7).
                Some((fault, _advice)) if self.is_not_authorized() => fault,
                _ => message,
            };
            write!(f, "{separator}{message}")?;
        }
        for detail in &body.details {
            write!(f, "; {}: {}", detail.field, detail.message)?;
        }
        Ok(())
    }

    /// What to do about the error. Returns `None` if that depends on the program.
    ///
    /// ```
    /// use telecrm::Operation;
    /// use telecrm::testing::Response;
    ///
    /// let error = Response::html(404).into_error(Operation::SearchLeads);
    /// assert_eq!(error.hint(), Some("check the base URL"));
    /// ```
    pub fn hint(&self) -> Option<&str> {
        let inner = &self.0;
        if let Some(hint) = &inner.hint {
            return Some(hint);
        }
        let is_unknown = self.is_outcome_unknown();
        let hint = match inner.kind {
            _ if inner.updated_lead.is_some() && is_unknown => {
                "read the timeline of the lead, and create only the actions that are missing"
            }
            _ if inner.updated_lead.is_some() => {
                "create only the actions: the fields of the lead are stored"
            }
            _ if self.is_not_json() => "check the base URL",
            _ if is_unknown => {
                "the server may have acted: read the data back before you send it again"
            }
            Kind::Connect => "check the network and the base URL",
            Kind::Deadline => "raise the total timeout of the call, or send less often",
            Kind::Shutdown => "send it with a client that is not shutting down",
            Kind::Status if self.is_not_authorized() => {
                "check the enterprise ID, then the type and the workspace of the token"
            }
            Kind::Status if self.is_not_found() => "check the ID, for example with a search",
            Kind::Status if self.is_already_exists() => "update what exists instead",
            Kind::Status if self.is_rate_limited() => "wait before you send it again",
            _ if self.is_transient() => "try again later",
            _ => return None,
        };
        Some(hint)
    }

    /// Whether the response is text where JSON belongs. Proxies answer server errors and 429 so,
    /// wherever the base URL points.
    fn is_not_json(&self) -> bool {
        let says_enough = self.is_rate_limited() || self.is_transient();
        self.0.body.is_not_json && self.status().is_some() && !says_enough
    }
}

/// `{}` is one sentence. `{:#}` adds the chain of sources and, on a line of its own, the hint.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary(f)?;
        if f.alternate() {
            let mut source = self.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        write_hint(f, self.hint())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("status", &self.status_code())
            .field("code", &self.code())
            .field("finding", &self.0.finding)
            .field("message", &self.message())
            .field("retry_after", &self.retry_after())
            .field("attempts", &self.attempts())
            .field("token_slot", &self.token_slot())
            .field("updated_lead", &self.0.updated_lead.is_some())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}
