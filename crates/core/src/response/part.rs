//! Parts of a response that can have an unexpected shape.

use crate::FieldValue;
use crate::value::by_text;
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub(super) type Members = BTreeMap<String, FieldValue>;

/// A part of a response that is expected to have a certain shape.
pub(super) struct Part<T> {
    expected: Option<T>,
    /// The whole part, if its shape is unexpected.
    odd: Option<FieldValue>,
}

impl<T> Part<T> {
    /// The expected part. Moves a part of another shape to the extra keys, so that it is not lost.
    pub(super) fn keep(self, key: String, extra: &mut Members) -> Option<T> {
        match self.odd {
            Some(odd) => _ = extra.insert(key, odd),
            // If the response contains the key twice, the last value wins.
            None => _ = extra.remove(key.as_str()),
        }
        self.expected
    }

    fn expected(part: T) -> Self {
        Self { expected: Some(part), odd: None }
    }
}

/// Expects an object.
impl<'de> Deserialize<'de> for Part<Members> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_text(deserializer, |text| {
            if text.starts_with('{') {
                return serde_json::from_str(text).map(Self::expected);
            }
            Ok(Self { expected: None, odd: Some(FieldValue::read(text)?) })
        })
    }
}

/// Expects a list of objects. An empty object replaces any other item.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Part<Vec<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_text(deserializer, Self::read)
    }
}

impl<T: DeserializeOwned> Part<Vec<T>> {
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        // The usual case: every item is an object.
        if let Ok(items) = serde_json::from_str(text) {
            return Ok(Self::expected(items));
        }
        let odd = Some(FieldValue::read(text)?);
        if !text.starts_with('[') {
            return Ok(Self { expected: None, odd });
        }
        let items = serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter();
        let objects = items.map(|item| match item.get() {
            object if object.starts_with('{') => serde_json::from_str(object),
            _ => serde_json::from_str("{}"),
        });
        Ok(Self { expected: Some(objects.collect::<Result<_, _>>()?), odd })
    }
}

/// Writes the extra keys of a record.
pub(super) fn write_extra<M: SerializeMap>(
    object: &mut M,
    extra: &Members,
) -> Result<(), M::Error> {
    extra.iter().try_for_each(|(key, value)| object.serialize_entry(key, value))
}
