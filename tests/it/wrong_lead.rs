//! Servers whose answers are about another lead, or about several.

use crate::support::{bare_lead, bare_visit, cases, lead_exists};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    Filter, Lead, Operation, PageRequest, Telecrm, Upserted, Verification, WorkspaceFile,
};

fn row(id: &str, fields: Value) -> Value {
    json!({ "id": id, "fields": fields })
}

fn fake_that_finds(rows: Vec<Value>) -> FakeTelecrm {
    FakeTelecrm::new()
        .always(Operation::CreateLead, lead_exists())
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::page(rows))
        .always(Operation::UpdateLead, Response::json(json!({ "fields": { "rating": 4 } })))
}

fn without_wait(fake: &FakeTelecrm) -> Telecrm {
    fake.builder().verify_timeout(Duration::ZERO).build().expect("builds")
}

async fn verified(fake: &FakeTelecrm, lead: Lead) -> Verification {
    let ingest = without_wait(fake).ingest();
    let receipt = ingest.push(&lead).await.expect("queued");
    ingest.verify(&receipt).await.expect("read")
}

fn rated() -> Lead {
    bare_lead().set("rating", 4)
}

// o07

async fn o07_upsert_writes_to_no_row_without_the_identifier(fields: Value) {
    let fake = fake_that_finds(vec![row("other", fields)]);
    let error = fake.client().leads().upsert(&rated()).await.expect_err("another lead");
    assert!(!error.is_outcome_unknown() || fake.requests_to(Operation::UpdateLead).is_empty());
    assert!(fake.requests_to(Operation::UpdateLead).is_empty());
}

cases! { async o07_upsert_writes_to_no_row_without_the_identifier:
    no_phone(json!({ "name": "Somebody Else" }));
    null(json!({ "phone": null, "rating": 4 }));
    empty(json!({ "phone": "", "rating": 4 }));
    another_phone(json!({ "phone": "919812345678", "rating": 4 }));
}

#[tokio::test]
async fn o07_verify_takes_no_row_without_the_identifier() {
    let fake = fake_that_finds(vec![row("other", json!({ "rating": 4 }))]);
    let verification = verified(&fake, rated()).await;
    assert!(matches!(verification, Verification::Unknown { .. }), "{verification:?}");
}

// o08, o12

fn twins(first: i64, second: i64) -> Vec<Value> {
    vec![
        row("new", json!({ "phone": "919999999999", "rating": first })),
        row("old", json!({ "phone": "+919999999999", "rating": second })),
    ]
}

#[tokio::test]
async fn o08_verify_is_unknown_if_twins_disagree() {
    let verification = verified(&fake_that_finds(twins(4, 2)), rated()).await;
    let Verification::Unknown { reason, .. } = verification else { panic!("{verification:?}") };
    assert!(reason.contains("disagree"), "{reason}");
}

#[tokio::test]
async fn o08_verify_is_stored_if_twins_agree() {
    let verification = verified(&fake_that_finds(twins(4, 4)), rated()).await;
    assert!(matches!(verification, Verification::Stored(_)), "{verification:?}");
}

#[tokio::test]
async fn o12_upsert_writes_to_none_of_two_leads() {
    let fake = fake_that_finds(twins(4, 2));
    let error = fake.client().leads().upsert(&rated()).await.expect_err("ambiguous");
    assert!(error.is_ambiguous() && !error.is_outcome_unknown(), "{error:#}");
    assert!(fake.requests_to(Operation::UpdateLead).is_empty());
}

/// A workspace whose leads are identified by email address, and two leads with one address.
fn fake_with_two_spellings() -> FakeTelecrm {
    let file = WorkspaceFile::from_json(json!({
        "metadata": { "leadIdentifierFieldId": "email" },
        "customFields": [
            { "apiName": "email", "type": "EMAIL" }, { "apiName": "rating", "type": "RATING" },
        ],
    }));
    fake_that_finds(vec![
        row("new", json!({ "email": "jane@example.com", "rating": 4 })),
        row("old", json!({ "email": "Jane@Example.com", "rating": 2 })),
    ])
    .workspace(&file.expect("a workspace"))
}

#[tokio::test]
async fn o08_verify_is_unknown_if_only_the_other_spelling_was_written() {
    let lead = Lead::new().set("email", "Jane@Example.com").set("rating", 4);
    let verification = verified(&fake_with_two_spellings(), lead).await;
    assert!(matches!(verification, Verification::Unknown { .. }), "{verification:?}");
}

#[tokio::test]
async fn o12_upsert_updates_the_lead_with_the_exact_spelling() {
    let fake = fake_with_two_spellings();
    let lead = Lead::new().set("email", "Jane@Example.com").set("rating", 4);
    let upserted = fake.client().leads().upsert(&lead).await.expect("updated");
    assert!(matches!(upserted, Upserted::Updated { lead_id, .. } if lead_id == "old"));
}

// m06

fn fake_that_answers_with_another() -> FakeTelecrm {
    let other = Response::json(row("l2", json!({ "phone": "918888888888", "rating": 4 })));
    let action = Response::json(json!({ "id": "a2", "type": "1001", "fields": { "note": "x" } }));
    let created = Response::json(json!({ "lead_id": "l2", "actions": [], "remarks": [] }));
    FakeTelecrm::new()
        .always(Operation::GetLead, other.clone())
        .always(Operation::UpdateLead, other)
        .always(Operation::GetAction, action.clone())
        .always(Operation::UpdateAction, action)
        .always(Operation::CreateActions, created)
}

#[tokio::test]
async fn m06_reading_another_lead_is_an_error() {
    let leads = fake_that_answers_with_another().client().leads();
    let error = leads.get("l1").await.expect_err("another lead");
    assert!(format!("{error:#}").contains("another ID"), "{error:#}");
    assert!(leads.actions("l1").get("a1").await.is_err());
}

#[tokio::test]
async fn m06_an_update_answered_with_another_lead_has_an_unknown_outcome() {
    let leads = fake_that_answers_with_another().client().leads();
    let changes = BTreeMap::from([("rating".to_owned(), 4.into())]);
    let error = leads.update("l1", changes).await.expect_err("another lead");
    assert!(error.is_outcome_unknown(), "{error:#}");
    assert!(error.hint().is_some_and(|hint| hint.contains("another entry")));
}

#[tokio::test]
async fn m06_actions_answered_with_another_id_have_an_unknown_outcome() {
    let actions = fake_that_answers_with_another().client().leads().actions("l1");
    let error = actions.update("a1", bare_visit()).await.expect_err("another action");
    assert!(error.is_outcome_unknown(), "{error:#}");
    let error = actions.create([bare_visit()]).await.expect_err("another lead");
    assert!(error.is_outcome_unknown(), "{error:#}");
}

// m02

#[tokio::test]
async fn m02_an_old_lead_that_looks_alike_does_not_settle_a_creation() {
    let old = row(
        "old",
        json!({ "phone": "919999999999", "rating": 4, "created_on": 1_580_000_000_000_i64 }),
    );
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::html(502))
        .always(Operation::CreateLead, lead_exists())
        .always(Operation::SearchLeads, Response::page([old]));
    let error = fake.client().leads().create(&rated()).await.expect_err("not created");
    assert!(error.is_already_exists(), "{error:#}");
}

// p05

async fn p05_count_without_a_usable_total_is_an_error(total: Value) {
    let rows = [row("l1", json!({})), row("l2", json!({}))];
    let page = json!({ "data": rows, "total_count": total });
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, Response::json(page));
    let error = fake.client().leads().count(&Filter::new()).await.expect_err("no total");
    assert!(error.hint().is_some_and(|hint| hint.contains("stream")), "{error:#}");
}

cases! { async p05_count_without_a_usable_total_is_an_error:
    null(Value::Null);
    negative(json!(-1));
    zero(json!(0));
    fewer_than_the_rows(json!(1));
    only_the_rows_of_the_page(json!(2));
    words(json!("many"));
    an_object(json!({ "value": 7 }));
}

// p06

async fn p06_a_filter_that_the_server_ignores_is_an_error(filter: Filter) {
    let rows = [row("l1", json!({ "phone": "919999999999", "status": "Fresh" }))];
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, Response::page(rows));
    let error = fake.client().leads().stream(filter).collect().await;
    let error = error.expect_err("the filter was ignored");
    assert!(error.to_string().contains("does not match filter"), "{error}");
}

cases! { async p06_a_filter_that_the_server_ignores_is_an_error:
    status(Filter::new().eq("status", "Won"));
    one_of_several(Filter::new().any_of("status", ["Won", "Lost"]));
    phone(Filter::new().eq("phone", "911111111111"));
}

async fn p06_another_spelling_matches_a_filter(filter: Filter) {
    let rows =
        [row("l1", json!({ "phone": "919999999999", "status": "Fresh", "employeeid": "u1" }))];
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, Response::page(rows));
    assert_eq!(fake.client().leads().stream(filter).collect().await.expect("read").len(), 1);
}

cases! { async p06_another_spelling_matches_a_filter:
    case(Filter::new().eq("status", "fresh"));
    national_number(Filter::new().eq("phone", "99999 99999"));
    address_of_a_member_shown_by_id(Filter::new().eq("assignee", "jane@example.com"));
}

// o10

async fn o10_a_doubled_key_in_a_record_is_an_error(body: &str) {
    let page = Response::text(200, "application/json", body);
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, page);
    let error = fake.client().leads().search(&Filter::new(), PageRequest::default()).await;
    assert!(format!("{:#}", error.expect_err("doubled")).contains("duplicate key"));
}

cases! { async o10_a_doubled_key_in_a_record_is_an_error:
    a_field(r#"{"data":[{"id":"l1","fields":{"a":1,"a":2}}],"total_count":1}"#);
    an_id(r#"{"data":[{"id":"l1","id":"l2","fields":{}}],"total_count":1}"#);
    the_list(r#"{"data":[{"id":"l1","fields":{}}],"data":[],"total_count":1}"#);
}
