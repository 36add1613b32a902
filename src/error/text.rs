//! The texts of errors: one sentence about what happened, and a hint about what to do.
//!
//! No text holds a token, the enterprise ID, a URL or a value that was sent.

use super::{Error, Kind};
use reqwest::StatusCode;
use std::error::Error as _;
use std::fmt;

impl Error {
    /// What happened, in one sentence with operation and status.
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let subject = match (inner.operation, inner.kind) {
            (Some(operation), _) => Some(operation.words()),
            (None, Kind::Config | Kind::Invalid) => None,
            (None, _) => Some("the request"),
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
        match inner.kind {
            Kind::Config | Kind::Invalid => {
                f.write_str(inner.body.message.as_deref().unwrap_or_default())
            }
            Kind::Connect => f.write_str("the server could not be reached"),
            Kind::Timeout => f.write_str("no response arrived in time"),
            Kind::Deadline => f.write_str(
                "the total timeout expired while waiting for the rate limit or another call",
            ),
            Kind::Shutdown => f.write_str("it was not sent because the client is shutting down"),
            Kind::Interrupted => f.write_str("the connection broke before a response arrived"),
            Kind::Status | Kind::Unreadable => {
                f.write_str("the server answered ")?;
                self.response(f)
            }
            Kind::Contradictory => {
                f.write_str("the server returned an error body with success status ")?;
                self.response(f)
            }
        }
    }

    /// Status, code, message and details of the response.
    fn response(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = &self.0.body;
        if let Some(status) = self.status() {
            write!(f, "{}", status.as_u16())?;
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
            write!(f, ": {message}")?;
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
        if inner.hint.is_some() {
            return inner.hint;
        }
        if inner.updated_lead.is_some() {
            return Some(if self.is_outcome_unknown() {
                "read the timeline of the lead, and create only the actions that are missing"
            } else {
                "create only the actions: the fields of the lead are stored"
            });
        }
        if self.is_not_json() {
            return Some("check the base URL");
        }
        if self.is_outcome_unknown() {
            return Some("the server may have acted: read the data back before you send it again");
        }
        match inner.kind {
            Kind::Config | Kind::Invalid | Kind::Contradictory | Kind::Unreadable => None,
            Kind::Connect => Some("check the network and the base URL"),
            Kind::Timeout | Kind::Interrupted => Some("try again later"),
            Kind::Deadline => Some("raise the total timeout of the call, or send less often"),
            Kind::Shutdown => Some("send it with a client that is not shutting down"),
            Kind::Status => match self.status()? {
                StatusCode::UNAUTHORIZED => {
                    Some("check the enterprise ID, then the type and the workspace of the token")
                }
                StatusCode::NOT_FOUND => Some("check the ID, for example with a search"),
                StatusCode::CONFLICT => Some("update what exists instead"),
                StatusCode::TOO_MANY_REQUESTS => Some("wait before you send it again"),
                _ if self.is_transient() => Some("try again later"),
                _ => None,
            },
        }
    }

    /// Whether the response is text where JSON belongs. Proxies answer server errors so, wherever
    /// the base URL points.
    fn is_not_json(&self) -> bool {
        self.0.body.is_not_json
            && self
                .status()
                .is_some_and(|status| !status.is_server_error())
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
            if let Some(hint) = self.hint() {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
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
            .field("updated_lead", &self.0.updated_lead.is_some())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}
