//! Recordings: files with the calls of a run, which a later run can repeat.
//!
//! A recording is JSON lines. The first line describes how the emulator began, and each further
//! line is an event: a call with its answer, or the background processing of a lead. The turn of an
//! event is its place in the order in which the events locked the store. Since calls overlap, the
//! lines may have another order.

pub(crate) mod pending;
pub(crate) mod recorder;

use crate::faults::rate_limit::RateLimit;
use crate::faults::{Fault, FaultKind};
use crate::problem::{Problem, impl_error};
use crate::redact::mask_passwords;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The version of the format. The emulator reads no other one.
pub(crate) const VERSION: u32 = 1;

/// The first line: how the emulator began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(rename = "telecrm_recording")]
    pub(crate) version: u32,
    pub(crate) enterprise: String,
    /// The number of accepted tokens.
    pub(crate) sync_tokens: usize,
    pub(crate) async_tokens: usize,
    pub(crate) sync_limit: Option<RateLimit>,
    pub(crate) async_limit: Option<RateLimit>,
    pub(crate) random_seed: u64,
    pub(crate) profile: BTreeMap<String, String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seed: Value,
}

/// One line after the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) turn: u64,
    /// The time in the workspace, in Unix milliseconds.
    pub(crate) time: i64,
    #[serde(flatten)]
    pub(crate) kind: EventKind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    Call(Box<RecordedCall>),
    /// The ticket of the processed lead.
    Processed(u64),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RecordedCall {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) token: Option<RecordedToken>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    pub(crate) body: RecordedBody,
    pub(crate) fault: Option<FaultKind>,
    /// None if the client got no answer, or one without a proper end.
    pub(crate) answer: Option<RecordedAnswer>,
}

/// Which token a call had. The token itself is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordedToken {
    /// The index among the accepted Sync tokens.
    Sync(usize),
    /// The index among the accepted Async tokens.
    Async(usize),
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedAnswer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: RecordedBody,
}

/// A body as text or bytes, or the reason why it is omitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum RecordedBody {
    Text(String),
    Bytes(Vec<u8>),
    Omitted {
        #[serde(rename = "left_out")]
        reason: String,
    },
}

impl RecordedBody {
    /// The body of a request without passwords. Omits a body that may contain one but cannot be
    /// parsed.
    pub(crate) fn without_passwords(path: &str, body: &[u8]) -> Self {
        if let Some(masked) = mask_passwords(body) {
            return Self::Text(masked);
        }
        let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
        let mentions = |word: &[u8]| {
            let mut parts = body.windows(word.len());
            parts.any(|part| part.eq_ignore_ascii_case(word))
        };
        let may_have_password = path.ends_with("/team-members") || mentions(b"password");
        if !is_json && may_have_password && !body.is_empty() {
            return Self::Omitted { reason: "not JSON, and may contain a password".to_owned() };
        }
        body.into()
    }
}

impl From<&[u8]> for RecordedBody {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl From<RecordedBody> for Body {
    fn from(body: RecordedBody) -> Self {
        match body {
            RecordedBody::Text(text) => text.into(),
            RecordedBody::Bytes(bytes) => bytes.into(),
            RecordedBody::Omitted { .. } => Self::empty(),
        }
    }
}

impl RecordedAnswer {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let headers = headers
            .iter()
            // The length follows from the body.
            .filter(|(name, _)| *name != header::CONTENT_LENGTH)
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.to_string(), value.into_owned())
            });
        Self { status: status.as_u16(), headers: headers.collect(), body: body.into() }
    }
}

/// A recorded run. [`Builder::record`](crate::Builder::record) makes one, and
/// [`Builder::replay`](crate::Builder::replay) repeats it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{Emulator, Recording, RecordingError};
///
/// # let file = std::env::temp_dir().join(format!("recorded-{}.jsonl", std::process::id()));
/// let emulator = Emulator::builder().record(&file).start().await?;
/// emulator.client().workspace().await?;
/// emulator.shutdown().await;
///
/// assert!(Recording::read(&file)?.calls() > 0);
/// # std::fs::remove_file(&file)?;
///
/// let missing: RecordingError = Recording::read(&file).unwrap_err();
/// assert!(missing.to_string().contains("cannot be read"), "{missing}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recording {
    pub(crate) header: Header,
    /// In the order of their turns.
    pub(crate) events: Vec<Event>,
}

/// Omits the calls, which contain personal data.
impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Recording {
    /// Reads a recording. An incomplete last line is ignored.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not a recording, or has another version.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let reason = format!("cannot be read: {error}");
            RecordingError::new(path, reason, "check the name and the permissions")
        })?;
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).enumerate();
        let damaged = |line: usize, error: serde_json::Error| {
            let reason = format!("is damaged in line {}: {error}", line + 1);
            RecordingError::new(path, reason, "make a new recording")
        };
        let first = lines.next().and_then(|(_, line)| serde_json::from_str(line).ok());
        let first: Value = first.unwrap_or_default();
        match first.get("telecrm_recording").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(RecordingError::new(
                    path,
                    format!("has version {version}, and this emulator reads version {VERSION}"),
                    "use the emulator that made the recording",
                ));
            }
            None => {
                let hint = "make a recording with --record";
                return Err(RecordingError::new(path, "is not a recording", hint));
            }
        }
        let header = serde_json::from_value(first).map_err(|error| damaged(0, error))?;
        let event = |(index, line)| serde_json::from_str(line).map_err(|e| damaged(index, e));
        let mut events: Vec<Event> = lines.map(event).collect::<Result<_, _>>()?;
        events.sort_by_key(|event| event.turn);
        Ok(Self { header, events })
    }

    /// The number of recorded calls.
    pub fn calls(&self) -> usize {
        let calls = self.events.iter();
        calls.filter(|event| matches!(event.kind, EventKind::Call(_))).count()
    }
}

/// An error for a recording that cannot be made or read. It names the file and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingError(Problem);

impl RecordingError {
    pub(crate) fn new(path: &Path, reason: impl fmt::Display, hint: &str) -> Self {
        let message = format!("the recording {} {reason}", path.display());
        Self(Problem::new(message).hint(hint))
    }
}

impl_error!(RecordingError);

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that the recorded body lacks the password, and can be read back.
    fn assert_no_password(path: &str, body: &str) {
        let recorded = RecordedBody::without_passwords(path, body.as_bytes());
        let text = serde_json::to_string(&recorded).expect("JSON");
        assert!(!text.contains("hunter2"), "{text}");
        let read: RecordedBody = serde_json::from_str(&text).expect("a body");
        assert_eq!(read, recorded);
    }

    #[test]
    fn a_password_is_masked() {
        assert_no_password("/team-members", r#"{"password":"hunter2"}"#);
    }

    #[test]
    fn a_nested_password_is_masked() {
        let body = r#"[{"name":"A"},{"member":{"password":["hunter2"]}}]"#;
        assert_no_password("/team-members", body);
    }

    #[test]
    fn a_repeated_password_is_masked() {
        let body = r#"{"password":"hunter2","password":"hunter2"}"#;
        assert_no_password("/team-members", body);
    }

    #[test]
    fn an_incomplete_body_with_a_password_is_omitted() {
        assert_no_password("/team-members", r#"{"password":"hunter2""#);
    }

    #[test]
    fn a_form_for_a_team_member_is_omitted() {
        assert_no_password("/team-members", "name=John&secret=hunter2");
    }

    #[test]
    fn an_incomplete_body_with_a_password_is_omitted_on_every_path() {
        assert_no_password("/lead", r#"{"Password":"hunter2""#);
    }

    #[test]
    fn an_incomplete_body_without_a_password_is_recorded() {
        assert_eq!(
            RecordedBody::without_passwords("/lead", b"{\"fields\":"),
            RecordedBody::Text("{\"fields\":".to_owned())
        );
    }
}
