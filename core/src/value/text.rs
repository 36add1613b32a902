//! The text of a value, as it stands in the JSON.

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// The text of a value. Where serde has read the value already, for a flattened or untagged type, or from another format,
/// it is written anew.
pub(crate) struct Text(Box<RawValue>);

impl Text {
    pub(crate) fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it begins so: with `{` an object, and with `[` a list.
    pub(crate) fn opens(&self, first: char) -> bool {
        self.get().starts_with(first)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(Source(deserializer)).map(Self)
    }
}

struct Source<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Source<D> {
    type Error = D::Error;

    /// By a name of its own `RawValue` asks for text, which only `serde_json` understands.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0
            .deserialize_newtype_struct(name, Either { name, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Either<V> {
    name: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Either<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, text: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(text)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, read: D) -> Result<V::Value, D::Error> {
        let text = Value::deserialize(read)?.to_string();
        let text = std::iter::once((self.name, text));
        self.visitor.visit_map(MapDeserializer::new(text))
    }
}
