#![doc = include_str!("../README.md")]

mod clock;
mod engine;
mod error;
mod event;
mod export;
mod held;
mod item;
#[cfg(feature = "sqlite")]
mod lock;
mod options;
mod outbox;
mod sender;
mod store;
mod worker;

pub use engine::{Blocked, CheckReport, Requeued, Verdict, classify};
pub use error::{Error, ErrorKind};
pub use event::{Counters, Event};
pub use export::Exported;
pub use held::Held;
pub use item::{Filter, Item, State};
pub use options::{Options, WhenLossy, WhenMaybeSent};
pub use outbox::{Events, NewLead, Outbox, Receipt, Stats};
pub use sender::{Answer, Arrival, ReadBack, Sender, TelecrmSender};
pub use worker::{Drained, Stopper, Worker};
