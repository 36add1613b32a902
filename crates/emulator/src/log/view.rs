//! How the pages read the log: from its end, one call, and what is new.

use super::{Log, Remembered};
use crate::lock;
use tokio::sync::watch;

/// How many calls are looked at before others get their turn with the log.
const CHUNK: usize = 256;

/// What happened to the log since a revision.
pub(crate) struct Changes<T> {
    /// By which one reads on.
    pub(crate) revision: u64,
    /// Whether everything known before is to be forgotten.
    pub(crate) cleared: bool,
    pub(crate) items: Vec<T>,
}

impl Log {
    /// By which revisions of another process are recognised.
    pub(crate) fn began(&self) -> i64 {
        self.began
    }

    pub(crate) fn revision(&self) -> u64 {
        lock(&self.entries).revision
    }

    /// Tells of new revisions; nothing once there will be none.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<u64>> {
        self.latest.subscribe()
    }

    /// Reads one call.
    pub(crate) fn read<T>(&self, seq: u64, read: impl FnOnce(&Remembered) -> T) -> Option<T> {
        let log = lock(&self.entries);
        let place = log.place(seq).ok()?;
        Some(read(&log.entries[place]))
    }

    /// The first and the last call that are remembered.
    pub(crate) fn ends(&self) -> Option<(u64, u64)> {
        let log = lock(&self.entries);
        Some((
            log.entries.front()?.entry.seq,
            log.entries.back()?.entry.seq,
        ))
    }

    /// What `read` makes of the latest calls before this one, the newest first, until there are `most`.
    pub(crate) fn before<T>(
        &self,
        mut before: u64,
        most: usize,
        mut read: impl FnMut(&Remembered) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        loop {
            let log = lock(&self.entries);
            let (Ok(end) | Err(end)) = log.place(before);
            let start = end.saturating_sub(CHUNK);
            for known in log.entries.range(start..end).rev() {
                found.extend(read(known));
                if found.len() == most {
                    return found;
                }
            }
            match log.entries.get(start) {
                Some(first) if start > 0 => before = first.entry.seq,
                _ => return found,
            }
        }
    }

    /// What `read` makes of the calls that are new or have changed since this revision, in their order.
    pub(crate) fn changes<T>(
        &self,
        revision: u64,
        read: impl FnMut(&Remembered) -> Option<T>,
    ) -> Changes<T> {
        let log = lock(&self.entries);
        let changed = log.entries.iter().filter(|known| known.revision > revision);
        Changes {
            revision: log.revision,
            cleared: revision < log.cleared,
            items: changed.filter_map(read).collect(),
        }
    }
}
