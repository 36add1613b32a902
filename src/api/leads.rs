//! Single leads, over the Sync API.

use crate::transport::Response;
use crate::transport::write_order::Target;
use crate::{ActionFilter, Actions, Error, Items, Operation, Period, Telecrm, pagination};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm_core::response::Page;
use telecrm_core::workspace::FieldType;
use telecrm_core::{
    ActionRecord, Created, FieldPath, FieldValue, Finding, Lead, LeadRecord, Outcome, Workspace,
};

/// Single leads, over the Sync API. From [`Telecrm::leads`].
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
/// use std::collections::BTreeMap;
/// use telecrm::{Filter, Lead, PageRequest};
///
/// let leads = telecrm.leads();
/// let lead = Lead::new().set("phone", "919999999999").set("status", "Fresh");
/// let lead_id = leads.create(&lead).await?.complete()?.lead_id;
/// assert_eq!(leads.get(&lead_id).await?.get("status"), Some(&"Fresh".into()));
///
/// let changes = BTreeMap::from([("rating".to_owned(), 4.into())]);
/// let updated = leads.update(&lead_id, changes).await?.complete()?;
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
pub struct Leads(pub(crate) Telecrm);

/// A part of a list: how many items to pass over, and how many to take.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::{Filter, PageRequest};
/// # let telecrm = telecrm::testing::FakeTelecrm::new().client();
///
/// // LE5: the server takes no more than 100, so nothing is sent.
/// let too_much = PageRequest { limit: 500, ..PageRequest::default() };
/// let error = telecrm.leads().search(&Filter::new(), too_much).await.unwrap_err();
/// assert_eq!(error.phase(), telecrm::Phase::NotBuilt);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items to pass over.
    pub skip: u32,
    /// How many items to take: 1 to 100 of leads and actions, 1 to 10 of team members.
    pub limit: u32,
}

/// The first ten, as the server takes it where nothing is said.
impl Default for PageRequest {
    fn default() -> Self {
        Self { skip: 0, limit: 10 }
    }
}

impl PageRequest {
    /// LE5, TM1: beyond the range the server answers 400.
    pub(crate) fn check(self, operation: Operation, most: u32) -> Result<(i64, i64), Error> {
        if (1..=most).contains(&self.limit) {
            Ok((self.skip.into(), self.limit.into()))
        } else {
            let message = format!(
                "`limit` is {}, and must be between 1 and {most}",
                self.limit
            );
            Err(Error::invalid(operation, message))
        }
    }
}

/// Which leads to find. Fields are joined by AND, the values of one field by OR.
///
/// Matching is exact, not by parts of a text, and ignores case; only `status` must be spelled to the letter (pitfall LE6).
///
/// ```
/// use telecrm::{ActionFilter, Filter, Period};
///
/// let this_year: jiff::Timestamp = "2026-01-01T00:00:00+05:30".parse()?;
/// let filter = Filter::new()
///     .eq("contact_source", "Website")
///     .any_of("status", ["Fresh", "Contacted"])
///     .between("created_on", Some(this_year), None)
///     .with_action(ActionFilter::new().of_type("OUTGOING_CALL"));
///
/// let june = Period::month(2026, 6, &jiff::tz::TimeZone::get("Asia/Kolkata")?)?;
/// let due = Filter::new().within("follow_up_date", june);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct Filter {
    pub(crate) fields: BTreeMap<String, FieldValue>,
    pub(crate) action: Option<ActionFilter>,
}

impl Filter {
    /// Every lead.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leads with this value.
    pub fn eq(mut self, api_name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.fields.insert(api_name.into(), value.into());
        self
    }

    /// Leads with one of these values.
    pub fn any_of<V: Into<FieldValue>>(
        self,
        api_name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.eq(api_name, one_or_many(values))
    }

    /// Leads with at least one entry on their timeline that meets all of this. Members are given by address here.
    pub fn with_action(mut self, action: ActionFilter) -> Self {
        self.action = Some(action);
        self
    }

    /// Leads with a date in this period: `created_on`, `modified_on` or a date field.
    pub fn within(self, api_name: impl Into<String>, period: Period) -> Self {
        self.between(api_name, period.from, period.to)
    }

    /// Leads with a date in this range, both ends included: `created_on`, `modified_on` or a date field.
    pub fn between(
        self,
        api_name: impl Into<String>,
        from: Option<jiff::Timestamp>,
        to: Option<jiff::Timestamp>,
    ) -> Self {
        let [from, to] = [from, to].map(|time| Some(time?.as_millisecond()));
        self.bounded(api_name, serde_json::Map::new(), from, to)
    }

    /// Leads with a date in `range`, as these bounds in milliseconds narrow it.
    pub(crate) fn bounded(
        self,
        api_name: impl Into<String>,
        mut range: serde_json::Map<String, Value>,
        from: Option<i64>,
        to: Option<i64>,
    ) -> Self {
        for (key, bound) in [("from", from), ("to", to)] {
            if let Some(bound) = bound {
                range.insert(key.to_owned(), bound.into());
            }
        }
        self.eq(api_name, Value::Object(range))
    }
}

/// A list of values, or the only one alone: the server takes either.
pub(crate) fn one_or_many<V: Into<FieldValue>>(values: impl IntoIterator<Item = V>) -> FieldValue {
    let mut values: Vec<FieldValue> = values.into_iter().map(Into::into).collect();
    match values.len() {
        1 => values.remove(0),
        _ => values.into(),
    }
}

/// Nobody says whether one of no values means no lead or every one.
pub(crate) fn some_value(
    operation: Operation,
    place: &str,
    value: Option<&FieldValue>,
) -> Result<(), Error> {
    match value.and_then(|value| value.as_json().as_array()) {
        Some(values) if values.is_empty() => {
            let message = format!("{place} is to be one of no values: nothing can match that");
            Err(Error::invalid(operation, message))
        }
        _ => Ok(()),
    }
}

/// As many entries of a timeline as the server gives at once.
const PAGE: u32 = 100;

/// How far the clock that dates answers may be from the one that dates leads.
const CLOCKS: Duration = Duration::from_secs(60);

impl Leads {
    /// Creates a lead. Parts that do not fit are ignored, and [blanks](Lead::stray_blanks) are not sent, which the [`Outcome`] tells.
    /// Which options are created, telecrm does not tell: [check](Workspace::check) the lead first, or see [`Workspace::new_options`].
    ///
    /// # Errors
    /// [`is_already_exists`](Error::is_already_exists) if there is a lead with this identifier (LE4).
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) if the answer was lost, and reading back failed or did not show the lead as it
    /// was sent: look before trying again.
    pub async fn create(&self, lead: &Lead) -> Result<Outcome<Created>, Error> {
        let this = Self(self.0.in_one_call());
        let clock = &self.0.shared().clock;
        let began = clock.now();
        let endpoint = this.0.sync()?;
        let answer = match endpoint.create_lead(lead).await {
            Ok(answer) => answer,
            // An attempt before this one was in doubt, and may be what stands in the way.
            Err(error) if error.is_already_exists() && error.is_outcome_unknown() => {
                let took = clock.now().saturating_duration_since(began);
                let ours = || jiff::Timestamp::try_from(clock.date()).ok();
                let since = error.answered().or_else(ours);
                let since = since.and_then(|answered| answered.checked_sub(took + CLOCKS).ok());
                return match this.settle(lead, since).await {
                    Ok(Some(outcome)) => Ok(outcome),
                    Ok(None) => Err(error),
                    // What could not be read leaves the doubt about what was written.
                    Err(unread) => Err(error.because(unread)),
                };
            }
            Err(error) => return Err(error),
        };
        endpoint.outcome(&answer, lead)
    }

    /// The creation, if the lead that exists is the one that was to be created. On an older one equal actions are older ones, too.
    async fn settle(
        &self,
        sent: &Lead,
        since: Option<jiff::Timestamp>,
    ) -> Result<Option<Outcome<Created>>, Error> {
        let workspace = self.0.workspace().await?;
        let Some(found) = self.find(&workspace, sent).await? else {
            return Ok(None);
        };
        let is_ours = found
            .created()
            .zip(since)
            .is_some_and(|(created, since)| created >= since);
        if !is_ours && !sent.actions().is_empty() {
            return Ok(None);
        }
        let timeline = self.timeline(&found).await?;
        let read_back = sent.clone().without_stray_blanks();
        let compared = workspace.compare(&read_back, &found, timeline.as_deref());
        let is_complete = compared.losses.is_empty() && compared.unreadable.is_empty();
        let id = found.id().filter(|_| is_complete);
        Ok(id.map(|id| Outcome::found(id.to_owned(), sent)))
    }

    /// Reads a lead.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no lead with this ID.
    pub async fn get(&self, lead_id: &str) -> Result<LeadRecord, Error> {
        self.read(lead_id, None).await
    }

    /// Reads a lead with a part of its timeline, newest first. Every kind of entry is in it.
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
    /// use telecrm::{CustomAction, Lead, PageRequest};
    ///
    /// let visit = CustomAction::new(1001)?.field("note", "called");
    /// let lead = Lead::new().set("phone", "919999999999").action(visit);
    /// let lead_id = telecrm.leads().create(&lead).await?.complete()?.lead_id;
    /// let lead = telecrm.leads().get_with_actions(&lead_id, PageRequest { skip: 0, limit: 20 }).await?;
    /// assert_eq!(lead.actions()[0].fields().unwrap()["note"], "called");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no lead with this ID; invalid if `limit` is not 1 to 100.
    pub async fn get_with_actions(
        &self,
        lead_id: &str,
        slice: PageRequest,
    ) -> Result<LeadRecord, Error> {
        self.read(lead_id, Some(slice)).await
    }

    async fn read(&self, lead_id: &str, actions: Option<PageRequest>) -> Result<LeadRecord, Error> {
        let slice = actions
            .map(|slice| slice.check(Operation::GetLead, 100))
            .transpose()?;
        one_lead(&self.0.sync()?.get_lead(lead_id, slice).await?)
    }

    /// Changes fields of a lead; the others stay. Those of a type of your own are
    /// [`Lead::from_serialize(&changes)?.fields().clone()`](Lead::from_serialize).
    ///
    /// Checked against the workspace first, because telecrm drops an unknown status or field here without a word
    /// (LE8), and answers every other mistake with a refusal (LE1, LE9). Values are mended as [`Workspace::check`] does it.
    /// [Findings](Outcome::findings) tell of options that telecrm creates (EN5), of values that it takes for something else, such as
    /// seconds for milliseconds (AS4), and of what the answered lead does not show, as after a change of the workspace that this
    /// client has not seen; blanks that are left out of a list are remarks.
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
    /// use std::collections::BTreeMap;
    /// use telecrm::FindingKind;
    /// # let lead = telecrm.leads().create(&telecrm::Lead::new().set("phone", "919999999999")).await?;
    /// # let lead_id = lead.complete()?.lead_id;
    ///
    /// let changes = BTreeMap::from([("contact_source".to_owned(), "Billboard".into())]);
    /// let updated = telecrm.leads().update(&lead_id, changes).await?;
    /// assert_eq!(updated.findings()[0].kind, FindingKind::OptionCreated);
    /// assert_eq!(updated.complete()?.get("contact_source"), Some(&"Billboard".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Invalid if something would be lost or refused, or is a blank text that may be meant: see [`FieldValue::blank`].
    /// [`is_not_found`](Error::is_not_found) if there is no such lead.
    pub async fn update(
        &self,
        lead_id: &str,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<Outcome<LeadRecord>, Error> {
        let this = Self(self.0.in_one_call());
        let workspace = this.0.workspace().await?;
        let mut sent = Lead::new();
        *sent.fields_mut() = fields.clone();
        let fields = mended(&workspace, fields)?;
        this.write(&workspace, lead_id, &sent, fields).await
    }

    /// Writes what was made of the fields of `sent`.
    async fn write(
        &self,
        workspace: &Workspace,
        lead_id: &str,
        sent: &Lead,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<Outcome<LeadRecord>, Error> {
        let told = fields.iter().filter_map(|(name, value)| {
            let stored = workspace.accept_field(name, value);
            stored.finding(FieldPath::Field(name.clone()))
        });
        let told: Vec<_> = told.collect();
        let mut written = Lead::new();
        *written.fields_mut() = fields.clone();
        let write_order = &self.0.shared().write_order;
        let turn = write_order.enter(Target::Lead(lead_id.to_owned()));
        let answer = self.0.sync()?.update_lead(lead_id, fields, turn).await?;
        let lead = one_lead(&answer)?;
        // What was emptied need not be shown.
        let is_blank =
            |value: &FieldValue| value.as_str().is_some_and(|text| text.trim().is_empty());
        let shows = |name: &str| lead.get(name).is_some();
        written
            .fields_mut()
            .retain(|name, value| !is_blank(value) || shows(name));
        // The workspace may have changed since it was discovered, and what it no longer takes is dropped without a word (LE8).
        let lost = workspace.compare(&written, &lead, None).losses;
        let outcome = Outcome::updated(lead, sent).with_findings(told);
        Ok(outcome.with_findings(not_shown(lost)))
    }

    /// Creates a lead, or updates the one that has its identifier already, and says which happened.
    ///
    /// The update writes the fields without the identifier (LE1), then appends the actions; [blanks](Lead::stray_blanks) are
    /// left out of both, and remarked. What no answer tells are findings: keys beside `fields` and `actions`, which are lost,
    /// and options that telecrm creates.
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
    /// use telecrm::{Lead, Upserted};
    ///
    /// for rating in [3, 4] {
    ///     let lead = Lead::new().set("phone", "919999999999").set("rating", rating);
    ///     match telecrm.leads().upsert(&lead).await? {
    ///         Upserted::Created(outcome) => assert_eq!((rating, outcome.remarks().len()), (3, 0)),
    ///         Upserted::Updated { lead, .. } => assert_eq!(lead.complete()?.get("rating"), Some(&4.into())),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`update`](Self::update); also if it cannot be told whether the lead that exists is
    /// the one that was to be created. [`is_already_exists`](Error::is_already_exists) if that lead is not found by the identifier, or the
    /// search does not tell its ID (LE7). If the fields were written and the actions were not, [`updated_lead`](Error::updated_lead) says so.
    pub async fn upsert(&self, lead: &Lead) -> Result<Upserted, Error> {
        let this = Self(self.0.in_one_call());
        // Before anything is written: without it nobody could say what an update leaves out.
        let workspace = this.0.workspace().await?;
        let conflict = match this.create(lead).await {
            Ok(outcome) => {
                let created = outcome.with_findings(workspace.new_options(lead));
                return Ok(Upserted::Created(created));
            }
            // In doubt, the lead in the way may be this one, and its actions would be appended twice.
            Err(error) if error.is_already_exists() && !error.is_outcome_unknown() => error,
            Err(error) => return Err(error),
        };
        let Some(found) = this.find(&workspace, lead).await? else {
            return Err(conflict.because("no search finds the lead that is in the way"));
        };
        let Some(lead_id) = found.id().map(str::to_owned) else {
            return Err(conflict.because("the search does not tell the ID of that lead (LE7)"));
        };
        let mut sent = lead.clone();
        sent.fields_mut().remove(workspace.identifier().api_name());
        let mut appended = Lead::new();
        *appended.actions_mut() = std::mem::take(sent.actions_mut());
        let mut fields = sent.clone().without_stray_blanks().fields().clone();
        fields.retain(|_, value| !value.is_null());
        let fields = mended(&workspace, fields)?;
        crate::api::actions::check(appended.actions())?;
        let is_written = !fields.is_empty();
        let record = match is_written {
            true => this.write(&workspace, &lead_id, &sent, fields).await?,
            false => Outcome::updated(this.get(&lead_id).await?, &sent),
        };
        let actions = match appended.actions().is_empty() {
            true => None,
            false => {
                let created = this.actions(&lead_id).append(&appended).await;
                let created = created.map_err(|error| match is_written {
                    true => error.after_update(lead_id.clone()),
                    false => error,
                })?;
                Some(created.with_findings(workspace.new_options(&appended)))
            }
        };
        Ok(Upserted::Updated {
            lead_id,
            lead: record,
            actions,
        })
    }

    /// The lead with the identifier of this one, in whichever spelling the workspace has it.
    pub(crate) async fn find(
        &self,
        workspace: &Workspace,
        lead: &Lead,
    ) -> Result<Option<LeadRecord>, Error> {
        let Some(value) = identifier_of(workspace, lead) else {
            return Ok(None);
        };
        // The normal form first; a workspace may hold other spellings from before.
        let mut spellings: Vec<FieldValue> = Vec::new();
        if let Some(key) = workspace.identifier_key(value) {
            if is_phone(workspace) {
                spellings.push(format!("+{key}").into());
            }
            spellings.push(key.into());
        }
        if !spellings.contains(value) {
            spellings.push(value.clone());
        }
        let limit = 3;
        let filter = Filter::new().any_of(workspace.identifier().api_name(), spellings);
        let page = self.search(&filter, PageRequest { skip: 0, limit }).await?;
        Ok(same_lead(workspace, value, page.data))
    }

    /// The whole timeline; nothing if it cannot be read whole, or the lead's ID is not known.
    pub(crate) async fn timeline(
        &self,
        lead: &LeadRecord,
    ) -> Result<Option<Vec<ActionRecord>>, Error> {
        let Some(id) = lead.id() else {
            return Ok(None);
        };
        pagination::timeline::whole(|skip| async move {
            let slice = PageRequest { skip, limit: PAGE };
            let lead = self.get_with_actions(id, slice).await?;
            Ok(lead.actions().to_vec())
        })
        .await
    }

    /// A lead's timeline.
    pub fn actions(&self, lead_id: impl Into<String>) -> Actions {
        Actions {
            telecrm: self.0.clone(),
            lead_id: lead_id.into(),
        }
    }

    /// Every lead that matches, newest first: see [`Items`].
    ///
    /// An assignee together with several statuses, on which the server has been seen to fail (LE10), is asked for one
    /// status at a time and merged.
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
        pagination::leads(&self.0, filter)
    }

    /// How many leads match.
    ///
    /// # Errors
    /// As any read.
    pub async fn count(&self, filter: &Filter) -> Result<u64, Error> {
        let this = Self(self.0.in_one_call());
        let mut count = 0;
        for filter in filter.clone().branches() {
            let page = this
                .search(&filter, PageRequest { skip: 0, limit: 1 })
                .await?;
            count += page.total_count;
        }
        Ok(count)
    }

    /// Finds leads, newest first: one page.
    ///
    /// # Errors
    /// Invalid if `limit` is not 1 to 100, or a field is to be one of no values.
    pub async fn search(
        &self,
        filter: &Filter,
        slice: PageRequest,
    ) -> Result<Page<LeadRecord>, Error> {
        const OPERATION: Operation = Operation::SearchLeads;
        let part = slice.check(OPERATION, 100)?;
        for (name, value) in &filter.fields {
            some_value(OPERATION, &format!("`fields.{name}`"), Some(value))?;
        }
        if let Some(action) = &filter.action {
            action.check(OPERATION)?;
        }
        let answer = self.0.sync()?.search_leads(filter, part).await?;
        answer.decode_page(slice.skip)
    }
}

/// What [`Leads::upsert`] did.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "parts may have been ignored"]
pub enum Upserted {
    /// There was no lead with this identifier, so one was created.
    Created(Outcome<Created>),
    /// There was one, and its fields were written.
    Updated {
        /// Its ID.
        lead_id: String,
        /// The lead as it is now, and what became of its parts but the actions.
        lead: Outcome<LeadRecord>,
        /// What became of the actions, if there were any.
        actions: Option<Outcome<Created>>,
    },
}

/// What an update lost, as far as its answer tells.
pub(crate) fn not_shown(mut losses: Vec<Finding>) -> Vec<Finding> {
    for loss in &mut losses {
        loss.reason = "sent, and the answer does not show it".to_owned();
        loss.pitfall = Some("LE8".to_owned());
    }
    losses
}

/// The fields of an update in the form that telecrm takes.
fn mended(
    workspace: &Workspace,
    fields: BTreeMap<String, FieldValue>,
) -> Result<BTreeMap<String, FieldValue>, Error> {
    workspace
        .check_update(fields)
        .map_err(|finding| Error::would_lose(Operation::UpdateLead, finding))
}

/// Reads an answer that is one lead. A notice under 200 has other keys.
fn one_lead(answer: &Response) -> Result<LeadRecord, Error> {
    let lead: LeadRecord = answer.decode()?;
    let telling = ["created_on", "status", "phone", "name", "employeeid"];
    let is_lead = lead.id().is_some()
        || !lead.fields().is_empty()
        || !lead.actions().is_empty()
        || telling.iter().any(|key| lead.extra().contains_key(*key));
    if !is_lead {
        let _: IgnoredAny = answer.decode_member("fields")?;
    }
    Ok(lead)
}

/// The row of the lead that is meant: the digits of a foreign number may be found as those of a national one (ID2).
fn same_lead(
    workspace: &Workspace,
    value: &FieldValue,
    rows: Vec<LeadRecord>,
) -> Option<LeadRecord> {
    let Some(key) = workspace.identifier_key(value) else {
        return rows.into_iter().next();
    };
    let identifier = workspace.identifier().api_name();
    let mut in_other_spelling = None;
    for row in rows {
        if let Some(stored) = row.get(identifier) {
            let text = stored.as_str().map(str::to_lowercase);
            let text = text.unwrap_or_else(|| stored.to_string());
            let text = match is_phone(workspace) {
                true => text.trim_start_matches('+'),
                false => &text,
            };
            if text == key {
                return Some(row);
            }
            if workspace.identifier_key(stored).as_ref() != Some(&key) {
                continue;
            }
        }
        // An answer that does not tell it is taken at its word.
        in_other_spelling.get_or_insert(row);
    }
    in_other_spelling
}

/// Whether leads are told apart by numbers of phones, to which a leading `+` adds nothing. Of other texts it makes other leads.
fn is_phone(workspace: &Workspace) -> bool {
    let field = workspace.field(workspace.identifier().api_name());
    field.is_some_and(|field| field.field_type == FieldType::Phone)
}

/// The identifier's value, if it is one that a search can look for.
pub(crate) fn identifier_of<'a>(workspace: &Workspace, lead: &'a Lead) -> Option<&'a FieldValue> {
    let value = lead.get(workspace.identifier().api_name())?;
    let searchable = match value.as_json() {
        Value::String(text) => !text.trim().is_empty(),
        Value::Number(_) => true,
        _ => false,
    };
    searchable.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_of_another_number_is_not_taken_for_the_one_that_is_meant() {
        let row = |phone: &str| -> LeadRecord {
            let row = serde_json::json!({ "fields": { "phone": phone } });
            serde_json::from_str(&row.to_string()).expect("a row")
        };
        let workspace = Workspace::sample();
        let found = |value: &str, rows: &[&str]| {
            let rows = rows.iter().map(|phone| row(phone)).collect();
            let found = same_lead(&workspace, &value.into(), rows)?;
            found.get("phone").map(ToString::to_string)
        };
        let national = "\"916591234567\"".to_owned();
        assert_eq!(found("+6591234567", &["916591234567"]), None);
        assert_eq!(
            found("+6591234567", &["916591234567", "6591234567"]),
            Some("\"6591234567\"".to_owned())
        );
        assert_eq!(
            found("6591234567", &["6591234567", "916591234567"]),
            Some(national)
        );
    }
}
