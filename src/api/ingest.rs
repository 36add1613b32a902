//! Pushing leads over the Async API.

use super::lookup::Found;
use super::schema;
use crate::api::leads::Leads;
use crate::handle::Handle;
use crate::raw::generated::ingest::{parameters, types};
use crate::transport::Call;
use crate::transport::write_order::Target;
use crate::{Error, Idempotency, Operation};
use telecrm_core::response::PushAnswer;
use telecrm_core::{ActionRecord, Lead};

/// Pushes leads over the Async API, and reads them back. From
/// [`Telecrm::ingest`](crate::Telecrm::ingest).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client_builder().verify_timeout(std::time::Duration::ZERO).build()?;
/// use telecrm::{CustomAction, Lead, FieldPath, Receipt, Verification};
///
/// let lead = Lead::new()
///     .set("phone", "919999999999")
///     .set("rating", 9) // telecrm ignores ratings other than 1 to 5 without an error (AS3)
///     .action(CustomAction::new(1001)?.field("note", "called"));
///
/// let ingest = telecrm.ingest();
/// let baseline = ingest.baseline(&lead).await?;
/// let receipt = match ingest.push(&lead).await {
///     Ok(receipt) => receipt,
///     // The response was lost, so look whether the lead arrived.
///     Err(error) if error.is_outcome_unknown() => Receipt::unconfirmed(lead),
///     Err(error) => return Err(error.into()),
/// };
/// # emulator.wait_idle().await;
/// assert_eq!(receipt.sent().actions().len(), 1);
/// match ingest.verify(&receipt.since(baseline)).await? {
///     Verification::Differs { losses, .. } => {
///         assert_eq!(losses[0].path, FieldPath::Field("rating".into()));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Ingest(pub(crate) Handle);

/// A lead that telecrm has accepted into its queue, but may not store (AS5). [`Ingest::verify`]
/// reads it back.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a queued lead is not stored yet: verify it"]
pub struct Receipt {
    sent: Lead,
    lead_ids: Vec<String>,
    pub(crate) before: Baseline,
}

impl Receipt {
    /// Creates a receipt for a lead whose push ended with an [unknown
    /// outcome](Error::is_outcome_unknown).
    ///
    /// If [`Ingest::verify`] finds the lead stored, it arrived. Any other result leaves the outcome
    /// unknown.
    pub fn unconfirmed(sent: Lead) -> Self {
        Self { sent, lead_ids: Vec::new(), before: Baseline::default() }
    }

    /// Adds what a later push of the same lead has changed.
    pub(super) fn add(&mut self, later: &Self) {
        self.sent.fields_mut().extend(later.sent.fields().clone());
        self.sent.actions_mut().extend_from_slice(later.sent.actions());
        self.sent.extra_mut().extend(later.sent.extra().clone());
    }

    /// The lead as sent.
    pub fn sent(&self) -> &Lead {
        &self.sent
    }

    /// The IDs of the leads that telecrm says it wrote. Usually empty, because telecrm only queues
    /// the lead. An older host was reported to name them.
    pub fn lead_ids(&self) -> &[String] {
        &self.lead_ids
    }

    /// Sets the actions that the lead had before, so that [`Ingest::verify`] does not count an
    /// equal older action as the new one.
    pub fn since(mut self, baseline: Baseline) -> Self {
        self.before = baseline;
        self
    }
}

/// The actions that a lead had before a push. From [`Ingest::baseline`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client();
/// use telecrm::{Baseline, CustomAction, Lead, Verification};
///
/// // The lead gets two equal visits. Verifying the second must not find the first.
/// let visit = Lead::new().set("phone", "919999999999").action(CustomAction::new(1001)?);
/// for push in 1..=2 {
///     let baseline: Baseline = telecrm.ingest().baseline(&visit).await?;
///     let receipt = telecrm.ingest().push(&visit).await?.since(baseline);
///     let verification = telecrm.ingest().verify(&receipt).await?;
///     assert!(matches!(verification, Verification::Stored(_)), "{push}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// `None` if the actions could not be read completely, so that new ones cannot be identified.
    pub(crate) actions: Option<Vec<ActionRecord>>,
}

/// The baseline of a lead without actions.
impl Default for Baseline {
    fn default() -> Self {
        Self { actions: Some(Vec::new()) }
    }
}

impl Ingest {
    /// Queues a lead for creation or update. The lead is sent as it is:
    /// [check](telecrm_core::Workspace::check) it first.
    ///
    /// Any lead is retried if it was not sent or was refused with 429. After an unknown outcome, a
    /// lead is retried only if it has no actions, the [workspace](crate::Telecrm::workspace) was
    /// discovered, and this client has not written the same lead since. An update by ID counts only
    /// if this client has seen the lead with both its identifier and its ID.
    ///
    /// # Errors
    /// - [`is_not_authorized`](Error::is_not_authorized), also for a token of type Sync (AS8).
    /// - [`is_rate_limited`](Error::is_rate_limited) if other programs use the same token (AS9).
    /// - [`is_outcome_unknown`](Error::is_outcome_unknown) if the response was lost, or does not say
    ///   that the lead is queued.
    /// - An error with status 200 if the response refuses the lead (`"status":"error"`).
    pub async fn push(&self, lead: &Lead) -> Result<Receipt, Error> {
        let handle = &self.0;
        let target = handle.workspace.last_known().and_then(|workspace| {
            let identifier = lead.get(workspace.identifier().api_name())?;
            workspace.identifier_key(identifier).map(Target::Push)
        });
        let ticket = target.map(|target| handle.write_order.enter(target));
        // Fields can be written twice, but only while no later push of the same lead is
        // overwritten.
        let class = if lead.actions().is_empty() && ticket.is_some() {
            Idempotency::Idempotent
        } else {
            Idempotency::NotIdempotent
        };
        let body = types::CreateOrUpdateLeadBody {
            fields: lead.fields().clone(),
            actions: (!lead.actions().is_empty()).then(|| lead.actions().to_vec()),
            extra: lead.extra().clone(),
        };
        let call = Call::new(Some(Operation::CreateOrUpdateLead), class, handle.options);
        let response = handle
            .async_api()?
            .send(call.with_ticket(ticket), |api, enterprise_id| {
                api.create_or_update_lead_request(parameters::CreateOrUpdateLead {
                    enterprise_id,
                    body: &body,
                })
            })
            .await?;
        let mut receipt = Receipt::unconfirmed(lead.clone());
        match PushAnswer::read(response.status.as_u16(), &response.body) {
            PushAnswer::Queued => Ok(receipt),
            PushAnswer::Written(lead_ids) => {
                receipt.lead_ids = lead_ids;
                Ok(receipt)
            }
            PushAnswer::Refused(reason) => Err(handle.async_api()?.refusal(&response, &reason)),
            _ => {
                let reason = "a success status without the confirmation that the lead is queued";
                Err(response.malformed(reason))
            }
        }
    }

    /// Reads which actions the lead has, before a push. A new lead has none, and for a lead that is
    /// pushed without actions nothing is read.
    ///
    /// If the actions cannot all be read, verifying returns
    /// [`Unknown`](crate::Verification::Unknown): a lead with more than 1,000 actions, without an
    /// ID, or whose actions change during every read.
    ///
    /// # Errors
    /// Returns an error if a request fails or a response cannot be read.
    pub async fn baseline(&self, lead: &Lead) -> Result<Baseline, Error> {
        if lead.actions().is_empty() {
            return Ok(Baseline::default());
        }
        let leads = Leads(self.0.in_one_call());
        let workspace = schema::workspace(&leads.0).await?;
        Ok(match leads.look_up(&workspace, lead).await? {
            Found::Lead { lead, .. } => Baseline { actions: leads.all_actions(&lead).await? },
            Found::Nothing => Baseline::default(),
            Found::Several(_) | Found::Hidden => Baseline { actions: None },
        })
    }
}
