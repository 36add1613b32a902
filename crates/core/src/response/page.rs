//! Pages of search results.

use super::part::{Members, Part, write_extra};
use super::record::integer;
use crate::FieldValue;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

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
/// assert!(page.skip + page.limit < page.total_count, "there are more");
///
/// // Other keys are kept.
/// let page: Page<LeadRecord> = serde_json::from_str(r#"{ "data": null, "cursor": "x7" }"#)?;
/// assert!(page.data.is_empty() && page.extra["data"].is_null());
/// assert_eq!(page.extra["cursor"], "x7".into());
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
        write_extra(&mut object, &self.extra)?;
        object.end()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (data, mut extra) = deserializer.deserialize_map(PageVisitor(PhantomData))?;
        Ok(Self {
            data,
            total_count: count(&mut extra, "total_count"),
            skip: count(&mut extra, "skip"),
            limit: count(&mut extra, "limit"),
            extra,
        })
    }
}

struct PageVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for PageVisitor<T> {
    type Value = (Vec<T>, Members);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut response: A) -> Result<Self::Value, A::Error> {
        let (mut data, mut extra) = (Vec::new(), Members::new());
        while let Some(key) = response.next_key::<String>()? {
            match &*key {
                "data" => {
                    let items: Part<Vec<T>> = response.next_value()?;
                    data = items.keep(key, &mut extra).unwrap_or_default();
                }
                _ => _ = extra.insert(key, response.next_value()?),
            }
        }
        Ok((data, extra))
    }
}

/// Takes a count from the keys of a response. A count that is written as a string is also kept
/// there.
fn count(extra: &mut Members, key: &str) -> u64 {
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
