//! Filters for leads and actions, and periods of days in a time zone.

use crate::pagination::time_window::TimeWindow;
use crate::{Error, Operation};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use telecrm_core::{ActionCode, FieldValue, LeadRecord};

/// Selects leads. A lead must match every field of the filter, and one of the values of each field.
///
/// Values match as a whole and ignore case, except that `status` is case-sensitive (LE6).
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
///
/// // A filter can be stored as JSON.
/// let stored = serde_json::to_string(&filter)?;
/// assert_eq!(serde_json::from_str::<Filter>(&stored)?, filter);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// An unknown key would be a condition that is not applied.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Filter {
    pub(crate) fields: BTreeMap<String, FieldValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<ActionFilter>,
}

const CREATED_ON: &str = "created_on";

impl Filter {
    /// Creates a filter that matches every lead.
    pub fn new() -> Self {
        Self::default()
    }

    /// Matches leads with this value.
    pub fn eq(mut self, api_name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.fields.insert(api_name.into(), value.into());
        self
    }

    /// Matches leads with one of these values.
    pub fn any_of<V: Into<FieldValue>>(
        self,
        api_name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.eq(api_name, one_or_many(values))
    }

    /// Matches leads with at least one action that matches this filter. Team members are given by
    /// email address here (AC7).
    pub fn with_action(mut self, action: ActionFilter) -> Self {
        self.action = Some(action);
        self
    }

    /// Matches leads with a date in this period: `created_on`, `modified_on` or a date field.
    pub fn within(self, api_name: impl Into<String>, period: Period) -> Self {
        self.between(api_name, period.from, period.to)
    }

    /// Matches leads with a date in this range, both ends included: `created_on`, `modified_on` or
    /// a date field.
    pub fn between(
        self,
        api_name: impl Into<String>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Self {
        let mut range = Map::new();
        set_bounds(&mut range, window(from, to));
        self.eq(api_name, Value::Object(range))
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        for (name, value) in &self.fields {
            check_values(operation, &format!("`fields.{name}`"), Some(value))?;
        }
        self.action.as_ref().map_or(Ok(()), |action| action.check(operation))
    }

    /// Returns a field of the lead that has none of the values of the filter. Only texts are
    /// compared, and numbers of phones by their last digits.
    pub(crate) fn contradicted_by(&self, lead: &LeadRecord) -> Option<&str> {
        let is_time = |name: &str| [CREATED_ON, "modified_on"].contains(&name);
        let mut fields = self.fields.iter().filter(|(name, _)| !is_time(name));
        let contradicted = fields.find(|(name, wanted)| {
            let shown = lead.get(name).map(texts).unwrap_or_default();
            let wanted = texts(wanted);
            let differ = |shown: &&str| wanted.iter().all(|wanted| differ(shown, wanted));
            !shown.is_empty() && !wanted.is_empty() && shown.iter().all(differ)
        });
        contradicted.map(|(name, _)| name.as_str())
    }

    /// Returns the range of creation times, as far as it is given in milliseconds.
    pub(crate) fn created_on(&self) -> TimeWindow {
        let range = self.fields.get(CREATED_ON).map(FieldValue::as_json);
        let bound = |key| range?.get(key)?.as_i64();
        TimeWindow { from: bound("from"), to: bound("to") }
    }

    /// Whether [`narrowed`](Self::narrowed) keeps the meaning of the filter: an exact creation time
    /// cannot be replaced with a range.
    pub(crate) fn can_be_narrowed(&self) -> bool {
        let value = self.fields.get(CREATED_ON).map(FieldValue::as_json);
        matches!(value, None | Some(Value::Object(_)))
    }

    /// Narrows the range of creation times to a window.
    pub(crate) fn narrowed(self, window: TimeWindow) -> Self {
        let mut range = match self.fields.get(CREATED_ON).map(FieldValue::as_json) {
            Some(Value::Object(range)) => range.clone(),
            _ => Map::new(),
        };
        set_bounds(&mut range, window);
        self.eq(CREATED_ON, Value::Object(range))
    }

    /// Splits an assignee with several statuses into one filter per status, because the server was
    /// seen to fail on the combination (LE10).
    pub(crate) fn branches(self) -> Vec<Self> {
        let statuses = self.fields.get("status").and_then(FieldValue::as_strings);
        match statuses {
            Some(statuses) if statuses.len() > 1 && self.fields.contains_key("assignee") => {
                let mut branches = Vec::new();
                for status in statuses {
                    let branch = self.clone().eq("status", status);
                    if !branches.contains(&branch) {
                        branches.push(branch);
                    }
                }
                branches
            }
            _ => vec![self],
        }
    }
}

/// Selects actions. An action must match all conditions.
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ActionFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<FieldValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) performed_by: Option<FieldValue>,
    pub(crate) performed_at: TimeWindow,
}

impl ActionFilter {
    /// Creates a filter that matches every action.
    pub fn new() -> Self {
        Self::default()
    }

    /// Matches actions of a type that telecrm records by itself, such as `OUTGOING_CALL`, or
    /// `PAYMENT`.
    pub fn of_type(mut self, action_type: impl Into<String>) -> Self {
        self.kind = Some(action_type.into().into());
        self
    }

    /// Matches custom actions with this code.
    pub fn of_code(mut self, code: impl Into<ActionCode>) -> Self {
        self.kind = Some(code.into().bare().into());
        self
    }

    /// Matches actions of these team members: by ID, which no endpoint returns, or in a search for
    /// leads by email address (AC7).
    pub fn performed_by<V: Into<FieldValue>>(
        mut self,
        members: impl IntoIterator<Item = V>,
    ) -> Self {
        self.performed_by = Some(one_or_many(members));
        self
    }

    /// Matches actions recorded in this range, both ends included.
    pub fn between(mut self, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        self.performed_at = window(from, to);
        self
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        check_values(operation, "the action type", self.kind.as_ref())?;
        check_values(operation, "`performed_by`", self.performed_by.as_ref())
    }

    /// Returns the bounds of the range as the API takes them, or `None` without a range.
    pub(crate) fn times(&self) -> Option<(Option<FieldValue>, Option<FieldValue>)> {
        let TimeWindow { from, to } = self.performed_at;
        (from.is_some() || to.is_some()).then(|| (from.map(Into::into), to.map(Into::into)))
    }

    pub(crate) fn window(&self) -> TimeWindow {
        self.performed_at
    }

    pub(crate) fn narrowed(mut self, window: TimeWindow) -> Self {
        self.performed_at = window;
        self
    }
}

/// A period of time, both ends included, in milliseconds.
///
/// telecrm filters by Unix milliseconds, but users think in days of their time zone. For India, a
/// month in UTC begins and ends five and a half hours too late.
///
/// ```
/// use jiff::{civil::date, tz::TimeZone};
/// use telecrm::{Filter, Period};
///
/// let india = TimeZone::get("Asia/Kolkata")?;
/// let june = Period::month(2026, 6, &india)?;
/// assert_eq!(june.from.unwrap().to_string(), "2026-05-31T18:30:00Z");
/// assert_eq!(june.to.unwrap().to_string(), "2026-06-30T18:29:59.999Z");
///
/// let filter = Filter::new().within("created_on", june);
/// let today = Period::day(date(2026, 6, 1), &india)?;
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// The first millisecond. `None` if the period has no start.
    pub from: Option<Timestamp>,
    /// The last millisecond. `None` if the period has no end.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Creates the period of one day in a time zone.
    ///
    /// # Errors
    /// Returns an error if the day is outside the range of [`Timestamp`].
    pub fn day(day: Date, zone: &TimeZone) -> Result<Self, jiff::Error> {
        Self::days(day, day, zone)
    }

    /// Creates the period from one day to another, both included, in a time zone.
    ///
    /// ```
    /// use jiff::{civil::date, tz::TimeZone};
    /// use telecrm::Period;
    ///
    /// let india = TimeZone::get("Asia/Kolkata")?;
    /// let week = Period::days(date(2026, 6, 1), date(2026, 6, 7), &india)?;
    /// assert_eq!(week.from.unwrap().to_string(), "2026-05-31T18:30:00Z");
    /// # Ok::<(), jiff::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if a day is outside the range of [`Timestamp`].
    pub fn days(first: Date, last: Date, zone: &TimeZone) -> Result<Self, jiff::Error> {
        let from = zone.to_timestamp(first.into())?;
        let after = zone.to_timestamp(last.tomorrow()?.into())?;
        let to = Timestamp::from_millisecond(after.as_millisecond() - 1)?;
        Ok(Self { from: Some(from), to: Some(to) })
    }

    /// Creates the period of one month, 1 to 12, in a time zone.
    ///
    /// # Errors
    /// Returns an error if the month does not exist.
    pub fn month(year: i16, month: i8, zone: &TimeZone) -> Result<Self, jiff::Error> {
        let first = Date::new(year, month, 1)?;
        Self::days(first, first.last_of_month(), zone)
    }

    /// Creates the period from this moment on, without an end.
    ///
    /// ```
    /// use telecrm::{Filter, Period};
    ///
    /// let this_year = Period::since("2026-01-01T00:00:00+05:30".parse()?);
    /// let filter = Filter::new().within("created_on", this_year);
    /// assert_eq!(this_year.to, None);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn since(from: Timestamp) -> Self {
        Self { from: Some(from), to: None }
    }
}

fn window(from: Option<Timestamp>, to: Option<Timestamp>) -> TimeWindow {
    TimeWindow {
        from: from.map(|time| time.as_millisecond()),
        to: to.map(|time| time.as_millisecond()),
    }
}

fn set_bounds(range: &mut Map<String, Value>, window: TimeWindow) {
    for (key, bound) in [("from", window.from), ("to", window.to)] {
        if let Some(bound) = bound {
            range.insert(key.to_owned(), bound.into());
        }
    }
}

/// Returns a single value as it is, and others as a list. The API accepts both.
fn one_or_many<V: Into<FieldValue>>(values: impl IntoIterator<Item = V>) -> FieldValue {
    let mut values: Vec<FieldValue> = values.into_iter().map(Into::into).collect();
    match values.len() {
        1 => values.remove(0),
        _ => values.into(),
    }
}

/// Returns a text or the texts of a list.
fn texts(value: &FieldValue) -> Vec<&str> {
    match value.as_str() {
        Some(text) => vec![text],
        None => value.as_strings().unwrap_or_default(),
    }
}

fn letters_and_digits(text: &str) -> String {
    text.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Whether two texts surely are not the same value to a search.
fn differ(one: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let has_letters = |text: &str| text.chars().any(char::is_alphabetic);
    if has_letters(one) && has_letters(other) {
        // A team member can be given by ID or by address.
        return one.contains('@') == other.contains('@')
            && letters_and_digits(one) != letters_and_digits(other);
    }
    let (one_digits, other_digits) = (digits(one), digits(other));
    let is_phone = |text: &str, digits: &str| !has_letters(text) && digits.len() >= 10;
    is_phone(one, &one_digits)
        && is_phone(other, &other_digits)
        && one_digits[one_digits.len() - 7..] != other_digits[other_digits.len() - 7..]
}

/// Refuses an empty list: the documentation does not say whether it matches no lead or every lead.
fn check_values(
    operation: Operation,
    place: &str,
    value: Option<&FieldValue>,
) -> Result<(), Error> {
    match value.and_then(|value| value.as_json().as_array()) {
        Some(values) if values.is_empty() => {
            let message = format!("filter {place} has an empty value list");
            Err(Error::invalid(operation, message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// The months of a year follow each other to the millisecond.
    fn assert_no_gap_or_overlap(zone: &str) {
        let zone = TimeZone::get(zone).unwrap();
        for month in 1..12 {
            let this = Period::month(2026, month, &zone).unwrap();
            let next = Period::month(2026, month + 1, &zone).unwrap();
            let gap = next.from.unwrap().as_millisecond() - this.to.unwrap().as_millisecond();
            assert_eq!(gap, 1, "{zone:?} {month}");
        }
        let day = Period::day(date(2026, 2, 28), &zone).unwrap();
        assert_eq!(day.to, Period::month(2026, 2, &zone).unwrap().to);
    }

    #[test]
    fn a_stored_filter_keeps_every_condition() {
        let time = Timestamp::from_millisecond(1_780_315_200_000).unwrap();
        let visits = ActionFilter::new().of_code(1001).performed_by(["a@example.com", "b"]);
        let filter = Filter::new()
            .any_of("status", ["Fresh", "Won"])
            .between("created_on", Some(time), None)
            .with_action(visits.between(None, Some(time)));
        let stored = serde_json::to_string(&filter).unwrap();
        assert_eq!(serde_json::from_str::<Filter>(&stored).unwrap(), filter);
    }

    #[test]
    fn an_unknown_condition_of_a_stored_filter_is_an_error() {
        let error = serde_json::from_str::<Filter>(r#"{"fields":{},"batch":"June"}"#).unwrap_err();
        assert!(error.to_string().contains("`batch`"), "{error}");
    }

    #[test]
    fn months_in_india_have_no_gap_or_overlap() {
        assert_no_gap_or_overlap("Asia/Kolkata");
    }

    #[test]
    fn months_with_daylight_saving_time_have_no_gap_or_overlap() {
        assert_no_gap_or_overlap("Europe/Berlin");
    }

    #[test]
    fn months_west_of_greenwich_have_no_gap_or_overlap() {
        assert_no_gap_or_overlap("America/Sao_Paulo");
    }

    #[test]
    fn months_in_utc_have_no_gap_or_overlap() {
        assert_no_gap_or_overlap("UTC");
    }

    #[test]
    fn a_month_that_does_not_exist_is_an_error() {
        assert!(Period::month(2026, 13, &TimeZone::UTC).is_err());
    }
}
