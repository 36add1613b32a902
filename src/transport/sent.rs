//! What a request carried, so that it can be masked where the server repeats it.

use reqwest::Request;
use serde_json::Value;

/// The values that a refused request carried.
#[derive(Clone, Default)]
pub(crate) struct Sent(Vec<String>);

/// Shorter values are not masked: they would take words out of every sentence.
const SHORTEST: usize = 4;

/// What is as long as this stands in a longer word by no accident.
const LONG: usize = 8;

impl Sent {
    pub(super) fn by(request: &Request) -> Self {
        let mut values = Vec::new();
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
            match serde_json::from_slice(body) {
                Ok(body) => leaves(&body, &mut values),
                // With a number beyond every float in it, say.
                Err(_) => texts(&String::from_utf8_lossy(body), &mut values),
            }
        }
        let url = request.url();
        let path = url.path_segments().into_iter().flatten();
        let query = url.query_pairs().map(|(_, value)| value.into_owned());
        // Words of a path are no values; IDs and addresses are.
        let telling = |text: &str| text.contains(|c: char| c.is_ascii_digit() || c == '@');
        values.extend(
            path.map(|segment| segment.replace("%2B", "+"))
                .chain(query)
                .filter(|text| telling(text)),
        );
        values.retain(|value| value.len() >= SHORTEST);
        Self(values)
    }

    pub(crate) fn values(&self) -> &[String] {
        &self.0
    }
}

/// What stands in quotes, and words with digits, of a body that is no JSON that can be read.
fn texts(body: &str, values: &mut Vec<String>) {
    for part in body.split('"') {
        // Keys and blanks between the parts are masked as well: better a word too many than a name too few.
        leaves(&Value::String(part.to_owned()), values);
        let words = part.split(|c: char| !c.is_alphanumeric());
        let telling = words.filter(|word| word.contains(|c: char| c.is_ascii_digit()));
        values.extend(telling.map(str::to_owned));
    }
    values.retain(|value| value.contains(char::is_alphanumeric));
}

fn leaves(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            values.push(text.trim().to_owned());
            // The server may repeat a number without its blanks and signs.
            if digits.len() >= 7 {
                values.push(digits);
            }
        }
        Value::Number(number) => values.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, values)),
        Value::Object(object) => {
            let data = object.iter().filter(|(key, _)| *key != "type");
            data.for_each(|(_, value)| leaves(value, values));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// A text without these values, in whichever case it writes them.
pub(crate) fn mask<'a>(text: &str, values: impl IntoIterator<Item = &'a String>) -> String {
    let mut values: Vec<&String> = values
        .into_iter()
        .filter(|value| !value.is_empty())
        .collect();
    // A value that is part of another must not leave the rest of it standing.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
        .into_iter()
        .fold(text.to_owned(), |text, value| without(&text, value))
}

fn without(text: &str, value: &str) -> String {
    // Case is ignored in ASCII only, where it does not move places.
    let (lower, value) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    let mut masked = String::with_capacity(text.len());
    let part_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut done = 0;
    for (start, found) in lower.match_indices(&value) {
        let end = start + found.len();
        // A short one within a word is another word's.
        let inside = found.len() < LONG
            && (part_of_word(text[..start].chars().next_back())
                || part_of_word(text[end..].chars().next()));
        if !inside {
            masked.push_str(&text[done..start]);
            masked.push('…');
            done = end;
        }
    }
    masked.push_str(&text[done..]);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_masked_in_every_case_and_the_longest_first() {
        let values = ["jane@example.com".to_owned(), "jane".to_owned()];
        assert_eq!(
            mask("JANE@Example.com exists, Janes do not, jane", &values),
            "… exists, Janes do not, …"
        );
        assert_eq!(mask("Lead not found", &values), "Lead not found");
    }

    #[test]
    fn short_secrets_are_masked_as_words() {
        let message = "Enterprise with ID 4 not found: \"4\" of 401, ent4 (4)";
        assert_eq!(
            mask(message, &["4".to_owned()]),
            "Enterprise with ID … not found: \"…\" of 401, ent4 (…)"
        );
        assert_eq!(mask("token a:b-c.", &["a:b-c".to_owned()]), "token ….");
        assert_eq!(
            mask("tel919999999999", &["919999999999".to_owned()]),
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
        let message = mask(
            "lead 919999999999, +91 99999 99999 or A@b.in",
            sent.values(),
        );
        assert_eq!(message, "lead …, … or …");
    }

    #[test]
    fn values_are_leaves_of_the_body_and_telling_parts_of_the_url() {
        let request = reqwest::Client::new()
            .post("http://localhost/enterprise/e/lead/62ab16e/action?email=a%40b.c&skip=10")
            .body(r#"{"fields":{"phone":"+91 99999 99999","rating":12345},"actions":[{"type":"1001"}]}"#)
            .build()
            .unwrap();
        let mut values = Sent::by(&request).0;
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
