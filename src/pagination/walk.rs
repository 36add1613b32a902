//! Walking a whole list that changes while it is walked.
//!
//! The server pages by counting from the newest item, so every new item pushes the others over the edge of a page, and every item
//! that goes pulls them back: repeats in the one case, gaps in the other. So the walk goes by time instead. It takes
//! the newest item's time as its start, always asks for the first page of what is not newer than the oldest item that it has seen, and
//! recognises the items at that edge by their keys. Only where a millisecond holds more than a page it has to count.

use crate::{Error, Operation};
use std::collections::HashSet;
use std::vec;
use telecrm_core::response::Page;

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
        let source = &self.source;
        let position = std::mem::replace(&mut self.position, Position::End);
        let Some((window, skip)) = position.wants(self.asked) else {
            return Ok(None);
        };
        let page = source.page(window, skip).await?;
        let mut marks = Marks {
            marks: Vec::new(),
            total: page.total_count,
            page_size: source.page_size(),
        };
        for item in &page.data {
            marks.marks.push(Mark {
                time: source.time(item),
                key: source.key(item),
            });
        }
        let (position, new) = position
            .pass(marks, self.asked)
            .map_err(|reason| Error::inconsistent(source.operation(), reason))?;
        self.position = position;
        let mut new = new.into_iter();
        let mut items = Vec::new();
        for item in page.data {
            if new.next() == Some(true) {
                items.push(item);
            }
        }
        Ok(Some(items))
    }
}

/// All that a walk goes by of an item: a list of any items is walked by the same code.
struct Mark {
    time: Option<i64>,
    key: String,
}

/// A page of marks.
struct Marks {
    marks: Vec<Mark>,
    total: u64,
    page_size: u32,
}

impl Marks {
    /// Whether more follows. A server may give fewer items than it was asked for, and one that does not count ends with a page
    /// of none.
    fn goes_on(&self, skip: u32) -> bool {
        let seen = u64::from(skip) + self.marks.len() as u64;
        let is_counted = self.total > 0;
        self.marks.len() >= self.page_size as usize
            || !self.marks.is_empty() && (!is_counted || seen < self.total)
    }
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

#[derive(Default)]
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

impl Position {
    /// The window of the next page, and how many items to pass over; nothing at the end.
    fn wants(&self, asked: Window) -> Option<(Window, u32)> {
        match self {
            Self::Start => Some((asked, 0)),
            Self::Before { to, .. } => {
                let to = Some(*to);
                Some((Window { to, ..asked }, 0))
            }
            Self::Counting(count) => Some((count.window, count.skip)),
            Self::End => None,
        }
    }

    /// Where a page leads, and which of its items are new; or what is wrong with it.
    fn pass(self, page: Marks, asked: Window) -> Result<(Self, Vec<bool>), String> {
        match self {
            Self::Start if page.marks.iter().any(|mark| mark.time.is_none()) => {
                let count = Count {
                    window: asked,
                    total: page.total,
                    ..Count::default()
                };
                count.pass(page, asked)
            }
            // The start is the server's own time: that of the newest item.
            Self::Start => match page.marks.iter().filter_map(|mark| mark.time).max() {
                Some(newest) => Self::step(newest, HashSet::new(), page),
                None => Ok((Self::End, Vec::new())),
            },
            Self::Before { to, seen } => Self::step(to, seen, page),
            Self::Counting(count) => count.pass(page, asked),
            Self::End => Ok((Self::End, Vec::new())),
        }
    }

    /// Takes a page of what is not newer than `to`.
    fn step(to: i64, mut seen: HashSet<String>, page: Marks) -> Result<(Self, Vec<bool>), String> {
        let more = page.goes_on(0);
        // An item that does not tell its time is as old as the edge, and is recognised there.
        let time = |mark: &Mark| mark.time.unwrap_or(to);
        let oldest = page.marks.iter().map(time).min().unwrap_or(to);
        if oldest > to {
            return Err(
                "items newer than the range of times that was asked for, which the server does not heed"
                    .to_owned(),
            );
        }
        // What is newer was seen before, or came after the start.
        let is_new = |mark: &Mark| time(mark) <= to && !seen.contains(&mark.key);
        let new: Vec<_> = page.marks.iter().map(is_new).collect();
        if oldest < to {
            seen.clear();
        }
        for (mark, is_new) in page.marks.into_iter().zip(&new) {
            if *is_new && time(&mark) == oldest {
                seen.insert(mark.key);
            }
        }
        let position = match more {
            false => Self::End,
            true if oldest < to => Self::Before { to: oldest, seen },
            true => Self::Counting(Count {
                window: Window {
                    from: Some(to),
                    to: Some(to),
                },
                seen,
                then: to.checked_sub(1),
                ..Count::default()
            }),
        };
        Ok((position, new))
    }
}

impl Count {
    fn pass(mut self, page: Marks, asked: Window) -> Result<(Position, Vec<bool>), String> {
        let mut more = page.goes_on(self.skip);
        let length = u32::try_from(page.marks.len()).unwrap_or(u32::MAX);
        let mut keys = HashSet::new();
        let mut new = Vec::new();
        for mark in page.marks {
            // What is beside the one millisecond was seen before, or is yet to come.
            let beside = self.window.from.is_some_and(|from| {
                self.then.is_some() && mark.time.is_some_and(|time| time != from)
            });
            new.push(!beside && self.seen.insert(mark.key.clone()));
            keys.insert(mark.key);
        }
        if self.is_repeated(&keys, page.total) {
            // Beyond the end a server may give the last page for none.
            if !(1..=u64::from(self.skip)).contains(&page.total) {
                return Err(format!(
                    "the same page again, though {} items were to be passed over",
                    self.skip
                ));
            }
            more = false;
        }
        self.last = keys;
        self.shrunk |= page.total < self.total;
        self.total = page.total;
        let position = match (more, self.shrunk, self.then) {
            (true, ..) => {
                self.skip = self.skip.saturating_add(length);
                Position::Counting(self)
            }
            // Something went while we counted, and what followed it may have moved over the edge of a page: count again.
            (false, true, _) => {
                self.skip = 0;
                self.shrunk = false;
                self.last.clear();
                Position::Counting(self)
            }
            (false, false, Some(to)) if asked.from.is_none_or(|from| to >= from) => {
                let seen = HashSet::new();
                Position::Before { to, seen }
            }
            (false, false, _) => Position::End,
        };
        Ok((position, new))
    }

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

/// Several walks as one, newest items first.
pub(crate) struct Merge<S: Source> {
    branches: Vec<Branch<S>>,
    /// An item may move from one branch to another while they are walked.
    given: HashSet<String>,
}

struct Branch<S: Source> {
    walk: Walk<S>,
    ahead: vec::IntoIter<S::Item>,
    ended: bool,
}

impl<S: Source> Merge<S> {
    pub(crate) fn new() -> Self {
        Self {
            branches: Vec::new(),
            given: HashSet::new(),
        }
    }

    pub(crate) fn add(&mut self, walk: Walk<S>) {
        self.branches.push(Branch {
            walk,
            ahead: Vec::new().into_iter(),
            ended: false,
        });
    }

    /// The next items, or nothing at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<S::Item>>, Error> {
        if let [branch] = self.branches.as_mut_slice() {
            return branch.walk.next_page().await;
        }
        let mut items = Vec::new();
        loop {
            for branch in &mut self.branches {
                while branch.head().is_none() && !branch.ended {
                    if !items.is_empty() {
                        // What is in order already need not wait for the next request.
                        return Ok(Some(items));
                    }
                    match branch.walk.next_page().await? {
                        Some(page) => branch.ahead = page.into_iter(),
                        None => branch.ended = true,
                    }
                }
            }
            let filled = self.branches.iter_mut().filter(|b| b.head().is_some());
            let newest = filled.max_by_key(|branch| {
                let source = &branch.walk.source;
                branch.head().and_then(|item| source.time(item))
            });
            let Some(branch) = newest else {
                return Ok((!items.is_empty()).then_some(items));
            };
            if let Some(item) = branch.ahead.next()
                && self.given.insert(branch.walk.source.key(&item))
            {
                items.push(item);
            }
        }
    }
}

impl<S: Source> Branch<S> {
    fn head(&self) -> Option<&S::Item> {
        self.ahead.as_slice().first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
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
        /// Whether it heeds the range of times that it is asked for.
        heeds: bool,
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
                !self.heeds
                    || window.from.is_none_or(|from| *time >= from)
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
            heeds: true,
            skip: as_asked,
            requests: Arc::default(),
        });
        let mut walk = Walk::new(model.clone(), Window { from, to: None });
        let mut out = Vec::new();
        let mut start = None;
        while let Some(page) = run(walk.next_page()).expect("the model never fails") {
            let start = *start.get_or_insert_with(|| page.iter().map(|(time, _)| *time).max());
            let newer = page.iter().any(|(time, _)| Some(*time) > start);
            assert!(timeless || !newer, "newer than the start: {page:?}");
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
                heeds: true,
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
    fn a_server_that_does_not_heed_times_is_an_error_and_no_endless_list() {
        for count in [10, 11, 25] {
            let model = Arc::new(Model {
                items: Mutex::new((0..count).map(|key| (1000 - i64::from(key), key)).collect()),
                changes: Mutex::default(),
                page_size: 10,
                cap: 10,
                timeless: false,
                counts: true,
                heeds: false,
                skip: as_asked,
                requests: Arc::default(),
            });
            let mut walk = Walk::new(model.clone(), Window::default());
            let mut seen = Vec::new();
            let error = loop {
                assert!(*model.requests.lock().expect("not poisoned") < 9, "endless");
                match run(walk.next_page()) {
                    Ok(page) => seen.extend(page.expect("no silent end")),
                    Err(error) => break error,
                }
            };
            assert_eq!(seen.len(), 10, "nothing comes twice");
            assert!(format!("{error:#}").contains("does not heed"), "{error:#}");
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
                heeds: true,
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
                heeds: true,
                skip: as_asked,
                requests: Arc::default(),
            });
            Walk::new(model, Window::default())
        };
        let mut merge = Merge::new();
        merge.add(model(&[(9, 1), (5, 2), (4, 3), (1, 4)]));
        merge.add(model(&[(7, 5), (5, 2), (2, 6)]));
        merge.add(model(&[]));
        let mut out = Vec::new();
        while let Some(page) = run(merge.next_page()).expect("the models never fail") {
            out.extend(page.into_iter().map(|(_, key)| key));
        }
        assert_eq!(out, [1, 5, 2, 3, 6, 4]);
    }
}
