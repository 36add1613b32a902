//! Selects the calls that the list shows.

use crate::http::Params;
use crate::log::exchange::{Exchange, Message};
use crate::log::{LogEntry, LoggedCall};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use telecrm_core::{Finding, FindingKind};

#[derive(Clone, Default)]
pub(crate) struct Filter {
    /// The search text as the user wrote it.
    pub(crate) text: String,
    lower_case_text: String,
    /// An operation's ID, or `none` for calls without one.
    pub(crate) operation: String,
    /// A class such as `4xx`, or `none` for calls without a response.
    pub(crate) status: String,
    pub(crate) losses: bool,
}

impl Filter {
    pub(crate) fn new(params: &Params) -> Self {
        let text = |name| params.get(name).unwrap_or_default().trim().to_owned();
        Self {
            lower_case_text: text("q").to_lowercase(),
            text: text("q"),
            operation: text("operation"),
            status: text("status"),
            losses: params.get("losses").is_some(),
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        let texts = [&self.text, &self.operation, &self.status];
        self.losses || texts.iter().any(|text| !text.is_empty())
    }

    pub(crate) fn matches(&self, call: &LoggedCall) -> bool {
        let entry = &call.entry;
        let operation = entry.operation.as_deref().unwrap_or("none");
        let status = match entry.status {
            0 => "none".to_owned(),
            status => format!("{}xx", status / 100),
        };
        (self.operation.is_empty() || self.operation == operation)
            && (self.status.is_empty() || self.status == status)
            && (!self.losses || is_trouble(entry))
            && (self.text.is_empty() || self.text_occurs_in(call))
    }

    fn text_occurs_in(&self, call: &LoggedCall) -> bool {
        let entry = &call.entry;
        let is_in = |text: &str| text.to_lowercase().contains(&self.lower_case_text);
        let in_finding =
            |finding: &Finding| is_in(&finding.path.to_string()) || is_in(&finding.reason);
        let in_body = |message: &Message| {
            let body = message.body.as_ref();
            body.is_some_and(|body| is_in(&String::from_utf8_lossy(&body.bytes)))
        };
        let in_exchange =
            |exchange: &Exchange| in_body(&exchange.request) || in_body(&exchange.answer);
        is_in(&entry.method)
            || is_in(&entry.path)
            || entry.query.as_deref().is_some_and(is_in)
            || is_in(&entry.status.to_string())
            || entry.operation.as_deref().is_some_and(is_in)
            || entry.fault.is_some_and(is_in)
            || entry.findings.iter().any(in_finding)
            || entry.refused.as_ref().is_some_and(|refusal| is_in(&refusal.message))
            || call.exchange.as_ref().is_some_and(in_exchange)
    }
}

/// Whether a call lost something, was refused, or searched for what no lead can have.
fn is_trouble(entry: &LogEntry) -> bool {
    let is_search = entry.found.is_some();
    let is_bad = |f: &Finding| f.is_loss() || (is_search && f.kind == FindingKind::Doubtful);
    entry.refused.is_some() || entry.findings.iter().any(is_bad)
}

/// Prints the filter as `&name=value` pairs of a query.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let losses = if self.losses { "on" } else { "" };
        for (name, value) in [
            ("q", self.text.as_str()),
            ("operation", &self.operation),
            ("status", &self.status),
            ("losses", losses),
        ] {
            if !value.is_empty() {
                write!(f, "&{name}={}", query_value(value))?;
            }
        }
        Ok(())
    }
}

/// Escapes a value for the query of an address.
pub(crate) fn query_value(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, NON_ALPHANUMERIC)
}
