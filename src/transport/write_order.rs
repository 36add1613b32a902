//! Which writes came later than others, so that an old one is not repeated over a new one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is written over by a later write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A lead, by the normal form of its identifier.
    Push(String),
    /// A lead, by its ID.
    Lead(String),
    /// An entry of a lead's timeline, by both IDs.
    Action(String, String),
    /// A team member, by address.
    Member(String),
}

/// The writes under way.
#[derive(Debug, Default)]
pub(crate) struct WriteOrder(Mutex<Vec<(Target, Arc<AtomicU64>)>>);

/// A write's place among those of the same target.
#[derive(Debug)]
pub(crate) struct WriteTicket {
    latest: Arc<AtomicU64>,
    mine: u64,
}

impl WriteTicket {
    /// Whether no write of the same target came later.
    pub(crate) fn is_latest(&self) -> bool {
        self.latest.load(Ordering::SeqCst) == self.mine
    }

    /// Gives the place back, as that of a write that never left.
    pub(crate) fn withdraw(&self) {
        let (mine, before) = (self.mine, self.mine - 1);
        // Where a later write came, that one stands before the earlier ones by itself.
        let _ = self
            .latest
            .compare_exchange(mine, before, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl WriteOrder {
    /// Counts a write.
    pub(crate) fn enter(&self, target: Target) -> WriteTicket {
        let mut write_order = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only writes under way are worth remembering.
        write_order.retain(|(_, latest)| Arc::strong_count(latest) > 1);
        let known = write_order.iter().find(|(other, _)| *other == target);
        let latest = match known {
            Some((_, latest)) => latest.clone(),
            None => {
                let latest = Arc::new(AtomicU64::new(0));
                write_order.push((target, latest.clone()));
                latest
            }
        };
        let mine = latest.fetch_add(1, Ordering::SeqCst) + 1;
        WriteTicket { latest, mine }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_write_of_the_same_target_ends_the_repeats_of_an_earlier_one() {
        let write_order = WriteOrder::default();
        let lead = |id: &str| Target::Lead(id.to_owned());
        let first = write_order.enter(lead("62ab16e"));
        let other = write_order.enter(lead("51ab23c"));
        let pushed = write_order.enter(Target::Push("62ab16e".to_owned()));
        assert!(first.is_latest());
        let second = write_order.enter(lead("62ab16e"));
        assert!(!first.is_latest() && second.is_latest());
        assert!(other.is_latest() && pushed.is_latest());
        let third = write_order.enter(lead("62ab16e"));
        third.withdraw();
        assert!(second.is_latest() && !first.is_latest());
        first.withdraw();
        assert!(second.is_latest());
        drop(third);
        drop((first, second, pushed));
        write_order.enter(lead("73cd45f"));
        let remembered = write_order.0.lock().expect("not poisoned").len();
        assert_eq!(remembered, 2, "what is over is forgotten");
    }
}
