//! Write order: keeps an old write from being retried over a newer one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a write changes. A later write of the same target replaces an earlier one.
#[derive(Debug, PartialEq, Eq)]
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

/// The writes in flight, each with the number of the latest write to its target.
#[derive(Debug, Default)]
pub(crate) struct WriteOrder(Mutex<Vec<(Target, Arc<AtomicU64>)>>);

/// The number of a write among the writes to the same target.
#[derive(Debug)]
pub(crate) struct WriteTicket {
    latest: Arc<AtomicU64>,
    number: u64,
}

impl WriteTicket {
    /// Whether no later write to the same target began.
    pub(crate) fn is_latest(&self) -> bool {
        self.latest.load(Ordering::SeqCst) == self.number
    }

    /// Gives the number back, for a write that was never sent.
    pub(crate) fn withdraw(&self) {
        let before = self.number - 1;
        // If a later write began, the earlier ones stay replaced.
        let _ =
            self.latest.compare_exchange(self.number, before, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl WriteOrder {
    /// Numbers a write that begins now.
    pub(crate) fn enter(&self, target: Target) -> WriteTicket {
        let mut writes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Forget the targets of finished writes.
        writes.retain(|(_, latest)| Arc::strong_count(latest) > 1);
        let latest = match writes.iter().find(|(other, _)| *other == target) {
            Some((_, latest)) => latest.clone(),
            None => {
                let latest = Arc::new(AtomicU64::new(0));
                writes.push((target, latest.clone()));
                latest
            }
        };
        let number = latest.fetch_add(1, Ordering::SeqCst) + 1;
        WriteTicket { latest, number }
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
        let remembered = order.0.lock().expect("not poisoned").len();
        assert_eq!(remembered, 2);
        drop((in_flight, newest));
    }
}
