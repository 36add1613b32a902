//! Creating, reading, updating and finding leads over the Sync API.

use super::actions::{self, Actions};
use super::filter::Filter;
use super::list::{List, wrong_list};
use super::lookup::{self, Found};
use super::schema;
use super::update::{check_answer, check_id, not_shown};
use crate::handle::Handle;
use crate::pagination::Place;
use crate::pagination::cursor::Cursor;
use crate::pagination::overlap;
use crate::pagination::time_window::{PageSource, TimeWindow, TimeWindowPager};
use crate::raw::generated::sync::{parameters, types};
use crate::transport::Response;
use crate::transport::write_order::Target;
use crate::{Error, Items, Operation, PageRequest};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm_core::response::Page;
use telecrm_core::{
    ActionRecord, Created, FieldPath, FieldValue, Lead, LeadRecord, Outcome, Workspace,
};

/// What to do about a lead that telecrm has and the client cannot update.
const HIDDEN_LEAD: &str = "look up the lead in the dashboard, and update it by its ID";

/// Leads, over the Sync API. From [`Telecrm::leads`](crate::Telecrm::leads).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client();
/// use std::collections::BTreeMap;
/// use telecrm::{Filter, Lead, PageRequest};
///
/// let leads = telecrm.leads();
/// let lead = Lead::new().set("phone", "919999999999").set("status", "Fresh");
/// let lead_id = leads.create(&lead).await?.complete()?.lead_id;
/// assert_eq!(leads.get(&lead_id).await?.get("status"), Some(&"Fresh".into()));
///
/// let updated = leads.update(&lead_id, [("rating", 4)]).await?.complete()?;
/// assert_eq!(updated.get("rating"), Some(&4.into()));
///
/// let fresh = Filter::new().eq("status", "Fresh");
/// assert_eq!(leads.count(&fresh).await?, 1);
/// let page = leads.search(&fresh, PageRequest { skip: 0, limit: 100 }).await?;
/// assert_eq!(page.data[0].id(), Some(lead_id.as_str()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Leads(pub(crate) Handle);

/// The most leads or actions that the server returns in one page.
pub(super) const PAGE_SIZE: u32 = 100;

/// How far the clock behind the `Date` header may differ from the one behind `created_on`.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

impl Leads {
    /// Creates a lead.
    ///
    /// telecrm ignores parts that it does not accept, and the [`Outcome`] lists them.
    /// [Blanks](Lead::stray_blanks) are not sent. The response does not say which options of a
    /// dropdown were created: [check](Workspace::check) the lead first, or call
    /// [`Workspace::new_options`].
    ///
    /// # Errors
    /// - [`is_already_exists`](Error::is_already_exists) if a lead with this identifier exists
    ///   (LE4).
    /// - [`is_outcome_unknown`](Error::is_outcome_unknown) if the response was lost, and reading
    ///   the lead back failed or showed another lead. Look for the lead before you try again.
    pub async fn create(&self, lead: &Lead) -> Result<Outcome<Created>, Error> {
        let this = Self(self.0.in_one_call());
        let clock = &self.0.clock;
        let began = clock.now();
        let sent = lead.clone().without_stray_blanks();
        let body = types::CreateLeadBody {
            fields: sent.fields().clone(),
            actions: (!sent.actions().is_empty()).then(|| actions::bare_codes(&sent)),
            extra: sent.extra().clone(),
        };
        let created = this.0.send(Operation::CreateLead, |api, enterprise_id| {
            api.create_lead_request(parameters::CreateLead { enterprise_id, body: &body })
        });
        match created.await {
            Ok(response) => {
                let outcome = this.0.outcome(&response, lead)?;
                this.0.learn_id(lead.fields(), Some(&outcome.clone().accept_partial().lead_id));
                Ok(outcome)
            }
            // An earlier attempt may have created the lead that now exists.
            Err(error) if error.is_already_exists() && error.is_outcome_unknown() => {
                let elapsed = clock.now().saturating_duration_since(began);
                let local_time = || Timestamp::try_from(clock.date()).ok();
                let since = error.answered().or_else(local_time);
                let since = since.and_then(|now| now.checked_sub(elapsed + MAX_CLOCK_SKEW).ok());
                match this.find_created(lead, since).await {
                    Ok(Some(outcome)) => Ok(outcome),
                    Ok(None) => Err(error),
                    // The outcome of the creation is still unknown.
                    Err(read_error) => Err(error.because(read_error)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the outcome of a creation if the existing lead is the created one. An older lead may
    /// look the same.
    async fn find_created(
        &self,
        sent: &Lead,
        since: Option<Timestamp>,
    ) -> Result<Option<Outcome<Created>>, Error> {
        let workspace = schema::workspace(&self.0).await?;
        let Found::Lead { lead: found, twins } = self.look_up(&workspace, sent).await? else {
            return Ok(None);
        };
        let times = found.created().zip(since);
        let is_new = times.is_some_and(|(created, since)| created >= since);
        if !is_new || !twins.is_empty() {
            return Ok(None);
        }
        let actions = self.all_actions(&found).await?;
        let expected = sent.clone().without_stray_blanks();
        let compared = workspace.compare(&expected, &found, actions.as_deref());
        let is_complete = compared.losses.is_empty() && compared.unreadable.is_empty();
        let id = found.id().filter(|_| is_complete);
        Ok(id.map(|id| Outcome::found(id.to_owned(), sent)))
    }

    /// Reads a lead.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if no lead has this ID.
    pub async fn get(&self, lead_id: &str) -> Result<LeadRecord, Error> {
        self.read(lead_id, None).await
    }

    /// Finds the lead with this identifier, in any spelling. Returns `None` if no lead has it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// # let jane = telecrm::Lead::new().set("phone", "919999999999");
    /// # let _ = telecrm.leads().create(&jane).await?;
    /// let lead = telecrm.leads().find("+91 99999 99999").await?;
    /// assert_eq!(lead.unwrap().get("phone"), Some(&"919999999999".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`is_ambiguous`](Error::is_ambiguous) if several leads have this identifier, and not
    ///   exactly one of them in this spelling.
    /// - An error if the server does not show the identifier of the leads that it found.
    pub async fn find(
        &self,
        identifier: impl Into<FieldValue>,
    ) -> Result<Option<LeadRecord>, Error> {
        let this = Self(self.0.in_one_call());
        let workspace = schema::workspace(&this.0).await?;
        let lead = Lead::new().set(workspace.identifier().api_name(), identifier.into());
        // The repaired spelling is the one that telecrm stores.
        let lead = workspace.check(&lead).accept_partial().unwrap_or(lead);
        let contradiction =
            |reason: &str| Error::inconsistent(Operation::SearchLeads, reason.to_owned());
        match this.look_up(&workspace, &lead).await? {
            Found::Nothing => Ok(None),
            Found::Lead { lead, .. } => Ok(Some(lead)),
            Found::Several(_) => {
                let error = contradiction("several leads have this identifier").ambiguous();
                Err(error.with_hint("merge the leads, or read the right one by its ID"))
            }
            Found::Hidden => Err(contradiction("the search returned leads without the identifier")),
        }
    }

    /// Returns the newest lead that matches. Returns `None` if no lead does.
    ///
    /// # Errors
    /// The errors of [`search`](Self::search).
    pub async fn first(&self, filter: &Filter) -> Result<Option<LeadRecord>, Error> {
        let page = self.search(filter, PageRequest { skip: 0, limit: 1 }).await?;
        Ok(page.data.into_iter().next())
    }

    /// Reads a lead with one page of its actions, of all types, newest first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::{CustomAction, Lead, PageRequest};
    ///
    /// let visit = CustomAction::new(1001)?.field("note", "called");
    /// let lead = Lead::new().set("phone", "919999999999").action(visit);
    /// let lead_id = telecrm.leads().create(&lead).await?.complete()?.lead_id;
    /// let page = PageRequest { skip: 0, limit: 20 };
    /// let lead = telecrm.leads().get_with_actions(&lead_id, page).await?;
    /// assert_eq!(lead.actions()[0].fields().unwrap()["note"], "called");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`is_not_found`](Error::is_not_found) if no lead has this ID.
    /// - Invalid if `limit` is not 1 to 100.
    pub async fn get_with_actions(
        &self,
        lead_id: &str,
        page: PageRequest,
    ) -> Result<LeadRecord, Error> {
        self.read(lead_id, Some(page)).await
    }

    async fn read(&self, lead_id: &str, actions: Option<PageRequest>) -> Result<LeadRecord, Error> {
        let (skip, limit) = match actions {
            Some(page) => Some(page.check(Operation::GetLead, PAGE_SIZE)?).unzip(),
            None => (None, None),
        };
        let included = actions.map(|_| true);
        let response = self.0.send(Operation::GetLead, |api, enterprise_id| {
            api.get_lead_request(parameters::GetLead {
                enterprise_id,
                lead_id,
                include_actions: included,
                limit,
                skip,
            })
        });
        self.decode(&response.await?, lead_id)
    }

    /// Updates fields of a lead. Fields that are not named keep their values. Takes a [`Lead`], a
    /// map, or an array of names and values.
    ///
    /// The fields are checked and repaired against the workspace before sending, as by
    /// [`Workspace::check`]: telecrm ignores unknown statuses and fields without an error (LE8),
    /// and refuses an update with any other mistake (LE1, LE9). The [findings](Outcome::findings)
    /// list new options of dropdowns (EN5), values that telecrm reads differently, such as seconds
    /// as milliseconds (AS4), and values that the response does not show. Blanks that are left out
    /// of a list are remarks.
    ///
    /// To update from a type of your own, use [`Lead::from_serialize`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::FindingKind;
    /// # let lead = telecrm::Lead::new().set("phone", "919999999999");
    /// # let lead_id = telecrm.leads().create(&lead).await?.complete()?.lead_id;
    ///
    /// let updated = telecrm.leads().update(&lead_id, [("contact_source", "Billboard")]).await?;
    /// assert_eq!(updated.findings()[0].kind, FindingKind::OptionCreated);
    /// assert_eq!(updated.complete()?.get("contact_source"), Some(&"Billboard".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - Invalid if a field would be lost or refused ([`Error::finding`] names it), or if a text is
    ///   blank: to write a blank on purpose, use [`FieldValue::blank`].
    /// - Invalid if the lead has actions or other keys than `fields`, which an update cannot write.
    /// - [`is_not_found`](Error::is_not_found) if no lead has this ID.
    pub async fn update(
        &self,
        lead_id: &str,
        fields: impl Into<Lead>,
    ) -> Result<Outcome<LeadRecord>, Error> {
        let sent = fields.into();
        if !sent.actions().is_empty() {
            let error = Error::invalid(Operation::UpdateLead, "an update cannot write actions");
            return Err(
                error.with_hint("append them with `leads().actions(lead_id).append(&lead)`")
            );
        }
        if let Some(key) = sent.extra().keys().next() {
            let message = format!("an update writes fields only, not `{key}`");
            return Err(Error::invalid(Operation::UpdateLead, message));
        }
        let this = Self(self.0.in_one_call());
        let workspace = schema::workspace(&this.0).await?;
        let repaired = repaired(&workspace, sent.fields().clone())?;
        this.write(&workspace, lead_id, &sent, repaired).await
    }

    /// Writes the repaired fields of `sent`.
    async fn write(
        &self,
        workspace: &Workspace,
        lead_id: &str,
        sent: &Lead,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<Outcome<LeadRecord>, Error> {
        let findings = fields.iter().filter_map(|(name, value)| {
            let stored = workspace.accept_field(name, value);
            stored.finding(FieldPath::Field(name.clone()))
        });
        let findings: Vec<_> = findings.collect();
        let mut written = Lead::new();
        *written.fields_mut() = fields.clone();
        let body = types::UpdateLeadBody { fields };
        let target = Target::Lead(lead_id.to_owned());
        let response = self
            .0
            .send_write(Operation::UpdateLead, target, |api, enterprise_id| {
                check_id(lead_id)?;
                api.update_lead_request(parameters::UpdateLead {
                    enterprise_id,
                    lead_id,
                    body: &body,
                })
            })
            .await?;
        let lead = self.decode(&response, lead_id)?;
        // The response need not show an emptied field.
        let is_blank =
            |value: &FieldValue| value.as_str().is_some_and(|text| text.trim().is_empty());
        written.fields_mut().retain(|name, value| !is_blank(value) || lead.get(name).is_some());
        // If the workspace has changed since its discovery, telecrm may ignore a field (LE8).
        let lost = workspace.compare(&written, &lead, None).losses;
        let outcome = Outcome::updated(lead, sent).with_findings(findings);
        Ok(outcome.with_findings(not_shown(lost)))
    }

    /// Creates a lead, or updates the existing lead with the same identifier.
    ///
    /// An update writes the fields without the identifier (LE1), then appends the actions.
    /// [Blanks](Lead::stray_blanks) are left out of both and listed as remarks. The findings list
    /// what no response shows: keys other than `fields` and `actions`, which are lost, and new
    /// options of dropdowns.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::{Lead, Upserted};
    ///
    /// for rating in [3, 4] {
    ///     let lead = Lead::new().set("phone", "919999999999").set("rating", rating);
    ///     match telecrm.leads().upsert(&lead).await? {
    ///         Upserted::Created(outcome) => assert_eq!((rating, outcome.remarks().len()), (3, 0)),
    ///         Upserted::Updated { lead, .. } => {
    ///             assert_eq!(lead.complete()?.get("rating"), Some(&4.into()));
    ///         }
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`create`](Self::create) and [`update`](Self::update), and:
    /// - [`is_outcome_unknown`](Error::is_outcome_unknown) if the existing lead may be the one that
    ///   this call created.
    /// - [`is_already_exists`](Error::is_already_exists) if a search does not find the existing
    ///   lead, or does not return its ID (LE7). Nothing was written.
    /// - [`is_ambiguous`](Error::is_ambiguous) if several leads have this identifier, and not
    ///   exactly one in this spelling. Nothing was written.
    /// - [`updated_lead`](Error::updated_lead) returns the ID if the fields were written and the
    ///   actions were not.
    pub async fn upsert(&self, lead: &Lead) -> Result<Upserted, Error> {
        let this = Self(self.0.in_one_call());
        // Needed before anything is written: only the workspace shows what an update would ignore.
        let workspace = schema::workspace(&this.0).await?;
        let conflict = match this.create(lead).await {
            Ok(outcome) => {
                let created = outcome.with_findings(workspace.new_options(lead));
                return Ok(Upserted::Created(created));
            }
            // If the outcome is unknown, this call may have created the lead. An update would
            // append its actions twice.
            Err(error) if error.is_already_exists() && !error.is_outcome_unknown() => error,
            Err(error) => return Err(error),
        };
        let found = match this.look_up(&workspace, lead).await? {
            Found::Lead { lead, .. } => lead,
            Found::Several(_) => {
                let error = conflict.because("several leads have this identifier").ambiguous();
                return Err(error.with_hint("merge the leads, or update the right one by its ID"));
            }
            Found::Nothing => {
                let error = conflict.because("a search does not find the existing lead");
                return Err(error.with_hint(HIDDEN_LEAD));
            }
            Found::Hidden => {
                let error = conflict.because("the search returned leads without the identifier");
                return Err(error.with_hint(HIDDEN_LEAD));
            }
        };
        let Some(lead_id) = found.id().map(str::to_owned) else {
            let error =
                conflict.because("the search returned the existing lead without an ID (LE7)");
            return Err(error.with_hint(HIDDEN_LEAD));
        };
        let mut sent = lead.clone();
        sent.fields_mut().remove(workspace.identifier().api_name());
        let mut appended = Lead::new();
        *appended.actions_mut() = std::mem::take(sent.actions_mut());
        let mut fields = sent.clone().without_stray_blanks().fields().clone();
        fields.retain(|_, value| !value.is_null());
        let fields = repaired(&workspace, fields)?;
        actions::check(appended.actions())?;
        let writes_fields = !fields.is_empty();
        let record = if writes_fields {
            this.write(&workspace, &lead_id, &sent, fields).await?
        } else {
            Outcome::updated(this.get(&lead_id).await?, &sent)
        };
        let mut actions = None;
        if !appended.actions().is_empty() {
            let created = this.actions(&lead_id).append(&appended).await;
            let created = created.map_err(|error| {
                if writes_fields { error.after_update(lead_id.clone()) } else { error }
            })?;
            actions = Some(created.with_findings(workspace.new_options(&appended)));
        }
        Ok(Upserted::Updated { lead_id, lead: record, actions })
    }

    /// Finds the lead with the same identifier, in any spelling.
    pub(crate) async fn look_up(&self, workspace: &Workspace, lead: &Lead) -> Result<Found, Error> {
        let Some(filter) = lookup::filter(workspace, lead) else {
            return Ok(Found::Nothing);
        };
        let page = PageRequest { skip: 0, limit: PAGE_SIZE };
        let page = self.search(&filter, page).await?;
        let found = lookup::select(workspace, lead, page.data);
        if let Found::Lead { lead, .. } = &found {
            self.0.learn_id(lead.fields(), lead.id());
        }
        Ok(found)
    }

    /// Returns the newest actions of a lead, in one request. Returns `None` if the lead has no ID.
    pub(crate) async fn newest_actions(
        &self,
        lead: &LeadRecord,
    ) -> Result<Option<Vec<ActionRecord>>, Error> {
        let Some(id) = lead.id() else {
            return Ok(None);
        };
        let page = PageRequest { skip: 0, limit: PAGE_SIZE };
        Ok(Some(self.get_with_actions(id, page).await?.actions().to_vec()))
    }

    /// Returns all actions of a lead. Returns `None` if the lead has no ID, or if its actions
    /// cannot
    /// be read completely.
    pub(crate) async fn all_actions(
        &self,
        lead: &LeadRecord,
    ) -> Result<Option<Vec<ActionRecord>>, Error> {
        let newest = self.newest_actions(lead).await?;
        self.older_actions(lead, newest).await
    }

    /// Completes the newest actions to all actions.
    pub(crate) async fn older_actions(
        &self,
        lead: &LeadRecord,
        newest: Option<Vec<ActionRecord>>,
    ) -> Result<Option<Vec<ActionRecord>>, Error> {
        let (Some(id), Some(newest)) = (lead.id(), newest) else {
            return Ok(None);
        };
        overlap::read_all(newest, |skip| async move {
            let lead = self.get_with_actions(id, PageRequest { skip, limit: PAGE_SIZE });
            Ok(lead.await?.actions().to_vec())
        })
        .await
    }

    /// The actions of a lead.
    pub fn actions(&self, lead_id: impl Into<String>) -> Actions {
        Actions { handle: self.0.clone(), lead_id: lead_id.into() }
    }

    /// Returns all leads that match, newest first: see [`Items`].
    ///
    /// The server was seen to fail on an assignee with several statuses (LE10). Such a filter is
    /// split into one list per status, and the lists are merged.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::Filter;
    /// # for phone in ["919999999998", "919999999999"] {
    /// #     let lead = telecrm::Lead::new().set("phone", phone).set("status", "Won");
    /// #     telecrm.leads().create(&lead).await?.complete()?;
    /// # }
    ///
    /// let mut won = telecrm.leads().stream(Filter::new().eq("status", "Won")).prefetch(2);
    /// let mut phones = Vec::new();
    /// while let Some(lead) = won.next().await {
    ///     phones.extend(lead?.get("phone").cloned());
    /// }
    /// assert_eq!(phones.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(&self, filter: Filter) -> Items<LeadRecord> {
        self.stream_at(filter, Place::default())
    }

    /// Goes on with a list where another stream has stopped, in the same process or another one.
    /// See [`Items::cursor`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::{Cursor, Filter};
    /// # for phone in ["919999999998", "919999999999"] {
    /// #     telecrm.leads().create(&telecrm::Lead::new().set("phone", phone)).await?.complete()?;
    /// # }
    ///
    /// let mut leads = telecrm.leads().stream(Filter::new());
    /// let newest = leads.next().await.expect("a lead")?;
    /// let stored = serde_json::to_string(&leads.cursor())?;
    ///
    /// let cursor: Cursor = serde_json::from_str(&stored)?;
    /// let others = telecrm.leads().stream_from(&cursor)?.collect().await?;
    /// assert!(!others.is_empty() && !others.contains(&newest));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Invalid if the cursor belongs to another enterprise or list.
    pub fn stream_from(&self, cursor: &Cursor) -> Result<Items<LeadRecord>, Error> {
        const OPERATION: Operation = Operation::SearchLeads;
        match List::of(cursor, &self.0, OPERATION)? {
            List::Leads(filter) => Ok(self.stream_at(filter, cursor.place().clone())),
            _ => Err(wrong_list(OPERATION)),
        }
    }

    fn stream_at(&self, filter: Filter, place: Place) -> Items<LeadRecord> {
        let id = List::Leads(filter.clone()).id(&self.0);
        let pagers = filter.branches().into_iter().map(|filter| {
            let requested = filter.created_on();
            TimeWindowPager::new(LeadPages { leads: self.clone(), filter }, requested)
        });
        Items::from_pagers(id, pagers, place)
    }

    /// Counts the leads that match.
    ///
    /// # Errors
    /// - Invalid if a field of the filter has an empty list of values.
    /// - Returns an error if the server's total is missing, or cannot be that of the list.
    pub async fn count(&self, filter: &Filter) -> Result<u64, Error> {
        let this = Self(self.0.in_one_call());
        let mut count = 0;
        for filter in filter.clone().branches() {
            let page = this.search(&filter, PageRequest { skip: 0, limit: 2 }).await?;
            let (total, rows) = (page.total_count, page.data.len() as u64);
            // A total that equals the rows of a full page may count only that page.
            let is_usable = rows < total
                || rows == total
                    && (rows < 2
                        || this
                            .search(&filter, PageRequest { skip: 2, limit: 2 })
                            .await?
                            .data
                            .is_empty());
            if !is_usable {
                let reason = format!("the total is {total}, but there are more leads");
                return Err(Error::inconsistent(Operation::SearchLeads, reason)
                    .with_hint("count the leads of `Leads::stream`"));
            }
            count += total;
        }
        Ok(count)
    }

    /// Returns one page of the leads that match, newest first.
    ///
    /// # Errors
    /// - Invalid if `limit` is not 1 to 100, or a field of the filter has an empty list of values.
    /// - Returns an error if a lead in the response shows a text that does not match the filter.
    pub async fn search(
        &self,
        filter: &Filter,
        page: PageRequest,
    ) -> Result<Page<LeadRecord>, Error> {
        const OPERATION: Operation = Operation::SearchLeads;
        let (skip, limit) = page.check(OPERATION, PAGE_SIZE)?;
        filter.check(OPERATION)?;
        let action = filter.action.as_ref();
        let body = types::SearchLeadsBody {
            fields: Some(filter.fields.clone()),
            actions: action.map(|action| types::SearchLeadsBodyActions {
                type_: action.kind.clone(),
                performed_by: action.performed_by.clone(),
                performed_at: action
                    .times()
                    .map(|(from, to)| types::SearchLeadsBodyActionsPerformedAt { from, to }),
            }),
        };
        let response = self.0.send(OPERATION, |api, enterprise_id| {
            api.search_leads_request(parameters::SearchLeads {
                enterprise_id,
                limit: Some(limit),
                skip: Some(skip),
                body: &body,
            })
        });
        let page: Page<LeadRecord> = response.await?.decode_page(page.skip)?;
        if let Some(name) = page.data.iter().find_map(|lead| filter.contradicted_by(lead)) {
            let reason = format!("the server returned a lead that does not match filter `{name}`");
            return Err(Error::inconsistent(OPERATION, reason));
        }
        Ok(page)
    }

    /// Decodes a response that is the lead with this ID.
    fn decode(&self, response: &Response, lead_id: &str) -> Result<LeadRecord, Error> {
        let lead = decode_lead(response)?;
        check_answer(response, lead.id(), lead_id)?;
        self.0.learn_id(lead.fields(), Some(lead_id));
        Ok(lead)
    }
}

/// The pages of [`Leads::stream`].
struct LeadPages {
    leads: Leads,
    filter: Filter,
}

impl PageSource for LeadPages {
    type Item = LeadRecord;

    const OPERATION: Operation = Operation::SearchLeads;

    fn page_size(&self) -> u32 {
        PAGE_SIZE
    }

    async fn page(&self, window: TimeWindow, skip: u32) -> Result<Page<LeadRecord>, Error> {
        let filter = if window == TimeWindow::default() {
            self.filter.clone()
        } else {
            self.filter.clone().narrowed(window)
        };
        self.leads.search(&filter, PageRequest { skip, limit: PAGE_SIZE }).await
    }

    fn time(&self, lead: &LeadRecord) -> Option<i64> {
        if !self.filter.can_be_narrowed() {
            return None;
        }
        lead.created().map(Timestamp::as_millisecond)
    }

    fn key(&self, lead: &LeadRecord) -> String {
        if let Some(id) = lead.id() {
            return id.to_owned();
        }
        let workspace = self.leads.0.workspace.last_known();
        let identifier = workspace.as_ref().and_then(|w| lead.get(w.identifier().api_name()));
        identifier.map_or_else(|| super::content_key(lead), ToString::to_string)
    }
}

/// The result of [`Leads::upsert`].
#[derive(Debug, Clone, PartialEq)]
#[must_use = "telecrm may have ignored parts of the lead"]
pub enum Upserted {
    /// No lead had this identifier, and a lead was created.
    Created(Outcome<Created>),
    /// A lead with this identifier existed, and was updated.
    Updated {
        /// The ID of the lead.
        lead_id: String,
        /// The updated lead, and the outcome of all parts except the actions.
        lead: Outcome<LeadRecord>,
        /// The outcome of the actions. `None` if there were no actions to append.
        actions: Option<Outcome<Created>>,
    },
}

impl Upserted {
    /// Whether the lead was created.
    pub fn is_created(&self) -> bool {
        matches!(self, Self::Created(_))
    }
}

/// Repairs the fields of an update as the workspace needs them.
fn repaired(
    workspace: &Workspace,
    fields: BTreeMap<String, FieldValue>,
) -> Result<BTreeMap<String, FieldValue>, Error> {
    workspace
        .check_update(fields)
        .map_err(|finding| Error::would_lose(Operation::UpdateLead, finding))
}

/// Decodes a response that is one lead. A notice with a success status has other keys.
fn decode_lead(response: &Response) -> Result<LeadRecord, Error> {
    const TYPICAL_KEYS: [&str; 5] = ["created_on", "status", "phone", "name", "employeeid"];
    let lead: LeadRecord = response.decode()?;
    let is_lead = lead.id().is_some()
        || !lead.fields().is_empty()
        || !lead.actions().is_empty()
        || TYPICAL_KEYS.iter().any(|key| lead.extra().contains_key(*key));
    if !is_lead {
        let _: IgnoredAny = response.decode_member("fields")?;
    }
    Ok(lead)
}
