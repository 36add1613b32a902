//! Pages through a model of a server whose list changes before each page.

#[path = "../../tests/common/rounds.rs"]
mod rounds;

use super::Items;
use super::cursor::{Cursor, ListId};
use super::merge::{Merge, Place};
use super::time_window::{PageSource, TimeWindow, TimeWindowPager};
use crate::{Error, Operation};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet, VecDeque};
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
    /// The time that the server shows, of the one that it filters by.
    shown_time: fn(i64) -> Option<i64>,
    total: fn(Counts) -> u64,
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
            shown_time: Some,
            total: |counts| counts.all,
            applies_window: true,
            skip: |skip, _| skip as usize,
            requests: Mutex::default(),
        }
    }
}

/// What a server can count for a total.
struct Counts {
    all: u64,
    skipped: u64,
    page: u64,
    request: u64,
}

const NO_TIMES: fn(i64) -> Option<i64> = |_| None;

#[derive(Debug, Clone)]
enum Change {
    Nothing,
    Insert(u32),
    Delete(u32),
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
                let index = index as usize % items.len();
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
        let data: Vec<_> = rest.take(self.page_size.min(self.cap) as usize).collect();
        let counts = Counts {
            all: total as u64,
            skipped: skip.into(),
            page: data.len() as u64,
            request: (*requests).into(),
        };
        Ok(Page { total_count: (self.total)(counts), data, ..Page::default() })
    }

    fn time(&self, item: &Item) -> Option<i64> {
        (self.shown_time)(item.0)
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
        2 => any::<u32>().prop_map(Change::Delete),
    ]
}

/// What a pager returned, and which items the server had from start to end.
#[derive(Debug)]
struct Reading {
    returned: Vec<u32>,
    /// The error that ended the list.
    error: Option<String>,
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
    let has_exact_times = [7, 1003].iter().all(|time| (model.shown_time)(*time) == Some(*time));
    let error = loop {
        assert!(model.requests() < 10_000, "endless");
        let page = match run(pager.next_page()) {
            Ok(Some(page)) => page.into_iter().map(|(_, item)| item).collect::<Vec<_>>(),
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        };
        // Without times nothing shows which items are new.
        if has_exact_times {
            let start = *start.get_or_insert_with(|| page.iter().map(|(time, _)| *time).max());
            let is_newer = page.iter().any(|(time, _)| Some(*time) > start);
            assert!(!is_newer, "newer than the start: {page:?}");
        }
        returned.extend(page.into_iter().map(|(_, key)| key));
    };
    let after = model.items.lock().expect("not poisoned").clone();
    let lasting = before.into_iter().filter(|item| after.contains(item));
    let lasting = lasting.filter(|(time, _)| from.is_none_or(|from| *time >= from));
    let lasting = lasting.map(|(_, key)| key).collect();
    Reading { returned, error, lasting, requests: model.requests() }
}

impl Reading {
    /// Asserts that every lasting item came exactly once, or at most once before an error.
    fn assert_complete(&self) {
        let unique: HashSet<_> = self.returned.iter().collect();
        assert_eq!(unique.len(), self.returned.len(), "returned twice: {self:?}");
        if self.error.is_none() {
            let missing: Vec<_> = self.lasting.iter().filter(|key| !unique.contains(key)).collect();
            assert!(missing.is_empty(), "{missing:?} are missing: {self:?}");
        }
    }
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
        let shown_time = if has_times { Some } else { NO_TIMES };
        let total: fn(Counts) -> u64 = if counts { |counts| counts.all } else { |_| 0 };
        let model = Model { changes, page_size, cap, shown_time, total, ..Model::default() };
        read_all(&times, from, model).assert_complete();
    }
}

/// Random numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        // The generator SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % u64::from(limit)) as u32
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u32) as usize]
    }

    fn change(&mut self) -> Change {
        match self.below(4) {
            0 => Change::Insert(self.below(1000)),
            1 => Change::Delete(self.below(1000)),
            _ => Change::Nothing,
        }
    }
}

/// Times as a server may show them: rounded, in another unit, in several units, or not always.
const SHOWN_TIMES: [fn(i64) -> Option<i64>; 11] = [
    Some,
    NO_TIMES,
    |time| Some(time / 10 * 10),
    |time| Some((time + 5) / 10 * 10),
    |time| Some((time + 9) / 10 * 10),
    |time| Some(time / 60 * 60),
    |time| Some(time / 10),
    |time| Some(time * 10),
    |time| Some(if time % 7 == 0 { time / 10 } else { time }),
    |time| (time % 7 != 0).then_some(time),
    |time| (time % 7 != 0 || time > 1100).then_some(time / 10 * 10),
];

/// Totals that count something else, or nothing.
const TOTALS: [fn(Counts) -> u64; 8] = [
    |counts| counts.all,
    |_| 0,
    |counts| counts.page,
    |counts| counts.all.saturating_sub(counts.skipped),
    |counts| counts.all.saturating_sub(counts.request % 2),
    |counts| counts.all + counts.request % 3,
    |counts| counts.all.min(10),
    |_| 1000,
];

/// Reads a random list from a server that lies.
fn round(seed: u64) {
    let random = &mut Random(seed);
    let spread = random.one_of(&[1, 12, 300]);
    let times: Vec<_> =
        (0..random.below(120)).map(|_| 1000 + i64::from(random.below(spread))).collect();
    let changes = if random.below(2) == 0 { 0 } else { random.below(40) };
    let total = random.below(TOTALS.len() as u32) as usize;
    let page_size = 2 + random.below(12);
    // A page that is short by itself, with a total that counts only this page, looks like the end.
    let can_be_capped = total < 2;
    let cap = if can_be_capped { 2 + random.below(12) } else { page_size };
    // New items can repeat a small page, and such a total then looks like the end as well.
    let changes = if [2, 6].contains(&total) { 0 } else { changes };
    let model = Model {
        changes: Mutex::new((0..changes).map(|_| random.change()).collect()),
        page_size,
        cap,
        shown_time: random.one_of(&SHOWN_TIMES),
        total: TOTALS[total],
        applies_window: random.below(8) > 0,
        ..Model::default()
    };
    let reading = read_all(&times, None, model);
    reading.assert_complete();
    let pages = (times.len() as u32 + changes) / (page_size.min(cap) - 1) + 1;
    assert!(reading.requests <= 20 * pages + 2 * changes, "{pages} pages: {reading:?}");
}

#[test]
fn p01_to_p09_a_lying_server_hides_no_item_without_an_error() {
    rounds::run(|seed| (0..100).for_each(|part| round(seed * 100 + part)));
}

/// Some times are shown in another unit, and an item between them and the rest is deleted.
#[test]
fn p03_an_item_that_the_time_of_another_hides_is_an_error() {
    round(1_092_112);
    round(2_077_003);
}

/// Reads a list without changes, which must be complete and end without an error.
fn a_lying_server_gives_every_item(times: Vec<i64>, model: Model) {
    let reading = read_all(&times, None, model);
    reading.assert_complete();
    assert_eq!((reading.returned.len(), reading.error), (times.len(), None));
}

fn spaced(count: i64, step: i64) -> Vec<i64> {
    (0..count).map(|item| 1_780_290_000_000 + item * step).collect()
}

#[test]
fn p01_a_total_that_counts_the_page_ends_no_list() {
    let total = |counts: Counts| counts.page;
    a_lying_server_gives_every_item(spaced(250, 60_000), Model { total, ..large_pages() });
    a_lying_server_gives_every_item(vec![7; 250], Model { total, ..large_pages() });
    let model = Model { total, shown_time: NO_TIMES, ..large_pages() };
    a_lying_server_gives_every_item(spaced(250, 60_000), model);
}

#[test]
fn p02_a_total_that_counts_the_rest_ends_no_list() {
    let total = |counts: Counts| counts.all - counts.skipped;
    a_lying_server_gives_every_item(vec![7; 250], Model { total, ..large_pages() });
    a_lying_server_gives_every_item(
        vec![7; 25],
        Model { total, shown_time: NO_TIMES, ..Model::default() },
    );
}

#[test]
fn p08_a_total_that_flaps_ends_no_list() {
    let total = |counts: Counts| counts.all.saturating_sub(counts.request % 3);
    a_lying_server_gives_every_item(
        vec![7; 45],
        Model { total, shown_time: NO_TIMES, ..Model::default() },
    );
}

#[test]
fn p08_a_total_that_counts_more_than_the_list_holds_is_an_error() {
    let model = Model { total: |_| 1000, shown_time: NO_TIMES, ..Model::default() };
    let reading = read_all(&[7; 25], None, model);
    assert_eq!(reading.returned.len(), 25);
    assert!(reading.error.expect("an error").contains("counts 1000 items"));
}

#[test]
fn p03_times_in_seconds_lose_no_item() {
    let shown_time = |time| Some(time / 1000);
    a_lying_server_gives_every_item(spaced(250, 60_000), Model { shown_time, ..large_pages() });
    let model = Model { shown_time, total: |_| 0, ..large_pages() };
    a_lying_server_gives_every_item(spaced(250, 60_000), model);
}

#[test]
fn p04_times_cut_to_seconds_or_minutes_lose_no_item() {
    let shown_time = |time| Some(time / 1000 * 1000);
    a_lying_server_gives_every_item(spaced(400, 333), Model { shown_time, ..large_pages() });
    let shown_time = |time| Some(time / 60_000 * 60_000);
    a_lying_server_gives_every_item(spaced(400, 333), Model { shown_time, ..large_pages() });
}

#[test]
fn p09_times_in_microseconds_or_of_several_units_lose_no_item() {
    let shown_time = |time| Some(time * 1000);
    a_lying_server_gives_every_item(spaced(250, 60_000), Model { shown_time, ..large_pages() });
    let shown_time = |time| Some(if time % 7 == 0 { time / 1000 } else { time });
    a_lying_server_gives_every_item(spaced(250, 60_000), Model { shown_time, ..large_pages() });
    let shown_time = |time| (time % 7 != 0 || time > 1_780_297_200_000).then_some(time);
    a_lying_server_gives_every_item(spaced(250, 60_000), Model { shown_time, ..large_pages() });
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
            Ok(page) => {
                let page = page.expect("an error before the end");
                items.extend(page.into_iter().map(|(_, item)| item));
            }
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
    let shown_time = if has_times { Some } else { NO_TIMES };
    Model { cap, shown_time, skip: |_, _| 0, ..Model::of_one_millisecond(count) }
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
        shown_time: NO_TIMES,
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
    let pagers =
        [pager(&[(9, 1), (5, 2), (4, 3), (1, 4)]), pager(&[(7, 5), (5, 2), (2, 6)]), pager(&[])];
    let mut merge = Merge::new(pagers, Place::default());
    let mut returned = Vec::new();
    while let Some(page) = run(merge.next_page()).expect("the models never fail") {
        returned.extend(page.items.into_iter().map(|merged| merged.item.1));
    }
    assert_eq!(returned, [1, 5, 2, 3, 6, 4]);
}

/// Reads lists as one, and goes on from a cursor after each of these numbers of items. Also returns
/// whether the list came to its end.
fn read_in_parts(models: &[Arc<Model>], parts: &[usize]) -> (Vec<u32>, bool) {
    let id = ListId { enterprise: "ent".to_owned(), list: "[]".to_owned() };
    let mut place = Place::default();
    let mut returned = Vec::new();
    for part in parts.iter().copied().chain([usize::MAX]) {
        let pagers = models.iter().cloned();
        let pagers = pagers.map(|model| TimeWindowPager::new(model, TimeWindow::default()));
        let mut items = Items::from_pagers(id.clone(), pagers, place);
        for _ in 0..part {
            let Some(item) = run(items.next()) else {
                break;
            };
            match item {
                Ok((_, key)) => returned.push(key),
                // It may, if the list changes during each read.
                Err(_) => return (returned, false),
            }
        }
        let stored = serde_json::to_string(&items.cursor()).expect("JSON");
        let cursor: Cursor = serde_json::from_str(&stored).expect("a cursor");
        place = cursor.place().clone();
    }
    (returned, true)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_list_that_is_resumed_returns_lasting_items_exactly_once(
        times in prop::collection::vec(0i64..12, 0..60),
        changes in prop::collection::vec(change(), 0..20),
        page_size in 2u32..9,
        has_times in any::<bool>(),
        parts in prop::collection::vec(0usize..20, 0..6),
    ) {
        let mut items: Vec<_> = times.iter().copied().zip(0u32..).collect();
        items.sort_by_key(|(time, key)| (std::cmp::Reverse(*time), *key));
        let model = Arc::new(Model {
            items: Mutex::new(items.clone()),
            changes: Mutex::new(changes.into()),
            page_size,
            cap: page_size,
            shown_time: if has_times { Some } else { NO_TIMES },
            ..Model::default()
        });
        let (returned, is_complete) = read_in_parts(std::slice::from_ref(&model), &parts);
        let after = model.items.lock().expect("not poisoned").clone();
        let lasting = items.into_iter().filter(|item| after.contains(item)).map(|(_, key)| key);
        let unique: HashSet<_> = returned.iter().copied().collect();
        prop_assert_eq!(unique.len(), returned.len(), "returned twice: {:?}", returned);
        let missing: Vec<_> = lasting.filter(|key| !unique.contains(key)).collect();
        prop_assert!(!is_complete || missing.is_empty(), "{:?} are missing", missing);
    }

    #[test]
    fn merged_lists_that_are_resumed_return_every_item_once(
        lists in prop::collection::vec(prop::collection::vec((0i64..9, 0u32..30), 0..20), 1..4),
        parts in prop::collection::vec(0usize..9, 0..6),
    ) {
        let lists = lists.into_iter().map(|list| {
            // A key has one time, in every list.
            let list: HashMap<u32, i64> =
                list.into_iter().map(|(_, key)| (key, i64::from(key % 9))).collect();
            let mut list: Vec<_> = list.into_iter().map(|(key, time)| (time, key)).collect();
            list.sort_unstable_by_key(|(time, key)| (std::cmp::Reverse(*time), *key));
            list
        });
        let lists: Vec<_> = lists.collect();
        let models = lists.iter().map(|list| {
            let items = Mutex::new(list.clone());
            Arc::new(Model { items, page_size: 3, cap: 3, ..Model::default() })
        });
        let models: Vec<_> = models.collect();
        let (mut returned, is_complete) = read_in_parts(&models, &parts);
        prop_assert!(is_complete);
        let mut expected: Vec<_> = lists.concat().into_iter().map(|(_, key)| key).collect();
        expected.sort_unstable();
        expected.dedup();
        returned.sort_unstable();
        prop_assert_eq!(returned, expected);
    }
}

#[test]
fn the_memory_of_a_merged_list_does_not_grow_with_it() {
    let models = [0, 1].map(|branch| {
        let items = (0..5_000).rev().map(|time| (time, 2 * time as u32 + branch)).collect();
        let model =
            Model { items: Mutex::new(items), page_size: 100, cap: 100, ..Model::default() };
        model.pager().1
    });
    let mut merge = Merge::new(models, Place::default());
    let mut count = 0;
    while let Some(page) = run(merge.next_page()).expect("the models never fail") {
        count += page.items.len();
        assert!(page.after.returned.len() <= 210, "{}", page.after.returned.len());
    }
    assert_eq!(count, 10_000);
}

#[test]
fn a_cursor_of_another_version_is_refused() {
    let cursor = r#"{"version":2,"id":{"enterprise":"ent","list":"[]"},"anything":1}"#;
    let error = serde_json::from_str::<Cursor>(cursor).expect_err("refused").to_string();
    assert!(error.contains("has version 2") && error.contains("from its beginning"), "{error}");
}
