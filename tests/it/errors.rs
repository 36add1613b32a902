//! `Error`: what it says about refusals, unreadable answers and servers that cannot be reached.

use crate::support::{async_token, cases, client_without_retries, jane, sync_token};
use httpmock::{Method, MockServer};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Operation, Phase, Telecrm};
use telecrm_emulator::Emulator;

async fn a_refusal_keeps_status_body_and_wait(status: u16, body: &str) {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST);
        then.status(status).header("retry-after", "17").body(body);
    });
    let pushed = client_without_retries(&server).ingest().push(&jane()).await;
    let error = pushed.expect_err("refused");
    assert_eq!(error.status_code(), Some(status));
    assert_eq!(error.body(), body.as_bytes());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
    assert_eq!(error.is_outcome_unknown(), status >= 500);
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

cases! { async a_refusal_keeps_status_body_and_wait:
    a_web_page(502, "<html>Bad gateway</html>");
    a_text(429, "slow down");
    a_redirect_without_a_body(302, "");
    a_server_error_without_a_body(500, "");
    an_error_envelope(
        401,
        r#"{"error":{"code":"NOT_AUTHORIZED","message":"Invalid or missing access token."}}"#,
    );
}

async fn server_that_answers_with_a_web_page() -> MockServer {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.path_includes("/lead");
        then.status(200).body("<html>the app</html>");
    });
    server
}

#[tokio::test]
async fn tr1_a_web_page_as_the_answer_to_a_read_is_unreadable() {
    let server = server_that_answers_with_a_web_page().await;
    let error = client_without_retries(&server).leads().get("62ab16e").await;
    let error = error.expect_err("HTML");
    assert_eq!((error.phase(), error.is_outcome_unknown()), (Phase::Unreadable, false));
}

#[tokio::test]
async fn tr1_a_web_page_as_the_answer_to_a_write_leaves_the_outcome_unknown() {
    let server = server_that_answers_with_a_web_page().await;
    let error = client_without_retries(&server).leads().create(&jane()).await;
    assert!(error.expect_err("HTML").is_outcome_unknown());
}

async fn an_error_keeps_only_the_beginning_of_a_large_body(status: u16) {
    let page = "<p>".repeat(100_000);
    let answer = Response::text(status, "text/html", &*page);
    let fake = FakeTelecrm::new().always(Operation::GetLead, answer);
    let error = fake.client().leads().get("l1").await;
    let error = error.expect_err("a web page");
    assert_eq!(error.body(), &page.as_bytes()[..64 << 10]);
    assert!(!format!("{error:#} {error:?}").contains("<p>"));
}

cases! { async an_error_keeps_only_the_beginning_of_a_large_body:
    of_a_success(200);
    of_a_server_error(502);
}

#[tokio::test]
async fn a_connection_that_is_refused_sent_nothing() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let telecrm = Telecrm::builder("ent")
        .async_url(url)
        .async_token(async_token("a"))
        .build()
        .expect("builds");
    let error = telecrm.ingest().push(&jane()).await;
    let error = error.expect_err("no server listens there");
    assert_eq!((error.phase(), error.is_outcome_unknown()), (Phase::NotSent, false));
}

#[tokio::test]
async fn en7_another_enterprise_is_refused_and_the_error_does_not_name_ours() {
    let emulator = Emulator::builder().enterprise("ent-other").start().await;
    let emulator = emulator.expect("starts");
    let telecrm = Telecrm::builder("ent-secret")
        .sync_url(emulator.sync_url())
        .sync_token(sync_token(emulator.sync_token()))
        .build()
        .expect("builds");
    let error = telecrm.workspace().await.expect_err("another enterprise");
    assert!(error.is_not_authorized());
    assert!(!format!("{error} {error:?} {error:#}").contains("ent-secret"));
}

#[tokio::test]
async fn an_error_and_a_reply_have_the_headers_and_the_id_of_the_request() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.path_includes("/missing");
        then.status(404).header("X-Request-Id", "r-7").header("via", "1.1 proxy");
    });
    server.mock(|when, then| {
        when.path_includes("/reports");
        then.status(200).header("cf-ray", "ray-8").body("{}");
    });
    let telecrm = client_without_retries(&server);
    let get = |path: &str| telecrm.request(telecrm::Method::Get, path).send();
    let error = get("/missing").await.expect_err("404");
    assert_eq!((error.request_id(), error.header("Via")), (Some("r-7"), Some("1.1 proxy")));
    let reply = get("/reports").await.expect("a reply");
    assert_eq!(reply.request_id(), Some("ray-8"));
}
