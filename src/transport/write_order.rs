//! Write order: keeps an old write from being retried over a newer one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a write changes. A later write of the same target replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// Several numbers of one target were targets of their own until the client learned more.
    in_flight: HashMap<Target, Vec<Arc<AtomicU64>>>,
    /// How many targets there may be before those of finished writes are forgotten.
    most_targets: usize,
    /// The number of the latest write to any target.
    latest: u64,
    /// The IDs of leads by the normal form of their identifier.
    ids: HashMap<String, String>,
}

impl Writes {
    /// Forgets the targets of finished writes whenever their number has doubled, so that a write
    /// costs the same however many are in flight.
    fn forget_finished(&mut self) {
        if self.in_flight.len() < self.most_targets {
            return;
        }
        self.in_flight.retain(|_, numbers| {
            numbers.retain(|latest| Arc::strong_count(latest) > 1);
            !numbers.is_empty()
        });
        self.most_targets = 2 * self.in_flight.len();
    }
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
        writes.forget_finished();
        let numbers = writes.in_flight.entry(target).or_insert_with(|| vec![Arc::default()]);
        let latest = numbers[0].clone();
        let before = latest.load(Ordering::SeqCst);
        numbers.iter().for_each(|latest| latest.store(number, Ordering::SeqCst));
        WriteTicket { latest, number, before }
    }

    /// Remembers that the lead with this identifier has this ID. Of its writes in flight over both
    /// APIs, only the latest stays the latest.
    pub(crate) fn learn(&self, identifier_key: String, id: String) {
        let mut writes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pushed = writes.in_flight.remove(&Target::Push(identifier_key.clone()));
        if let Some(pushed) = pushed {
            let numbers = writes.in_flight.entry(Target::Lead(id.clone())).or_default();
            numbers.extend(pushed);
            let newest = numbers.iter().map(|latest| latest.load(Ordering::SeqCst)).max();
            for latest in numbers {
                latest.fetch_max(newest.unwrap_or_default(), Ordering::SeqCst);
            }
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
        let remembered = || order.0.lock().expect("not poisoned").in_flight.len();
        let in_flight: Vec<_> = (0..10).map(|id| order.enter(lead(&id.to_string()))).collect();
        for id in 10..1_000 {
            drop(order.enter(lead(&id.to_string())));
            assert!(remembered() <= 2 * (in_flight.len() + 1), "{id}: {}", remembered());
        }
        assert!(in_flight.iter().all(WriteTicket::is_latest));
    }

    #[test]
    fn writes_in_flight_are_looked_through_as_often_as_their_number_doubles() {
        let order = WriteOrder::default();
        let mut bounds = std::collections::BTreeSet::new();
        let in_flight: Vec<_> = (0..1_000)
            .map(|id| {
                let ticket = order.enter(lead(&id.to_string()));
                bounds.insert(order.0.lock().expect("not poisoned").most_targets);
                ticket
            })
            .collect();
        assert!(bounds.len() <= 12, "{bounds:?}");
        assert!(in_flight.iter().all(WriteTicket::is_latest));
    }
}
