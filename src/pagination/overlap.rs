//! Reads the actions of a lead from the lead's own endpoint, which pages by position and gives no
//! total.
//!
//! A page may be shorter than requested without being the last one, so only an empty remainder is
//! the end. Each request starts at the last entry that was read. If the page begins with another
//! entry, the list has changed meanwhile, and reading starts over.

use crate::Error;
use telecrm_core::ActionRecord;

/// The longest list that is read.
const MAX_ENTRIES: usize = 1000;

/// How often a list is read from the start if it keeps changing.
const MAX_READS: u32 = 3;

/// Reads all entries, of which the first page has been read. Returns `None` if there are too many,
/// or if they change during every read.
pub(crate) async fn read_all<F>(
    first: Vec<ActionRecord>,
    mut page: impl FnMut(u32) -> F,
) -> Result<Option<Vec<ActionRecord>>, Error>
where
    F: Future<Output = Result<Vec<ActionRecord>, Error>>,
{
    let mut first = Some(first);
    for _ in 0..MAX_READS {
        let mut entries = match first.take() {
            Some(first) => first,
            None => page(0).await?,
        };
        loop {
            let Some(last) = entries.last() else {
                return Ok(Some(entries));
            };
            if entries.len() > MAX_ENTRIES {
                return Ok(None);
            }
            // If pages hold a single entry, an overlap would never get past the first one.
            let overlaps = entries.len() > 1;
            let from = entries.len() - usize::from(overlaps);
            let next = page(u32::try_from(from).unwrap_or(u32::MAX)).await?;
            match next.as_slice() {
                // If the only entry had been deleted meanwhile, another one would now be first.
                [] if !overlaps => match page(0).await?.as_slice() {
                    [only] if is_same(only, last) => return Ok(Some(entries)),
                    _ => break,
                },
                [first] if overlaps && is_same(first, last) => return Ok(Some(entries)),
                [first, rest @ ..] if overlaps && is_same(first, last) => {
                    entries.extend_from_slice(rest);
                }
                _ => break,
            }
        }
    }
    Ok(None)
}

/// Compares entries by ID, or by content if one has no ID.
fn is_same(one: &ActionRecord, other: &ActionRecord) -> bool {
    match (one.id(), other.id()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn entry(id: u32) -> ActionRecord {
        let entry = serde_json::json!({ "id": id.to_string(), "type": "1001" });
        serde_json::from_str(&entry.to_string()).expect("an entry")
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(future)
    }

    async fn from_the_start<F>(
        mut page: impl FnMut(u32) -> F,
    ) -> Result<Option<Vec<ActionRecord>>, Error>
    where
        F: Future<Output = Result<Vec<ActionRecord>, Error>>,
    {
        read_all(page(0).await?, page).await
    }

    #[derive(Debug, Clone)]
    enum Change {
        Nothing,
        /// Adds the newest entry.
        Add,
        /// Adds an entry with an earlier time.
        Insert(prop::sample::Index),
        Delete(prop::sample::Index),
    }

    /// Reads a list that changes before each page, from a server whose pages hold at most `cap`
    /// entries. Returns the entries that were there from start to end, and the ones that were read.
    fn read(count: u32, changes: Vec<Change>, cap: usize) -> (Vec<u32>, Option<Vec<u32>>) {
        let ids = |entries: &[ActionRecord]| -> Vec<u32> {
            let ids = entries.iter().filter_map(|entry| entry.id()?.parse().ok());
            ids.collect()
        };
        let mut entries: Vec<_> = (0..count).map(entry).collect();
        let mut lasting = entries.clone();
        let mut changes = changes.into_iter();
        let mut added = count;
        let reading = from_the_start(|skip| {
            match changes.next() {
                Some(Change::Add) => {
                    entries.insert(0, entry(added));
                    added += 1;
                }
                Some(Change::Insert(place)) => {
                    entries.insert(place.index(entries.len() + 1), entry(added));
                    added += 1;
                }
                Some(Change::Delete(place)) if !entries.is_empty() => {
                    let gone = entries.remove(place.index(entries.len()));
                    lasting.retain(|entry| *entry != gone);
                }
                _ => {}
            }
            let rest = entries.iter().skip(skip as usize);
            std::future::ready(Ok(rest.take(cap).cloned().collect()))
        });
        let read = run(reading).expect("the model never fails");
        (ids(&lasting), read.map(|entries| ids(&entries)))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 1000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn lasting_entries_are_read_exactly_once_or_the_result_is_none(
            count in 0u32..40,
            changes in prop::collection::vec(
                prop_oneof![
                    6 => Just(Change::Nothing),
                    1 => Just(Change::Add),
                    1 => any::<prop::sample::Index>().prop_map(Change::Insert),
                    2 => any::<prop::sample::Index>().prop_map(Change::Delete),
                ],
                0..12,
            ),
            cap in 1usize..50,
        ) {
            let (lasting, read) = read(count, changes, cap);
            if let Some(read) = read {
                let unique: HashSet<_> = read.iter().collect();
                prop_assert_eq!(unique.len(), read.len(), "read twice: {:?}", &read);
                for id in lasting {
                    prop_assert!(unique.contains(&id), "{} is missing: {:?}", id, &read);
                }
            }
        }
    }

    /// Reads unchanged lists of many lengths.
    fn assert_read_whole(cap: usize) {
        for count in [0, 1, 2, 9, 10, 11, 99, 100, 101, 350] {
            let (all, read) = read(count, Vec::new(), cap);
            assert_eq!(read, Some(all), "{count} entries");
        }
    }

    #[test]
    fn an_unchanged_list_is_read_whole_with_pages_of_two() {
        assert_read_whole(2);
    }

    #[test]
    fn an_unchanged_list_is_read_whole_with_pages_of_ten() {
        assert_read_whole(10);
    }

    #[test]
    fn an_unchanged_list_is_read_whole_with_pages_of_a_hundred() {
        assert_read_whole(100);
    }

    #[test]
    fn an_entry_that_moves_to_the_first_position_is_not_missed() {
        // Pages hold one entry. The first of two entries is deleted before the second page.
        let mut entries = vec![entry(0), entry(1)];
        let mut pages = 0;
        let reading = from_the_start(|skip| {
            pages += 1;
            if pages == 2 {
                entries.remove(0);
            }
            let page = entries.iter().skip(skip as usize).take(1);
            std::future::ready(Ok(page.cloned().collect()))
        });
        assert_eq!(run(reading).expect("read"), Some(vec![entry(1)]));
    }

    #[test]
    fn a_list_beyond_the_limit_is_not_read() {
        assert_eq!(read(1200, Vec::new(), 100).1, None);
    }

    #[test]
    fn a_list_in_pages_of_one_entry_is_not_read() {
        assert_eq!(read(5, Vec::new(), 1).1, None);
    }

    #[test]
    fn a_list_that_changes_before_every_page_is_not_read() {
        assert_eq!(read(30, vec![Change::Add; 100], 10).1, None);
    }
}
