//! Numbers that keep their exact value in JSON.

use serde_json::Number;
use telecrm::FieldValue;

/// Parses a number. Returns None if reading and writing it as JSON would change its value.
pub(super) fn exact(text: &str) -> Option<Number> {
    let written: FieldValue = serde_json::from_str(text).ok()?;
    let number = written.as_json().as_number()?;
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    let decimal = written.as_decimal()?;
    let rounded = FieldValue::from(number.as_f64()?).as_decimal()?;
    // An integer beyond 64 bits is more likely an ID than a quantity. It stays text, even if a
    // double can hold it.
    let is_integer = !text.contains(['.', 'e', 'E']) && decimal != 0.into();
    (!is_integer && rounded == decimal).then(|| number.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_value_or_is_refused() {
        for (text, number) in [
            ("4", Some("4")),
            ("-0.5", Some("-0.5")),
            ("1250.50", Some("1250.5")),
            ("1e3", Some("1000.0")),
            ("-0", Some("-0.0")),
            ("0.30000000000000004", Some("0.30000000000000004")),
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", None),
            ("100000000000000000000", None),
            ("9007199254740993.0", None),
            ("0.12345678901234567", None),
            ("123456789012345678901234", None),
            ("1e-400", None),
            ("1e400", None),
            ("1,000", None),
            ("007", None),
            ("NaN", None),
        ] {
            let exact = exact(text).map(|number| number.to_string());
            assert_eq!(exact.as_deref(), number, "{text}");
        }
    }
}
