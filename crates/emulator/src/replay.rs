//! Replay: repeats the calls of a recording on a new emulator, and compares the answers.

use crate::app::App;
use crate::background;
use crate::config::Config;
use crate::faults::FaultKind;
use crate::http::ReplayedFault;
use crate::http::response::split;
use crate::recording::{
    Event, EventKind, RecordedAnswer, RecordedBody, RecordedCall, RecordedToken, Recording,
};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use std::fmt;
use std::net::SocketAddr;

/// A call whose answer differs from the recorded one.
///
/// ```
/// use telecrm_emulator::{Difference, Emulator, Recording};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("differs-{}.jsonl", std::process::id()));
/// let emulator = Emulator::builder().record(&file).start().await?;
/// emulator.client().workspace().await?;
/// emulator.shutdown().await;
///
/// // The recording expects another status now.
/// let recorded = std::fs::read_to_string(&file)?;
/// std::fs::write(&file, recorded.replace(r#""status":200"#, r#""status":201"#))?;
/// let emulator = Emulator::builder().replay(Recording::read(&file)?).start().await?;
/// let first: &Difference = &emulator.differences()[0];
/// assert!(first.to_string().contains("status"), "{first}");
/// # std::fs::remove_file(&file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The number of the recorded call, from 1 in the order in which the calls were carried out.
    pub call: usize,
    /// The HTTP method.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The differing parts of the answer, each with its place: `status`, `headers.…` or `body.…`.
    pub parts: Vec<String>,
}

/// One line for the call, and one for each differing part.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}: {} {}", self.call, self.method, self.path)?;
        self.parts.iter().try_for_each(|part| write!(f, "\n  {part}"))
    }
}

/// Sends the calls of a recording one after another to an emulator without any calls yet. The clock
/// has the time of each call, and runs on from the last one.
pub(crate) async fn run(
    app: &App,
    router: Router,
    local: SocketAddr,
    recording: &Recording,
) -> Vec<Difference> {
    let service = TowerToHyperService::new(router);
    let mut differences = Vec::new();
    let mut calls = 0;
    app.shared_store.pause_clock();
    for Event { time, kind, .. } in &recording.events {
        // The clock of the recording emulator had this time, so it is valid.
        let _ = app.shared_store.change_clock(|clock| clock.at(*time));
        let call = match kind {
            EventKind::Processed(ticket) => {
                background::process(app, *ticket);
                continue;
            }
            EventKind::Call(call) => call,
        };
        calls += 1;
        let parts = match request(&app.config, local, call) {
            Some(request) => {
                let Ok(response) = service.call(request).await;
                let (parts, body) = split(response).await;
                let mut answer = RecordedAnswer::new(parts.status, &parts.headers, &body);
                match &call.answer {
                    Some(recorded) => {
                        if matches!(call.body, RecordedBody::Omitted { .. }) {
                            // The recorded answer describes the omitted body.
                            answer.body.clone_from(&recorded.body);
                        }
                        compare(recorded, &answer)
                    }
                    None => Vec::new(),
                }
            }
            None => vec!["the recorded request is not valid HTTP".to_owned()],
        };
        if !parts.is_empty() {
            differences.push(Difference {
                call: calls,
                method: call.method.clone(),
                path: call.path.clone(),
                parts,
            });
        }
    }
    app.shared_store.resume_clock();
    differences
}

/// Builds the request of a recorded call. Returns None if it is not valid HTTP.
fn request(config: &Config, local: SocketAddr, call: &RecordedCall) -> Option<Request<Body>> {
    let mut request = Request::builder()
        .method(call.method.as_str())
        .uri(&call.path)
        .header(header::HOST, local.to_string());
    let token = match call.token {
        None => None,
        Some(RecordedToken::Sync(index)) => config.sync_tokens.get(index).cloned(),
        Some(RecordedToken::Async(index)) => config.async_tokens.get(index).cloned(),
        Some(RecordedToken::Unknown) => Some(rejected_token(config)),
    };
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(content_type) = &call.content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    let mut request = request.body(call.body.clone().into()).ok()?;
    let fault = call.fault.clone().map(FaultKind::without_delay);
    request.extensions_mut().insert(ReplayedFault(fault));
    Some(request)
}

/// A token that the emulator does not accept.
fn rejected_token(config: &Config) -> String {
    let mut token = "unknown".to_owned();
    while config.sync_tokens.contains(&token) || config.async_tokens.contains(&token) {
        token.push('-');
    }
    token
}

/// Describes each difference.
fn compare(recorded: &RecordedAnswer, answer: &RecordedAnswer) -> Vec<String> {
    let mut parts = Vec::new();
    if recorded.status != answer.status {
        parts.push(differs("status", recorded.status, answer.status));
    }
    let [before, after] = [recorded, answer].map(|answer| serde_json::json!(answer.headers));
    compare_json("headers", &before, &after, &mut parts);
    if recorded.body != answer.body {
        let [before, after] = [recorded, answer].map(|answer| body_json(&answer.body));
        let count = parts.len();
        compare_json("body", &before, &after, &mut parts);
        if parts.len() == count {
            parts.push("body: the same JSON in another spelling".to_owned());
        }
    }
    parts
}

fn body_json(body: &RecordedBody) -> Value {
    match body {
        RecordedBody::Text(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
        }
        RecordedBody::Bytes(bytes) => Value::from(bytes.as_slice()),
        RecordedBody::Omitted { .. } => Value::Null,
    }
}

fn compare_json(place: &str, recorded: &Value, answer: &Value, parts: &mut Vec<String>) {
    match (recorded, answer) {
        (Value::Object(recorded), Value::Object(answer)) => {
            for (key, value) in recorded {
                let other = answer.get(key).unwrap_or(&Value::Null);
                compare_json(&format!("{place}.{key}"), value, other, parts);
            }
            for (key, value) in answer {
                if !recorded.contains_key(key) {
                    parts.push(differs(&format!("{place}.{key}"), "nothing", value));
                }
            }
        }
        (Value::Array(recorded), Value::Array(answer)) if recorded.len() == answer.len() => {
            for (index, (recorded, answer)) in recorded.iter().zip(answer).enumerate() {
                compare_json(&format!("{place}[{index}]"), recorded, answer, parts);
            }
        }
        (recorded, answer) if recorded == answer => {}
        (recorded, answer) => parts.push(differs(place, recorded, answer)),
    }
}

fn differs(place: &str, recorded: impl fmt::Display, answer: impl fmt::Display) -> String {
    format!("{place}: recorded {recorded}, answered {answer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> RecordedAnswer {
        RecordedAnswer {
            status,
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: RecordedBody::Text(body.to_owned()),
        }
    }

    #[test]
    fn equal_answers_have_no_difference() {
        let recorded = answer(200, r#"{"a": 1}"#);
        assert!(compare(&recorded, &recorded).is_empty());
    }

    #[test]
    fn each_difference_is_named_with_its_place() {
        let recorded = answer(200, r#"{"a": [1, {"b": 2}], "c": 3}"#);
        let mut other = answer(201, r#"{"a": [1, {"b": 4}], "d": 5}"#);
        let retry_after = ("retry-after".to_owned(), "1".to_owned());
        other.headers.extend([retry_after]);
        assert_eq!(
            compare(&recorded, &other),
            [
                "status: recorded 200, answered 201",
                "headers.retry-after: recorded nothing, answered \"1\"",
                "body.a[1].b: recorded 2, answered 4",
                "body.c: recorded 3, answered null",
                "body.d: recorded nothing, answered 5",
            ]
        );
    }

    #[test]
    fn json_in_another_spelling_is_a_difference() {
        let recorded = answer(200, r#"{"a": 1}"#);
        let spaced = answer(200, r#"{"a":1}"#);
        let parts = compare(&recorded, &spaced);
        assert_eq!(parts, ["body: the same JSON in another spelling"]);
    }

    #[test]
    fn bodies_of_different_types_differ() {
        let parts = compare(&answer(200, "OK"), &answer(200, "{}"));
        assert_eq!(parts, ["body: recorded \"OK\", answered {}"]);
    }
}
