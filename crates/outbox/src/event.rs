//! What the outbox tells its observers.

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
    Held(String),
    /// Sending works again.
    Released,
}
