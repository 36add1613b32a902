//! Which calls are shown.

use crate::http::Params;
use crate::log::LoggedCall as Remembered;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use telecrm_core::Finding;

/// What somebody looks for in the log.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    /// As it was written, and in lower case.
    pub(crate) text: String,
    needle: String,
    pub(crate) operation: String,
    pub(crate) class: String,
    pub(crate) losses: bool,
}

impl Filter {
    pub(crate) fn new(params: &Params) -> Self {
        let text = |name| params.get(name).unwrap_or_default().trim().to_owned();
        Self {
            needle: text("q").to_lowercase(),
            text: text("q"),
            operation: text("operation"),
            class: text("status"),
            losses: params.get("losses").is_some(),
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.losses
            || ![&self.text, &self.operation, &self.class]
                .iter()
                .all(|text| text.is_empty())
    }

    pub(crate) fn fits(&self, call: &Remembered) -> bool {
        let entry = &call.entry;
        let operation = entry.operation.as_deref().unwrap_or("none");
        (self.operation.is_empty() || self.operation == operation)
            && self.has_class(entry.status)
            && (!self.losses || entry.findings.iter().any(Finding::is_loss))
            && (self.needle.is_empty() || self.is_in(call))
    }

    fn has_class(&self, status: u16) -> bool {
        match self.class.as_str() {
            "" => true,
            "none" => status == 0,
            class => {
                class
                    .strip_suffix("xx")
                    .and_then(|digit| digit.parse().ok())
                    == Some(status / 100)
            }
        }
    }

    fn is_in(&self, call: &Remembered) -> bool {
        let entry = &call.entry;
        let texts = [&entry.method, &entry.path].map(String::as_str).into_iter();
        let texts = texts.chain(entry.operation.as_deref()).chain(entry.fault);
        let of_finding = |finding: &Finding| {
            self.is_part_of(&finding.path.to_string()) || self.is_part_of(&finding.reason)
        };
        texts.into_iter().any(|text| self.is_part_of(text))
            || self.is_part_of(&entry.status.to_string())
            || entry.findings.iter().any(of_finding)
            || call.exchange.iter().any(|exchange| {
                let bodies = [&exchange.request, &exchange.answer]
                    .into_iter()
                    .filter_map(|message| message.body.as_ref());
                exchange.query.iter().any(|query| self.is_part_of(query))
                    || bodies
                        .into_iter()
                        .any(|body| self.is_part_of(&String::from_utf8_lossy(body.bytes())))
            })
    }

    fn is_part_of(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.needle)
    }
}

/// As the query of an address, without a question mark.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in [
            ("q", &self.text),
            ("operation", &self.operation),
            ("status", &self.class),
        ] {
            if !value.is_empty() {
                write!(f, "&{name}={}", escaped(value))?;
            }
        }
        if self.losses {
            f.write_str("&losses=on")?;
        }
        Ok(())
    }
}

/// As a value in the query of an address.
pub(crate) fn escaped(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, NON_ALPHANUMERIC)
}
