//! What the store keeps: items, and the lanes that they wait in.

use crate::clock::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, SystemTime};
use telecrm::{Finding, Lead};

/// The state of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[repr(u8)]
pub enum State {
    /// Waits to be sent.
    Queued,
    /// Is being sent, or was when the process ended.
    InFlight,
    /// telecrm accepted it into its queue. It has not been read back yet.
    Accepted,
    /// Read back without a loss.
    Verified,
    /// Read back, and some of it is missing or has another value.
    Differs,
    /// Accepted, but no lead was found.
    Missing,
    /// Will not be sent. [`Item::reason`] says why.
    Dead,
    /// Repeats the item [`Item::merged_into`], or was queued again as that item.
    Merged,
    /// Cancelled by the caller. If [`Item::maybe_sent`] is set, telecrm may have it all the same.
    Cancelled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::InFlight,
        Self::Accepted,
        Self::Verified,
        Self::Differs,
        Self::Missing,
        Self::Dead,
        Self::Merged,
        Self::Cancelled,
    ];

    /// The name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in flight",
            Self::Accepted => "accepted",
            Self::Verified => "verified",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Dead => "dead",
            Self::Merged => "merged",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the item is still to be sent.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::InFlight)
    }

    /// The number by which the store knows the state.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

/// A lead in the outbox.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Item {
    /// The number of the item. Later items of the outbox have higher numbers.
    pub seq: u64,
    /// The key by which telecrm finds the lead.
    pub lead_key: String,
    /// The caller's key for this item.
    pub key: Option<String>,
    /// The lead as it is sent. None once it is pruned.
    pub lead: Option<Lead>,
    /// The state.
    pub state: State,
    pub(crate) digest: u128,
    pub(crate) settled: Option<Millis>,
    pub(crate) detail: Detail,
}

/// What no query searches for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    pub(crate) merged_into: Option<u64>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) sends: u32,
    pub(crate) extra_sends: u32,
    pub(crate) fails: u32,
    pub(crate) crashes: u32,
    pub(crate) maybe: bool,
    pub(crate) repaired: bool,
    pub(crate) cancel: bool,
    pub(crate) reason: Option<String>,
    pub(crate) answer: Option<String>,
    /// The item that this one repeats after its death.
    pub(crate) origin: Option<u64>,
    /// The time during which the workspace could send, when the item was queued.
    pub(crate) born: Millis,
    /// When the item was added.
    pub(crate) added: Millis,
}

impl Item {
    /// The item that a dead or repeated one follows.
    pub fn merged_into(&self) -> Option<u64> {
        self.detail.merged_into
    }

    /// What the check found, and what reading back found.
    pub fn findings(&self) -> &[Finding] {
        &self.detail.findings
    }

    /// How often the item was sent, as far as the outbox knows.
    pub fn sends(&self) -> u32 {
        self.detail.sends + self.detail.extra_sends
    }

    /// How many sends were answered after another process had taken the item over.
    pub fn extra_sends(&self) -> u32 {
        self.detail.extra_sends
    }

    /// How many attempts failed because of this lead alone.
    pub fn attempts(&self) -> u32 {
        self.detail.fails
    }

    /// Whether a send ended without an answer, so that telecrm may have the item already.
    pub fn maybe_sent(&self) -> bool {
        self.detail.maybe
    }

    /// Why the item is dead.
    pub fn reason(&self) -> Option<&str> {
        self.detail.reason.as_deref()
    }

    /// The latest answer of the server, without values of the lead.
    pub fn answer(&self) -> Option<&str> {
        self.detail.answer.as_deref()
    }

    /// When the item was added.
    pub fn added_at(&self) -> SystemTime {
        date(self.detail.added)
    }

    /// When the item got its state. None while it is still to be sent.
    pub fn settled_at(&self) -> Option<SystemTime> {
        self.settled.map(date)
    }

    pub(crate) fn has_actions(&self) -> bool {
        self.lead.as_ref().is_some_and(|lead| !lead.actions().is_empty())
    }

    pub(crate) fn set(&mut self, state: State, now: Millis) {
        self.state = state;
        self.settled = (!state.is_open()).then_some(now);
    }

    pub(crate) fn die(&mut self, reason: impl Into<String>, now: Millis) {
        self.set(State::Dead, now);
        self.detail.reason = Some(reason.into());
    }
}

fn date(time: Millis) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(time).unwrap_or_default())
}

/// Shows no values of the lead.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Item");
        debug.field("seq", &self.seq).field("state", &self.state).field("sends", &self.sends());
        debug.field("maybe_sent", &self.maybe_sent()).finish_non_exhaustive()
    }
}

/// Which items to list. The default lists all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub(crate) states: Vec<State>,
    pub(crate) lead_key: Option<String>,
}

impl Filter {
    /// All items.
    pub fn new() -> Self {
        Self::default()
    }

    /// Items in this state. Call it again for further states.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.states.push(state);
        self
    }

    /// Items of one lead.
    #[must_use]
    pub fn lead_key(mut self, lead_key: impl Into<String>) -> Self {
        self.lead_key = Some(lead_key.into());
        self
    }

    pub(crate) fn matches(&self, item: &Item) -> bool {
        (self.states.is_empty() || self.states.contains(&item.state))
            && self.lead_key.as_ref().is_none_or(|key| *key == item.lead_key)
    }
}

/// What a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Sends the items of a lead, in order.
    Send,
    /// Reads a lead back.
    Verify,
}

/// The unfinished work on one lead: its lock, its timer and its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) kind: Kind,
    pub(crate) lead_key: String,
    /// Lanes with a lower rank come first.
    pub(crate) rank: u8,
    pub(crate) due: Millis,
    /// The number of the latest lease. A lease with another number is lost.
    pub(crate) fence: u64,
    pub(crate) leased: bool,
    /// How often the lane was due without a result.
    pub(crate) tries: u32,
}

impl Lane {
    /// Ranks go from 0 to this.
    pub(crate) const LAST_RANK: u8 = 2;

    pub(crate) fn new(kind: Kind, lead_key: &str, due: Millis) -> Self {
        let lead_key = lead_key.to_owned();
        Self { kind, lead_key, rank: 0, due, fence: 0, leased: false, tries: 0 }
    }
}
