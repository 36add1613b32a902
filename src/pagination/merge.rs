//! Merges several lists into one, newest items first.

use super::time_window::{PageSource, Position, TimeWindowPager};
use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::{iter, vec};

pub(super) struct Merge<S: PageSource> {
    branches: Vec<Branch<S>>,
    /// The keys of items that were returned before the list was resumed, and may come again
    /// because it begins with the same page. None of them is older than `before_time`.
    before: HashSet<String>,
    before_time: Option<i64>,
    /// The keys of returned items that may come again from another branch, because an item may
    /// move there meanwhile.
    returned: HashSet<String>,
    /// The time of the item that was returned last.
    time: Option<i64>,
}

struct Branch<S: PageSource> {
    pager: TimeWindowPager<S>,
    /// The items of the last page that are not returned yet.
    page: vec::IntoIter<(String, S::Item)>,
    /// Where that page begins, and the keys of its items that were returned.
    start: Position,
    taken: Vec<String>,
    ended: bool,
    /// Whether all items came with times, newest first.
    is_sorted: bool,
    oldest: Option<i64>,
}

/// Where a merged list goes on.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The position of each branch.
    pub(super) positions: Vec<Position>,
    /// The keys of items that were returned and may come again.
    pub(super) returned: HashSet<String>,
    /// The time of the item that was returned last.
    pub(super) time: Option<i64>,
}

/// Items and the place after them.
pub(super) struct Merged<T> {
    pub(super) items: Vec<MergedItem<T>>,
    pub(super) after: Place,
}

pub(super) struct MergedItem<T> {
    pub(super) item: T,
    pub(super) key: String,
    pub(super) time: Option<i64>,
}

impl<S: PageSource> Merge<S> {
    /// Reads lists from a place on.
    pub(super) fn new(pagers: impl IntoIterator<Item = TimeWindowPager<S>>, place: Place) -> Self {
        let positions = place.positions.into_iter().map(Some).chain(iter::repeat(None));
        let branches = pagers.into_iter().zip(positions).map(|(pager, position)| Branch {
            page: Vec::new().into_iter(),
            start: Position::default(),
            taken: Vec::new(),
            ended: false,
            is_sorted: true,
            oldest: None,
            pager: match position {
                Some(position) => pager.from(position),
                None => pager,
            },
        });
        Self {
            branches: branches.collect(),
            before: place.returned,
            before_time: place.time,
            returned: HashSet::new(),
            time: place.time,
        }
    }

    fn place(&self) -> Place {
        let position = |branch: &Branch<S>| match branch.first() {
            Some(_) => branch.start.clone(),
            None => branch.pager.position().clone(),
        };
        let mut returned = self.returned.clone();
        if self.branches.iter().any(|branch| branch.may_repeat(self.before_time)) {
            returned.extend(self.before.iter().cloned());
        }
        for branch in self.branches.iter().filter(|branch| branch.first().is_some()) {
            returned.extend(branch.taken.iter().cloned());
        }
        let positions = self.branches.iter().map(position).collect();
        Place { positions, returned, time: self.time }
    }

    /// Returns the next items, or `None` at the end of all lists.
    pub(super) async fn next_page(&mut self) -> Result<Option<Merged<S::Item>>, Error> {
        let is_merged = self.branches.len() > 1;
        let mut items = Vec::new();
        loop {
            for branch in &mut self.branches {
                while branch.first().is_none() && !branch.ended {
                    if !items.is_empty() {
                        // Return the items that are in order already before sending a request.
                        return Ok(Some(self.merged(items)));
                    }
                    branch.read().await?;
                }
            }
            let filled = self.branches.iter_mut().filter(|b| b.first().is_some());
            let newest = filled.max_by_key(|branch| branch.time());
            let Some(branch) = newest else {
                return Ok((!items.is_empty()).then(|| self.merged(items)));
            };
            let time = branch.time();
            let Some((key, item)) = branch.page.next() else {
                continue;
            };
            if is_merged {
                branch.taken.push(key.clone());
            }
            if self.is_new(&key, time) {
                items.push(MergedItem { item, key, time });
            }
        }
    }

    fn merged(&self, items: Vec<MergedItem<S::Item>>) -> Merged<S::Item> {
        Merged { items, after: self.place() }
    }

    /// Whether an item was not returned yet.
    fn is_new(&mut self, key: &str, time: Option<i64>) -> bool {
        let is_new = !self.before.contains(key);
        // Within one list, the pager does the rest.
        if self.branches.len() == 1 {
            self.time = time;
            return is_new;
        }
        if self.branches.iter().all(|branch| branch.is_sorted) && time < self.time {
            // All branches are past the items of a later time.
            self.returned.clear();
        }
        self.time = time;
        self.returned.insert(key.to_owned()) && is_new
    }
}

impl<S: PageSource> Branch<S> {
    async fn read(&mut self) -> Result<(), Error> {
        let start = self.pager.position().clone();
        match self.pager.next_page().await? {
            Some(page) => {
                for (_, item) in &page {
                    let time = self.pager.source.time(item);
                    self.is_sorted &=
                        time.is_some() && (self.oldest.is_none() || time <= self.oldest);
                    self.oldest = time;
                }
                self.page = page.into_iter();
                self.start = start;
                self.taken.clear();
            }
            None => self.ended = true,
        }
        Ok(())
    }

    /// Whether items may come that are not older than this. A list that is read by position may
    /// have moved.
    fn may_repeat(&self, time: Option<i64>) -> bool {
        let is_past = self.is_sorted && self.oldest.is_some() && self.oldest < time;
        !(self.ended || is_past) || self.pager.position().is_offset()
    }

    fn first(&self) -> Option<&S::Item> {
        self.page.as_slice().first().map(|(_, item)| item)
    }

    fn time(&self) -> Option<i64> {
        self.pager.source.time(self.first()?)
    }
}
