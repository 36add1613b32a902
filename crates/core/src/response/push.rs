//! The answer of the Async API to a lead.

use crate::denial::is_denial;
use crate::json::read_json;
use serde_json::{Map, Value};
use std::fmt;

/// What the answer to a push says. The documented answer is `{"status":"QUEUED"}` (AS5). The others
/// were reported.
///
/// ```
/// use telecrm_core::response::PushAnswer;
///
/// let read = |body: &str| PushAnswer::read(200, body.as_bytes());
/// assert_eq!(read(r#"{"status":"QUEUED"}"#), PushAnswer::Queued);
/// assert_eq!(read(r#"{"result":"Accepted"}"#), PushAnswer::Queued);
/// let written = r#"{"status":"updated","modifiedLeadIds":["62ab16e"],"errorString":""}"#;
/// assert_eq!(read(written), PushAnswer::Written(vec!["62ab16e".to_owned()]));
/// let refused = r#"{"status":"error","modifiedLeadIds":[],"errorString":"no such field"}"#;
/// assert_eq!(read(refused), PushAnswer::Refused("no such field".to_owned()));
/// assert_eq!(read("<html>"), PushAnswer::Unclear);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushAnswer {
    /// The lead is in the queue.
    Queued,
    /// The lead is written. These are the IDs that the server names.
    Written(Vec<String>),
    /// The lead is not taken. This is the reason that the server gives, possibly empty.
    Refused(String),
    /// The answer says neither, so the lead may have been taken.
    Unclear,
}

/// Prints without IDs and the server's text, which may repeat values of the lead.
impl fmt::Debug for PushAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queued => f.write_str("Queued"),
            Self::Written(ids) => f.debug_tuple("Written").field(&ids.len()).finish(),
            Self::Refused(_) => f.debug_tuple("Refused").finish_non_exhaustive(),
            Self::Unclear => f.write_str("Unclear"),
        }
    }
}

impl PushAnswer {
    /// Reads an answer with a success status. An answer that contradicts itself is unclear.
    pub fn read(status: u16, body: &[u8]) -> Self {
        // Other success statuses speak of a part of something, or of another server.
        if !matches!(status, 200..=202 | 204) {
            return Self::Unclear;
        }
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match read_json(body) {
            Ok((Value::Object(answer), repeated)) if repeated.is_empty() => read_object(&answer),
            Ok((Value::String(text), _)) => read_text(&text),
            Ok(_) => Self::Unclear,
            Err(_) => std::str::from_utf8(body).map_or(Self::Unclear, read_text),
        }
    }
}

fn read_text(text: &str) -> PushAnswer {
    let text = text.trim();
    let words = ["", "OK", "QUEUED", "ACCEPTED"];
    if words.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        PushAnswer::Queued
    } else {
        PushAnswer::Unclear
    }
}

fn read_object(answer: &Map<String, Value>) -> PushAnswer {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).map_or("", str::trim);
    let is = |key: &str, word: &str| text(key).eq_ignore_ascii_case(word);
    let ids = answer.get("modifiedLeadIds").and_then(Value::as_array);
    let ids: Vec<String> = ids
        .into_iter()
        .flatten()
        .filter_map(|id| Some(id.as_str()?.trim().to_owned()))
        .filter(|id| !id.is_empty())
        .collect();
    let error = text("errorString");
    if is("status", "error") || !error.is_empty() {
        return if ids.is_empty() {
            PushAnswer::Refused(error.to_owned())
        } else {
            PushAnswer::Unclear
        };
    }
    if answer.iter().any(|(key, value)| is_denial(key, value)) {
        return PushAnswer::Unclear;
    }
    if !ids.is_empty() {
        return PushAnswer::Written(ids);
    }
    let is_queued = match answer.get("status") {
        Some(_) => is("status", "QUEUED"),
        None => answer.is_empty() || is("result", "Accepted") || is("result", "QUEUED"),
    };
    if is_queued { PushAnswer::Queued } else { PushAnswer::Unclear }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_queued(body: &str) {
        assert_eq!(PushAnswer::read(200, body.as_bytes()), PushAnswer::Queued);
    }

    cases! { is_queued:
        documented(r#"{"status":"QUEUED"}"#),
        with_other_keys(r#"{"status":"queued","requestId":"r1"}"#),
        accepted(r#"{"result":"Accepted"}"#),
        plain_text("OK"),
        plain_accepted("Accepted\n"),
        json_text(r#""OK""#),
        empty(""),
        empty_object("{}"),
        byte_order_mark("\u{feff}{\"status\":\"QUEUED\"}"),
        no_error(r#"{"status":"QUEUED","errorString":"","errors":[],"success":true}"#),
    }

    fn is_unclear(body: &str) {
        assert_eq!(PushAnswer::read(200, body.as_bytes()), PushAnswer::Unclear);
    }

    cases! { is_unclear:
        web_page("<!doctype html><html></html>"),
        head_of_a_page("<head>"),
        failed(r#"{"status":"FAILED"}"#),
        updated_without_ids(r#"{"status":"updated","modifiedLeadIds":[]}"#),
        success_false(r#"{"status":"QUEUED","success":false}"#),
        success_false_as_text(r#"{"status":"QUEUED","success":"false"}"#),
        queued_with_errors(r#"{"status":"QUEUED","errors":["x"]}"#),
        error_beside_ids(r#"{"status":"error","modifiedLeadIds":["l1"]}"#),
        error_text_beside_ids(r#"{"modifiedLeadIds":["l1"],"errorString":"x"}"#),
        ids_that_are_not_texts(r#"{"status":"updated","modifiedLeadIds":[null,7,""]}"#),
        repeated_key(r#"{"status":"FAILED","status":"QUEUED"}"#),
        repeated_key_inside(r#"{"status":"QUEUED","a":{"b":1,"b":2}}"#),
        gateway(r#"{"message":"Endpoint request timed out"}"#),
        list(r#"[{"status":"QUEUED"}]"#),
        nested(r#"{"data":{"status":"QUEUED"}}"#),
        status_of_another_type(r#"{"status":200,"result":"Accepted"}"#),
        call_of_a_function(r#"callback({"status":"QUEUED"})"#),
        two_answers(r#"{"status":"QUEUED"}{"status":"FAILED"}"#),
        cut_off(r#"{"status":"QUEUED""#),
    }

    fn is_refused(body: &str, reason: &str) {
        let refused = PushAnswer::Refused(reason.to_owned());
        assert_eq!(PushAnswer::read(200, body.as_bytes()), refused);
    }

    cases! { is_refused:
        with_reason(r#"{"status":"error","modifiedLeadIds":[],"errorString":"no field"}"#, "no field"),
        without_reason(r#"{"status":"ERROR"}"#, ""),
        only_the_reason(r#"{"errorString":" no field "}"#, "no field"),
    }

    #[test]
    fn the_ids_of_written_leads_are_kept() {
        let body = br#"{"status":"updated","modifiedLeadIds":["l1","l2"],"errorString":""}"#;
        let written = PushAnswer::Written(vec!["l1".to_owned(), "l2".to_owned()]);
        assert_eq!(PushAnswer::read(200, body), written);
    }

    fn status(status: u16, is_queued: bool) {
        let answer = PushAnswer::read(status, br#"{"status":"QUEUED"}"#);
        assert_eq!(answer == PushAnswer::Queued, is_queued);
    }

    cases! { status:
        created(201, true),
        accepted_status(202, true),
        no_content(204, true),
        another_source(203, false),
        reset(205, false),
        part(206, false),
        unknown(299, false),
    }

    /// Bodies from random pieces. An answer counts as queued only if it says so.
    #[test]
    fn random_answers_are_queued_only_if_they_say_so() {
        let pieces = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"status\"",
            "\"QUEUED\"",
            "\"result\"",
            "\"Accepted\"",
            "\"error\"",
            "\"errorString\"",
            "\"modifiedLeadIds\"",
            "\"x\"",
            "false",
            "null",
            "OK",
            " ",
            "<html>",
            "\"success\"",
            "0",
            "\u{feff}",
        ];
        let mut random = 1_u64;
        for _ in 0..200_000 {
            let mut next = || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(random >> 33).unwrap_or_default()
            };
            let length = next() % 9;
            let body: String = (0..length).map(|_| pieces[next() % pieces.len()]).collect();
            if PushAnswer::read(200, body.as_bytes()) == PushAnswer::Queued {
                let says_so = ["QUEUED", "Accepted", "OK"].iter().any(|word| body.contains(word));
                let trimmed = body.trim_start_matches('\u{feff}').trim();
                let is_empty = trimmed.is_empty()
                    || trimmed.starts_with('{') && trimmed.trim_matches(['{', '}', ' ']).is_empty();
                let is_error = body.contains("<") || body.contains("\"success\":false");
                assert!((says_so || is_empty) && !is_error, "{body}");
            }
        }
    }
}
