//! A lead's timeline, over the Sync API.

use crate::api::leads::{not_shown, one_or_many, some_value};
use crate::transport::write_order::Target;
use crate::{Error, Items, Operation, PageRequest, Telecrm, pagination};
use std::slice;
use telecrm_core::response::Page;
use telecrm_core::rules::CodeForm;
use telecrm_core::{
    Action, ActionCode, ActionKind, ActionRecord, Certainty, Created, CustomAction, FieldPath,
    FieldValue, Finding, FindingKind, Lead, LeadRecord, Outcome, PaymentStatus,
};

/// A lead's timeline. From [`Leads::actions`](crate::Leads::actions).
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
/// use telecrm::{ActionFilter, CustomAction, Currency, Payment, PaymentStatus, PageRequest};
/// # let lead = telecrm.leads().create(&telecrm::Lead::new().set("phone", "919999999999")).await?;
/// # let lead_id = lead.complete()?.lead_id;
///
/// let timeline = telecrm.leads().actions(&lead_id);
/// let created = timeline.create([CustomAction::new(1001)?.field("note", "called")]).await?.complete()?;
/// let visit = created.action_ids[0].as_deref().expect("nothing was ignored");
/// let visit = timeline.update(visit, CustomAction::new(1001)?.field("note", "called twice")).await?.complete()?;
/// assert_eq!(visit.fields().unwrap()["note"], "called twice");
///
/// let deposit = Payment::new(PaymentStatus::Pending, Currency::Inr, 5000.into());
/// let created = timeline.create([deposit]).await?.complete()?;
/// let deposit = created.action_ids[0].as_deref().expect("nothing was ignored");
/// timeline.set_payment_status(deposit, PaymentStatus::Completed).await?;
/// assert_eq!(timeline.get(deposit).await?.key("status"), Some(&"COMPLETED".into()));
///
/// let visits = timeline.search(&ActionFilter::new().of_code(1001), PageRequest::default()).await?;
/// assert_eq!(visits.total_count, 1);
/// let everything = timeline.stream(ActionFilter::new()).collect().await?;
/// assert!(everything.len() >= 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Actions {
    pub(crate) telecrm: Telecrm,
    pub(crate) lead_id: String,
}

/// Which entries of a timeline to find; all conditions must hold.
///
/// ```
/// use telecrm::{ActionFilter, Filter};
///
/// let june: (jiff::Timestamp, jiff::Timestamp) =
///     ("2026-06-01T00:00:00+05:30".parse()?, "2026-06-30T23:59:59.999+05:30".parse()?);
/// let calls = ActionFilter::new().of_type("OUTGOING_CALL").between(Some(june.0), Some(june.1));
/// let visits = ActionFilter::new().of_code(1001).performed_by(["jane.doe@example.com"]);
///
/// // The leads that Jane has visited:
/// let visited = Filter::new().with_action(visits);
/// # let _ = (calls, visited);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct ActionFilter {
    pub(crate) kind: Option<FieldValue>,
    pub(crate) performed_by: Option<FieldValue>,
    pub(crate) from: Option<jiff::Timestamp>,
    pub(crate) to: Option<jiff::Timestamp>,
}

impl ActionFilter {
    /// Every entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Entries of a type that telecrm records itself, such as `OUTGOING_CALL`, or `PAYMENT`.
    pub fn of_type(mut self, action_type: impl Into<String>) -> Self {
        self.kind = Some(action_type.into().into());
        self
    }

    /// Entries of a custom action.
    pub fn of_code(mut self, code: impl Into<ActionCode>) -> Self {
        self.kind = Some(code.into().bare().into());
        self
    }

    /// Entries by these team members. The documentation wants IDs here, which no endpoint tells, and
    /// addresses in the search for leads (pitfall AC7).
    pub fn performed_by<V: Into<FieldValue>>(
        mut self,
        members: impl IntoIterator<Item = V>,
    ) -> Self {
        self.performed_by = Some(one_or_many(members));
        self
    }

    /// Entries recorded in this range, both ends included.
    pub fn between(mut self, from: Option<jiff::Timestamp>, to: Option<jiff::Timestamp>) -> Self {
        (self.from, self.to) = (from, to);
        self
    }

    /// The bounds of the range in milliseconds, if there is one.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        some_value(operation, "the type of the action", self.kind.as_ref())?;
        some_value(operation, "`performed_by`", self.performed_by.as_ref())
    }

    pub(crate) fn times(&self) -> Option<(Option<FieldValue>, Option<FieldValue>)> {
        let (from, to) = (self.from, self.to);
        (from.is_some() || to.is_some()).then(|| (from.map(Into::into), to.map(Into::into)))
    }
}

/// AC1: the server refuses all of them for one that is of no kind that it takes.
pub(crate) fn check(actions: &[Action]) -> Result<(), Error> {
    let unknown =
        |action: &Action| matches!(action.kind(), ActionKind::Other(_) | ActionKind::Missing);
    match actions.iter().position(unknown) {
        None => Ok(()),
        Some(index) => {
            let message =
                format!("actions[{index}] is neither a custom action nor a payment (AC1)");
            Err(Error::invalid(Operation::CreateActions, message))
        }
    }
}

impl Actions {
    /// Appends entries to the timeline; each stands on its own, which the [`Outcome`] tells (pitfall AC4), and
    /// [blanks](Lead::stray_blanks) are not sent. Which options are created (EN5), telecrm does not tell, and the workspace does:
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
    /// use telecrm::{CustomAction, FindingKind, Lead};
    /// # let lead = telecrm.leads().create(&telecrm::Lead::new().set("phone", "919999999999")).await?;
    /// # let lead_id = lead.complete()?.lead_id;
    ///
    /// let visit = Lead::new().action(CustomAction::new(1001)?.field("outcome", "Perhaps"));
    /// let options = telecrm.workspace().await?.new_options(&visit);
    /// assert_eq!(options[0].kind, FindingKind::OptionCreated);
    ///
    /// let outcome = telecrm.leads().actions(&lead_id).create(visit.actions().to_vec()).await?;
    /// assert_eq!(outcome.with_findings(options).findings().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Invalid if one is neither a custom action nor a payment: the server would refuse all of them (AC1).
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) if the answer was lost: sending again may append twice.
    pub async fn create<A: Into<Action>>(
        &self,
        actions: impl IntoIterator<Item = A>,
    ) -> Result<Outcome<Created>, Error> {
        const OPERATION: Operation = Operation::CreateActions;
        let sent = actions.into_iter().fold(Lead::new(), Lead::action);
        if sent.actions().is_empty() {
            return Err(Error::invalid(OPERATION, "there are no actions to create"));
        }
        check(sent.actions())?;
        self.append(&sent).await
    }

    /// Appends the actions of a lead.
    pub(crate) async fn append(&self, sent: &Lead) -> Result<Outcome<Created>, Error> {
        let endpoint = self.telecrm.sync()?;
        let answer = endpoint.create_actions(&self.lead_id, sent).await?;
        endpoint.outcome(&answer, sent)
    }

    /// Reads an entry; only custom actions and payments can be read one by one (pitfall AC5).
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if the lead has no such entry; answered with 400 if it is of another type.
    pub async fn get(&self, action_id: &str) -> Result<ActionRecord, Error> {
        let endpoint = self.telecrm.sync()?;
        endpoint
            .get_action(&self.lead_id, action_id)
            .await?
            .decode()
    }

    /// Changes fields of a custom action; the others stay. Its code must be the entry's own, and its time cannot be changed.
    ///
    /// Checked against the workspace first, because telecrm drops an unknown field here without a word, as in the
    /// [update of a lead](crate::Leads::update). [Findings](Outcome::findings) tell of options that telecrm creates, and of what the
    /// answered entry does not show, or the one that is read where the answer is none.
    ///
    /// # Errors
    /// Invalid if something would be lost. [`is_not_found`](Error::is_not_found) if the lead has no such entry; answered with 400 if the
    /// code is another one.
    pub async fn update(
        &self,
        action_id: &str,
        action: CustomAction,
    ) -> Result<Outcome<ActionRecord>, Error> {
        let this = Self {
            telecrm: self.telecrm.in_one_call(),
            lead_id: self.lead_id.clone(),
        };
        let workspace = this.telecrm.workspace().await?;
        let action = Action::from(action).with_bare_code();
        let (_, mut told) = workspace.accept_action(0, &action, CodeForm::Bare);
        if action.key("created_on").is_some() {
            told.push(Finding::new(
                FieldPath::ActionKey(0, "created_on".to_owned()),
                FindingKind::FieldDropped,
                Certainty::Inferred,
                "the time of an entry that is there cannot be changed: leave it out",
            ));
        }
        if let Some(loss) = told.iter().find(|finding| finding.is_loss()) {
            return Err(Error::would_lose(Operation::UpdateAction, loss.clone()));
        }
        let mut entry = this.write(action_id, &action).await?;
        // No document shows what is answered. If that is not the entry, the entry itself can tell; if it cannot be read, what was
        // written is told as not shown.
        if entry.fields().is_none()
            && let Ok(read) = this.get(action_id).await
        {
            entry = read;
        }
        let sent = Lead::new().action(action.with_prefixed_code());
        let shown = workspace.compare(&sent, &LeadRecord::default(), Some(slice::from_ref(&entry)));
        let outcome = Outcome::updated(entry, &sent).with_findings(told);
        Ok(outcome.with_findings(not_shown(shown.losses)))
    }

    /// Changes the state of a payment, the only thing of it that can change (pitfall AC3). To correct
    /// anything else, set it to [`Cancelled`](PaymentStatus::Cancelled) and create a new one.
    ///
    /// # Errors
    /// Invalid if there is no such state; [`is_not_found`](Error::is_not_found) if the lead has no such entry.
    pub async fn set_payment_status(
        &self,
        action_id: &str,
        status: PaymentStatus,
    ) -> Result<ActionRecord, Error> {
        if let PaymentStatus::Unknown(_) = status {
            let message = "the state is none that telecrm has for payments";
            return Err(Error::invalid(Operation::UpdateAction, message));
        }
        let action = Action::payment_status(&status);
        self.write(action_id, &action).await
    }

    async fn write(&self, action_id: &str, action: &Action) -> Result<ActionRecord, Error> {
        let target = Target::Action(self.lead_id.clone(), action_id.to_owned());
        let turn = self.telecrm.shared().write_order.enter(target);
        let endpoint = self.telecrm.sync()?;
        let answer = endpoint.update_action(&self.lead_id, action_id, action, turn);
        answer.await?.decode()
    }

    /// The whole timeline, or what matches of it, newest first: see [`Items`].
    pub fn stream(&self, filter: ActionFilter) -> Items<ActionRecord> {
        pagination::actions(&self.telecrm, &self.lead_id, filter)
    }

    /// Finds entries, newest first: one page.
    ///
    /// # Errors
    /// Invalid if `limit` is not 1 to 100; [`is_not_found`](Error::is_not_found) if there is no such lead.
    pub async fn search(
        &self,
        filter: &ActionFilter,
        slice: PageRequest,
    ) -> Result<Page<ActionRecord>, Error> {
        let part = slice.check(Operation::SearchActions, 100)?;
        filter.check(Operation::SearchActions)?;
        let endpoint = self.telecrm.sync()?;
        endpoint
            .search_actions(&self.lead_id, filter, part)
            .await?
            .decode_page(slice.skip)
    }
}
