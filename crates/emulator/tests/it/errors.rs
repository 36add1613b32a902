//! The texts of all errors and refusals of the emulator, in one snapshot that is read as a whole.
//! telecrm's own messages are not among them.

use crate::state_file::{StateFile, execute};
use crate::{Local, answer};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::fmt::{Display, Write};
use telecrm_emulator::{
    Builder, ClockError, Emulator, Fault, FaultyAnswer, Profile, Recording, WorkspaceFile,
};

/// The texts, one after another.
#[derive(Default)]
struct Texts(String);

impl Texts {
    fn heading(&mut self, heading: &str) {
        let _ = writeln!(self.0, "# {heading}\n");
    }

    fn add(&mut self, text: impl Display) {
        let _ = writeln!(self.0, "{text:#}\n");
    }

    /// Adds the error with which the emulator refuses to start.
    async fn refused(&mut self, builder: Builder) {
        self.add(builder.start().await.expect_err("refused"));
    }

    /// Adds the error, in which FILE replaces the path.
    async fn refused_file(&mut self, builder: Builder, file: &StateFile) {
        let error = builder.state(file.path()).start().await;
        let error = format!("{:#}", error.expect_err("refused"));
        self.add(error.replace(file.path().to_str().expect("UTF-8"), "FILE"));
    }

    /// Adds the status and the message of an answer.
    async fn answered(&mut self, request: RequestBuilder) {
        let (status, refused) = answer(request).await;
        let message = refused["error"]["message"].as_str().expect("a message");
        self.add(format_args!("{status} {message}"));
    }
}

#[tokio::test]
async fn all_errors() {
    let mut texts = Texts::default();
    texts.heading("Settings");
    settings(&mut texts).await;
    texts.heading("Faults");
    faults(&mut texts).await;
    texts.heading("Profile and clock");
    texts.add(Profile::named("live").unwrap_err());
    texts.add(Profile::documented().with("search", "yes").unwrap_err());
    texts.add(Profile::documented().with("search-ids", "maybe").unwrap_err());
    texts.add(ClockError);
    texts.heading("Recordings");
    recordings(&mut texts).await;
    texts.heading("State files");
    state_files(&mut texts).await;
    texts.heading("Requests");
    requests(&mut texts).await;
    texts.heading("The emulator's own endpoints");
    own_endpoints(&mut texts).await;
    insta::assert_snapshot!("errors", texts.0);
}

async fn settings(texts: &mut Texts) {
    let builder = Emulator::builder;
    texts.refused(builder().listen("0.0.0.0:0".parse().expect("valid"))).await;
    texts.refused(builder().record("x.jsonl").state("x.db")).await;
    let mut tokens = builder();
    for token in ["2", "3", "4"] {
        tokens = tokens.another_sync_token(token);
    }
    texts.refused(tokens).await;
    texts.refused(builder().max_connections(0)).await;
    texts.refused(builder().enterprise("")).await;
    texts.refused(builder().allow_host("http://crm.test")).await;
    texts.refused(builder().now("2200-01-01T00:00:00Z".parse().expect("valid"))).await;
}

async fn faults(texts: &mut Texts) {
    let emulator = Emulator::start().await.expect("the emulator starts");
    let with_header = |name, value| Fault::answer(FaultyAnswer::new(200).header(name, value));
    for fault in [
        Fault::hang().on("createLeads"),
        Fault::process_twice().on("createLead"),
        Fault::hang().nth(0),
        Fault::hang().chance(1.5),
        Fault::answer(FaultyAnswer::new(101)),
        Fault::content_type("text/\nplain"),
        with_header("a b", "5"),
        with_header("Retry-After", "1\n2"),
        with_header("Content-Length", "5"),
    ] {
        texts.add(emulator.fault(fault).expect_err("refused"));
    }
    for rule in [json!({ "do": "explode" }), json!({ "do": "hang", "often": 1 }), json!({})] {
        texts.add(Fault::list(rule).expect_err("refused"));
    }
}

async fn recordings(texts: &mut Texts) {
    let name = format!("telecrm-errors-{}.jsonl", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let shown = |error: &dyn Display| {
        let path = path.to_str().expect("UTF-8");
        format!("{error:#}").replace(path, "FILE")
    };
    texts.add(shown(&Recording::read(&path).expect_err("missing")));
    for content in ["{}\n", "{\"telecrm_recording\": 2}\n", "{\"telecrm_recording\": 1}\n"] {
        std::fs::write(&path, content).expect("written");
        texts.add(shown(&Recording::read(&path).expect_err("refused")));
    }
    let again = Emulator::builder().record(&path).start().await;
    texts.add(shown(&again.expect_err("the file exists")));
    let below = Emulator::builder().record(path.join("x")).start().await;
    texts.add(shown(&below.expect_err("the folder does not exist")));
    std::fs::remove_file(&path).expect("removed");
}

async fn state_files(texts: &mut Texts) {
    let builder = Emulator::builder;
    let file = StateFile::new();
    std::fs::write(file.path(), "more than a hundred bytes ".repeat(8)).expect("written");
    texts.refused_file(builder(), &file).await;
    let folder = std::env::temp_dir();
    let error = builder().state(&folder).start().await;
    let error = format!("{:#}", error.expect_err("a folder"));
    texts.add(error.replace(folder.to_str().expect("UTF-8"), "FOLDER"));

    let file = StateFile::new();
    execute(&file, "CREATE TABLE notes (text TEXT)");
    texts.refused_file(builder(), &file).await;

    let file = StateFile::new();
    let emulator = builder().state(file.path()).start().await;
    let emulator = emulator.expect("the emulator starts");
    texts.refused_file(builder(), &file).await;
    emulator.shutdown().await;
    texts.refused_file(builder().enterprise("another"), &file).await;
    let mut seed = WorkspaceFile::sample();
    seed.custom_fields.pop();
    texts.refused_file(builder().seed(seed), &file).await;
    execute(&file, "INSERT INTO lead (place, identifier, json) VALUES (1, '', '{}')");
    texts.refused_file(builder(), &file).await;
    execute(&file, "DELETE FROM counters");
    texts.refused_file(builder(), &file).await;
    execute(&file, "PRAGMA user_version = 99");
    texts.refused_file(builder(), &file).await;
}

async fn requests(texts: &mut Texts) {
    let local = Local::start().await;
    for body in [b"".as_slice(), b"\x1f\x8b", b"\xef\xbb\xbf{}", b"phone=919999999999", b"{"] {
        texts.answered(local.ingest().body(body)).await;
    }
    let large = vec![b' '; 2 * 1024 * 1024];
    texts.answered(local.ingest().body(large)).await;
    texts.answered(local.sync(Method::GET, "/lead/%ff")).await;
    texts.answered(local.sync(Method::GET, "/custom-fields?detail=%ff")).await;
    texts.answered(local.sync(Method::GET, "/nonsense")).await;
    texts.answered(local.sync(Method::PUT, "/lead")).await;
}

async fn own_endpoints(texts: &mut Texts) {
    let local = Local::start().await;
    let url = |path: &str| format!("{}/_emulator{path}", local.emulator.url());
    let post = |path: &str, body: Value| local.http.post(url(path)).json(&body);
    texts.answered(local.http.get(url("/log?since=x"))).await;
    texts.answered(post("/restore", json!({}))).await;
    texts.answered(post("/restore?snapshot=7", json!({}))).await;
    for body in [
        json!({ "now": "yesterday" }),
        json!({ "now": 1, "advance": 1 }),
        json!({ "later": 1 }),
        json!({ "now": -1 }),
    ] {
        texts.answered(post("/clock", body)).await;
    }
    for body in [
        json!([]),
        json!({ "profile": 1 }),
        json!({ "profile": "live" }),
        json!({ "search-ids": 1 }),
    ] {
        texts.answered(local.http.put(url("/profile")).json(&body)).await;
    }
    texts.answered(local.http.delete(url("/faults/7"))).await;
    let rule = r#"{"do": "hang", "do": "hang"}"#;
    texts.answered(local.http.post(url("/faults")).body(rule)).await;
    for entry in
        [json!({ "type": "PAYMENT" }), json!({ "type": "NOTE", "creationTimestamp": "now" })]
    {
        texts.answered(post("/leads/62ab16e/timeline", entry)).await;
    }
    texts.answered(post("/health", json!({}))).await;
    let description = format!("{}/openapi/sync.yaml?stage=none", local.emulator.url());
    texts.add(refusal(local.http.get(description)).await);
    let foreign = local.http.get(url("/health")).header("Host", "evil.example");
    let host = local.emulator.url().replace("http://", "");
    texts.add(refusal(foreign).await.replace(&host, "127.0.0.1:PORT"));
    let foreign = post("/reset", json!({})).header("Origin", "http://evil.example");
    texts.add(refusal(foreign).await);
}

/// The status and the message of an answer without a description.
async fn refusal(request: RequestBuilder) -> String {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("JSON");
    let message = body["error"]["message"].as_str().expect("a message");
    format!("{status} {message}")
}
