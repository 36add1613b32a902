//! Field values: any JSON, with every digit of its numbers.

mod convert;
mod decimal;
mod text;
mod written;

pub use self::convert::SetField;
pub(crate) use self::decimal::is_decimal;
pub use self::decimal::{Amount, AmountError, Decimal, DecimalError};
pub(crate) use self::text::by_text;
pub(crate) use self::written::whole_characters;

use crate::FieldPath;
use crate::json::read_json;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The value of one field.
///
/// telecrm decides by the field's type which values it stores, so a value can be any JSON. Build it
/// from Rust types. Times become Unix milliseconds, the only date format that telecrm always
/// understands (pitfall AS4).
///
/// ```
/// use telecrm_core::FieldValue;
///
/// assert_eq!(FieldValue::from("Fresh").as_str(), Some("Fresh"));
/// assert_eq!(FieldValue::from(4).as_i64(), Some(4));
/// assert_eq!(FieldValue::from(12.5).as_f64(), Some(12.5));
/// let interests = FieldValue::from(["VIP", "Returning"]);
/// assert_eq!(interests.as_strings(), Some(vec!["VIP", "Returning"]));
/// assert_eq!(interests.to_string(), r#"["VIP","Returning"]"#);
/// assert!(FieldValue::null().is_null());
/// assert_eq!(FieldValue::from(true).as_bool(), Some(true));
///
/// let noon: jiff::Timestamp = "2026-06-01T12:00:00Z".parse()?;
/// assert_eq!(FieldValue::from(noon), 1_780_315_200_000_i64);
/// assert_eq!(FieldValue::from("1780315200000").as_timestamp(), Some(noon));
///
/// // Any other JSON works, too.
/// let value = FieldValue::from(serde_json::json!({ "url": "https://example.com" }));
/// assert!(value.as_json().is_object());
/// assert_eq!(value.into_json()["url"], "https://example.com");
/// # Ok::<(), jiff::Error>(())
/// ```
///
/// A number that is read from JSON text keeps all its digits, see [`digits`](Self::digits). Two
/// values are equal if their text is equal. Digits beyond the range of `i64`, `u64` and `f64` are
/// lost only if serde buffers the value first, as it does for `flatten` and `untagged`.
///
/// ```
/// use telecrm_core::FieldValue;
///
/// let account: FieldValue = serde_json::from_str("12345678901234567890123")?;
/// let accounts = FieldValue::from([account, 7.into()]);
/// assert_eq!(serde_json::to_string(&accounts)?, "[12345678901234567890123,7]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct FieldValue {
    json: Value,
    form: Form,
}

#[derive(Clone, Default)]
enum Form {
    /// The JSON holds the whole value.
    #[default]
    Plain,
    /// The text that was read. The JSON cannot hold all its digits.
    Written(Box<RawValue>),
    /// An empty text that the caller asked for.
    Blank,
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for FieldValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

impl FieldValue {
    /// JSON `null`. telecrm documents no way to clear a field, see `docs/api-notes.md`.
    pub fn null() -> Self {
        Self::from(Value::Null)
    }

    /// An empty text that replaces the stored value.
    ///
    /// All other blank texts, alone or in a list, are [left out](crate::Lead::stray_blanks),
    /// because they usually come from an input that was not filled in.
    ///
    /// ```
    /// use telecrm_core::{FieldValue, Lead};
    ///
    /// let lead = Lead::new().set("name", "").set("nickname", FieldValue::blank());
    /// assert_eq!(lead.get("name"), None);
    /// assert_eq!(lead.get("nickname"), Some(&"".into()));
    /// ```
    pub fn blank() -> Self {
        Self { json: Value::String(String::new()), form: Form::Blank }
    }

    /// Whether this is a blank text other than [`blank`](Self::blank), or a list with a blank text.
    pub(crate) fn has_stray_blank(&self) -> bool {
        let is_blank = |json: &Value| json.as_str().is_some_and(crate::text::is_blank);
        match &self.json {
            Value::Array(items) => items.iter().any(is_blank),
            json => is_blank(json) && !matches!(self.form, Form::Blank),
        }
    }

    /// The value without stray blanks. Returns None if the rest is empty.
    pub(crate) fn without_stray_blanks(self) -> Option<Self> {
        if !self.has_stray_blank() {
            return Some(self);
        }
        let mut items = self.into_items().ok()?;
        items.retain(|item| !item.has_stray_blank());
        (!items.is_empty()).then(|| items.into())
    }

    /// The text that was read. Returns None if the JSON holds the whole value.
    fn written(&self) -> Option<&str> {
        match &self.form {
            Form::Written(text) => Some(text.get()),
            Form::Plain | Form::Blank => None,
        }
    }

    /// Reads a value from JSON text, with every digit.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let Some(written) = written::inexact(text) else {
            return Ok(Self::from(serde_json::from_str::<Value>(text)?));
        };
        Ok(Self {
            json: serde_json::from_str(&written.nearest)?,
            form: Form::Written(RawValue::from_string(written.text)?),
        })
    }

    /// Reads a value with every digit, and lists the keys that occur more than once in an object.
    pub(crate) fn read_with_repeated_keys<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<(Self, Vec<FieldPath>), D::Error> {
        by_text(deserializer, |text| {
            let nearest = written::inexact(text).map(|written| written.nearest);
            let (_, repeated) = read_json(nearest.as_deref().unwrap_or(text).as_bytes())?;
            Ok((Self::read(text)?, repeated))
        })
    }

    /// Joins values into a list or an object, with all their digits.
    fn join(parts: &impl Serialize) -> Self {
        let text = serde_json::to_string(parts).expect("values are JSON, and keys are texts");
        Self::read(&text).expect("the text is JSON")
    }

    /// Whether this is JSON `null`.
    pub fn is_null(&self) -> bool {
        self.json.is_null()
    }

    /// The text. Returns None if this is not a string. U+FFFD replaces half a character, which a
    /// server leaves when it cuts text in the middle of a surrogate pair.
    pub fn as_str(&self) -> Option<&str> {
        self.json.as_str()
    }

    /// The number. Returns None if this is not a whole number in the range of `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        // From 2^53 on, a float no longer stands for one integer.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = self.json.as_number()?;
        number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i64)
        })
    }

    /// The nearest `f64`. Returns None if this is not a number. [`digits`](Self::digits) has all
    /// digits.
    pub fn as_f64(&self) -> Option<f64> {
        self.json.as_f64()
    }

    /// The number as written, with every digit. Returns None if this is not a number.
    ///
    /// ```
    /// use telecrm_core::LeadRecord;
    ///
    /// let row: LeadRecord =
    ///     serde_json::from_str(r#"{ "fields": { "account": 12345678901234567890123,
    ///         "share": 0.10 } }"#)?;
    /// let digits = |name| row.get(name).and_then(|value| value.digits()).map(|d| d.into_owned());
    /// assert_eq!(digits("account").as_deref(), Some("12345678901234567890123"));
    /// assert_eq!(digits("share").as_deref(), Some("0.10"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn digits(&self) -> Option<Cow<'_, str>> {
        let number = self.json.as_number()?;
        Some(match self.written() {
            Some(written) => Cow::Borrowed(written),
            None => Cow::Owned(number.to_string()),
        })
    }

    /// The parts of a list or an object with every digit. Returns None if the JSON has them all.
    fn written_parts<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.written()?).ok()
    }

    /// The members of an object. Gives the value back if it is not an object.
    pub(crate) fn into_members(self) -> Result<BTreeMap<String, Self>, Self> {
        let written = self.written_parts();
        match self.json {
            Value::Object(members) => Ok(written.unwrap_or_else(|| from_object(members))),
            json => Err(Self { json, ..self }),
        }
    }

    /// The items of a list. Gives the value back if it is not a list.
    pub(crate) fn into_items(self) -> Result<Vec<Self>, Self> {
        let written = self.written_parts();
        match self.json {
            Value::Array(items) => {
                Ok(written.unwrap_or_else(|| items.into_iter().map(Self::from).collect()))
            }
            json => Err(Self { json, ..self }),
        }
    }

    /// A member of an object. Returns None if this is not an object or lacks the key.
    pub(crate) fn member(&self, key: &str) -> Option<Self> {
        match self.written() {
            Some(_) => self.clone().into_members().ok()?.remove(key),
            None => self.json.get(key).cloned().map(Self::from),
        }
    }

    /// The number or numeric text, with every digit. Returns None if the value is not numeric, or
    /// if its exponent stands for more than 400 zeros.
    ///
    /// ```
    /// use telecrm_core::FieldValue;
    ///
    /// let budget = FieldValue::from("1000000.10").as_decimal();
    /// assert_eq!(budget.map(|decimal| decimal.to_string()).as_deref(), Some("1000000.10"));
    /// let price: FieldValue = serde_json::from_str("12.50e3")?;
    /// assert_eq!(price.as_decimal(), Some("12500".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => Decimal::from_json_number(&self.digits()?),
        }
    }

    /// The boolean. Returns None if this is not a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        self.json.as_bool()
    }

    /// The time in Unix milliseconds, as a number or as text. Returns None if this is neither.
    pub fn as_timestamp(&self) -> Option<jiff::Timestamp> {
        let milliseconds = self.as_i64().or_else(|| self.as_str()?.trim().parse().ok())?;
        jiff::Timestamp::from_millisecond(milliseconds).ok()
    }

    /// The texts of a list. Returns None if this is not a list of strings.
    pub fn as_strings(&self) -> Option<Vec<&str>> {
        self.json.as_array()?.iter().map(Value::as_str).collect()
    }

    /// The value as JSON. Numbers have the range of `serde_json`, see [`digits`](Self::digits).
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// Converts into JSON. Numbers have the range of `serde_json`, see [`digits`](Self::digits).
    pub fn into_json(self) -> Value {
        self.json
    }
}

/// Writes compact JSON with the value, unlike [`Debug`](std::fmt::Debug), which shows only its
/// type.
impl std::fmt::Display for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.written() {
            Some(written) => f.write_str(written),
            None => self.json.fmt(f),
        }
    }
}

impl PartialEq for FieldValue {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json && self.written() == other.written()
    }
}

/// Writes every digit into JSON text. `serde_json::to_value` is limited to the range of
/// `serde_json`. It fails for a number beyond every `f64` (`1e999`) and for half a character
/// (`"\ud83d"`).
impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.form {
            Form::Written(text) => text.serialize(serializer),
            Form::Plain | Form::Blank => self.json.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_text(deserializer, Self::read)
    }
}

/// Sets a field. None and blank texts remove it, as [`Lead::set`](crate::Lead::set) documents.
pub(crate) fn set_field(
    fields: &mut BTreeMap<String, FieldValue>,
    name: String,
    value: Option<FieldValue>,
) {
    match value.and_then(FieldValue::without_stray_blanks) {
        Some(value) => _ = fields.insert(name, value),
        None => _ = fields.remove(name.as_str()),
    }
}

/// Converts members into a JSON object.
pub(crate) fn to_object(members: &BTreeMap<String, FieldValue>) -> Map<String, Value> {
    members.iter().map(|(key, value)| (key.clone(), value.json.clone())).collect()
}

/// Converts a JSON object into members.
pub(crate) fn from_object(object: Map<String, Value>) -> BTreeMap<String, FieldValue> {
    object.into_iter().map(|(key, value)| (key, value.into())).collect()
}
