//! What no number type or text can hold as it is written: numbers with many digits, and halves of characters.

use serde_json::Number;
use std::borrow::Cow;

/// A JSON text of which a part would not come back as it is written.
pub(super) struct Inexact {
    /// The text, without blanks between its parts.
    pub(super) text: String,
    /// The same, with parts that can be read.
    pub(super) nearest: String,
}

/// What cannot be kept exactly otherwise; nothing if every part comes back as it is.
pub(super) fn inexact(text: &str) -> Option<Inexact> {
    let text = text.trim();
    // Most values are texts.
    if text.starts_with('"') && !text.contains("\\u") {
        return None;
    }
    let mut exact = true;
    let mut all = Inexact {
        text: String::new(),
        nearest: String::new(),
    };
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

/// The length of the string at the start, its quotes included.
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

/// The JSON itself, or with U+FFFD in the place of each half of a character: servers that count in UTF-16 cut texts
/// through the middle of one, and write the half that is left as an escape.
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

/// The number itself if it comes back as it is written, else the nearest that does.
fn nearest(number: &str) -> Cow<'_, str> {
    // Integers of up to 15 digits always do; only `-0` does not.
    let plain = number.len() <= 15 && number.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        return Cow::Borrowed(number);
    }
    match serde_json::from_str::<Number>(number).map(|read| read.to_string()) {
        Ok(read) if read == number => Cow::Borrowed(number),
        Ok(read) => Cow::Owned(read),
        // Beyond every float, which the parser refuses.
        Err(_) => {
            let largest = match number.starts_with('-') {
                true => f64::MIN,
                false => f64::MAX,
            };
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
        fn digits_come_out_as_they_went_in(
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
        fn what_a_number_type_holds_is_kept_as_such(integer: i64, unsigned: u64, float: f64) {
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
    fn blanks_between_the_parts_are_left_out() {
        let value = read("[ 1 ,\n 1.10 , \" a  b \" ]");
        assert_eq!(value.to_string(), "[1,1.10,\" a  b \"]");
        assert_eq!(value.as_json()[1], 1.1);
    }

    #[test]
    fn a_number_beyond_every_float_is_read_all_the_same() {
        let value = read(&format!("-{}", "9".repeat(400)));
        assert_eq!(value.as_f64(), Some(f64::MIN));
        assert_eq!(value.digits().map(|digits| digits.len()), Some(401));
        assert_eq!(value.as_i64(), None);
    }

    #[test]
    fn what_serde_has_read_already_is_the_nearest() {
        #[derive(serde::Deserialize)]
        struct Row {
            id: String,
            #[serde(flatten)]
            more: std::collections::BTreeMap<String, FieldValue>,
        }
        let row = r#"{"id":"l1","n":12345678901234567890123,"list":[1.5,null,"x"],"o":{"a":true}}"#;
        let row: Row = serde_json::from_str(row).expect("a row");
        assert_eq!((row.id.as_str(), row.more.len()), ("l1", 3));
        assert_eq!(row.more["n"], 1.2345678901234568e22.into());
        assert_eq!(row.more["list"].to_string(), r#"[1.5,null,"x"]"#);
        assert_eq!(row.more["o"].to_string(), r#"{"a":true}"#);
    }

    #[test]
    fn half_a_character_is_read_and_written_back() {
        for (half, nearest) in [
            (r#""so far \ud83d""#, "so far \u{fffd}"),
            (
                r#""\ude00 \ud83d\u0041 \\ud83d \ud83d\ude00""#,
                "\u{fffd} \u{fffd}A \\ud83d 😀",
            ),
        ] {
            let value = read(half);
            assert_eq!(value.as_str(), Some(nearest));
            assert_eq!(serde_json::to_string(&value).expect("JSON"), half);
            let list = format!(r#"[{half},1.10]"#);
            assert_eq!(serde_json::to_string(&read(&list)).expect("JSON"), list);
        }
        let whole = read(r#""\ud83d\ude00 \u0041 \n""#);
        assert_eq!(whole, FieldValue::from("😀 A \n"));
    }

    #[test]
    fn an_integer_is_told_only_if_it_is_that_one() {
        assert_eq!(read("9007199254740993.0").as_i64(), None);
        assert_eq!(read("3.0").as_i64(), Some(3));
        assert_eq!(read("-0").as_i64(), Some(0));
    }
}
