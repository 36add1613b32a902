//! Reading a value from its JSON text, so that no digit is lost.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// Reads a value from its JSON text without copying the text. If serde has buffered the value
/// already, as for `flatten`, `untagged` and other formats, reads the JSON of that value instead.
pub(crate) fn by_text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, serde_json::Error>,
) -> Result<T, D::Error> {
    let name = <&RawValue>::deserialize(Name("")).map_or_else(|Name(name)| name, |_| "");
    deserializer.deserialize_newtype_struct(name, Reader(read, PhantomData))
}

/// A deserializer that finds out the private name by which `RawValue` asks `serde_json` for text.
#[derive(Debug)]
struct Name(&'static str);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Name {}

impl Error for Name {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("")
    }
}

impl<'de> Deserializer<'de> for Name {
    type Error = Self;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: V,
    ) -> Result<V::Value, Self> {
        Err(Self(name))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self> {
        Err(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

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
