//! `request()`: calls of endpoints that have no method of their own.

use crate::support::cases;
use serde_json::json;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{ErrorCode, Idempotency, Method, Phase, Request, Telecrm};

/// A request whose path and query need escaping.
fn awkward(telecrm: &Telecrm, method: Method) -> Request {
    let request = telecrm.request(method, "reports/jane doe/100%/");
    request.query("from", 7).query("q", "a&b")
}

#[tokio::test]
async fn a_request_is_retried_and_returns_status_bytes_and_json() {
    let fake = FakeTelecrm::new()
        .on_request(Response::html(503))
        .on_request(Response::json(json!({ "name": "Jane" })));
    let reply = awkward(&fake.client(), Method::Get).send().await;
    let reply = reply.expect("retried");
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.bytes(), br#"{"name":"Jane"}"#);
    assert_eq!(reply.json().expect("JSON")["name"], "Jane");
    let undecoded = reply.decode::<Vec<u8>>().expect_err("an object");
    assert_eq!(undecoded.status_code(), Some(200));
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn the_path_and_the_query_of_a_request_are_escaped() {
    let fake = FakeTelecrm::new().on_request(Response::json(json!({})));
    let reply = awkward(&fake.client(), Method::Get).send().await;
    assert!(reply.is_ok());
    let sent = &fake.requests()[0];
    assert_eq!((sent.operation(), sent.method()), (None, "GET"));
    assert_eq!(sent.path(), "/reports/jane%20doe/100%25");
    assert_eq!((sent.query("from"), sent.query("q")), (Some("7"), Some("a&b")));
    assert_eq!(sent.body(), None);
}

#[tokio::test]
async fn a_refused_request_is_an_error_without_an_operation() {
    let refusal = Response::error(404, ErrorCode::NotFound, "no such report");
    let fake = FakeTelecrm::new().on_request(refusal);
    let error = awkward(&fake.client(), Method::Delete).send().await;
    let error = error.expect_err("404");
    assert!(error.is_not_found() && error.operation().is_none());
    assert_eq!(
        error.to_string(),
        "the request failed: the server answered 404 NOT_FOUND: no such report"
    );
}

/// Sends a request whose first attempt is reset, and counts the attempts.
async fn a_request_is_retried_if_it_is_idempotent(
    method: Method,
    class: Option<Idempotency>,
    attempts: usize,
) {
    let fake = FakeTelecrm::new()
        .on_request(Response::connection_reset())
        .on_request(Response::json(json!({})));
    let mut request = fake.client().request(method, "/x").json(&json!({ "a": 1 }));
    if let Some(class) = class {
        request = request.idempotency(class);
    }
    let result = request.send().await;
    assert_eq!(fake.requests().len(), attempts);
    assert_eq!(fake.requests()[0].body(), Some(&json!({ "a": 1 })));
    match result {
        Ok(_) => assert_eq!(attempts, 2),
        Err(error) => assert!(error.is_outcome_unknown(), "{error}"),
    }
}

cases! { async a_request_is_retried_if_it_is_idempotent:
    get(Method::Get, None, 2);
    get_declared_not_idempotent(Method::Get, Some(Idempotency::NotIdempotent), 1);
    post(Method::Post, None, 1);
    patch(Method::Patch, None, 1);
    put_declared_idempotent(Method::Put, Some(Idempotency::Idempotent), 2);
    post_declared_safe(Method::Post, Some(Idempotency::Safe), 2);
}

async fn a_header_is_refused_unsent(name: &str, value: &str) {
    let fake = FakeTelecrm::new();
    let request = fake.client().request(Method::Get, "/x").header(name, value);
    let error = request.send().await.expect_err(name);
    assert_eq!(error.phase(), Phase::NotBuilt, "{error}");
    assert!(!format!("{error:#} {error:?}").contains("s3cret"), "{error:#}");
    assert_eq!(fake.requests(), []);
}

cases! { async a_header_is_refused_unsent:
    another_token("authorization", "Bearer s3cret");
    a_line_break("x-a", "s3cret\r\nx-b: 1");
    a_name_with_a_blank("x a", "s3cret");
}

async fn a_path_that_leaves_the_enterprise_is_refused_unsent(path: &str) {
    let fake = FakeTelecrm::new();
    let error = fake.client().request(Method::Get, path).send().await;
    let error = error.expect_err(path);
    assert_eq!(error.phase(), Phase::NotBuilt, "{path:?}: {error}");
    assert_eq!(fake.requests(), []);
}

cases! { async a_path_that_leaves_the_enterprise_is_refused_unsent:
    nothing("");
    a_slash("/");
    two_dots("..");
    a_sibling("/../other");
    a_dot_segment("/lead/./x");
    an_empty_segment("/lead//x");
    backslashes("/lead\\..\\x");
    a_query("/lead?x=1");
    a_fragment("/lead#x");
    a_control_character("/a\nb");
}

#[tokio::test]
async fn escapes_in_a_path_are_sent_as_written() {
    let fake = FakeTelecrm::new();
    let error = fake.client().request(Method::Get, "/%2e%2e/x").send().await;
    let error = error.expect_err("the fake has no response");
    assert!(error.to_string().contains("the fake has no response"), "{error}");
    assert_eq!(fake.requests()[0].path(), "/%252e%252e/x");
}
