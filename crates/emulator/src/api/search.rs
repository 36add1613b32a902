//! Filters: which leads and timeline entries a search finds.

use super::remarks;
use crate::http::ApiError;
use crate::profile::{Performers, StatusCase};
use crate::repairs::{plain, repaired};
use crate::store::{Store, StoredAction, StoredLead};
use serde_json::{Map, Value};
use telecrm_core::workspace::FieldType;
use telecrm_core::{ActionCode, Certainty, FieldPath, FieldValue, Finding, FindingKind, Workspace};

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
        let body = body.as_object().ok_or_else(|| invalid("the body", "an object", body))?;
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
                // Two leads can spell the same identifier differently.
                continue;
            }
            filter.fields.push((name.clone(), criterion));
        }
        if let Some(wanted) = section(body, "actions")?.filter(|actions| !actions.is_empty()) {
            let action = ActionFilter::read(wanted, store, "performed_at")?;
            findings.extend(unfit_action(&action, store, "actions.", "performed_at"));
            filter.action = Some(action);
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
        let workspace = store.workspace();
        let field = workspace.field(name);
        let is_own_time = matches!(name, "created_on" | "modified_on");
        let place = || format!("fields.{name}");
        // The form in which a lead stores the value, so that every spelling of a number matches.
        let normal_form = |value: &Value| {
            if is_own_time {
                return store.parse_time(value).map(Value::from);
            }
            workspace.accept_field(name, &value.clone().into()).stored().map(Value::from)
        };
        if let Value::Object(bounds) = wanted
            && (is_own_time || field.is_some_and(|field| field.field_type == FieldType::Date))
        {
            let millis = |bound: &Value| normal_form(bound)?.as_i64();
            let range = Range::read(bounds, &place(), millis)?;
            findings.extend(range.unfit(FieldPath::Field(name.to_owned())));
            return Ok(Self::Within(range));
        }
        let is_status = field.is_some_and(|field| field.field_type == FieldType::Status);
        let case_sensitive = is_status && status_case == StatusCase::Matters;
        let mut values = Vec::new();
        for value in list(wanted) {
            if value.is_object() || value.is_array() || value.is_null() {
                let expected = "a text, a number, or a list of them";
                return Err(invalid(&place(), expected, value));
            }
            let normal = normal_form(value).unwrap_or_else(|| value.clone());
            let unfit = || unfit_field(workspace, name, value, &normal, case_sensitive);
            findings.extend((!is_own_time).then(unfit).flatten());
            values.push(normal);
        }
        if values.is_empty() {
            let path = FieldPath::Field(name.to_owned());
            findings.push(unfit(path, "the list of values is empty, so no lead fits".to_owned()));
        }
        Ok(Self::OneOf { values, case_sensitive })
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
        place: &str,
        mut millis: impl FnMut(&Value) -> Option<i64>,
    ) -> Result<Self, ApiError> {
        let mut bound = |name| match bounds.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(bound) => millis(bound).map(Some).ok_or_else(|| {
                invalid(&format!("{place}.{name}"), "a time in Unix milliseconds", bound)
            }),
        };
        Ok(Self { from: bound("from")?, to: bound("to")? })
    }

    /// A finding if the range contains no time.
    fn unfit(&self, path: FieldPath) -> Option<Finding> {
        let (from, to) = (self.from?, self.to?);
        let reason = || format!("the range ends ({to}) before it begins ({from}), so nothing fits");
        (from > to).then(|| unfit(path, reason()))
    }

    fn contains(&self, time: i64) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time <= to)
    }
}

impl ActionFilter {
    fn read(wanted: &Map<String, Value>, store: &Store, time: &str) -> Result<Self, ApiError> {
        let at = section(wanted, time)?
            .map(|bounds| Range::read(bounds, time, |bound| store.parse_time(bound)));
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
        let wanted = body.as_object().ok_or_else(|| invalid("the body", "an object", body))?;
        let mut filter = Self::read(wanted, store, "created_on")?;
        for performer in filter.performers.iter_mut().flatten() {
            match store.team().email_of(performer) {
                Some(email) => *performer = email.to_owned(),
                // No entry has an empty performer.
                None if performers == Performers::Ids => performer.clear(),
                None => {}
            }
        }
        let mut findings = unfit_action(&filter, store, "", "created_on");
        findings.extend(unread_of_action(wanted, "created_on", ""));
        Ok((filter, findings))
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

/// A finding about a part of the filter that nothing can fit.
fn unfit(path: FieldPath, reason: String) -> Finding {
    Finding::new(path, FindingKind::Doubtful, Certainty::Inferred, reason)
}

/// The finding about a value that no lead can have in this field. Returns None if a lead can.
fn unfit_field(
    workspace: &Workspace,
    name: &str,
    value: &Value,
    normal: &Value,
    case_sensitive: bool,
) -> Option<Finding> {
    let path = FieldPath::Field(name.to_owned());
    let field = workspace.field(name);
    let mut labels: Vec<&str> = Vec::new();
    match field.map(|field| &field.field_type) {
        Some(FieldType::Status) => {
            let pipeline = workspace.pipeline()?;
            labels.extend(pipeline.statuses.iter().flatten().map(|status| status.label.as_str()));
        }
        Some(FieldType::LostReason) => {
            let pipeline = workspace.pipeline()?;
            labels
                .extend(pipeline.lost_reasons.iter().flatten().map(|reason| reason.label.as_str()));
        }
        Some(FieldType::Dropdown | FieldType::Tags) => {
            labels.extend(field?.options.iter().map(String::as_str));
        }
        _ => {}
    }
    let written = FieldValue::from(value.clone());
    if !labels.is_empty() {
        if labels.iter().any(|label| equal(&(*label).into(), normal, case_sensitive)) {
            return None;
        }
        let reason = format!("`{}` is no label of {name}, so it fits no lead", plain(&written));
        let mut finding = unfit(path, reason);
        let like = |label: &&&str| equal(&(**label).into(), normal, false);
        finding.suggestion = Some(match labels.iter().find(like) {
            Some(label) => format!("write `{label}`, since the case matters (LE6)"),
            None => format!("use one of `{}`", labels.join("`, `")),
        });
        return Some(finding);
    }
    let outcome = workspace.accept_field(name, &written);
    // A filter names one tag, and a lead has a list of tags.
    let is_dropped =
        outcome.is_dropped() && field.is_none_or(|field| field.field_type != FieldType::Tags);
    let dropped = outcome.finding(path.clone()).filter(|_| is_dropped)?;
    let repaired = repaired(workspace, name, &written).map(|value| format!("write `{value}`"));
    let reason = format!("`{}` fits no lead: {}", plain(&written), dropped.reason);
    let mut finding = unfit(path, reason);
    finding.suggestion = repaired.or(dropped.suggestion);
    Some(finding)
}

/// Findings about types and times that no entry of a timeline can have.
fn unfit_action(wanted: &ActionFilter, store: &Store, place: &str, time: &str) -> Vec<Finding> {
    let path = |key: &str| FieldPath::Key(format!("{place}{key}"));
    let mut findings = Vec::new();
    for written in wanted.types.iter().flatten() {
        let Ok(code) = written.parse::<ActionCode>() else {
            continue;
        };
        let is_known = store.workspace().action(&code).is_some();
        if is_known && code.bare() == written {
            continue;
        }
        let reason = format!("`{written}` fits no action: a filter names the bare code (AC2)");
        let mut finding = unfit(path("type"), reason);
        if is_known {
            finding.suggestion = Some(format!("write `{}`", code.bare()));
        } else {
            finding.reason = format!("`{written}` fits no action: the workspace lacks this code");
        }
        findings.push(finding);
    }
    findings.extend(wanted.at.as_ref().and_then(|range| range.unfit(path(time))));
    findings
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
        Some(other) => Err(invalid(name, "an object", other)),
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
    let expected = "a text or a list of texts";
    texts.collect::<Option<_>>().map(Some).ok_or_else(|| invalid(name, expected, value))
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

fn invalid(place: &str, expected: &str, found: &Value) -> ApiError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "another text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let message = format!("{place} should be {expected}, not {found}");
    ApiError::bad_request("Invalid filter").refused(("invalid_filter", message))
}
