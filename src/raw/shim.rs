//! Stands in for `progenitor_client` in the generated code, with path segments of our own.
//!
//! The stock encoding leaves `\`, `.` and `..` to the URL parser, which turns them into other paths:
//! an ID of `..` would reach another resource.

pub use ::progenitor_client::{ByteStream, ClientInfo, Error, ResponseValue};
pub(crate) use ::progenitor_client::{ClientHooks, OperationInfo, QueryParam, RequestBuilderExt};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use serde::Serialize;
use std::fmt;

/// Begins a segment that stands for a value which no URL can carry. Encoded values never hold it.
const REFUSED: char = '!';

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// A value as exactly one path segment, or a mark that [`check_path`] finds.
pub(crate) fn encode_path(value: &str) -> Segment<'_> {
    Segment(value)
}

/// Written straight into the URL.
pub(crate) struct Segment<'a>(&'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match fault(self.0) {
            Some(fault) => write!(f, "{REFUSED}{fault}"),
            None => utf8_percent_encode(self.0, ENCODED).fmt(f),
        }
    }
}

/// Parameters that may not be given.
pub(crate) trait QueryIf {
    /// Adds a parameter to the query if it is given.
    fn query_if(self, given: bool, parameter: &impl Serialize) -> Self;
}

impl QueryIf for RequestBuilder {
    fn query_if(self, given: bool, parameter: &impl Serialize) -> Self {
        match given {
            true => self.query(parameter),
            false => self,
        }
    }
}

/// What keeps a value from being a path segment.
fn fault(value: &str) -> Option<&'static str> {
    match value {
        _ if value.trim().is_empty() => Some("empty"),
        "." | ".." => Some("dots"),
        _ if value.contains(char::is_control) => Some("control"),
        _ => None,
    }
}

/// Refuses a URL in which [`encode_path`] has left its mark, naming the place and the fault.
pub(crate) fn check_path(url: &reqwest::Url, base: &str) -> std::result::Result<(), String> {
    if !url.path().contains(REFUSED) {
        return Ok(());
    }
    // The base URL is the caller's own and may hold anything.
    let own = reqwest::Url::parse(base).map_or(0, |base| base.path().trim_end_matches('/').len());
    let path = url.path().get(own..).unwrap_or_default();
    let mut before = "";
    for segment in path.split('/') {
        if let Some(fault) = segment.strip_prefix(REFUSED) {
            let fault = match fault {
                "empty" => "is blank",
                "dots" => "is `.` or `..`, which would name another resource",
                _ => "holds control characters",
            };
            return Err(format!("the path parameter after `{before}` {fault}"));
        }
        before = segment;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_segment() {
        for (value, segment) in [
            ("62ab16e", "62ab16e"),
            ("jane.doe+x@example.com", "jane.doe%2Bx@example.com"),
            ("a/b", "a%2Fb"),
            (r"a\b", "a%5Cb"),
            ("%2e%2e", "%252e%252e"),
            ("a?b#c", "a%3Fb%23c"),
            ("!dots", "%21dots"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(encode_path(value).to_string(), segment);
            let url = format!("http://localhost/base/lead/{segment}/action");
            let url = reqwest::Url::parse(&url).unwrap();
            assert_eq!(url.path(), format!("/base/lead/{segment}/action"));
            assert_eq!(check_path(&url, "http://localhost/base"), Ok(()));
        }
    }

    #[test]
    fn what_no_segment_can_carry_is_refused_by_place() {
        for value in ["", " ", ".", "..", "a\nb", "\u{0}", "\u{85}"] {
            let url = format!("http://localhost/!odd/lead/{}/action", encode_path(value));
            let url = reqwest::Url::parse(&url).unwrap();
            let refused = check_path(&url, "http://localhost/!odd/").unwrap_err();
            assert!(
                refused.starts_with("the path parameter after `lead` "),
                "{refused}"
            );
        }
    }
}
