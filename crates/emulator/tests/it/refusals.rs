//! The log says why a call was refused, in words that lead to the fix.

use crate::{Local, status};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use telecrm_emulator::{Emulator, LogEntry, Refusal};

fn last(local: &Local) -> LogEntry {
    local.emulator.log(0).pop().expect("the call is in the log")
}

fn refusal(local: &Local) -> Refusal {
    last(local).refused.expect("the call was refused")
}

/// Asserts that a request to the metadata with this header is refused for this cause.
async fn assert_header(header: &str, cause: &str) {
    let local = Local::start().await;
    let url = format!("{}/enterprise/ent-local/metadata", local.emulator.sync_url());
    let mut request = local.http.get(url);
    if !header.is_empty() {
        request = request.header("Authorization", header);
    }
    assert_eq!(status(request).await, 401);
    let refused = refusal(&local);
    assert_eq!(refused.cause, cause);
    assert!(!refused.message.contains("local-token"), "{}", refused.message);
}

scenarios! { assert_header:
    no_header_is_a_cause("", "no_authorization")
    no_scheme_is_a_cause("sync-local-token", "no_scheme")
    another_scheme_is_a_cause("Basic c3luYy1sb2NhbC10b2tlbg==", "other_scheme")
    a_scheme_with_a_colon_is_a_cause("Bearer: sync-local-token", "no_scheme")
    no_token_is_a_cause("Bearer", "no_token")
    a_doubled_scheme_is_a_cause("Bearer Bearer sync-local-token", "doubled_scheme")
    a_quoted_token_is_a_cause("Bearer \"sync-local-token\"", "quoted_token")
    several_tokens_are_a_cause("Bearer sync-local-token,other", "several_tokens")
    a_placeholder_is_a_cause("Bearer undefined", "placeholder_token")
    an_async_token_on_sync_is_a_cause("Bearer async-local-token", "async_token_on_sync")
    an_unknown_token_is_a_cause("Bearer something", "unknown_token")
}

/// Asserts that a call of another enterprise, with a valid token, is refused for this cause.
async fn assert_enterprise(enterprise: &str, cause: &str) {
    let local = Local::start().await;
    let url = format!("{}/enterprise/{enterprise}/metadata", local.emulator.sync_url());
    let request = local.http.get(url).bearer_auth("sync-local-token");
    assert_eq!(status(request).await, 401);
    assert_eq!(refusal(&local).cause, cause);
    let shown = format!("{:?} {:?}", last(&local), local.emulator.received(0));
    assert!(!shown.contains("local-token"), "{shown}");
}

scenarios! { assert_enterprise:
    an_unknown_enterprise_is_a_cause("other", "unknown_enterprise")
    a_placeholder_enterprise_is_a_cause("undefined", "placeholder_enterprise")
    a_token_as_enterprise_is_a_cause("sync-local-token", "token_as_enterprise")
}

#[tokio::test]
async fn the_answer_in_the_log_lacks_a_token_pasted_as_enterprise() {
    let local = Local::start().await;
    let token = format!("{0}1234567890123:{0}", "12345678-1234-1234-1234-123456789012");
    let url = format!("{}/enterprise/{token}/metadata", local.emulator.sync_url());
    assert_eq!(status(local.http.get(url)).await, 401);
    let url = format!("{}/_emulator/log?bodies=true", local.emulator.url());
    let log = local.http.get(url).send().await.expect("answers").text().await.expect("a text");
    assert!(log.contains("token_as_enterprise") && !log.contains(&token), "{log}");
}

#[tokio::test]
async fn a_sync_token_on_async_is_a_cause() {
    let local = Local::start().await;
    let url = format!("{}/enterprise/ent-local/autoupdatelead", local.emulator.async_url());
    let request = local.http.post(url).bearer_auth("sync-local-token").json(&json!({}));
    assert_eq!(status(request).await, 401);
    assert_eq!(refusal(&local).cause, "sync_token_on_async");
}

#[tokio::test]
async fn a_used_up_limit_is_a_cause() {
    let limit = telecrm_emulator::RateLimit::per_hour(1);
    let local = Local::with(Emulator::builder().sync_limit(limit)).await;
    local.get("/metadata").await;
    assert_eq!(local.get("/metadata").await.0, 429);
    assert_eq!(refusal(&local).cause, "rate_limited");
}

/// Asserts that a call is refused with this status for this cause, and that the explanation names
/// this.
async fn assert_call(method: &str, path: &str, body: Value, status: u16, cause: &str, named: &str) {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    let path = path.replace("ID", &id);
    let mut request = local.sync(method.parse().expect("a method"), &path);
    if !body.is_null() {
        request = request.json(&body);
    }
    let (answered, answer) = crate::answer(request).await;
    assert_eq!(answered, status, "{answer}");
    assert!(!answer["error"]["message"].as_str().expect("a text").contains('\n'), "{answer}");
    let refused = refusal(&local);
    assert_eq!(refused.cause, cause);
    assert!(refused.message.contains(named), "{}", refused.message);
}

scenarios! { assert_call:
    le3_a_search_by_get("GET", "/lead/search", Value::Null, 405, "get_on_search", "POST")
    le3_a_timeline_search_by_get(
        "GET", "/lead/ID/action/search", Value::Null, 405, "get_on_search", "POST")
    an_update_by_put("PUT", "/lead/ID", json!({}), 405, "wrong_method", "POST")
    le5_a_large_limit(
        "POST", "/lead/search?limit=500", json!({}), 400, "limit_out_of_range", "1 to 100")
    le5_a_limit_that_is_no_number(
        "POST", "/lead/search?limit=all", json!({}), 400, "limit_out_of_range", "whole number")
    tm1_a_large_page_of_members(
        "GET", "/team-members?limit=11", Value::Null, 400, "limit_out_of_range", "1 to 10")
    a_negative_skip("POST", "/lead/search?skip=-1", json!({}), 400, "skip_out_of_range", "from 0")
    en2_a_name_in_another_case(
        "GET", "/custom-fields/Phone", Value::Null, 404, "name_in_other_case", "`phone`")
    en2_an_unknown_name("GET", "/custom-fields/nope", Value::Null, 404, "unknown_field", "field")
    en4_a_bare_code("GET", "/custom-actions/1001", Value::Null, 404, "bare_code", "ACTION_1001")
    en4_an_unknown_code(
        "GET", "/custom-actions/ACTION_9", Value::Null, 404, "unknown_action", "action")
    tm6_a_misspelled_path(
        "POST", "/team-members/state_change", json!({}), 404, "misspelled_path", "/teammember/")
    an_unknown_path("GET", "/leads", Value::Null, 404, "unknown_path", "/leads")
    a_slash_at_the_end("GET", "/metadata/", Value::Null, 404, "trailing_slash", "slash")
    async_below_the_sync_base(
        "POST", "/autoupdatelead", json!({}), 404, "async_path_on_sync", "/autoupdate/v2")
    an_identifier_in_place_of_an_id(
        "GET", "/lead/919999999999", Value::Null, 404, "identifier_as_id", "search")
    an_unknown_lead("GET", "/lead/0", Value::Null, 404, "unknown_lead", "ID")
    a_second_lead_with_the_same_identifier(
        "POST", "/lead", json!({ "fields": { "phone": "+919999999999" } }), 409,
        "lead_already_exists", "919999999999")
    as2_a_lead_without_identifier(
        "POST", "/lead", json!({ "fields": { "Phone": "919999999998" } }), 400,
        "missing_identifier", "rename `Phone`")
    id1_a_lead_with_a_bad_identifier(
        "POST", "/lead", json!({ "fields": { "phone": "99" } }), 400, "invalid_identifier", "phone")
    a_lead_without_fields("POST", "/lead", json!({}), 400, "invalid_lead", "fields")
    le1_the_identifier_in_an_update(
        "POST", "/lead/ID", json!({ "fields": { "phone": "919999999999" } }), 403,
        "identifier_in_update", "leave")
    le9_a_bad_value_in_an_update(
        "POST", "/lead/ID", json!({ "fields": { "rating": 9 } }), 400, "invalid_value", "1 to 5")
    ac1_a_call_as_a_new_action(
        "POST", "/lead/ID/action", json!({ "actions": [{ "type": "CALL" }] }), 400,
        "unwritable_type", "actions[0] has the type `CALL`")
    no_actions("POST", "/lead/ID/action", json!({}), 400, "missing_actions", "actions")
    a_filter_that_is_a_list(
        "POST", "/lead/search", json!({ "fields": [] }), 400, "invalid_filter", "fields")
    a_value_that_is_an_object(
        "POST", "/lead/search", json!({ "fields": { "name": {} } }), 400, "invalid_filter",
        "fields.name")
    a_member_without_a_name(
        "POST", "/team-members", json!({}), 400, "bad_request", "name is required")
}

/// Asserts that the Async API refuses a body for this cause.
async fn assert_body(body: &'static [u8], cause: &str) {
    let local = Local::start().await;
    assert_eq!(status(local.ingest().body(body)).await, 400);
    assert_eq!(refusal(&local).cause, cause);
}

scenarios! { assert_body:
    a_form_is_a_cause(b"phone=919999999999&name=Jane", "form_body")
    an_empty_body_is_a_cause(b"", "empty_body")
    a_compressed_body_is_a_cause(b"\x1f\x8b\x08\x00", "compressed_body")
    a_byte_order_mark_is_a_cause(b"\xef\xbb\xbf{}", "byte_order_mark")
    broken_json_is_a_cause(b"{\"fields\":", "invalid_json")
}

/// Asserts that a request to this address is refused for this cause.
async fn assert_address(method: Method, path: &str, cause: &str) {
    let local = Local::start().await;
    let url = format!("{}{path}", local.emulator.url());
    let request: RequestBuilder = local.http.request(method, url).bearer_auth("sync-local-token");
    assert_eq!(status(request).await, 404);
    assert_eq!(refusal(&local).cause, cause);
}

scenarios! { assert_address:
    tr1_a_missing_base_is_a_cause(Method::POST, "/enterprise/ent-local/lead", "missing_base_path")
    a_doubled_base_is_a_cause(
        Method::GET, "/autoupdate/v2/autoupdate/v2/enterprise/ent-local/metadata",
        "doubled_base_path")
}

#[tokio::test]
async fn an_accepted_call_has_no_refusal() {
    let local = Local::start().await;
    local.get("/metadata").await;
    assert_eq!(last(&local).refused, None);
    local.push(json!({ "fields": { "phone": "919999999999" } })).await;
    assert_eq!(last(&local).refused, None);
}

#[tokio::test]
async fn the_answer_of_a_fault_has_no_refusal() {
    let local = Local::start().await;
    let answer = telecrm_emulator::FaultyAnswer::new(503);
    local.emulator.fault(telecrm_emulator::Fault::answer(answer)).expect("a rule");
    assert_eq!(status(local.sync(Method::GET, "/metadata")).await, 503);
    assert_eq!(last(&local).refused, None);
}

#[tokio::test]
async fn the_log_has_query_bodies_and_the_number_of_rows() {
    let local = Local::start().await;
    local.create(json!({ "phone": "919999999991" })).await;
    local.create(json!({ "phone": "919999999992" })).await;
    let filter = json!({ "fields": { "status": "Fresh" } });
    local.post("/lead/search?limit=1", filter.clone()).await;
    let url = format!("{}/_emulator/log?since=2&bodies=true", local.emulator.url());
    let log: Value = local.http.get(url).send().await.expect("answers").json().await.expect("JSON");
    let entry = &log["entries"][0];
    assert_eq!((&entry["query"], &entry["found"]), (&json!("limit=1"), &json!(2)));
    assert_eq!((&entry["request"], &entry["refused"]), (&filter, &Value::Null));
    assert_eq!(entry["answer"]["total_count"], 2);
}

/// Asserts that the log suggests this for the only loss of a pushed lead.
async fn assert_suggestion(lead: Value, suggestion: &str) {
    let local = Local::start().await;
    let entry = local.push(json!({ "fields": lead })).await;
    let losses: Vec<_> = entry.findings.iter().filter(|finding| finding.is_loss()).collect();
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!(losses[0].suggestion.as_deref(), Some(suggestion));
}

scenarios! { assert_suggestion:
    a_suggestion_has_the_repaired_phone(json!({ "phone": "+91 99999-99999" }), "write `919999999999`")
    a_suggestion_has_the_repaired_rating(
        json!({ "phone": "919999999999", "rating": "3" }), "write `3`")
    a_suggestion_has_the_api_name(
        json!({ "phone": "919999999999", "Rating": 3 }), "rename it to `rating`")
}

#[tokio::test]
async fn the_page_of_a_call_says_why_it_was_refused() {
    let local = Local::start().await;
    local.get("/custom-actions/1001").await;
    local.get("/metadata").await;
    let page = |path: &str| {
        let request = local.http.get(format!("{}/_emulator/{path}", local.emulator.url()));
        async move { request.send().await.expect("answers").text().await.expect("a text") }
    };
    assert!(page("calls/1").await.contains("write the code as ACTION_1001"));
    let listed = page("?losses=on").await;
    assert!(listed.contains("/_emulator/calls/1\"") && !listed.contains("/_emulator/calls/2\""));
}
