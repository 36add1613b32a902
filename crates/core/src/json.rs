//! JSON that is read without losing a value in silence.
//!
//! A key may stand more than once in one object, and readers take one of its values, most the last: the others are lost without a
//! word.

use crate::FieldPath;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt::{self, Write};

/// Reads a JSON text, and tells which keys stand more than once in one object, so that all but the last of their values are lost.
///
/// ```
/// use telecrm_core::read_json;
///
/// let (lead, repeated) = read_json(br#"{"fields": {"phone": "919999999999", "name": "Asha", "name": "Usha"}}"#)?;
/// assert_eq!(lead["fields"]["name"], "Usha");
/// assert_eq!(repeated[0].to_string(), "fields.name");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// If it is not JSON.
pub fn read_json(text: &[u8]) -> Result<(Value, Vec<FieldPath>), serde_json::Error> {
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = reader.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, reader.repeated))
}

#[derive(Default)]
struct Reader {
    /// Where it is.
    place: String,
    /// Where a key was repeated.
    repeated: Vec<FieldPath>,
    /// The same as texts, so that each is told once.
    told: Map<String, Value>,
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
            // A text cannot fail to take more.
            let _ = write!(self.place, "[{}]", list.len());
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
            if object.insert(key, value).is_some()
                && self.told.insert(self.place.clone(), Value::Null).is_none()
            {
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

    #[test]
    fn every_kind_of_json_comes_through_unchanged() {
        for text in [
            r#"{"a":[null,true,-1,18446744073709551615,0.5,1e300,"x","\u0061"],"b":{"a":{}}}"#,
            "[]",
            "{}",
            "\"x\"",
            "null",
        ] {
            let (value, repeated) = read_json(text.as_bytes()).expect("JSON");
            assert_eq!(value, serde_json::from_str::<Value>(text).expect("JSON"));
            assert_eq!(repeated, []);
        }
    }

    #[test]
    fn each_repeated_key_is_found_at_any_depth_and_once() {
        for (json, paths) in [
            (r#"{"fields":{"a":1,"b":2,"a":3,"a":4}}"#, &["fields.a"][..]),
            (r#"{"fields":{},"fields":{"a":1}}"#, &["fields"]),
            (
                r#"{"actions":[{"type":"1","type":"2"},{"fields":{"n":1,"n":2}}],"fields":{"a":{"b":1,"b":2}}}"#,
                &["actions[0].type", "actions[1].fields.n", "fields.a.b"],
            ),
            (r#"[{"a":1,"\u0061":1}]"#, &["[0].a"]),
        ] {
            let (value, repeated) = read_json(json.as_bytes()).expect("JSON");
            assert_eq!(value, serde_json::from_str::<Value>(json).expect("JSON"));
            let repeated: Vec<_> = repeated.iter().map(ToString::to_string).collect();
            assert_eq!(repeated, paths, "{json}");
        }
        let (_, repeated) = read_json(br#"{"fields":{"a.b":1,"a.b":2}}"#).expect("JSON");
        assert_eq!(repeated, [FieldPath::Field("a.b".into())]);
    }

    #[test]
    fn what_is_no_json_fails_as_elsewhere() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            r#"{"a":1,"a":2"#,
            r#"{"a":1} {"#,
            "{\"a\":\u{1}}",
            "1e400",
            &deep,
        ] {
            let error = read_json(text.as_bytes()).expect_err(text);
            let usual = serde_json::from_str::<Value>(text).expect_err(text);
            assert_eq!(error.to_string(), usual.to_string());
        }
        let bytes = b"\"\xff\"";
        let usual = serde_json::from_slice::<Value>(bytes).expect_err("no UTF-8");
        let error = read_json(bytes).expect_err("no UTF-8");
        assert_eq!(error.to_string(), usual.to_string());
    }
}
