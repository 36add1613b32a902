//! Merges several lists into one, newest items first.

use super::time_window::{PageSource, TimeWindowPager};
use crate::Error;
use std::collections::HashSet;
use std::vec;

pub(crate) struct Merge<S: PageSource> {
    branches: Vec<Branch<S>>,
    /// The keys of all items returned so far. An item may move to another branch meanwhile.
    returned: HashSet<String>,
}

struct Branch<S: PageSource> {
    pager: TimeWindowPager<S>,
    /// The items of the last page that are not returned yet.
    page: vec::IntoIter<S::Item>,
    ended: bool,
}

impl<S: PageSource> Merge<S> {
    pub(crate) fn new(pagers: impl IntoIterator<Item = TimeWindowPager<S>>) -> Self {
        let branches = pagers.into_iter().map(|pager| Branch {
            pager,
            page: Vec::new().into_iter(),
            ended: false,
        });
        Self { branches: branches.collect(), returned: HashSet::new() }
    }

    /// Returns the next items, or `None` at the end of all lists.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<S::Item>>, Error> {
        if let [branch] = self.branches.as_mut_slice() {
            return branch.pager.next_page().await;
        }
        let mut items = Vec::new();
        loop {
            for branch in &mut self.branches {
                while branch.first().is_none() && !branch.ended {
                    if !items.is_empty() {
                        // Return the items that are in order already before sending a request.
                        return Ok(Some(items));
                    }
                    match branch.pager.next_page().await? {
                        Some(page) => branch.page = page.into_iter(),
                        None => branch.ended = true,
                    }
                }
            }
            let filled = self.branches.iter_mut().filter(|b| b.first().is_some());
            let newest = filled.max_by_key(|branch| {
                let source = &branch.pager.source;
                branch.first().and_then(|item| source.time(item))
            });
            let Some(branch) = newest else {
                return Ok((!items.is_empty()).then_some(items));
            };
            if let Some(item) = branch.page.next()
                && self.returned.insert(branch.pager.source.key(&item))
            {
                items.push(item);
            }
        }
    }
}

impl<S: PageSource> Branch<S> {
    fn first(&self) -> Option<&S::Item> {
        self.page.as_slice().first()
    }
}
