//! One value of a lead's or an action's field.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

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
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct FieldValue(Value);

impl FieldValue {
    /// JSON `null`. telecrm documents no way to clear a field; see `docs/api-notes.md`.
    pub fn null() -> Self {
        Self(Value::Null)
    }

    /// Whether this is JSON `null`.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// The number, if this is one without a fraction that fits.
    pub fn as_i64(&self) -> Option<i64> {
        let number = self.0.as_number()?;
        number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond 2^53 a float no longer names one integer.
            (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
        })
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.as_f64()
    }

    /// The texts, if this is a list of strings.
    pub fn as_strings(&self) -> Option<Vec<&str>> {
        self.0.as_array()?.iter().map(Value::as_str).collect()
    }

    /// The value as JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// The value as JSON, by value.
    pub fn into_json(self) -> Value {
        self.0
    }
}

/// Compact JSON: the value itself, where [`Debug`](std::fmt::Debug) shows only its type.
impl std::fmt::Display for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Value> for FieldValue {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<FieldValue> for Value {
    fn from(value: FieldValue) -> Self {
        value.0
    }
}

/// Unix milliseconds.
impl From<jiff::Timestamp> for FieldValue {
    fn from(time: jiff::Timestamp) -> Self {
        Self(time.as_millisecond().into())
    }
}

/// `null` for a number that JSON cannot hold (NaN, infinite).
impl From<f64> for FieldValue {
    fn from(number: f64) -> Self {
        Self(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }
}

macro_rules! from_json_scalar {
    ($($type:ty),*) => {$(
        impl From<$type> for FieldValue {
            fn from(value: $type) -> Self {
                Self(value.into())
            }
        }
    )*};
}
from_json_scalar!(&str, String, bool, u8, u16, u32, u64, i8, i16, i32, i64);

impl<T: Into<FieldValue>> From<Vec<T>> for FieldValue {
    fn from(values: Vec<T>) -> Self {
        Self(values.into_iter().map(|v| v.into().0).collect())
    }
}

impl<T: Into<FieldValue>, const N: usize> From<[T; N]> for FieldValue {
    fn from(values: [T; N]) -> Self {
        Self(values.into_iter().map(|v| v.into().0).collect())
    }
}
