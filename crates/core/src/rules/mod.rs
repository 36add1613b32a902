//! The rules by which telecrm stores, changes and drops values.
//!
//! [`Workspace::check`](crate::Workspace::check) predicts with these rules, and the emulator stores
//! by them. Each rule names its pitfall and how certain it is. `docs/api-notes.md` explains the
//! assumptions where the documentation is silent.

mod action;
mod date;
mod doubt;
mod field_outcome;
mod lead;
mod payment;
pub(crate) mod phone;
mod plausibility;
pub(crate) mod value;

pub(crate) use self::date::{parse_iso, tidy_date};
pub(crate) use self::field_outcome::Note;

pub use self::action::{AcceptedAction, CodeForm};
pub use self::field_outcome::FieldOutcome;
pub use self::lead::Acceptance;
