//! JSON text that `serde_json` cannot hold: numbers with many digits, and halves of characters.

use serde_json::Number;
use std::borrow::Cow;

/// JSON text with a part that `serde_json` would change.
pub(super) struct Inexact {
    /// The text without blanks between its parts.
    pub(super) text: String,
    /// The same text, with the nearest readable number or character in each such place.
    pub(super) nearest: String,
}

/// Looks for parts that `serde_json` would change. Returns None if the text has no such part.
pub(super) fn inexact(text: &str) -> Option<Inexact> {
    let text = text.trim();
    // Most values are plain strings.
    if text.starts_with('"') && !text.contains("\\u") {
        return None;
    }
    let mut exact = true;
    let mut all = Inexact { text: String::new(), nearest: String::new() };
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let (part, nearest, after) = match first {
            b'"' => {
                let (text, after) = rest.split_at(string_length(rest));
                let whole = whole_characters(text);
                exact &= matches!(whole, Cow::Borrowed(_));
                (text, whole, after)
            }
            b'-' | b'0'..=b'9' => {
                let digits =
                    |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
                let length = rest.find(|c| !digits(c)).unwrap_or(rest.len());
                let (number, after) = rest.split_at(length);
                let nearest = nearest(number);
                exact &= matches!(nearest, Cow::Borrowed(_));
                (number, nearest, after)
            }
            b' ' | b'\t' | b'\n' | b'\r' => ("", Cow::Borrowed(""), rest.trim_start()),
            _ => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                let (other, after) = rest.split_at(length);
                (other, Cow::Borrowed(other), after)
            }
        };
        all.text.push_str(part);
        all.nearest.push_str(&nearest);
        rest = after;
    }
    (!exact).then_some(all)
}

/// The length of the string at the start, including its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' if index > 0 => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Replaces each half of a character by U+FFFD. A server that counts in UTF-16 can cut a text in
/// the middle of a surrogate pair, and writes the remaining half as an escape.
pub(crate) fn whole_characters(text: &str) -> Cow<'_, str> {
    let unit = |escape: &str| u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let mut whole = Cow::Borrowed("");
    let (mut kept, mut start) = (0, 0);
    while let Some(found) = text[start..].find('\\') {
        let at = start + found;
        let second = || text.get(at + 6..).and_then(unit);
        start = at
            + match unit(&text[at..]) {
                Some(0xD800..=0xDBFF) if matches!(second(), Some(0xDC00..=0xDFFF)) => 12,
                Some(0xD800..=0xDFFF) => {
                    let whole = whole.to_mut();
                    whole.push_str(&text[kept..at]);
                    whole.push_str("\\ufffd");
                    kept = at + 6;
                    6
                }
                Some(_) => 6,
                None => 2,
            };
    }
    match kept {
        0 => Cow::Borrowed(text),
        _ => whole + &text[kept..],
    }
}

/// The nearest number that `serde_json` writes as it reads it.
fn nearest(number: &str) -> Cow<'_, str> {
    // `serde_json` keeps integers of up to 15 digits. The sign excludes `-0`, which it changes.
    let plain = number.len() <= 15 && number.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        return Cow::Borrowed(number);
    }
    match serde_json::from_str::<Number>(number).map(|read| read.to_string()) {
        Ok(read) if read == number => Cow::Borrowed(number),
        Ok(read) => Cow::Owned(read),
        // The parser refuses numbers beyond every float.
        Err(_) => {
            let largest = if number.starts_with('-') { f64::MIN } else { f64::MAX };
            Cow::Owned(Number::from_f64(largest).map_or_else(String::new, |n| n.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::FieldValue;
    use proptest::prelude::*;

    fn read(text: &str) -> FieldValue {
        serde_json::from_str(text).expect("JSON")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_keep_every_digit(
            number in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?",
        ) {
            let value = read(&number);
            prop_assert_eq!(value.digits(), Some(number.as_str().into()));
            prop_assert_eq!(value.to_string(), number.clone());
            prop_assert_eq!(serde_json::to_string(&value).expect("JSON"), number.clone());

            let nested = format!("{{\"list\":[1,{number},\"{number} \\\" {{\"],\"x\":{{\"n\":{number}}}}}");
            prop_assert_eq!(serde_json::to_string(&read(&nested)).expect("JSON"), nested);
        }

        #[test]
        fn numbers_in_range_equal_their_rust_types(integer: i64, unsigned: u64, float: f64) {
            prop_assert_eq!(read(&integer.to_string()), FieldValue::from(integer));
            prop_assert_eq!(read(&integer.to_string()).as_i64(), Some(integer));
            prop_assert_eq!(read(&unsigned.to_string()), FieldValue::from(unsigned));
            if float.is_finite() {
                let text = FieldValue::from(float).to_string();
                prop_assert_eq!(read(&text), FieldValue::from(float));
            }
        }
    }

    #[test]
    fn blanks_between_parts_are_removed() {
        let value = read("[ 1 ,\n 1.10 , \" a  b \" ]");
        assert_eq!(value.to_string(), "[1,1.10,\" a  b \"]");
        assert_eq!(value.as_json()[1], 1.1);
    }

    #[test]
    fn a_number_beyond_every_float_keeps_its_digits() {
        let value = read(&format!("-{}", "9".repeat(400)));
        assert_eq!(value.as_f64(), Some(f64::MIN));
        assert_eq!(value.digits().map(|digits| digits.len()), Some(401));
        assert_eq!(value.as_i64(), None);
    }

    #[test]
    fn a_buffered_number_is_the_nearest_float() {
        #[derive(serde::Deserialize)]
        struct Row {
            id: String,
            #[serde(flatten)]
            extra: std::collections::BTreeMap<String, FieldValue>,
        }
        let row = r#"{"id":"l1","n":12345678901234567890123,"list":[1.5,null,"x"],"o":{"a":true}}"#;
        let row: Row = serde_json::from_str(row).expect("a row");
        assert_eq!((row.id.as_str(), row.extra.len()), ("l1", 3));
        assert_eq!(row.extra["n"], 1.2345678901234568e22);
        assert_eq!(row.extra["list"].to_string(), r#"[1.5,null,"x"]"#);
        assert_eq!(row.extra["o"].to_string(), r#"{"a":true}"#);
    }

    fn half_a_character_is_replaced_and_written_back(half: &str, nearest: &str) {
        let value = read(half);
        assert_eq!(value.as_str(), Some(nearest));
        assert_eq!(serde_json::to_string(&value).expect("JSON"), half);
        let list = format!(r#"[{half},1.10]"#);
        assert_eq!(serde_json::to_string(&read(&list)).expect("JSON"), list);
    }

    cases! { half_a_character_is_replaced_and_written_back:
        at_the_end(r#""so far \ud83d""#, "so far \u{fffd}"),
        among_whole_characters(
            r#""\ude00 \ud83d\u0041 \\ud83d \ud83d\ude00""#,
            "\u{fffd} \u{fffd}A \\ud83d 😀",
        ),
    }

    #[test]
    fn escaped_whole_characters_are_plain_text() {
        let whole = read(r#""\ud83d\ude00 \u0041 \n""#);
        assert_eq!(whole, FieldValue::from("😀 A \n"));
    }

    fn as_i64(number: &str, expected: Option<i64>) {
        assert_eq!(read(number).as_i64(), expected);
    }

    cases! { as_i64:
        float_beyond_2_to_53("9007199254740993.0", None),
        whole_float("3.0", Some(3)),
        negative_zero("-0", Some(0)),
    }
}
