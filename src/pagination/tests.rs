//! Pages through a model of a server whose list changes before each page.

use super::merge::Merge;
use super::time_window::{PageSource, TimeWindow, TimeWindowPager};
use crate::{Error, Operation};
use proptest::prelude::*;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use telecrm_core::response::Page;

type Item = (i64, u32);

/// A list of (time, key), newest first, and the changes that happen before each page.
struct Model {
    items: Mutex<Vec<Item>>,
    changes: Mutex<VecDeque<Change>>,
    page_size: u32,
    /// The most items that the server returns, whatever the request asks for.
    cap: u32,
    has_times: bool,
    counts: bool,
    /// Whether the server applies the time range of a request.
    applies_window: bool,
    /// How many items the server skips for an offset and a total.
    skip: fn(u32, usize) -> usize,
    requests: Mutex<u32>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            items: Mutex::default(),
            changes: Mutex::default(),
            page_size: 10,
            cap: 10,
            has_times: true,
            counts: true,
            applies_window: true,
            skip: |skip, _| skip as usize,
            requests: Mutex::default(),
        }
    }
}

#[derive(Debug, Clone)]
enum Change {
    Nothing,
    Insert(u32),
    Delete(prop::sample::Index),
}

impl PageSource for Arc<Model> {
    type Item = Item;

    const OPERATION: Operation = Operation::SearchLeads;

    fn page_size(&self) -> u32 {
        self.page_size
    }

    async fn page(&self, window: TimeWindow, skip: u32) -> Result<Page<Item>, Error> {
        let mut requests = self.requests.lock().expect("not poisoned");
        *requests += 1;
        let mut items = self.items.lock().expect("not poisoned");
        match self.changes.lock().expect("not poisoned").pop_front() {
            Some(Change::Insert(key)) => {
                let newest = items.first().map_or(0, |(time, _)| *time);
                // Keys are unique.
                items.insert(0, (newest + i64::from(key % 2), 1_000_000 + *requests));
            }
            Some(Change::Delete(index)) if !items.is_empty() => {
                let index = index.index(items.len());
                items.remove(index);
            }
            _ => {}
        }
        let is_inside = |(time, _): &&Item| {
            !self.applies_window
                || window.from.is_none_or(|from| *time >= from)
                    && window.to.is_none_or(|to| *time <= to)
        };
        let matching: Vec<_> = items.iter().filter(is_inside).copied().collect();
        let total = matching.len();
        let rest = matching.into_iter().skip((self.skip)(skip, total));
        Ok(Page {
            total_count: if self.counts { total as u64 } else { 0 },
            data: rest.take(self.page_size.min(self.cap) as usize).collect(),
            ..Page::default()
        })
    }

    fn time(&self, item: &Item) -> Option<i64> {
        self.has_times.then_some(item.0)
    }

    fn key(&self, item: &Item) -> String {
        item.1.to_string()
    }
}

impl Model {
    /// A server with this many items of one millisecond.
    fn of_one_millisecond(count: u32) -> Self {
        Self { items: Mutex::new((0..count).map(|key| (7, key)).collect()), ..Self::default() }
    }

    fn pager(self) -> (Arc<Self>, TimeWindowPager<Arc<Self>>) {
        let model = Arc::new(self);
        let pager = TimeWindowPager::new(model.clone(), TimeWindow::default());
        (model, pager)
    }

    fn requests(&self) -> u32 {
        *self.requests.lock().expect("not poisoned")
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

/// What a pager returned, and which items the server had from start to end.
struct Reading {
    returned: Vec<u32>,
    lasting: Vec<u32>,
    requests: u32,
}

fn read_all(times: &[i64], from: Option<i64>, model: Model) -> Reading {
    let mut items: Vec<_> = times.iter().copied().zip(0u32..).collect();
    items.sort_by_key(|(time, key)| (std::cmp::Reverse(*time), *key));
    let before = items.clone();
    let model = Arc::new(Model { items: Mutex::new(items), ..model });
    let mut pager = TimeWindowPager::new(model.clone(), TimeWindow { from, to: None });
    let mut returned = Vec::new();
    let mut start = None;
    while let Some(page) = run(pager.next_page()).expect("the model never fails") {
        let start = *start.get_or_insert_with(|| page.iter().map(|(time, _)| *time).max());
        let is_newer = page.iter().any(|(time, _)| Some(*time) > start);
        assert!(!model.has_times || !is_newer, "newer than the start: {page:?}");
        returned.extend(page.into_iter().map(|(_, key)| key));
    }
    let after = model.items.lock().expect("not poisoned").clone();
    let lasting = before.into_iter().filter(|item| after.contains(item));
    let lasting = lasting.filter(|(time, _)| from.is_none_or(|from| *time >= from));
    Reading { returned, lasting: lasting.map(|(_, key)| key).collect(), requests: model.requests() }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn lasting_items_are_returned_exactly_once(
        // Few distinct times, so that pages and milliseconds overlap in every way.
        times in prop::collection::vec(0i64..12, 0..60),
        changes in prop::collection::vec(change(), 0..40),
        page_size in 1u32..9,
        cap in 1u32..12,
        has_times in any::<bool>(),
        counts in any::<bool>(),
        from in prop::option::of(0i64..12),
    ) {
        let from = from.filter(|_| has_times);
        // Without a total, a pager cannot see that an item was deleted.
        let changes = if counts { changes } else { Vec::new() };
        let changes = Mutex::new(changes.into());
        let model = Model { changes, page_size, cap, has_times, counts, ..Model::default() };
        let Reading { returned, lasting, .. } = read_all(&times, from, model);
        let unique: HashSet<_> = returned.iter().collect();
        prop_assert_eq!(unique.len(), returned.len(), "returned twice: {:?}", returned);
        for key in lasting {
            prop_assert!(unique.contains(&key), "{} is missing: {:?}", key, returned);
        }
    }
}

fn large_pages() -> Model {
    Model { page_size: 100, cap: 100, ..Model::default() }
}

#[test]
fn an_unchanged_list_needs_hardly_more_requests_than_pages() {
    let times: Vec<i64> = (0..1000).collect();
    let reading = read_all(&times, None, large_pages());
    assert_eq!(reading.returned.len(), 1000);
    assert!(reading.requests <= 12, "{}", reading.requests);
    assert!(reading.returned.is_sorted_by(|one, other| one > other));
}

#[test]
fn one_millisecond_may_hold_more_than_a_page() {
    let times: Vec<i64> = (0..350).map(|item| if item < 250 { 5 } else { item }).collect();
    assert_eq!(read_all(&times, None, large_pages()).returned.len(), 350);
}

/// Reads until the error, which must come before the ninth request. Returns the items before it.
fn read_until_error(model: Model, expected: &str) -> Vec<Item> {
    let (model, mut pager) = model.pager();
    let mut items = Vec::new();
    let error = loop {
        assert!(model.requests() < 9, "endless");
        match run(pager.next_page()) {
            Ok(page) => items.extend(page.expect("an error before the end")),
            Err(error) => break error,
        }
    };
    assert_eq!(error.operation(), Some(Operation::SearchLeads));
    assert!(format!("{error:#}").contains(expected), "{error:#}");
    assert!(run(pager.next_page()).expect("the end").is_none());
    items
}

/// A server that ignores the offset of a request.
fn ignores_offset(count: u32, cap: u32, has_times: bool) -> Model {
    Model { cap, has_times, skip: |_, _| 0, ..Model::of_one_millisecond(count) }
}

const SAME_PAGE: &str = "the same page again";

#[test]
fn an_ignored_offset_is_an_error() {
    assert!(read_until_error(ignores_offset(23, 10, false), SAME_PAGE).len() >= 10);
}

#[test]
fn an_ignored_offset_is_an_error_if_pages_divide_the_list() {
    assert!(read_until_error(ignores_offset(20, 10, false), SAME_PAGE).len() >= 10);
}

#[test]
fn an_ignored_offset_is_an_error_if_pages_are_short() {
    assert!(read_until_error(ignores_offset(8, 5, false), SAME_PAGE).len() >= 5);
}

#[test]
fn an_ignored_offset_is_an_error_within_one_millisecond() {
    assert!(read_until_error(ignores_offset(23, 10, true), SAME_PAGE).len() >= 10);
}

#[test]
fn an_ignored_offset_is_an_error_in_a_growing_list() {
    let model = Model {
        changes: Mutex::new([Change::Nothing, Change::Insert(1)].into()),
        ..ignores_offset(20, 10, false)
    };
    assert!(read_until_error(model, SAME_PAGE).len() >= 10);
}

fn ignores_window(count: u32) -> Model {
    let items = (0..count).map(|key| (1000 - i64::from(key), key));
    Model { items: Mutex::new(items.collect()), applies_window: false, ..Model::default() }
}

const IGNORED_RANGE: &str = "ignores the time range";

#[test]
fn an_ignored_time_range_is_an_error_after_a_single_page() {
    assert_eq!(read_until_error(ignores_window(10), IGNORED_RANGE).len(), 10);
}

#[test]
fn an_ignored_time_range_is_an_error_with_one_item_left() {
    assert_eq!(read_until_error(ignores_window(11), IGNORED_RANGE).len(), 10);
}

#[test]
fn an_ignored_time_range_is_an_error_in_a_longer_list() {
    assert_eq!(read_until_error(ignores_window(25), IGNORED_RANGE).len(), 10);
}

/// Reads a list whose last page the server returns again beyond the end.
fn read_with_repeated_last_page(count: u32) -> usize {
    let (_, mut pager) = Model {
        has_times: false,
        skip: |skip, count| (skip as usize).min(count - 10),
        ..Model::of_one_millisecond(count)
    }
    .pager();
    let mut returned = 0;
    while let Some(page) = run(pager.next_page()).expect("no error") {
        returned += page.len();
    }
    returned
}

#[test]
fn a_repeated_last_page_ends_a_list_of_one_page() {
    assert_eq!(read_with_repeated_last_page(10), 10);
}

#[test]
fn a_repeated_last_page_ends_a_list_of_two_pages() {
    assert_eq!(read_with_repeated_last_page(20), 20);
}

#[test]
fn a_repeated_last_page_ends_a_list_of_three_pages() {
    assert_eq!(read_with_repeated_last_page(30), 30);
}

#[test]
fn branches_are_merged_newest_first_and_moved_items_come_once() {
    let pager = |items: &[Item]| {
        let model =
            Model { items: Mutex::new(items.to_vec()), page_size: 2, cap: 2, ..Model::default() };
        model.pager().1
    };
    let mut merge = Merge::new([
        pager(&[(9, 1), (5, 2), (4, 3), (1, 4)]),
        pager(&[(7, 5), (5, 2), (2, 6)]),
        pager(&[]),
    ]);
    let mut returned = Vec::new();
    while let Some(page) = run(merge.next_page()).expect("the models never fail") {
        returned.extend(page.into_iter().map(|(_, key)| key));
    }
    assert_eq!(returned, [1, 5, 2, 3, 6, 4]);
}
