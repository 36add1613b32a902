//! What a call brought: an answer, or the error that it amounts to.

use super::call::{Backend, Call, Reply, Transport};
use super::redact::{Sent, mask};
use super::retry::answered;
use crate::Error;
use crate::error::{tells_of_an_error, unmarked};
use crate::raw::Unbuilt;
use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Request, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use telecrm_core::FieldValue;
use telecrm_core::response::Page;
use tokio::runtime::Handle;

/// A success, undecoded.
pub(crate) struct Response {
    call: Call,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What the request carried, if the answer has words of its own.
    sent: Option<Sent>,
}

impl Response {
    pub(crate) fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        serde_json::from_slice(unmarked(&self.body)).map_err(|error| self.unreadable(error))
    }

    /// The answer as JSON, with the nearest of what has no place in it: numbers beyond every float, halves of characters.
    pub(crate) fn json(&self) -> Result<Value, Error> {
        self.decode::<FieldValue>().map(FieldValue::into_json)
    }

    /// What an answer holds under one key. Unlike a structure that serde derives, it is not read from a list.
    pub(crate) fn decode_member<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        let member = self.member(key)?.get();
        serde_json::from_slice(member.as_bytes()).map_err(|error| self.unreadable(error))
    }

    fn member(&self, key: &str) -> Result<&RawValue, Error> {
        let members: BTreeMap<String, &RawValue> = self.decode()?;
        let missing = || self.misshapen(format!("missing field `{key}`"));
        members.get(key).copied().ok_or_else(missing)
    }

    /// A page of a list. An answer without the list, or with none of the items that it counts, is not the end of it.
    pub(crate) fn decode_page<T: DeserializeOwned>(&self, skip: u32) -> Result<Page<T>, Error> {
        let page: Page<T> = self.decode()?;
        if page.data.is_empty() {
            self.check_empty_page(page.total_count, skip)?;
        }
        Ok(page)
    }

    fn check_empty_page(&self, total: u64, skip: u32) -> Result<(), Error> {
        let list: Option<Vec<IgnoredAny>> = self.decode_member("data")?;
        if list.is_none() {
            // `null` is an empty list only if it is counted.
            let _: u64 = self.decode_member("total_count")?;
        }
        if total > skip.into() {
            let left = total - u64::from(skip);
            let reason = format!("a page without items, though {left} of {total} are left");
            return Err(self.misshapen(reason));
        }
        Ok(())
    }

    pub(crate) fn unreadable(&self, error: serde_json::Error) -> Error {
        self.misshapen(without_values(&error))
    }

    pub(crate) fn misshapen(&self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::unreadable(self.status, self.body.clone(), source).during(&self.call)
    }
}

/// What serde says of a text, without the parts of the text that it repeats.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return text;
    }
    // The keys that lead there are the spec's.
    let mut fault = text.as_str();
    while let Some((_, inner)) = fault
        .strip_prefix('`')
        .and_then(|text| text.split_once("`: "))
    {
        fault = inner;
    }
    let place = &text[..text.len() - fault.len()];
    if fault.starts_with("missing field") {
        return text;
    }
    match fault.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{place}something else than {expected}"),
        None => format!(
            "{place}something unexpected at line {} column {}",
            error.line(),
            error.column()
        ),
    }
}

impl Transport {
    /// Makes a call with this request.
    pub(crate) async fn call(
        &self,
        client: &reqwest::Client,
        call: Call,
        request: Result<Request, Unbuilt>,
    ) -> Result<Response, Error> {
        let mut request = request.map_err(|error| error.into_error().during(&call))?;
        // The HTTP client would panic.
        if matches!(self.settings.backend, Backend::Http) && Handle::try_current().is_err() {
            let message = "calls need a tokio runtime: make them within one";
            return Err(Error::config(message).during(&call));
        }
        let reply = self.execute(client, &mut request, &call).await;
        self.conclude(call, reply)
    }

    fn conclude(&self, call: Call, reply: reqwest::Result<Reply>) -> Result<Response, Error> {
        let error = match reply {
            Ok(Reply {
                failure: Some(reason),
                ..
            }) => Error::failure(reason),
            Ok(Reply {
                status,
                body,
                broken: Some(reason),
                ..
            }) => Error::unreadable(status, body, reason),
            // Where nobody describes the answer, `error` may be a part of it.
            Ok(reply)
                if reply.status.is_success()
                    && !(reply.sent.is_some()
                        && call.operation.is_some()
                        && tells_of_an_error(&reply.body)) =>
            {
                return Ok(Response {
                    call,
                    status: reply.status,
                    headers: reply.headers,
                    body: reply.body,
                    sent: reply.sent,
                });
            }
            Ok(reply) => {
                let mask = |message: &str| self.mask(message, reply.sent.as_ref());
                Error::status(reply.status, reply.retry_after, reply.body.clone(), mask)
                    .dated(answered(&reply.headers))
            }
            Err(error) => Error::transport(error),
        };
        Err(error.during(&call))
    }

    /// What an answer says, without what must not be told: secrets, and what was sent.
    pub(crate) fn masked(&self, words: &str, answer: &Response) -> String {
        self.mask(words, answer.sent.as_ref())
    }

    fn mask(&self, message: &str, sent: Option<&Sent>) -> String {
        mask(message, &self.secrets, sent.unwrap_or(&Sent::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canary_of_what_cannot_be_read_no_part_is_told() {
        for text in [r#""Jane""#, r#""of age, expected Jane""#] {
            let error = serde_json::from_str::<u8>(text).expect_err(text);
            let told = without_values(&error);
            assert!(
                told.starts_with("something else than u8 at line 1"),
                "{told}"
            );
        }
    }
}
