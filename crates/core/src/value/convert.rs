//! Conversions of Rust types into field values.

use super::{Amount, Decimal, FieldValue, Form};
use serde_json::{Number, Value};
use std::collections::BTreeMap;

impl From<Value> for FieldValue {
    fn from(json: Value) -> Self {
        Self { json, form: Form::Plain }
    }
}

impl From<FieldValue> for Value {
    fn from(value: FieldValue) -> Self {
        value.json
    }
}

/// Converts into Unix milliseconds.
impl From<jiff::Timestamp> for FieldValue {
    fn from(time: jiff::Timestamp) -> Self {
        time.as_millisecond().into()
    }
}

/// Converts into a number. NaN and infinity become `null`, because JSON cannot hold them.
impl From<f64> for FieldValue {
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Value::Null, Value::Number).into()
    }
}

/// Converts into text, because money fields do not accept numbers.
impl From<Decimal> for FieldValue {
    fn from(decimal: Decimal) -> Self {
        decimal.as_str().into()
    }
}

/// Converts into text, because money fields do not accept numbers.
impl From<Amount> for FieldValue {
    fn from(amount: Amount) -> Self {
        amount.as_str().into()
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

/// Converts into a list.
impl<T: Into<FieldValue>> From<Vec<T>> for FieldValue {
    fn from(items: Vec<T>) -> Self {
        let items: Vec<FieldValue> = items.into_iter().map(T::into).collect();
        Self::join(&items)
    }
}

/// Converts into a list.
impl<T: Into<FieldValue>, const N: usize> From<[T; N]> for FieldValue {
    fn from(items: [T; N]) -> Self {
        Vec::from(items).into()
    }
}

/// Converts into an object.
impl From<BTreeMap<String, FieldValue>> for FieldValue {
    fn from(members: BTreeMap<String, FieldValue>) -> Self {
        Self::join(&members)
    }
}
