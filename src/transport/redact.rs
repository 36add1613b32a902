//! Redaction: masks secrets, and the values of a request, in messages of the server.
//!
//! Found are whole values in any case, with or without accents and invisible characters, escaped
//! as in URLs, JSON or HTML, and without their blanks. So are phone numbers in every spelling and
//! their last four digits, the words of values of up to four words, and parts of eight characters
//! of a token. Not found are encodings such as Base64, translations, parts of longer texts, and
//! values of one or two letters.
//!
//! The time grows with the request and the message, and both are bounded.

use super::fold::Folded;
use crate::error::KEPT;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use percent_encoding::percent_decode_str;
use reqwest::Request;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use telecrm_core::FieldValue;

/// Masks what must not be printed. The default masks everything.
#[derive(Clone, Default)]
pub(crate) struct Mask(Option<Patterns>);

#[derive(Clone)]
struct Patterns {
    /// Finds all values. `None` without a value.
    values: Option<AhoCorasick>,
    /// The digits of possible phone numbers in the values, by their last digits.
    phones: BTreeMap<String, BTreeSet<String>>,
}

/// Shorter values are not masked, because they are parts of too many ordinary words.
const SHORTEST: usize = 3;

/// Servers show so many digits of a phone number that they hide.
const SHOWN_DIGITS: usize = 4;

/// A value of this length is masked within a longer word too.
const LONG: usize = 8;

/// A longer value is looked up in pieces of this length.
const PIECE: usize = 256;

/// If a value has more words, its words do not count as values.
const MOST_WORDS: usize = 4;

/// If the values are longer together, the whole message is masked.
const MOST_BYTES: usize = 1 << 20;

/// How far a message is read beyond what is kept of it, to find a value at its end.
const MARGIN: usize = 8 << 10;

impl Mask {
    pub(super) fn new(request: &Request, secrets: &[String]) -> Self {
        let values = values_of(request);
        let mut patterns = BTreeSet::new();
        let mut phones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for value in &values {
            let folded = Folded::new(value).text;
            for digits in phones_in(&folded) {
                patterns.insert(digits[digits.len() - SHOWN_DIGITS..].to_owned());
                phones.entry(last_of(&digits).to_owned()).or_default().insert(digits);
            }
            add_value(folded.trim(), &mut patterns);
        }
        patterns.retain(|pattern| pattern.len() >= SHORTEST);
        secrets.iter().for_each(|secret| add_secret(&Folded::new(secret).text, &mut patterns));
        if patterns.iter().map(String::len).sum::<usize>() > MOST_BYTES {
            return Self::default();
        }
        let build = |patterns: &BTreeSet<String>| {
            let kind = Some(AhoCorasickKind::NoncontiguousNFA);
            AhoCorasick::builder().kind(kind).build(patterns)
        };
        let values = (!patterns.is_empty()).then(|| build(&patterns)).transpose();
        Self(values.ok().map(|values| Patterns { values, phones }))
    }

    /// A text in which `…` replaces the secrets and the values that were sent, cut to what an error
    /// keeps.
    pub(crate) fn apply(&self, text: &str) -> String {
        let Some(patterns) = &self.0 else {
            return "…".to_owned();
        };
        let text = text.char_indices().nth(KEPT + MARGIN).map_or(text, |(end, _)| &text[..end]);
        let folded = Folded::new(text);
        let mut hidden = Hidden(vec![0; text.len() + 1]);
        patterns.hide_values(&folded, &mut hidden);
        hide_phones(&patterns.phones, &folded, &mut hidden);
        hidden.mask(text)
    }
}

/// The values of a request.
fn values_of(request: &Request) -> Vec<String> {
    let mut values = Vec::new();
    if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
        let json = serde_json::from_slice(body);
        if json.and_then(|json| leaves(json, &mut values)).is_err() {
            words(&String::from_utf8_lossy(body), &mut values);
        }
    }
    let url = request.url();
    // IDs and email addresses are values, other words of a URL are not.
    let is_value = |text: &str| text.contains(|c: char| c.is_ascii_digit() || c == '@');
    let mut before = "";
    for segment in url.path().split('/') {
        // The server decodes a segment before it repeats it.
        let value = percent_decode_str(segment).decode_utf8_lossy();
        if before == "enterprise" || is_value(&value) {
            values.push(value.into_owned());
        }
        before = segment;
    }
    let query = url.query_pairs().map(|(_, value)| value.into_owned());
    values.extend(query.filter(|value| is_value(value)));
    values
}

/// Adds a value, its words, and the value without blanks.
fn add_value(value: &str, patterns: &mut BTreeSet<String>) {
    let letters: Vec<char> = value.chars().collect();
    // The last piece may overlap the one before it.
    let starts = (0..letters.len().saturating_sub(PIECE)).step_by(PIECE);
    for start in starts.chain([letters.len().saturating_sub(PIECE)]) {
        patterns.insert(letters[start..].iter().take(PIECE).collect());
    }
    let words: Vec<&str> =
        value.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if (2..=MOST_WORDS).contains(&words.len()) {
        patterns.insert(words.concat());
        patterns.extend(words.into_iter().map(str::to_owned));
    }
}

/// Adds a secret and those of its parts that are no ordinary words.
fn add_secret(secret: &str, patterns: &mut BTreeSet<String>) {
    let letters: Vec<char> = secret.chars().collect();
    let parts = letters.windows(LONG).filter(|part| !part.iter().all(|c| c.is_alphabetic()));
    patterns.extend(parts.map(|part| part.iter().collect()));
    patterns.insert(secret.to_owned());
    patterns.remove("");
}

/// How many digits a phone number has.
const PHONE: std::ops::RangeInclusive<usize> = 7..=15;

/// The length of the longest country code, and of the same with two zeros in front.
const CALLING_CODE: usize = 3;
const DIALLED_CODE: usize = CALLING_CODE + 2;

/// The last digits of a phone number, by which it is looked up.
fn last_of(digits: &str) -> &str {
    &digits[digits.len() - PHONE.start()..]
}

/// Whether a character may separate the digits of a phone number.
fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '(' | ')' | '+')
}

/// The digits of possible phone numbers.
fn phones_in(value: &str) -> impl Iterator<Item = String> {
    let numbers = runs(value).into_iter().map(|run| digits_at(value, &run));
    let numbers = numbers.map(|digits| digits.trim_start_matches('0').to_owned());
    numbers.filter(|digits| PHONE.contains(&digits.len()))
}

fn digits_at(text: &str, places: &[usize]) -> String {
    let bytes = text.as_bytes();
    places.iter().map(|place| char::from(bytes[*place])).collect()
}

/// Adds the quoted texts, and the words with digits, of a body that cannot be read as JSON.
fn words(body: &str, values: &mut Vec<String>) {
    for part in body.split('"') {
        // Keys count as values here: masking a word too many is better than a name too few.
        text(part, values);
        let words = part.split(|c: char| !c.is_alphanumeric());
        let with_digits = words.filter(|word| word.contains(|c: char| c.is_ascii_digit()));
        values.extend(with_digits.map(str::to_owned));
    }
    values.retain(|value| value.contains(char::is_alphanumeric));
}

/// Adds the texts and numbers of a JSON value.
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
    // The server may repeat a phone number without its separators.
    if digits.len() >= *PHONE.start() {
        values.push(digits);
    }
}

/// Adds a number as it was sent, and as a server repeats it that reads numbers as floats.
fn number(digits: &str, values: &mut Vec<String>) {
    values.push(digits.to_owned());
    let Ok(float) = digits.parse::<f64>() else {
        return;
    };
    let repeated = float.to_string();
    if repeated != digits {
        // Without the exponent, because servers write it in different ways.
        let mantissa = format!("{float:e}");
        values.extend(mantissa.split('e').next().map(str::to_owned));
        values.push(repeated);
    }
}

/// The places of a text that are masked: how many begin minus how many end at each byte.
struct Hidden(Vec<i32>);

impl Hidden {
    fn hide(&mut self, place: Range<usize>) {
        self.0[place.start] += 1;
        self.0[place.end] -= 1;
    }

    fn mask(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len().min(KEPT));
        let (mut depth, mut place, mut after_hidden) = (0, 0, false);
        for (index, c) in text.char_indices().take(KEPT) {
            depth += self.0[place..=index].iter().sum::<i32>();
            place = index + 1;
            if depth <= 0 {
                masked.push(c);
            } else if !after_hidden {
                // One mark for values that overlap.
                masked.push('…');
            }
            after_hidden = depth > 0;
        }
        masked
    }
}

impl Patterns {
    /// Hides all values in a text. A short one has to be a word.
    fn hide_values(&self, folded: &Folded, hidden: &mut Hidden) {
        let text = folded.text.as_str();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let found = self.values.iter().flat_map(|values| values.find_overlapping_iter(text));
        for Range { start, end } in found.map(|found| found.range()) {
            let is_within_word = is_letter(text[..start].chars().next_back())
                || is_letter(text[end..].chars().next());
            if end - start >= LONG || !is_within_word {
                hidden.hide(folded.place(start..end));
            }
        }
    }
}

/// Hides all phone numbers in a text, with or without country code and separators.
fn hide_phones(phones: &BTreeMap<String, BTreeSet<String>>, folded: &Folded, hidden: &mut Hidden) {
    let text = &folded.text;
    for run in runs(text) {
        let written = digits_at(text, &run);
        for end in *PHONE.start()..=written.len() {
            let written = &written[..end];
            for digits in phones.get(last_of(written)).into_iter().flatten() {
                if let Some(start) = start_of(digits, written) {
                    let sign = text[..run[start]].trim_end_matches(['+', '(']).len();
                    hidden.hide(folded.place(sign..run[end - 1] + 1));
                }
            }
        }
    }
}

/// Where a phone number starts that ends these written digits. Returns `None` if another number
/// ends them.
fn start_of(digits: &str, written: &str) -> Option<usize> {
    // The digits in front of these may be a country code.
    let national = (digits.len() - CALLING_CODE).max(*PHONE.start());
    let national = &digits[digits.len() - national..];
    let before = written.strip_suffix(digits).or_else(|| written.strip_suffix(national))?;
    // A few digits in front are a country code or zeros, more are another number.
    match before.len() {
        ..=DIALLED_CODE => Some(0),
        start => Some(start),
    }
}

/// The places of digits that may belong to one phone number, with at most two separators between
/// neighbours.
fn runs(text: &str) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut separators = usize::MAX;
    for (place, c) in text.char_indices() {
        if c.is_ascii_digit() {
            match runs.last_mut() {
                Some(run) if separators <= 2 => run.push(place),
                _ => runs.push(vec![place]),
            }
            separators = 0;
        } else if is_separator(c) {
            separators = separators.saturating_add(1);
        } else {
            separators = usize::MAX;
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The values of a request with this body.
    fn body(body: impl Into<reqwest::Body>) -> Mask {
        let request = reqwest::Client::new().post("http://localhost/").body(body);
        Mask::new(&request.build().unwrap(), &[])
    }

    /// The values of a request to this URL.
    fn url(url: &str) -> Mask {
        Mask::new(&reqwest::Client::new().get(url).build().unwrap(), &[])
    }

    fn mask_secrets(text: &str, secrets: &[&str]) -> String {
        let secrets: Vec<String> = secrets.iter().map(|secret| secret.to_string()).collect();
        let request = reqwest::Client::new().get("http://localhost/").build().unwrap();
        Mask::new(&request, &secrets).apply(text)
    }

    fn mask_sent(text: &str, sent: &Mask) -> String {
        sent.apply(text)
    }

    #[test]
    fn values_are_texts_and_numbers_of_the_body_and_ids_of_the_url() {
        let url = "http://localhost/enterprise/e/lead/62ab16e/action?email=a%40b.c&skip=10";
        let body = json!({
            "fields": { "phone": "+91 99999 99999", "rating": 12345 },
            "actions": [{ "type": "1001" }],
        });
        let request = reqwest::Client::new().post(url).body(body.to_string());
        let mut values = values_of(&request.build().unwrap());
        values.sort();
        let expected = ["+91 99999 99999", "10", "12345", "62ab16e", "919999999999", "a@b.c", "e"];
        assert_eq!(values, expected);
    }

    #[test]
    fn values_are_masked_in_any_case() {
        let text = mask_secrets("JANE@Example.com exists", &["jane@example.com"]);
        assert_eq!(text, "… exists");
    }

    #[test]
    fn a_short_value_is_masked_only_as_a_word() {
        let text = mask_secrets("Janes do not exist, but jane does", &["jane"]);
        assert_eq!(text, "Janes do not exist, but … does");
    }

    #[test]
    fn a_text_without_values_does_not_change() {
        assert_eq!(mask_secrets("Lead not found", &["jane"]), "Lead not found");
    }

    #[test]
    fn very_short_secrets_are_masked_as_words() {
        let text = "Enterprise with ID 4 not found: \"4\" of 401, ent4 (4)";
        assert_eq!(
            mask_secrets(text, &["4"]),
            "Enterprise with ID … not found: \"…\" of 401, ent4 (…)"
        );
    }

    #[test]
    fn secrets_with_punctuation_are_masked() {
        assert_eq!(mask_secrets("token a:b-c.", &["a:b-c"]), "token ….");
    }

    #[test]
    fn a_long_secret_is_masked_within_a_word() {
        assert_eq!(mask_secrets("tel919999999999", &["919999999999"]), "tel…");
    }

    #[test]
    fn overlapping_values_are_masked_with_one_mark() {
        let secrets = ["jane", "jane@example.com"];
        assert_eq!(mask_secrets("jane@example.com, jane", &secrets), "…, …");
    }

    /// Values that begin with the same letters.
    const ANNAS: [&str; 6] = ["anna", "anna-le", "anna-lena", "annasmith", "annb", "ann\u{e9}"];

    #[test]
    fn a_value_is_found_among_values_with_the_same_beginning() {
        let text = mask_secrets("anna annas annasmith annasmiths", &ANNAS);
        assert_eq!(text, "… annas … …s");
    }

    #[test]
    fn the_longest_of_the_values_with_the_same_beginning_is_masked() {
        assert_eq!(mask_secrets("anna-lena", &ANNAS), "…");
    }

    #[test]
    fn a_letter_beyond_ascii_continues_a_word() {
        assert_eq!(mask_secrets("annaß anna", &ANNAS), "annaß …");
    }

    /// Asserts that a phone number that was sent in this spelling is masked in every spelling.
    #[track_caller]
    fn assert_masks_phone(sent: &str) {
        let values = body(json!({ "fields": { "phone": sent } }).to_string());
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
            let masked = mask_sent(&text, &values);
            assert_eq!(masked, "401: … exists, see 12345678 or ….", "{written}");
        }
        let other = "1780290000000 and 918888888888, 401 of 500";
        assert_eq!(mask_sent(other, &values), other);
    }

    #[test]
    fn a_phone_number_with_separators_is_masked_in_every_spelling() {
        assert_masks_phone("+91 99999-99999");
    }

    #[test]
    fn a_phone_number_without_country_code_is_masked_in_every_spelling() {
        assert_masks_phone("9999999999");
    }

    #[test]
    fn a_phone_number_of_digits_is_masked_in_every_spelling() {
        assert_masks_phone("919999999999");
    }

    #[test]
    fn a_phone_number_with_a_trunk_zero_is_masked_in_every_spelling() {
        assert_masks_phone("(0) 99999 99999");
    }

    #[test]
    fn the_second_of_two_phone_numbers_is_masked_in_every_spelling() {
        assert_masks_phone("97777 77777/99999 99999");
    }

    #[test]
    fn a_phone_number_within_a_text_is_masked_in_every_spelling() {
        assert_masks_phone("call 09999999999 soon");
    }

    #[test]
    fn an_id_in_the_path_is_masked_as_the_server_decodes_it() {
        let sent = url("http://localhost/enterprise/acme%20%26%20co/lead/%2B91%2099999%2099999");
        let masked = mask_sent("nothing of +91 99999-99999 in Acme & Co", &sent);
        assert_eq!(masked, "nothing of … in …");
    }

    #[test]
    fn an_id_with_a_slash_is_masked() {
        let sent = url("http://localhost/lead/ref%209%2Fa");
        assert_eq!(mask_sent("no lead Ref 9/a", &sent), "no lead …");
    }

    #[test]
    fn values_are_masked_if_the_body_has_a_number_beyond_every_float() {
        let sent = body(r#"{"phone":"+91 99999 99999","email":"a@b.in","huge":1e999}"#);
        let masked = mask_sent("lead 919999999999, +91 99999 99999 or A@b.in", &sent);
        assert_eq!(masked, "lead …, … or …");
    }

    #[test]
    fn a_long_decimal_is_masked_as_it_was_sent_and_as_a_float() {
        let sent = body(r#"{"account":12345678901234567890123.10}"#);
        let text = "not 12345678901234567890123.10 (1.2345678901234568e+22)";
        assert_eq!(mask_sent(text, &sent), "not … (…e+22)");
    }

    #[test]
    fn a_long_integer_is_masked_as_it_was_sent_and_as_a_float() {
        let sent = body(r#"{"ids":[9007199254740993]}"#);
        let text = "neither 9007199254740993 nor 9007199254740992";
        assert_eq!(mask_sent(text, &sent), "neither … nor …");
    }

    #[test]
    fn a_number_with_an_exponent_is_masked_in_both_forms() {
        let sent = body(r#"{"ids":[1e10,-0.10]}"#);
        let text = "10000000000 or 1e10, -0.10; 1.5 of 1780290000000";
        assert_eq!(mask_sent(text, &sent), "… or …, …; 1.5 of 1780290000000");
    }

    #[test]
    fn a_text_with_half_a_character_is_masked() {
        let sent = body(r#"{"note":"so far \ud83d"}"#);
        assert_eq!(mask_sent("so far \u{fffd}; far", &sent), "…; …");
    }

    #[test]
    fn m04_thousands_of_values_are_masked() {
        let mut fields = BTreeMap::new();
        let mut message = String::new();
        for index in 0..5_000 {
            let (name, phone) = (format!("jane {index:04}"), format!("9198{index:08}"));
            message += &format!("{name} of ward {index} and +{phone} exist; ");
            fields.insert(name.clone(), json!([name, phone]));
        }
        let sent = body(serde_json::to_string(&fields).unwrap());
        let masked = mask_sent(&message, &sent);
        assert!(masked.starts_with("… of ward 0 and … exist; … of ward 1 "), "{masked}");
    }

    #[test]
    fn o04_of_a_message_without_end_only_the_beginning_is_masked_and_kept() {
        let sent = body(json!({ "phone": "919999900001", "name": "Jane Canary" }).to_string());
        let message = "919999900001 is wrong, Jane. ".repeat(1 << 20);
        let masked = mask_sent(&message, &sent);
        assert!(masked.len() < KEPT && masked.starts_with("… is wrong, …. …"), "{}", masked.len());
        assert!(!masked.contains("Jane") && !masked.contains('9'));
    }

    #[test]
    fn o04_a_value_at_the_end_of_what_is_kept_is_masked() {
        let note = "k".repeat(2 * PIECE + 1);
        let sent = body(json!({ "note": note }).to_string());
        let masked = mask_sent(&format!("{}{note}", "- ".repeat(KEPT / 2 - 5)), &sent);
        assert!(masked.ends_with("- …") && !masked.contains('k'), "{}", masked.len());
    }

    #[test]
    fn o04_a_message_after_a_huge_request_is_masked_as_a_whole() {
        let notes: Vec<_> = (0..20_000).map(|index| format!("{index:060}")).collect();
        let sent = body(json!({ "notes": notes }).to_string());
        assert_eq!(mask_sent("Jane exists", &sent), "…");
    }

    #[test]
    fn a_value_longer_than_a_piece_is_masked_as_one() {
        let note = "a note. ".repeat(1_000);
        let sent = body(json!({ "note": note }).to_string());
        assert_eq!(mask_sent(&format!("[{}]", note.trim()), &sent), "[…]");
    }

    /// Asserts what is left of a message of a server.
    #[track_caller]
    fn assert_masks(message: &str, expected: &str) {
        let lead = json!({
            "phone": "+919812345670", "name": "Zoë Müller", "email": "zoe.mueller@example.com",
            "note": "O'Brien & Sons", "city": "柳州市镇", "aadhaar": 123_456_789_012_u64,
            "pin": "4711",
        });
        let url = "http://localhost/enterprise/canaryenterprise1/lead";
        let request = reqwest::Client::new().post(url).body(lead.to_string()).build().unwrap();
        let mask = Mask::new(&request, &["canarysynctoken-1".to_owned()]);
        assert_eq!(mask.apply(message), expected, "{message}");
    }

    #[test]
    fn o09_values_are_masked_in_other_spellings() {
        for repeated in [
            "ZOË MÜLLER",
            "O&#39;Brien &amp; Sons",
            "zoe.mueller%40example.com",
            "Zoë",
            "98123 45670",
            "1234 5678 9012",
            "5670",
            "CANARYSYNCTOKEN-1",
            r"Zo\u00eb M\u00fcller",
            "٩٨١٢٣٤٥٦٧٠",
            "Zoë\u{200b} Müller",
            "zoëmüller",
            "柳州市镇",
            "4711",
        ] {
            assert_masks(&format!("key {repeated} taken"), "key … taken");
        }
        assert_masks("user zoe.mueller is bad", "user ….… is bad");
        assert_masks("name Zoe\u{308} Mu\u{308}ller is bad", "name … is bad");
        assert_masks("token …nctoken-1 is bad", "token …… is bad");
        assert_masks("POST /enterprise/canaryenterprise1/lead", "POST /enterprise/…/lead");
        assert_masks(r#"{\"name\":\"Zoë Müller\"}"#, r#"{\"name\":\"…\"}"#);
    }

    #[test]
    fn o09_encodings_are_not_masked_as_documented() {
        assert_masks("KzkxOTgxMjM0NTY3MA== is bad", "KzkxOTgxMjM0NTY3MA== is bad");
    }
}
