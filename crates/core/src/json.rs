//! Reading JSON without losing a value silently.
//!
//! An object may contain the same key twice. Most readers keep the last value and drop the others
//! without an error. [`read_json`] reports such keys.

use crate::FieldPath;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::collections::BTreeSet;
use std::fmt;

/// Reads JSON, and lists the keys that occur more than once in the same object. The last value of
/// such a key wins.
///
/// ```
/// use telecrm_core::json::read_json;
///
/// let (lead, repeated) = read_json(br#"{"fields": {"phone": "919999999999", "name": "Asha",
///     "name": "Usha"}}"#)?;
/// assert_eq!(lead["fields"]["name"], "Usha");
/// assert_eq!(repeated[0].to_string(), "fields.name");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Returns an error if the text is not JSON.
pub fn read_json(text: &[u8]) -> Result<(Value, Vec<FieldPath>), serde_json::Error> {
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = reader.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, reader.repeated))
}

/// Names the type of a JSON value inside a sentence.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[derive(Default)]
struct Reader {
    /// The path of the current value.
    place: String,
    /// The paths of repeated keys, in the order of the text.
    repeated: Vec<FieldPath>,
    /// The same paths as text, so that a key that occurs three times is listed once.
    seen: BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let start = self.place.len();
        let mut list = Vec::new();
        loop {
            self.place.push_str(&format!("[{}]", list.len()));
            let item = items.next_element_seed(&mut *self)?;
            self.place.truncate(start);
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let start = self.place.len();
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if start > 0 {
                self.place.push('.');
            }
            self.place.push_str(&key);
            let value = entries.next_value_seed(&mut *self)?;
            if object.insert(key, value).is_some() && self.seen.insert(self.place.clone()) {
                let Ok(path) = self.place.parse();
                self.repeated.push(path);
            }
            self.place.truncate(start);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(json: &str) -> Vec<String> {
        let (value, repeated) = read_json(json.as_bytes()).expect("JSON");
        assert_eq!(value, serde_json::from_str::<Value>(json).expect("JSON"));
        repeated.iter().map(ToString::to_string).collect()
    }

    fn reads_unchanged(json: &str) {
        assert_eq!(paths(json), [""; 0]);
    }

    cases! { reads_unchanged:
        nested(r#"{"a":[null,true,-1,18446744073709551615,0.5,1e300,"x","\u0061"],"b":{"a":{}}}"#),
        empty_list("[]"),
        empty_object("{}"),
        string("\"x\""),
        null("null"),
    }

    fn lists_repeated_keys(json: &str, expected: &[&str]) {
        assert_eq!(paths(json), expected);
    }

    cases! { lists_repeated_keys:
        three_times(r#"{"fields":{"a":1,"b":2,"a":3,"a":4}}"#, &["fields.a"]),
        top_level(r#"{"fields":{},"fields":{"a":1}}"#, &["fields"]),
        nested(
            r#"{"actions":[{"type":"1","type":"2"},{"fields":{"n":1,"n":2}}],"fields":{"a":{"b":1,"b":2}}}"#,
            &["actions[0].type", "actions[1].fields.n", "fields.a.b"],
        ),
        escaped(r#"[{"a":1,"\u0061":1}]"#, &["[0].a"]),
    }

    #[test]
    fn a_repeated_key_with_a_dot_is_one_field() {
        let (_, repeated) = read_json(br#"{"fields":{"a.b":1,"a.b":2}}"#).expect("JSON");
        assert_eq!(repeated, [FieldPath::Field("a.b".into())]);
    }

    fn fails_like_serde_json(text: &[u8]) {
        let error = read_json(text).expect_err("not JSON");
        let expected = serde_json::from_slice::<Value>(text).expect_err("not JSON");
        assert_eq!(error.to_string(), expected.to_string());
    }

    cases! { fails_like_serde_json:
        empty(b""),
        cut_off(br#"{"a":1,"a":2"#),
        trailing_text(br#"{"a":1} {"#),
        control_character(b"{\"a\":\x01}"),
        number_out_of_range(b"1e400"),
        too_deep("[".repeat(100_000).as_bytes()),
        not_utf8(b"\"\xff\""),
    }
}
