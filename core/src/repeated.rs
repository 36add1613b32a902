//! Keys that stand more than once in one JSON object.
//!
//! JSON allows them, and readers take one of the values, most the last: the others are lost without a word.

use crate::Path;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write;

/// The keys that stand more than once in one object of a JSON text, each once, in the order in which they are repeated. What is not JSON has none.
///
/// ```
/// let lead = br#"{"fields": {"phone": "919999999999", "name": "Asha", "name": "Usha"}}"#;
/// assert_eq!(telecrm_core::repeated_keys(lead), ["fields.name".parse().unwrap()]);
/// ```
pub fn repeated_keys(json: &[u8]) -> Vec<Path> {
    let mut search = Search::default();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = DeserializeSeed::deserialize(&mut search, &mut deserializer);
    match read.and_then(|()| deserializer.end()) {
        Ok(()) => search.found,
        Err(_) => Vec::new(),
    }
}

#[derive(Default)]
struct Search {
    /// Where the reader is.
    place: String,
    found: Vec<Path>,
}

impl Search {
    fn note(&mut self) {
        let Ok(path) = self.place.parse();
        self.found.push(path);
    }
}

impl<'de> DeserializeSeed<'de> for &mut Search {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Search {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let start = self.place.len();
        for index in 0_usize.. {
            // A text cannot fail to take more.
            let _ = write!(self.place, "[{index}]");
            let item = items.next_element_seed(&mut *self)?;
            self.place.truncate(start);
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let start = self.place.len();
        let mut times = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            if start > 0 {
                self.place.push('.');
            }
            self.place.push_str(&key);
            let times = times.entry(key).or_insert(0_usize);
            *times += 1;
            if *times == 2 {
                self.note();
            }
            entries.next_value_seed(&mut *self)?;
            self.place.truncate(start);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Vec<String> {
        let found = repeated_keys(json.as_bytes()).into_iter();
        found.map(|path| path.to_string()).collect()
    }

    #[test]
    fn each_repeated_key_is_found_at_any_depth_and_once() {
        for (json, paths) in [
            (
                r#"{"a":[null,true,-1,18446744073709551615,0.5,"x"],"b":{"a":{}}}"#,
                &[][..],
            ),
            (r#"{"fields":{"a":1,"b":2,"a":3,"a":4}}"#, &["fields.a"]),
            (r#"{"fields":{},"fields":{"a":1}}"#, &["fields"]),
            (
                r#"{"actions":[{"type":"1","type":"2"},{"fields":{"n":1,"n":2}}],"fields":{"a":{"b":1,"b":2}}}"#,
                &["actions[0].type", "actions[1].fields.n", "fields.a.b"],
            ),
            (r#"[{"a":1,"\u0061":1}]"#, &["[0].a"]),
            (r#"{"a":1,"a":2"#, &[]),
            (r#"{"a":1,"a":2} {"#, &[]),
            ("", &[]),
        ] {
            assert_eq!(found(json), paths, "{json}");
        }
        let path = &repeated_keys(br#"{"fields":{"a.b":1,"a.b":2}}"#)[0];
        assert_eq!(*path, Path::Field("a.b".into()));
    }

    #[test]
    fn json_without_a_bottom_ends() {
        assert_eq!(found(&"[".repeat(100_000)), [""; 0]);
    }
}
