//! Pages through a list by time, so that items added or deleted meanwhile cause no repeats or gaps.
//!
//! The server pages by position from the newest item. A new item shifts every later page by one, so
//! an item repeats; a deleted item shifts them back, so an item is skipped. This pager therefore
//! remembers the oldest time it has seen, asks for the first page of what is not newer, and
//! recognises the items of that millisecond by their keys. It counts positions only where one
//! millisecond fills a page, or where items have no time.

use crate::{Error, Operation};
use std::collections::HashSet;
use telecrm_core::response::Page;

/// A list that the server gives page by page, newest items first.
pub(crate) trait PageSource: Send + Sync + 'static {
    type Item: Send + 'static;

    /// The operation that reads the list.
    const OPERATION: Operation;

    /// The largest page that the server gives.
    fn page_size(&self) -> u32;

    /// Reads a page of the items within a time window.
    fn page(
        &self,
        window: TimeWindow,
        skip: u32,
    ) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;

    /// Returns the creation time of an item in Unix milliseconds, if the item has one.
    fn time(&self, item: &Self::Item) -> Option<i64>;

    /// Returns the key that identifies an item.
    fn key(&self, item: &Self::Item) -> String;
}

/// A range of times in Unix milliseconds, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TimeWindow {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

/// Reads a [`PageSource`] to its end.
pub(crate) struct TimeWindowPager<S: PageSource> {
    pub(super) source: S,
    /// The window that the caller asked for.
    requested: TimeWindow,
    position: Position,
}

impl<S: PageSource> TimeWindowPager<S> {
    pub(crate) fn new(source: S, requested: TimeWindow) -> Self {
        Self { source, requested, position: Position::Start }
    }

    /// Returns the new items of the next page, possibly none, or `None` at the end of the list.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<S::Item>>, Error> {
        let source = &self.source;
        let position = std::mem::replace(&mut self.position, Position::End);
        let Some((window, skip)) = position.next_request(self.requested) else {
            return Ok(None);
        };
        let page = source.page(window, skip).await?;
        let items = page.data.into_iter().map(|item| Keyed {
            time: source.time(&item),
            key: source.key(&item),
            item,
        });
        let page = KeyedPage {
            items: items.collect(),
            total: page.total_count,
            page_size: source.page_size(),
        };
        let (position, new) = position
            .advance(page, self.requested)
            .map_err(|reason| Error::inconsistent(S::OPERATION, reason))?;
        self.position = position;
        Ok(Some(new))
    }
}

struct Keyed<T> {
    item: T,
    time: Option<i64>,
    key: String,
}

struct KeyedPage<T> {
    items: Vec<Keyed<T>>,
    total: u64,
    page_size: u32,
}

impl<T> KeyedPage<T> {
    /// Whether more pages follow. A server may return fewer items than requested; if it does not
    /// count them either, only an empty page is the end.
    fn has_more(&self, skip: u32) -> bool {
        let seen = u64::from(skip) + self.items.len() as u64;
        let is_counted = self.total > 0;
        self.items.len() >= self.page_size as usize
            || !self.items.is_empty() && (!is_counted || seen < self.total)
    }
}

/// The position after a page, and the new items of the page, or what is inconsistent about it.
type Advanced<T> = Result<(Position, Vec<T>), String>;

enum Position {
    Start,
    /// Everything newer than `to` was read. Of the millisecond `to` itself, the keys in `seen`
    /// were.
    Before {
        to: i64,
        seen: HashSet<String>,
    },
    /// Reading by position: within one millisecond, or in a list whose items have no time.
    Offset(Offset),
    End,
}

#[derive(Default)]
struct Offset {
    window: TimeWindow,
    skip: u32,
    /// The total that the server last gave. If it shrinks, later items have moved up, and some may
    /// have been skipped.
    total: u64,
    shrunk: bool,
    seen: HashSet<String>,
    /// The keys of the page before this one.
    last: HashSet<String>,
    /// The time to resume from when this millisecond is read. `None` in a list without times.
    resume_before: Option<i64>,
}

impl Position {
    /// Returns the window and offset of the next page, or `None` at the end.
    fn next_request(&self, requested: TimeWindow) -> Option<(TimeWindow, u32)> {
        match self {
            Self::Start => Some((requested, 0)),
            Self::Before { to, .. } => Some((TimeWindow { to: Some(*to), ..requested }, 0)),
            Self::Offset(offset) => Some((offset.window, offset.skip)),
            Self::End => None,
        }
    }

    fn advance<T>(self, page: KeyedPage<T>, requested: TimeWindow) -> Advanced<T> {
        match self {
            Self::Start if page.items.iter().any(|item| item.time.is_none()) => {
                let offset = Offset { window: requested, total: page.total, ..Offset::default() };
                offset.advance(page, requested)
            }
            // The list starts at the newest item, so no local clock is involved.
            Self::Start => match page.items.iter().filter_map(|item| item.time).max() {
                Some(newest) => Self::advance_by_time(newest, HashSet::new(), page),
                None => Ok((Self::End, Vec::new())),
            },
            Self::Before { to, seen } => Self::advance_by_time(to, seen, page),
            Self::Offset(offset) => offset.advance(page, requested),
            Self::End => Ok((Self::End, Vec::new())),
        }
    }

    /// Takes a page of items that are not newer than `to`.
    fn advance_by_time<T>(to: i64, seen: HashSet<String>, page: KeyedPage<T>) -> Advanced<T> {
        let has_more = page.has_more(0);
        // An item without a time counts as one of the millisecond `to`, and its key decides.
        let times = page.items.iter().map(|item| item.time.unwrap_or(to));
        let oldest = times.min().unwrap_or(to);
        if oldest > to {
            return Err(
                "the server ignores the time range: every item is newer than its end".to_owned()
            );
        }
        let mut new = Vec::new();
        let mut seen_oldest = HashSet::new();
        for Keyed { item, time, key } in page.items {
            let time = time.unwrap_or(to);
            // Newer items were read before, or were added after the start.
            if time <= to && !seen.contains(&key) {
                new.push(item);
                if time == oldest {
                    seen_oldest.insert(key);
                }
            }
        }
        if !has_more {
            return Ok((Self::End, new));
        }
        if oldest < to {
            return Ok((Self::Before { to: oldest, seen: seen_oldest }, new));
        }
        seen_oldest.extend(seen);
        let offset = Offset {
            window: TimeWindow { from: Some(to), to: Some(to) },
            seen: seen_oldest,
            resume_before: to.checked_sub(1),
            ..Offset::default()
        };
        Ok((Self::Offset(offset), new))
    }
}

impl Offset {
    fn advance<T>(mut self, page: KeyedPage<T>, requested: TimeWindow) -> Advanced<T> {
        let mut has_more = page.has_more(self.skip);
        let length = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        let mut keys = HashSet::new();
        let mut new = Vec::new();
        for Keyed { item, time, key } in page.items {
            // Items of other milliseconds were read before, or are read later.
            let is_outside = self.resume_before.is_some()
                && time.is_some_and(|time| self.window.from.is_some_and(|from| time != from));
            if !is_outside && self.seen.insert(key.clone()) {
                new.push(item);
            }
            keys.insert(key);
        }
        if self.repeats_last_page(&keys, page.total) {
            // Beyond the end a server may return the last page again.
            if !(1..=u64::from(self.skip)).contains(&page.total) {
                return Err(format!(
                    "the server returned the same page again, though the request skips {} items",
                    self.skip
                ));
            }
            has_more = false;
        }
        self.last = keys;
        self.shrunk |= page.total < self.total;
        self.total = page.total;
        if has_more {
            self.skip = self.skip.saturating_add(length);
            return Ok((Position::Offset(self), new));
        }
        if self.shrunk {
            // A deleted item may have moved another one to a page that was already read: start
            // over.
            self.skip = 0;
            self.shrunk = false;
            self.last.clear();
            return Ok((Position::Offset(self), new));
        }
        let position = match self.resume_before {
            Some(to) if requested.from.is_none_or(|from| to >= from) => {
                Position::Before { to, seen: HashSet::new() }
            }
            _ => Position::End,
        };
        Ok((position, new))
    }

    /// Whether a page holds only items of the page before it. New items push older ones to the next
    /// page, but only as many as were added.
    fn repeats_last_page(&self, keys: &HashSet<String>, total: u64) -> bool {
        let count = keys.len();
        count > 0
            && count >= self.last.len()
            && keys.is_subset(&self.last)
            && total < self.total.saturating_add(count as u64)
    }
}
