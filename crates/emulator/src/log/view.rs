//! Reading the log for the web pages.

use super::{Log, LoggedCall};
use crate::sync::lock;
use tokio::sync::watch;

/// How many calls are read before the lock is released for others.
const CHUNK: usize = 256;

/// The changes of the log since a revision.
pub(crate) struct Changes<T> {
    /// The revision to continue from.
    pub(crate) revision: u64,
    /// Whether the log was cleared, so that the reader must drop what it has.
    pub(crate) cleared: bool,
    pub(crate) items: Vec<T>,
}

impl Log {
    /// When the log began. Revisions with another beginning are those of another process.
    pub(crate) fn began(&self) -> i64 {
        self.began
    }

    pub(crate) fn revision(&self) -> u64 {
        lock(&self.entries).revision
    }

    /// Sends each new revision, and None once the log is closed.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<u64>> {
        self.latest.subscribe()
    }

    /// Reads one call. Returns None if the log does not have it.
    pub(crate) fn read<T>(&self, seq: u64, read: impl FnOnce(&LoggedCall) -> T) -> Option<T> {
        let log = lock(&self.entries);
        let place = log.place(seq).ok()?;
        Some(read(&log.entries[place]))
    }

    /// The numbers of the first and the last call. Returns None if the log is empty.
    pub(crate) fn ends(&self) -> Option<(u64, u64)> {
        let log = lock(&self.entries);
        Some((log.entries.front()?.entry.seq, log.entries.back()?.entry.seq))
    }

    /// Reads the calls before this one, from the newest to the oldest, until `read` has returned
    /// `most` items.
    pub(crate) fn before<T>(
        &self,
        mut before: u64,
        most: usize,
        mut read: impl FnMut(&LoggedCall) -> Option<T>,
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

    /// Reads the calls that are new or have changed since this revision, in their order.
    pub(crate) fn changes<T>(
        &self,
        revision: u64,
        read: impl FnMut(&LoggedCall) -> Option<T>,
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
