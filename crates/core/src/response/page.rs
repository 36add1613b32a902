//! Pages of search results.

use super::record::integer;
use crate::FieldValue;
use crate::value::by_text;
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// One page of a search.
///
/// ```
/// use telecrm_core::LeadRecord;
/// use telecrm_core::response::Page;
///
/// let page: Page<LeadRecord> = serde_json::from_str(
///     r#"{ "data": [{ "fields": { "phone": "919999999999" } }], "total_count": 42, "skip": 0,
///         "limit": 1 }"#,
/// )?;
/// assert!(page.has_more());
///
/// // Other keys are kept.
/// let page: Page<LeadRecord> = serde_json::from_str(r#"{ "data": null, "cursor": "x7" }"#)?;
/// assert!(page.data.is_empty() && page.extra["data"].is_null());
/// assert_eq!(page.extra["cursor"], "x7");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schemars",
    schemars(default, bound = "T: schemars::JsonSchema + Default + Serialize")
)]
pub struct Page<T> {
    /// The items, newest first. An item that is not an object is empty here, and the whole list is
    /// then also in `extra`.
    pub data: Vec<T>,
    /// How many items match.
    pub total_count: u64,
    /// How many items come before this page.
    pub skip: u64,
    /// How many items a page can have.
    pub limit: u64,
    /// The other keys. Also contains the keys above if they are not a list or a number.
    #[cfg_attr(feature = "schemars", schemars(flatten))]
    pub extra: BTreeMap<String, FieldValue>,
}

impl<T> Page<T> {
    /// Whether more items follow this page, by the counts of the server.
    pub fn has_more(&self) -> bool {
        let read = u64::try_from(self.data.len()).unwrap_or(u64::MAX);
        !self.data.is_empty() && self.skip.saturating_add(read) < self.total_count
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if !self.extra.contains_key("data") {
            object.serialize_entry("data", &self.data)?;
        }
        let counts =
            [("total_count", self.total_count), ("skip", self.skip), ("limit", self.limit)];
        for (key, count) in counts {
            if !self.extra.contains_key(key) {
                object.serialize_entry(key, &count)?;
            }
        }
        for (key, value) in &self.extra {
            object.serialize_entry(key, value)?;
        }
        object.end()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_text(deserializer, |text| {
            let mut keys: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            let (data, is_complete) = match keys.get("data") {
                Some(list) => read_list(list.get())?,
                None => (Vec::new(), false),
            };
            if is_complete {
                keys.remove("data");
            }
            let values =
                keys.into_iter().map(|(key, value)| Ok((key, FieldValue::read(value.get())?)));
            let mut extra = values.collect::<Result<BTreeMap<_, _>, serde_json::Error>>()?;
            Ok(Self {
                data,
                total_count: count(&mut extra, "total_count"),
                skip: count(&mut extra, "skip"),
                limit: count(&mut extra, "limit"),
                extra,
            })
        })
    }
}

/// Reads a list of objects. An empty object replaces any other item. Also returns whether the text
/// is such a list, with objects only.
fn read_list<T: DeserializeOwned>(text: &str) -> Result<(Vec<T>, bool), serde_json::Error> {
    // The usual case.
    if let Ok(items) = serde_json::from_str(text) {
        return Ok((items, true));
    }
    if !text.starts_with('[') {
        return Ok((Vec::new(), false));
    }
    let items = serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter();
    let objects = items.map(|item| match item.get() {
        object if object.starts_with('{') => serde_json::from_str(object),
        _ => serde_json::from_str("{}"),
    });
    Ok((objects.collect::<Result<_, _>>()?, false))
}

/// Takes a count from the keys of a response. A count that is written as a string is also kept
/// there.
fn count(extra: &mut BTreeMap<String, FieldValue>, key: &str) -> u64 {
    let Some(value) = extra.get(key) else {
        return 0;
    };
    if let Some(count) = value.as_json().as_u64() {
        extra.remove(key);
        return count;
    }
    let count = integer(value).and_then(|count| count.try_into().ok());
    count.unwrap_or_default()
}
