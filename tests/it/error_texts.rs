//! Errors: what they print, what they keep of a response, and which call they blame.

use serde_json::json;
use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    CallOptions, CustomAction, Error, ErrorCode, Filter, Lead, Method, Operation, PageRequest,
    Phase, RateLimit, Telecrm,
};

fn lead() -> Lead {
    Lead::new().set("phone", "919999999999")
}

/// The error of reading a lead, if the server returns this response.
async fn read_error(response: Response) -> Error {
    let fake = FakeTelecrm::new().always(Operation::GetLead, response);
    let result = fake.client().leads().get("62ab16e").await;
    result.expect_err("an error")
}

/// The error of creating actions, if the server returns this response.
async fn write_error(response: Response) -> Error {
    let fake = FakeTelecrm::new().always(Operation::CreateActions, response);
    let visit = CustomAction::new(1001).expect("a code");
    let actions = fake.client().leads().actions("62ab16e");
    actions.create([visit]).await.expect_err("an error")
}

/// The error of an upsert that fails after it updated the fields.
async fn upsert_error(response: Response) -> Error {
    let row = json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    let exists = Response::error(409, ErrorCode::LeadAlreadyExists, "exists");
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, exists)
        .on(Operation::SearchLeads, Response::page([row.clone()]))
        .on(Operation::UpdateLead, Response::json(row))
        .on(Operation::CreateActions, response);
    let visit = CustomAction::new(1001).expect("a code");
    let lead = lead().set("rating", 4).action(visit);
    let result = fake.client().leads().upsert(&lead).await;
    result.expect_err("an error")
}

/// The error of a second push, for which the rate limit has no room.
async fn limited_error(shut_down: bool) -> Error {
    let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued());
    let builder = fake.builder().async_limit(Some(RateLimit::new(10, 1)));
    let telecrm = builder.build().expect("builds");
    let options = CallOptions::new().total_timeout(Duration::from_secs(3600));
    let telecrm = if shut_down { telecrm.with_options(options) } else { telecrm };
    let _receipt = telecrm.ingest().push(&lead()).await.expect("queued");
    if shut_down {
        telecrm.shutdown();
    }
    telecrm.ingest().push(&lead()).await.expect_err("an error")
}

async fn search_error(response: Response) -> Error {
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, response);
    let leads = fake.client().leads();
    let result = leads.search(&Filter::new(), PageRequest::default()).await;
    result.expect_err("an error")
}

fn refusal(status: u16, code: ErrorCode, message: &str) -> Response {
    Response::error(status, code, message)
}

/// A person who changes a text sees all texts together here.
#[tokio::test]
async fn all_texts_with_their_hints() {
    let unauthorized = "Enterprise with ID ent-fake not found or invalid access token. \
        Please generate a new one from the Website/API integrations section of the telecrm app.";
    let invalid = r#"{"error":{"code":"BAD_REQUEST","message":"Validation failed","details":[
        {"field":"role","message":"Invalid role."},{"field":"name","message":"Too short."}]}}"#;
    let ok_with_error = r#"{"error":{"code":"TRY_LATER","message":"the index is being rebuilt"}}"#;
    let json = |status, body: &str| Response::text(status, "application/json", body);
    let fake = FakeTelecrm::new();
    let request = fake.client().request(Method::Get, "/reports");
    let page = json!({ "data": [], "total_count": 7 });
    let without_token = Telecrm::builder("ent").build().expect("builds");
    let errors = [
        ("no token", without_token.leads().get("l1").await.expect_err("config")),
        ("not in the script", request.send().await.expect_err("no response")),
        ("connection refused", read_error(Response::connection_refused()).await),
        ("timeout, read", read_error(Response::timeout()).await),
        ("timeout, write", write_error(Response::timeout()).await),
        ("connection reset, read", read_error(Response::connection_reset()).await),
        ("connection reset, write", write_error(Response::connection_reset()).await),
        ("total timeout", limited_error(false).await),
        ("shutdown", limited_error(true).await),
        ("invalid", write_error(json(400, invalid)).await),
        ("unauthorized", read_error(refusal(401, ErrorCode::NotAuthorized, unauthorized)).await),
        ("not found", read_error(refusal(404, ErrorCode::LeadNotFound, "Lead not found")).await),
        ("exists", write_error(refusal(409, ErrorCode::LeadAlreadyExists, "exists")).await),
        ("rate limited", read_error(Response::rate_limited(Some(600))).await),
        ("server error, read", read_error(refusal(500, "OOPS".into(), "oops")).await),
        ("server error, write", write_error(refusal(500, "OOPS".into(), "oops")).await),
        ("web page, 404", search_error(Response::html(404)).await),
        ("web page, 502", search_error(Response::html(502)).await),
        ("web page, 200", search_error(Response::html(200)).await),
        ("error with status 200, read", search_error(json(200, ok_with_error)).await),
        ("error with status 200, write", write_error(json(200, ok_with_error)).await),
        ("unreadable, read", read_error(json(200, "[[]]")).await),
        ("unreadable, write", write_error(json(200, "[[]]")).await),
        ("empty page", search_error(Response::json(page)).await),
        (
            "upsert, refused",
            upsert_error(refusal(400, ErrorCode::BadRequest, "no such action")).await,
        ),
        ("upsert, timeout", upsert_error(Response::timeout()).await),
    ];
    let mut texts = String::new();
    for (name, error) in errors {
        writeln!(texts, "# {name}\n{error:#}\n").expect("a text");
    }
    insta::assert_snapshot!(texts);
}

#[tokio::test]
async fn the_plain_text_has_neither_sources_nor_a_hint() {
    let error = search_error(Response::html(200)).await;
    let (plain, full) = (error.to_string(), format!("{error:#}"));
    let source = error.source().expect("a source");
    let hint = error.hint().expect("a hint");
    assert_eq!(full, format!("{plain}: {source}\n  hint: {hint}"));
}

#[tokio::test]
async fn en7_a_401_keeps_the_advice_of_the_server_only_in_its_message() {
    let message =
        "Enterprise with ID ent-fake not found or invalid access token. Please generate a new one.";
    let error = read_error(refusal(401, ErrorCode::NotAuthorized, message)).await;
    assert!(error.is_not_authorized());
    let kept = error.message().expect("a message");
    assert!(kept.contains("generate a new one"), "{kept}");
    assert!(!error.to_string().contains("generate"), "{error}");
    assert!(!format!("{error:#} {error:?} {kept}").contains("ent-fake"));
}

#[tokio::test]
async fn tr1_a_web_page_points_at_the_base_url() {
    let error = search_error(Response::html(404)).await;
    assert_eq!(error.hint(), Some("check the base URL"));
}

#[tokio::test]
async fn a_web_page_of_a_proxy_does_not_point_at_the_base_url() {
    let error = search_error(Response::html(502)).await;
    assert_eq!(error.hint(), Some("try again later"));
}

#[tokio::test]
async fn json_that_is_cut_off_is_not_taken_for_a_web_page() {
    let body = " {\"fields\": {\"na";
    let error = read_error(Response::text(200, "application/json", body)).await;
    assert_eq!(
        error.to_string(),
        "reading a lead failed: the server answered 200 with a response that cannot be read"
    );
}

#[tokio::test]
async fn a_long_response_keeps_its_code_and_is_cut() {
    const KEPT: usize = 64 << 10;
    let echo = "ü".repeat(2 * KEPT);
    let body = format!(
        r#"{{"error":{{"code":"LEAD_NOT_FOUND","message":"{echo}","details":[{{"field":"f","message":"m"}}]}}}}"#
    );
    let error = read_error(Response::text(404, "application/json", &*body)).await;
    assert!(error.is_not_found());
    assert_eq!(error.code(), Some(&ErrorCode::LeadNotFound));
    assert_eq!(error.details().len(), 1);
    assert_eq!(error.message().expect("a message").chars().count(), KEPT);
    assert_eq!(error.body(), &body.as_bytes()[..KEPT]);
}

#[test]
fn the_outcome_of_a_write_is_unknown_after_a_server_error() {
    let error = Response::html(502).into_error(Operation::CreateOrUpdateLead);
    assert!(error.is_outcome_unknown());
}

#[test]
fn the_outcome_of_a_write_is_known_after_a_429() {
    let error = Response::rate_limited(None).into_error(Operation::CreateOrUpdateLead);
    assert!(!error.is_outcome_unknown());
}

#[test]
fn the_outcome_of_a_read_is_known_after_a_server_error() {
    let error = Response::html(502).into_error(Operation::SearchLeads);
    assert!(!error.is_outcome_unknown());
}

#[test]
fn a_response_in_time_is_neither_a_timeout_nor_a_failed_connection() {
    let error = Response::html(502).into_error(Operation::SearchLeads);
    assert_eq!(error.phase(), Phase::Answered);
    assert!(error.is_transient() && !error.is_timeout() && !error.is_connect());
}
