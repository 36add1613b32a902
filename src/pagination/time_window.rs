//! Pages through a list by time, so that items added or deleted meanwhile cause no repeats or gaps.
//!
//! The server pages by position from the newest item. A new item shifts every later page by one, so
//! an item repeats; a deleted item shifts them back, so an item is skipped. This pager therefore
//! remembers the oldest time it has seen, asks for the first page of what is not newer, and
//! recognises the items of that millisecond by their keys. It counts positions only where one
//! millisecond fills a page, or where times cannot be used: items have none, they are not in order,
//! or they are coarser than the server's filter.
//!
//! Two pages that follow each other share an item, the anchor. Without it, something between them
//! may be missing, so the earlier page or the whole list is read again. Totals decide only where a
//! list may end.

use super::seen::Seen;
use crate::{Error, Operation};
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TimeWindow {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

/// How often a list is read from its start because it changes during the read.
const MAX_READS: u32 = 5;

/// Reads a [`PageSource`] to its end.
pub(crate) struct TimeWindowPager<S: PageSource> {
    pub(super) source: S,
    /// The window that the caller asked for.
    requested: TimeWindow,
    position: Position,
}

impl<S: PageSource> TimeWindowPager<S> {
    pub(crate) fn new(source: S, requested: TimeWindow) -> Self {
        Self { source, requested, position: Position::default() }
    }

    /// Goes on from a position, some time after the list was there.
    pub(super) fn from(mut self, mut position: Position) -> Self {
        if let Position::Offset(offset) = &mut position {
            offset.is_resumed = true;
        }
        self.position = position;
        self
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// Returns the new items of the next page with their keys, possibly none, or `None` at the end
    /// of the list.
    ///
    /// If a request fails, the next call repeats it. A list that contradicts itself is at its end.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<(String, S::Item)>>, Error> {
        let source = &self.source;
        let Some((window, skip)) = self.position.next_request(self.requested) else {
            return Ok(None);
        };
        let page = source.page(window, skip).await?;
        let position = std::mem::replace(&mut self.position, Position::End);
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
    /// Whether more pages follow. A server may return fewer items than requested, so a short page
    /// is the end only if the total agrees. Otherwise an empty page is.
    fn has_more(&self, skip: u32) -> bool {
        self.items.len() >= self.page_size as usize
            || !self.items.is_empty() && self.seen(skip) != self.total
    }

    /// How many items the list has up to the end of this page.
    fn seen(&self, skip: u32) -> u64 {
        u64::from(skip) + self.items.len() as u64
    }

    fn contains(&self, key: &str) -> bool {
        self.items.iter().any(|item| item.key == key)
    }

    /// Gives an item without a time the time of the item before it, or of the last page. Returns
    /// whether there was one.
    fn fill_times(&mut self, mut last: Option<i64>) -> bool {
        let is_filled = self.items.iter().any(|item| item.time.is_none());
        for item in &mut self.items {
            last = item.time.or(last);
            item.time = last;
        }
        is_filled
    }

    fn is_newest_first(&self) -> bool {
        self.items.iter().rev().is_sorted_by_key(|item| item.time)
    }
}

/// The position after a page, and the new items of the page, or what is inconsistent about it.
type Advanced<T> = Result<(Position, Vec<(String, T)>), String>;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) enum Position {
    #[default]
    Start,
    Before(Before),
    /// Reading by position: within one millisecond, or where times cannot be used.
    Offset(Offset),
    End,
}

/// Everything newer than `to` was read. Of the millisecond `to` itself, the keys in `seen` were.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Before {
    to: i64,
    seen: HashSet<String>,
    /// The end of the window to read: `to`, or before it if all of `to` was read.
    end: i64,
    anchor: Option<Anchor>,
    /// Whether to read the window of the anchor again, because the window up to `to` lacks it.
    rereads: bool,
}

/// The last item that was read, and the window in whose first page it was.
#[derive(Clone, Serialize, Deserialize)]
struct Anchor {
    key: String,
    window: TimeWindow,
    /// The time before that page.
    newest: i64,
    /// The keys of that page.
    page: HashSet<String>,
}

impl Anchor {
    /// Checks that the items between its page's start and `to` are those of its page. Another one
    /// was hidden by a wrong time, as items are added at the start of a list only.
    fn check<T>(&self, page: &KeyedPage<T>, to: i64) -> Result<(), String> {
        let is_between = |time: Option<i64>| time > Some(to) && time < Some(self.newest);
        let is_misplaced =
            |item: &Keyed<T>| is_between(item.time) && !self.page.contains(&item.key);
        match page.items.iter().any(is_misplaced) {
            true => Err(MISPLACED.to_owned()),
            false => Ok(()),
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Offset {
    window: TimeWindow,
    skip: u32,
    /// The total that the server last gave.
    total: u64,
    /// Whether items may have moved to pages that were already read.
    shrunk: bool,
    reads: u32,
    seen: Seen,
    /// The keys of the page before this one.
    last: HashSet<String>,
    /// The last item of the page before this one.
    last_item: Option<(String, Option<i64>)>,
    /// Whether the list may have changed in any way since that page.
    is_resumed: bool,
    within: Within,
}

/// Which items of the pages a read by position returns.
#[derive(Clone, Default, Serialize, Deserialize)]
enum Within {
    #[default]
    All,
    /// Those of one millisecond. Then the list goes on before it.
    Millisecond { time: i64, anchor: Option<Anchor> },
    /// Those that are not newer than `time`, because newer ones were read by time, up to the
    /// anchor's page.
    NotNewer { time: i64, anchor: Option<Anchor> },
}

const UNSORTED: &str = "the server lists items that are not sorted by their creation time";

const MISPLACED: &str = "the server shows creation times that contradict the order of its list";

/// Items without a time look like those that were read before, when a list is read again or the
/// server ignores the time range.
const UNTIMED: &str = "the list changed, and some of its items have no creation time";

impl Position {
    pub(super) fn is_offset(&self) -> bool {
        matches!(self, Self::Offset(_))
    }

    /// Returns the window and offset of the next page, or `None` at the end.
    fn next_request(&self, requested: TimeWindow) -> Option<(TimeWindow, u32)> {
        match self {
            Self::Start => Some((requested, 0)),
            Self::Before(before) => Some((before.window(requested), 0)),
            Self::Offset(offset) => Some((offset.window, offset.first())),
            Self::End => None,
        }
    }

    fn advance<T>(self, mut page: KeyedPage<T>, requested: TimeWindow) -> Advanced<T> {
        match self {
            Self::Start => {
                let has_times = page.items.iter().all(|item| item.time.is_some());
                // The list starts at the newest item, so no local clock is involved.
                match page.items.first().and_then(|item| item.time) {
                    Some(to) if has_times && page.is_newest_first() => {
                        Before { to, end: to, ..Before::default() }.take(page, requested)
                    }
                    None if page.items.is_empty() => Ok((Self::End, Vec::new())),
                    _ => Offset::of(requested, page.total).advance(page, requested),
                }
            }
            Self::Before(before) => {
                let reread = before.anchor.as_ref().filter(|_| before.rereads);
                let newest = reread.map_or(before.to, |anchor| anchor.newest);
                if page.fill_times(Some(newest)) && before.rereads {
                    return Err(UNTIMED.to_owned());
                }
                before.advance(page, requested)
            }
            Self::Offset(offset) => offset.advance(page, requested),
            Self::End => Ok((Self::End, Vec::new())),
        }
    }
}

impl Before {
    fn window(&self, requested: TimeWindow) -> TimeWindow {
        match &self.anchor {
            Some(anchor) if self.rereads => anchor.window,
            _ => TimeWindow { to: Some(self.end), ..requested },
        }
    }

    fn advance<T>(mut self, page: KeyedPage<T>, requested: TimeWindow) -> Advanced<T> {
        let oldest = page.items.iter().filter_map(|item| item.time).min();
        let end = if self.rereads { self.to } else { self.end };
        let is_newer = oldest.is_some_and(|oldest| oldest > end);
        let has_anchor = self.anchor.as_ref().map(|anchor| page.contains(&anchor.key));
        if self.rereads {
            if let Some(anchor) = &self.anchor {
                anchor.check(&page, self.to)?;
            }
            // The times of the filter are not those of the items, so only positions are left.
            if is_newer || has_anchor == Some(true) {
                let offset = Offset {
                    seen: Seen::of(self.seen),
                    within: Within::NotNewer { time: self.to, anchor: self.anchor },
                    ..Offset::of(requested, page.total)
                };
                return Ok((Position::Offset(offset), Vec::new()));
            }
            // The anchor was deleted.
        } else if is_newer {
            let reason = "the server ignores the time range: every item is newer than its end";
            return Err(reason.to_owned());
        } else if has_anchor == Some(false) {
            self.rereads = true;
            return Ok((Position::Before(self), Vec::new()));
        }
        if !page.is_newest_first() {
            return Err(UNSORTED.to_owned());
        }
        self.take(page, requested)
    }

    /// Takes a page that follows what was read. Its items are in order and have times.
    fn take<T>(self, page: KeyedPage<T>, requested: TimeWindow) -> Advanced<T> {
        let Self { to, seen, .. } = &self;
        let has_more = page.has_more(0);
        let window = match self.anchor {
            None if seen.is_empty() => requested,
            _ => self.window(requested),
        };
        let last = page.items.last();
        let oldest = last.and_then(|item| item.time).unwrap_or(*to);
        let keys = || page.items.iter().map(|item| item.key.clone()).collect();
        let last = last.map(|item| {
            let key = item.key.clone();
            Anchor { key, window, newest: *to, page: keys() }
        });
        let mut new = Vec::new();
        let mut seen_oldest = HashSet::new();
        for Keyed { item, time, key } in page.items {
            // Newer items were read before, or were added after the start.
            if time > Some(*to) {
                continue;
            }
            let is_new = !seen.contains(&key);
            if time == Some(oldest) && !seen_oldest.insert(key.clone()) {
                continue;
            }
            if is_new {
                new.push((key, item));
            }
        }
        if !has_more {
            return Ok((Position::End, new));
        }
        if oldest < *to {
            let (seen, anchor) = (seen_oldest, last);
            let before = Self { to: oldest, seen, end: oldest, anchor, rereads: false };
            return Ok((Position::Before(before), new));
        }
        seen_oldest.extend(self.seen);
        let millisecond = TimeWindow { from: Some(self.to), to: Some(self.to) };
        let offset = Offset {
            seen: Seen::of(seen_oldest),
            within: Within::Millisecond { time: self.to, anchor: last },
            ..Offset::of(millisecond, 0)
        };
        Ok((Position::Offset(offset), new))
    }
}

impl Offset {
    fn of(window: TimeWindow, total: u64) -> Self {
        Self { window, total, ..Self::default() }
    }

    /// Whether the next page begins with the last item. Pages of one item would never get past it.
    fn overlaps(&self) -> bool {
        self.last.len() > 1
    }

    /// The position of the first item of the next page.
    fn first(&self) -> u32 {
        self.skip.saturating_sub(u32::from(self.overlaps()))
    }

    fn advance<T>(mut self, mut page: KeyedPage<T>, requested: TimeWindow) -> Advanced<T> {
        let first = self.first();
        let mut has_more = page.has_more(first);
        let length = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        let is_filled = page.fill_times(self.last_item.as_ref().and_then(|(_, time)| *time));
        if let Within::Millisecond { time, .. } = self.within
            && is_filled
            && page.items.iter().any(|item| item.time != Some(time))
        {
            return Err(UNTIMED.to_owned());
        }
        if let Within::NotNewer { time, anchor } = &self.within {
            if is_filled {
                return Err(UNTIMED.to_owned());
            }
            if !page.is_newest_first() {
                return Err(UNSORTED.to_owned());
            }
            if let Some(anchor) = anchor {
                anchor.check(&page, *time)?;
            }
        }
        if let Some((anchor, _)) = &self.last_item
            && self.overlaps()
        {
            let has_anchor = page.contains(anchor);
            self.shrunk |= !has_anchor;
            if has_anchor && length == 1 && page.page_size > 1 {
                has_more = false;
                if page.total > page.seen(first) {
                    let (total, seen) = (page.total, page.seen(first));
                    return Err(format!(
                        "the server counts {total} items, but its list ends after {seen}"
                    ));
                }
            }
        } else {
            self.shrunk |= page.total < self.total;
        }
        let total = page.total;
        let last_item = page.items.last().map(|item| (item.key.clone(), item.time));
        let mut keys = HashSet::new();
        let mut new = Vec::new();
        self.seen.begin_page();
        for Keyed { item, time, key } in page.items {
            if let Within::Millisecond { anchor, .. } = &mut self.within {
                anchor.take_if(|anchor| anchor.key == key);
            }
            if self.within.includes(time) && self.seen.insert(&key) {
                new.push((key.clone(), item));
            }
            keys.insert(key);
        }
        let is_resumed = std::mem::take(&mut self.is_resumed);
        if !is_resumed && self.repeats_last_page(&keys, total) {
            // Beyond the end a server may return the last page again.
            let is_counted = !matches!(self.within, Within::NotNewer { .. });
            if !is_counted || total != self.seen.len() as u64 {
                return Err(format!(
                    "the server returned the same page again, though the request skips {first} \
                     items"
                ));
            }
            has_more = false;
        }
        self.last = keys;
        self.last_item = last_item;
        self.total = total;
        if has_more {
            self.skip = first.saturating_add(length);
            return Ok((Position::Offset(self), new));
        }
        if self.shrunk {
            // An item may have moved to a page that was already read: start over.
            self.reads += 1;
            if self.reads == MAX_READS {
                return Err(format!("the list changed during each of {MAX_READS} reads"));
            }
            self.skip = 0;
            self.shrunk = false;
            self.last.clear();
            self.last_item = None;
            return Ok((Position::Offset(self), new));
        }
        let position = match self.within {
            // The millisecond lacks an item that is of it by the server's own word.
            Within::Millisecond { time: to, anchor: anchor @ Some(_) } => {
                let seen = self.seen.keys();
                Position::Before(Before { to, seen, end: to, anchor, rereads: true })
            }
            Within::Millisecond { time: to, anchor: None } => match to.checked_sub(1) {
                Some(end) if requested.from.is_none_or(|from| end >= from) => {
                    let seen = self.seen.keys();
                    Position::Before(Before { to, seen, end, ..Before::default() })
                }
                _ => Position::End,
            },
            Within::All | Within::NotNewer { .. } => Position::End,
        };
        Ok((position, new))
    }

    /// Whether a page holds only items of the page before it. New items push older ones to the next
    /// page, but only as many as were added.
    fn repeats_last_page(&self, keys: &HashSet<String>, total: u64) -> bool {
        let count = keys.len();
        let added = count.saturating_sub(usize::from(self.overlaps()));
        count > 0
            && count >= self.last.len()
            && keys.is_subset(&self.last)
            && total < self.total.saturating_add(added as u64)
    }
}

impl Within {
    fn includes(&self, time: Option<i64>) -> bool {
        match self {
            Self::All => true,
            // Items of other milliseconds were read before, or are read later.
            Self::Millisecond { time: only, .. } => time.is_none_or(|time| time == *only),
            Self::NotNewer { time: newest, .. } => time.is_none_or(|time| time <= *newest),
        }
    }
}
