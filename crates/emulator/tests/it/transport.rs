use crate::clock::sleep;
use crate::{Local, answer, error, status};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use std::time::Duration;
use telecrm_emulator::{Emulator, Fault, FaultyAnswer, RateLimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the Sync API says to a wrong token and to an unknown enterprise alike.
fn not_authorized(enterprise: &str) -> crate::Answer {
    let message = format!(
        "Enterprise with ID {enterprise} not found or invalid access token. \
         Please generate a new one from the Website/API integrations section of the telecrm app."
    );
    (401, error("NOT_AUTHORIZED", &message))
}

#[tokio::test]
async fn the_sync_api_takes_sync_tokens_only() {
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
    assert_eq!(
        answer(bearer).await.0,
        200,
        "the scheme's case is no matter"
    );
}

#[tokio::test]
async fn en7_an_unknown_enterprise_is_refused_like_a_bad_token() {
    let local = Local::start().await;
    let url = format!(
        "{}/enterprise/51ab23c9870/metadata",
        local.emulator.sync_url()
    );
    let request = local.http.get(url).bearer_auth(local.emulator.sync_token());
    assert_eq!(answer(request).await, not_authorized("51ab23c9870"));
}

#[tokio::test]
async fn tokens_and_enterprise_can_be_chosen() {
    let builder = Emulator::builder()
        .enterprise("e1")
        .sync_token("s1")
        .async_token("a1");
    let local = Local::with(builder).await;
    let emulator = &local.emulator;
    assert_eq!(emulator.enterprise(), "e1");
    assert_eq!(
        [emulator.sync_token(), emulator.async_token()],
        ["s1", "a1"]
    );
    let debug = format!("{emulator:?}");
    assert!(!debug.contains("s1") && !debug.contains("a1"), "{debug}");
    local
        .push(json!({ "fields": { "phone": "919999999999" } }))
        .await;
    assert_eq!(local.search(json!({})).await["total_count"], 1);
    let url = format!("{}/enterprise/e1/metadata", emulator.sync_url());
    let request = local.http.get(url).bearer_auth("sync-local-token");
    assert_eq!(answer(request).await, not_authorized("e1"));
}

/// Whoever is in the wrong place is told where the Sync API is.
const BASE: &str = "the Sync API is below /autoupdate/v2/enterprise/{enterpriseId}";

#[tokio::test]
async fn tr1_a_wrong_base_path_answers_a_web_page() {
    let local = Local::start().await;
    let emulator = &local.emulator;
    for path in [
        "/enterprise/ent-local/metadata",
        "/enterprise/ent-local/lead/search",
        "/",
        "/autoupdate/v3/x",
    ] {
        let url = format!("{}{path}", emulator.url());
        let response = local
            .http
            .get(url)
            .bearer_auth(emulator.sync_token())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html"),
            "{path}"
        );
        let page = response.text().await.unwrap();
        assert!(
            page.starts_with("<!DOCTYPE html>") && page.contains(BASE),
            "{page}"
        );
    }
    assert_eq!(emulator.log(0).len(), 4);
    assert!(
        emulator
            .log(0)
            .iter()
            .all(|entry| entry.operation.is_none() && entry.status == 404)
    );
}

#[tokio::test]
async fn unknown_paths_inside_the_sync_api_answer_the_envelope() {
    let local = Local::start().await;
    for path in [
        "/team-members/a/b",
        "/lead/62ab16e/actions",
        "/nonsense",
        "/lead/a/b/c",
        "/custom-fields/",
    ] {
        let (status, missing) = local.get(path).await;
        assert_eq!(
            (status, &missing["error"]["code"]),
            (404, &json!("NOT_FOUND")),
            "{path}"
        );
        assert!(missing.to_string().contains(BASE), "{missing}");
    }
    let own = format!("{}/_emulator/nonsense", local.emulator.url());
    let (status, missing) = answer(local.http.get(own)).await;
    assert_eq!(
        (status, &missing["error"]["code"]),
        (404, &json!("NOT_FOUND"))
    );
    let url = format!("{}/enterprise", local.emulator.sync_url());
    assert_eq!(answer(local.http.get(url)).await.0, 404);
}

#[tokio::test]
async fn wrong_methods_answer_the_envelope() {
    let local = Local::start().await;
    for (method, path) in [
        (Method::DELETE, "/lead/62ab16e"),
        (Method::PUT, "/lead"),
        (Method::POST, "/metadata"),
        (Method::PATCH, "/custom-fields/phone"),
    ] {
        let (status, refused) = answer(local.sync(method, path)).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (405, &json!("METHOD_NOT_ALLOWED")),
            "{path}"
        );
        assert!(refused.to_string().contains(BASE), "{refused}");
    }
    let url = format!(
        "{}/enterprise/ent-local/autoupdatelead",
        local.emulator.async_url()
    );
    let token = local.emulator.async_token();
    let request = local.http.get(&url).bearer_auth(token);
    let allow = request.send().await.unwrap().headers()["allow"].clone();
    assert_eq!(allow, "POST");
    let (status, refused) = answer(local.http.get(url).bearer_auth(token)).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (405, &json!("METHOD_NOT_ALLOWED"))
    );
}

#[tokio::test]
async fn strange_paths_do_no_harm() {
    let local = Local::start().await;
    for (path, expected) in [
        ("/lead/%ff", 400),
        ("/lead/%2e%2e", 404),
        ("/lead/a%2Fb", 404),
        ("/lead/%00", 404),
    ] {
        let (status, refused) = local.get(path).await;
        assert_eq!(status, expected, "{path}");
        assert!(refused["error"]["code"].is_string());
    }
    let (status, _) = local.get("/custom-fields?detail=%ff").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn bodies_beyond_one_mebibyte_are_refused() {
    let local = Local::start().await;
    let lead =
        |length| json!({ "fields": { "phone": "919999999999", "name": "x".repeat(length) } });
    let (status, refused) = answer(local.ingest().json(&lead(1024 * 1024))).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (413, &json!("PAYLOAD_TOO_LARGE"))
    );
    let (status, refused) = local.post("/lead", lead(1024 * 1024)).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (413, &json!("PAYLOAD_TOO_LARGE"))
    );
    local.push(lead(1024 * 1024 - 100)).await;
    assert_eq!(local.search(json!({})).await["total_count"], 1);
}

#[tokio::test]
async fn json_that_is_nested_too_deep_is_refused() {
    let local = Local::start().await;
    let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, refused) = answer(local.ingest().body(body)).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (400, &json!("BAD_REQUEST"))
    );
}

#[tokio::test]
async fn requests_under_a_foreign_host_name_are_refused() {
    let local = Local::start().await;
    let port = local.emulator.url().rsplit(':').next().unwrap().to_owned();
    let status = async |path: &str, host: String| {
        let request = local
            .http
            .get(format!("{}{path}", local.emulator.url()))
            .header(header::HOST, host);
        request.send().await.unwrap().status().as_u16()
    };
    for path in [
        "/_emulator/health",
        "/_emulator/log",
        "/openapi/sync.yaml",
        "/autoupdate/v2/enterprise/ent-local/metadata",
    ] {
        assert_eq!(
            status(path, format!("evil.example:{port}")).await,
            403,
            "{path}"
        );
    }
    assert_eq!(
        status("/_emulator/health", "localhost:1".to_owned()).await,
        403
    );
    assert_eq!(
        status("/_emulator/health", format!("localhost:{port}")).await,
        200
    );
    assert_eq!(
        status("/_emulator/health", format!("[::1]:{port}")).await,
        200
    );
}

#[tokio::test]
async fn other_machines_are_let_in_only_if_allowed() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let error = Emulator::builder()
        .listen(everywhere)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);

    let local = Local::with(Emulator::builder().listen(everywhere).allow_remote()).await;
    assert!(local.emulator.url().starts_with("http://127.0.0.1:"));
    assert_eq!(local.get("/metadata").await.0, 200);
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let local = Local::start().await;
    let address = local
        .emulator
        .url()
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let error = Emulator::builder()
        .listen(address)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn shutdown_frees_the_port_and_drop_does_so_soon() {
    let local = Local::start().await;
    assert_eq!(local.get("/metadata").await.0, 200); // and its connection stays open
    let Local { emulator, http } = local;
    let url = format!("{}/_emulator/health", emulator.url());
    let address = emulator
        .url()
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let quickly = Duration::from_secs(4); // well before it gives up waiting
    let shutdown = tokio::time::timeout(quickly, emulator.shutdown());
    shutdown.await.expect("an idle connection is closed");
    assert!(http.get(&url).send().await.is_err());

    let again = Emulator::builder().listen(address).start().await.unwrap();
    assert_eq!(
        http.get(&url).send().await.unwrap().status(),
        StatusCode::OK
    );
    drop(again);
    let gone = async {
        while http.get(&url).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone)
        .await
        .unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_for_calls_that_hang() {
    let builder = Emulator::builder().fault(Fault::hang().on("getMetadata"));
    let local = Local::with(builder).await;
    let hung = tokio::spawn(local.sync(Method::GET, "/metadata").send());
    while local.emulator.log(0).is_empty() {
        tokio::task::yield_now().await;
    }
    let quickly = Duration::from_secs(4); // well before it gives up waiting
    let shutdown = tokio::time::timeout(quickly, local.emulator.shutdown());
    shutdown.await.expect("nothing keeps it");
    assert!(hung.await.expect("runs").is_err(), "it is hung up on");
}

/// As clients in Python send requests: the head first, and then the body.
#[tokio::test]
async fn a_connection_goes_on_after_a_call_whose_body_nobody_wants() {
    const BODY: &str = r#"{"fields":{"phone":"919999999999"}}"#;
    let down = Fault::answer(FaultyAnswer::new(503)).on("createLead");
    let builder = Emulator::builder()
        .async_limit(RateLimit::per_hour(0))
        .fault(down);
    let local = Local::with(builder).await;
    let sync = local.emulator.sync_token().to_owned();
    let queue = local.emulator.async_token().to_owned();
    let base = "/autoupdate/v2/enterprise/ent-local";
    for (method, path, token, status) in [
        ("POST", format!("{base}/lead"), sync.as_str(), 503),
        ("POST", format!("{base}/lead/search"), "wrong", 401),
        ("PUT", format!("{base}/lead"), &sync, 405),
        ("POST", format!("{base}/leads"), &sync, 404),
        ("POST", "/leads".to_owned(), &sync, 404),
        (
            "POST",
            "/enterprise/ent-local/autoupdatelead".to_owned(),
            "wrong",
            401,
        ),
        (
            "POST",
            "/enterprise/ent-local/autoupdatelead".to_owned(),
            &queue,
            429,
        ),
        ("POST", "/_emulator/settle".to_owned(), "", 204),
        ("POST", "/_emulator/reset".to_owned(), "", 204),
        ("POST", "/_emulator/snapshot".to_owned(), "", 201),
        ("POST", "/_emulator/restore?snapshot=1".to_owned(), "", 204),
    ] {
        let host = local
            .emulator
            .url()
            .trim_start_matches("http://")
            .to_owned();
        let mut stream = TcpStream::connect(&host).await.expect("connects");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            BODY.len()
        );
        for _ in 0..2 {
            stream.write_all(head.as_bytes()).await.expect("takes it");
            sleep(Duration::from_millis(30)).await;
            stream.write_all(BODY.as_bytes()).await.expect("takes it");
            let mut answer = vec![0; 4096];
            let length = stream.read(&mut answer).await.expect("an answer");
            let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
            let expected = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&expected), "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_received_all_the_same() {
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
    assert_eq!(faulty.status(), 503, "a fault comes first");
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
    assert_ne!(unknown["password"], "hunter2", "it may be a member's");
}
