//! `leads()`: creating, reading, updating, upserting and searching leads.

use crate::support::{cases, client, client_without_retries, emulator, jane, lead_exists, visit};
use httpmock::MockServer;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use telecrm::response::ActionStatus;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionKind, CustomAction, Error, ErrorCode, FieldPath, FieldValue, Filter, Finding,
    FindingKind, Lead, LeadRecord, Operation, Outcome, PageRequest, Phase, Telecrm, Upserted,
};
use telecrm_emulator::Emulator;

fn field(name: &str) -> FieldPath {
    FieldPath::Field(name.to_owned())
}

// Creation

#[tokio::test]
async fn le2_a_creation_reports_what_was_ignored() {
    let emulator = emulator().await;
    let sent = jane()
        .set("rating", 9)
        .action(visit("first"))
        .action(CustomAction::new(9999).expect("a code"));
    let outcome = client(&emulator).leads().create(&sent).await;
    let outcome = outcome.expect("created");
    assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
    let statuses: Vec<_> = outcome.actions().iter().map(|action| &action.status).collect();
    assert_eq!(statuses, [&ActionStatus::Created, &ActionStatus::Ignored]);
    let incomplete = outcome.complete().expect_err("parts were ignored");
    let remark = &incomplete.outcome().remarks()[0];
    assert_eq!(remark.path, field("rating"));
    assert_eq!(remark.sent, Some(9.into()));
}

/// An emulator with a lead that has one action, and the ID of the lead.
async fn with_a_visited_lead() -> (Emulator, Telecrm, String) {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let created = telecrm.leads().create(&jane().action(visit("first"))).await;
    let id = created.expect("created").complete().expect("complete").lead_id;
    (emulator, telecrm, id)
}

#[tokio::test]
async fn ac2_a_created_action_is_read_back_under_its_code() {
    let (_emulator, telecrm, id) = with_a_visited_lead().await;
    let page = PageRequest { skip: 0, limit: 5 };
    let read = telecrm.leads().get_with_actions(&id, page).await;
    let read = read.expect("read");
    assert_eq!(read.actions()[0].kind(), ActionKind::Custom(1001.into()));
}

#[tokio::test]
async fn a_lead_is_read_without_its_actions_unless_they_are_asked_for() {
    let (_emulator, telecrm, id) = with_a_visited_lead().await;
    let read = telecrm.leads().get(&id).await.expect("read");
    assert!(read.actions().is_empty());
}

#[tokio::test]
async fn le4_a_second_creation_is_refused() {
    let emulator = emulator().await;
    let leads = client(&emulator).leads();
    let _ = leads.create(&jane()).await.expect("created");
    let error = leads.create(&jane()).await.expect_err("exists");
    assert!(error.is_already_exists());
    assert_eq!(error.code(), Some(&ErrorCode::LeadAlreadyExists));
    assert!(!error.is_outcome_unknown());
}

#[tokio::test]
async fn as6_a_creation_reports_an_unknown_key() {
    let emulator = emulator().await;
    let lead = json!({ "fields": { "phone": "918888888888" }, "campaign": "June" });
    let lead = Lead::from_json(lead).expect("a lead");
    let created = client(&emulator).leads().create(&lead).await;
    let complete = created.expect("created").complete();
    assert!(complete.is_err(), "the campaign is lost");
}

async fn an_id_that_no_path_segment_can_hold_is_refused_unsent(id: &str) {
    let server = MockServer::start_async().await;
    let everything = server.mock(|when, then| {
        when.any_request();
        then.status(200).json_body(json!({ "fields": {} }));
    });
    let error = client_without_retries(&server).leads().get(id).await;
    let error = error.expect_err("refused");
    assert_eq!(error.phase(), Phase::NotBuilt, "{id:?}");
    everything.assert_calls(0);
}

cases! { async an_id_that_no_path_segment_can_hold_is_refused_unsent:
    nothing("");
    a_dot(".");
    two_dots("..");
    a_control_character("a\nb");
}

// Updates

/// An emulator with one lead, which is updated in one field.
struct OneLead {
    emulator: Emulator,
    telecrm: Telecrm,
    id: String,
}

impl OneLead {
    async fn create() -> Self {
        let emulator = emulator().await;
        let telecrm = client(&emulator);
        let created = telecrm.leads().create(&jane()).await.expect("created");
        let id = created.accept_partial().lead_id;
        Self { emulator, telecrm, id }
    }

    async fn update(
        &self,
        name: &str,
        value: impl Into<FieldValue>,
    ) -> Result<Outcome<LeadRecord>, Error> {
        let fields = BTreeMap::from([(name.to_owned(), value.into())]);
        self.telecrm.leads().update(&self.id, fields).await
    }
}

async fn an_update_that_would_be_lost_is_refused_unsent(
    name: &str,
    value: impl Into<FieldValue>,
    pitfall: &str,
) {
    let lead = OneLead::create().await;
    let before = lead.emulator.log(0).len();
    let error = lead.update(name, value).await.expect_err(pitfall);
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(error.to_string().contains(pitfall), "{error}");
    assert_eq!(error.finding().expect("a finding").path, field(name));
    let sent = lead.emulator.log(0).split_off(before);
    assert!(sent.iter().all(|call| call.method == "GET"), "only the workspace was read");
}

cases! { async an_update_that_would_be_lost_is_refused_unsent:
    le1_the_identifier("phone", "918888888888", "LE1");
    as3_a_rating_out_of_range("rating", 7, "AS3");
    le8_an_unknown_status("status", "Aliens", "LE8");
    as6_an_unknown_field("nonsense", 1, "AS6");
}

async fn le9_an_update_sets_a_status_of_the_pipeline(written: &str, stored: &str) {
    let lead = OneLead::create().await;
    let updated = lead.update("status", written).await.expect("updated");
    let updated = updated.complete().expect("complete");
    assert_eq!(updated.get("status"), Some(&stored.into()));
}

cases! { async le9_an_update_sets_a_status_of_the_pipeline:
    in_its_own_spelling("Won", "Won");
    in_another_spelling("lost", "Lost");
}

#[tokio::test]
async fn an_update_reports_a_new_tag_and_a_blank_one() {
    let lead = OneLead::create().await;
    let updated = lead.update("interests", ["Solar", " "]).await;
    let updated = updated.expect("updated");
    let path = field("interests");
    assert_eq!(updated.remarks()[0].path, path);
    assert_eq!(
        (updated.findings()[0].kind, &updated.findings()[0].path),
        (FindingKind::OptionCreated, &path)
    );
    let updated = updated.accept_partial();
    assert_eq!(updated.get("interests"), Some(&["Solar"].into()));
}

#[tokio::test]
async fn an_update_reports_a_time_in_seconds() {
    let lead = OneLead::create().await;
    let updated = lead.update("follow_up_date", 1_780_000_000).await;
    let found = &updated.expect("updated").findings()[0].clone();
    assert_eq!(found.kind, FindingKind::Doubtful);
    assert_eq!(found.path, field("follow_up_date"));
}

#[tokio::test]
async fn an_update_of_an_unknown_lead_is_an_error() {
    let emulator = emulator().await;
    let leads = client(&emulator).leads();
    let missing = leads.update("62ab16e", BTreeMap::new()).await;
    let missing = missing.expect_err("no such lead");
    assert_eq!(missing.code(), Some(&ErrorCode::LeadNotFound));
}

/// A fake that has the lead `row` and shows it after every write.
fn fake_with(row: &serde_json::Value) -> FakeTelecrm {
    FakeTelecrm::new()
        .always(Operation::CreateLead, lead_exists())
        .always(Operation::SearchLeads, Response::page([row.clone()]))
        .always(Operation::UpdateLead, Response::json(row.clone()))
}

fn rated_row() -> serde_json::Value {
    json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "rating": 4 } })
}

#[tokio::test]
async fn an_update_takes_fields_in_any_form() {
    let fake = fake_with(&rated_row());
    let leads = fake.client().leads();
    let lead = Lead::new().set("rating", 4);
    let _ = leads.update("62ab16e", &lead).await.expect("a lead");
    let _ = leads.update("62ab16e", lead).await.expect("a lead");
    let _ = leads.update("62ab16e", vec![("rating", 4)]).await.expect("pairs");
    let map = HashMap::from([("rating".to_owned(), FieldValue::from(4))]);
    let _ = leads.update("62ab16e", map).await.expect("a map");
    let bodies = fake.requests_to(Operation::UpdateLead);
    let expected = json!({ "fields": { "rating": 4 } });
    assert!(bodies.len() == 4 && bodies.iter().all(|request| request.body() == Some(&expected)));
}

#[tokio::test]
async fn an_update_with_more_than_fields_is_refused_unsent() {
    let fake = fake_with(&rated_row());
    let leads = fake.client().leads();
    let error = leads.update("62ab16e", Lead::new().action(visit("called"))).await;
    let error = error.expect_err("an action").to_string();
    assert_eq!(error, "updating a lead failed: an update cannot write actions");
    let other: Lead = serde_json::from_value(json!({ "fields": {}, "note": 1 })).expect("a lead");
    let error = leads.update("62ab16e", other).await.expect_err("a key").to_string();
    assert_eq!(error, "updating a lead failed: an update writes fields only, not `note`");
    assert!(fake.requests_to(Operation::UpdateLead).is_empty());
}

#[tokio::test]
async fn an_update_with_a_blank_text_is_refused_unsent() {
    let fake = fake_with(&rated_row());
    let error = fake.client().leads().update("62ab16e", [("name", " ")]).await;
    let error = error.expect_err("nothing would change");
    assert_eq!(error.finding().expect("a finding").path, field("name"));
    assert!(fake.requests_to(Operation::UpdateLead).is_empty());
}

#[tokio::test]
async fn an_update_with_null_is_refused_unsent() {
    let fake = fake_with(&rated_row());
    let changes = BTreeMap::from([("rating".to_owned(), FieldValue::null())]);
    let error = fake.client().leads().update("62ab16e", changes).await;
    let error = error.expect_err("nothing would change");
    let finding = error.finding().expect("a finding");
    assert_eq!(finding.path, field("rating"));
    assert!(finding.reason.contains("no way to clear"), "{finding}");
    assert!(fake.requests_to(Operation::UpdateLead).is_empty());
}

#[tokio::test]
async fn an_upsert_leaves_out_null() {
    let fake = fake_with(&rated_row());
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("name", "Jane")
        .set("rating", FieldValue::null());
    let upserted = fake.client().leads().upsert(&lead).await.expect("updated");
    assert!(matches!(upserted, Upserted::Updated { .. }));
    let sent = fake.requests_to(Operation::UpdateLead)[0].body().cloned();
    assert_eq!(sent, Some(json!({ "fields": { "name": "Jane" } })));
}

/// The status was archived a minute ago, which this client does not know yet.
fn with_an_archived_status() -> (FakeTelecrm, Lead) {
    let row = json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "status": "Fresh",
        "rating": "4", "follow_up_date": 1_780_290_000_000_i64 } });
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("status", "contacted")
        .set("rating", 4)
        .set("follow_up_date", "01/06/2026 10:30")
        .set("name", FieldValue::blank());
    (fake_with(&row), lead)
}

#[track_caller]
fn assert_that_only_the_status_is_lost(outcome: Outcome<LeadRecord>) {
    let incomplete = outcome.complete().expect_err("the status is lost");
    assert_eq!(
        incomplete.to_string(),
        "telecrm stored only a part: \
         fields.status not stored: sent, but the response does not show it (LE8)"
    );
}

#[tokio::test]
async fn le8_an_update_that_the_answer_does_not_show_is_reported() {
    let (fake, lead) = with_an_archived_status();
    let mut changes = lead.fields().clone();
    changes.remove("phone");
    let updated = fake.client().leads().update("62ab16e", changes).await;
    assert_that_only_the_status_is_lost(updated.expect("answered"));
}

#[tokio::test]
async fn le8_an_upsert_that_the_answer_does_not_show_is_reported() {
    let (fake, lead) = with_an_archived_status();
    let upserted = fake.client().leads().upsert(&lead).await;
    let Upserted::Updated { lead: upserted, .. } = upserted.expect("answered") else {
        panic!("the lead existed");
    };
    assert_that_only_the_status_is_lost(upserted);
}

#[tokio::test]
async fn an_update_of_a_lead_with_the_id_search_is_refused_unsent() {
    // The path of this update is the path of a search.
    let fake = FakeTelecrm::new();
    let name = BTreeMap::from([("name".to_owned(), FieldValue::from("Jane"))]);
    let refused = fake.client().leads().update("search", name).await;
    let refused = refused.expect_err("`search` is not an ID");
    assert_eq!(refused.phase(), Phase::NotBuilt, "{refused}");
    assert!(refused.to_string().contains("`search` is not an ID"), "{refused}");
    let sent = fake.requests();
    assert!(sent.iter().all(|request| request.method() == "GET"));
}

// Upserts

#[tokio::test]
async fn an_upsert_creates_a_lead_that_does_not_exist() {
    let emulator = emulator().await;
    let upserted = client(&emulator).leads().upsert(&jane()).await;
    let Upserted::Created(created) = upserted.expect("created") else {
        panic!("the lead did not exist");
    };
    assert!(created.complete().is_ok());
}

#[tokio::test]
async fn an_upsert_updates_a_lead_that_exists_and_keeps_its_other_fields() {
    let emulator = emulator().await;
    let leads = client(&emulator).leads();
    let Upserted::Created(created) = leads.upsert(&jane()).await.expect("created") else {
        panic!("the lead did not exist");
    };
    let id = created.complete().expect("complete").lead_id;
    let again = Lead::new().set("phone", "+919999999999").set("rating", 4);
    let Upserted::Updated { lead_id, lead, actions } = leads.upsert(&again).await.expect("updated")
    else {
        panic!("the lead existed");
    };
    assert_eq!((lead_id, actions), (id, None));
    assert!(lead.findings().is_empty());
    let lead = lead.complete().expect("complete");
    assert_eq!(lead.get("rating"), Some(&4.into()));
    assert_eq!(lead.get("name"), Some(&"Jane Doe".into()), "kept");
}

/// A lead with an unknown key, and two values that may be new options.
fn lead_of_a_campaign(source: &str, outcome: &str) -> Lead {
    let lead = json!({ "campaign": "June",
        "fields": { "phone": "919999999999", "contact_source": source },
        "actions": [{ "type": "ACTION_1001", "fields": { "outcome": outcome } }] });
    Lead::from_json(lead).expect("a lead")
}

const LOST_CAMPAIGN: &str = "campaign field_dropped";
const NEW_SOURCE: &str = "fields.contact_source option_created";
const NEW_OUTCOME: &str = "actions[0].fields.outcome option_created";

fn paths_and_kinds(findings: &[Finding]) -> Vec<String> {
    let findings = findings.iter();
    findings.map(|finding| format!("{} {}", finding.path, finding.kind)).collect()
}

#[tokio::test]
async fn en5_as6_an_upsert_that_creates_reports_new_options_and_an_unknown_key() {
    let emulator = emulator().await;
    let lead = lead_of_a_campaign("Billboard", "Perhaps");
    let Ok(Upserted::Created(created)) = client(&emulator).leads().upsert(&lead).await else {
        panic!("the lead did not exist");
    };
    assert_eq!(paths_and_kinds(created.findings()), [LOST_CAMPAIGN, NEW_SOURCE, NEW_OUTCOME]);
    let incomplete = created.complete().expect_err("the campaign is lost");
    assert!(incomplete.to_string().contains("campaign"), "{incomplete}");
}

async fn en5_as6_an_upsert_that_updates_reports_new_options_and_an_unknown_key(
    source: &str,
    expected: &[&str],
) {
    let emulator = emulator().await;
    let leads = client(&emulator).leads();
    let first = lead_of_a_campaign("Billboard", "Perhaps");
    let _ = leads.upsert(&first).await.expect("created");
    let lead = lead_of_a_campaign(source, &format!("{source} call"));
    let Ok(Upserted::Updated { lead, actions, .. }) = leads.upsert(&lead).await else {
        panic!("the lead existed");
    };
    let actions = actions.expect("one action was sent");
    let findings = [lead.findings(), actions.findings()].concat();
    assert!(lead.complete().is_err(), "the campaign is lost");
    let found = paths_and_kinds(&findings);
    assert_eq!(found.len(), expected.len(), "{source}: {found:?}");
    for finding in expected {
        assert!(found.contains(&(*finding).to_owned()), "{source}: {found:?}");
    }
}

cases! { async en5_as6_an_upsert_that_updates_reports_new_options_and_an_unknown_key:
    two_new_options("Radio", &[LOST_CAMPAIGN, NEW_SOURCE, NEW_OUTCOME]);
    // The client writes the label as the workspace spells it, so telecrm creates no option.
    a_label_in_another_case("website", &[LOST_CAMPAIGN, NEW_OUTCOME]);
}

/// A workspace that has the lead, and its answer to new actions.
fn existing(actions: Response) -> FakeTelecrm {
    let row = json!({ "id": "l1", "fields": { "phone": "919999999999" } });
    FakeTelecrm::new()
        .on(Operation::CreateLead, lead_exists())
        .on(Operation::SearchLeads, Response::page([row.clone()]))
        .on(Operation::UpdateLead, Response::json(row.clone()))
        .on(Operation::GetLead, Response::json(row))
        .on(Operation::CreateActions, actions)
}

async fn an_upsert_that_fails_halfway_says_what_was_written(
    answer: Response,
    with_a_field: bool,
    text: &str,
    hint: Option<&str>,
) {
    let fake = existing(answer);
    let mut lead = Lead::new().set("phone", "919999999999").action(visit("called"));
    if with_a_field {
        lead = lead.set("rating", 4);
    }
    let error = fake.client().leads().upsert(&lead).await;
    let error = error.expect_err("the actions were not created");
    assert_eq!((error.to_string().as_str(), error.hint()), (text, hint));
    assert_eq!(error.updated_lead(), with_a_field.then_some("l1"));
    assert_eq!(fake.requests_to(Operation::UpdateLead).len(), usize::from(with_a_field));
}

fn no_such_action() -> Response {
    Response::error(400, ErrorCode::BadRequest, "no such action")
}

cases! { async an_upsert_that_fails_halfway_says_what_was_written:
    the_actions_are_refused_after_the_fields(
        no_such_action(),
        true,
        "creating actions failed after the fields of the lead were updated: \
         the server answered 400 BAD_REQUEST: no such action",
        Some("create only the actions: the fields of the lead are stored"),
    );
    the_actions_time_out_after_the_fields(
        Response::timeout(),
        true,
        "creating actions failed after the fields of the lead were updated, outcome unknown: \
         no response arrived in time",
        Some("read the timeline of the lead, and create only the actions that are missing"),
    );
    the_actions_are_refused_and_no_field_was_written(
        no_such_action(),
        false,
        "creating actions failed: the server answered 400 BAD_REQUEST: no such action",
        None,
    );
}

#[tokio::test]
async fn ac1_an_upsert_writes_nothing_if_its_actions_cannot_be_created() {
    let fake = existing(Response::created("l1"));
    let lead = json!({ "fields": { "phone": "919999999999", "rating": 4 },
        "actions": [{ "type": "CALL" }] });
    let lead = Lead::from_json(lead).expect("a lead");
    let error = fake.client().leads().upsert(&lead).await.expect_err("AC1");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(error.to_string().contains("AC1"), "{error}");
    assert!(fake.requests_to(Operation::UpdateLead).is_empty());
}

// Searches

/// Twelve leads, every third of them won.
async fn twelve_leads() -> (Emulator, Telecrm) {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    for serial in 0..12 {
        let status = if serial % 3 == 0 { "Won" } else { "Fresh" };
        let lead = Lead::new().set("phone", format!("9199999999{serial:02}")).set("status", status);
        let _ = telecrm.leads().create(&lead).await.expect("created");
    }
    (emulator, telecrm)
}

#[tokio::test]
async fn a_search_returns_the_newest_leads_first() {
    let (_emulator, telecrm) = twelve_leads().await;
    let all = telecrm.leads().search(&Filter::new(), PageRequest::default()).await.expect("found");
    assert_eq!((all.data.len(), all.total_count, all.limit), (10, 12, 10));
    assert_eq!(all.data[0].get("phone"), Some(&"919999999911".into()));
}

#[tokio::test]
async fn a_search_filters_by_several_values_and_skips() {
    let (_emulator, telecrm) = twelve_leads().await;
    let won = Filter::new().any_of("status", ["Won", "Lost"]);
    let page = PageRequest { skip: 1, limit: 2 };
    let won = telecrm.leads().search(&won, page).await.expect("found");
    assert_eq!((won.data.len(), won.total_count, won.skip), (2, 4, 1));
}

#[tokio::test]
async fn le5_a_page_of_more_than_a_hundred_leads_is_refused_unsent() {
    let emulator = emulator().await;
    let page = PageRequest { skip: 0, limit: 101 };
    let error = client(&emulator).leads().search(&Filter::new(), page).await;
    let error = error.expect_err("LE5");
    assert_eq!(error.phase(), Phase::NotBuilt);
}
