//! Bodies: large, malformed and random ones.

#[path = "../../../../tests/common/random.rs"]
mod random;
#[path = "../../../../tests/common/rounds.rs"]
mod rounds;

use crate::{Local, openapi};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MEBIBYTE: usize = 1024 * 1024;

/// Asserts that the log shows these losses of the last call.
fn assert_losses(local: &Local, paths: &[&str]) {
    let entry = local.emulator.log(0).pop().expect("the call is in the log");
    let findings = entry.findings.iter().filter(|finding| finding.is_loss());
    let lost: Vec<_> = findings.map(|finding| finding.path.to_string()).collect();
    assert_eq!(lost, paths);
}

#[tokio::test]
async fn the_log_and_the_page_show_repeated_keys_of_a_push() {
    let local = Local::start().await;
    let lead = r#"{"fields": {"phone": "919999999999", "name": "Asha", "name": "Usha"},
        "actions": [{"type": "1001", "type": "ACTION_1001"}]}"#;
    let queued = local.ingest().body(lead).send().await.expect("an answer");
    assert_eq!(queued.status(), 200);
    local.emulator.wait_idle().await;
    assert_losses(&local, &["fields.name", "actions[0].type"]);
    assert!(local.emulator.log(0)[0].stored.is_some());
    let page = format!("{}/_emulator/calls/1", local.emulator.url());
    let page = local.http.get(page).send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    assert!(page.contains("more than once"), "{page}");
}

#[tokio::test]
async fn the_log_shows_repeated_keys_of_a_creation() {
    let local = Local::start().await;
    let lead = r#"{"fields": {"phone": "918888888888"}, "fields": {"phone": "917777777777"}}"#;
    let request = local.sync(Method::POST, "/lead").body(lead);
    assert_eq!(crate::status(request).await, 201);
    assert_losses(&local, &["fields"]);
    assert!(local.emulator.log(0)[0].stored.is_some());
    assert_eq!(local.search(json!({})).await["total_count"], 1);
}

#[tokio::test]
async fn the_log_shows_repeated_keys_of_a_search() {
    let local = Local::start().await;
    let filter = r#"{"fields": {"phone": "1"}, "fields": {}}"#;
    let request = local.sync(Method::POST, "/lead/search").body(filter);
    assert_eq!(crate::status(request).await, 200);
    assert_losses(&local, &["fields"]);
    assert!(local.emulator.log(0)[0].stored.is_none());
}

#[tokio::test]
async fn a_rule_with_a_repeated_key_is_refused() {
    let local = Local::start().await;
    let rule = r#"{"operation": "getLead", "operation": "createLead", "do": "hang"}"#;
    let rules = format!("{}/_emulator/faults", local.emulator.url());
    let (status, refused) = crate::answer(local.http.post(rules).body(rule)).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused.to_string().contains("key `operation` twice"), "{refused}");
}

#[tokio::test]
async fn a_body_of_100_mebibytes_is_refused_before_it_is_read() {
    let local = Local::start().await;
    let url = local.emulator.url();
    let host = url.trim_start_matches("http://");
    for length in ["Content-Length: 104857600", "Transfer-Encoding: chunked"] {
        let mut stream = local.connect().await;
        let head = format!(
            "POST /enterprise/ent-local/autoupdatelead HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n{length}\r\n\r\n",
            local.emulator.async_token()
        );
        stream.write_all(head.as_bytes()).await.expect("the head is sent");
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
        // The client may see a reset before or after the answer.
        let _ = reader.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{length}: {answer}");
        drop(reader);
        assert!(sending.await.expect("sends") < 100, "{length}: all of it was read");
    }
    local.assert_answers().await;
}

/// Asserts that both APIs refuse this body with this hint.
async fn assert_hint(body: &'static [u8], hint: &str) {
    let local = Local::start().await;
    for request in [local.ingest(), local.sync(Method::POST, "/lead")] {
        let (status, refused) = crate::answer(request.body(body)).await;
        assert_eq!(status, 400);
        let message = refused["error"]["message"].as_str().expect("a message");
        assert!(message.starts_with("The body is not JSON: "), "{message}");
        let (_, given) = message.split_once("hint: ").expect("a hint");
        assert!(given.contains(hint), "{message}");
    }
}

scenarios! { assert_hint:
    a_compressed_body_is_refused(b"\x1f\x8b\x08\x00", "uncompressed")
    a_byte_order_mark_is_refused(b"\xef\xbb\xbf{\"fields\":{}}", "without a byte order mark")
    a_utf_16_body_is_refused(b"\xff\xfe{\x00", "as UTF-8")
    an_empty_body_is_refused(b"", "send a body")
    a_form_is_refused(b"fields[phone]=919999999999", "instead of a form")
    a_form_hint_has_an_example(b"phone=919999999999&name=Jane", "{\"fields\": {}}")
}

#[tokio::test]
async fn broken_json_with_an_equals_sign_is_not_called_a_form() {
    let local = Local::start().await;
    let broken = local.ingest().body(r#"{"fields":{"name":"a=b",}}"#);
    let (_, refused) = crate::answer(broken).await;
    assert!(!refused.to_string().contains("form"), "{refused}");
}

#[tokio::test]
async fn deeply_nested_json_is_refused_by_every_operation() {
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
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")), "{path}");
    }
}

/// Random JSON with many words that the APIs know.
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

/// A random body that often has the shape of a valid one.
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

#[test]
fn whatever_is_sent_is_answered_as_described() {
    rounds::run(send_a_round);
}

/// The number of requests in a round.
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
    let mut runner = random::cases(round, CASES);
    let method =
        prop_oneof![4 => Just(Method::POST), 2 => Just(Method::GET), 1 => Just(Method::PATCH)];
    let requests = (method, path(), body(), any::<bool>());
    let outcome = runner.run(&requests, |(method, path, body, is_async)| {
        let path = path.replace("{lead}", &lead);
        let request = if is_async {
            local.ingest().body(body)
        } else {
            local.sync(method.clone(), &path).body(body)
        };
        runtime.block_on(async {
            let (http, request) = request.build_split();
            // The client cannot send a path that is not a valid URL.
            let Ok(request) = request else { return Ok(()) };
            let (method, path) = (request.method().clone(), request.url().path().to_owned());
            let response = http.execute(request).await;
            let response =
                response.map_err(|error| TestCaseError::fail(format!("no answer: {error}")))?;
            let status = response.status();
            prop_assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
            let header = response.headers().get("content-type");
            let content_type =
                header.map_or("", |value| value.to_str().unwrap_or_default()).to_owned();
            let body = response.bytes().await.expect("a body");
            openapi::check(method.as_str(), &path, status.as_u16(), &content_type, &body);
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async {
        local.emulator.wait_idle().await;
        local.assert_answers().await;
    });
}
