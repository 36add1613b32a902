//! One value of a lead's or an action's field.

mod decimal;
mod text;
mod written;

pub(crate) use self::decimal::is_decimal;
pub use self::decimal::{Amount, AmountError, Decimal, DecimalError};
pub(crate) use self::text::by_text;
pub(crate) use self::written::whole_characters;

use crate::{FieldPath, read_json};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The value of one field, as it stands on the wire.
///
/// telecrm decides by the field's type what it takes, so a value here may be any JSON.
/// Build it from Rust types; times become Unix milliseconds, the one date form that telecrm
/// always understands (pitfall AS4).
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
///
/// let noon: jiff::Timestamp = "2026-06-01T12:00:00Z".parse()?;
/// assert_eq!(FieldValue::from(noon).as_i64(), Some(1_780_315_200_000));
///
/// // Anything else is JSON.
/// let value = FieldValue::from(serde_json::json!({ "url": "https://example.com" }));
/// assert!(value.as_json().is_object());
/// assert_eq!(value.into_json()["url"], "https://example.com");
/// # Ok::<(), jiff::Error>(())
/// ```
///
/// Read from JSON text, alone or in a larger structure, every digit of a number is kept, however many there are, and
/// [`digits`](Self::digits) tells them. Only a `Value` of `serde_json` has fewer from the start (`i64`, `u64` and `f64`), and
/// what serde reads through such a one: parts that are `flatten` or `untagged`. Two values are equal if they are written alike.
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
    /// The JSON is all there is to say.
    #[default]
    Plain,
    /// The text that was read, of which the JSON cannot hold every digit.
    Written(Box<RawValue>),
    /// A text without a letter, on purpose.
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
    /// JSON `null`. telecrm documents no way to clear a field; see `docs/api-notes.md`.
    pub fn null() -> Self {
        Self::from(Value::Null)
    }

    /// An empty text that is meant: telecrm stores it over what the lead has. Blank texts that are written any other way, alone or
    /// in a list, are [left out](crate::Lead::stray_blanks), since they mostly stand for an input that nobody filled in.
    ///
    /// ```
    /// use telecrm_core::{FieldValue, Lead};
    ///
    /// let lead = Lead::new().set("name", "").set("nickname", FieldValue::blank());
    /// assert_eq!(lead.get("name"), None);
    /// assert_eq!(lead.get("nickname"), Some(&"".into()));
    /// ```
    pub fn blank() -> Self {
        Self {
            json: Value::String(String::new()),
            form: Form::Blank,
        }
    }

    /// Whether this is a text of nothing but blanks that nobody asked for, or a list with one.
    pub(crate) fn has_stray_blank(&self) -> bool {
        let is_blank = |json: &Value| json.as_str().is_some_and(|text| text.trim().is_empty());
        match &self.json {
            Value::Array(items) => items.iter().any(is_blank),
            json => is_blank(json) && !matches!(self.form, Form::Blank),
        }
    }

    /// What is to be sent of it: nothing of a stray blank, nor of a list that holds nothing else.
    pub(crate) fn without_stray_blanks(self) -> Option<Self> {
        if !self.has_stray_blank() {
            return Some(self);
        }
        let mut rest = Vec::new();
        for item in self.into_items().ok()? {
            if !item.has_stray_blank() {
                rest.push(item);
            }
        }
        (!rest.is_empty()).then(|| rest.into())
    }

    /// The text that was read, where it has digits that the JSON has not.
    fn written(&self) -> Option<&str> {
        match &self.form {
            Form::Written(text) => Some(text.get()),
            Form::Plain | Form::Blank => None,
        }
    }

    /// Reads a value from its text, with every digit.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let Some(written) = written::inexact(text) else {
            return Ok(Self::from(serde_json::from_str::<Value>(text)?));
        };
        Ok(Self {
            json: serde_json::from_str(&written.nearest)?,
            form: Form::Written(RawValue::from_string(written.text)?),
        })
    }

    /// Reads a value with every digit, and tells which keys stand more than once in one object of it.
    pub(crate) fn read_noting_repeated<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<(Self, Vec<FieldPath>), D::Error> {
        by_text(deserializer, |text| {
            let nearest = written::inexact(text).map(|written| written.nearest);
            let (_, repeated) = read_json(nearest.as_deref().unwrap_or(text).as_bytes())?;
            Ok((Self::read(text)?, repeated))
        })
    }

    fn list(items: Vec<Self>) -> Self {
        let mut json = Vec::new();
        for item in &items {
            json.push(item.json.clone());
        }
        Self::with_parts(Value::Array(json), &items, &items)
    }

    /// A value of which these are the parts, with every digit of theirs.
    fn with_parts<'a>(
        json: Value,
        whole: &impl Serialize,
        parts: impl IntoIterator<Item = &'a Self>,
    ) -> Self {
        let form = match parts.into_iter().any(|part| part.written().is_some()) {
            true => {
                let text = serde_json::value::to_raw_value(whole);
                Form::Written(text.expect("values are JSON, and keys are texts"))
            }
            false => Form::Plain,
        };
        Self { json, form }
    }

    /// Whether this is JSON `null`.
    pub fn is_null(&self) -> bool {
        self.json.is_null()
    }

    /// The text, if this is a string; with U+FFFD where a server cut a character in halves.
    pub fn as_str(&self) -> Option<&str> {
        self.json.as_str()
    }

    /// The number, if this is one without a fraction that fits.
    pub fn as_i64(&self) -> Option<i64> {
        let number = self.json.as_number()?;
        number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // From 2^53 on a float no longer names one integer.
            (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
        })
    }

    /// The number, if this is one: the nearest that an `f64` can hold. [`digits`](Self::digits) has all of it.
    pub fn as_f64(&self) -> Option<f64> {
        self.json.as_f64()
    }

    /// The number as it was written, if this is one.
    ///
    /// ```
    /// use telecrm_core::LeadRecord;
    ///
    /// let row: LeadRecord =
    ///     serde_json::from_str(r#"{ "fields": { "account": 12345678901234567890123, "share": 0.10 } }"#)?;
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

    /// The parts of a list or an object of which the JSON has not every digit.
    fn written_parts<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.written()?).ok()
    }

    /// The members of an object, or what it is instead.
    pub(crate) fn into_members(self) -> Result<BTreeMap<String, Self>, Self> {
        match (self.written_parts(), self.json) {
            (Some(members), Value::Object(_)) => Ok(members),
            (_, Value::Object(members)) => Ok(from_object(members)),
            (_, json) => Err(Self {
                json,
                form: self.form,
            }),
        }
    }

    /// The items of a list, or what it is instead.
    pub(crate) fn into_items(self) -> Result<Vec<Self>, Self> {
        match (self.written_parts(), self.json) {
            (Some(items), Value::Array(_)) => Ok(items),
            (_, Value::Array(items)) => Ok(each_into(items)),
            (_, json) => Err(Self {
                json,
                form: self.form,
            }),
        }
    }

    /// A member, if this is an object that has it.
    pub(crate) fn member(&self, key: &str) -> Option<Self> {
        match self.written() {
            Some(_) => self.clone().into_members().ok()?.remove(key),
            None => self.json.get(key).cloned().map(Self::from),
        }
    }

    /// The number or the numeric text, in every digit. The exponent of a number is written out, unless that takes more than 400 zeros.
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
            None => Decimal::written_out(&self.digits()?),
        }
    }

    /// The texts, if this is a list of strings.
    pub fn as_strings(&self) -> Option<Vec<&str>> {
        let mut texts = Vec::new();
        for item in self.json.as_array()? {
            texts.push(item.as_str()?);
        }
        Some(texts)
    }

    /// The value as JSON. Numbers have the range of `serde_json`: see [`digits`](Self::digits).
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// The value as JSON, by value. Numbers have the range of `serde_json`: see [`digits`](Self::digits).
    pub fn into_json(self) -> Value {
        self.json
    }
}

/// Compact JSON: the value itself, where [`Debug`](std::fmt::Debug) shows only its type.
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

/// With every digit, as JSON text. As a `Value` (`serde_json::to_value`) numbers have the range of `serde_json`, and what has no
/// place in it is an error: a number beyond every `f64`, such as `1e999`, and half a character, such as `"\ud83d"`.
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

impl From<Value> for FieldValue {
    fn from(json: Value) -> Self {
        Self {
            json,
            form: Form::Plain,
        }
    }
}

impl From<FieldValue> for Value {
    fn from(value: FieldValue) -> Self {
        value.json
    }
}

/// Unix milliseconds.
impl From<jiff::Timestamp> for FieldValue {
    fn from(time: jiff::Timestamp) -> Self {
        time.as_millisecond().into()
    }
}

/// `null` for a number that JSON cannot hold (NaN, infinite).
impl From<f64> for FieldValue {
    fn from(number: f64) -> Self {
        Number::from_f64(number)
            .map_or(Value::Null, Value::Number)
            .into()
    }
}

macro_rules! from_json_scalar {
    ($($type:ty),*) => {$(
        impl From<$type> for FieldValue {
            fn from(value: $type) -> Self {
                Value::from(value).into()
            }
        }
    )*};
}
from_json_scalar!(&str, String, bool, u8, u16, u32, u64, i8, i16, i32, i64);

impl<T: Into<FieldValue>> From<Vec<T>> for FieldValue {
    fn from(items: Vec<T>) -> Self {
        Self::list(each_into(items))
    }
}

impl<T: Into<FieldValue>, const N: usize> From<[T; N]> for FieldValue {
    fn from(items: [T; N]) -> Self {
        Vec::from(items).into()
    }
}

fn each_into<T: Into<FieldValue>>(items: Vec<T>) -> Vec<FieldValue> {
    let mut values = Vec::new();
    for item in items {
        values.push(item.into());
    }
    values
}

/// The members of an object as JSON.
// These two insert one by one: what `collect` compiles to sorts, anew for each iterator, and made a fifth of this crate's build.
pub(crate) fn to_object(members: &BTreeMap<String, FieldValue>) -> Map<String, Value> {
    let mut object = Map::new();
    for (key, value) in members {
        object.insert(key.clone(), value.json.clone());
    }
    object
}

/// The members of a JSON object.
pub(crate) fn from_object(object: Map<String, Value>) -> BTreeMap<String, FieldValue> {
    let mut members = BTreeMap::new();
    for (key, value) in object {
        members.insert(key, value.into());
    }
    members
}

/// An object.
impl From<BTreeMap<String, FieldValue>> for FieldValue {
    fn from(members: BTreeMap<String, FieldValue>) -> Self {
        let json = Value::Object(to_object(&members));
        Self::with_parts(json, &members, members.values())
    }
}
