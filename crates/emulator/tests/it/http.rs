//! Requests: tokens, paths, methods, hosts, and the address to listen on.

use crate::timing::sleep;
use crate::{Local, answer, error, status};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use std::time::Duration;
use telecrm_emulator::{Emulator, Fault, FaultyAnswer, RateLimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The answer of the Sync API to a wrong token and to an unknown enterprise.
fn not_authorized(enterprise: &str) -> crate::Answer {
    let message = format!(
        "Enterprise with ID {enterprise} not found or invalid access token. \
         Please generate a new one from the Website/API integrations section of the telecrm app."
    );
    (401, error("NOT_AUTHORIZED", &message))
}

#[tokio::test]
async fn the_sync_api_accepts_only_sync_tokens() {
    let local = Local::start().await;
    let emulator = &local.emulator;
    let url = format!("{}/enterprise/ent-local/metadata", emulator.sync_url());
    let request = || local.http.get(&url);
    let refused = not_authorized("ent-local");
    assert_eq!(answer(request()).await, refused);
    let async_token = emulator.async_token();
    assert_eq!(answer(request().bearer_auth(async_token)).await, refused);
    let basic = request().basic_auth(emulator.sync_token(), None::<&str>);
    assert_eq!(answer(basic).await, refused);
    let bearer = request().header(header::AUTHORIZATION, "bearer sync-local-token");
    assert_eq!(answer(bearer).await.0, 200, "the scheme is case-insensitive");
}

#[tokio::test]
async fn en7_an_unknown_enterprise_is_refused_like_a_bad_token() {
    let local = Local::start().await;
    let url = format!("{}/enterprise/51ab23c9870/metadata", local.emulator.sync_url());
    let request = local.http.get(url).bearer_auth(local.emulator.sync_token());
    assert_eq!(answer(request).await, not_authorized("51ab23c9870"));
}

#[tokio::test]
async fn tokens_and_enterprise_can_be_chosen() {
    let builder = Emulator::builder().enterprise("e1").sync_token("s1").async_token("a1");
    let local = Local::with(builder).await;
    let emulator = &local.emulator;
    assert_eq!(emulator.enterprise(), "e1");
    assert_eq!([emulator.sync_token(), emulator.async_token()], ["s1", "a1"]);
    let debug = format!("{emulator:?}");
    assert!(!debug.contains("s1") && !debug.contains("a1"), "{debug}");
    local.push(json!({ "fields": { "phone": "919999999999" } })).await;
    assert_eq!(local.search(json!({})).await["total_count"], 1);
    let url = format!("{}/enterprise/e1/metadata", emulator.sync_url());
    let request = local.http.get(url).bearer_auth("sync-local-token");
    assert_eq!(answer(request).await, not_authorized("e1"));
}

/// Part of the hint for an unknown path.
const BASE: &str = "The Sync API is below /autoupdate/v2/enterprise/{enterpriseId}";

#[tokio::test]
async fn tr1_an_unknown_path_outside_the_apis_is_a_web_page() {
    let local = Local::start().await;
    let emulator = &local.emulator;
    for path in [
        "/enterprise/ent-local/metadata",
        "/enterprise/ent-local/lead/search",
        "/",
        "/autoupdate/v3/x",
    ] {
        let url = format!("{}{path}", emulator.url());
        let response = local.http.get(url).bearer_auth(emulator.sync_token()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(
            response.headers()["content-type"].to_str().unwrap().starts_with("text/html"),
            "{path}"
        );
        let page = response.text().await.unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains(BASE), "{page}");
    }
    assert_eq!(emulator.log(0).len(), 4);
    assert!(emulator.log(0).iter().all(|entry| entry.operation.is_none() && entry.status == 404));
}

/// Asserts that this path of the Sync API is a 404 in the envelope, with a hint.
async fn assert_unknown(path: &str) {
    let local = Local::start().await;
    let (status, missing) = local.get(path).await;
    assert_eq!((status, &missing["error"]["code"]), (404, &json!("NOT_FOUND")));
    assert!(missing.to_string().contains(BASE), "{missing}");
}

scenarios! { assert_unknown:
    a_path_below_a_team_member_is_unknown("/team-members/a/b")
    a_misspelled_path_is_unknown("/lead/62ab16e/actions")
    another_noun_is_unknown("/nonsense")
    a_path_that_is_too_long_is_unknown("/lead/a/b/c")
    a_path_with_a_slash_at_its_end_is_unknown("/custom-fields/")
}

#[tokio::test]
async fn an_unknown_own_endpoint_is_a_404_in_the_envelope() {
    let local = Local::start().await;
    let own = format!("{}/_emulator/nonsense", local.emulator.url());
    let (status, missing) = answer(local.http.get(own)).await;
    assert_eq!((status, &missing["error"]["code"]), (404, &json!("NOT_FOUND")));
}

#[tokio::test]
async fn a_path_without_an_enterprise_is_unknown() {
    let local = Local::start().await;
    let url = format!("{}/enterprise", local.emulator.sync_url());
    assert_eq!(answer(local.http.get(url)).await.0, 404);
}

/// Asserts that this method is a 405 in the envelope, with a hint.
async fn assert_wrong_method(method: Method, path: &str) {
    let local = Local::start().await;
    let (status, refused) = answer(local.sync(method, path)).await;
    assert_eq!((status, &refused["error"]["code"]), (405, &json!("METHOD_NOT_ALLOWED")));
    assert!(refused.to_string().contains(BASE), "{refused}");
}

scenarios! { assert_wrong_method:
    a_lead_cannot_be_deleted(Method::DELETE, "/lead/62ab16e")
    a_lead_cannot_be_put(Method::PUT, "/lead")
    the_metadata_cannot_be_posted(Method::POST, "/metadata")
    a_field_cannot_be_patched(Method::PATCH, "/custom-fields/phone")
}

#[tokio::test]
async fn a_wrong_method_of_the_async_api_names_the_allowed_one() {
    let local = Local::start().await;
    let url = format!("{}/enterprise/ent-local/autoupdatelead", local.emulator.async_url());
    let token = local.emulator.async_token();
    let request = local.http.get(&url).bearer_auth(token);
    let allow = request.send().await.unwrap().headers()["allow"].clone();
    assert_eq!(allow, "POST");
    let (status, refused) = answer(local.http.get(url).bearer_auth(token)).await;
    assert_eq!((status, &refused["error"]["code"]), (405, &json!("METHOD_NOT_ALLOWED")));
}

async fn assert_path_refused(path: &str, expected: u16) {
    let (status, refused) = Local::start().await.get(path).await;
    assert_eq!(status, expected);
    assert!(refused["error"]["code"].is_string());
}

scenarios! { assert_path_refused:
    a_path_that_is_not_utf_8_is_refused("/lead/%ff", 400)
    encoded_dots_are_an_unknown_lead("/lead/%2e%2e", 404)
    an_encoded_slash_is_an_unknown_lead("/lead/a%2Fb", 404)
    an_encoded_nul_is_an_unknown_lead("/lead/%00", 404)
    a_query_that_is_not_utf_8_is_refused("/custom-fields?detail=%ff", 400)
}

#[tokio::test]
async fn a_body_of_more_than_one_mebibyte_is_refused() {
    let local = Local::start().await;
    let lead =
        |length| json!({ "fields": { "phone": "919999999999", "name": "x".repeat(length) } });
    let (status, refused) = answer(local.ingest().json(&lead(1024 * 1024))).await;
    assert_eq!((status, &refused["error"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
    let (status, refused) = local.post("/lead", lead(1024 * 1024)).await;
    assert_eq!((status, &refused["error"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
    local.push(lead(1024 * 1024 - 100)).await;
    assert_eq!(local.search(json!({})).await["total_count"], 1);
}

#[tokio::test]
async fn nested_lists_without_end_are_refused() {
    let local = Local::start().await;
    let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, refused) = answer(local.ingest().body(body)).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")));
}

/// Asserts that a request with this host (`PORT` is the emulator's) has this status.
async fn assert_host(path: &str, host: &str, status: u16) {
    let local = Local::start().await;
    let port = local.emulator.url().rsplit(':').next().expect("a port").to_owned();
    let request = local
        .http
        .get(format!("{}{path}", local.emulator.url()))
        .header(header::HOST, host.replace("PORT", &port));
    assert_eq!(request.send().await.expect("an answer").status(), status);
}

scenarios! { assert_host:
    a_foreign_host_is_refused_at_health("/_emulator/health", "evil.example:PORT", 403)
    a_foreign_host_is_refused_at_the_log("/_emulator/log", "evil.example:PORT", 403)
    a_foreign_host_is_refused_at_the_descriptions("/openapi/sync.yaml", "evil.example:PORT", 403)
    a_foreign_host_is_refused_at_the_apis(
        "/autoupdate/v2/enterprise/ent-local/metadata", "evil.example:PORT", 403
    )
    localhost_with_another_port_is_refused("/_emulator/health", "localhost:1", 403)
    localhost_is_accepted("/_emulator/health", "localhost:PORT", 200)
    the_ipv6_loopback_address_is_accepted("/_emulator/health", "[::1]:PORT", 200)
}

#[tokio::test]
async fn an_address_for_other_machines_is_refused() {
    let builder = Emulator::builder().listen("0.0.0.0:0".parse().unwrap());
    let error = builder.start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn an_address_for_other_machines_can_be_allowed() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let local = Local::with(Emulator::builder().listen(everywhere).allow_remote()).await;
    assert!(local.emulator.url().starts_with("http://127.0.0.1:"));
    assert_eq!(local.get("/metadata").await.0, 200);
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let local = Local::start().await;
    let address = local.emulator.url().trim_start_matches("http://").parse().unwrap();
    let error = Emulator::builder().listen(address).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn shutdown_frees_the_port() {
    let local = Local::start().await;
    assert_eq!(local.get("/metadata").await.0, 200); // leaves an idle connection
    let Local { emulator, http } = local;
    let url = format!("{}/_emulator/health", emulator.url());
    let address = emulator.url().trim_start_matches("http://").parse().unwrap();
    let quickly = Duration::from_secs(4); // less than the grace period
    let shutdown = tokio::time::timeout(quickly, emulator.shutdown());
    shutdown.await.expect("an idle connection is closed");
    assert!(http.get(&url).send().await.is_err());

    let again = Emulator::builder().listen(address).start().await.unwrap();
    assert_eq!(http.get(&url).send().await.unwrap().status(), StatusCode::OK);
    drop(again);
    let gone = async {
        while http.get(&url).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_for_hanging_calls() {
    let builder = Emulator::builder().fault(Fault::hang().on("getMetadata"));
    let local = Local::with(builder).await;
    let hung = tokio::spawn(local.sync(Method::GET, "/metadata").send());
    while local.emulator.log(0).is_empty() {
        tokio::task::yield_now().await;
    }
    let quickly = Duration::from_secs(4); // less than the grace period
    let shutdown = tokio::time::timeout(quickly, local.emulator.shutdown());
    shutdown.await.expect("nothing keeps it");
    assert!(hung.await.expect("runs").is_err(), "the connection is closed");
}

/// Sends a request twice over one connection, the head before the body as clients in Python do.
/// Asserts that both are answered with this status.
async fn assert_connection_survives(method: &str, path: &str, token: &str, status: u16) {
    const BODY: &str = r#"{"fields":{"phone":"919999999999"}}"#;
    let down = Fault::answer(FaultyAnswer::new(503)).on("createLead");
    let builder = Emulator::builder().async_limit(RateLimit::per_hour(0)).fault(down);
    let local = Local::with(builder).await;
    local.emulator.snapshot();
    let url = local.emulator.url();
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("connects");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n",
        BODY.len()
    );
    for _ in 0..2 {
        stream.write_all(head.as_bytes()).await.expect("sent");
        sleep(Duration::from_millis(30)).await;
        stream.write_all(BODY.as_bytes()).await.expect("sent");
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{answer:?}");
    }
}

const SYNC: &str = "sync-local-token";
const LEAD: &str = "/autoupdate/v2/enterprise/ent-local/lead";
const SEARCH: &str = "/autoupdate/v2/enterprise/ent-local/lead/search";
const LEADS: &str = "/autoupdate/v2/enterprise/ent-local/leads";
const PUSH: &str = "/enterprise/ent-local/autoupdatelead";

scenarios! { assert_connection_survives:
    a_connection_survives_a_fault("POST", LEAD, SYNC, 503)
    a_connection_survives_a_wrong_sync_token("POST", SEARCH, "wrong", 401)
    a_connection_survives_a_wrong_method("PUT", LEAD, SYNC, 405)
    a_connection_survives_an_unknown_operation("POST", LEADS, SYNC, 404)
    a_connection_survives_an_unknown_path("POST", "/leads", SYNC, 404)
    a_connection_survives_a_wrong_async_token("POST", PUSH, "wrong", 401)
    a_connection_survives_the_rate_limit("POST", PUSH, "async-local-token", 429)
    a_connection_survives_a_settle_with_a_body("POST", "/_emulator/settle", "", 204)
    a_connection_survives_a_reset_with_a_body("POST", "/_emulator/reset", "", 204)
    a_connection_survives_a_snapshot_with_a_body("POST", "/_emulator/snapshot", "", 201)
    a_connection_survives_a_restore_with_a_body("POST", "/_emulator/restore?snapshot=1", "", 204)
}

#[tokio::test]
async fn refused_requests_are_received() {
    let down = Fault::answer(FaultyAnswer::new(503)).on("createLead");
    let hung = Fault::hang().on("updateLead");
    let local = Local::with(Emulator::builder().fault(down).fault(hung)).await;
    let lead = json!({ "fields": { "name": "Jane" }, "password": "hunter2" });
    let post = |path: &str| local.sync(Method::POST, path).json(&lead);
    assert_eq!(post("/lead").send().await.unwrap().status(), 503);
    let hangs = post("/lead/1");
    let impatient = hangs.timeout(Duration::from_millis(500));
    assert!(impatient.send().await.is_err());
    let base = local.emulator.sync_url();
    let wrong = local.http.post(format!("{base}/enterprise/ent-local/lead"));
    let faulty = wrong.json(&lead).send().await.unwrap();
    assert_eq!(faulty.status(), 503, "the fault applies before the token is checked");
    local.emulator.clear_faults();
    let wrong = local.http.post(format!("{base}/enterprise/ent-local/lead"));
    assert_eq!(status(wrong.json(&lead)).await, 401);
    assert_eq!(status(post("/leads")).await, 404);
    let received = local.emulator.received(0);
    for request in &received[..4] {
        assert_eq!(request.json().as_ref(), Some(&lead), "{}", request.path);
    }
    let unknown = received[4].json().expect("a body");
    assert_eq!(unknown["fields"], lead["fields"]);
    assert_ne!(unknown["password"], "hunter2", "the password may be that of a team member");
}

/// A request to a path of the Sync API over a plain connection, with these header lines.
async fn raw(local: &Local, head: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = local.emulator.url().trim_start_matches("http://").to_owned();
    let mut connection = tokio::net::TcpStream::connect(address).await.expect("connects");
    connection.write_all(head.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("answers");
    answer
}

#[tokio::test]
async fn two_host_headers_are_refused() {
    let local = Local::start().await;
    let host = local.emulator.url().trim_start_matches("http://").to_owned();
    let head = format!(
        "GET /_emulator/health HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    assert!(raw(&local, &head).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_forwarded_port_is_explained() {
    let local = Local::start().await;
    let health = format!("{}/_emulator/health", local.emulator.url());
    let request = local.http.get(health).header("Host", "localhost:8080");
    let refused = request.send().await.expect("answers");
    assert_eq!(refused.status(), 403);
    let text = refused.text().await.expect("a text");
    assert!(
        text.contains("names localhost:8080") && text.contains("--allow-host localhost"),
        "{text}"
    );
}

fn preflight(local: &Local) -> reqwest::RequestBuilder {
    let url = format!("{}/enterprise/ent-local/autoupdatelead", local.emulator.async_url());
    let request = local.http.request(reqwest::Method::OPTIONS, url);
    let request = request.header("Origin", "http://localhost:3000");
    request.header("Access-Control-Request-Method", "POST")
}

#[tokio::test]
async fn a_preflight_is_refused_and_explained() {
    let local = Local::start().await;
    assert_eq!(status(preflight(&local)).await, 401);
    let refused = local.emulator.log(0).pop().and_then(|entry| entry.refused).expect("refused");
    assert_eq!(refused.cause, "preflight");
    assert!(refused.message.contains("--cors"), "{}", refused.message);
}

#[tokio::test]
async fn a_preflight_is_answered_with_cors() {
    let local = Local::with(telecrm_emulator::Emulator::builder().cors()).await;
    let answer = preflight(&local).send().await.expect("answers");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let pushed = local.ingest().header("Origin", "http://localhost:3000");
    let pushed = pushed.json(&serde_json::json!({ "fields": { "phone": "919999999999" } }));
    let headers = pushed.send().await.expect("answers").headers().clone();
    assert_eq!(headers["access-control-allow-origin"], "*");
}
