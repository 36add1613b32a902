//! The support code that the generated clients call.

pub(crate) use super::response::ResponseValue;
pub(crate) use crate::transport::Unbuilt;
pub(crate) use bytes::Bytes;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use serde::Serialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Encodes a value as exactly one segment of a path. Returns an error if that is impossible.
///
/// URL parsers read `.`, `..` and `\` as parts of the path, so an ID of `..` would reach another
/// resource.
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
    Err(Unbuilt::because(format!("the path parameter `{name}` {fault}")))
}

/// Implements `Debug` for types so that it shows their names and no content.
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

/// A JSON object, from which a struct is read key by key.
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries).map(Self)
    }

    /// The value of a required key.
    pub(crate) fn required<T: DeserializeOwned, E: de::Error>(
        &mut self,
        key: &'static str,
    ) -> Result<T, E> {
        match self.0.remove(key) {
            Some(value) => value_of(key, value),
            None => Err(E::missing_field(key)),
        }
    }

    /// The value of an optional key. Returns `None` if it is missing or `null`.
    pub(crate) fn optional<T: DeserializeOwned, E: de::Error>(
        &mut self,
        key: &'static str,
    ) -> Result<Option<T>, E> {
        match self.0.remove(key) {
            Some(value) => value_of(key, value),
            None => Ok(None),
        }
    }

    /// The keys that the spec does not name.
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
            // Otherwise one of the values would be lost.
            if object.contains_key(&key) {
                return Err(de::Error::custom(format_args!("duplicate key `{key}`")));
            }
            object.insert(key, value);
        }
        Ok(object)
    }
}

fn value_of<T: DeserializeOwned, E: de::Error>(key: &str, value: Value) -> Result<T, E> {
    T::deserialize(value).map_err(|error| E::custom(format_args!("`{key}`: {error}")))
}

/// Optional query parameters.
pub(crate) trait QueryIf {
    /// Adds a parameter to the query if it is given.
    fn query_if(self, given: bool, parameter: &impl Serialize) -> Self;
}

impl QueryIf for RequestBuilder {
    fn query_if(self, given: bool, parameter: &impl Serialize) -> Self {
        if given { self.query(parameter) } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::ingest::types::CreateOrUpdateLeadBody;
    use crate::raw::sync::types::LeadStagePipeline;

    #[test]
    fn a_struct_is_read_key_by_key_and_keeps_unknown_keys() {
        let all = r#"{"actions":[],"fields":{"a":[1],"b":null},"new":{"x":0.5}}"#;
        let body: CreateOrUpdateLeadBody = serde_json::from_str(all).unwrap();
        assert_eq!(body.fields["a"].to_string(), "[1]");
        assert_eq!(serde_json::to_string(&body).unwrap(), all);
    }

    #[test]
    fn an_optional_key_may_be_missing_or_null() {
        for json in [
            r#"{"fields":{}}"#,
            r#"{"actions":null,"fields":{}}"#,
            r#"{"fields":{},"actions":null}"#,
        ] {
            let body: CreateOrUpdateLeadBody = serde_json::from_str(json).unwrap();
            assert_eq!(body.actions, None, "{json}");
        }
    }

    #[track_caller]
    fn assert_refused<T: DeserializeOwned>(json: &str, reason: &str) {
        let Err(error) = serde_json::from_str::<T>(json) else {
            panic!("{json} was read");
        };
        assert!(error.to_string().starts_with(reason), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_key() {
        let reason = "`version`: invalid type: string";
        assert_refused::<LeadStagePipeline>(r#"{"version":"3"}"#, reason);
    }

    #[test]
    fn a_value_deep_within_is_named_by_its_keys() {
        let json = r#"{"leadStages":[{"stageid":"x"},{"stageid":7}]}"#;
        let reason = "`leadStages`: `stageid`: invalid type: integer `7`";
        assert_refused::<LeadStagePipeline>(json, reason);
    }

    #[test]
    fn a_list_is_not_read_as_a_struct() {
        let reason = "invalid type: sequence, expected an object";
        assert_refused::<LeadStagePipeline>("[3]", reason);
    }

    #[test]
    fn a_duplicate_key_is_refused() {
        assert_refused::<LeadStagePipeline>(r#"{"new":1,"new":2}"#, "duplicate key `new`");
    }

    #[test]
    fn a_missing_key_is_named() {
        assert_refused::<CreateOrUpdateLeadBody>(r#"{"field":{}}"#, "missing field `fields`");
    }

    #[test]
    fn a_path_parameter_is_encoded_as_one_segment() {
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
    fn a_path_parameter_that_cannot_be_a_segment_is_refused_by_name() {
        for value in ["", " ", ".", "..", "a\nb", "\u{0}", "\u{85}"] {
            let Err(refused) = encode_path("lead_id", value) else {
                panic!("{value:?}");
            };
            let refused = refused.into_error().to_string();
            assert!(refused.contains("the path parameter `lead_id` "), "{refused}");
        }
    }
}
