//! Reading pushed leads back.

use super::ingest::{Ingest, Receipt};
use super::leads::Leads;
use super::lookup::{self, Found};
use super::schema;
use crate::Error;
use crate::handle::Handle;
use crate::transport::Deadline;
use std::time::Duration;
use telecrm_core::compare::{Comparison, new_actions};
use telecrm_core::{
    ActionRecord, Certainty, FieldPath, Finding, FindingKind, Lead, LeadRecord, Workspace,
};

/// What reading a pushed lead back has shown. From [`Ingest::verify`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Verification {
    /// The lead exists, with everything that was sent.
    Stored(LeadRecord),
    /// The lead exists, but some of what was sent is missing.
    Differs {
        /// The lead as read back.
        lead: LeadRecord,
        /// The parts that are missing or have another value.
        losses: Vec<Finding>,
        /// The parts that the responses do not show.
        unreadable: Vec<FieldPath>,
    },
    /// The lead does not exist. The finding says why, as far as it is known.
    Missing(Finding),
    /// Reading back failed, was incomplete, or was stopped.
    Unknown {
        /// Why the result is unknown.
        reason: String,
        /// The lead as far as it could be read.
        lead: Option<LeadRecord>,
    },
}

impl Verification {
    /// Whether the lead exists with everything that was sent.
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Stored(_))
    }

    /// The part of the result that belongs to one of several pushes of the lead, whose actions
    /// begin
    /// at this index.
    pub(super) fn part(self, sent: &Lead, first_action: usize) -> Self {
        let own = |path: &FieldPath| part_of(sent, first_action, path);
        match self {
            Self::Differs { lead, losses, unreadable } => {
                let losses: Vec<_> = losses
                    .into_iter()
                    .filter_map(|mut loss| {
                        loss.path = own(&loss.path)?;
                        Some(loss)
                    })
                    .collect();
                let unreadable: Vec<_> = unreadable.iter().filter_map(own).collect();
                if losses.is_empty() && unreadable.is_empty() {
                    Self::Stored(lead)
                } else {
                    Self::Differs { lead, losses, unreadable }
                }
            }
            other => other,
        }
    }

    /// The lead could not be read back in time.
    pub(super) fn not_read(error: &Error) -> Self {
        let reason = format!("the lead could not be read back: {error}");
        Self::Unknown { lead: None, reason }
    }

    /// The client was shut down while another look could have changed the result.
    pub(super) fn stopped(self) -> Self {
        let lead = match self {
            Self::Differs { lead, .. } => Some(lead),
            _ => None,
        };
        Self::Unknown { lead, reason: "the client is shutting down".to_owned() }
    }
}

/// The path within a push whose actions begin at this index. Returns None if the push did not write
/// this place.
fn part_of(sent: &Lead, first_action: usize, path: &FieldPath) -> Option<FieldPath> {
    let own = |index: &usize| {
        index.checked_sub(first_action).filter(|index| *index < sent.actions().len())
    };
    match path {
        FieldPath::Field(name) => sent.get(name).map(|_| path.clone()),
        FieldPath::Action(index) => own(index).map(FieldPath::Action),
        FieldPath::ActionField(index, name) => {
            Some(FieldPath::ActionField(own(index)?, name.clone()))
        }
        FieldPath::ActionKey(index, key) => Some(FieldPath::ActionKey(own(index)?, key.clone())),
        FieldPath::Key(key) => sent.extra().get(key).map(|_| path.clone()),
        // A place that is not known here could belong to any push.
        other => Some(other.clone()),
    }
}

/// The wait after the first read. Each wait is half as long again, up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
const MAX_WAIT: Duration = Duration::from_secs(2);

impl Ingest {
    /// Pushes a lead, and reads it back as [`verify`](Self::verify) does. A lead whose push ended
    /// with an [unknown outcome](Error::is_outcome_unknown) is read back as well.
    ///
    /// Of a lead with actions, the actions that it already has are read first, which costs up to
    /// two requests more.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::Lead;
    ///
    /// let lead = Lead::new().set("phone", "919999999999").set("rating", 4);
    /// assert!(telecrm.ingest().push_and_verify(&lead).await?.is_stored());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`push`](Self::push), except those with an unknown outcome, and those of
    /// [`baseline`](Self::baseline) and [`verify`](Self::verify).
    pub async fn push_and_verify(&self, lead: &Lead) -> Result<Verification, Error> {
        let before = self.baseline(lead).await?;
        let receipt = match self.push(lead).await {
            Ok(receipt) => receipt,
            Err(error) if error.is_outcome_unknown() => Receipt::unconfirmed(lead.clone()),
            Err(error) => return Err(error),
        };
        self.verify(&receipt.since(before)).await
    }

    /// Reads a pushed lead back and compares every field and action.
    ///
    /// telecrm processes its queue in the background. This method therefore reads the lead
    /// repeatedly, until everything is there or the [verify
    /// timeout](crate::Builder::verify_timeout) is over. A lead that is
    /// [documented](Certainty::Documented) to be dropped is read only once. Without
    /// [`Receipt::since`], an equal older action counts as stored.
    ///
    /// # Errors
    /// Returns an error if reading is refused, for example because of the token. If temporary
    /// errors last until the timeout, or the client is [shut down](crate::Telecrm::shutdown), the
    /// result is [`Unknown`](Verification::Unknown) instead.
    pub async fn verify(&self, receipt: &Receipt) -> Result<Verification, Error> {
        let handle = &self.0;
        let workspace = schema::workspace(handle).await?;
        let deadline = Deadline::after(handle.verify_timeout, handle.clock.now());
        let mut wait = FIRST_WAIT;
        loop {
            // A read may take one attempt longer than the timeout, so that there is at least one.
            let left = deadline.left(handle.clock.now()).unwrap_or_default();
            let verification = match read_back(handle.at_most(left), &workspace, receipt).await {
                Ok(verification) => verification,
                Err(error) if error.is_transient() => Verification::not_read(&error),
                Err(error) => return Err(error),
            };
            if is_final(&verification, &workspace, receipt.sent()) {
                return Ok(verification);
            }
            let Some(left) = deadline.left(handle.clock.now()) else {
                return Ok(verification);
            };
            // What is missing now may still arrive before the timeout.
            if handle.shutdown.has_begun() {
                return Ok(verification.stopped());
            }
            let sleep = handle.clock.sleep(wait.min(left));
            handle.shutdown.interrupt(sleep).await;
            wait = (wait * 3 / 2).min(MAX_WAIT);
        }
    }
}

/// Whether another read cannot change the result.
pub(super) fn is_final(verification: &Verification, workspace: &Workspace, sent: &Lead) -> bool {
    match verification {
        Verification::Stored(_) => true,
        // A lead without an identifier cannot be found. A lead that is documented to be dropped
        // does not arrive, but one that is inferred to be dropped may.
        Verification::Missing(finding) => {
            finding.certainty == Certainty::Documented
                || lookup::identifier(workspace, sent).is_none()
        }
        // Losses that the rules predict do not arrive. Unexpected ones are `Reported` and may.
        Verification::Differs { losses, .. } => {
            losses.iter().all(|loss| loss.certainty != Certainty::Reported)
        }
        Verification::Unknown { lead, .. } => lead.is_some(),
    }
}

/// Reads the lead once.
pub(super) async fn read_back(
    handle: Handle,
    workspace: &Workspace,
    receipt: &Receipt,
) -> Result<Verification, Error> {
    let leads = Leads(handle);
    let lead = leads.look_up(workspace, receipt.sent()).await?;
    assess(&leads, workspace, receipt, lead).await
}

/// Compares what was sent with what a search has found. Reads the actions of the lead if some were
/// sent.
pub(super) async fn assess(
    leads: &Leads,
    workspace: &Workspace,
    receipt: &Receipt,
    found: Found,
) -> Result<Verification, Error> {
    let sent = receipt.sent();
    let unknown = |reason: &str| Verification::Unknown { reason: reason.to_owned(), lead: None };
    let (lead, others) = match found {
        Found::Lead { lead, twins } => (Some(lead), twins),
        Found::Several(leads) => (None, leads),
        Found::Nothing => return Ok(Verification::Missing(missing(workspace, sent))),
        Found::Hidden => return Ok(unknown("the search returned leads without the identifier")),
    };
    let is_certain = lead.is_some();
    let mut verification = None;
    for candidate in lead.into_iter().chain(others) {
        let read = compare(leads, workspace, receipt, candidate).await?;
        let is_stored = |read: &Verification| matches!(read, Verification::Stored(_));
        if verification.as_ref().is_some_and(|first| is_stored(first) != is_stored(&read)) {
            return Ok(unknown("several leads have this identifier, and they disagree"));
        }
        verification.get_or_insert(read);
    }
    Ok(match verification {
        Some(stored @ Verification::Stored(_)) => stored,
        Some(verification) if is_certain => verification,
        _ => unknown("several leads have this identifier"),
    })
}

/// Compares one lead with what was sent.
async fn compare(
    leads: &Leads,
    workspace: &Workspace,
    receipt: &Receipt,
    lead: LeadRecord,
) -> Result<Verification, Error> {
    let sent = receipt.sent();
    let before = receipt.before.actions.as_deref();
    let new = |timeline: Option<Vec<ActionRecord>>| Some(new_actions(before?, &timeline?));
    let mut actions = Some(Vec::new());
    if !sent.actions().is_empty() {
        // The newest entries usually show every action, and cost one request.
        let newest = leads.newest_actions(&lead).await?;
        actions = new(newest.clone());
        let compared = workspace.compare(sent, &lead, actions.as_deref());
        let losses = compared.losses.iter().map(|loss| &loss.path);
        let is_of_lead = |path| matches!(path, &FieldPath::Field(_) | FieldPath::Key(_));
        if !losses.chain(&compared.unreadable).all(is_of_lead) {
            actions = new(leads.older_actions(&lead, newest).await?);
        }
    }
    let Comparison { losses, unreadable, .. } = workspace.compare(sent, &lead, actions.as_deref());
    if !losses.is_empty() {
        return Ok(Verification::Differs { lead, losses, unreadable });
    }
    if unreadable.is_empty() {
        return Ok(Verification::Stored(lead));
    }
    let paths: Vec<_> = unreadable.iter().map(FieldPath::to_string).collect();
    let reason = if lead.id().is_none() {
        "the search returned no lead ID (LE7), so the actions cannot be read"
    } else if actions.is_none() {
        "the lead has too many actions, or they changed during every read"
    } else {
        "the responses do not show it"
    };
    Ok(Verification::Unknown {
        reason: format!("{}: {reason}", paths.join(", ")),
        lead: Some(lead),
    })
}

/// Returns the only loss of a lead that does not exist: the predicted one if the rules predict it.
pub(super) fn missing(workspace: &Workspace, sent: &Lead) -> Finding {
    let mut predicted = workspace.accept(sent).findings.into_iter();
    let predicted = predicted.find(|finding| finding.kind == FindingKind::LeadDropped);
    predicted.unwrap_or_else(|| {
        let mut finding = Finding::new(
            FieldPath::Field(workspace.identifier().api_name().to_owned()),
            FindingKind::LeadDropped,
            Certainty::Reported,
            "the lead was sent, but no lead has this identifier",
        );
        finding.pitfall = Some("AS5".to_owned());
        finding
    })
}
