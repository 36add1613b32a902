//! Walking a whole list that changes while it is walked.
//!
//! The server pages by counting from the newest item, so every new item pushes the others over the edge of a page, and every item
//! that goes pulls them back: repeats in the one case, gaps in the other. So the walk goes by time instead. It takes
//! the newest item's time as its start, always asks for the first page of what is not newer than the oldest item that it has seen, and
//! recognises the items at that edge by their keys. Only where a millisecond holds more than a page it has to count.

use crate::{Error, Operation};
use std::collections::{HashSet, VecDeque};
use telecrm_core::Page;

/// A list to walk, newest items first.
pub(crate) trait Source: Send + Sync + 'static {
    /// What it holds.
    type Item: Send + 'static;

    /// By which it is read.
    fn operation(&self) -> Operation;

    /// The largest page that the server gives.
    fn page_size(&self) -> u32;

    /// A page of the items in a window of time.
    fn page(
        &self,
        window: Window,
        skip: u32,
    ) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;

    /// When an item was created, in milliseconds, if it tells.
    fn time(&self, item: &Self::Item) -> Option<i64>;

    /// By what an item is recognised.
    fn key(&self, item: &Self::Item) -> String;
}

/// A range of time in milliseconds, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

/// How far a walk has come.
pub(crate) struct Walk<S: Source> {
    source: S,
    /// What the caller asked for.
    asked: Window,
    position: Position,
}

enum Position {
    Start,
    /// Everything newer than `to` has been seen, and of its millisecond what is in `seen`.
    Before {
        to: i64,
        seen: HashSet<String>,
    },
    /// Counting through a window that cannot be divided: one millisecond, or items that do not tell their time.
    Counting(Count),
    End,
}

struct Count {
    window: Window,
    skip: u32,
    /// How many there were in all; fewer means that the rest has moved up and something may have been passed over.
    total: u64,
    shrunk: bool,
    seen: HashSet<String>,
    /// What the page before this one held.
    last: HashSet<String>,
    /// Where to go on when everything has been counted.
    then: Option<i64>,
}

impl<S: Source> Walk<S> {
    pub(crate) fn new(source: S, asked: Window) -> Self {
        Self {
            source,
            asked,
            position: Position::Start,
        }
    }

    /// The next items, or nothing at the end. A page may hold nothing new.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<S::Item>>, Error> {
        match std::mem::replace(&mut self.position, Position::End) {
            Position::End => Ok(None),
            Position::Start => self.start().await.map(Some),
            Position::Before { to, seen } => self.go_on(to, seen).await.map(Some),
            Position::Counting(count) => self.count(count).await.map(Some),
        }
    }

    async fn start(&mut self) -> Result<Vec<S::Item>, Error> {
        let page = self.source.page(self.asked, 0).await?;
        if page
            .data
            .iter()
            .any(|item| self.source.time(item).is_none())
        {
            let count = Count {
                window: self.asked,
                skip: 0,
                total: page.total_count,
                shrunk: false,
                seen: HashSet::new(),
                last: HashSet::new(),
                then: None,
            };
            return self.counted(count, page);
        }
        // The start is the server's own time: that of the newest item.
        match page
            .data
            .iter()
            .filter_map(|item| self.source.time(item))
            .max()
        {
            Some(newest) => Ok(self.stepped(newest, HashSet::new(), page)),
            None => Ok(Vec::new()),
        }
    }

    async fn go_on(&mut self, to: i64, seen: HashSet<String>) -> Result<Vec<S::Item>, Error> {
        let window = Window {
            to: Some(to),
            ..self.asked
        };
        let page = self.source.page(window, 0).await?;
        Ok(self.stepped(to, seen, page))
    }

    /// Takes a page of what is not newer than `to`.
    fn stepped(&mut self, to: i64, mut seen: HashSet<String>, page: Page<S::Item>) -> Vec<S::Item> {
        let source = &self.source;
        let more = goes_on(source, &page, 0);
        // An item that does not tell its time is as old as the edge, and is recognised there.
        let time = |item: &S::Item| source.time(item).unwrap_or(to);
        let oldest = page.data.iter().map(time).min().unwrap_or(to);
        let fresh = |item: &S::Item, seen: &HashSet<String>| !seen.contains(&source.key(item));
        let new: Vec<_> = page
            .data
            .into_iter()
            .filter(|item| fresh(item, &seen))
            .collect();
        if oldest < to {
            seen.clear();
        }
        let edge = new.iter().filter(|item| time(item) == oldest);
        seen.extend(edge.map(|item| source.key(item)));
        self.position = match more {
            false => Position::End,
            true if oldest < to => Position::Before { to: oldest, seen },
            true => Position::Counting(Count {
                window: Window {
                    from: Some(to),
                    to: Some(to),
                },
                skip: 0,
                total: 0,
                shrunk: false,
                seen,
                last: HashSet::new(),
                then: to.checked_sub(1),
            }),
        };
        new
    }

    async fn count(&mut self, count: Count) -> Result<Vec<S::Item>, Error> {
        let page = self.source.page(count.window, count.skip).await?;
        self.counted(count, page)
    }

    fn counted(&mut self, mut count: Count, page: Page<S::Item>) -> Result<Vec<S::Item>, Error> {
        let mut more = goes_on(&self.source, &page, count.skip);
        let keys: HashSet<_> = page.data.iter().map(|item| self.source.key(item)).collect();
        if count.is_repeated(&keys, page.total_count) {
            // Beyond the end a server may give the last page for none.
            if !(1..=u64::from(count.skip)).contains(&page.total_count) {
                let reason = format!(
                    "the same page again, though {} items were to be passed over",
                    count.skip
                );
                return Err(Error::inconsistent(self.source.operation(), reason));
            }
            more = false;
        }
        count.last = keys;
        count.shrunk |= page.total_count < count.total;
        count.total = page.total_count;
        let fresh = |item: &S::Item| count.seen.insert(self.source.key(item));
        let length = u32::try_from(page.data.len()).unwrap_or(u32::MAX);
        let new: Vec<_> = page.data.into_iter().filter(fresh).collect();
        self.position = match (more, count.shrunk, count.then) {
            (true, ..) => {
                count.skip = count.skip.saturating_add(length);
                Position::Counting(count)
            }
            // Something went while we counted, and what followed it may have moved over the edge of a page: count again.
            (false, true, _) => {
                count.skip = 0;
                count.shrunk = false;
                count.last.clear();
                Position::Counting(count)
            }
            (false, false, Some(to)) if self.asked.from.is_none_or(|from| to >= from) => {
                Position::Before {
                    to,
                    seen: HashSet::new(),
                }
            }
            (false, false, _) => Position::End,
        };
        Ok(new)
    }
}

impl Count {
    /// Whether a page holds nothing but what the one before it held. New items push down what was seen, but no more than there are
    /// of them.
    fn is_repeated(&self, keys: &HashSet<String>, total: u64) -> bool {
        let count = keys.len();
        count > 0
            && count >= self.last.len()
            && keys.is_subset(&self.last)
            && total < self.total.saturating_add(count as u64)
    }
}

/// Whether more follows a page. A server may give fewer items than it was asked for, and one that does not count ends with a page
/// of none.
fn goes_on<S: Source>(source: &S, page: &Page<S::Item>, skip: u32) -> bool {
    let seen = u64::from(skip) + page.data.len() as u64;
    let is_counted = page.total_count > 0;
    page.data.len() >= source.page_size() as usize
        || !page.data.is_empty() && (!is_counted || seen < page.total_count)
}

/// Several walks as one, newest items first.
pub(crate) struct Merge<S: Source> {
    branches: Vec<Branch<S>>,
    /// An item may move from one branch to another while they are walked.
    given: HashSet<String>,
}

struct Branch<S: Source> {
    walk: Walk<S>,
    ahead: VecDeque<S::Item>,
    ended: bool,
}

impl<S: Source> Merge<S> {
    pub(crate) fn new(walks: Vec<Walk<S>>) -> Self {
        let branches = walks.into_iter().map(|walk| Branch {
            walk,
            ahead: VecDeque::new(),
            ended: false,
        });
        Self {
            branches: branches.collect(),
            given: HashSet::new(),
        }
    }

    /// The next items, or nothing at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<S::Item>>, Error> {
        if let [branch] = self.branches.as_mut_slice() {
            return branch.walk.next_page().await;
        }
        let mut items = Vec::new();
        loop {
            for branch in &mut self.branches {
                while branch.ahead.is_empty() && !branch.ended {
                    if !items.is_empty() {
                        // What is in order already need not wait for the next request.
                        return Ok(Some(items));
                    }
                    match branch.walk.next_page().await? {
                        Some(page) => branch.ahead.extend(page),
                        None => branch.ended = true,
                    }
                }
            }
            let newest = self
                .branches
                .iter_mut()
                .filter(|branch| !branch.ahead.is_empty());
            let newest = newest.max_by_key(|branch| {
                let head = branch.ahead.front();
                head.and_then(|item| branch.walk.source.time(item))
            });
            let Some(branch) = newest else {
                return Ok((!items.is_empty()).then_some(items));
            };
            if let Some(item) = branch.ahead.pop_front()
                && self.given.insert(branch.walk.source.key(&item))
            {
                items.push(item);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};

    /// Items as (time, key), newest first, and what happens to them before each page.
    struct Model {
        items: Mutex<Vec<(i64, u32)>>,
        changes: Mutex<VecDeque<Change>>,
        page_size: u32,
        /// What the server gives at most, whatever is asked for.
        cap: u32,
        timeless: bool,
        counts: bool,
        /// What it makes of what is to be passed over.
        skip: fn(u32, usize) -> usize,
        requests: Arc<Mutex<u32>>,
    }

    fn as_asked(skip: u32, _: usize) -> usize {
        skip as usize
    }

    #[derive(Debug, Clone)]
    enum Change {
        Nothing,
        Insert(u32),
        Delete(prop::sample::Index),
    }

    impl Source for Arc<Model> {
        type Item = (i64, u32);

        fn operation(&self) -> Operation {
            Operation::SearchLeads
        }

        fn page_size(&self) -> u32 {
            self.page_size
        }

        async fn page(&self, window: Window, skip: u32) -> Result<Page<Self::Item>, Error> {
            let mut requests = self.requests.lock().expect("not poisoned");
            *requests += 1;
            let mut items = self.items.lock().expect("not poisoned");
            match self.changes.lock().expect("not poisoned").pop_front() {
                Some(Change::Insert(key)) => {
                    let newest = items.first().map_or(0, |(time, _)| *time);
                    // No two items have one key.
                    items.insert(0, (newest + i64::from(key % 2), 1_000_000 + *requests));
                }
                Some(Change::Delete(index)) if !items.is_empty() => {
                    let index = index.index(items.len());
                    items.remove(index);
                }
                _ => {}
            }
            let inside = |(time, _): &&(i64, u32)| {
                window.from.is_none_or(|from| *time >= from)
                    && window.to.is_none_or(|to| *time <= to)
            };
            let matching: Vec<_> = items.iter().filter(inside).copied().collect();
            let skip = (self.skip)(skip, matching.len());
            Ok(Page {
                total_count: if self.counts {
                    matching.len() as u64
                } else {
                    0
                },
                data: matching
                    .into_iter()
                    .skip(skip)
                    .take(self.page_size.min(self.cap) as usize)
                    .collect(),
                ..Page::default()
            })
        }

        fn time(&self, item: &Self::Item) -> Option<i64> {
            (!self.timeless).then_some(item.0)
        }

        fn key(&self, item: &Self::Item) -> String {
            item.1.to_string()
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(future)
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            3 => Just(Change::Nothing),
            2 => any::<u32>().prop_map(|key| Change::Insert(key % 1000)),
            2 => any::<prop::sample::Index>().prop_map(Change::Delete),
        ]
    }

    /// Walks everything, and tells what came out, what was there all the time, and how many requests it took.
    fn walk(
        times: &[i64],
        changes: Vec<Change>,
        (page_size, cap): (u32, u32),
        (timeless, counts): (bool, bool),
        from: Option<i64>,
    ) -> (Vec<u32>, Vec<u32>, u32) {
        let mut items: Vec<_> = times.iter().copied().zip(0u32..).collect();
        items.sort_by_key(|(time, key)| (std::cmp::Reverse(*time), *key));
        let before = items.clone();
        let model = Arc::new(Model {
            items: Mutex::new(items),
            changes: Mutex::new(changes.into()),
            page_size,
            cap,
            timeless,
            counts,
            skip: as_asked,
            requests: Arc::default(),
        });
        let mut walk = Walk::new(model.clone(), Window { from, to: None });
        let mut out = Vec::new();
        while let Some(page) = run(walk.next_page()).expect("the model never fails") {
            out.extend(page.into_iter().map(|(_, key)| key));
        }
        let after = model.items.lock().expect("not poisoned").clone();
        let lasting = before.into_iter().filter(|item| after.contains(item));
        let wanted = lasting.filter(|(time, _)| from.is_none_or(|from| *time >= from));
        let requests = *model.requests.lock().expect("not poisoned");
        (out, wanted.map(|(_, key)| key).collect(), requests)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_lasts_comes_out_exactly_once(
            // Few different times, so that pages and milliseconds overlap in every way.
            times in prop::collection::vec(0i64..12, 0..60),
            changes in prop::collection::vec(change(), 0..40),
            page_size in 1u32..9,
            cap in 1u32..12,
            timeless in any::<bool>(),
            counts in any::<bool>(),
            from in prop::option::of(0i64..12),
        ) {
            let from = from.filter(|_| !timeless);
            // Where nothing is counted, nothing tells that something went.
            let changes = if counts { changes } else { Vec::new() };
            let (out, lasting, _) = walk(&times, changes, (page_size, cap), (timeless, counts), from);
            let unique: HashSet<_> = out.iter().collect();
            prop_assert_eq!(unique.len(), out.len(), "something came twice: {:?}", out);
            for key in lasting {
                prop_assert!(unique.contains(&key), "{} was missed: {:?}", key, out);
            }
        }
    }

    #[test]
    fn a_quiet_list_costs_hardly_more_requests_than_pages() {
        let times: Vec<i64> = (0..1000).collect();
        let (out, _, requests) = walk(&times, Vec::new(), (100, 100), (false, true), None);
        assert_eq!(out.len(), 1000);
        assert!(requests <= 12, "{requests}");
        assert!(out.is_sorted_by(|one, other| one > other), "newest first");
    }

    #[test]
    fn a_millisecond_may_hold_more_than_a_page() {
        let times: Vec<i64> = (0..350)
            .map(|item| if item < 250 { 5 } else { item })
            .collect();
        let (out, _, _) = walk(&times, Vec::new(), (100, 100), (false, true), None);
        assert_eq!(out.len(), 350);
    }

    #[test]
    fn a_server_that_passes_nothing_over_is_an_error_and_no_end() {
        // With pages as large as they may be, and with smaller ones; once through its only millisecond; and once in a list that grows.
        for (count, cap, timeless, grows) in [
            (23, 10, true, false),
            (20, 10, true, false),
            (8, 5, true, false),
            (23, 10, false, false),
            (20, 10, true, true),
        ] {
            let changes = [Change::Nothing, Change::Insert(1)];
            let changes = changes.into_iter().filter(|_| grows);
            let model = Arc::new(Model {
                items: Mutex::new((0..count).map(|key| (7, key)).collect()),
                changes: Mutex::new(changes.collect()),
                page_size: 10,
                cap,
                timeless,
                counts: true,
                skip: |_, _| 0,
                requests: Arc::default(),
            });
            let mut walk = Walk::new(model.clone(), Window::default());
            let mut seen = 0;
            let error = loop {
                assert!(*model.requests.lock().expect("not poisoned") < 9, "endless");
                match run(walk.next_page()) {
                    Ok(page) => seen += page.expect("no silent end").len(),
                    Err(error) => break error,
                }
            };
            assert!(seen >= cap as usize, "{seen}");
            assert_eq!(error.operation(), Some(Operation::SearchLeads));
            assert!(
                format!("{error:#}").contains("the same page again"),
                "{error:#}"
            );
            assert!(run(walk.next_page()).expect("the end").is_none());
        }
    }

    #[test]
    fn a_server_that_gives_its_last_page_beyond_the_end_is_read_to_the_end() {
        for count in [10, 20, 30] {
            let model = Arc::new(Model {
                items: Mutex::new((0..count).map(|key| (7, key)).collect()),
                changes: Mutex::default(),
                page_size: 10,
                cap: 10,
                timeless: true,
                counts: true,
                skip: |skip, count| (skip as usize).min(count - 10),
                requests: Arc::default(),
            });
            let mut walk = Walk::new(model, Window::default());
            let mut seen = 0;
            while let Some(page) = run(walk.next_page()).expect("read") {
                seen += page.len();
            }
            assert_eq!(seen, count as usize);
        }
    }

    #[test]
    fn branches_are_merged_newest_first_and_moved_items_come_once() {
        let model = |times: &[(i64, u32)]| {
            let model = Arc::new(Model {
                items: Mutex::new(times.to_vec()),
                changes: Mutex::default(),
                page_size: 2,
                cap: 2,
                timeless: false,
                counts: true,
                skip: as_asked,
                requests: Arc::default(),
            });
            Walk::new(model, Window::default())
        };
        let mut merge = Merge::new(vec![
            model(&[(9, 1), (5, 2), (4, 3), (1, 4)]),
            model(&[(7, 5), (5, 2), (2, 6)]),
            model(&[]),
        ]);
        let mut out = Vec::new();
        while let Some(page) = run(merge.next_page()).expect("the models never fail") {
            out.extend(page.into_iter().map(|(_, key)| key));
        }
        assert_eq!(out, [1, 5, 2, 3, 6, 4]);
    }
}
