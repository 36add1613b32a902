//! Pushing leads over the Async API, and reading back what became of them.

use crate::api::leads::identifier_of;
use crate::error::{json, unmarked};
use crate::transport::Deadline;
use crate::transport::write_order::Target;
use crate::{Error, Telecrm};
use serde_json::Value;
use std::time::Duration;
use telecrm_core::compare::{Comparison, new_actions};
use telecrm_core::{
    ActionRecord, Certainty, FieldPath, Finding, FindingKind, Lead, LeadRecord, Workspace,
};

/// Pushing leads over the Async API, and reading them back. From [`Telecrm::ingest`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
/// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
/// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
/// #     .sync_url(emulator.sync_url())
/// #     .async_url(emulator.async_url())
/// #     .verify_timeout(std::time::Duration::ZERO)
/// #     .build()?;
/// use telecrm::{CustomAction, Lead, FieldPath, Receipt, Verification};
///
/// let lead = Lead::new()
///     .set("phone", "919999999999")
///     .set("rating", 9) // telecrm takes 1 to 5, and says nothing of it (AS3)
///     .action(CustomAction::new(1001)?.field("note", "called"));
///
/// let ingest = telecrm.ingest();
/// let baseline = ingest.baseline(&lead).await?;
/// let receipt = match ingest.push(&lead).await {
///     Ok(receipt) => receipt,
///     // The answer was lost: look whether the lead arrived.
///     Err(error) if error.is_outcome_unknown() => Receipt::unconfirmed(lead),
///     Err(error) => return Err(error.into()),
/// };
/// # emulator.settle().await;
/// assert_eq!(receipt.sent().actions().len(), 1);
/// match ingest.verify(&receipt.since(baseline)).await? {
///     Verification::Differs { losses, .. } => assert_eq!(losses[0].path, FieldPath::Field("rating".into())),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Ingest(pub(crate) Telecrm);

/// A lead that telecrm took into its queue. Nothing more is known of it (pitfall AS5): [`Ingest::verify`] tells.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a queued lead is not a stored lead: verify it"]
pub struct Receipt {
    sent: Lead,
    before: Baseline,
}

impl Receipt {
    /// For a lead whose push ended with an [unknown outcome](Error::is_outcome_unknown): if
    /// [verifying](Ingest::verify) finds it stored, it arrived; anything else leaves the doubt.
    pub fn unconfirmed(sent: Lead) -> Self {
        Self {
            sent,
            before: Baseline::default(),
        }
    }

    /// The lead as it was sent.
    pub fn sent(&self) -> &Lead {
        &self.sent
    }

    /// Tells which actions the lead had before, so that equal ones are not taken for the new ones.
    pub fn since(mut self, baseline: Baseline) -> Self {
        self.before = baseline;
        self
    }
}

/// The actions a lead had before it was pushed. From [`Ingest::baseline`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
/// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
/// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
/// #     .sync_url(emulator.sync_url())
/// #     .async_url(emulator.async_url())
/// #     .build()?;
/// use telecrm::{Baseline, CustomAction, Lead, Verification};
///
/// // Pushed twice, a visit stands on the timeline twice, and the second is not to be taken for the first.
/// let visit = Lead::new().set("phone", "919999999999").action(CustomAction::new(1001)?);
/// for times in 1..=2 {
///     let baseline: Baseline = telecrm.ingest().baseline(&visit).await?;
///     let receipt = telecrm.ingest().push(&visit).await?.since(baseline);
///     let verdict = telecrm.ingest().verify(&receipt).await?;
///     assert!(matches!(verdict, Verification::Stored(_)), "{times}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Nothing if they could not be read whole: then none can be told to be new.
    actions: Option<Vec<ActionRecord>>,
}

/// That of a lead without actions.
impl Default for Baseline {
    fn default() -> Self {
        Self {
            actions: Some(Vec::new()),
        }
    }
}

/// What reading back tells about a pushed lead.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Verification {
    /// The lead is there, with everything that was sent.
    Stored(LeadRecord),
    /// The lead is there, and something that was sent is not.
    Differs {
        /// The lead as it is.
        lead: LeadRecord,
        /// What did not arrive.
        losses: Vec<Finding>,
        /// What the answers do not show.
        unreadable: Vec<FieldPath>,
    },
    /// There is no such lead.
    Missing(Finding),
    /// Not everything could be seen, or not to the end of the time.
    Unknown {
        /// Why not.
        reason: String,
        /// The lead as it is, as far as it can be seen.
        lead: Option<LeadRecord>,
    },
}

/// The first wait between two looks; each is half as long again, up to two seconds.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Ingest {
    /// Queues a lead for creation or update, as it is: [check](Workspace::check) it first.
    ///
    /// Sent again by itself only where that can do no harm: any lead if it provably never left or was not taken (429); a
    /// lead without actions also after a doubtful outcome, if the [workspace](Telecrm::workspace) is known and this client
    /// has not pushed the same lead again meanwhile.
    ///
    /// # Errors
    /// [`is_not_authorized`](Error::is_not_authorized) also for a token of type Sync (AS8),
    /// [`is_rate_limited`](Error::is_rate_limited) if others use the same token (AS9),
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) if the answer was lost.
    pub async fn push(&self, lead: &Lead) -> Result<Receipt, Error> {
        let shared = self.0.shared();
        let known = shared.workspace.known();
        let lead_pushed = known.and_then(|workspace| {
            let identifier = lead.get(workspace.identifier().api_name())?;
            workspace.identifier_key(identifier).map(Target::Push)
        });
        let turn = lead_pushed.map(|target| shared.write_order.enter(target));
        let answer = self.0.async_api()?.push_lead(lead, turn).await?;
        if !is_acknowledgement(&answer.body) {
            let reason = "a success that does not say that the lead is queued";
            return Err(answer.misshapen(reason));
        }
        Ok(Receipt {
            sent: lead.clone(),
            before: Baseline::default(),
        })
    }

    /// Reads which actions the lead has now, before it is pushed; none if the lead is new or is sent without actions.
    ///
    /// # Errors
    /// As any read. A timeline that cannot be read whole is no error here: beyond 1,000 entries, without the lead's ID, or if it changes
    /// each time that it is read. Verifying then says that it is unknown.
    pub async fn baseline(&self, lead: &Lead) -> Result<Baseline, Error> {
        if lead.actions().is_empty() {
            return Ok(Baseline::default());
        }
        let telecrm = self.0.in_one_call();
        let workspace = telecrm.workspace().await?;
        Ok(match telecrm.leads().find(&workspace, lead).await? {
            Some(found) => Baseline {
                actions: telecrm.leads().timeline(&found).await?,
            },
            None => Baseline::default(),
        })
    }

    /// Reads a pushed lead back and compares it field by field and action by action.
    ///
    /// telecrm works through its queue in the background, so this looks again until everything is there or the
    /// [time](crate::Builder::verify_timeout) is over. It looks but once for a lead that is [documented](Certainty::Documented) to be
    /// dropped. Without [`Receipt::since`], an equal action from before counts as stored.
    ///
    /// # Errors
    /// If reading is refused (token, enterprise). Passing faults are waited out; if they last, the verdict is unknown,
    /// and so it is for what a [stopped](crate::Telecrm::shutdown) client has not found yet.
    pub async fn verify(&self, receipt: &Receipt) -> Result<Verification, Error> {
        let workspace = self.0.workspace().await?;
        let shared = self.0.shared();
        let clock = &shared.clock;
        let deadline = Deadline::of(clock.now(), shared.verify_timeout);
        let mut wait = FIRST_WAIT;
        loop {
            // The last look may take an attempt longer than the time, so that there is one at all.
            let left = deadline.left(clock.now()).unwrap_or_default();
            let looking = Self(self.0.for_at_most(left));
            let verdict = match looking.look(&workspace, receipt).await {
                Ok(verdict) => verdict,
                Err(error) if error.is_transient() => Verification::Unknown {
                    lead: None,
                    reason: format!("it could not be read back: {error}"),
                },
                Err(error) => return Err(error),
            };
            let settled = match &verdict {
                Verification::Stored(_) => true,
                // Without an identifier there is nothing to look for. What is documented to be dropped will not come; what is only
                // inferred to be dropped may.
                Verification::Missing(finding) => {
                    finding.certainty == Certainty::Documented
                        || identifier_of(&workspace, receipt.sent()).is_none()
                }
                // What the rules foresee to be lost will not come; what they do not is told as it is reported of telecrm.
                Verification::Differs { losses, .. } => losses
                    .iter()
                    .all(|loss| loss.certainty != Certainty::Reported),
                Verification::Unknown { lead: Some(_), .. } => true,
                Verification::Unknown { lead: None, .. } => false,
            };
            let left = deadline.left(clock.now());
            let Some(left) = left.filter(|_| !settled) else {
                return Ok(verdict);
            };
            // What is not there yet may still come: only the whole time makes it lost.
            if shared.stop.is_set() {
                return Ok(Verification::Unknown {
                    lead: match verdict {
                        Verification::Differs { lead, .. } => Some(lead),
                        _ => None,
                    },
                    reason: "the client was stopped before the time for verifying was over"
                        .to_owned(),
                });
            }
            shared.stop.or(clock.sleep(wait.min(left))).await;
            wait = (wait * 3 / 2).min(LONGEST_WAIT);
        }
    }

    async fn look(&self, workspace: &Workspace, receipt: &Receipt) -> Result<Verification, Error> {
        let sent = receipt.sent();
        let Some(lead) = self.0.leads().find(workspace, sent).await? else {
            return Ok(Verification::Missing(missing(workspace, sent)));
        };
        let timeline = match sent.actions().is_empty() {
            true => Some(Vec::new()),
            false => self.0.leads().timeline(&lead).await?,
        };
        let before = receipt.before.actions.as_deref();
        let new = before
            .zip(timeline.as_deref())
            .map(|(before, now)| new_actions(before, now));
        let Comparison {
            losses, unreadable, ..
        } = workspace.compare(sent, &lead, new.as_deref());
        Ok(if !losses.is_empty() {
            Verification::Differs {
                lead,
                losses,
                unreadable,
            }
        } else if unreadable.is_empty() {
            Verification::Stored(lead)
        } else {
            let places: Vec<_> = unreadable.iter().map(FieldPath::to_string).collect();
            let why = match lead.id() {
                None => "the search answers no lead IDs (LE7), so the timeline cannot be read",
                Some(_) if new.is_none() => {
                    "the timeline is too long, or changed each time that it was read"
                }
                Some(_) => "the answers do not show it",
            };
            Verification::Unknown {
                reason: format!("{}: {why}", places.join(", ")),
                lead: Some(lead),
            }
        })
    }
}

/// What a success says differs (`{"status":"QUEUED"}`, `OK`, nothing), and means the same. Whatever else stands under 200, a web page
/// (TR1), a notice, half an answer, comes from something else than the queue, or tells that it failed.
fn is_acknowledgement(body: &[u8]) -> bool {
    let says = |text: &str, words: &[&str]| {
        let text = text.trim();
        words.iter().any(|word| text.eq_ignore_ascii_case(word))
    };
    match json(body) {
        Some(Value::Object(answer)) => match answer.get("status") {
            Some(status) => says(status.as_str().unwrap_or_default(), &["QUEUED"]),
            None => answer.is_empty(),
        },
        Some(Value::String(text)) => says(&text, &["QUEUED", "OK"]),
        Some(_) => false,
        None => {
            let text = std::str::from_utf8(unmarked(body));
            text.is_ok_and(|text| says(text, &["QUEUED", "OK", ""]))
        }
    }
}

/// The one loss of a lead that is not there: explained if it was to be expected.
fn missing(workspace: &Workspace, sent: &Lead) -> Finding {
    let mut expected = workspace.accept(sent).findings.into_iter();
    expected
        .find(|finding| finding.kind == FindingKind::LeadDropped)
        .unwrap_or_else(|| {
            let mut finding = Finding::new(
                FieldPath::Field(workspace.identifier().api_name().to_owned()),
                FindingKind::LeadDropped,
                Certainty::Reported,
                "no lead has this identifier, though one was sent",
            );
            finding.pitfall = Some("AS5".to_owned());
            finding
        })
}
