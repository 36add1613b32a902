//! Answers that differ from the documentation: they are read as far as possible, and an answer that
//! says nothing is an error.

use crate::support::planted;
use crate::support::{bare_lead, bare_visit, cases, client_without_retries, random, rounds, visit};
use httpmock::{Method, MockServer};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use telecrm::response::{Availability, TeamMemberRole};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionFilter, ActionKind, ActionRecord, Created, Error, ErrorCode, Filter, Lead, LeadRecord,
    NewTeamMember, Operation, Outcome, PageRequest, Phase, Telecrm,
};

fn json_text(body: impl Into<String>) -> Response {
    Response::text(200, "application/json", body)
}

fn is_unreadable<T>(result: Result<T, Error>) -> bool {
    result.is_err_and(|error| error.phase() == Phase::Unreadable)
}

// Errors with a success status

/// Every operation reads this body as an error, even if it has all that a success has as well.
async fn an_error_body_with_a_success_status_is_an_error_of_every_operation(
    body: &str,
    code: Option<ErrorCode>,
    message: Option<&str>,
) {
    let mut failures = Vec::new();
    for operation in Operation::ALL.iter().copied() {
        let telecrm = FakeTelecrm::new().on(operation, json_text(body)).client();
        let error = match planted::call(&telecrm, operation).await {
            Ok(_) => {
                failures.push(format!("{operation} succeeds"));
                continue;
            }
            Err(error) => error,
        };
        let text = error.to_string();
        for (property, holds) in [
            ("phase", error.phase() == Phase::Unreadable),
            ("code", error.code() == code.as_ref()),
            ("message", error.message() == message),
            ("operation", error.operation() == Some(operation)),
            ("is_outcome_unknown", error.is_outcome_unknown() != operation.is_read()),
            ("is_transient", !error.is_transient()),
            ("text", text.contains("the server returned an error body with success status 200")),
        ] {
            if !holds {
                failures.push(format!("{operation}: {property} of {error:?}"));
            }
        }
    }
    assert_eq!(failures, [""; 0]);
}

cases! { async an_error_body_with_a_success_status_is_an_error_of_every_operation:
    an_envelope(
        r#"{"error":{"code":"NOT_AUTHORIZED","message":"Invalid or missing access token."}}"#,
        Some(ErrorCode::NotAuthorized),
        Some("Invalid or missing access token."),
    );
    a_text(r#"{"error":"maintenance"}"#, None, Some("maintenance"));
    a_flag_after_a_byte_order_mark(
        "\u{feff}{\"error\":true,\"message\":\"maintenance\"}",
        None,
        Some("maintenance"),
    );
    a_code_that_is_a_number(r#"{"status":"QUEUED","error":{"code":7}}"#, None, None);
    a_truncated_character(
        r#"{"error":{"message":"cut \ud83d"},"took":1e999}"#,
        None,
        Some("cut \u{fffd}"),
    );
    a_repeated_key(r#"{"error":"first","error":"second"}"#, None, Some("second"));
    all_keys_of_a_success(
        r#"{"error":{"message":"half done"},"lead_id":"l1","id":"l1","fields":{"phone":"1"},
            "data":[],"total_count":0,"type":"1001","name":"n","email":"a@example.com",
            "status":"QUEUED","apiName":"x","code":"ACTION_1001","customFields":[],
            "customActions":[],"leadStages":[]}"#,
        None,
        Some("half done"),
    );
}

async fn an_empty_error_key_is_ignored(nothing: &str) {
    let body = format!(r#"{{"id":"62ab16e","error":{nothing}}}"#);
    let telecrm = FakeTelecrm::new().on(Operation::GetLead, json_text(body));
    let lead = telecrm.client().leads().get("62ab16e").await;
    assert!(lead.is_ok(), "{nothing}");
}

cases! { async an_empty_error_key_is_ignored:
    null("null");
    false_("false");
    a_blank_text("\" \"");
    zero("0");
    an_empty_list("[]");
    an_empty_object("{}");
}

// Pages

async fn a_body_without_a_page_is_unreadable_and_not_an_empty_page(body: &str) {
    let telecrm = FakeTelecrm::new()
        .always(Operation::SearchLeads, json_text(body))
        .always(Operation::SearchActions, json_text(body))
        .always(Operation::ListTeamMembers, json_text(body))
        .client();
    let leads = telecrm.leads();
    let actions = leads.actions("62ab16e");
    let members = telecrm.team_members();
    let unreadable = [
        ("count", is_unreadable(leads.count(&Filter::new()).await)),
        ("leads", is_unreadable(leads.stream(Filter::new()).collect().await)),
        ("actions", is_unreadable(actions.stream(ActionFilter::new()).collect().await)),
        ("members", is_unreadable(members.stream().collect().await)),
    ];
    assert_eq!(unreadable, ["count", "leads", "actions", "members"].map(|call| (call, true)));
}

cases! { async a_body_without_a_page_is_unreadable_and_not_an_empty_page:
    an_empty_object("{}");
    a_message(r#"{"message":"maintenance"}"#);
    an_error(r#"{"error":{"code":"X"}}"#);
    another_key(r#"{"leads":[{"id":"1"}]}"#);
    no_items_of_many(r#"{"data":[],"total_count":500}"#);
    null(r#"{"data":null}"#);
    null_of_many(r#"{"data":null,"total_count":500}"#);
    an_object(r#"{"data":{},"total_count":0}"#);
}

fn fake_with_an_empty_page(data: Value) -> FakeTelecrm {
    let empty = Response::json(json!({ "data": data, "total_count": 0 }));
    FakeTelecrm::new().always(Operation::SearchLeads, empty)
}

async fn an_empty_page_counts_no_leads(data: Value) {
    let leads = fake_with_an_empty_page(data).client().leads();
    assert_eq!(leads.count(&Filter::new()).await.expect("counted"), 0);
}

cases! { async an_empty_page_counts_no_leads:
    a_list(json!([]));
    null(json!(null));
}

async fn a_page_past_the_end_is_empty(data: Value) {
    let leads = fake_with_an_empty_page(data).client().leads();
    let past_the_end = PageRequest { skip: 7, limit: 5 };
    let page = leads.search(&Filter::new(), past_the_end).await;
    assert_eq!(page.expect("read").data, []);
}

cases! { async a_page_past_the_end_is_empty:
    a_list(json!([]));
    null(json!(null));
}

// Leads and outcomes

/// Whether this answer to a read and to an update is unreadable.
async fn unreadable_as_a_lead(body: &str) -> [bool; 2] {
    let fake = FakeTelecrm::new()
        .on(Operation::GetLead, json_text(body))
        .on(Operation::UpdateLead, json_text(body));
    let leads = fake.client().leads();
    let read = leads.get("62ab16e").await;
    let updated = leads.update("62ab16e", [("rating", 4)]).await;
    [is_unreadable(read), is_unreadable(updated)]
}

async fn a_body_without_a_lead_is_unreadable_and_not_an_empty_lead(body: &str) {
    assert_eq!(unreadable_as_a_lead(body).await, [true, true], "{body}");
}

cases! { async a_body_without_a_lead_is_unreadable_and_not_an_empty_lead:
    an_empty_object("{}");
    an_error(r#"{"error":{"code":"X"}}"#);
    a_message(r#"{"message":"maintenance"}"#);
}

async fn a_body_with_a_part_of_a_lead_is_read(body: &str) {
    assert_eq!(unreadable_as_a_lead(body).await, [false, false], "{body}");
}

cases! { async a_body_with_a_part_of_a_lead_is_read:
    empty_fields(r#"{"fields":{}}"#);
    an_id(r#"{"id":"62ab16e"}"#);
    a_status(r#"{"status":"Fresh"}"#);
}

/// An answer to a write with parts that have another type than documented.
fn partly_unreadable() -> Response {
    Response::json(json!({ "lead_id": "l1", "actions": { "created": 1 }, "remarks": [7] }))
}

#[track_caller]
fn assert_created_and_incomplete(outcome: Outcome<Created>) {
    let incomplete = outcome.complete().expect_err("not understood");
    assert!(incomplete.to_string().contains(r#"{"created":1}"#));
    assert_eq!(incomplete.into_outcome().accept_partial().lead_id, "l1");
}

#[tokio::test]
async fn a_creation_is_a_success_even_if_a_part_of_its_answer_is_unreadable() {
    let fake = FakeTelecrm::new().on(Operation::CreateLead, partly_unreadable());
    let lead = bare_lead().action(visit("x"));
    let created = fake.client().leads().create(&lead).await;
    assert_created_and_incomplete(created.expect("created"));
}

#[tokio::test]
async fn new_actions_are_a_success_even_if_a_part_of_the_answer_is_unreadable() {
    let fake = FakeTelecrm::new().on(Operation::CreateActions, partly_unreadable());
    let actions = fake.client().leads().actions("l1");
    let created = actions.create([visit("x")]).await;
    assert_created_and_incomplete(created.expect("created"));
}

#[tokio::test]
async fn a_byte_order_mark_before_a_read_lead_is_ignored() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::GET).path("/autoupdate/v2/enterprise/ent/lead/l1");
        then.status(200).body("\u{feff}{\"id\":\"l1\",\"fields\":{\"name\":\"Jane\"}}");
    });
    let found = client_without_retries(&server).leads().get("l1").await;
    assert_eq!(found.expect("a lead").get("name"), Some(&"Jane".into()));
}

#[tokio::test]
async fn a_byte_order_mark_before_a_created_lead_is_ignored() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST).path("/autoupdate/v2/enterprise/ent/lead");
        then.status(201).body("\u{feff}{\"lead_id\":\"l2\",\"actions\":[]}");
    });
    let leads = client_without_retries(&server).leads();
    let created = leads.create(&bare_lead()).await.expect("created");
    assert_eq!(created.complete().expect("no losses").lead_id, "l2");
}

// Unreadable values of unknown keys

/// An answer with these members, and with values that serde refuses under unknown keys.
fn with_unreadable_extra_values(members: &str) -> Response {
    let extra = r#""huge":1e999,"description":"cut \ud83d""#;
    json_text(format!("{{{extra},{members}}}"))
}

#[tokio::test]
async fn a_workspace_is_discovered_despite_unreadable_values_of_unknown_keys() {
    let field = r#""customFields":[{"huge":1e999,"description":"cut \ud83d","apiName":"phone","type":"PHONE"}]"#;
    let fake = [
        (Operation::GetMetadata, r#""leadIdentifierFieldId":"phone""#),
        (Operation::ListCustomFields, field),
        (Operation::ListCustomActions, r#""customActions":[]"#),
        (Operation::GetLeadStagePipeline, r#""leadStages":[]"#),
    ]
    .into_iter()
    .fold(FakeTelecrm::new(), |fake, (operation, members)| {
        fake.on(operation, with_unreadable_extra_values(members))
    });
    let workspace = fake.client().workspace().await.expect("discovered");
    assert_eq!(workspace.identifier().api_name(), "phone");
}

#[tokio::test]
async fn a_pipeline_is_read_despite_unreadable_values_of_unknown_keys() {
    let answer = with_unreadable_extra_values(r#""leadStages":[]"#);
    let fake = FakeTelecrm::new().on(Operation::GetLeadStagePipeline, answer);
    assert!(fake.client().schema().pipeline().await.is_ok());
}

#[tokio::test]
async fn a_reply_is_read_as_json_despite_unreadable_values() {
    let answer = with_unreadable_extra_values(r#""n":1"#);
    let telecrm = FakeTelecrm::new().on_request(answer).client();
    let reply = telecrm.request(telecrm::Method::Get, "/x").send().await;
    assert_eq!(reply.expect("read").json().expect("JSON")["n"], 1);
}

// Other forms and places of the same value

fn a_lead_is_read_the_same_in_every_form(text: &str) {
    let lead: LeadRecord = serde_json::from_str(text).expect("a lead");
    assert_eq!(
        (lead.id(), lead.status(), lead.assignee()),
        (Some("l1"), Some("Won"), Some("j@x.in"))
    );
    assert_eq!(lead.created(), Some("2026-06-01T05:00:00Z".parse().expect("a time")));
}

cases! { a_lead_is_read_the_same_in_every_form:
    status_and_assignee_outside_the_fields(
        r#"{ "id": "l1", "status": "Won", "employeeid": "j@x.in",
            "fields": { "created_on": 1780290000000 } }"#,
    );
    creation_time_outside_the_fields_and_in_quotes(
        r#"{ "lead_id": "l1", "created_on": "1780290000000",
            "fields": { "status": "Won", "assignee": "j@x.in" } }"#,
    );
    a_status_that_is_null_in_the_fields(
        r#"{ "fields": { "created_on": "1780290000000", "employeeid": "j@x.in", "status": null },
            "status": "Won", "_id": "l1" }"#,
    );
}

fn an_action_is_read_the_same_in_every_form(text: &str) {
    let entry: ActionRecord = serde_json::from_str(text).expect("an action");
    assert_eq!(entry.created(), Some("2026-06-01T05:00:00Z".parse().expect("a time")));
    assert_eq!(entry.kind(), ActionKind::Custom(1001.into()));
}

cases! { an_action_is_read_the_same_in_every_form:
    a_bare_code(r#"{ "type": "1001", "creationTimestamp": 1780290000000 }"#);
    a_code_with_its_prefix(r#"{ "creationTimestamp": "1780290000000", "type": "ACTION_1001" }"#);
}

// Random changes of every answer

/// A difference between the documentation and what the server answers.
#[derive(Debug, Clone)]
enum Change {
    /// Adds an unknown key to each object.
    Add(String, i64),
    /// Replaces a value of an open list with an unknown one.
    Rename(prop::sample::Index),
    /// Replaces an optional value with null.
    Null(prop::sample::Index),
    /// Writes numbers in quotes.
    Quote,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        ("x_[a-z]{1,8}", any::<i64>()).prop_map(|(key, value)| Change::Add(key, value)),
        any::<prop::sample::Index>().prop_map(Change::Rename),
        any::<prop::sample::Index>().prop_map(Change::Null),
        Just(Change::Quote),
    ]
}

/// The keys whose values are of open lists.
const ENUMS: &[&str] = &["currency", "role", "source", "stageType", "status", "type"];

/// The keys that an answer cannot do without.
const NEEDED: &[&str] = &[
    "activeStatuses",
    "apiName",
    "code",
    "customActions",
    "customFields",
    "data",
    "fields",
    "label",
    "leadStages",
    "lead_id",
    "reasonLabel",
];

fn apply(json: &mut Value, change: &Change) {
    match json {
        Value::Object(object) => {
            let mut chosen = |at: &prop::sample::Index, with: Value, fit: &dyn Fn(&str) -> bool| {
                let fitting: Vec<_> = object.iter_mut().filter(|(key, _)| fit(key)).collect();
                if !fitting.is_empty() {
                    let place = at.index(fitting.len());
                    *fitting.into_iter().nth(place).expect("in range").1 = with;
                }
            };
            match change {
                Change::Add(key, value) => _ = object.insert(key.clone(), (*value).into()),
                Change::Rename(at) => chosen(at, "BRAND_NEW".into(), &|key| ENUMS.contains(&key)),
                Change::Null(at) => chosen(at, Value::Null, &|key| !NEEDED.contains(&key)),
                Change::Quote => {
                    for value in object.values_mut().filter(|value| value.is_number()) {
                        *value = value.to_string().into();
                    }
                }
            }
            for (key, value) in object {
                // The keys of a field schema are the names of fields.
                let names = key == "fieldSchema" && matches!(change, Change::Add(..));
                if !names {
                    apply(value, change);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| apply(item, change)),
        _ => {}
    }
}

/// The JSON text, with the keys of each object in a random order.
fn shuffled(json: &Value, seed: u64) -> String {
    match json {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_cached_key(|(key, _)| {
                let mut hasher = DefaultHasher::new();
                (seed, key).hash(&mut hasher);
                hasher.finish()
            });
            let members = members.into_iter();
            let members =
                members.map(|(key, value)| format!("{}:{}", json!(key), shuffled(value, seed)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shuffled(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// The value without nulls, and without objects that are then empty.
fn without_nulls(json: Value) -> Value {
    match json {
        Value::Object(object) => {
            let inside = object.into_iter().map(|(key, value)| (key, without_nulls(value)));
            inside.filter(|(_, value)| !value.is_null() && *value != json!({})).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// The answer of an operation, as documented or reported.
fn answer(operation: Operation) -> Value {
    const TIME: i64 = 1_780_290_000_000;
    let lead = json!({ "id": "l1", "status": "Won", "rating": 4, "employeeid": "jane.doe@example.com", "isArchived": false,
        "leadMetaData": { "statusChangeTimestamp": TIME },
        "fields": { "phone": "919999999999", "created_on": TIME, "interests": ["VIP"], "deal_size": 12.5 },
        "actions": [{ "type": "1001", "fields": { "note": "x" } }], "actions_skip": 0, "actions_limit": 5 });
    let entry = json!({ "id": "a1", "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000",
        "creationTimestamp": TIME, "callRecording": { "url": "https://example.com/x" } });
    let member = json!({ "name": "Jane Doe", "email": "jane.doe@example.com", "phone_number": "919876543210", "role": "CALLER",
        "status": "On Leave", "manager_name": null, "license": { "status": "ACTIVE", "type": "GROWTH" } });
    let page =
        |item: &Value| json!({ "data": [item, item], "total_count": 2, "skip": 0, "limit": 10 });
    let field = json!({ "id": "f1", "type": "DROPDOWN", "apiName": "contact_source", "lockAfterCreate": false, "isLeadid": false,
        "options": [{ "id": "opt_1", "label": "Website" }] });
    let action = json!({ "id": "c1", "code": "ACTION_1001", "displayName": "Site Visit", "score": 10, "createdOn": TIME,
        "fieldSchema": { "note": { "type": "TEXT" } }, "allowPredatedActivity": { "enabled": true }, "source": "USER" });
    match operation {
        Operation::GetLead | Operation::UpdateLead => lead,
        Operation::CreateLead | Operation::CreateActions => json!({ "lead_id": "l1",
            "actions": [{ "action_id": "a1", "status": "CREATED" }, { "action_id": null, "status": "IGNORED" }],
            "remarks": [{ "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" }] }),
        Operation::SearchLeads => page(&lead),
        Operation::GetAction | Operation::UpdateAction => entry,
        Operation::SearchActions => page(&entry),
        Operation::ListTeamMembers => page(&member),
        Operation::CreateTeamMember | Operation::GetTeamMember | Operation::SetTeamMemberState => {
            member
        }
        Operation::GetMetadata => {
            json!({ "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": TIME,
            "leadIdentifierFieldId": "phone", "integrations": ["WHATSAPP"] })
        }
        Operation::ListCustomFields => {
            json!({ "customFields": [field, { "type": "PHONE", "apiName": "phone", "isLeadid": true }] })
        }
        Operation::GetCustomField => field,
        Operation::ListCustomActions => json!({ "customActions": [action] }),
        Operation::GetCustomAction => action,
        Operation::GetLeadStagePipeline => {
            json!({ "leadStages": [{ "stageid": "s1", "stageType": "OPEN", "visibility": true,
            "activeStatuses": [{ "statusid": 1, "label": "Fresh", "color": "#FF5733" }], "archivedStatuses": [] }],
            "activeLeadLostReasons": [{ "reasonid": 1, "reasonLabel": "Price too high", "isDefault": false }],
            "archivedLeadLostReasons": [], "version": 3 })
        }
        // The client only reads whether the lead is queued, which `api/ingest.rs` tests.
        Operation::CreateOrUpdateLead => json!({ "status": "QUEUED" }),
        other => panic!("{other} has no answer here"),
    }
}

/// Makes a call. Returns its result as JSON, or `None` if the result is not the whole answer.
async fn read(telecrm: &Telecrm, operation: Operation) -> Result<Option<Value>, Error> {
    fn written(record: &impl Serialize) -> Option<Value> {
        Some(serde_json::to_value(record).expect("JSON"))
    }
    let (leads, schema, members) = (telecrm.leads(), telecrm.schema(), telecrm.team_members());
    let actions = leads.actions("l1");
    let lead = Lead::new().set("phone", "919999999999").set("rating", 4);
    let (page, jane) = (PageRequest::default(), "jane.doe@example.com");
    Ok(match operation {
        Operation::GetLead => written(&leads.get("l1").await?),
        Operation::UpdateLead => {
            let fields = BTreeMap::from([("rating".to_owned(), 4.into())]);
            written(&leads.update("l1", fields).await?.accept_partial())
        }
        Operation::CreateLead => {
            let outcome = leads.create(&lead).await?;
            assert_eq!(outcome.accept_partial().lead_id, "l1");
            None
        }
        Operation::CreateActions => {
            let outcome = actions.create([bare_visit(), bare_visit()]).await?;
            assert_eq!(outcome.accept_partial().lead_id, "l1");
            None
        }
        Operation::SearchLeads => written(&leads.search(&Filter::new(), page).await?),
        Operation::GetAction => written(&actions.get("a1").await?),
        Operation::UpdateAction => {
            written(&actions.update("a1", bare_visit()).await?.accept_partial())
        }
        Operation::SearchActions => written(&actions.search(&ActionFilter::new(), page).await?),
        Operation::ListTeamMembers => written(&members.list(page).await?),
        Operation::CreateTeamMember => {
            let member =
                NewTeamMember::new("Jane Doe", jane, "919876543210", TeamMemberRole::Caller);
            written(&members.create(&member).await?)
        }
        Operation::GetTeamMember => written(&members.get(jane).await?),
        Operation::SetTeamMemberState => {
            written(&members.set_availability(jane, Availability::OnLeave).await?)
        }
        Operation::GetMetadata => written(&schema.metadata().await?),
        Operation::ListCustomFields => Some(json!({ "customFields": schema.fields().await? })),
        Operation::GetCustomField => written(&schema.field("contact_source").await?),
        Operation::ListCustomActions => Some(json!({ "customActions": schema.actions().await? })),
        Operation::GetCustomAction => written(&schema.action(1001).await?),
        Operation::GetLeadStagePipeline => {
            let pipeline = schema.pipeline().await?;
            assert_eq!(pipeline.active_statuses().collect::<Vec<_>>(), ["Fresh"]);
            None
        }
        Operation::CreateOrUpdateLead => {
            let _ = telecrm.ingest().push(&lead).await?;
            None
        }
        other => panic!("{other} has no call here"),
    })
}

/// Of a list of fields or actions, the client returns the items only.
fn without_envelope(answer: Value, operation: Operation) -> Value {
    match operation {
        Operation::ListCustomFields => json!({ "customFields": answer["customFields"] }),
        Operation::ListCustomActions => json!({ "customActions": answer["customActions"] }),
        _ => answer,
    }
}

#[test]
fn a_changed_answer_is_read_and_nothing_of_it_is_lost() {
    rounds::run(answers_are_read);
}

fn answers_are_read(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let fake = FakeTelecrm::new();
    let telecrm = fake.client();
    let _ = runtime.block_on(telecrm.workspace()).expect("discovered");
    let values = (prop::collection::vec(change(), 0..4), any::<u64>());
    let outcome = random::cases(seed, 256).run(&values, |(changes, seed)| {
        for operation in Operation::ALL {
            let mut changed = answer(*operation);
            if *operation != Operation::CreateOrUpdateLead {
                changes.iter().for_each(|change| apply(&mut changed, change));
            }
            let body = shuffled(&changed, seed);
            let _ = fake.clone().on(*operation, Response::text(200, "application/json", &*body));
            match runtime.block_on(read(&telecrm, *operation)) {
                Ok(Some(written)) => prop_assert_eq!(
                    without_nulls(written),
                    without_nulls(without_envelope(changed, *operation))
                ),
                Ok(None) => {}
                Err(error) => prop_assert!(false, "{:#}: {}", error, body),
            }
        }
        // The four answers are a workspace as well, as long as no value is missing.
        for operation in [
            Operation::GetMetadata,
            Operation::ListCustomFields,
            Operation::ListCustomActions,
            Operation::GetLeadStagePipeline,
        ] {
            let mut changed = answer(operation);
            let present = changes.iter().filter(|change| !matches!(change, Change::Null(_)));
            present.for_each(|change| apply(&mut changed, change));
            let body = shuffled(&changed, seed);
            let _ = fake.clone().on(operation, Response::text(200, "application/json", body));
        }
        if let Err(error) = runtime.block_on(telecrm.refresh_workspace()) {
            prop_assert!(false, "{:#}: {:?}", error, changes);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
