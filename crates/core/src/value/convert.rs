//! Conversions of Rust types into field values, and comparisons with them.

use super::{Amount, Decimal, FieldValue, Form};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

/// What a field can be set to: anything that converts into a [`FieldValue`], or an `Option` of it.
///
/// `None` sets nothing, as a blank text does. Filters do not accept an `Option`, because a filter
/// for a missing value would match either no lead or every lead.
///
/// ```
/// use telecrm_core::Lead;
///
/// let email: Option<String> = None;
/// let lead = Lead::new().set("phone", "919999999999").set("name", Some("Asha")).set("email", email);
/// assert_eq!(lead, Lead::new().set("phone", "919999999999").set("name", "Asha"));
/// ```
pub trait SetField {
    /// The value to set. Returns None to set nothing.
    fn into_value(self) -> Option<FieldValue>;
}

impl<T: Into<FieldValue>> SetField for T {
    fn into_value(self) -> Option<FieldValue> {
        Some(self.into())
    }
}

impl<T: Into<FieldValue>> SetField for Option<T> {
    fn into_value(self) -> Option<FieldValue> {
        self.map(T::into)
    }
}

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

/// Converts into Unix milliseconds. A time beyond the years that [`jiff`] knows becomes `null`.
impl From<SystemTime> for FieldValue {
    fn from(time: SystemTime) -> Self {
        jiff::Timestamp::try_from(time).map_or_else(|_| Self::null(), Self::from)
    }
}

/// Converts into the shortest number that reads back as the same `f32`. NaN and infinity become
/// `null`, because JSON cannot hold them.
impl From<f32> for FieldValue {
    fn from(number: f32) -> Self {
        number.to_string().parse::<f64>().map_or_else(|_| Self::null(), Self::from)
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
from_json_scalar!(&str, String, Cow<'_, str>, bool);
from_json_scalar!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

macro_rules! from_long_integer {
    ($($type:ty),*) => {$(
        /// Converts into a number with every digit.
        impl From<$type> for FieldValue {
            fn from(value: $type) -> Self {
                Self::read(&value.to_string()).expect("an integer is JSON")
            }
        }
    )*};
}
from_long_integer!(u128, i128);

impl From<&String> for FieldValue {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

/// Converts into a list.
impl<T: Clone + Into<FieldValue>> From<&[T]> for FieldValue {
    fn from(items: &[T]) -> Self {
        items.to_vec().into()
    }
}

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

/// Converts into an object.
impl From<HashMap<String, FieldValue>> for FieldValue {
    fn from(members: HashMap<String, FieldValue>) -> Self {
        members.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

macro_rules! compare {
    ($($type:ty),*) => {$(
        /// Whether the value is exactly this one. `4` does not equal `"4"`.
        impl PartialEq<$type> for FieldValue {
            fn eq(&self, other: &$type) -> bool {
                self.written().is_none() && self.json == *other
            }
        }
    )*};
}
compare!(str, &str, String, bool, i32, i64, u32, u64, f64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lead;

    fn writes(value: impl SetField, json: &str) {
        let lead = Lead::new().set("field", value);
        assert_eq!(lead.get("field").map(ToString::to_string).as_deref(), Some(json));
    }

    cases! { writes:
        borrowed_string(&"Asha".to_owned(), r#""Asha""#),
        cow(Cow::Borrowed("Asha"), r#""Asha""#),
        slice(["VIP", "Returning"].as_slice(), r#"["VIP","Returning"]"#),
        length("Asha".len(), "4"),
        single_precision(0.1_f32, "0.1"),
        more_digits_than_64_bits(i128::MIN, "-170141183460469231731687303715884105728"),
        system_time(SystemTime::UNIX_EPOCH, "0"),
        present_option(Some(4), "4"),
        map(HashMap::from([("city".to_owned(), FieldValue::from("Pune"))]), r#"{"city":"Pune"}"#),
    }

    fn sets_nothing(value: impl SetField) {
        assert_eq!(Lead::new().set("field", 1).set("field", value).get("field"), None);
    }

    cases! { sets_nothing:
        absent_text(None::<String>),
        absent_number(None::<i64>),
        option_of_blank(Some(" ")),
    }

    #[test]
    fn values_compare_with_rust_values() {
        let (text, number) = (FieldValue::from("4"), FieldValue::from(4));
        assert!(text == "4" && text == *"4" && number == 4 && number == 4.0);
        assert!(number != "4" && text != 4);
    }

    #[test]
    fn a_number_with_more_digits_equals_no_rust_number() {
        let long: FieldValue = serde_json::from_str("12345678901234567890.5").expect("a number");
        assert!(long != 12345678901234567890.5);
    }

    #[test]
    fn leads_are_collected_from_pairs_and_maps() {
        let expected = Lead::new().set("phone", "919999999999").set("rating", 4);
        let fields =
            BTreeMap::from([("phone".into(), "919999999999".into()), ("rating".into(), 4.into())]);
        assert_eq!(Lead::from(fields), expected);
        let pairs = [("phone", Some("919999999999")), ("name", None)];
        assert_eq!(pairs.into_iter().collect::<Lead>().set("rating", 4), expected);
    }
}
