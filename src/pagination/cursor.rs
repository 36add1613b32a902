//! Cursors: places in lists that outlive the process.

use super::merge::Place;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

const VERSION: u32 = 1;

/// A place in a list, from [`Items::cursor`](crate::Items::cursor). It also holds the filter.
///
/// It can be stored as JSON, and used by another process: see
/// [`Leads::stream_from`](crate::Leads::stream_from). It names the enterprise, and the IDs of some
/// items, or their content if they have no ID. Keep it as private as the leads.
///
/// Lists that have no usable times, such as team members, are read by position. Their cursors hold
/// the IDs of all items so far.
#[derive(Clone, Serialize, Deserialize)]
pub struct Cursor {
    /// Read first, because another version may have other keys.
    #[serde(deserialize_with = "version")]
    version: u32,
    id: ListId,
    place: Place,
}

/// Which list a cursor belongs to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListId {
    pub(crate) enterprise: String,
    /// The kind of the list and its filter as JSON.
    pub(crate) list: String,
}

impl Cursor {
    pub(super) fn new(id: ListId, place: Place) -> Self {
        Self { version: VERSION, id, place }
    }

    pub(crate) fn id(&self) -> &ListId {
        &self.id
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(de::Error::custom(format!(
            "this cursor has version {other}, and this program reads version {VERSION}; read the \
             list from its beginning"
        ))),
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("version", &self.version).finish_non_exhaustive()
    }
}
