//! `leads().actions(id)`: the timeline of a lead.

use crate::support::{bare_visit, cases, client_at, visit};
use httpmock::{Method, MockServer};
use serde_json::{Value, json};
use telecrm::response::Page;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    Action, ActionFilter, ActionKind, ActionRecord, CustomAction, ErrorCode, Operation, Outcome,
    PageRequest, PaymentStatus, Phase,
};

/// A server that knows one call and its answer.
async fn server(
    method: Method,
    path: &str,
    body: Option<Value>,
    status: u16,
    answer: Value,
) -> MockServer {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        let when = when.method(method).path(path);
        if let Some(body) = body {
            when.json_body(body);
        }
        then.status(status).json_body(answer);
    });
    server
}

fn dated_visit() -> CustomAction {
    bare_visit().created_on("2026-06-01T10:30:00+05:30".parse().expect("a time"))
}

// Creation

#[tokio::test]
async fn ac2_ac4_actions_are_created_with_bare_codes_and_each_has_its_own_outcome() {
    let body = json!({ "actions": [{ "type": "1001", "fields": { "note": "Demo scheduled" } }] });
    let answer = json!({ "lead_id": "l1", "actions": [{ "action_id": null, "status": "IGNORED" }],
        "remarks": [{ "field": "actions[0].fields.note", "status": "IGNORED", "remark": "no" }] });
    let path = "/enterprise/ent/lead/l1/action";
    let server = server(Method::POST, path, Some(body), 200, answer).await;
    let timeline = client_at(server.base_url()).leads().actions("l1");
    let outcome = timeline.create([visit("Demo scheduled")]).await;
    let outcome = outcome.expect("answered");
    assert!(outcome.actions()[0].is_ignored());
    assert_eq!(outcome.remarks()[0].sent, Some("Demo scheduled".into()));
    assert_eq!(outcome.accept_partial().action_ids, [None]);
}

#[tokio::test]
async fn ac1_an_action_that_cannot_be_written_is_refused_unsent() {
    let server = MockServer::start_async().await;
    let timeline = client_at(server.base_url()).leads().actions("l1");
    let call: Action =
        serde_json::from_value(json!({ "type": "OUTGOING_CALL" })).expect("an object");
    let error = timeline.create([call]).await.expect_err("AC1");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(error.to_string().contains("actions[0]"), "{error}");
}

#[tokio::test]
async fn an_empty_list_of_actions_is_refused() {
    let server = MockServer::start_async().await;
    let timeline = client_at(server.base_url()).leads().actions("l1");
    assert!(timeline.create::<CustomAction>([]).await.is_err());
}

// Updates

#[tokio::test]
async fn ac3_an_update_of_a_payment_sends_only_the_status() {
    let body = json!({ "type": "PAYMENT", "status": "COMPLETED" });
    let answer =
        json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000" });
    let path = "/enterprise/ent/lead/l1/action/a1";
    let server = server(Method::POST, path, Some(body), 200, answer).await;
    let timeline = client_at(server.base_url()).leads().actions("l1");
    let updated = timeline.set_payment_status("a1", PaymentStatus::Completed);
    let updated = updated.await.expect("updated");
    assert_eq!(updated.kind(), ActionKind::Payment);
    assert_eq!(updated.amount(), Some(5000.into()));
}

#[tokio::test]
async fn a_custom_action_is_updated_by_its_bare_code() {
    let answer = json!({ "type": "ACTION_1001", "fields": { "note": "Demo scheduled" } });
    let fake = FakeTelecrm::new().on(Operation::UpdateAction, Response::json(answer));
    let timeline = fake.client().leads().actions("l1");
    let updated = timeline.update("a1", visit("Demo scheduled")).await;
    assert_eq!(
        updated.expect("updated").complete().expect("the answer shows the note").kind(),
        ActionKind::Custom(1001.into()),
        "a code is read with and without its prefix"
    );
    let sent = &fake.requests_to(Operation::UpdateAction)[0];
    assert_eq!((sent.method(), sent.path()), ("POST", "/lead/l1/action/a1"));
    let body = json!({ "type": "1001", "fields": { "note": "Demo scheduled" } });
    assert_eq!(sent.body(), Some(&body));
}

async fn an_update_that_would_lose_a_part_is_refused_unsent(action: CustomAction, path: &str) {
    let fake = FakeTelecrm::new();
    let timeline = fake.client().leads().actions("62ab16e");
    let error = timeline.update("a1", action).await.map(drop);
    let error = error.expect_err("the part would be lost");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert_eq!(error.finding().expect("a finding").path.to_string(), path);
    assert!(fake.requests_to(Operation::UpdateAction).is_empty());
}

cases! { async an_update_that_would_lose_a_part_is_refused_unsent:
    an_unknown_field(bare_visit().field("nte", "called"), "actions[0].fields.nte");
    the_time_of_the_action(dated_visit(), "actions[0].created_on");
    an_unknown_code(CustomAction::new(1999).expect("a code"), "actions[0]");
}

#[tokio::test]
async fn an_unknown_payment_status_is_refused_unsent() {
    let fake = FakeTelecrm::new();
    let timeline = fake.client().leads().actions("62ab16e");
    let error = timeline.set_payment_status("a1", "Paid".into()).await;
    assert_eq!(error.expect_err("not a payment status").phase(), Phase::NotBuilt);
    assert!(fake.requests_to(Operation::UpdateAction).is_empty());
}

/// The workspace had the field when the client looked, and the server ignores it now.
async fn an_update_that_the_answer_does_not_show_is_reported(note: &str, lost: Option<&str>) {
    let entry = json!({ "type": "1001", "fields": { "note": "called", "outcome": "Interested" } });
    let fake = FakeTelecrm::new().always(Operation::UpdateAction, Response::json(entry));
    let timeline = fake.client().leads().actions("62ab16e");
    let outcome = timeline.update("a1", visit(note)).await.expect("answered");
    let found = outcome.findings().first().map(|loss| loss.path.to_string());
    assert_eq!(found.as_deref(), lost);
    assert_eq!(outcome.complete().is_err(), lost.is_some());
}

cases! { async an_update_that_the_answer_does_not_show_is_reported:
    the_answer_has_the_value("called", None);
    the_answer_has_another_value("twice", Some("actions[0].fields.note"));
}

/// Updates an action whose update is answered without the entry, and whose entry is read as this.
async fn updated_and_read_back(note: &str, read: Response) -> Outcome<ActionRecord> {
    let answer = json!({ "action_id": "a1" });
    let fake = FakeTelecrm::new()
        .always(Operation::UpdateAction, Response::json(answer))
        .always(Operation::GetAction, read);
    let timeline = fake.client().leads().actions("62ab16e");
    let updated = timeline.update("a1", visit(note)).await;
    updated.expect("answered")
}

fn called() -> Response {
    Response::json(json!({ "type": "1001", "fields": { "note": "called" } }))
}

#[tokio::test]
async fn an_update_that_is_answered_without_the_entry_is_read_back() {
    let entry = updated_and_read_back("called", called()).await;
    let entry = entry.complete().expect("nothing is lost");
    assert_eq!(entry.field("note"), Some("called".into()));
}

#[tokio::test]
async fn an_update_that_reading_back_does_not_show_is_reported() {
    let entry = updated_and_read_back("twice", called()).await;
    assert!(entry.complete().is_err());
}

#[tokio::test]
async fn an_update_that_cannot_be_read_back_is_reported_and_is_not_an_error() {
    let outcome = updated_and_read_back("called", Response::html(503)).await;
    assert_eq!(outcome.findings()[0].path.to_string(), "actions[0]");
    assert!(outcome.complete().is_err());
}

/// The path of such an update is the path of a search.
#[tokio::test]
async fn an_update_of_an_action_with_the_id_search_is_refused_unsent() {
    let fake = FakeTelecrm::new();
    let actions = fake.client().leads().actions("l1");
    let refused = actions.update("search", bare_visit()).await.map(drop);
    assert_refused_as_an_id(&fake, refused);
}

#[tokio::test]
async fn a_payment_status_of_an_action_with_the_id_search_is_refused_unsent() {
    let fake = FakeTelecrm::new();
    let actions = fake.client().leads().actions("l1");
    let refused = actions.set_payment_status("search", PaymentStatus::Cancelled);
    assert_refused_as_an_id(&fake, refused.await.map(drop));
}

#[track_caller]
fn assert_refused_as_an_id(fake: &FakeTelecrm, refused: Result<(), telecrm::Error>) {
    let refused = refused.expect_err("`search` is not an ID");
    assert_eq!(refused.phase(), Phase::NotBuilt, "{refused}");
    assert!(refused.to_string().contains("`search` is not an ID"), "{refused}");
    let sent = fake.requests();
    assert!(sent.iter().all(|request| request.method() == "GET"));
}

// Reading

#[tokio::test]
async fn ac5_the_server_refuses_to_show_a_call() {
    let answer = json!({ "error": { "code": "BAD_REQUEST",
        "message": "Only custom actions and payment actions can be retrieved" } });
    let path = "/enterprise/ent/lead/l1/action/a1";
    let server = server(Method::GET, path, None, 400, answer).await;
    let timeline = client_at(server.base_url()).leads().actions("l1");
    let error = timeline.get("a1").await.expect_err("AC5");
    assert_eq!((error.status_code(), error.code()), (Some(400), Some(&ErrorCode::BadRequest)));
}

const FROM: i64 = 1_780_290_000_000;

/// A search by type, performers and time, and the page that answers it.
async fn searched_page() -> Page<ActionRecord> {
    let body = json!({ "type": "1001", "performed_by": ["a@b.in", "c@d.in"],
        "created_on": { "from": FROM } });
    let answer = json!({ "data": [
        { "type": "ACTION_1001", "creationTimestamp": FROM.to_string() },
        { "type": "OUTGOING_CALL", "duration": 7, "creationTimestamp": FROM },
    ], "total_count": "12", "skip": 0, "limit": 2 });
    let path = "/enterprise/ent/lead/l1/action/search";
    let server = server(Method::POST, path, Some(body), 200, answer).await;
    let from = "2026-06-01T10:30:00+05:30".parse().expect("a time");
    let filter = ActionFilter::new()
        .of_code(1001)
        .performed_by(["a@b.in", "c@d.in"])
        .between(Some(from), None);
    let timeline = client_at(server.base_url()).leads().actions("l1");
    let page = PageRequest { skip: 0, limit: 2 };
    timeline.search(&filter, page).await.expect("found")
}

#[tokio::test]
async fn ac6_ac7_a_timeline_is_searched_by_type_performer_and_time() {
    let page = searched_page().await;
    let from = "2026-06-01T10:30:00+05:30".parse().expect("a time");
    assert_eq!(page.data[1].created(), Some(from));
    assert_eq!(page.data[1].key("duration"), Some(&7.into()));
}

#[tokio::test]
async fn a_total_in_quotes_is_read_as_a_number() {
    assert_eq!(searched_page().await.total_count, 12);
}

#[tokio::test]
async fn le5_an_empty_page_of_a_timeline_is_refused_unsent() {
    let fake = FakeTelecrm::new();
    let timeline = fake.client().leads().actions("l1");
    let page = PageRequest { skip: 0, limit: 0 };
    let error = timeline.search(&ActionFilter::new(), page).await;
    assert_eq!(error.expect_err("LE5").phase(), Phase::NotBuilt);
}
