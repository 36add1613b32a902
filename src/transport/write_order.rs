//! Write order: keeps an old write from being retried over a newer one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a write changes. A later write of the same target replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A lead, by the normal form of its identifier.
    Push(String),
    /// A lead, by its ID.
    Lead(String),
    /// An entry of a timeline, by the IDs of lead and action.
    Action(String, String),
    /// A team member, by email address.
    Member(String),
}

/// How many leads are remembered with both identifier and ID.
const MAX_KNOWN_LEADS: usize = 10_000;

/// The writes in flight, each with the number of the latest write to its target.
///
/// A push names a lead by its identifier, an update by its ID. They count as one target if this
/// client has seen a lead with both.
#[derive(Debug, Default)]
pub(crate) struct WriteOrder(Mutex<Writes>);

#[derive(Debug, Default)]
struct Writes {
    in_flight: Vec<(Target, Arc<AtomicU64>)>,
    /// The number of the latest write to any target.
    latest: u64,
    /// The IDs of leads by the normal form of their identifier.
    ids: HashMap<String, String>,
}

/// The number of a write among all writes.
#[derive(Debug)]
pub(crate) struct WriteTicket {
    latest: Arc<AtomicU64>,
    number: u64,
    /// The number of the write to the same target before this one.
    before: u64,
}

impl WriteTicket {
    /// Whether no later write to the same target began.
    pub(crate) fn is_latest(&self) -> bool {
        self.latest.load(Ordering::SeqCst) == self.number
    }

    /// Gives the number back, for a write that was never sent.
    pub(crate) fn withdraw(&self) {
        // If a later write began, the earlier ones stay replaced.
        let _ = self.latest.compare_exchange(
            self.number,
            self.before,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
    }
}

impl WriteOrder {
    /// Numbers a write that begins now.
    pub(crate) fn enter(&self, target: Target) -> WriteTicket {
        let mut writes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let target = match &target {
            Target::Push(key) => writes.ids.get(key).cloned().map_or(target, Target::Lead),
            _ => target,
        };
        writes.latest += 1;
        let number = writes.latest;
        // Forget the targets of finished writes.
        writes.in_flight.retain(|(_, latest)| Arc::strong_count(latest) > 1);
        let same = writes.in_flight.iter().find(|(other, _)| *other == target);
        let latest = same.map(|(_, latest)| latest.clone());
        let latest = latest.unwrap_or_else(|| {
            let latest = Arc::new(AtomicU64::new(0));
            writes.in_flight.push((target.clone(), latest.clone()));
            latest
        });
        let before = latest.load(Ordering::SeqCst);
        for (_, latest) in writes.in_flight.iter().filter(|(other, _)| *other == target) {
            latest.store(number, Ordering::SeqCst);
        }
        WriteTicket { latest, number, before }
    }

    /// Remembers that the lead with this identifier has this ID. Of its writes in flight over both
    /// APIs, only the latest stays the latest.
    pub(crate) fn learn(&self, identifier_key: String, id: String) {
        let mut writes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pushed = Target::Push(identifier_key.clone());
        let lead = Target::Lead(id.clone());
        for (target, _) in &mut writes.in_flight {
            if *target == pushed {
                *target = lead.clone();
            }
        }
        let same = || writes.in_flight.iter().filter(|(target, _)| *target == lead);
        let newest = same().map(|(_, latest)| latest.load(Ordering::SeqCst)).max();
        for (_, latest) in same() {
            latest.fetch_max(newest.unwrap_or_default(), Ordering::SeqCst);
        }
        if writes.ids.len() >= MAX_KNOWN_LEADS {
            writes.ids.clear();
        }
        writes.ids.insert(identifier_key, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(id: &str) -> Target {
        Target::Lead(id.to_owned())
    }

    #[test]
    fn a_later_write_to_the_same_target_replaces_an_earlier_one() {
        let order = WriteOrder::default();
        let first = order.enter(lead("62ab16e"));
        assert!(first.is_latest());
        let second = order.enter(lead("62ab16e"));
        assert!(!first.is_latest() && second.is_latest());
    }

    #[test]
    fn writes_to_other_targets_do_not_replace_each_other() {
        let order = WriteOrder::default();
        let first = order.enter(lead("62ab16e"));
        let other = order.enter(lead("51ab23c"));
        let pushed = order.enter(Target::Push("62ab16e".to_owned()));
        assert!(first.is_latest() && other.is_latest() && pushed.is_latest());
    }

    #[test]
    fn w16_a_push_is_replaced_by_an_update_of_the_same_lead() {
        let order = WriteOrder::default();
        let push = order.enter(Target::Push("919999999999".to_owned()));
        let update = order.enter(lead("62ab16e"));
        order.learn("919999999999".to_owned(), "62ab16e".to_owned());
        assert!(!push.is_latest() && update.is_latest());
        let newer = order.enter(Target::Push("919999999999".to_owned()));
        assert!(newer.is_latest() && !update.is_latest() && !push.is_latest());
    }

    #[test]
    fn w16_the_memory_of_leads_is_bounded() {
        let order = WriteOrder::default();
        for number in 0..=MAX_KNOWN_LEADS {
            order.learn(number.to_string(), number.to_string());
        }
        assert!(order.0.lock().expect("not poisoned").ids.len() <= MAX_KNOWN_LEADS);
    }

    #[test]
    fn a_write_that_is_withdrawn_replaces_nothing() {
        let order = WriteOrder::default();
        let first = order.enter(lead("62ab16e"));
        let second = order.enter(lead("62ab16e"));
        let third = order.enter(lead("62ab16e"));
        third.withdraw();
        assert!(second.is_latest() && !first.is_latest());
    }

    #[test]
    fn a_write_that_was_replaced_can_be_withdrawn() {
        let order = WriteOrder::default();
        let first = order.enter(lead("62ab16e"));
        let second = order.enter(lead("62ab16e"));
        first.withdraw();
        assert!(second.is_latest());
    }

    #[test]
    fn targets_of_finished_writes_are_forgotten() {
        let order = WriteOrder::default();
        let in_flight = order.enter(lead("51ab23c"));
        drop((order.enter(lead("62ab16e")), order.enter(lead("62ab16e"))));
        let newest = order.enter(lead("73cd45f"));
        let remembered = order.0.lock().expect("not poisoned").in_flight.len();
        assert_eq!(remembered, 2);
        drop((in_flight, newest));
    }
}
