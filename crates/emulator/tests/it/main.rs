//! Tests of the emulator over HTTP. A name with an ID, such as `as5`, belongs to the pitfall with
//! this ID in `docs/api-notes.md`.

/// Makes a test of each line `name(arguments)`, which calls `check(arguments)`.
macro_rules! scenarios {
    ($check:path: $($name:ident($($argument:expr),* $(,)?))+) => {
        $(#[tokio::test]
        async fn $name() {
            $check($($argument),*).await;
        })+
    };
}

mod actions;
mod bodies;
mod clock;
mod connections;
mod control;
mod errors;
mod faults;
mod http;
mod ingest;
mod leads;
mod openapi;
mod profile;
mod rate_limit;
mod recording;
mod refusals;
mod samples;
mod search;
mod seeds;
mod state_file;
mod stored;
mod team_members;
mod web;
mod workspace;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use telecrm_emulator::{Builder, Emulator, LogEntry};

/// Real time.
#[expect(clippy::disallowed_methods, reason = "tests measure real time")]
mod timing {
    use std::time::{Duration, Instant};

    pub(crate) struct Stopwatch(Instant);

    impl Stopwatch {
        pub(crate) fn start() -> Self {
            Self(Instant::now())
        }

        pub(crate) fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }
    }

    pub(crate) async fn sleep(time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// An emulator and an HTTP client.
struct Local {
    emulator: Emulator,
    http: Client,
}

/// A status and a JSON body.
type Answer = (u16, Value);

impl Local {
    async fn start() -> Self {
        Self::with(Emulator::builder()).await
    }

    async fn with(builder: Builder) -> Self {
        Self { emulator: builder.start().await.expect("the emulator starts"), http: Client::new() }
    }

    /// A request to the Sync API with a valid token.
    fn sync(&self, method: Method, path: &str) -> RequestBuilder {
        let emulator = &self.emulator;
        let url = format!("{}/enterprise/{}{path}", emulator.sync_url(), emulator.enterprise());
        self.http.request(method, url).bearer_auth(emulator.sync_token())
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.sync(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.sync(Method::POST, path).json(&body)).await
    }

    /// A request to the Async API with a valid token.
    fn ingest(&self) -> RequestBuilder {
        let emulator = &self.emulator;
        let url =
            format!("{}/enterprise/{}/autoupdatelead", emulator.async_url(), emulator.enterprise());
        self.http.post(url).bearer_auth(emulator.async_token())
    }

    /// Pushes a lead, waits until it is processed, and returns its log entry.
    async fn push(&self, lead: Value) -> LogEntry {
        let queued = answer(self.ingest().json(&lead)).await;
        assert_eq!(queued, (200, json!({ "status": "QUEUED" })));
        self.emulator.wait_idle().await;
        self.emulator.log(0).pop().expect("the call is in the log")
    }

    async fn search(&self, filter: Value) -> Value {
        let (status, found) = self.post("/lead/search", filter).await;
        assert_eq!(status, 200, "{found}");
        found
    }

    /// The only lead of the workspace, with its timeline.
    async fn only_lead(&self) -> Value {
        let found = self.search(json!({})).await;
        assert_eq!(found["total_count"], 1, "{found}");
        let id = found["data"][0]["id"].as_str().expect("rows carry an ID");
        let (status, lead) = self.get(&format!("/lead/{id}?includeActions=true&limit=100")).await;
        assert_eq!(status, 200, "{lead}");
        lead
    }

    /// Creates a lead, and returns its ID.
    async fn create(&self, fields: Value) -> String {
        let (status, created) = self.post("/lead", json!({ "fields": fields })).await;
        assert_eq!(status, 201, "{created}");
        created["lead_id"].as_str().expect("a text").to_owned()
    }
}

/// Sends a request, and checks the answer against the OpenAPI descriptions.
async fn answer(request: RequestBuilder) -> Answer {
    let (http, request) = request.build_split();
    let request = request.expect("a request");
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = http.execute(request).await.expect("the emulator answers");
    let status = response.status().as_u16();
    let header = response.headers().get(reqwest::header::CONTENT_TYPE);
    let content_type = header.map_or("", |value| value.to_str().expect("text")).to_owned();
    let body = response.bytes().await.expect("a body");
    if !path.starts_with("/_emulator/") {
        openapi::check(method.as_str(), &path, status, &content_type, &body);
    }
    (status, serde_json::from_slice(&body).expect("the answer is JSON"))
}

/// Sends a request without that check, and returns the status.
async fn status(request: RequestBuilder) -> u16 {
    let response = request.send().await.expect("the emulator answers");
    response.status().as_u16()
}

/// An error in the envelope.
fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

/// The path and the kind of each finding.
fn found(entry: &LogEntry) -> Vec<(String, &'static str)> {
    let findings = entry.findings.iter();
    findings.map(|f| (f.path.to_string(), f.kind.as_str())).collect()
}
