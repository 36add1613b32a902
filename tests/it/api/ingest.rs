//! `ingest().push`: which answers of the Async API accept a lead.

use crate::support::{
    builder, cases, client_without_retries, emulator, jane, visit, without_losses,
};
use httpmock::{Method, MockServer};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Currency, Lead, Operation, Payment, Phase, Verification};

#[tokio::test]
async fn a_lead_is_checked_pushed_and_read_back_as_it_was_meant() {
    let emulator = emulator().await;
    let telecrm =
        builder(&emulator).verify_timeout(Duration::from_secs(10)).build().expect("builds");
    let workspace = telecrm.workspace().await.expect("discovered");
    let written = Lead::new()
        .set("phone", "+91 99999 99999")
        .set("status", "qualified")
        .set("follow_up_date", "2026-06-01T10:30:00+05:30")
        .action(visit("Site visit completed"))
        .action(Payment::completed("5000".parse().expect("an amount"), Currency::Inr));
    let clean = without_losses(workspace.check(&written)).expect("sendable");

    let receipt = telecrm.ingest().push(&clean).await.expect("queued");
    let Verification::Stored(stored) = telecrm.ingest().verify(&receipt).await.expect("readable")
    else {
        panic!("not stored");
    };
    assert_eq!(stored.get("status"), Some(&"Qualified".into()));
    assert_eq!(stored.get("follow_up_date"), Some(&1_780_290_000_000_i64.into()));
}

async fn a_success_of_any_form_accepts_the_lead(status: u16, body: &str) {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST).path("/enterprise/ent/autoupdatelead");
        then.status(status).body(body);
    });
    let pushed = client_without_retries(&server).ingest().push(&jane()).await;
    assert!(pushed.is_ok(), "{status} {body}");
}

cases! { async a_success_of_any_form_accepts_the_lead:
    json(200, r#"{"status":"QUEUED"}"#);
    json_with_an_empty_error(200, r#"{"status":"QUEUED","error":null}"#);
    text(200, "OK");
    no_content(204, "");
    accepted_without_a_body(202, "");
}

async fn pushed_to_a_server_that_answers(body: &str) -> Result<telecrm::Receipt, telecrm::Error> {
    let answer = Response::text(200, "application/json", body);
    let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, answer);
    let lead = Lead::new().set("phone", "919999999999");
    fake.client().ingest().push(&lead).await
}

async fn as5_an_answer_that_says_queued_accepts_the_lead(body: &str) {
    let pushed = pushed_to_a_server_that_answers(body).await;
    assert!(pushed.is_ok(), "{body}: {pushed:?}");
}

cases! { async as5_an_answer_that_says_queued_accepts_the_lead:
    a_status(r#"{"status":"QUEUED"}"#);
    a_status_in_another_spelling(r#"{"status":" queued "}"#);
    a_json_string(r#""QUEUED""#);
    text("Queued");
    ok("OK\n");
    an_empty_body("");
    an_empty_object("{}");
    an_accepted_result(r#"{"result":"Accepted"}"#);
}

#[tokio::test]
async fn an_answer_that_names_the_written_leads_keeps_their_ids() {
    let body = r#"{"status":"updated","modifiedLeadIds":["62ab16e"],"errorString":""}"#;
    let receipt = pushed_to_a_server_that_answers(body).await.expect("written");
    assert_eq!(receipt.lead_ids(), ["62ab16e"]);
}

#[tokio::test]
async fn a_refusal_with_a_success_status_is_an_error_that_is_not_in_doubt() {
    let body = r#"{"status":"error","modifiedLeadIds":[],"errorString":"no field 919999999999"}"#;
    let error = pushed_to_a_server_that_answers(body).await.expect_err("refused");
    assert_eq!((error.status_code(), error.phase()), (Some(200), Phase::Answered));
    assert!(!error.is_outcome_unknown() && !error.is_transient());
    let text = format!("{error:#}");
    assert!(text.contains("no field") && !text.contains("919999999999"), "{text}");
}

async fn as5_an_answer_that_does_not_say_queued_leaves_the_outcome_unknown(body: &str) {
    let error = pushed_to_a_server_that_answers(body).await;
    let error = error.expect_err("the answer does not say that the lead is queued");
    assert!(error.is_outcome_unknown(), "{body}: {error}");
}

cases! { async as5_an_answer_that_does_not_say_queued_leaves_the_outcome_unknown:
    a_truncated_status(r#"{"status":"QUE"#);
    a_truncated_error(r#"{"error":{"code":"NOT_AUTHORIZED","mess"#);
    a_status_of_null(r#"{"status":null}"#);
    success_false(r#"{"success":false}"#);
    a_list_of_errors(r#"{"errors":["no such enterprise"]}"#);
    a_status_code_in_the_body(r#"{"statusCode":404,"message":"no such enterprise"}"#);
    a_nested_failure(r#"{"data":{"status":"FAILED"}}"#);
    a_list_with_a_failure(r#"[{"status":"FAILED"}]"#);
    an_empty_list("[]");
    null("null");
    queued_and_success_false(r#"{"status":"QUEUED","success":false}"#);
    a_repeated_key(r#"{"status":"FAILED","status":"QUEUED"}"#);
    a_boolean("false");
    a_number("0");
    a_json_string(r#""FAILED""#);
    the_text_of_a_proxy("error code: 1020");
    text("Service Unavailable");
}

async fn tr1_an_answer_of_another_server_leaves_the_outcome_unknown(body: &str) {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST);
        then.status(200).body(body);
    });
    let pushed = client_without_retries(&server).ingest().push(&jane()).await;
    let error = pushed.expect_err("the answer does not say that the lead is queued");
    assert!(error.is_outcome_unknown(), "{body}");
}

cases! { async tr1_an_answer_of_another_server_leaves_the_outcome_unknown:
    a_web_page("<!doctype html><title>the app</title>");
    a_web_page_after_blanks(" \n<html>");
    a_web_page_after_a_byte_order_mark("\u{feff}<html>");
    an_error_envelope(r#"{"error":{"code":"NOT_AUTHORIZED"}}"#);
    a_failure(r#"{"status":"FAILED"}"#);
    a_failure_with_unreadable_values(r#"{"status":"FAILED","took":1e999,"why":"\ud83d"}"#);
}
