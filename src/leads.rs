//! Single leads, over the Sync API.

use crate::{Error, Operation, Telecrm};
use std::collections::BTreeMap;
use telecrm_core::{Created, FieldValue, Lead, LeadRecord, Outcome, Page};

/// Single leads, over the Sync API. From [`Telecrm::leads`].
#[derive(Debug, Clone)]
pub struct Leads(pub(crate) Telecrm);

/// A part of a list: how many items to pass over, and how many to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// How many items to pass over.
    pub skip: u32,
    /// How many items to take: 1 to 100 for leads and actions.
    pub limit: u32,
}

/// The first ten, as the server takes it where nothing is said.
impl Default for Slice {
    fn default() -> Self {
        Self { skip: 0, limit: 10 }
    }
}

impl Slice {
    /// LE5: beyond the range the server answers 400.
    fn check(self, operation: Operation) -> Result<(i64, i64), Error> {
        if (1..=100).contains(&self.limit) {
            Ok((self.skip.into(), self.limit.into()))
        } else {
            let message = format!("`limit` is {}, and must be between 1 and 100", self.limit);
            Err(Error::invalid(operation, message))
        }
    }
}

/// Which leads to find. Fields are joined by AND, the values of one field by OR.
///
/// Matching is exact, not by parts of a text, and ignores case; only `status` must be spelled to the letter (pitfall LE6).
///
/// ```
/// use telecrm::Filter;
///
/// let this_year: jiff::Timestamp = "2026-01-01T00:00:00+05:30".parse()?;
/// let filter = Filter::new()
///     .eq("contact_source", "Website")
///     .any_of("status", ["Fresh", "Contacted"])
///     .between("created_on", Some(this_year), None);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct Filter {
    pub(crate) fields: BTreeMap<String, FieldValue>,
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
        let values: Vec<FieldValue> = values.into_iter().map(Into::into).collect();
        self.eq(api_name, values)
    }

    /// Leads with a date in this range, both ends included: `created_on`, `modified_on` or a date field.
    pub fn between(
        self,
        api_name: impl Into<String>,
        from: Option<jiff::Timestamp>,
        to: Option<jiff::Timestamp>,
    ) -> Self {
        let bounds = [("from", from), ("to", to)].into_iter();
        let range: serde_json::Map<_, _> = bounds
            .filter_map(|(key, time)| Some((key.to_owned(), time?.as_millisecond().into())))
            .collect();
        self.eq(api_name, serde_json::Value::Object(range))
    }
}

impl Leads {
    /// Creates a lead. Parts that do not fit are ignored, which the [`Outcome`] tells.
    ///
    /// # Errors
    /// [`is_already_exists`](Error::is_already_exists) if there is a lead with this identifier (LE4).
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) if the answer was lost: read back before trying again.
    pub async fn create(&self, lead: &Lead) -> Result<Outcome<Created>, Error> {
        let answer = self.0.0.sync()?.create_lead(lead).await?;
        Outcome::from_answer(&answer.body, lead).map_err(|error| answer.unreadable(error))
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
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no lead with this ID; invalid if `limit` is not 1 to 100.
    pub async fn get_with_actions(&self, lead_id: &str, slice: Slice) -> Result<LeadRecord, Error> {
        self.read(lead_id, Some(slice)).await
    }

    async fn read(&self, lead_id: &str, actions: Option<Slice>) -> Result<LeadRecord, Error> {
        let slice = actions
            .map(|slice| slice.check(Operation::GetLead))
            .transpose()?;
        self.0.0.sync()?.get_lead(lead_id, slice).await?.decode()
    }

    /// Changes fields of a lead; the others stay. The identifier cannot be changed (LE1), and an unknown status is
    /// dropped without a word (LE8).
    ///
    /// # Errors
    /// Answered with 400 if a value does not fit its type (LE9), 403 if the identifier is among the fields,
    /// [`is_not_found`](Error::is_not_found) if there is no such lead.
    pub async fn update(
        &self,
        lead_id: &str,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<LeadRecord, Error> {
        self.0
            .0
            .sync()?
            .update_lead(lead_id, fields)
            .await?
            .decode()
    }

    /// Finds leads, newest first: one page.
    ///
    /// # Errors
    /// Invalid if `limit` is not 1 to 100.
    pub async fn search(&self, filter: &Filter, slice: Slice) -> Result<Page<LeadRecord>, Error> {
        let slice = slice.check(Operation::SearchLeads)?;
        self.0.0.sync()?.search_leads(filter, slice).await?.decode()
    }
}
