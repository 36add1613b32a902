//! Filters: which leads and timeline entries a search finds.

use super::remarks;
use crate::http::ApiError;
use crate::profile::{Performers, StatusCase};
use crate::store::{Store, StoredAction, StoredLead};
use serde_json::{Map, Value};
use telecrm_core::workspace::FieldType;
use telecrm_core::{FieldPath, Finding, FindingKind};

/// The filter of a search for leads. A lead must match every part.
pub(super) struct Filter {
    fields: Vec<(String, Criterion)>,
    action: Option<ActionFilter>,
    /// The keys of the identifiers in the filter, which make it unnecessary to look at other leads.
    identifiers: Option<Vec<String>>,
}

enum Criterion {
    OneOf {
        values: Vec<Value>,
        /// Only status labels are case-sensitive (pitfall LE6).
        case_sensitive: bool,
    },
    Within(Range),
}

/// A range of time in Unix milliseconds, including both ends.
struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

/// A filter for timeline entries. One entry must match every part.
pub(super) struct ActionFilter {
    types: Option<Vec<String>>,
    /// Email addresses.
    performers: Option<Vec<String>>,
    at: Option<Range>,
}

impl Filter {
    /// Reads the body of a search. The findings name the keys that the search ignores and the
    /// values that match no lead.
    pub(super) fn read(
        body: &Value,
        store: &Store,
        status_case: StatusCase,
    ) -> Result<(Self, Vec<Finding>), ApiError> {
        let body = body.as_object().ok_or_else(invalid)?;
        let mut findings = unread(body, &["fields", "actions"], "");
        let mut filter = Self { fields: Vec::new(), action: None, identifiers: None };
        let identifier = store.workspace().identifier().api_name();
        for (name, wanted) in section(body, "fields")?.into_iter().flatten() {
            let criterion = Criterion::read(name, wanted, store, status_case, &mut findings)?;
            if let (Criterion::Within(_), Value::Object(bounds)) = (&criterion, wanted) {
                findings.extend(unread(bounds, &BOUNDS, &format!("fields.{name}.")));
            }
            if matches!(criterion, Criterion::OneOf { .. }) && name == identifier {
                // From the written value, since its normal form may read as another number (ID2).
                let key = |value: &Value| store.workspace().identifier_key(&value.clone().into());
                filter.identifiers = Some(list(wanted).iter().filter_map(key).collect());
            }
            filter.fields.push((name.clone(), criterion));
        }
        if let Some(wanted) = section(body, "actions")?.filter(|actions| !actions.is_empty()) {
            filter.action = Some(ActionFilter::read(wanted, store, "performed_at")?);
            findings.extend(unread_of_action(wanted, "performed_at", "actions."));
        }
        Ok((filter, findings))
    }

    /// Whether the filter has an assignee and several statuses (pitfall LE10).
    pub(super) fn is_assignee_and_statuses(&self) -> bool {
        let mut fields = self.fields.iter();
        let has_statuses = fields.any(|(name, criterion)| {
            let is_list = matches!(criterion, Criterion::OneOf { values, .. } if values.len() > 1);
            name == "status" && is_list
        });
        has_statuses && self.fields.iter().any(|(name, _)| name == "assignee")
    }

    /// The matching leads, from the newest to the oldest.
    pub(super) fn run<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = &'a StoredLead> {
        let candidates: Box<dyn Iterator<Item = &StoredLead>> = match &self.identifiers {
            Some(keys) => Box::new(store.with_identifiers(keys)),
            None => Box::new(store.newest_first()),
        };
        candidates.filter(|lead| self.fits(lead))
    }

    fn fits(&self, lead: &StoredLead) -> bool {
        let fields_fit = self.fields.iter().all(|(name, criterion)| {
            let value = lead.field(name);
            value.is_some_and(|value| criterion.fits(value.as_json()))
        });
        let has_action = |wanted: &ActionFilter| lead.actions().iter().any(|a| wanted.fits(a));
        fields_fit && self.action.as_ref().is_none_or(has_action)
    }
}

impl Criterion {
    fn read(
        name: &str,
        wanted: &Value,
        store: &Store,
        status_case: StatusCase,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, ApiError> {
        let field = store.workspace().field(name);
        let field_type = field.map(|field| &field.field_type);
        let is_own_time = matches!(name, "created_on" | "modified_on");
        // The form in which a lead stores the value, so that every spelling of a number matches.
        let mut normal_form = |value: &Value| {
            if is_own_time {
                return store.parse_time(value).map(Value::from);
            }
            let outcome = store.workspace().accept_field(name, &value.clone().into());
            // A filter names one tag, and a lead has a list of tags.
            if outcome.is_dropped() && field_type != Some(&FieldType::Tags) {
                let finding = outcome.finding(FieldPath::Field(name.to_owned()));
                findings.extend(finding.map(not_normalized));
            }
            outcome.stored().map(Value::from)
        };
        if let Value::Object(bounds) = wanted
            && (is_own_time || field_type == Some(&FieldType::Date))
        {
            let millis = |bound: &Value| normal_form(bound)?.as_i64();
            return Range::read(bounds, millis).map(Self::Within);
        }
        let mut values = Vec::new();
        for value in list(wanted) {
            if value.is_object() || value.is_array() || value.is_null() {
                return Err(invalid());
            }
            values.push(normal_form(value).unwrap_or_else(|| value.clone()));
        }
        let is_status = field_type == Some(&FieldType::Status);
        Ok(Self::OneOf { values, case_sensitive: is_status && status_case == StatusCase::Matters })
    }

    fn fits(&self, stored: &Value) -> bool {
        match self {
            Self::OneOf { values, case_sensitive } => {
                values.iter().any(|value| equal(stored, value, *case_sensitive))
            }
            Self::Within(range) => stored.as_i64().is_some_and(|time| range.contains(time)),
        }
    }
}

impl Range {
    fn read(
        bounds: &Map<String, Value>,
        mut millis: impl FnMut(&Value) -> Option<i64>,
    ) -> Result<Self, ApiError> {
        let mut bound = |name| match bounds.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(bound) => millis(bound).map(Some).ok_or_else(invalid),
        };
        Ok(Self { from: bound("from")?, to: bound("to")? })
    }

    fn contains(&self, time: i64) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time <= to)
    }
}

impl ActionFilter {
    fn read(wanted: &Map<String, Value>, store: &Store, time: &str) -> Result<Self, ApiError> {
        let at = section(wanted, time)?
            .map(|bounds| Range::read(bounds, |bound| store.parse_time(bound)));
        Ok(Self {
            types: texts(wanted, "type")?,
            performers: texts(wanted, "performed_by")?,
            at: at.transpose()?,
        })
    }

    /// Reads the body of a search for timeline entries. The findings name the keys that the search
    /// ignores. According to the documentation, performers are IDs here (pitfall AC7).
    pub(super) fn for_timeline(
        body: &Value,
        store: &Store,
        performers: Performers,
    ) -> Result<(Self, Vec<Finding>), ApiError> {
        let wanted = body.as_object().ok_or_else(invalid)?;
        let mut filter = Self::read(wanted, store, "created_on")?;
        for performer in filter.performers.iter_mut().flatten() {
            match store.team().email_of(performer) {
                Some(email) => *performer = email.to_owned(),
                // No entry has an empty performer.
                None if performers == Performers::Ids => performer.clear(),
                None => {}
            }
        }
        Ok((filter, unread_of_action(wanted, "created_on", "")))
    }

    pub(super) fn fits(&self, action: &StoredAction) -> bool {
        let one_of = |wanted: &Option<Vec<String>>, is: Option<&str>| match (wanted, is) {
            (None, _) => true,
            (Some(wanted), Some(is)) => wanted.iter().any(|one| same_text(one, is)),
            (Some(_), None) => false,
        };
        let at = self.at.as_ref();
        one_of(&self.types, Some(action.type_name()))
            && one_of(&self.performers, action.performer())
            && at.is_none_or(|range| range.contains(action.created))
    }
}

/// Turns the finding for a value that no lead can have into one for a filter.
fn not_normalized(mut finding: Finding) -> Finding {
    finding.kind = FindingKind::ValueChanged;
    finding.reason = format!("the search compares this value as written: {}", finding.reason);
    finding
}

/// The keys of a range of time.
const BOUNDS: [&str; 2] = ["from", "to"];

/// Findings for keys that the search ignores, so that it finds more than was asked for.
fn unread(of: &Map<String, Value>, read: &[&str], place: &str) -> Vec<Finding> {
    let mut findings = remarks::unread(of, read, place);
    for finding in &mut findings {
        let key = finding.path.to_string();
        if ["skip", "limit"].contains(&key.as_str()) {
            finding.suggestion = Some(format!("write it in the query of the URL: ?{key}=…"));
        }
    }
    findings
}

fn unread_of_action(of: &Map<String, Value>, time: &str, place: &str) -> Vec<Finding> {
    let mut findings = unread(of, &["type", "performed_by", time], place);
    if let Some(Value::Object(bounds)) = of.get(time) {
        findings.extend(unread(bounds, &BOUNDS, &format!("{place}{time}.")));
    }
    findings
}

/// A part of the filter. Returns None if it is missing.
fn section<'a>(
    of: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, ApiError> {
    match of.get(name) {
        None => Ok(None),
        Some(Value::Object(section)) => Ok(Some(section)),
        Some(_) => Err(invalid()),
    }
}

/// The values of a list, or the single value.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

/// One text or a list of texts. Returns None if the key is missing.
fn texts(of: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    let Some(value) = of.get(name) else {
        return Ok(None);
    };
    let texts = list(value).iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().map(Some).ok_or_else(invalid)
}

fn equal(stored: &Value, wanted: &Value, case_sensitive: bool) -> bool {
    match (stored, wanted) {
        // One matching tag is enough.
        (Value::Array(items), _) => items.iter().any(|item| equal(item, wanted, case_sensitive)),
        (Value::String(one), Value::String(other)) if !case_sensitive => same_text(one, other),
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => stored == wanted,
    }
}

fn same_text(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

fn invalid() -> ApiError {
    ApiError::bad_request("Invalid filter")
}
