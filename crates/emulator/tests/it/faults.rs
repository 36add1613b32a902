//! Faults, as a client sees them at its socket.

use crate::timing::{Stopwatch, sleep};
use crate::{Local, answer, error, status};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use telecrm_emulator::{Emulator, Fault, FaultyAnswer};

const PHONE: &str = "919999999999";

fn lead(phone: &str) -> Value {
    json!({ "fields": { "phone": phone } })
}

async fn with(fault: Fault) -> Local {
    Local::with(Emulator::builder().fault(fault)).await
}

impl Local {
    /// Sends one request over a new connection, and returns everything that arrives before the
    /// timeout.
    async fn over_tcp(
        &self,
        path: &str,
        body: Value,
        patience: Duration,
    ) -> (Vec<u8>, io::Result<usize>) {
        let emulator = &self.emulator;
        let host = emulator.url().trim_start_matches("http://").to_owned();
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            if path.starts_with("/autoupdate") {
                emulator.sync_token()
            } else {
                emulator.async_token()
            },
            body.len(),
        );
        let read = move || {
            let mut stream = TcpStream::connect(host).expect("connects");
            stream.set_read_timeout(Some(patience)).expect("a timeout");
            stream.write_all(request.as_bytes()).expect("sent");
            let mut read = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                match stream.read(&mut buffer) {
                    Ok(length) if length > 0 && read.len() < 1_000_000 => {
                        read.extend_from_slice(&buffer[..length])
                    }
                    end => return (read, end),
                }
            }
        };
        tokio::task::spawn_blocking(read).await.expect("reads")
    }

    async fn create_over_tcp(&self, patience: Duration) -> (Vec<u8>, io::Result<usize>) {
        let path = "/autoupdate/v2/enterprise/ent-local/lead";
        self.over_tcp(path, lead(PHONE), patience).await
    }

    async fn count(&self) -> Value {
        self.search(json!({})).await["total_count"].clone()
    }
}

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_before_the_call_stores_nothing() {
    let local = with(Fault::reset_before().on("createLead")).await;
    let (read, end) = local.create_over_tcp(LONG).await;
    assert_eq!((read.len(), end.unwrap_err().kind()), (0, ErrorKind::ConnectionReset));
    assert_eq!(local.count().await, 0);
    let entry = &local.emulator.log(0)[0];
    assert_eq!((entry.status, entry.fault, &entry.stored), (0, Some("reset_before"), &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_after_the_call_stores_the_lead() {
    let local = with(Fault::reset_after().on("createLead")).await;
    let (read, end) = local.create_over_tcp(LONG).await;
    assert_eq!((read.len(), end.unwrap_err().kind()), (0, ErrorKind::ConnectionReset));
    assert_eq!(local.count().await, 1);
    let entry = &local.emulator.log(0)[0];
    assert_eq!((entry.status, entry.fault), (0, Some("reset_after")));
    assert_eq!(entry.stored.as_ref().unwrap()["fields"]["phone"], PHONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_push_is_one_call_and_processed_if_it_was_accepted() {
    for (fault, count) in [(Fault::reset_before(), 0), (Fault::reset_after(), 1)] {
        let local = with(fault.on("createOrUpdateLead")).await;
        let path = "/enterprise/ent-local/autoupdatelead";
        let (read, end) = local.over_tcp(path, lead(PHONE), LONG).await;
        assert_eq!((read.len(), end.unwrap_err().kind()), (0, ErrorKind::ConnectionReset));
        local.emulator.wait_idle().await;
        let log = local.emulator.log(0);
        assert_eq!((log.len(), log[0].status), (1, 0));
        assert_eq!(log[0].stored.is_some(), count == 1);
        assert_eq!(local.count().await, count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_has_no_answer_and_stays_open() {
    let local = with(Fault::hang().on("createLead")).await;
    let (read, end) = local.create_over_tcp(SHORT).await;
    let kind = end.unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind:?}");
    assert!(read.is_empty());
    assert_eq!(local.count().await, 0);
    assert_eq!(
        (local.emulator.log(0)[0].status, local.emulator.log(0)[0].fault),
        (0, Some("hang"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_body_is_shorter_than_its_content_length() {
    let local = with(Fault::truncated().on("createLead")).await;
    let (read, _) = local.create_over_tcp(LONG).await;
    let text = String::from_utf8(read).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let announced =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let announced: usize = announced.parse().unwrap();
    assert_eq!(body.len(), announced / 2, "{text}");
    assert!(serde_json::from_str::<Value>(body).is_err());
    assert_eq!(local.count().await, 1);
    let request = local.sync(Method::POST, "/lead").json(&lead("918888888888"));
    assert!(request.send().await.unwrap().bytes().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_never_ends() {
    let local = with(Fault::endless().on("createLead")).await;
    let (read, end) = local.create_over_tcp(LONG).await;
    assert!(end.unwrap() > 0, "the body continues");
    assert!(read.len() >= 1_000_000);
    assert!(String::from_utf8_lossy(&read).contains("lead_id"));
}

#[tokio::test]
async fn latency_only_delays_the_answer() {
    let local = with(Fault::latency(Duration::from_millis(150)).on("createLead").times(1)).await;
    let started = Stopwatch::start();
    assert_eq!(local.post("/lead", lead(PHONE)).await.0, 201);
    assert!(started.elapsed() >= Duration::from_millis(150));
    assert_eq!(local.emulator.log(0)[0].fault, Some("latency_ms"));
    assert_eq!(local.emulator.log(0)[0].status, 201);
    local.post("/lead", lead("918888888888")).await;
    assert_eq!(local.emulator.log(0)[1].fault, None);
}

/// The server does not notice that the client of a slow call has disconnected.
#[tokio::test]
async fn a_slow_call_takes_effect_after_its_client_has_disconnected() {
    let slow = Fault::latency(Duration::from_millis(600));
    let local = with(slow.times(2)).await;
    let impatient = Duration::from_millis(300);
    let create = local.sync(Method::POST, "/lead").json(&lead(PHONE));
    assert!(create.timeout(impatient).send().await.is_err());
    let push = local.ingest().json(&lead("918888888888"));
    assert!(push.timeout(impatient).send().await.is_err());
    let both_done = async {
        while local.emulator.log(0).len() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(3 * LONG, both_done).await.expect("logged");
    local.emulator.wait_idle().await;
    for entry in local.emulator.log(0) {
        assert_eq!(entry.fault, Some("latency_ms"));
        assert_eq!(entry.status, 0, "there was no answer: {entry:?}");
        assert!(entry.ms.is_some_and(|ms| ms >= 600.0), "{entry:?}");
        assert!(entry.stored.is_some(), "{entry:?}");
    }
    assert_eq!(local.search(json!({})).await["total_count"], 2);
    assert_eq!(local.post("/lead", lead(PHONE)).await.0, 409, "the lead exists already");
}

#[tokio::test]
async fn a_slow_call_without_a_client_has_no_effect_after_a_reset() {
    let local = with(Fault::latency(Duration::from_millis(200)).times(1)).await;
    let create = local.sync(Method::POST, "/lead").json(&lead(PHONE));
    let impatient = create.timeout(Duration::from_millis(50));
    assert!(impatient.send().await.is_err());
    local.emulator.clear_faults();
    local.emulator.reset();
    sleep(Duration::from_millis(400)).await;
    assert_eq!(local.emulator.log(0), []);
    assert_eq!(local.search(json!({})).await["total_count"], 0);
}

fn down() -> FaultyAnswer {
    FaultyAnswer::new(503).body(error("DOWN", "try later"))
}

/// Asserts that the answer is a 503, and whether the lead is stored.
async fn assert_wrong_answer(wrong: FaultyAnswer, count: u64) {
    let local = with(Fault::answer(wrong).on("createLead")).await;
    let request = local.sync(Method::POST, "/lead").json(&lead(PHONE));
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body, error("DOWN", "try later"));
    assert_eq!(local.count().await, count);
    let entry = &local.emulator.log(0)[0];
    assert_eq!(
        (entry.status, entry.fault, entry.stored.is_some()),
        (503, Some("answer"), count == 1)
    );
}

scenarios! { assert_wrong_answer:
    a_wrong_answer_replaces_the_call(down(), 0)
    a_wrong_answer_comes_after_the_call(down().after_commit(), 1)
}

async fn assert_retry_after(answer: FaultyAnswer, seconds: Option<&str>) {
    let local = with(Fault::answer(answer).on("createOrUpdateLead")).await;
    let push = local.ingest().json(&lead(PHONE));
    let response = push.send().await.expect("an answer");
    assert_eq!(response.status(), 429);
    let header = response.headers().get("retry-after");
    assert_eq!(header.map(|value| value.to_str().expect("text")), seconds);
    assert!(response.bytes().await.expect("a body").is_empty());
    local.emulator.wait_idle().await;
    assert_eq!(local.count().await, 0);
}

scenarios! { assert_retry_after:
    a_429_has_the_retry_after_of_the_rule(
        FaultyAnswer::new(429).header("Retry-After", "7"), Some("7")
    )
    a_429_has_no_retry_after_by_default(FaultyAnswer::new(429), None)
}

const PAGE: &str = "<!DOCTYPE html><title>Bad gateway</title>";

async fn assert_push_answer(answer: FaultyAnswer, status: u16, content_type: &str, body: &str) {
    let local = with(Fault::answer(answer.after_commit()).on("createOrUpdateLead")).await;
    let push = local.ingest().json(&lead(PHONE));
    let response = push.send().await.expect("an answer");
    assert_eq!(response.status(), status);
    let header = response.headers().get("content-type");
    let header = header.map_or("", |value| value.to_str().expect("text"));
    assert_eq!(header, content_type);
    assert_eq!(response.text().await.expect("a body"), body);
    local.emulator.wait_idle().await;
    assert_eq!(local.count().await, 1);
    let entry = &local.emulator.log(0)[0];
    assert_eq!((entry.status, entry.fault, entry.stored.is_some()), (status, Some("answer"), true));
}

scenarios! { assert_push_answer:
    a_push_is_answered_with_a_page(
        FaultyAnswer::new(502).html(PAGE), 502, "text/html; charset=utf-8", PAGE
    )
    a_push_is_answered_with_a_text(
        FaultyAnswer::new(200).body("OK"), 200, "text/plain; charset=utf-8", "OK"
    )
    a_push_is_answered_with_nothing(FaultyAnswer::new(204), 204, "", "")
}

#[tokio::test]
async fn the_right_body_has_a_wrong_content_type() {
    let local = with(Fault::content_type("text/html").on("getMetadata")).await;
    let response = local.sync(Method::GET, "/metadata").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html");
    assert!(serde_json::from_str::<Value>(&response.text().await.unwrap()).is_ok());
}

#[tokio::test]
async fn a_lead_is_processed_later() {
    let local = with(Fault::process_later(Duration::from_millis(200))).await;
    answer(local.ingest().json(&lead(PHONE))).await;
    assert_eq!(local.count().await, 0);
    local.emulator.wait_idle().await;
    assert_eq!(local.count().await, 1);
}

#[tokio::test]
async fn a_lead_is_never_processed() {
    let local = with(Fault::process_never().field("phone", "+91".to_owned() + &PHONE[2..])).await;
    answer(local.ingest().json(&lead(PHONE))).await;
    answer(local.ingest().json(&lead("918888888888"))).await;
    local.emulator.wait_idle().await;
    assert_eq!(local.count().await, 1);
    let log = local.emulator.log(0);
    assert_eq!(
        (log[0].fault, &log[0].stored, log[0].findings.len()),
        (Some("process_never"), &None, 0)
    );
    assert_eq!((log[1].fault, log[1].stored.is_some()), (None, true));
}

#[tokio::test]
async fn a_lead_that_is_processed_twice_has_its_actions_twice() {
    let local = with(Fault::process_twice()).await;
    let mut body = lead(PHONE);
    body["actions"] = json!([{ "type": "ACTION_1001", "fields": { "note": "x" } }]);
    answer(local.ingest().json(&body)).await;
    local.emulator.wait_idle().await;
    assert_eq!(local.only_lead().await["actions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn leads_are_processed_out_of_order() {
    let local = with(Fault::process_after_next().nth(1)).await;
    for name in ["first", "second"] {
        let body = json!({ "fields": { "phone": PHONE, "name": name } });
        answer(local.ingest().json(&body)).await;
    }
    local.emulator.wait_idle().await;
    assert_eq!(local.only_lead().await["fields"]["name"], "first", "the older value wins");
}

#[tokio::test]
async fn rules_count_matching_calls() {
    let down = || Fault::answer(FaultyAnswer::new(503).body(error("DOWN", "")));
    let local = Local::with(
        Emulator::builder()
            .fault(down().on("createLead").nth(2).times(2))
            .fault(down().path("/team-members/").times(1)),
    )
    .await;
    let mut statuses = Vec::new();
    for serial in 0..5 {
        let body = lead(&format!("91999999999{serial}"));
        statuses.push(status(local.sync(Method::POST, "/lead").json(&body)).await);
    }
    assert_eq!(statuses, [201, 503, 503, 201, 201]);
    assert_eq!(local.get("/team-members").await.0, 200);
    let member = "/team-members/jane.doe@example.com";
    assert_eq!(status(local.sync(Method::GET, member)).await, 503);
    assert_eq!(status(local.sync(Method::GET, member)).await, 200);

    local.emulator.reset();
    assert_eq!(status(local.sync(Method::GET, member)).await, 503, "the count begins at 0 again");
    local.emulator.clear_faults();
    local.emulator.reset();
    assert_eq!(status(local.sync(Method::GET, member)).await, 200);

    let wrong = local.emulator.fault(down().on("deleteLead")).unwrap_err();
    assert!(wrong.hint().is_some_and(|hint| hint.contains("createLead")), "{wrong}");
    assert!(local.emulator.fault(Fault::answer(FaultyAnswer::new(99))).is_err());
    assert!(
        local.emulator.fault(Fault::answer(FaultyAnswer::new(200).header("a b", "c"))).is_err()
    );
    assert!(local.emulator.fault(Fault::content_type("a\nb")).is_err());
    let start = Emulator::builder().fault(down().on("deleteLead")).start().await;
    assert_eq!(start.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_reset_unblocks_the_queue() {
    let local = Local::start().await;
    let restore = |emulator: &Emulator| assert!(emulator.restore(emulator.snapshot()));
    for go_back in [Emulator::reset, restore] {
        let late = Fault::process_later(Duration::from_secs(3600));
        local.emulator.fault(late).unwrap();
        answer(local.ingest().json(&lead(PHONE))).await;
        go_back(&local.emulator);
        local.emulator.clear_faults();
        answer(local.ingest().json(&lead("918888888888"))).await;
        let settled = tokio::time::timeout(LONG, local.emulator.wait_idle()).await;
        settled.expect("the lead is processed at once");
        assert_eq!(local.count().await, 1);
    }
}

/// Asserts that the emulator refuses the rule with this error.
async fn assert_refused(rule: Fault, reason: &str) {
    let local = Local::start().await;
    let error = format!("{:#}", local.emulator.fault(rule).expect_err("refused"));
    assert!(error.contains(reason), "{error}");
}

fn with_header(name: &str) -> Fault {
    Fault::answer(FaultyAnswer::new(200).header(name, "5"))
}

scenarios! { assert_refused:
    a_content_length_is_refused(with_header("Content-Length"), "sets content-length itself")
    a_transfer_encoding_is_refused(with_header("transfer-encoding"), "itself")
    the_0th_call_is_refused(Fault::hang().nth(0), "count calls from 1")
    zero_times_are_refused(Fault::hang().times(0), "count calls from 1")
    a_chance_that_is_not_a_number_is_refused(Fault::hang().chance(f64::NAN), "from 0 to 1")
    an_infinite_chance_is_refused(Fault::hang().chance(f64::INFINITY), "from 0 to 1")
    a_chance_above_1_is_refused(Fault::hang().chance(1.5), "from 0 to 1")
    processing_a_creation_is_refused(Fault::process_twice().on("createLead"), "createOrUpdateLead")
    processing_a_search_is_refused(Fault::process_never().on("searchLeads"), "createOrUpdateLead")
}

#[tokio::test]
async fn processing_a_push_is_a_valid_rule() {
    let local = Local::start().await;
    let rule = Fault::process_twice().on("createOrUpdateLead");
    assert_eq!(local.emulator.fault(rule), Ok(()));
}

#[tokio::test]
async fn rules_for_processing_ignore_the_sync_api() {
    let local = with(Fault::process_never().nth(1)).await;
    local.post("/lead", lead("918888888888")).await;
    assert_eq!(local.emulator.log(0)[0].fault, None);
    answer(local.ingest().json(&lead(PHONE))).await;
    local.emulator.wait_idle().await;
    assert_eq!(local.count().await, 1, "the push is the first matching call");
}

#[tokio::test]
async fn rules_are_added_and_removed_over_http() {
    let local = Local::start().await;
    let url = format!("{}/_emulator/faults", local.emulator.url());
    let rules = json!([
        { "operation": "createLead", "fields": { "name": "Asha" }, "do": { "answer": { "status": 500 } } },
        { "operation": "createTeamMember", "nth": 1, "do": { "answer": { "status": 402, "body": error("BUY_LICENSE", "") } } },
    ]);
    let (status, added) = answer(local.http.post(&url).json(&rules)).await;
    assert_eq!((status, added["faults"].as_array().unwrap().len()), (201, 2));
    let asha = json!({ "fields": { "phone": PHONE, "name": "Asha" } });
    let response = local.sync(Method::POST, "/lead").json(&asha).send().await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(local.post("/lead", lead(PHONE)).await.0, 201);
    assert_eq!(local.post("/team-members", json!({})).await.0, 402);
    assert_eq!(local.post("/team-members", json!({})).await.0, 400);
    let (_, shown) = answer(local.http.get(&url)).await;
    assert_eq!([&shown["faults"][0]["calls"], &shown["faults"][1]["calls"]], [1, 2]);
    assert_eq!(shown["faults"][0]["do"], rules[0]["do"], "the list shows the rule as it was sent");

    assert_eq!(local.http.delete(&url).send().await.unwrap().status(), 204);
    assert_eq!(answer(local.http.get(&url)).await.1, json!({ "faults": [] }));
}

/// Asserts that this body is refused, and adds no rule.
async fn assert_rules_refused(rules: Value) {
    let local = Local::start().await;
    let url = format!("{}/_emulator/faults", local.emulator.url());
    let (status, refused) = answer(local.http.post(&url).json(&rules)).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")));
    let left = answer(local.http.get(&url)).await.1;
    assert_eq!(left, json!({ "faults": [] }));
}

scenarios! { assert_rules_refused:
    an_unknown_kind_is_refused(json!({ "do": "explode" }))
    an_unknown_operation_is_refused(json!({ "operation": "deleteLead", "do": "hang" }))
    an_unknown_key_of_a_rule_is_refused(json!({ "do": "hang", "probability": 0.5 }))
    a_list_with_one_bad_rule_is_refused(
        json!([{ "do": "hang" }, { "do": { "answer": { "status": 1000 } } }])
    )
    a_rule_without_a_kind_is_refused(json!({}))
}

#[tokio::test]
async fn bodies_that_rules_read_have_the_usual_limit() {
    let local = with(Fault::hang().field("name", "x")).await;
    let big = json!({ "fields": { "phone": PHONE, "name": "x".repeat(1024 * 1024) } });
    assert_eq!(local.post("/lead", big).await.0, 413);
    let response = local.sync(Method::POST, "/lead").body("{").send().await.unwrap();
    assert_eq!(response.status(), 400, "a body that is not JSON matches no rule");
}
