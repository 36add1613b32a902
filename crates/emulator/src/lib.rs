#![doc = include_str!("../README.md")]

mod api;
mod app;
mod background;
mod builder;
mod clock;
mod config;
mod control;
mod emulator;
mod env;
mod faults;
mod files;
mod http;
mod log;
mod operations;
mod problem;
mod profile;
mod readiness;
mod recording;
mod redact;
mod repairs;
mod replay;
mod router;
mod setters;
mod shared;
mod store;
mod sync;
#[cfg(feature = "web")]
mod web;

pub use builder::{Builder, SettingsError};
pub use clock::ClockError;
pub use config::{
    DEFAULT_ASYNC_TOKEN, DEFAULT_ENTERPRISE, DEFAULT_MAX_CONNECTIONS, DEFAULT_PROCESSING_DELAY,
    DEFAULT_READ_TIMEOUT, DEFAULT_SYNC_TOKEN,
};
pub use emulator::Emulator;
pub use faults::rate_limit::RateLimit;
pub use faults::{Fault, FaultError, FaultyAnswer};
pub use log::exchange::ReceivedRequest;
pub use log::{LogEntry, Refusal};
pub use profile::{
    ActionCodes, AssigneeAndStatuses, AsyncAnswer, BadValues, ComputedFields, IdentifierField,
    Invited, Keys, LeadAttributes, Performers, PhoneBlanks, PipelineShape, PrefixedTypes, Profile,
    SearchIds, StatusCase, SwitchError, SystemNotes, UnknownEnterprise, UnknownLabels,
    UnknownMember, UnknownStatus,
};
pub use readiness::wait_until_ready;
pub use recording::{Recording, RecordingError};
pub use replay::Difference;
pub use store::error::StateError;
pub use telecrm_core::workspace::WorkspaceError;
pub use telecrm_core::{Finding, WorkspaceFile};
