//! Numbers that keep their exact value in JSON, and why others do not.

use crate::problem::Problem;
use serde_json::Number;
use telecrm::FieldValue;
use telecrm::text::trim;

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

/// Says why a text is not a number of a number field, and what to write instead.
pub(crate) fn explain(text: &str) -> Problem {
    let text = trim(text);
    let problem = |what: &str, hint: String| Problem::new(format!("`{text}` {what}")).hint(hint);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let is_number =
        digits.parse::<f64>().is_ok() && digits.starts_with(|c: char| c.is_ascii_digit());
    let without_zeros = digits.trim_start_matches('0');
    if is_number
        && digits.len() > without_zeros.len()
        && without_zeros.starts_with(|c: char| c.is_ascii_digit())
    {
        return problem(
            "begins with zeros, which a number does not keep",
            format!("write {sign}{without_zeros}, or use a text field if the zeros matter"),
        );
    }
    if is_number && text.starts_with('+') {
        return problem("begins with a plus sign", format!("write {digits}"));
    }
    if is_number {
        return problem(
            "has more digits, or is larger or smaller, than telecrm keeps",
            "round it to 15 digits, or use a text field".to_owned(),
        );
    }
    if let Some(ungrouped) = without_grouping(text) {
        return problem("groups its digits", format!("write {ungrouped}"));
    }
    problem("is not a number", "write digits only, such as 1250.50".to_owned())
}

/// Removes the separators between groups of digits, as in `1,00,000.50`. Returns None if they may
/// mean something else.
fn without_grouping(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let separator = whole.chars().find(|c| !c.is_ascii_digit() && *c != '-')?;
    let is_separator =
        matches!(separator, ',' | '_' | '\'' | '\u{2019}') || separator.is_whitespace();
    let groups: Vec<&str> = whole.trim_start_matches('-').split(separator).collect();
    let are_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let [first, middle @ .., last] = groups.as_slice() else {
        return None;
    };
    let is_grouped = is_separator
        && groups.iter().all(|group| are_digits(group))
        && are_digits(fraction)
        && (1..=3).contains(&first.len())
        && middle.iter().all(|group| matches!(group.len(), 2 | 3))
        && last.len() == 3;
    is_grouped.then(|| text.replace(separator, ""))
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

    #[test]
    fn the_hint_says_what_to_write() {
        for (text, hint) in [
            ("0500", "write 500, or use a text field if the zeros matter"),
            ("-007.5", "write -7.5, or use a text field if the zeros matter"),
            ("1,00,000", "write 100000"),
            ("1,250.50", "write 1250.50"),
            ("-12 500", "write -12500"),
            ("+5", "write 5"),
            ("0.12345678901234567", "round it to 15 digits, or use a text field"),
            ("1e400", "round it to 15 digits, or use a text field"),
            ("1,5", "write digits only, such as 1250.50"),
            ("1.000,50", "write digits only, such as 1250.50"),
            ("₹500", "write digits only, such as 1250.50"),
            ("four", "write digits only, such as 1250.50"),
        ] {
            assert_eq!(explain(text).hint.as_deref(), Some(hint), "{text}");
        }
    }
}
