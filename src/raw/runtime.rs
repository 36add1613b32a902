//! What generated code is written against.

pub(crate) use super::response::ResponseValue;
pub(crate) use bytes::Bytes;

use crate::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use reqwest::header::InvalidHeaderValue;
use serde::Serialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
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

/// Makes types print their names, and nothing of what is in them.
macro_rules! print_names_only {
    ($($name:ident),*) => {$(
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

pub(crate) use print_names_only;

/// A JSON object, from which a structure is read key by key.
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries).map(Self)
    }

    /// The value of a key that must be there.
    pub(crate) fn required<T: DeserializeOwned, E: de::Error>(
        &mut self,
        key: &'static str,
    ) -> Result<T, E> {
        match self.0.remove(key) {
            Some(value) => value_of(key, value),
            None => Err(E::missing_field(key)),
        }
    }

    /// The value of a key, unless it is missing or `null`.
    pub(crate) fn optional<T: DeserializeOwned, E: de::Error>(
        &mut self,
        key: &'static str,
    ) -> Result<Option<T>, E> {
        match self.0.remove(key) {
            Some(value) => value_of(key, value),
            None => Ok(None),
        }
    }

    /// The keys that nobody asked for.
    pub(crate) fn rest<T: DeserializeOwned, E: de::Error>(self) -> Result<T, E> {
        T::deserialize(Value::Object(self.0)).map_err(E::custom)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            // One of the values would be lost.
            if object.contains_key(&key) {
                let twice = format_args!("`{key}` stands twice in one object");
                return Err(de::Error::custom(twice));
            }
            object.insert(key, value);
        }
        Ok(object)
    }
}

fn value_of<T: DeserializeOwned, E: de::Error>(key: &str, value: Value) -> Result<T, E> {
    T::deserialize(value).map_err(|error| E::custom(format_args!("`{key}`: {error}")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::ingest::types::CreateOrUpdateLeadBody;
    use crate::raw::sync::types::LeadStagePipeline;

    #[test]
    fn a_structure_is_read_key_by_key() {
        let read = |json: &str| serde_json::from_str::<CreateOrUpdateLeadBody>(json);
        let all = r#"{"actions":[],"fields":{"a":[1],"b":null},"new":{"x":0.5}}"#;
        let body = read(all).unwrap();
        assert_eq!(body.fields["a"].to_string(), "[1]");
        assert_eq!(serde_json::to_string(&body).unwrap(), all);
        for json in [
            r#"{"fields":{}}"#,
            r#"{"actions":null,"fields":{}}"#,
            r#"{"fields":{},"actions":null}"#,
        ] {
            assert_eq!(read(json).unwrap().actions, None, "{json}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_key() {
        let read = |json: &str| {
            serde_json::from_str::<LeadStagePipeline>(json)
                .expect_err(json)
                .to_string()
        };
        for (json, reason) in [
            (r#"{"version":"3"}"#, "`version`: invalid type: string"),
            (
                r#"{"leadStages":[{"stageid":"x"},{"stageid":7}]}"#,
                "`leadStages`: `stageid`: invalid type: integer `7`",
            ),
            ("[3]", "invalid type: sequence, expected an object"),
            (r#"{"new":1,"new":2}"#, "`new` stands twice in one object"),
        ] {
            let error = read(json);
            assert!(error.starts_with(reason), "{error}");
        }
        let missing = serde_json::from_str::<CreateOrUpdateLeadBody>(r#"{"field":{}}"#);
        let missing = missing.expect_err("no fields").to_string();
        assert!(missing.starts_with("missing field `fields`"), "{missing}");
    }

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
