//! Leads that the Async API has accepted and not processed yet.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use telecrm_core::{Finding, Lead};

/// A lead in the queue. The state file keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct QueuedLead {
    pub(crate) lead: Lead,
    pub(crate) processing: Processing,
    /// How long the lead waits after it arrived, or after the emulator started with it.
    pub(crate) delay: Duration,
    /// The number of the call in the log, if this process received it.
    #[serde(skip)]
    pub(crate) seq: Option<u64>,
    /// What was lost because a key occurred twice in the body.
    #[serde(skip)]
    pub(crate) repeated: Vec<Finding>,
}

/// How the background worker processes a lead. All but `Once` come from faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Processing {
    #[default]
    Once,
    Later(Duration),
    Never,
    Twice,
    AfterNext,
}
