//! What the outbox reports to its observers.

use crate::held::Held;

/// Something that happened in this process. From [`Outbox::events`](crate::Outbox::events).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Items were queued.
    Queued(usize),
    /// telecrm accepted an item.
    Accepted(u64),
    /// A send failed, and will be repeated.
    Retry(u64),
    /// An item will not be sent, for this reason.
    Dead(u64, String),
    /// An answer came after the item had been taken over by another process.
    ExtraSend(u64),
    /// An item was read back. The state is verified, differs or missing.
    ReadBack(u64, crate::State),
    /// The server refuses the token of a slot. It is tried again every ten minutes.
    TokenRefused(String),
    /// Nothing can be sent at present, for this reason.
    Held(Held),
    /// Sending works again.
    Released,
}

/// How often something happened in this process since the outbox was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Items that were queued.
    pub queued: u64,
    /// Items that telecrm accepted.
    pub accepted: u64,
    /// Sends that failed and will be repeated.
    pub retries: u64,
    /// Items that died.
    pub dead: u64,
    /// Answers that came after another process had taken the item over.
    pub extra_sends: u64,
    /// Items that were read back and are verified.
    pub verified: u64,
    /// Items that were read back and differ or are missing.
    pub lossy: u64,
    /// How often a token was refused.
    pub refused_tokens: u64,
    /// How often sending had to stop for a fault that is not a lead's.
    pub holds: u64,
}

impl Counters {
    pub(crate) fn count(&mut self, event: &Event) {
        let (counter, by) = match event {
            Event::Queued(items) => (&mut self.queued, *items as u64),
            Event::Accepted(_) => (&mut self.accepted, 1),
            Event::Retry(_) => (&mut self.retries, 1),
            Event::Dead(..) => (&mut self.dead, 1),
            Event::ExtraSend(_) => (&mut self.extra_sends, 1),
            Event::ReadBack(_, crate::State::Verified) => (&mut self.verified, 1),
            Event::ReadBack(..) => (&mut self.lossy, 1),
            Event::TokenRefused(_) => (&mut self.refused_tokens, 1),
            Event::Held(_) => (&mut self.holds, 1),
            Event::Released => return,
        };
        *counter += by;
    }
}
