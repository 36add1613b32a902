//! Recorded runs, run again: the same calls at the same times, and whether they are answered the same.

use crate::App;
use crate::faults::{Applied, Forced};
use crate::recording::{Event, EventKind, RecordedAnswer, RecordedCall, Recording, Text, Token};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

/// A call that was answered otherwise than in the recording.
///
/// ```
/// use telecrm_emulator::{Difference, Emulator, Recording};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("telecrm-difference-{}.jsonl", std::process::id()));
/// let emulator = Emulator::builder().record(&file).start().await?;
/// reqwest::get(format!("{}/enterprise/ent-local/metadata", emulator.sync_url())).await?;
/// emulator.shutdown().await;
///
/// // Whoever waits for another answer finds out.
/// std::fs::write(&file, std::fs::read_to_string(&file)?.replace(r#""status":401"#, r#""status":200"#))?;
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
    /// Which of the recorded calls, counted from 1 in the order in which they were carried out.
    pub call: usize,
    /// The HTTP method.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// What differs, each with its place: `status`, `headers.…` or `body.…`.
    pub parts: Vec<String>,
}

/// A line for the call, and one for each part that differs.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}: {} {}", self.call, self.method, self.path)?;
        self.parts
            .iter()
            .try_for_each(|part| write!(f, "\n  {part}"))
    }
}

/// Carries out the calls of a recording one after another, on an emulator that has done nothing yet. The clock stands at the time
/// of each, and goes on from the last.
pub(crate) async fn run(
    app: &App,
    router: Router,
    local: SocketAddr,
    recording: &Recording,
) -> Vec<Difference> {
    let service = TowerToHyperService::new(router);
    let mut differences = Vec::new();
    let mut calls = 0;
    app.keeper.hold_clock(true);
    for Event { time, kind, .. } in &recording.events {
        // It was the time of a clock like this one.
        let _ = app.keeper.set_clock(|clock| clock.set(*time));
        match kind {
            EventKind::Processed(ticket) => app.apply(*ticket),
            EventKind::Call(call) => {
                calls += 1;
                let parts = match request(app, local, call) {
                    Some(request) => {
                        let Ok(response) = service.call(request).await;
                        match &call.answer {
                            Some(recorded) => {
                                let (parts, body) = response.into_parts();
                                let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
                                let mut came =
                                    RecordedAnswer::new(parts.status, &parts.headers, &body);
                                if matches!(call.body, Text::LeftOut { .. }) {
                                    // It says what was wrong with a body that was another.
                                    came.body.clone_from(&recorded.body);
                                }
                                compare(recorded, &came)
                            }
                            None => Vec::new(),
                        }
                    }
                    None => vec!["the recording holds no request that can be sent".to_owned()],
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
        }
    }
    app.keeper.hold_clock(false);
    differences
}

fn request(app: &App, local: SocketAddr, call: &RecordedCall) -> Option<Request<Body>> {
    let mut request = Request::builder()
        .method(call.method.as_str())
        .uri(&call.path)
        .header(header::HOST, local.to_string());
    let token = match call.token {
        None => None,
        Some(Token::Sync(place)) => app.config.sync_tokens.get(place),
        Some(Token::Async(place)) => app.config.async_tokens.get(place),
        Some(Token::Unknown) => Some(&app.unknown_token),
    };
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(content_type) = &call.content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    let mut request = request.body(call.body.clone().into()).ok()?;
    let fault = call.fault.clone().map(Applied::at_once);
    request.extensions_mut().insert(Forced(fault));
    Some(request)
}

/// What differs, in words.
fn compare(recorded: &RecordedAnswer, came: &RecordedAnswer) -> Vec<String> {
    let mut parts = Vec::new();
    if recorded.status != came.status {
        parts.push(differs("status", recorded.status, came.status));
    }
    let json = |headers: &BTreeMap<String, String>| serde_json::json!(headers);
    compare_json(
        "headers",
        &json(&recorded.headers),
        &json(&came.headers),
        &mut parts,
    );
    let json = |text: &Text| match text {
        Text::Utf8(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
        }
        Text::Bytes(bytes) => Value::from(bytes.as_slice()),
        Text::LeftOut { .. } => Value::Null,
    };
    if recorded.body != came.body {
        let before = parts.len();
        compare_json("body", &json(&recorded.body), &json(&came.body), &mut parts);
        if parts.len() == before {
            parts.push("body: the same JSON, written otherwise".to_owned());
        }
    }
    parts
}

fn compare_json(place: &str, recorded: &Value, came: &Value, parts: &mut Vec<String>) {
    match (recorded, came) {
        (Value::Object(recorded), Value::Object(came)) => {
            for (key, value) in recorded {
                compare_json(
                    &format!("{place}.{key}"),
                    value,
                    came.get(key).unwrap_or(&Value::Null),
                    parts,
                );
            }
            for (key, value) in came.iter().filter(|(key, _)| !recorded.contains_key(*key)) {
                parts.push(differs(&format!("{place}.{key}"), "nothing", value));
            }
        }
        (Value::Array(recorded), Value::Array(came)) if recorded.len() == came.len() => {
            for (index, (recorded, came)) in recorded.iter().zip(came).enumerate() {
                compare_json(&format!("{place}[{index}]"), recorded, came, parts);
            }
        }
        (recorded, came) if recorded == came => {}
        (recorded, came) => parts.push(differs(place, recorded, came)),
    }
}

fn differs(place: &str, recorded: impl fmt::Display, came: impl fmt::Display) -> String {
    format!("{place}: {recorded} was recorded, {came} came")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> RecordedAnswer {
        RecordedAnswer {
            status,
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: Text::Utf8(body.to_owned()),
        }
    }

    #[test]
    fn what_differs_is_said_with_its_place() {
        let recorded = answer(200, r#"{"a": [1, {"b": 2}], "c": 3}"#);
        assert!(compare(&recorded, &recorded).is_empty());
        let mut came = answer(201, r#"{"a": [1, {"b": 4}], "d": 5}"#);
        came.headers
            .insert("retry-after".to_owned(), "1".to_owned());
        assert_eq!(
            compare(&recorded, &came),
            [
                "status: 200 was recorded, 201 came",
                "headers.retry-after: nothing was recorded, \"1\" came",
                "body.a[1].b: 2 was recorded, 4 came",
                "body.c: 3 was recorded, null came",
                "body.d: nothing was recorded, 5 came",
            ]
        );
        let spaced = answer(200, r#"{"a":[1,{"b":2}],"c":3}"#);
        assert_eq!(
            compare(&recorded, &spaced),
            ["body: the same JSON, written otherwise"]
        );
        assert_eq!(
            compare(&answer(200, "OK"), &answer(200, "{}")),
            ["body: \"OK\" was recorded, {} came"]
        );
    }
}
