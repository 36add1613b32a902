//! Items on their way to another store.

use crate::item::{Item, State};
use serde::{Deserialize, Serialize};
use std::fmt;
use telecrm::{Finding, Lead};

/// An item on its way to another store, with [`Outbox::export`](crate::Outbox::export) and
/// [`Outbox::import`](crate::Outbox::import). As JSON it is one line of a file.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exported {
    /// The caller's key.
    #[serde(default)]
    pub key: Option<String>,
    /// The lead. None if it was pruned and only its key is left.
    pub lead: Option<Lead>,
    /// The state.
    pub state: State,
    /// Whether telecrm may have the lead, although no answer came.
    #[serde(default)]
    pub maybe: bool,
    /// What the check and reading back found.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Why the item is dead.
    #[serde(default)]
    pub reason: Option<String>,
    /// The digest of the lead as the caller gave it, by which its key is compared.
    #[serde(default)]
    pub digest: Option<String>,
}

impl From<Item> for Exported {
    fn from(item: Item) -> Self {
        Self {
            key: item.key,
            lead: item.lead,
            state: item.state,
            maybe: item.detail.maybe,
            findings: item.detail.findings,
            reason: item.detail.reason,
            digest: Some(format!("{:032x}", item.digest)),
        }
    }
}

impl Exported {
    /// The digest, if it can be read.
    pub(crate) fn digest(&self) -> Option<u128> {
        u128::from_str_radix(self.digest.as_deref()?, 16).ok()
    }
}

/// Shows neither the lead nor its key.
impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Exported");
        debug.field("state", &self.state).field("maybe", &self.maybe).finish_non_exhaustive()
    }
}
