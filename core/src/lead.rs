//! A lead as it is sent.

use crate::value::read_object;
use crate::{Action, FieldValue, Path, read_json};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// A lead with its new actions, as the caller writes it.
///
/// Its JSON is the body of the Async API, and nothing of what was read is lost: keys that telecrm
/// does not know stay, so that they can be reported.
///
/// ```
/// use telecrm_core::{CustomAction, Lead, Payment, Currency};
///
/// let lead = Lead::new()
///     .set("phone", "919999999999")
///     .set("status", "Fresh")
///     .set("interests", ["VIP", "Returning"])
///     .action(CustomAction::new(1001)?.field("note", "Site visit completed"))
///     .action(Payment::completed("5000".parse()?, Currency::Inr));
///
/// assert_eq!(lead.to_json()["actions"][0]["type"], "ACTION_1001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Lead {
    fields: BTreeMap<String, FieldValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(default))]
    actions: Vec<Action>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Lead {
    /// A lead without fields and actions.
    pub fn new() -> Self {
        Self::default()
    }

    /// A lead from a type of your own, whose keys are API names. What is `None` is left out, and so are texts of nothing but
    /// blanks, as [`set`](Self::set) does it.
    ///
    /// ```
    /// use telecrm_core::Lead;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Enquiry {
    ///     phone: String,
    ///     contact_source: &'static str,
    ///     rating: Option<u8>,
    /// }
    ///
    /// let enquiry = Enquiry { phone: "919999999999".into(), contact_source: "Website", rating: None };
    /// let lead = Lead::from_serialize(&enquiry)?;
    /// assert_eq!(lead, Lead::new().set("phone", "919999999999").set("contact_source", "Website"));
    /// # Ok::<(), telecrm_core::LeadError>(())
    /// ```
    ///
    /// # Errors
    /// If the value does not become a JSON object.
    pub fn from_serialize<T: Serialize + ?Sized>(fields: &T) -> Result<Self, LeadError> {
        let fields = serde_json::to_value(fields)
            .map_err(|_| LeadError("the value cannot be written as JSON".to_owned()))?;
        let Value::Object(fields) = fields else {
            return Err(LeadError::new("the value", "an object", &fields));
        };
        let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
        Ok(fields.fold(Self::default(), |lead, (name, value)| lead.set(name, value)))
    }

    /// Sets a field by its API name.
    ///
    /// A text of nothing but blanks sets nothing, and takes away what was set before: it mostly is an input that nobody
    /// filled in, and telecrm would store it over what the lead has. Where that is meant, give
    /// [`FieldValue::blank()`].
    #[must_use]
    pub fn set(mut self, api_name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        let (api_name, value) = (api_name.into(), value.into());
        match value.is_stray_blank() {
            true => _ = self.fields.remove(&api_name),
            false => _ = self.fields.insert(api_name, value),
        }
        self
    }

    /// Appends an action to the lead's timeline.
    #[must_use]
    pub fn action(mut self, action: impl Into<Action>) -> Self {
        self.actions.push(action.into());
        self
    }

    /// The value of a field.
    pub fn get(&self, api_name: &str) -> Option<&FieldValue> {
        self.fields.get(api_name)
    }

    /// The fields by API name.
    pub fn fields(&self) -> &BTreeMap<String, FieldValue> {
        &self.fields
    }

    /// The fields by API name, to change them.
    pub fn fields_mut(&mut self) -> &mut BTreeMap<String, FieldValue> {
        &mut self.fields
    }

    /// The actions, in the order in which telecrm appends them.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The actions, to change them.
    pub fn actions_mut(&mut self) -> &mut Vec<Action> {
        &mut self.actions
    }

    /// The keys beside `fields` and `actions`; telecrm takes none of them.
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// The keys beside `fields` and `actions`, to change them.
    pub fn extra_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.extra
    }

    /// The value at a place, if there is one.
    pub fn at(&self, path: &Path) -> Option<FieldValue> {
        let action = |index: &usize| self.actions.get(*index).map(Action::as_json);
        match path {
            Path::Field(name) => self.fields.get(name).cloned(),
            Path::Action(index) => Some(Value::Object(action(index)?.clone()).into()),
            Path::ActionField(index, name) => {
                Some(action(index)?.get("fields")?.get(name)?.clone().into())
            }
            Path::ActionKey(index, key) => Some(action(index)?.get(key)?.clone().into()),
            Path::Key(key) => Some(self.extra.get(key)?.clone().into()),
        }
    }

    /// The body of the Async API. Numbers have the range of `serde_json`, and one that is beyond it is the nearest in it;
    /// what is written by `Serialize` as text has [every digit](FieldValue::digits).
    pub fn to_json(&self) -> Value {
        let mut body = self.extra.clone();
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| (name.clone(), value.as_json().clone()));
        body.insert("fields".to_owned(), Value::Object(fields.collect()));
        if !self.actions.is_empty() {
            let actions = self.actions.iter();
            let actions = actions.map(|action| Value::Object(action.as_json().clone()));
            body.insert("actions".to_owned(), actions.collect());
        }
        Value::Object(body)
    }

    /// Reads the body of the Async API.
    ///
    /// ```
    /// use telecrm_core::Lead;
    ///
    /// let mut lead = Lead::from_json(serde_json::json!({
    ///     "fields": { "phone": "919999999999", "rating": "4" },
    ///     "actions": [{ "type": "ACTION_1001" }],
    ///     "source": "import",
    /// }))?;
    /// assert_eq!((lead.fields().len(), lead.actions().len(), lead.extra().len()), (2, 1, 1));
    /// assert_eq!(lead.at(&"actions[0].type".parse().unwrap()), Some("ACTION_1001".into()));
    ///
    /// lead.fields_mut().insert("rating".to_owned(), 4.into());
    /// lead.actions_mut().clear();
    /// lead.extra_mut().remove("source");
    /// assert_eq!(lead.get("rating"), Some(&4.into()));
    /// assert_eq!(lead, Lead::new().set("phone", "919999999999").set("rating", 4));
    /// # Ok::<(), telecrm_core::LeadError>(())
    /// ```
    ///
    /// # Errors
    /// If `fields` is missing or not an object, or `actions` not a list of objects: the error says where.
    pub fn from_json(body: Value) -> Result<Self, LeadError> {
        let Value::Object(mut extra) = body else {
            return Err(LeadError::new("the lead", "an object", &body));
        };
        let fields = match extra.remove("fields") {
            Some(Value::Object(fields)) => fields
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            Some(other) => return Err(LeadError::new("`fields`", "an object", &other)),
            None => return Err(LeadError::missing_fields()),
        };
        let actions = match extra.remove("actions") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(actions)) => actions
                .into_iter()
                .enumerate()
                .map(|(index, action)| match action {
                    Value::Object(action) => Ok(Action::from(action)),
                    other => Err(LeadError::new(
                        &format!("`actions[{index}]`"),
                        "an object",
                        &other,
                    )),
                })
                .collect::<Result<_, _>>()?,
            Some(other) => return Err(LeadError::new("`actions`", "a list", &other)),
        };
        Ok(Self {
            fields,
            actions,
            extra,
        })
    }
}

/// From JSON only: the numbers of `fields` keep every digit. A key that stands twice in one object is refused, since one of the two values would be
/// lost.
impl<'de> Deserialize<'de> for Lead {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let (body, repeated) = read_json(raw.get().as_bytes()).map_err(D::Error::custom)?;
        if let Some(twice) = repeated.first() {
            return Err(D::Error::custom(format_args!(
                "`{twice}` stands twice: write each key once"
            )));
        }
        let mut lead = Self::from_json(body).map_err(D::Error::custom)?;
        let parts: BTreeMap<String, &RawValue> =
            serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        if let Some(fields) = parts.get("fields") {
            lead.fields = read_object(fields.get()).map_err(D::Error::custom)?;
        }
        Ok(lead)
    }
}

/// A JSON document that is not a lead.
///
/// ```
/// use telecrm_core::Lead;
///
/// let error = Lead::from_json(serde_json::json!({ "fields": ["phone"] })).unwrap_err();
/// assert_eq!(error.to_string(), "`fields` must be an object, and is a list");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadError(String);

impl LeadError {
    fn new(place: &str, expected: &str, found: &Value) -> Self {
        Self(format!(
            "{place} must be {expected}, and is {}",
            json_type(found)
        ))
    }

    fn missing_fields() -> Self {
        Self(
            "`fields` is missing: a lead is written {\"fields\": {…}, \"actions\": […]}".to_owned(),
        )
    }
}

impl fmt::Display for LeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LeadError {}

/// What a JSON value is, in words.
pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LeadRecord;

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let twice = r#"{"fields": {"name": "Asha", "name": "Usha"}}"#;
        let error = serde_json::from_str::<Lead>(twice).expect_err("refused");
        assert!(
            error.to_string().starts_with("`fields.name` stands twice"),
            "{error}"
        );
    }

    #[test]
    fn a_number_beyond_every_float_is_written_as_the_nearest() {
        let row: LeadRecord =
            serde_json::from_str(r#"{ "fields": { "huge": 1e999, "rating": 4 } }"#).expect("a row");
        let lead = Lead {
            fields: row.fields().clone(),
            ..Lead::default()
        };
        let body = lead.to_json();
        assert_eq!(body["fields"]["huge"], f64::MAX);
        assert_eq!(body["fields"]["rating"], 4);
        assert!(body.get("actions").is_none());
        let text = serde_json::to_string(&lead).expect("JSON");
        assert!(text.contains("1e999"), "{text}");
    }
}
