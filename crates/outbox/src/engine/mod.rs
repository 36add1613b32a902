//! The rules of the outbox: functions over the tables of a store, without clock and network.

mod backoff;
mod classify;
mod fold;
mod lane;
mod limiter;
mod numbers;
mod queue;
mod repair;
mod verify_plan;

pub(crate) use backoff::{connection_backoff, rate_limit_backoff};
pub use classify::{Blocked, Verdict, classify};
pub(crate) use lane::{
    Back, Lease, Outcome, Policy, Settled, claim, extra_send, settle, void_leases,
};
pub(crate) use limiter::{disable, enable, penalize, restart_slots, take};
pub(crate) use numbers::sendable;
pub use queue::Requeued;
pub(crate) use queue::{
    Admission, NewItem, cancel, discard, edit, enqueue, import, prune, requeue,
};
pub use repair::CheckReport;
pub(crate) use repair::repair;
pub(crate) use verify_plan::{Look, settle_look};
