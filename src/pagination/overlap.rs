//! A lead's timeline as the lead's own endpoint gives it: by position, and without a total.
//!
//! A page may be shorter than was asked for and not be the last one, so only what follows the last entry tells the end. Each page is
//! asked for from the last entry on that is known: if it begins with another one, entries were added or went meanwhile.

use crate::Error;
use telecrm_core::ActionRecord;

/// Timelines are read so far and no further.
pub(crate) const MOST_ENTRIES: usize = 1000;

/// How often a timeline is begun anew that changes while it is read.
const MOST_BEGINNINGS: u32 = 3;

/// All entries; nothing if there are too many, or if they change each time that they are read.
pub(crate) async fn whole<F>(
    mut page: impl FnMut(u32) -> F,
) -> Result<Option<Vec<ActionRecord>>, Error>
where
    F: Future<Output = Result<Vec<ActionRecord>, Error>>,
{
    for _ in 0..MOST_BEGINNINGS {
        let mut entries = page(0).await?;
        loop {
            let Some(last) = entries.last() else {
                return Ok(Some(entries));
            };
            if entries.len() > MOST_ENTRIES {
                return Ok(None);
            }
            // Of one entry it could not be told whether it is the last one again or all that a page holds.
            let overlaps = entries.len() > 1;
            let from = entries.len() - usize::from(overlaps);
            let next = page(u32::try_from(from).unwrap_or(u32::MAX)).await?;
            match next.as_slice() {
                // Had it gone meanwhile, another one would have moved up into its place.
                [] if !overlaps => match page(0).await?.as_slice() {
                    [only] if same(only, last) => return Ok(Some(entries)),
                    _ => break,
                },
                [first, more @ ..] if overlaps && same(first, last) => match more {
                    [] => return Ok(Some(entries)),
                    more => entries.extend_from_slice(more),
                },
                _ => break,
            }
        }
    }
    Ok(None)
}

/// The same entry: by ID, else by all it holds.
fn same(one: &ActionRecord, other: &ActionRecord) -> bool {
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

    #[derive(Debug, Clone)]
    enum Change {
        Nothing,
        /// Before all others, as telecrm adds it.
        Add,
        /// Dated back into their midst.
        Insert(prop::sample::Index),
        Delete(prop::sample::Index),
    }

    /// Reads a timeline that changes before each page, from a server that gives `cap` entries at most.
    fn read(count: u32, changes: Vec<Change>, cap: usize) -> (Vec<u32>, Option<Vec<u32>>) {
        let ids = |entries: &[ActionRecord]| -> Vec<u32> {
            let ids = entries.iter().filter_map(|entry| entry.id()?.parse().ok());
            ids.collect()
        };
        let mut entries: Vec<_> = (0..count).map(entry).collect();
        let mut lasting = entries.clone();
        let mut changes = changes.into_iter();
        let mut added = count;
        let reading = whole(|skip| {
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
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let read = runtime.expect("a runtime").block_on(reading);
        let read = read.expect("the model never fails");
        (ids(&lasting), read.map(|entries| ids(&entries)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_lasts_is_read_exactly_once_or_nothing_is_said(
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
                prop_assert_eq!(unique.len(), read.len(), "something came twice: {:?}", &read);
                for id in lasting {
                    prop_assert!(unique.contains(&id), "{} was missed: {:?}", id, &read);
                }
            }
        }
    }

    #[test]
    fn a_quiet_timeline_is_read_whole_however_short_its_pages_are() {
        for count in [0, 1, 2, 9, 10, 11, 99, 100, 101, 350] {
            for cap in [2, 10, 100] {
                let (all, read) = read(count, Vec::new(), cap);
                assert_eq!(read, Some(all), "{count} by {cap}");
            }
        }
    }

    #[test]
    fn an_entry_that_moves_into_the_place_of_the_first_is_not_missed() {
        // One entry to a page; the first of two goes before the second page.
        let mut entries = vec![entry(0), entry(1)];
        let mut pages = 0;
        let reading = whole(|skip| {
            pages += 1;
            if pages == 2 {
                entries.remove(0);
            }
            let page = entries.iter().skip(skip as usize).take(1);
            std::future::ready(Ok(page.cloned().collect()))
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let read = runtime.expect("a runtime").block_on(reading);
        assert_eq!(read.expect("read"), Some(vec![entry(1)]));
    }

    #[test]
    fn of_a_timeline_that_cannot_be_read_whole_nothing_is_said() {
        // Longer than anybody wants to wait for; and a server from which nothing but first entries come.
        for (count, cap) in [(1200, 100), (5, 1)] {
            assert_eq!(read(count, Vec::new(), cap).1, None, "{count} by {cap}");
        }
        let restless = vec![Change::Add; 100];
        assert_eq!(read(30, restless, 10).1, None);
    }
}
