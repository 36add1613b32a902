//! Reading a value from its JSON text, so that no digit is lost.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Unexpected, Visitor,
};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// Reads a value from its JSON text without copying the text. If serde has buffered the value
/// already, as for `flatten`, `untagged` and other formats, reads the JSON of that value instead.
pub(crate) fn by_text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, serde_json::Error>,
) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(RAW_VALUE, Reader(read, PhantomData))
}

/// The name by which [`RawValue`](serde_json::value::RawValue) asks `serde_json` for the text.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

struct Reader<F, T>(F, PhantomData<T>);

impl<'de, T, F: FnOnce(&str) -> Result<T, serde_json::Error>> Visitor<'de> for Reader<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    /// `serde_json` passes the text as the only entry of a map.
    fn visit_map<A: MapAccess<'de>>(self, mut text: A) -> Result<T, A::Error> {
        match text.next_key::<IgnoredAny>()? {
            Some(_) => text.next_value_seed(self),
            None => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, read: D) -> Result<T, D::Error> {
        self.visit_str(&Value::deserialize(read)?.to_string())
    }
}

impl<'de, T, F: FnOnce(&str) -> Result<T, serde_json::Error>> DeserializeSeed<'de>
    for Reader<F, T>
{
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<T, D::Error> {
        text.deserialize_str(self)
    }
}
