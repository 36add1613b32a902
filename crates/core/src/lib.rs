//! Plain data and pure rules of the telecrm API: what leads and actions are, what a workspace defines,
//! and what telecrm takes of what is sent. No I/O, no clock.
//!
//! The crate `telecrm` re-exports all of this; the emulator acts by the same rules.

mod action;
mod action_code;
mod check;
mod compare;
mod debug;
mod finding;
mod json;
mod lead;
mod object;
mod open_enum;
mod outcome;
mod path;
mod response;
mod rules;
mod text;
mod value;
mod workspace;

pub use action::{Action, ActionKind, Currency, CustomAction, Payment, PaymentStatus};
pub use action_code::{ActionCode, ActionCodeError};
pub use check::{Checked, LeadDropped};
pub use compare::{Comparison, new_actions};
pub use rules::{Acceptance, AcceptedAction, CodeForm, FieldOutcome};

pub use finding::{Certainty, Finding, FindingKind};
pub use json::read_json;
pub use lead::{Lead, LeadError};
pub use outcome::{ActionResult, ActionStatus, Created, Incomplete, Outcome, Remark, RemarkStatus};
pub use path::FieldPath;
pub use response::{
    ActionRecord, Availability, CustomActionRecord, CustomFieldRecord, LeadRecord, License,
    Metadata, Page, TeamMember, TeamMemberRole, TeamMemberStatus,
};
pub use rules::phone::Country;
pub use value::{Amount, AmountError, Decimal, DecimalError, FieldValue};
pub use workspace::{
    ActionDefinition, DateFormat, FieldDefinition, FieldType, Identifier, LostReason, MatchedBy,
    Pipeline, PipelineStatus, Workspace, WorkspaceError, WorkspaceFile,
};
