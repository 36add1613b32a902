//! What a request carried, so that it can be masked where the server repeats it.

use percent_encoding::percent_decode_str;
use reqwest::Request;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use telecrm_core::FieldValue;

/// The values that a refused request carried.
#[derive(Clone, Default)]
pub(crate) struct Sent {
    /// In lower case and in order.
    values: Vec<String>,
    /// The digits of what in them may be numbers of phones, in the order of their last ones.
    phones: Vec<String>,
}

/// Shorter values are not masked: they would take words out of every sentence.
const SHORTEST: usize = 4;

/// What is as long as this stands in a longer word by no accident.
const LONG: usize = 8;

impl Sent {
    pub(super) fn by(request: &Request) -> Self {
        let mut values = Vec::new();
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
            let read = serde_json::from_slice(body);
            if read.and_then(|body| leaves(body, &mut values)).is_err() {
                words(&String::from_utf8_lossy(body), &mut values);
            }
        }
        let url = request.url();
        // Words of a path are no values; IDs and addresses are.
        let telling = |text: &str| text.contains(|c: char| c.is_ascii_digit() || c == '@');
        let mut before = "";
        for segment in url.path().split('/') {
            // As the server reads it, and repeats it.
            let value = percent_decode_str(segment).decode_utf8_lossy();
            if before == "enterprise" || telling(&value) {
                values.push(value.into_owned());
            }
            before = segment;
        }
        for (_, value) in url.query_pairs() {
            if telling(&value) {
                values.push(value.into_owned());
            }
        }
        values.retain(|value| value.len() >= SHORTEST);
        let mut phones = Vec::new();
        for value in &values {
            phones_in(value, &mut phones);
        }
        phones.sort_by(|one, other| last_of(one).cmp(last_of(other)).then(one.cmp(other)));
        phones.dedup();
        Self {
            values: in_order(values),
            phones,
        }
    }
}

/// Values as they are looked up. Case is ignored in ASCII only, where it does not move places.
fn in_order(mut values: Vec<String>) -> Vec<String> {
    values.retain(|value| !value.is_empty());
    for value in &mut values {
        value.make_ascii_lowercase();
    }
    values.sort();
    values.dedup();
    values
}

/// The fewest digits by which a number is recognised, and the most that it has.
const PHONE: std::ops::RangeInclusive<usize> = 7..=15;

/// The longest country code, and the same with the zeros that are dialled before it.
const CALLING_CODE: usize = 3;
const DIALLED_CODE: usize = CALLING_CODE + 2;

/// The last digits of a number, by which it is looked up.
fn last_of(digits: &str) -> &str {
    &digits[digits.len() - PHONE.start()..]
}

/// What may stand between the digits of a number.
fn is_between(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '+')
}

/// The digits of what may be numbers of phones.
fn phones_in(value: &str, phones: &mut Vec<String>) {
    for run in runs(value) {
        let digits = digits_at(value, &run);
        let digits = digits.trim_start_matches('0');
        if PHONE.contains(&digits.len()) {
            phones.push(digits.to_owned());
        }
    }
}

fn digits_at(text: &str, places: &[usize]) -> String {
    let bytes = text.as_bytes();
    places
        .iter()
        .map(|place| char::from(bytes[*place]))
        .collect()
}

/// What stands in quotes, and words with digits, of a body that is no JSON that can be read.
fn words(body: &str, values: &mut Vec<String>) {
    for part in body.split('"') {
        // Keys and blanks between the parts are masked as well: better a word too many than a name too few.
        text(part, values);
        let words = part.split(|c: char| !c.is_alphanumeric());
        let telling = words.filter(|word| word.contains(|c: char| c.is_ascii_digit()));
        values.extend(telling.map(str::to_owned));
    }
    values.retain(|value| value.contains(char::is_alphanumeric));
}

fn leaves(json: &RawValue, values: &mut Vec<String>) -> serde_json::Result<()> {
    let json = json.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
            let mut data = members.into_iter().filter(|(key, _)| key != "type");
            data.try_for_each(|(_, value)| leaves(value, values))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            items.into_iter().try_for_each(|item| leaves(item, values))
        }
        _ => {
            let value: FieldValue = serde_json::from_str(json)?;
            match (value.as_str(), value.digits()) {
                (Some(value), _) => text(value, values),
                (_, Some(digits)) => number(&digits, values),
                _ => {}
            }
            Ok(())
        }
    }
}

fn text(value: &str, values: &mut Vec<String>) {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    values.push(value.trim().to_owned());
    // The server may repeat a number without its blanks and signs.
    if digits.len() >= 7 {
        values.push(digits);
    }
}

/// The number as it was sent, and as a server repeats it that has read it as a float.
fn number(digits: &str, values: &mut Vec<String>) {
    values.push(digits.to_owned());
    let Ok(float) = digits.parse::<f64>() else {
        return;
    };
    let repeated = float.to_string();
    if repeated != digits {
        // Before its exponent, which may be written in two ways.
        let mantissa = format!("{float:e}");
        values.extend(mantissa.split('e').next().map(str::to_owned));
        values.push(repeated);
    }
}

/// A text without these secrets and without what was sent, in whichever case and spelling it writes them.
///
/// Each place of the text is looked up once among all values: a long text may answer to thousands of them.
pub(crate) fn mask(text: &str, secrets: &[String], sent: &Sent) -> String {
    let mut hidden = vec![false; text.len()];
    hide(&in_order(secrets.to_vec()), text, &mut hidden);
    hide(&sent.values, text, &mut hidden);
    hide_phones(&sent.phones, text, &mut hidden);
    let mut masked = String::with_capacity(text.len());
    let mut before = false;
    for (place, c) in text.char_indices() {
        match hidden[place] {
            false => masked.push(c),
            // Of a value that is part of another no rest must stand.
            true if !before => masked.push('…'),
            true => {}
        }
        before = hidden[place];
    }
    masked
}

/// Hides each value wherever the text has it.
fn hide(values: &[String], text: &str, hidden: &mut [bool]) {
    let lower = text.to_ascii_lowercase();
    let part_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    for (start, _) in lower.char_indices() {
        let mut rest = &lower.as_bytes()[start..];
        // What the rest begins with is in order before it, and so is whatever begins alike.
        while let Some(value) = last_before(values, rest) {
            let both = value.iter().zip(rest);
            let alike = both.take_while(|(one, other)| one == other).count();
            rest = &rest[..alike];
            if alike < value.len() {
                continue;
            }
            let end = start + alike;
            // A short one within a word is another word's.
            let inside = alike < LONG
                && (part_of_word(text[..start].chars().next_back())
                    || part_of_word(text[end..].chars().next()));
            if !inside {
                hidden[start..end].fill(true);
                break;
            }
            rest = &rest[..alike - 1];
        }
    }
}

/// The last value that is not after this one.
fn last_before<'a>(values: &'a [String], place: &[u8]) -> Option<&'a [u8]> {
    let count = values.partition_point(|value| value.as_bytes() <= place);
    values[..count].last().map(String::as_bytes)
}

/// Hides each number wherever the text has it, with its country code or without, and with whatever between its digits.
fn hide_phones(phones: &[String], text: &str, hidden: &mut [bool]) {
    for run in runs(text) {
        let written = digits_at(text, &run);
        for end in *PHONE.start()..=written.len() {
            let written = &written[..end];
            let place = phones.partition_point(|digits| last_of(digits) < last_of(written));
            for digits in &phones[place..] {
                if last_of(digits) != last_of(written) {
                    break;
                }
                if let Some(start) = start_of(digits, written) {
                    let sign = text[..run[start]].trim_end_matches(['+', '(']).len();
                    hidden[sign..=run[end - 1]].fill(true);
                }
            }
        }
    }
}

/// Where the number starts that ends these digits, with its country code or without.
fn start_of(digits: &str, written: &str) -> Option<usize> {
    // What stands before these is its country code, if it has one.
    let national = (digits.len() - CALLING_CODE).max(*PHONE.start());
    let own = &digits[digits.len() - national..];
    let before = written
        .strip_suffix(digits)
        .or_else(|| written.strip_suffix(own))?;
    // What few digits are left before it are a country code, or zeros.
    match before.len() {
        ..=DIALLED_CODE => Some(0),
        start => Some(start),
    }
}

/// The places of digits that may be one number, with no more than two signs between any of them.
fn runs(text: &str) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut between = usize::MAX;
    for (place, c) in text.char_indices() {
        match c {
            c if c.is_ascii_digit() => {
                match runs.last_mut().filter(|_| between <= 2) {
                    Some(run) => run.push(place),
                    None => runs.push(vec![place]),
                }
                between = 0;
            }
            c if is_between(c) => between = between.saturating_add(1),
            _ => between = usize::MAX,
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    #[test]
    fn what_was_sent_is_masked_in_every_case_and_as_a_whole() {
        let values = ["jane".to_owned(), "jane@example.com".to_owned()];
        assert_eq!(
            masked("JANE@Example.com exists, Janes do not, jane", &values),
            "… exists, Janes do not, …"
        );
        assert_eq!(masked("Lead not found", &values), "Lead not found");
    }

    fn masked(text: &str, secrets: &[String]) -> String {
        mask(text, secrets, &Sent::default())
    }

    #[test]
    fn a_number_is_masked_in_whichever_spelling() {
        for sent in [
            "+91 99999-99999",
            "9999999999",
            "919999999999",
            "(0) 99999 99999",
            "97777 77777/99999 99999",
            "call 09999999999 soon",
        ] {
            let body = serde_json::json!({ "fields": { "phone": sent } }).to_string();
            let request = reqwest::Client::new().post("http://localhost/").body(body);
            let sent_values = Sent::by(&request.build().unwrap());
            for written in [
                "919999999999",
                "9999999999",
                "+919999999999",
                "+91 99999 99999",
                "+91-99999-99999",
                "(+91) 99999.99999",
                "09999999999",
                "00919999999999",
                "+91 (99999) 99999",
            ] {
                let text = format!("401: {written} exists, see 12345678 or {written}.");
                assert_eq!(
                    mask(&text, &[], &sent_values),
                    "401: … exists, see 12345678 or ….",
                    "sent {sent}, written {written}"
                );
            }
            let other = "1780290000000 and 918888888888, 401 of 500";
            assert_eq!(mask(other, &[], &sent_values), other, "{sent}");
        }
    }

    #[test]
    fn a_long_message_is_masked_in_time_whatever_was_sent() {
        let mut fields = std::collections::BTreeMap::new();
        let mut message = String::new();
        for index in 0..5_000 {
            let (name, phone) = (format!("jane {index:04}"), format!("9198{index:08}"));
            message += &format!("{name} of ward {index} and +{phone} exist; ");
            fields.insert(name.clone(), serde_json::json!([name, phone]));
        }
        let body = serde_json::to_string(&fields).unwrap();
        let request = reqwest::Client::new().post("http://localhost/").body(body);
        let sent = Sent::by(&request.build().unwrap());
        let began = SystemClock.now();
        let masked = mask(&message, &[], &sent);
        let took = SystemClock.now().duration_since(began);
        assert!(
            masked.starts_with("… of ward 0 and … exist; … of ward 1 "),
            "{masked}"
        );
        assert!(took.as_secs() < 10, "{took:?}");
    }

    #[test]
    fn an_id_is_masked_as_the_server_reads_it() {
        let url = "http://localhost/enterprise/acme%20%26%20co/lead/%2B91%2099999%2099999";
        let request = reqwest::Client::new().get(url).build().unwrap();
        let sent = Sent::by(&request);
        assert_eq!(
            mask("nothing of +91 99999-99999 in Acme & Co", &[], &sent),
            "nothing of … in …"
        );
        let request = reqwest::Client::new().get("http://localhost/lead/ref%209%2Fa");
        let sent = Sent::by(&request.build().unwrap());
        assert_eq!(mask("no lead Ref 9/a", &[], &sent), "no lead …");
    }

    #[test]
    fn of_values_that_begin_alike_the_one_that_is_a_word_is_masked() {
        for (text, expected) in [
            ("anna annas annasmith annasmiths", "… annas … …s"),
            ("anna-lena", "…"),
            ("annä anna", "annä …"),
        ] {
            let values = [
                "anna",
                "anna-le",
                "anna-lena",
                "annasmith",
                "annb",
                "ann\u{e9}",
            ];
            assert_eq!(masked(text, &values.map(str::to_owned)), expected);
        }
    }

    #[test]
    fn short_secrets_are_masked_as_words() {
        let message = "Enterprise with ID 4 not found: \"4\" of 401, ent4 (4)";
        assert_eq!(
            masked(message, &["4".to_owned()]),
            "Enterprise with ID … not found: \"…\" of 401, ent4 (…)"
        );
        assert_eq!(masked("token a:b-c.", &["a:b-c".to_owned()]), "token ….");
        assert_eq!(
            masked("tel919999999999", &["919999999999".to_owned()]),
            "tel…"
        );
    }

    #[test]
    fn values_of_a_body_with_a_number_beyond_every_float_are_masked_as_well() {
        let request = reqwest::Client::new()
            .post("http://localhost/")
            .body(r#"{"fields":{"phone":"+91 99999 99999","email":"a@b.in","huge":1e999}}"#)
            .build()
            .unwrap();
        let sent = Sent::by(&request);
        let message = mask("lead 919999999999, +91 99999 99999 or A@b.in", &[], &sent);
        assert_eq!(message, "lead …, … or …");
    }

    #[test]
    fn numbers_are_masked_in_the_digits_that_were_sent_and_in_those_of_a_float() {
        let request = reqwest::Client::new()
            .post("http://localhost/")
            .body(
                r#"{"fields":{"account":12345678901234567890123.10,"ids":[9007199254740993,1e10,-0.10],
                    "note":"so far \ud83d"}}"#,
            )
            .build()
            .unwrap();
        let sent = Sent::by(&request);
        let message = "not 12345678901234567890123.10 (1.2345678901234568e+22), 9007199254740993 nor 9007199254740992; \
             10000000000 or 1e10, -0.10, so far \u{fffd}; 1.5 of 1780290000000";
        assert_eq!(
            mask(message, &[], &sent),
            "not … (…e+22), … nor …; … or …, …, …; 1.5 of 1780290000000"
        );
    }

    #[test]
    fn values_are_leaves_of_the_body_and_telling_parts_of_the_url() {
        let request = reqwest::Client::new()
            .post("http://localhost/enterprise/e/lead/62ab16e/action?email=a%40b.c&skip=10")
            .body(r#"{"fields":{"phone":"+91 99999 99999","rating":12345},"actions":[{"type":"1001"}]}"#)
            .build()
            .unwrap();
        let mut values = Sent::by(&request).values;
        values.sort();
        assert_eq!(
            values,
            [
                "+91 99999 99999",
                "12345",
                "62ab16e",
                "919999999999",
                "a@b.c"
            ]
        );
    }
}
