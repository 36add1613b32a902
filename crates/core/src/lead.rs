//! Leads to send.

use crate::json::type_name;
use crate::value::{SetField, set_field, to_object};
use crate::{Action, FieldPath, FieldValue, write_hint};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// A lead to send, with its fields and new actions.
///
/// Its JSON is the body of the Async API. A lead read from JSON keeps every
/// [digit](FieldValue::digits), and also the keys that telecrm does not know, so that a check can
/// report them.
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
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Lead {
    fields: BTreeMap<String, FieldValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(default))]
    actions: Vec<Action>,
    #[serde(flatten)]
    extra: BTreeMap<String, FieldValue>,
}

impl Lead {
    /// Creates a lead without fields and actions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a lead from your own type, whose keys are API names.
    ///
    /// `None`, NaN and infinity are left out. So are blank texts, as in [`set`](Self::set).
    /// Integers keep every digit, including `u128`. Serialize times as milliseconds, as
    /// [`LeadRecord::fields_as`](crate::LeadRecord::fields_as) shows. A check also repairs ISO
    /// dates.
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
    /// let enquiry = Enquiry { phone: "919999999999".into(), contact_source: "Website",
    ///     rating: None };
    /// let lead = Lead::from_serialize(&enquiry)?;
    /// assert_eq!(lead, Lead::new().set("phone", "919999999999").set("contact_source", "Website"));
    /// # Ok::<(), telecrm_core::LeadError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the value does not serialize as a JSON object.
    pub fn from_serialize<T: Serialize + ?Sized>(fields: &T) -> Result<Self, LeadError> {
        let fields: FieldValue = serde_json::to_string(fields)
            .and_then(|text| serde_json::from_str(&text))
            .map_err(|_| LeadError::not_json())?;
        let mut fields = members("the value", fields)?;
        fields.retain(|_, value| !value.is_null());
        Ok(fields.into_iter().collect())
    }

    /// Sets a field by its API name.
    ///
    /// `None` or a blank text removes the field instead, and blank texts in a list are left out.
    /// Blank texts usually come from an input that was not filled in, and telecrm would replace the
    /// stored value with them. Use [`FieldValue::blank()`] to store an empty text.
    #[must_use]
    pub fn set(mut self, api_name: impl Into<String>, value: impl SetField) -> Self {
        set_field(&mut self.fields, api_name.into(), value.into_value());
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

    /// The fields by API name, for changes.
    pub fn fields_mut(&mut self) -> &mut BTreeMap<String, FieldValue> {
        &mut self.fields
    }

    /// The actions, in the order of the request.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The actions, for changes.
    pub fn actions_mut(&mut self) -> &mut Vec<Action> {
        &mut self.actions
    }

    /// The keys other than `fields` and `actions`. telecrm stores none of them.
    pub fn extra(&self) -> &BTreeMap<String, FieldValue> {
        &self.extra
    }

    /// The keys other than `fields` and `actions`, for changes.
    pub fn extra_mut(&mut self) -> &mut BTreeMap<String, FieldValue> {
        &mut self.extra
    }

    /// The paths of blank texts other than [`FieldValue::blank()`], in fields and actions.
    ///
    /// Only leads read from JSON contain them. The client and the check leave them out.
    ///
    /// ```
    /// use telecrm_core::Lead;
    ///
    /// let lead: Lead = serde_json::from_str(
    ///     r#"{ "fields": { "phone": "919999999999", "name": "", "interests": ["VIP", " "] },
    ///          "actions": [{ "type": "ACTION_1001", "fields": { "note": "" } }] }"#,
    /// )?;
    /// let places: Vec<_> = lead.stray_blanks().iter().map(ToString::to_string).collect();
    /// assert_eq!(places, ["fields.interests", "fields.name", "actions[0].fields.note"]);
    ///
    /// let lead = lead.without_stray_blanks();
    /// assert_eq!(lead.get("interests"), Some(&["VIP"].into()));
    /// assert!(lead.get("name").is_none() && lead.actions()[0].field("note").is_none());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn stray_blanks(&self) -> Vec<FieldPath> {
        let mut paths = Vec::new();
        for (name, value) in &self.fields {
            if value.has_stray_blank() {
                paths.push(FieldPath::Field(name.clone()));
            }
        }
        for (index, action) in self.actions.iter().enumerate() {
            for (name, value) in action.fields().unwrap_or_default() {
                if value.has_stray_blank() {
                    paths.push(FieldPath::ActionField(index, name));
                }
            }
        }
        paths
    }

    /// The lead without its [stray blanks](Self::stray_blanks).
    #[must_use]
    pub fn without_stray_blanks(mut self) -> Self {
        let blanks = self.stray_blanks();
        self.remove_stray_blanks(&blanks);
        self
    }

    /// Removes the stray blanks at these paths.
    pub(crate) fn remove_stray_blanks(&mut self, paths: &[FieldPath]) {
        self.change_fields(paths, |fields, name| {
            if let Some(value) = fields.remove(name) {
                set_field(fields, name.to_owned(), Some(value));
            }
        });
    }

    /// Changes the fields at these paths.
    pub(crate) fn change_fields<'a>(
        &mut self,
        paths: impl IntoIterator<Item = &'a FieldPath>,
        change: impl Fn(&mut BTreeMap<String, FieldValue>, &str),
    ) {
        let mut by_action: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for path in paths {
            match path {
                FieldPath::Field(name) => change(&mut self.fields, name),
                FieldPath::ActionField(index, name) => {
                    by_action.entry(*index).or_default().push(name);
                }
                FieldPath::Action(_) | FieldPath::ActionKey(..) | FieldPath::Key(_) => {}
            }
        }
        // One call for all fields of an action, because each call copies the action.
        for (index, names) in by_action {
            self.actions[index]
                .change_fields(|fields| names.iter().for_each(|name| change(fields, name)));
        }
    }

    /// The value at a path. Returns None if the lead has no such value.
    pub fn at(&self, path: &FieldPath) -> Option<FieldValue> {
        let action = |index: &usize| self.actions.get(*index);
        match path {
            FieldPath::Field(name) => self.get(name).cloned(),
            FieldPath::Action(index) => Some(action(index)?.keys().clone().into()),
            FieldPath::ActionField(index, name) => action(index)?.field(name),
            FieldPath::ActionKey(index, key) => action(index)?.key(key).cloned(),
            FieldPath::Key(key) => self.extra.get(key.as_str()).cloned(),
        }
    }

    /// Converts into the body of the Async API.
    ///
    /// Numbers have the range of `serde_json`, and larger ones become the nearest number. Serialize
    /// the lead as text instead to keep [every digit](FieldValue::digits).
    pub fn to_json(&self) -> Value {
        let mut body = to_object(&self.extra);
        body.insert("fields".to_owned(), to_object(&self.fields).into());
        if !self.actions.is_empty() {
            let actions = self.actions.iter().map(Action::to_json).collect();
            body.insert("actions".to_owned(), Value::Array(actions));
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
    /// Returns an error that names the place if `fields` is missing or not an object, or if
    /// `actions` is not a list of objects.
    pub fn from_json(body: Value) -> Result<Self, LeadError> {
        Self::read(body.into())
    }

    fn read(body: FieldValue) -> Result<Self, LeadError> {
        let mut extra = members("the lead", body)?;
        let Some(fields) = extra.remove("fields") else {
            return Err(LeadError::missing_fields());
        };
        let fields = members("`fields`", fields)?;
        let actions = extra.remove("actions").filter(|actions| !actions.is_null());
        let items = actions.map_or_else(|| Ok(Vec::new()), FieldValue::into_items);
        let items = items.map_err(|other| LeadError::new("`actions`", "a list", &other))?;
        let mut actions = Vec::new();
        for action in items {
            let place = format!("`actions[{}]`", actions.len());
            actions.push(members(&place, action)?.into());
        }
        Ok(Self { fields, actions, extra })
    }
}

/// Sets each field as [`Lead::set`] does.
///
/// ```
/// use telecrm_core::Lead;
///
/// let answers = vec![("phone".to_owned(), "919999999999"), ("name".to_owned(), "")];
/// let lead: Lead = answers.into_iter().collect();
/// assert_eq!(lead, Lead::new().set("phone", "919999999999"));
/// ```
impl<K: Into<String>, V: SetField> FromIterator<(K, V)> for Lead {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        fields.into_iter().fold(Self::new(), |lead, (name, value)| lead.set(name, value))
    }
}

/// Takes the fields as they are, blanks and null included, which a check reports.
impl From<BTreeMap<String, FieldValue>> for Lead {
    fn from(fields: BTreeMap<String, FieldValue>) -> Self {
        Self { fields, ..Self::default() }
    }
}

/// Takes the fields as they are, blanks and null included, which a check reports.
impl From<HashMap<String, FieldValue>> for Lead {
    fn from(fields: HashMap<String, FieldValue>) -> Self {
        fields.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

/// Takes the fields as they are, blanks included, which a check reports. `None` is no field.
impl<K: Into<String>, V: SetField> From<Vec<(K, V)>> for Lead {
    fn from(fields: Vec<(K, V)>) -> Self {
        let fields =
            fields.into_iter().map(|(name, value)| Some((name.into(), value.into_value()?)));
        fields.flatten().collect::<BTreeMap<_, _>>().into()
    }
}

/// Takes the fields as they are, blanks included, which a check reports. `None` is no field.
impl<K: Into<String>, V: SetField, const N: usize> From<[(K, V); N]> for Lead {
    fn from(fields: [(K, V); N]) -> Self {
        Vec::from(fields).into()
    }
}

impl From<&Self> for Lead {
    fn from(lead: &Self) -> Self {
        lead.clone()
    }
}

/// The members of an object at this place.
fn members(place: &str, value: FieldValue) -> Result<BTreeMap<String, FieldValue>, LeadError> {
    value.into_members().map_err(|other| LeadError::new(place, "an object", &other))
}

/// Keeps every digit of JSON text. A duplicate key is an error, because one of its values would be
/// lost.
impl<'de> Deserialize<'de> for Lead {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let (body, repeated) = FieldValue::read_with_repeated_keys(deserializer)?;
        if let Some(path) = repeated.first() {
            return Err(D::Error::custom(format_args!("duplicate key `{path}`")));
        }
        Self::read(body).map_err(|error| match error.hint {
            // An error of serde has no hint of its own.
            Some(hint) => D::Error::custom(format_args!("{error} ({hint})")),
            None => D::Error::custom(error),
        })
    }
}

/// The error for JSON that is not a lead.
///
/// ```
/// use telecrm_core::Lead;
///
/// let error = Lead::from_json(serde_json::json!({ "fields": ["phone"] })).unwrap_err();
/// assert_eq!(error.to_string(), "`fields` is a list, not an object");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadError {
    message: String,
    hint: Option<&'static str>,
}

impl LeadError {
    /// What to do about the error. Returns None if the message already says it.
    pub fn hint(&self) -> Option<&str> {
        self.hint
    }

    fn new(place: &str, expected: &str, found: &FieldValue) -> Self {
        let found = type_name(found.as_json());
        Self { message: format!("{place} is {found}, not {expected}"), hint: None }
    }

    fn not_json() -> Self {
        Self { message: "the value does not serialize as JSON".to_owned(), hint: None }
    }

    fn missing_fields() -> Self {
        let hint = r#"write {"fields": {…}, "actions": […]}"#;
        Self { message: "`fields` is missing".to_owned(), hint: Some(hint) }
    }
}

/// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
impl fmt::Display for LeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        write_hint(f, self.hint)
    }
}

impl std::error::Error for LeadError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CustomAction, LeadRecord};
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    fn text(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("JSON")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_digit_is_kept_on_every_way_in_and_out(
            number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        ) {
            let value: FieldValue = serde_json::from_str(&number).expect("a number");
            prop_assert_eq!(text(&value), &*number);
            let object = BTreeMap::from([("n".to_owned(), value.clone())]);
            prop_assert_eq!(text(&FieldValue::from(object)), format!(r#"{{"n":{number}}}"#));
            prop_assert_eq!(text(&FieldValue::from(vec![value.clone()])), format!("[{number}]"));
            prop_assert_eq!(text(&FieldValue::from([[value.clone()]])), format!("[[{number}]]"));

            let visit = CustomAction::new(1001).expect("a code").field("score", value.clone());
            let visit = Action::from(visit).with_bare_code();
            let written = format!(r#"{{"fields":{{"score":{number}}},"type":"1001"}}"#);
            prop_assert_eq!(text(&visit), &*written);
            prop_assert_eq!(visit.field("score"), Some(value.clone()));

            let body = format!(
                r#"{{"fields":{{"deal_size":{number}}},"actions":[{written}],"note":[{number}]}}"#
            );
            let lead: Lead = serde_json::from_str(&body).expect("a lead");
            prop_assert_eq!(text(&lead), &*body);
            for path in ["fields.deal_size", "actions[0].fields.score"] {
                let at = lead.at(&path.parse().expect("a path"));
                prop_assert_eq!(at.as_ref(), Some(&value), "{}", path);
            }
            let action = lead.at(&FieldPath::Action(0)).expect("there");
            prop_assert_eq!(action.to_string(), written);

            let raw = RawValue::from_string(number.clone()).expect("JSON");
            let own = BTreeMap::from([("deal_size", &*raw)]);
            let own = Lead::from_serialize(&own).expect("fields");
            prop_assert_eq!(own.get("deal_size"), Some(&value));
            let row: LeadRecord = serde_json::from_str(&body).expect("a row");
            let own: BTreeMap<String, Box<RawValue>> = row.fields_as().expect("fields");
            prop_assert_eq!(own["deal_size"].get(), &*number);
        }
    }

    #[test]
    fn a_duplicate_key_is_an_error() {
        let twice = r#"{"fields": {"name": "Asha", "name": "Usha"}}"#;
        let error = serde_json::from_str::<Lead>(twice).expect_err("refused");
        assert_eq!(error.to_string(), "duplicate key `fields.name`");
    }

    #[test]
    fn a_number_beyond_every_float_becomes_the_nearest_one() {
        let lead: Lead = serde_json::from_str(
            r#"{ "fields": { "huge": 1e999, "rating": 4 }, "actions": [{ "huge": [-1e999] }], "huge": 1e999 }"#,
        )
        .expect("a lead");
        let body = lead.to_json();
        assert_eq!(body["fields"]["huge"], f64::MAX);
        assert_eq!(body["fields"]["rating"], 4);
        assert_eq!(body["actions"][0]["huge"][0], f64::MIN);
        assert_eq!(body["huge"], f64::MAX);
        assert!(Lead::new().to_json().get("actions").is_none());
        assert!(text(&lead).contains("[-1e999]"));
        // A `Value` cannot hold the number.
        assert!(serde_json::to_value(&lead).is_err());
    }

    #[test]
    fn a_u128_keeps_every_digit() {
        #[derive(Serialize, serde::Deserialize, PartialEq, Debug)]
        struct Account {
            account: u128,
        }
        let own = Account { account: u128::MAX };
        let lead = Lead::from_serialize(&own).expect("fields");
        let digits = lead.get("account").and_then(FieldValue::digits);
        assert_eq!(digits, Some(u128::MAX.to_string().into()));
        let row: LeadRecord = serde_json::from_str(&text(&lead)).expect("a row");
        assert_eq!(row.fields_as::<Account>().expect("fields"), own);
    }
}
