//! Values on the wire: numbers keep every digit, and blank texts are left out and reported.

use crate::support::{cases, client_at, lead_exists};
use httpmock::{Method, MockServer};
use serde_json::json;
use std::collections::BTreeMap;
use telecrm::response::RemarkStatus;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionFilter, ActionRecord, CustomAction, FieldValue, Filter, Lead, LeadRecord, Operation,
    Outcome, PageRequest, Telecrm, Upserted,
};

// Digits

/// More digits than a float or a 64-bit integer holds.
const ACCOUNT: &str = "12345678901234567890123.10";

fn account() -> FieldValue {
    serde_json::from_str(ACCOUNT).expect("a number")
}

/// The actions of the lead below, as they have to arrive.
fn actions() -> String {
    format!(r#""actions":[{{"fields":{{"account":{ACCOUNT}}},"type":"1001"}}]"#)
}

/// A server that knows only requests to this path that have this text in their body.
async fn server(path: &str, sent: &str, answer: &str) -> (MockServer, Telecrm) {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST).path(format!("/enterprise/ent{path}")).body_includes(sent);
        then.status(200).body(answer);
    });
    let telecrm = client_at(server.base_url());
    (server, telecrm)
}

const CREATED: &str = r#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"CREATED"}]}"#;

async fn a_creation_sends_every_digit(sent: &str) {
    let lead = format!(r#"{{"fields":{{"account":{ACCOUNT}}},{},"more":{ACCOUNT}}}"#, actions());
    let lead: Lead = serde_json::from_str(&lead).expect("a lead");
    let (_server, telecrm) = server("/lead", sent, CREATED).await;
    let outcome = telecrm.leads().create(&lead).await.expect("created");
    assert_eq!(outcome.findings().len(), 1, "the unknown key is lost");
}

cases! { async a_creation_sends_every_digit:
    of_a_field(&format!(r#""fields":{{"account":{ACCOUNT}}}"#));
    of_an_action(&actions());
    of_an_unknown_key(&format!(r#""more":{ACCOUNT}"#));
}

#[tokio::test]
async fn new_actions_are_sent_with_every_digit() {
    let (_server, telecrm) = server("/lead/l1/action", &actions(), CREATED).await;
    let visit = CustomAction::new(1001).expect("a code");
    let timeline = telecrm.leads().actions("l1");
    let created = timeline.create([visit.field("account", account())]).await;
    let complete = created.expect("created").complete();
    assert!(complete.is_ok());
}

#[tokio::test]
async fn a_search_sends_and_reads_every_digit() {
    let page = format!(r#"{{"data":[{{"fields":{{"account":{ACCOUNT}}}}}],"total_count":1}}"#);
    let sent = format!(r#"{{"fields":{{"account":[{ACCOUNT},7]}}}}"#);
    let (_server, telecrm) = server("/lead/search", &sent, &page).await;
    let filter = Filter::new().any_of("account", [account(), 7.into()]);
    let page = telecrm.leads().search(&filter, PageRequest::default()).await.expect("read");
    let read: Vec<_> = page.data.iter().filter_map(|row: &LeadRecord| row.get("account")).collect();
    assert_eq!(read, [&account()]);
}

#[tokio::test]
async fn a_timeline_is_read_with_every_digit() {
    let page = format!(r#"{{"data":[{{"fields":{{"account":{ACCOUNT}}}}}],"total_count":1}}"#);
    let (_server, telecrm) = server("/lead/l1/action/search", "{", &page).await;
    let page = telecrm
        .leads()
        .actions("l1")
        .search(&ActionFilter::new(), PageRequest::default())
        .await
        .expect("read");
    let account_of = |entry: &ActionRecord| entry.field("account");
    assert_eq!(page.data.iter().map(account_of).collect::<Vec<_>>(), [Some(account())]);
}

#[tokio::test]
async fn a_request_of_an_unknown_endpoint_is_sent_with_every_digit() {
    let sent = format!(r#"{{"account":{ACCOUNT}}}"#);
    let (_server, telecrm) = server("/x", &sent, "{}").await;
    let body = FieldValue::from(BTreeMap::from([("account".to_owned(), account())]));
    let request = telecrm.request(telecrm::Method::Post, "/x").json(&body);
    assert_eq!(request.send().await.expect("answered").status(), 200);
}

// Blanks

/// A form of which some inputs were left empty.
fn half_empty_form() -> Lead {
    let form = r#"{
        "fields": { "phone": "919999999999", "name": "", "interests": ["VIP", " "] },
        "actions": [{ "type": "ACTION_1001", "fields": { "note": " ", "outcome": "Interested" } }]
    }"#;
    serde_json::from_str(form).expect("a lead")
}

const BLANK_FIELDS: [&str; 2] = ["fields.interests", "fields.name"];
const BLANK_ACTION_FIELDS: [&str; 1] = ["actions[0].fields.note"];

/// The paths of what was not sent.
fn left_out<T>(outcome: &Outcome<T>) -> Vec<String> {
    let remarks = outcome.remarks().iter();
    let ignored = remarks.filter(|remark| remark.status == RemarkStatus::Ignored);
    ignored.map(|remark| remark.path.to_string()).collect()
}

#[tokio::test]
async fn a_creation_leaves_out_blank_texts_and_reports_them() {
    let fake = FakeTelecrm::new().on(Operation::CreateLead, Response::created("l1"));
    let outcome = fake.client().leads().create(&half_empty_form()).await;
    let outcome = outcome.expect("created");
    assert_eq!(left_out(&outcome), [&BLANK_FIELDS[..], &BLANK_ACTION_FIELDS].concat());
    assert_eq!(outcome.remarks()[1].sent, Some("".into()));
    assert!(outcome.complete().is_err());
    assert_eq!(
        fake.requests()[0].body(),
        Some(&json!({
            "fields": { "phone": "919999999999", "interests": ["VIP"] },
            "actions": [{ "type": "1001", "fields": { "outcome": "Interested" } }],
        }))
    );
}

#[tokio::test]
async fn new_actions_are_sent_without_blank_texts() {
    let fake = FakeTelecrm::new().on(Operation::CreateActions, Response::created("l1"));
    let actions = fake.client().leads().actions("l1");
    let outcome = actions.create(half_empty_form().actions().to_vec()).await;
    assert_eq!(left_out(&outcome.expect("created")), BLANK_ACTION_FIELDS);
    let sent = json!({ "actions": [{ "type": "1001", "fields": { "outcome": "Interested" } }] });
    assert_eq!(fake.requests()[0].body(), Some(&sent));
}

#[tokio::test]
async fn an_upsert_that_creates_leaves_out_blank_texts() {
    let fake = FakeTelecrm::new().on(Operation::CreateLead, Response::created("l1"));
    let upserted = fake.client().leads().upsert(&half_empty_form()).await;
    let Ok(Upserted::Created(created)) = upserted else {
        panic!("the lead did not exist");
    };
    assert_eq!(left_out(&created), [&BLANK_FIELDS[..], &BLANK_ACTION_FIELDS].concat());
}

#[tokio::test]
async fn an_upsert_that_updates_leaves_out_blank_texts() {
    let row = json!({ "id": "l1", "fields": { "phone": "919999999999" } });
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, lead_exists())
        .on(Operation::SearchLeads, Response::page([row.clone()]))
        .on(Operation::UpdateLead, Response::json(row))
        .on(Operation::CreateActions, Response::created("l1"));
    let upserted = fake.client().leads().upsert(&half_empty_form()).await;
    let Ok(Upserted::Updated { lead, actions, .. }) = upserted else {
        panic!("the lead existed");
    };
    assert_eq!(left_out(&lead), BLANK_FIELDS);
    assert_eq!(left_out(&actions.expect("sent")), BLANK_ACTION_FIELDS);
    let sent = fake.requests_to(Operation::UpdateLead);
    let expected = json!({ "fields": { "interests": ["VIP"] } });
    assert_eq!(sent[0].body(), Some(&expected));
}

#[tokio::test]
async fn a_deliberate_blank_is_sent() {
    let fake = FakeTelecrm::new().on(Operation::CreateLead, Response::created("l1"));
    let lead = Lead::new().set("phone", "919999999999").set("name", FieldValue::blank());
    let outcome = fake.client().leads().create(&lead).await;
    assert!(outcome.expect("created").complete().is_ok());
    let sent = fake.requests();
    assert_eq!(sent[0].body().expect("a body")["fields"]["name"], "");
}
