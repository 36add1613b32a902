//! The keys that a list read by position has returned.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A set of keys that grows page by page.
///
/// Clones share their keys, so that a position in a long list is cheap to keep. Each clone knows
/// the keys of its own pages only.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "HashSet<String>", into = "HashSet<String>")]
pub(super) struct Seen {
    /// Each key with the page that it came with.
    keys: Arc<Mutex<HashMap<String, u32>>>,
    page: u32,
}

impl Seen {
    pub(super) fn of(keys: HashSet<String>) -> Self {
        let keys = keys.into_iter().map(|key| (key, 0)).collect();
        Self { keys: Arc::new(Mutex::new(keys)), page: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin_page(&mut self) {
        self.page += 1;
    }

    /// Adds a key of the current page. Returns whether it is new.
    pub(super) fn insert(&self, key: &str) -> bool {
        let mut keys = self.lock();
        // An earlier position that is read again finds keys of pages after it.
        let is_new = keys.get(key).is_none_or(|page| *page > self.page);
        if is_new {
            keys.insert(key.to_owned(), self.page);
        }
        is_new
    }

    pub(super) fn len(&self) -> usize {
        self.lock().values().filter(|page| **page <= self.page).count()
    }

    pub(super) fn keys(&self) -> HashSet<String> {
        let keys = self.lock();
        let own = keys.iter().filter(|(_, page)| **page <= self.page);
        own.map(|(key, _)| key.clone()).collect()
    }
}

impl From<HashSet<String>> for Seen {
    fn from(keys: HashSet<String>) -> Self {
        Self::of(keys)
    }
}

impl From<Seen> for HashSet<String> {
    fn from(seen: Seen) -> Self {
        seen.keys()
    }
}
