//! The error envelope: reads what the body of a response says about an error.

use crate::error::{ErrorBody, ErrorCode, ErrorDetail, MOST_DETAILS};
use bytes::Bytes;
use memchr::memmem;
use serde_json::Value;
use telecrm_core::FieldValue;

/// A body without the byte order mark that some servers put in front of UTF-8.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// A body as JSON, with whatever numbers and texts it holds. Returns `None` if it is not JSON.
pub(crate) fn json(body: &[u8]) -> Option<Value> {
    let value: FieldValue = serde_json::from_slice(without_bom(body)).ok()?;
    Some(value.into_json())
}

/// Whether a body may have a key `error` at any depth.
pub(super) fn has_error_key(body: &[u8]) -> bool {
    memmem::find(body, b"\"error\"").is_some()
}

/// Whether a body reports an error, whatever the status of the response and the rest of the body.
pub(crate) fn reports_error(body: &[u8]) -> bool {
    // Most responses have no such key, so they are not parsed here.
    if !has_error_key(body) {
        return false;
    }
    match json(body).as_ref().and_then(|body| body.get("error")) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is_error)) => *is_error,
        Some(Value::Number(code)) => code.as_f64() != Some(0.0),
        Some(Value::String(message)) => !message.trim().is_empty(),
        Some(Value::Array(errors)) => !errors.is_empty(),
        Some(Value::Object(error)) => !error.is_empty(),
    }
}

/// The body of a response that cannot be read.
pub(crate) fn unread(bytes: Bytes) -> ErrorBody {
    let first = without_bom(&bytes).trim_ascii_start().first();
    // JSON that was cut off cannot be parsed, but it begins as JSON.
    let begins_as_json = matches!(first, None | Some(b'{' | b'['));
    ErrorBody {
        is_not_json: !begins_as_json && json(&bytes).is_none(),
        bytes,
        ..ErrorBody::default()
    }
}

/// Reads an error in every form that was seen: `error` is an object or a text, or there is only a
/// `message`. `mask` removes from each text what must not be printed.
pub(crate) fn read(bytes: Bytes, mask: impl Fn(&str) -> String) -> ErrorBody {
    let text = |json: &Value, key: &str| json.get(key)?.as_str().map(&mask);
    let mut read = unread(bytes);
    let Some(body) = json(&read.bytes) else {
        return read;
    };
    let error = body.get("error").unwrap_or(&body);
    read.code = match error.get("code").and_then(Value::as_str).map(ErrorCode::from) {
        Some(ErrorCode::Unknown(code)) => Some(ErrorCode::Unknown(mask(&code))),
        code => code,
    };
    read.message = match error.as_str() {
        Some(message) => Some(mask(message)),
        None => text(error, "message").or_else(|| text(&body, "message")),
    };
    if let Some(details) = error.get("details").and_then(Value::as_array) {
        let detail = |detail: &Value| ErrorDetail {
            field: text(detail, "field").unwrap_or_default(),
            message: text(detail, "message").unwrap_or_default(),
        };
        read.details = details.iter().take(MOST_DETAILS).map(detail).collect();
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ErrorBody {
        super::read(Bytes::copy_from_slice(body.as_bytes()), str::to_owned)
    }

    /// The code and the message of an error with this body.
    #[track_caller]
    fn assert_reads(body: &str, code: Option<&str>, message: Option<&str>) {
        let read = read(body);
        assert_eq!(read.code.as_ref().map(ErrorCode::as_str), code);
        assert_eq!(read.message.as_deref(), message);
        assert_eq!(read.bytes, body.as_bytes());
    }

    #[test]
    fn the_documented_envelope_is_read() {
        let body = r#"{"error":{"code":"LEAD_NOT_FOUND","message":"m"}}"#;
        assert_reads(body, Some("LEAD_NOT_FOUND"), Some("m"));
    }

    #[test]
    fn an_error_that_is_a_text_is_its_message() {
        assert_reads(r#"{"error":"m"}"#, None, Some("m"));
    }

    #[test]
    fn a_message_without_an_error_is_read() {
        assert_reads(r#"{"message":"m"}"#, None, Some("m"));
    }

    #[test]
    fn a_code_that_is_not_a_text_is_ignored() {
        assert_reads(r#"{"error":{"code":7}}"#, None, None);
    }

    #[test]
    fn bodies_without_an_envelope_have_no_code() {
        for body in ["[]", "Not Found", "<html></html>", ""] {
            assert_reads(body, None, None);
        }
    }

    #[test]
    fn details_are_read() {
        let body = read(r#"{"error":{"details":[{"field":"role","message":"Invalid role."},{}]}}"#);
        assert_eq!(body.details.len(), 2);
        assert_eq!(body.details[0].field, "role");
        assert_eq!(body.details[0].message, "Invalid role.");
        assert_eq!(body.details[1].field, "");
    }

    #[test]
    fn o04_the_number_of_details_is_bounded() {
        let details = vec![serde_json::json!({ "field": "role" }); 10_000];
        let body = read(&serde_json::json!({ "error": { "details": details } }).to_string());
        assert_eq!(body.details.len(), MOST_DETAILS);
    }

    #[test]
    fn every_text_is_masked() {
        let body = r#"{"error":{"code":"s3cret","message":"s3cret","details":[{"field":"s3cret","message":"s3cret"}]}}"#;
        let read = super::read(Bytes::from(body), |text| text.replace("s3cret", "…"));
        assert_eq!(read.code, Some(ErrorCode::Unknown("…".to_owned())));
        assert_eq!(read.message.as_deref(), Some("…"));
        assert_eq!((&*read.details[0].field, &*read.details[0].message), ("…", "…"));
    }

    #[test]
    fn tr1_a_web_page_is_not_json() {
        assert!(read("<!doctype html><p>Not here").is_not_json);
    }

    #[test]
    fn json_that_is_cut_off_is_not_taken_for_a_web_page() {
        assert!(!read(" {\"fields\": {\"na").is_not_json);
    }

    #[test]
    fn a_body_may_begin_with_a_byte_order_mark() {
        assert_reads("\u{feff}{\"message\":\"m\"}", None, Some("m"));
    }
}
