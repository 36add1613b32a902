//! Creating, reading and updating the actions of a lead over the Sync API.

use super::filter::ActionFilter;
use super::list::{List, wrong_list};
use super::schema;
use super::update::{check_answer, check_id, not_shown};
use crate::handle::Handle;
use crate::pagination::Place;
use crate::pagination::cursor::Cursor;
use crate::pagination::time_window::{PageSource, TimeWindow, TimeWindowPager};
use crate::raw::generated::sync::{parameters, types};
use crate::transport::Response;
use crate::transport::write_order::Target;
use crate::{Error, Items, Operation, PageRequest};
use jiff::Timestamp;
use std::slice;
use telecrm_core::response::Page;
use telecrm_core::rules::CodeForm;
use telecrm_core::{
    Action, ActionKind, ActionRecord, Certainty, Created, CustomAction, FieldPath, Finding,
    FindingKind, Lead, LeadRecord, Outcome, PaymentStatus,
};

/// The actions of a lead, over the Sync API. From [`Leads::actions`](crate::Leads::actions).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client();
/// use telecrm::{ActionFilter, CustomAction, Currency, Payment, PaymentStatus, PageRequest};
/// # let lead = telecrm.leads().create(&telecrm::Lead::new().set("phone", "919999999999")).await?;
/// # let lead_id = lead.complete()?.lead_id;
///
/// let actions = telecrm.leads().actions(&lead_id);
/// let visit = CustomAction::new(1001)?.field("note", "called");
/// let created = actions.create([visit]).await?.complete()?;
/// let visit = created.action_ids[0].as_deref().expect("an ID");
/// let changes = CustomAction::new(1001)?.field("note", "called twice");
/// let visit = actions.update(visit, changes).await?.complete()?;
/// assert_eq!(visit.fields().unwrap()["note"], "called twice");
///
/// let deposit = Payment::new(PaymentStatus::Pending, Currency::Inr, 5000.into());
/// let created = actions.create([deposit]).await?.complete()?;
/// let deposit = created.action_ids[0].as_deref().expect("an ID");
/// actions.set_payment_status(deposit, PaymentStatus::Completed).await?;
/// assert_eq!(actions.get(deposit).await?.key("status"), Some(&"COMPLETED".into()));
///
/// let visits = actions.search(&ActionFilter::new().of_code(1001), PageRequest::default()).await?;
/// assert_eq!(visits.total_count, 1);
/// let all = actions.stream(ActionFilter::new()).collect().await?;
/// assert!(all.len() >= 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Actions {
    pub(crate) handle: Handle,
    pub(crate) lead_id: String,
}

/// The most actions that the server returns in one page.
const PAGE_SIZE: u32 = 100;

impl Actions {
    /// Appends actions to the lead.
    ///
    /// telecrm accepts or ignores each action by itself (AC4), and the [`Outcome`] lists the
    /// ignored ones. [Blanks](Lead::stray_blanks) are not sent. The response does not say which
    /// options of a dropdown were created (EN5), but the workspace does:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::{CustomAction, FindingKind, Lead};
    /// # let lead = Lead::new().set("phone", "919999999999");
    /// # let lead_id = telecrm.leads().create(&lead).await?.complete()?.lead_id;
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
    /// - Invalid if an action is neither a custom action nor a payment. The server would refuse all
    ///   of them (AC1).
    /// - [`is_outcome_unknown`](Error::is_outcome_unknown) if the response was lost. Another
    ///   attempt may append the actions twice.
    pub async fn create<A: Into<Action>>(
        &self,
        actions: impl IntoIterator<Item = A>,
    ) -> Result<Outcome<Created>, Error> {
        let sent = actions.into_iter().fold(Lead::new(), Lead::action);
        if sent.actions().is_empty() {
            return Err(Error::invalid(Operation::CreateActions, "there are no actions to create"));
        }
        check(sent.actions())?;
        self.append(&sent).await
    }

    /// Appends the actions of `sent`.
    pub(crate) async fn append(&self, sent: &Lead) -> Result<Outcome<Created>, Error> {
        let actions = bare_codes(&sent.clone().without_stray_blanks());
        let body = types::CreateActionsBody { actions };
        let response = self.handle.send(Operation::CreateActions, |api, enterprise_id| {
            api.create_actions_request(parameters::CreateActions {
                enterprise_id,
                lead_id: &self.lead_id,
                body: &body,
            })
        });
        let response = response.await?;
        let outcome = self.handle.outcome(&response, sent)?;
        check_answer(&response, Some(&outcome.clone().accept_partial().lead_id), &self.lead_id)?;
        Ok(outcome)
    }

    /// Reads an action. Only custom actions and payments can be read by ID (AC5).
    ///
    /// # Errors
    /// - [`is_not_found`](Error::is_not_found) if the lead has no action with this ID.
    /// - Status 400 if the action has another type.
    pub async fn get(&self, action_id: &str) -> Result<ActionRecord, Error> {
        let response = self.handle.send(Operation::GetAction, |api, enterprise_id| {
            api.get_action_request(parameters::GetAction {
                enterprise_id,
                lead_id: &self.lead_id,
                action_id,
            })
        });
        decode_action(&response.await?, action_id)
    }

    /// Updates fields of a custom action. Fields that are not named keep their values.
    ///
    /// The code must be the one of the existing action, and the creation time cannot change. The
    /// fields are checked against the workspace before sending, because telecrm ignores unknown
    /// fields without an error (LE8). The [findings](Outcome::findings) list new options of
    /// dropdowns, and values that the updated action does not show. If the response is not an
    /// action, the action is read back.
    ///
    /// # Errors
    /// - Invalid if a field would be lost: [`Error::finding`] names it.
    /// - [`is_not_found`](Error::is_not_found) if the lead has no action with this ID.
    /// - Status 400 if the action has another code.
    pub async fn update(
        &self,
        action_id: &str,
        action: CustomAction,
    ) -> Result<Outcome<ActionRecord>, Error> {
        let this = Self { handle: self.handle.in_one_call(), lead_id: self.lead_id.clone() };
        let workspace = schema::workspace(&this.handle).await?;
        let action = Action::from(action).with_bare_code();
        let (_, mut findings) = workspace.accept_action(0, &action, CodeForm::Bare);
        if action.key("created_on").is_some() {
            findings.push(Finding::new(
                FieldPath::ActionKey(0, "created_on".to_owned()),
                FindingKind::FieldDropped,
                Certainty::Inferred,
                "the creation time of an existing action cannot be changed",
            ));
        }
        if let Some(loss) = findings.iter().find(|finding| finding.is_loss()) {
            return Err(Error::would_lose(Operation::UpdateAction, loss.clone()));
        }
        let mut updated = this.write(action_id, &action).await?;
        // The response is not documented. If the action cannot be read back either, its values
        // become findings.
        if updated.fields().is_none()
            && let Ok(action) = this.get(action_id).await
        {
            updated = action;
        }
        let sent = Lead::new().action(action.with_prefixed_code());
        let actions = Some(slice::from_ref(&updated));
        let compared = workspace.compare(&sent, &LeadRecord::default(), actions);
        let outcome = Outcome::updated(updated, &sent).with_findings(findings);
        Ok(outcome.with_findings(not_shown(compared.losses)))
    }

    /// Changes the status of a payment.
    ///
    /// Nothing else of a payment can change (AC3). To correct a payment, set it to
    /// [`Cancelled`](PaymentStatus::Cancelled) and create another one.
    ///
    /// # Errors
    /// - Invalid if the status is [`Unknown`](PaymentStatus::Unknown).
    /// - [`is_not_found`](Error::is_not_found) if the lead has no action with this ID.
    pub async fn set_payment_status(
        &self,
        action_id: &str,
        status: PaymentStatus,
    ) -> Result<ActionRecord, Error> {
        if let PaymentStatus::Unknown(_) = status {
            return Err(Error::invalid(Operation::UpdateAction, "unknown payment status"));
        }
        self.write(action_id, &Action::payment_status(&status)).await
    }

    async fn write(&self, action_id: &str, action: &Action) -> Result<ActionRecord, Error> {
        let target = Target::Action(self.lead_id.clone(), action_id.to_owned());
        let response =
            self.handle.send_write(Operation::UpdateAction, target, |api, enterprise_id| {
                check_id(action_id)?;
                api.update_action_request(parameters::UpdateAction {
                    enterprise_id,
                    lead_id: &self.lead_id,
                    action_id,
                    body: action,
                })
            });
        decode_action(&response.await?, action_id)
    }

    /// Returns all actions of the lead that match, newest first: see [`Items`].
    pub fn stream(&self, filter: ActionFilter) -> Items<ActionRecord> {
        self.stream_at(filter, Place::default())
    }

    /// Goes on with a list where another stream has stopped, in the same process or another one.
    /// See [`Items::cursor`].
    ///
    /// # Errors
    /// Invalid if the cursor belongs to another enterprise, lead or list.
    pub fn stream_from(&self, cursor: &Cursor) -> Result<Items<ActionRecord>, Error> {
        const OPERATION: Operation = Operation::SearchActions;
        match List::of(cursor, &self.handle, OPERATION)? {
            List::Actions { lead_id, filter } if lead_id == self.lead_id => {
                Ok(self.stream_at(filter, cursor.place().clone()))
            }
            _ => Err(wrong_list(OPERATION)),
        }
    }

    fn stream_at(&self, filter: ActionFilter, place: Place) -> Items<ActionRecord> {
        let lead_id = self.lead_id.clone();
        let id = List::Actions { lead_id, filter: filter.clone() }.id(&self.handle);
        let requested = filter.window();
        let pages = ActionPages { actions: self.clone(), filter };
        Items::from_pagers(id, [TimeWindowPager::new(pages, requested)], place)
    }

    /// Returns one page of the actions that match, newest first.
    ///
    /// # Errors
    /// - Invalid if `limit` is not 1 to 100.
    /// - [`is_not_found`](Error::is_not_found) if the lead does not exist.
    pub async fn search(
        &self,
        filter: &ActionFilter,
        page: PageRequest,
    ) -> Result<Page<ActionRecord>, Error> {
        const OPERATION: Operation = Operation::SearchActions;
        let (skip, limit) = page.check(OPERATION, PAGE_SIZE)?;
        filter.check(OPERATION)?;
        let body = types::SearchActionsBody {
            type_: filter.kind.clone(),
            performed_by: filter.performed_by.clone(),
            created_on: filter
                .times()
                .map(|(from, to)| types::SearchActionsBodyCreatedOn { from, to }),
        };
        let lead_id = &self.lead_id;
        let response = self.handle.send(OPERATION, |api, enterprise_id| {
            api.search_actions_request(parameters::SearchActions {
                enterprise_id,
                lead_id,
                limit: Some(limit),
                skip: Some(skip),
                body: &body,
            })
        });
        response.await?.decode_page(page.skip)
    }
}

/// The pages of [`Actions::stream`].
struct ActionPages {
    actions: Actions,
    filter: ActionFilter,
}

impl PageSource for ActionPages {
    type Item = ActionRecord;

    const OPERATION: Operation = Operation::SearchActions;

    fn page_size(&self) -> u32 {
        PAGE_SIZE
    }

    async fn page(&self, window: TimeWindow, skip: u32) -> Result<Page<ActionRecord>, Error> {
        let filter = self.filter.clone().narrowed(window);
        self.actions.search(&filter, PageRequest { skip, limit: PAGE_SIZE }).await
    }

    fn time(&self, action: &ActionRecord) -> Option<i64> {
        action.created().map(Timestamp::as_millisecond)
    }

    fn key(&self, action: &ActionRecord) -> String {
        let id = action.id().map(str::to_owned);
        id.unwrap_or_else(|| super::content_key(action))
    }
}

/// Decodes a response that is the action with this ID.
fn decode_action(response: &Response, action_id: &str) -> Result<ActionRecord, Error> {
    let action: ActionRecord = response.decode()?;
    check_answer(response, action.id(), action_id)?;
    Ok(action)
}

/// Refuses actions of an unknown kind: the server would refuse all actions of the request (AC1).
pub(crate) fn check(actions: &[Action]) -> Result<(), Error> {
    let is_unknown =
        |action: &Action| matches!(action.kind(), ActionKind::Other(_) | ActionKind::Missing);
    match actions.iter().position(is_unknown) {
        None => Ok(()),
        Some(index) => {
            let message =
                format!("actions[{index}] is neither a custom action nor a payment (AC1)");
            Err(Error::invalid(Operation::CreateActions, message))
        }
    }
}

/// Returns the actions with codes as the Sync API takes them: without `ACTION_` (AC2).
pub(crate) fn bare_codes(lead: &Lead) -> Vec<Action> {
    let actions = lead.actions().iter().cloned();
    actions.map(Action::with_bare_code).collect()
}
