//! Whatever is sent, it is answered or the connection is closed: no panic, and no memory without end.

use crate::clock::{Stopwatch, sleep};
use crate::{Local, contract};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use telecrm_emulator::{Emulator, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MEBIBYTE: usize = 1024 * 1024;

impl Local {
    async fn connect(&self) -> TcpStream {
        let url = self.emulator.url();
        let address = url.trim_start_matches("http://");
        TcpStream::connect(address).await.expect("connects")
    }

    async fn is_well(&self) {
        assert_eq!(self.get("/metadata").await.0, 200);
    }
}

#[tokio::test]
async fn a_value_whose_key_stands_again_is_told_in_the_log() {
    let local = Local::start().await;
    let twice = r#"{"fields": {"phone": "919999999999", "name": "Asha", "name": "Usha"}, "actions": [{"type": "1001", "type": "ACTION_1001"}]}"#;
    let told = |local: &Local| {
        let entry = local.emulator.log(0).pop().expect("the call is in the log");
        let findings = entry.findings.iter().filter(|f| f.is_loss());
        let paths: Vec<_> = findings.map(|finding| finding.path.to_string()).collect();
        (entry.stored.is_some(), paths)
    };
    let queued = local.ingest().body(twice).send().await.expect("an answer");
    assert_eq!(queued.status(), 200);
    local.emulator.wait_idle().await;
    let both = ["fields.name", "actions[0].type"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(told(&local), (true, both));
    let page = format!("{}/_emulator/calls/1", local.emulator.url());
    let page = local.http.get(page).send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    assert!(page.contains("more than once"), "the page tells it too");

    let lead = r#"{"fields": {"phone": "918888888888"}, "fields": {"phone": "917777777777"}}"#;
    let request = local.sync(Method::POST, "/lead").body(lead);
    assert_eq!(crate::status(request).await, 201);
    assert_eq!(told(&local), (true, vec!["fields".to_owned()]));
    assert_eq!(local.search(json!({})).await["total_count"], 2);
    // telecrm itself would not say so.
    let filter = r#"{"fields": {"phone": "1"}, "fields": {}}"#;
    let request = local.sync(Method::POST, "/lead/search").body(filter);
    assert_eq!(crate::status(request).await, 200);
    assert_eq!(told(&local), (false, vec!["fields".to_owned()]));

    let rule = r#"{"operation": "getLead", "operation": "createLead", "do": "hang"}"#;
    let rules = format!("{}/_emulator/faults", local.emulator.url());
    let (status, refused) = crate::answer(local.http.post(rules).body(rule)).await;
    assert_eq!(status, 400, "{refused}");
    assert!(
        refused.to_string().contains("`operation` stands twice"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_hundred_mebibytes_are_refused_and_not_read() {
    let local = Local::start().await;
    let url = local.emulator.url();
    let host = url.trim_start_matches("http://");
    for length in ["Content-Length: 104857600", "Transfer-Encoding: chunked"] {
        let mut stream = local.connect().await;
        let head = format!(
            "POST /enterprise/ent-local/autoupdatelead HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n{length}\r\n\r\n",
            local.emulator.async_token()
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the head is sent");
        let (mut reader, mut writer) = stream.into_split();
        let sending = tokio::spawn(async move {
            let mut sent = 0;
            let chunk = format!("{MEBIBYTE:x}\r\n{}\r\n", "x".repeat(MEBIBYTE));
            while sent < 100 && writer.write_all(chunk.as_bytes()).await.is_ok() {
                sent += 1;
            }
            sent
        });
        let mut answer = Vec::new();
        // What was sent in vain may come back as a reset, before or after the answer is read.
        let _ = reader.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
            "{length}: {answer}"
        );
        drop(reader);
        assert!(
            sending.await.expect("sends") < 100,
            "{length}: all of it was read"
        );
    }
    local.is_well().await;
}

#[tokio::test]
async fn what_looks_like_no_json_is_refused_with_what_helps() {
    let local = Local::start().await;
    for (body, helps) in [
        (b"\x1f\x8b\x08\x00".as_slice(), "send it uncompressed"),
        (b"\xef\xbb\xbf{\"fields\":{}}", "without a byte order mark"),
        (b"\xff\xfe{\x00", "as UTF-8"),
        (b"", "it is empty"),
        (b"fields[phone]=919999999999", "not a form"),
        (b"phone=919999999999&name=Jane", "{\"fields\": {}}"),
    ] {
        for request in [local.ingest(), local.sync(Method::POST, "/lead")] {
            let (status, refused) = crate::answer(request.body(body)).await;
            assert_eq!(status, 400);
            let message = refused["error"]["message"].as_str().expect("a message");
            assert!(message.starts_with("The body is not JSON: "), "{message}");
            assert!(message.contains(helps), "{message}");
        }
    }
    let broken = local.ingest().body(r#"{"fields":{"name":"a=b",}}"#);
    let (_, refused) = crate::answer(broken).await;
    assert!(!refused.to_string().contains("form"), "{refused}");
}

#[tokio::test]
async fn what_is_nested_too_deep_is_refused_everywhere() {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    let deep = format!("{}1{}", "{\"fields\":".repeat(10_000), "}".repeat(10_000));
    for path in [
        "/lead".to_owned(),
        "/lead/search".to_owned(),
        format!("/lead/{id}"),
        format!("/lead/{id}/action"),
        format!("/lead/{id}/action/search"),
        "/team-members".to_owned(),
        "/teammember/state_change".to_owned(),
    ] {
        let request = local.sync(Method::POST, &path).body(deep.clone());
        let (status, refused) = crate::answer(request).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (400, &json!("BAD_REQUEST")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn hundreds_of_idle_connections_are_in_nobodys_way() {
    let local = Local::start().await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut stream = local.connect().await;
        stream
            .write_all(b"POST /enterprise/ent-local/")
            .await
            .expect("sent");
        idle.push(stream);
    }
    local.is_well().await;
    drop(idle);
    local.is_well().await;
}

#[tokio::test]
async fn more_connections_than_the_limit_are_closed_at_once() {
    let local = Local::with(Emulator::builder().max_connections(3)).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(local.connect().await);
    }
    let mut one_more = local.connect().await;
    let mut answer = Vec::new();
    // Closed or reset, but not left waiting until it has taken too long.
    let closed = one_more.read_to_end(&mut answer);
    let in_time = tokio::time::timeout(Duration::from_secs(10), closed).await;
    assert!(in_time.is_ok() && answer.is_empty());
    open.clear();
    // That they are gone is noticed with the next that comes.
    for attempt in 0.. {
        let request = local.sync(Method::GET, "/metadata");
        match request.send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), StatusCode::OK);
                break;
            }
            Err(error) => assert!(attempt < 100, "{error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn whoever_comes_when_no_file_is_left_is_hung_up_on() {
    const FILES: u32 = 64;
    let file = crate::state::StateFile::new();
    let (mut child, url) = file.open_in_a_child_with_few_files(FILES);
    let address = url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    for _ in 0..FILES {
        open.push(TcpStream::connect(&address).await.expect("connects"));
    }
    let mut last = open.pop().expect("one");
    let mut read = Vec::new();
    let closed = last.read_to_end(&mut read);
    let in_time = tokio::time::timeout(Duration::from_secs(10), closed).await;
    drop(open);
    let client = reqwest::Client::new();
    let mut answered = None;
    for _ in 0..100 {
        let request = client.get(format!("{url}/_emulator/health"));
        match request.send().await {
            Ok(answer) => {
                answered = Some(answer.status());
                break;
            }
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(in_time.is_ok(), "nobody answers, and nobody hangs up");
    assert_eq!(answered, Some(StatusCode::OK), "there are files again");
}

/// By hand: `ulimit -n 12000; cargo test -p telecrm-emulator ten_thousand -- --ignored --nocapture`
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "more open files than a process has by default"]
async fn ten_thousand_connections_are_held() {
    let file = crate::state::StateFile::new();
    let (mut child, url) = file.open_in_a_child();
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.expect("the child runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.expect("a line").to_owned()
    };
    let is_well = async || {
        let health = reqwest::get(format!("{url}/_emulator/health")).await;
        assert_eq!(health.expect("an answer").status(), StatusCode::OK);
    };
    is_well().await;
    let before = resident();
    let mut half = Vec::new();
    for _ in 0..10_000 {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await;
        let mut stream = stream.expect("connects");
        let sent = stream.write_all(b"POST /enterprise/ent-local/").await;
        sent.expect("sent");
        half.push(stream);
    }
    is_well().await;
    let report = format!("10,000 connections: {before}, then {}\n", resident());
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("says so");
    drop(half);
    is_well().await;
    child.kill().expect("killed");
    child.wait().expect("ends");
}

#[tokio::test]
async fn clients_that_go_away_in_the_middle_leave_nothing_behind() {
    let local = Local::start().await;
    let url = local.emulator.url();
    let host = url.trim_start_matches("http://");
    let token = local.emulator.async_token();
    let request = format!(
        "POST /enterprise/ent-local/autoupdatelead HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 1000\r\n\r\n{{\"fields\":{{\"phone\":\"919999999999\"}}}}"
    );
    let mut stream = local.connect().await;
    stream.write_all(request.as_bytes()).await.expect("sent");
    drop(stream);
    sleep(Duration::from_millis(50)).await;
    local.is_well().await;
    local.emulator.wait_idle().await;
    assert_eq!(local.search(json!({})).await["total_count"], 0);
}

#[tokio::test]
async fn slow_clients_are_answered_or_hung_up_on() {
    let timeout = Duration::from_millis(200);
    let hang = Fault::hang().field("name", "x");
    for builder in [Emulator::builder(), Emulator::builder().fault(hang)] {
        let local = Local::with(builder.read_timeout(timeout)).await;
        let url = local.emulator.url();
        let host = url.trim_start_matches("http://");
        let token = local.emulator.async_token();
        let head = format!(
            "POST /enterprise/ent-local/autoupdatelead HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        );
        let body = format!("{head}Content-Length: 1000\r\n\r\n{{");
        for (sent, answered) in [("", ""), (&head, ""), (&body, "HTTP/1.1 408")] {
            let mut stream = local.connect().await;
            stream.write_all(sent.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            let closed =
                tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
                    .await;
            closed.expect("in time").expect("closed");
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with(answered), "{answer}");
            assert_eq!(answer.is_empty(), answered.is_empty(), "{answer}");
        }
        local.is_well().await;
    }
}

/// JSON: scalars that are likely to mean something, and whatever can be made of them.
fn value() -> impl Strategy<Value = Value> {
    let words = [
        "phone",
        "919999999999",
        "fields",
        "actions",
        "type",
        "PAYMENT",
        "1001",
        "ACTION_1001",
        "Fresh",
        "status",
        "INR",
        "created_on",
        "from",
        "01/04/2026 00:00:00",
        "a@b.co",
        "",
        "\u{0}",
        "𐍈",
        "-1",
        "1e400",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        3 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(key.clone(), inner, 0..5)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

/// A body that is often what an operation wants, at least on the surface.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = |value: Value| value.to_string().into_bytes();
    prop_oneof![
        4 => (value(), value()).prop_map(move |(fields, actions)| json(json!({ "fields": fields, "actions": actions }))),
        3 => (value(), value()).prop_map(move |(own, action)| {
            json(json!({ "fields": { "phone": "919999999999", "status": own }, "actions": [action] }))
        }),
        2 => value().prop_map(json),
        1 => any::<Vec<u8>>(),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let known = [
        "/lead",
        "/lead/search",
        "/lead/{lead}",
        "/lead/{lead}/action",
        "/lead/{lead}/action/search",
        "/lead/{lead}/action/x",
        "/team-members",
        "/team-members/jane.doe@example.com",
        "/teammember/state_change",
        "/metadata",
        "/custom-fields",
        "/custom-fields/phone",
        "/custom-actions",
        "/custom-actions/ACTION_1001",
        "/lead-stage-pipeline",
        "/nonsense",
    ];
    let query = prop_oneof![
        4 => Just(String::new()),
        1 => "\\?(skip|limit|detail|includeActions|includeDeleted)=[-0-9a-z%]{0,20}",
    ];
    (proptest::sample::select(known.to_vec()), query)
        .prop_map(|(path, query)| format!("{path}{query}"))
}

/// What the rounds of the next test send is told by their numbers: round 0 alone, unless `FUZZ_SECONDS` says how long to go on with the next
/// ones. `FUZZ_ROUND` begins with another one, so that a round that failed can be run alone.
#[test]
fn whatever_is_sent_is_answered_as_described() {
    let number = |name: &str| -> u64 {
        let text = std::env::var(name).unwrap_or_else(|_| "0".to_owned());
        text.parse()
            .unwrap_or_else(|_| panic!("{name} should be a whole number"))
    };
    let (first, seconds) = (number("FUZZ_ROUND"), number("FUZZ_SECONDS"));
    let watch = Stopwatch::start();
    let mut round = first;
    loop {
        send_a_round(round);
        round += 1;
        if watch.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    }
    let sent = (round - first) * u64::from(CASES);
    let report = format!("{sent} requests, rounds {first} to {}\n", round - 1);
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("says so");
}

/// How many requests a round has.
const CASES: u32 = 1500;

fn send_a_round(round: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (local, lead) = runtime.block_on(async {
        let local = Local::start().await;
        let lead = local.create(json!({ "phone": "918888888888" })).await;
        (local, lead)
    });
    let mut seed = *b"telecrm-emulator, request path 1";
    for (byte, of_round) in seed.iter_mut().zip(round.to_le_bytes()) {
        *byte ^= of_round;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let method =
        prop_oneof![4 => Just(Method::POST), 2 => Just(Method::GET), 1 => Just(Method::PATCH)];
    let requests = (method, path(), body(), any::<bool>());
    let outcome = runner.run(&requests, |(method, path, body, is_async)| {
        let path = path.replace("{lead}", &lead);
        let request = match is_async {
            true => local.ingest().body(body),
            false => local.sync(method.clone(), &path).body(body),
        };
        runtime.block_on(async {
            let (http, request) = request.build_split();
            // A path that is no URL never leaves.
            let Ok(request) = request else { return Ok(()) };
            let (method, path) = (request.method().clone(), request.url().path().to_owned());
            let response = http.execute(request).await;
            let response =
                response.map_err(|error| TestCaseError::fail(format!("no answer: {error}")))?;
            let status = response.status();
            prop_assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
            let header = response.headers().get("content-type");
            let content_type = header
                .map_or("", |value| value.to_str().unwrap_or_default())
                .to_owned();
            let body = response.bytes().await.expect("a body");
            contract::check(
                method.as_str(),
                &path,
                status.as_u16(),
                &content_type,
                &body,
            );
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("FUZZ_ROUND={round}: {failure}"));
    runtime.block_on(async {
        local.emulator.wait_idle().await;
        local.is_well().await;
    });
}
