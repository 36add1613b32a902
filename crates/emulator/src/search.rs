//! Which leads a search finds.

use crate::answer::ApiError;
use crate::profile::{Performers, StatusCase};
use crate::remarks;
use crate::store::{Store, StoredAction, StoredLead};
use serde_json::{Map, Value};
use telecrm_core::workspace::FieldType;
use telecrm_core::{FieldPath as Place, Finding, FindingKind};

/// What a lead must be like to be found. Fields, and the action, must all fit.
pub(crate) struct Filter {
    fields: Vec<(String, Criterion)>,
    action: Option<ActionFilter>,
    /// If the filter names identifiers: their keys, so that nothing else need be looked at.
    identifiers: Option<Vec<String>>,
}

enum Criterion {
    OneOf {
        values: Vec<Value>,
        /// Status labels are told apart by case, and nothing else is (pitfall LE6).
        case_sensitive: bool,
    },
    Within(Range),
}

/// A span of time in Unix milliseconds, both ends included.
struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

/// What one and the same action must be like.
struct ActionFilter {
    types: Option<Vec<String>>,
    /// Their addresses.
    performers: Option<Vec<String>>,
    at: Option<Range>,
}

/// Which entries of a timeline a search finds.
pub(crate) struct TimelineFilter(ActionFilter);

impl Filter {
    /// Reads the body of a search, and says what of it is not read, or fits nothing that is stored.
    pub(crate) fn read(
        body: &Value,
        store: &Store,
        status_case: StatusCase,
    ) -> Result<(Self, Vec<Finding>), ApiError> {
        let body = body.as_object().ok_or_else(invalid)?;
        let mut beside = unread(body, &["fields", "actions"], "");
        let mut filter = Self {
            fields: Vec::new(),
            action: None,
            identifiers: None,
        };
        let identifier = store.workspace().identifier().api_name();
        for (name, wanted) in section(body, "fields")?.into_iter().flatten() {
            let criterion = Criterion::read(name, wanted, store, status_case, &mut beside)?;
            if let (Criterion::Within(_), Value::Object(bounds)) = (&criterion, wanted) {
                beside.extend(unread(bounds, &BOUNDS, &format!("fields.{name}.")));
            }
            if matches!(criterion, Criterion::OneOf { .. }) && name == identifier {
                // As it is asked for: a normal form may read as another number (ID2).
                let values = match wanted {
                    Value::Array(values) => values.as_slice(),
                    value => std::slice::from_ref(value),
                };
                let key = |value: &Value| store.workspace().identifier_key(&value.clone().into());
                filter.identifiers = Some(values.iter().filter_map(key).collect());
            }
            filter.fields.push((name.clone(), criterion));
        }
        if let Some(wanted) = section(body, "actions")?.filter(|actions| !actions.is_empty()) {
            filter.action = Some(ActionFilter::read(wanted, store, "performed_at")?);
            beside.extend(unread_of_action(wanted, "performed_at", "actions."));
        }
        Ok((filter, beside))
    }

    /// Whether it asks for assignees together with several statuses (pitfall LE10).
    pub(crate) fn is_assignee_and_statuses(&self) -> bool {
        let several = |criterion: &Criterion| match criterion {
            Criterion::OneOf { values, .. } => values.len() > 1,
            Criterion::Within(_) => false,
        };
        let asks = |wanted: &str, fits: &dyn Fn(&Criterion) -> bool| {
            let mut fields = self.fields.iter();
            fields.any(|(name, criterion)| name == wanted && fits(criterion))
        };
        asks("assignee", &|_| true) && asks("status", &several)
    }

    /// The leads that fit, the newest first.
    pub(crate) fn run<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = &'a StoredLead> {
        let (few, all) = match &self.identifiers {
            Some(keys) => (Some(store.with_identifiers(keys)), None),
            None => (None, Some(store.newest_first())),
        };
        let candidates = few.into_iter().flatten().chain(all.into_iter().flatten());
        candidates.filter(|lead| self.fits(lead))
    }

    fn fits(&self, lead: &StoredLead) -> bool {
        let fields_fit = self.fields.iter().all(|(name, criterion)| {
            let value = lead.field(name);
            value.is_some_and(|value| criterion.fits(value.as_json()))
        });
        fields_fit
            && self
                .action
                .as_ref()
                .is_none_or(|wanted| lead.actions().iter().any(|action| wanted.fits(action)))
    }
}

impl Criterion {
    fn read(
        name: &str,
        wanted: &Value,
        store: &Store,
        status_case: StatusCase,
        told: &mut Vec<Finding>,
    ) -> Result<Self, ApiError> {
        let field = store.workspace().field(name);
        let field_type = field.map(|field| &field.field_type);
        let is_own_time = matches!(name, "created_on" | "modified_on");
        // The form in which it would be stored, so that every spelling of a number finds it.
        let mut normal_form = |value: &Value| {
            if is_own_time {
                return store.parse_time(value).map(Value::from);
            }
            let verdict = store.workspace().accept_field(name, &value.clone().into());
            // One tag is looked for in lists of them.
            if verdict.is_dropped() && field_type != Some(&FieldType::Tags) {
                let finding = verdict.finding(Place::Field(name.to_owned()));
                told.extend(finding.map(looked_for_as_it_is));
            }
            verdict.stored().map(Value::from)
        };
        let mut one_of = |values: &[Value]| {
            if values
                .iter()
                .any(|v| v.is_object() || v.is_array() || v.is_null())
            {
                return Err(invalid());
            }
            let values = values
                .iter()
                .map(|value| normal_form(value).unwrap_or(value.clone()));
            Ok(Self::OneOf {
                values: values.collect(),
                case_sensitive: field_type == Some(&FieldType::Status)
                    && status_case == StatusCase::Matters,
            })
        };
        match wanted {
            Value::Object(bounds) if is_own_time || field_type == Some(&FieldType::Date) => {
                let millis = |bound: &Value| normal_form(bound)?.as_i64();
                Range::read(bounds, millis).map(Self::Within)
            }
            Value::Array(values) => one_of(values),
            value => one_of(std::slice::from_ref(value)),
        }
    }

    fn fits(&self, stored: &Value) -> bool {
        match self {
            Self::OneOf {
                values,
                case_sensitive,
            } => values
                .iter()
                .any(|value| equal(stored, value, *case_sensitive)),
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
        Ok(Self {
            from: bound("from")?,
            to: bound("to")?,
        })
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

    fn fits(&self, action: &StoredAction) -> bool {
        let one_of = |wanted: &Option<Vec<String>>, is: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| {
                is.is_some_and(|is| wanted.iter().any(|one| same_text(one, is)))
            })
        };
        one_of(&self.types, Some(action.type_name()))
            && one_of(&self.performers, action.performer())
            && self
                .at
                .as_ref()
                .is_none_or(|range| range.contains(action.created))
    }
}

impl TimelineFilter {
    /// Reads the body of a search, and says what of it is not read. Performers are IDs here, by the documentation (pitfall AC7).
    pub(crate) fn read(
        body: &Value,
        store: &Store,
        performers: Performers,
    ) -> Result<(Self, Vec<Finding>), ApiError> {
        let wanted = body.as_object().ok_or_else(invalid)?;
        let mut filter = ActionFilter::read(wanted, store, "created_on")?;
        for performer in filter.performers.iter_mut().flatten() {
            match store.team().email_of(performer) {
                Some(email) => *performer = email.to_owned(),
                // Nobody performs as the empty text.
                None if performers == Performers::Ids => performer.clear(),
                None => {}
            }
        }
        Ok((Self(filter), unread_of_action(wanted, "created_on", "")))
    }

    pub(crate) fn fits(&self, entry: &StoredAction) -> bool {
        self.0.fits(entry)
    }
}

/// What of a value is wrong, if no lead could have it.
fn looked_for_as_it_is(mut finding: Finding) -> Finding {
    finding.kind = FindingKind::ValueChanged;
    finding.reason = format!("looked for as it is written: {}", finding.reason);
    finding
}

/// The keys of a span of time.
const BOUNDS: [&str; 2] = ["from", "to"];

/// What of a part of the filter is not read. Without it, more is found than was asked for.
fn unread(of: &Map<String, Value>, read: &[&str], place: &str) -> Vec<Finding> {
    let mut findings = remarks::unread(of, read, place);
    for finding in &mut findings {
        let key = finding.path.to_string();
        if ["skip", "limit"].contains(&key.as_str()) {
            finding.suggestion = Some(format!("put it into the address: ?{key}=…"));
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

/// A part of the filter, which may be missing.
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

/// One text, or a list of them.
fn texts(of: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    let values = match of.get(name) {
        None => return Ok(None),
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
    };
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().map(Some).ok_or_else(invalid)
}

fn equal(stored: &Value, wanted: &Value, case_sensitive: bool) -> bool {
    match (stored, wanted) {
        // Tags: one of them is enough.
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
