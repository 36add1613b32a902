//! Responses: turns what arrived into a success that can be decoded, or into an error.

use super::backend::{Broken, Reply};
use super::call::Call;
use super::redact::Mask;
use super::{envelope, headers};
use crate::error::{Error, Progress};
use crate::operation::Operation;
use bytes::Bytes;
use memchr::memmem;
use reqwest::header::HeaderMap;
use reqwest::{Request, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use telecrm_core::FieldValue;
use telecrm_core::json::read_json;
use telecrm_core::response::Page;

/// A successful response, undecoded.
pub(crate) struct Response {
    operation: Option<Operation>,
    progress: Progress,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Masks the values of the request, if the response may repeat them in a message.
    pub(super) mask: Mask,
}

impl Response {
    /// Separates successes from errors.
    pub(super) fn read(
        reply: Reply,
        request: &Request,
        call: &Call,
        secrets: &[String],
    ) -> Result<Self, Error> {
        let Reply { status, headers, body, broken } = reply;
        // Of an error, the status says enough.
        if let Some(broken) = broken.filter(|_| status.is_success()) {
            let body = envelope::unread(body);
            return Err(match broken {
                Broken::Cut(error) => Error::cut(status, body, error),
                Broken::TooLarge => {
                    Error::unreadable(status, body, "the body is larger than 64 MiB")
                }
            });
        }
        let mask = if has_messages(status, &body, call) {
            Mask::new(request, secrets)
        } else {
            Mask::default()
        };
        // In a response that no spec describes, `error` may be data.
        let is_contradictory = call.operation.is_some() && envelope::reports_error(&body);
        if !status.is_success() || is_contradictory {
            let body = envelope::read(body, |text| mask.apply(text));
            let error = Error::error_response(status, body).dated(headers::date(&headers));
            return Err(error.with_headers(headers));
        }
        Ok(Self { operation: call.operation, progress: call.progress, status, headers, body, mask })
    }

    /// When the server answered, by its own clock.
    pub(crate) fn date(&self) -> Option<jiff::Timestamp> {
        headers::date(&self.headers)
    }

    pub(crate) fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let body = envelope::without_bom(&self.body);
        // Serde keeps one of the values silently.
        if let Ok((_, repeated)) = read_json(body)
            && let Some(path) = repeated.first()
        {
            return Err(self.malformed(format!("duplicate key `{path}`")));
        }
        serde_json::from_slice(body).map_err(|error| self.unreadable(error))
    }

    /// The body as JSON. Numbers beyond every float and halves of characters, which
    /// [`Value`] cannot hold, are replaced by the nearest value.
    pub(crate) fn json(&self) -> Result<Value, Error> {
        self.decode::<FieldValue>().map(FieldValue::into_json)
    }

    /// Decodes the value of one key. Unlike a struct with `derive(Deserialize)`, this refuses a
    /// list.
    pub(crate) fn decode_member<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        let members: BTreeMap<String, &RawValue> = self.decode()?;
        let Some(member) = members.get(key) else {
            return Err(self.malformed(format!("missing field `{key}`")));
        };
        serde_json::from_str(member.get()).map_err(|error| self.unreadable(error))
    }

    /// Decodes a page of a list. A page without items is an error if the list is missing, or if
    /// the server counts more items than were skipped.
    pub(crate) fn decode_page<T: DeserializeOwned>(&self, skip: u32) -> Result<Page<T>, Error> {
        let page: Page<T> = self.decode()?;
        if !page.data.is_empty() {
            return Ok(page);
        }
        let list: Option<Vec<IgnoredAny>> = self.decode_member("data")?;
        if list.is_none() {
            // `null` is an empty list only if the server counts its items.
            let _: u64 = self.decode_member("total_count")?;
        }
        let total = page.total_count;
        match total.checked_sub(skip.into()) {
            None | Some(0) => Ok(page),
            Some(left) => {
                let reason = format!("a page without items, although {left} of {total} are left");
                Err(self.malformed(reason))
            }
        }
    }

    /// The response is not the JSON that was expected.
    pub(crate) fn unreadable(&self, error: serde_json::Error) -> Error {
        self.malformed(without_values(&error))
    }

    /// The body refuses the request for this reason, which is masked.
    pub(crate) fn refusal(&self, reason: &str) -> Error {
        let body = envelope::unread(self.body.clone());
        Error::refusal(self.status, body, reason).during(self.operation, &self.progress)
    }

    /// The response is JSON, but not what was expected.
    pub(crate) fn malformed(&self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::unreadable(self.status, envelope::unread(self.body.clone()), source)
            .during(self.operation, &self.progress)
    }
}

/// Whether a response has messages of the server, which may repeat values of the request.
fn has_messages(status: StatusCode, body: &[u8], call: &Call) -> bool {
    !status.is_success()
        || envelope::has_error_key(body)
        || memmem::find(body, b"\"errorString\"").is_some()
        // The remarks on a write also hold parts of the response that are not understood.
        || call.progress.writes && call.operation != Some(Operation::CreateOrUpdateLead)
}

/// The message of a serde error without the values that it quotes.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return text;
    }
    // The keys in front, such as `leadStages`, come from the spec.
    let mut fault = text.as_str();
    while let Some((_, inner)) = fault.strip_prefix('`').and_then(|text| text.split_once("`: ")) {
        fault = inner;
    }
    if fault.starts_with("missing field") {
        return text;
    }
    let keys = &text[..text.len() - fault.len()];
    match fault.rsplit_once(", expected ") {
        // serde calls an object a map.
        Some((_, expected)) => format!("{keys}expected {}", expected.replace("a map", "an object")),
        None => {
            let (line, column) = (error.line(), error.column());
            format!("{keys}unexpected data at line {line} column {column}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canary_the_message_of_a_decoding_error_quotes_no_value() {
        for text in [r#""Jane""#, r#""of age, expected Jane""#] {
            let error = serde_json::from_str::<u8>(text).expect_err(text);
            let message = without_values(&error);
            assert!(message.starts_with("expected u8 at line 1"), "{message}");
        }
    }
}
