//! What generated code is written against.

pub(crate) use super::response::ResponseValue;
pub(crate) use bytes::Bytes;

use crate::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use reqwest::header::InvalidHeaderValue;
use serde::Serialize;
use std::fmt;

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
        Self::because("a parameter holds characters that no header can carry")
    }
}

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// A value as exactly one segment of a path, or the reason why none can carry it.
///
/// The URL parser would take `.`, `..` and `\` for other paths: an ID of `..` would reach another resource.
pub(crate) fn encode_path<'a>(
    name: &str,
    value: &'a str,
) -> Result<impl fmt::Display + use<'a>, Unbuilt> {
    let fault = match value {
        _ if value.trim().is_empty() => "is blank",
        "." | ".." => "is `.` or `..`, which would name another resource",
        _ if value.contains(char::is_control) => "holds control characters",
        _ => return Ok(utf8_percent_encode(value, ENCODED)),
    };
    Err(Unbuilt::because(format!(
        "the path parameter `{name}` {fault}"
    )))
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

/// Has types print their names and no values, which are somebody's data.
macro_rules! without_values {
    ($($name:ident),*) => {$(
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use without_values;

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
            ("!", "%21"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(encode_path("id", value).unwrap().to_string(), segment);
            let url = format!("http://localhost/base/lead/{segment}/action");
            let url = reqwest::Url::parse(&url).unwrap();
            assert_eq!(url.path(), format!("/base/lead/{segment}/action"));
        }
    }

    #[test]
    fn what_no_segment_can_carry_is_refused_by_name() {
        for value in ["", " ", ".", "..", "a\nb", "\u{0}", "\u{85}"] {
            let Err(refused) = encode_path("lead_id", value) else {
                panic!("{value:?}");
            };
            let refused = refused.into_error().to_string();
            assert!(
                refused.contains("the path parameter `lead_id` "),
                "{refused}"
            );
        }
    }
}
