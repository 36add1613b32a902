//! Responses of telecrm. They keep every key and every digit, including what is not known here.
//!
//! A record reads every JSON object. A key of an unexpected type has no value in its accessor, and
//! is still there under its name, so a change of the server does not make a response unreadable.

mod action;
mod lead;
mod page;
mod push;
mod record;
mod schema;
mod team;

pub use self::action::ActionRecord;
pub use self::lead::LeadRecord;
pub use self::page::Page;
pub use self::push::PushAnswer;
pub use self::schema::{CustomActionRecord, CustomFieldRecord, Metadata};
pub use self::team::{Availability, License, TeamMember, TeamMemberRole, TeamMemberStatus};
pub use crate::outcome::{ActionResult, ActionStatus, RemarkStatus};

#[cfg(test)]
mod tests;
