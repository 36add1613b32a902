//! Plain data and pure rules of the telecrm API: leads, actions, responses, the schema of a
//! workspace, and what telecrm stores of a lead. No I/O and no clock.
//!
//! You most likely want the crate `telecrm`, which re-exports this one and adds the client. The
//! emulator stores leads by the same rules by which [`Workspace::check`] predicts what telecrm
//! stores.
//!
//! ```
//! use telecrm_core::{Lead, Workspace};
//!
//! let lead = Lead::new().set("phone", "+91 99999 99999").set("rating", 9);
//! let checked = Workspace::sample().check(&lead);
//! let report: Vec<_> = checked.report().iter().map(ToString::to_string).collect();
//! assert_eq!(report, [
//!     "fields.phone reformatted as 919999999999 (AS3)",
//!     "fields.rating not stored: a rating is a whole number from 1 to 5 (AS3)",
//! ]);
//! ```
//!
//! | module | contents |
//! |---|---|
//! | the root | leads, actions, values, findings, outcomes, records of leads and actions |
//! | [`workspace`] | the definitions in a workspace: fields, actions, pipeline, lead identifier |
//! | [`rules`] | what telecrm stores of a single value, action or lead |
//! | [`response`] | responses that are not leads or actions: pages, team members, metadata |
//! | [`compare`] | the differences between a lead that was sent and the stored one |
//! | [`json`] | reading JSON without losing duplicate keys silently |
//! | [`text`] | which characters are blank or invisible |

#![cfg_attr(doctest, doc = include_str!("../README.md"))]

#[cfg(test)]
#[macro_use]
mod tests;
#[macro_use]
mod text_serde;

mod action;
mod action_code;
mod check;
pub mod compare;
mod country;
mod debug;
mod denial;
mod finding;
mod hint;
pub mod json;
mod lead;
mod open_enum;
mod outcome;
mod path;
mod repair;
pub mod response;
pub mod rules;
mod suggest;
pub mod text;
mod value;
pub mod workspace;

pub use action::{Action, ActionKind, Currency, CustomAction, Payment, PaymentStatus};
pub use action_code::{ActionCode, ActionCodeError};
pub use check::{CheckError, Checked};
pub use country::{Country, CountryError};
pub use finding::{Certainty, Finding, FindingKind};
#[doc(hidden)]
pub use hint::write_hint;
pub use lead::{Lead, LeadError};
pub use outcome::{Created, Incomplete, Outcome, Remark};
pub use path::FieldPath;
pub use response::{ActionRecord, LeadRecord};
pub use value::{Amount, AmountError, Decimal, DecimalError, FieldValue, SetField};
pub use workspace::{Workspace, WorkspaceFile};
