//! Secrets and personal data are planted everywhere, and nothing that prints may show them.
//!
//! `Display` of values, findings and remarks is for people who ask for the data. It is not tested
//! here.

use crate::support::planted::{
    self, ASYNC_TOKEN, EMAIL, ENTERPRISE, MARKS, PHONE, PHONE_AS_WRITTEN, Printed, SYNC_TOKEN,
    fields, lead, planted, row, visit,
};
use crate::support::{Log, Reports, cases, operation_cases, own_surface, without_losses};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fmt::Debug;
use telecrm::response::{Availability, Page, TeamMember, TeamMemberRole};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    Action, ActionRecord, AsyncToken, Error, ErrorCode, FieldValue, Filter, Lead, LeadRecord,
    Method, NewTeamMember, Operation, Outcome, PaymentStatus, Receipt, SyncToken, Telecrm,
    Verification, Workspace, WorkspaceFile,
};
use telecrm_emulator::Emulator;

thread_local! {
    /// The names of the types that this test printed, among other words.
    static PRINTED_TYPES: RefCell<BTreeSet<String>> = RefCell::default();
}

#[track_caller]
fn assert_clean(what: &str, printed: &str) {
    let lower = printed.to_lowercase();
    for mark in MARKS {
        assert!(!lower.contains(mark), "{what} prints {mark}: {printed}");
    }
}

#[track_caller]
fn assert_printed_clean(printed: &Printed) {
    assert_clean(printed.type_name, &printed.text);
    let words =
        [printed.type_name, &printed.text].map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let words = words.into_iter().flatten().map(str::to_owned);
    PRINTED_TYPES.with_borrow_mut(|types| types.extend(words));
}

#[track_caller]
fn assert_debug_clean<T: Debug>(value: &T) {
    assert_printed_clean(&Printed::of(value));
}

#[track_caller]
fn assert_error_clean(what: &str, error: &Error) {
    let mut printed = format!("{error} {error:#} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(cause) = source {
        printed.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    printed.extend(error.message());
    for detail in error.details() {
        assert_debug_clean(detail);
    }
    assert_clean(what, &printed);
}

// Calls, whatever the server answers

/// Everything that a server can answer or fail to answer, with planted values in it.
fn answers() -> Vec<(&'static str, Response)> {
    let repeated = format!(
        "{PHONE}, {PHONE_AS_WRITTEN}, {EMAIL}, Canary Jane of {ENTERPRISE} with {SYNC_TOKEN} or {ASYNC_TOKEN}"
    );
    let envelope = json!({ "error": { "code": "VALIDATION_ERROR", "message": ENTERPRISE,
        "details": [{ "field": "enterprise", "message": format!("no {ENTERPRISE} for {SYNC_TOKEN}") }] } });
    let json = |status, body: &Value| Response::text(status, "application/json", body.to_string());
    vec![
        ("envelope", json(400, &envelope)),
        ("unknown code", Response::error(403, ENTERPRISE.into(), ASYNC_TOKEN)),
        (
            "text",
            json(
                401,
                &json!({ "error": format!("no {ENTERPRISE} with {SYNC_TOKEN}, {ASYNC_TOKEN}") }),
            ),
        ),
        ("web page", Response::text(502, "text/html", format!("<p>{repeated}"))),
        ("rate limit", Response::rate_limited(Some(600))),
        ("success of another shape", json(200, &json!([[repeated]]))),
        (
            "success of other types",
            json(200, &json!({ "fields": repeated, "data": repeated, "lead_id": [EMAIL] })),
        ),
        ("success that is text", Response::text(200, "text/plain", repeated)),
        ("row", json(200, &row())),
        ("page", json(200, &json!({ "data": [row()], "total_count": EMAIL }))),
        (
            "creation",
            json(
                201,
                &json!({ "lead_id": "l1", "remarks": [{ "field": "fields.phone", "status": "IGNORED", "remark": PHONE }] }),
            ),
        ),
        ("a refused connection", Response::connection_refused()),
        ("a timeout", Response::timeout()),
        ("a reset", Response::connection_reset()),
    ]
}

async fn a_call_prints_nothing_that_it_carries(operation: Operation) {
    let log = Log::default();
    let _guard = log.listen();
    let reports = Reports::default();
    let mut failed = 0;
    for (what, answer) in answers() {
        let fake = FakeTelecrm::of_enterprise(ENTERPRISE);
        let builder = planted(fake.builder()).on_call(reports.collector());
        let telecrm = builder.build().expect("builds");
        assert_debug_clean(&telecrm);
        telecrm.workspace().await.expect("discovered");
        let _fake = fake.always(operation, answer);
        match planted::call(&telecrm, operation).await {
            Ok(printed) => assert_printed_clean(&printed),
            Err(error) => {
                assert_error_clean(&format!("{operation}, {what}"), &error);
                failed += 1;
            }
        }
    }
    assert!(failed >= 8, "{operation} fails on {failed} of the answers");
    assert_debug_clean(&reports.take());
    let log = log.text();
    let method = if operation.is_read() { "GET" } else { "POST" };
    for expected in [
        format!("telecrm.operation=\"{}\"", operation.id()).as_str(),
        format!("http.request.method=\"{method}\"").as_str(),
        "http.response.status_code=502",
        "server.address=\"next.telecrm.in\"",
        "error.type=\"401\"",
        "resend_count=2",
    ] {
        assert!(log.contains(expected), "the log lacks {expected}");
    }
    assert_clean("the log", &log);
}

operation_cases!(a_call_prints_nothing_that_it_carries);

// Values that the server repeats

#[tokio::test]
async fn values_that_the_server_repeats_in_an_error_are_masked() {
    let message =
        format!("{PHONE}, +91-98123-45678 or 9812345678 and CANARY.Jane@example.com are taken");
    let body = json!({ "error": { "code": "BAD_REQUEST", "message": message,
        "details": [{ "field": "fields.phone", "message": format!("{PHONE} is not {EMAIL}") }] } });
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::text(400, "application/json", body.to_string()));
    let written = Lead::new().set("phone", PHONE_AS_WRITTEN).set("email", EMAIL);
    let error = fake.client().leads().create(&written).await.expect_err("400");
    assert_error_clean("a refusal", &error);
    assert_eq!(
        error.to_string(),
        "creating a lead failed: the server answered 400 BAD_REQUEST: …, … or … and … are taken; fields.phone: … is not …"
    );
    assert!(error.body().windows(PHONE.len()).any(|part| part == PHONE.as_bytes()));
}

/// A lead with the values below, and a fake of an enterprise that repeats them under a success.
fn fake_that_repeats() -> (FakeTelecrm, Lead) {
    let note = crate::support::visit("jane.doe@example.com");
    let lead =
        Lead::new().set("phone", "919999999999").set("email", "jane.doe@example.com").action(note);
    (FakeTelecrm::of_enterprise("ent-s3cret"), lead)
}

const REPEATED: &str = "jane.doe@example.com of +91 99999 99999 in ent-s3cret is invalid";

fn partly_stored(field: &str) -> Response {
    Response::json(json!({
        "lead_id": "62ab16e",
        "actions": [{ "action_id": "a", "status": "CREATED" }],
        "remarks": [{ "field": field, "status": "IGNORED", "remark": REPEATED }],
    }))
}

#[tokio::test]
async fn values_that_the_server_repeats_in_a_remark_are_masked() {
    let (fake, lead) = fake_that_repeats();
    let fake = fake.on(Operation::CreateLead, partly_stored("fields.email"));
    let created = fake.client().leads().create(&lead).await.expect("created");
    assert_eq!(created.remarks()[0].remark, "… of … in … is invalid");
    let incomplete = created.complete().expect_err("a part is lost").to_string();
    assert_eq!(
        incomplete,
        "telecrm stored only a part: fields.email IGNORED: … of … in … is invalid"
    );
}

#[tokio::test]
async fn values_that_the_server_repeats_in_an_error_with_a_success_status_are_masked() {
    let (fake, lead) = fake_that_repeats();
    let error = Response::json(json!({ "error": { "message": REPEATED } }));
    let fake = fake.on(Operation::CreateLead, error);
    let error = fake.client().leads().create(&lead).await;
    let error = error.expect_err("an error body");
    assert_eq!(error.message(), Some("… of … in … is invalid"));
}

#[tokio::test]
async fn only_values_of_the_request_itself_are_masked() {
    let (fake, lead) = fake_that_repeats();
    let answer = partly_stored("actions[0].fields.note");
    let fake = fake.on(Operation::CreateActions, answer);
    // These actions have the address in them, and not the phone number of the lead.
    let actions = fake.client().leads().actions("62ab16e");
    let created = actions.create(lead.actions().to_vec()).await;
    let incomplete = created.expect("answered").complete();
    let incomplete = incomplete.expect_err("a part is lost").to_string();
    assert!(incomplete.contains("… of +91 99999 99999 in …"), "{incomplete}");
}

// Calls that are refused before they are sent

async fn a_call_that_is_refused_unsent_quotes_no_value(
    call: impl AsyncFnOnce(Telecrm) -> Result<(), Error>,
) {
    let fake = FakeTelecrm::of_enterprise(ENTERPRISE);
    let telecrm = planted(fake.builder()).build().expect("builds");
    let error = call(telecrm).await.expect_err("refused");
    assert_error_clean("the error", &error);
    assert_eq!(fake.requests_to(Operation::UpdateLead), []);
}

async fn update(telecrm: Telecrm, name: &str, value: &str) -> Result<(), Error> {
    let fields = BTreeMap::from([(name.to_owned(), FieldValue::from(value))]);
    telecrm.leads().update("l1", fields).await.map(drop)
}

async fn create_member(telecrm: Telecrm, email: &str, phone: &str) -> Result<(), Error> {
    let member = NewTeamMember::new("Canary", email, phone, TeamMemberRole::Caller);
    telecrm.team_members().create(&member).await.map(drop)
}

async fn post(telecrm: Telecrm, path: &str) -> Result<(), Error> {
    let request = telecrm.request(Method::Post, path).json(&fields());
    request.send().await.map(drop)
}

fn with_a_line_break() -> String {
    format!("{PHONE}\n{EMAIL}")
}

cases! { async a_call_that_is_refused_unsent_quotes_no_value:
    an_update_of_the_identifier(async |telecrm| update(telecrm, "phone", PHONE).await);
    an_update_to_an_unknown_status(async |telecrm| update(telecrm, "status", EMAIL).await);
    an_update_to_an_unknown_reason(async |telecrm| update(telecrm, "lost_reason", PHONE).await);
    an_update_to_an_invalid_address(async |telecrm| update(telecrm, "email", PHONE).await);
    an_update_to_an_invalid_rating(async |telecrm| update(telecrm, "rating", PHONE).await);
    a_read_of_an_invalid_id(async |telecrm: Telecrm| {
        telecrm.leads().get(&with_a_line_break()).await.map(drop)
    });
    an_empty_list_of_actions(async |telecrm: Telecrm| {
        let actions: [Action; 0] = [];
        telecrm.leads().actions(PHONE).create(actions).await.map(drop)
    });
    an_action_of_an_invalid_lead_id(async |telecrm: Telecrm| {
        telecrm.leads().actions(with_a_line_break()).get(EMAIL).await.map(drop)
    });
    a_member_with_an_unclear_number(async |telecrm| {
        create_member(telecrm, EMAIL, PHONE_AS_WRITTEN).await
    });
    a_member_without_an_address(async |telecrm| create_member(telecrm, "canary", PHONE).await);
    a_read_of_a_member_without_an_address(async |telecrm: Telecrm| {
        telecrm.team_members().get("canary").await.map(drop)
    });
    an_unknown_availability(async |telecrm: Telecrm| {
        let state = Availability::Unknown(EMAIL.into());
        telecrm.team_members().set_availability(EMAIL, state).await.map(drop)
    });
    a_request_that_leaves_the_enterprise(async |telecrm| {
        post(telecrm, &format!("/lead/{PHONE}/../{EMAIL}")).await
    });
    a_request_with_a_query_in_its_path(async |telecrm| {
        post(telecrm, &format!("/lead/{PHONE}?email={EMAIL}")).await
    });
}

fn a_client_that_cannot_be_built_quotes_no_secret(enterprise: &str, sync_url: Option<&str>) {
    let mut builder = planted(Telecrm::builder(enterprise));
    if let Some(url) = sync_url {
        builder = builder.sync_url(url);
    }
    let error = builder.build().expect_err("refused");
    assert_error_clean("the error", &error);
}

cases! { a_client_that_cannot_be_built_quotes_no_secret:
    a_token_in_the_enterprise(&format!("{ENTERPRISE}:{SYNC_TOKEN}"), None);
    a_token_in_the_url(ENTERPRISE, Some(&format!("https://{SYNC_TOKEN}@telecrm.in")));
    an_insecure_url(ENTERPRISE, Some(&format!("http://{SYNC_TOKEN}.in")));
    a_text_that_is_not_a_url(ENTERPRISE, Some(SYNC_TOKEN));
}

fn a_text_that_is_not_a_token_is_not_quoted(text: &str) {
    let error = SyncToken::new(text).expect_err("not a token");
    assert_clean("TokenError", &format!("{error} {error:?}"));
}

cases! { a_text_that_is_not_a_token_is_not_quoted:
    a_whole_header(&format!("Bearer {SYNC_TOKEN}"));
    two_words(&format!("{SYNC_TOKEN} {EMAIL}"));
}

#[test]
fn a_text_that_is_not_an_action_code_is_not_quoted() {
    let error = EMAIL.parse::<telecrm::ActionCode>();
    let error = error.expect_err("not a code");
    assert_clean("the error", &format!("{error} {error:?}"));
}

#[test]
fn a_text_that_is_not_an_amount_is_not_quoted() {
    let error = PHONE_AS_WRITTEN.parse::<telecrm::Amount>();
    let error = error.expect_err("not an amount");
    assert_clean("the error", &format!("{error} {error:?}"));
}

// `Debug` of every public type

/// Each function prints the types of one area, and `every_public_type_…` calls all of them.
macro_rules! debug_tests {
    ($($test:ident $print:ident)+) => {
        $(
            #[test]
            fn $test() {
                $print();
            }
        )+

        fn print_all_types() {
    assert_debug_clean(&telecrm::GateError::failed("locked"));
            $($print();)+
        }
    };
}

debug_tests! {
    records_of_the_server_print_no_value print_records
    workspaces_print_no_value print_workspaces
    leads_and_actions_print_no_value print_leads
    findings_print_no_value print_findings
    outcomes_print_no_value print_outcomes
    verifications_print_no_value print_verifications
    tokens_and_parsed_values_print_no_value print_parsed_values
    clients_and_filters_print_no_value print_clients
}

fn lead_record() -> LeadRecord {
    serde_json::from_value(row()).expect("a lead")
}

fn action_record() -> ActionRecord {
    serde_json::from_value(row()["actions"][0].clone()).expect("an action")
}

fn print_records() {
    let member: TeamMember = serde_json::from_value(json!({
        "name": "Canary Jane", "email": EMAIL, "phone_number": PHONE, "license": { "status": EMAIL }
    }))
    .expect("a member");
    assert_debug_clean(&member.license());
    assert_debug_clean(&member);
    let metadata: telecrm::response::Metadata =
        serde_json::from_value(json!({ "id": ENTERPRISE, "name": "Canary" })).expect("metadata");
    assert_debug_clean(&metadata);
    assert_debug_clean(&lead_record());
    assert_debug_clean(&action_record());
    assert_debug_clean(&Page { data: vec![lead_record()], ..Page::default() });
}

fn print_workspaces() {
    let mut file = WorkspaceFile::sample();
    file.metadata = json!({ "id": ENTERPRISE }).as_object().cloned();
    let member = json!({ "email": EMAIL }).as_object().cloned();
    file.team_members = vec![member.expect("an object")];
    assert_debug_clean(&file);
    assert_debug_clean(&Workspace::from_file(&file).expect("a workspace"));
    assert_debug_clean(&WorkspaceFile::from_json(json!([EMAIL, PHONE])));
}

fn print_leads() {
    assert_debug_clean(&lead());
    assert_debug_clean(&lead().actions()[0]);
    assert_debug_clean(&FieldValue::from([PHONE, EMAIL]));
    assert_debug_clean(&visit());
    assert_debug_clean(&planted::member());
    let payment = telecrm::Payment::new(
        PaymentStatus::Pending,
        telecrm::Currency::Inr,
        PHONE.parse().expect("an amount"),
    );
    assert_debug_clean(&payment);
    assert_debug_clean(&telecrm::workspace::DateFormat::new("DD/MM/YYYY"));
    assert_debug_clean(&Action::from(payment));
    assert_debug_clean(&Lead::from_json(json!([EMAIL, PHONE])));
}

fn print_findings() {
    let workspace = Workspace::sample();
    let bad = lead()
        .set("phone", EMAIL)
        .set("status", PHONE)
        .set("email", PHONE_AS_WRITTEN)
        .set("interests", PHONE);
    for written in [lead(), bad] {
        let accepted = workspace.accept(&written);
        assert!(!accepted.findings.is_empty());
        assert_debug_clean(&accepted);
        assert_debug_clean(&workspace.check(&written));
        assert_debug_clean(&without_losses(workspace.check(&written)));
        assert_debug_clean(&workspace.compare(
            &written,
            &lead_record(),
            Some(std::slice::from_ref(&action_record())),
        ));
        for (name, value) in written.fields() {
            assert_debug_clean(&workspace.accept_field(name, value));
        }
    }
}

fn print_outcomes() {
    let answer = json!({ "lead_id": "l1", "actions": [{ "action_id": null, "status": "IGNORED" }],
        "remarks": [{ "field": "fields.phone", "status": "IGNORED", "remark": format!("no {PHONE}") }] });
    let outcome =
        Outcome::from_response(answer.to_string().as_bytes(), &lead()).expect("an outcome");
    assert_debug_clean(&outcome);
    assert_debug_clean(&outcome.remarks()[0]);
    assert_debug_clean(&outcome.complete().expect_err("ignored"));
    let losses = Workspace::sample().check(&lead()).report().to_vec();
    assert_debug_clean(&telecrm::Upserted::Updated {
        lead_id: "l1".into(),
        lead: Outcome::updated(lead_record(), &lead()).with_findings(losses),
        actions: None,
    });
}

fn print_verifications() {
    assert_debug_clean(&Receipt::unconfirmed(lead()));
    let client = Telecrm::builder(ENTERPRISE).build().expect("builds");
    assert_debug_clean(&client.ping());
    assert_debug_clean(&client.ingest().push_all([lead()]));
    assert_debug_clean(&client.leads().changes(Filter::new().eq("phone", PHONE), None));
    let mark = json!({
        "version": 1, "enterprise": ENTERPRISE, "filter": { "fields": { "phone": PHONE } },
        "from": 1_780_290_000_000_u64, "returned": [[PHONE, 1_780_290_000_000_u64]]
    });
    let mark: telecrm::ChangeMark = serde_json::from_value(mark).expect("a mark");
    assert_debug_clean(&mark);
    assert_debug_clean(&client.leads().stream(Filter::new().eq("phone", PHONE)).cursor());
    assert_debug_clean(&client.ingest().verify_all([Receipt::unconfirmed(lead())]));
    let body = format!(r#"{{"status":"error","errorString":"{PHONE}"}}"#);
    assert_debug_clean(&telecrm::response::PushAnswer::read(200, body.as_bytes()));
    let losses = Workspace::sample().check(&lead()).report().to_vec();
    assert_debug_clean(&Verification::Differs {
        lead: lead_record(),
        losses: losses.clone(),
        unreadable: Vec::new(),
    });
    assert_debug_clean(&Verification::Missing(losses[0].clone()));
    assert_debug_clean(&Verification::Stored(lead_record()));
}

fn print_parsed_values() {
    assert_debug_clean(&SyncToken::new(SYNC_TOKEN));
    assert_debug_clean(&AsyncToken::new(ASYNC_TOKEN));
    assert_debug_clean(&telecrm::raw::Context::bearer(SYNC_TOKEN));
    assert_debug_clean(&EMAIL.parse::<telecrm::Amount>());
    assert_debug_clean(&EMAIL.parse::<telecrm::Decimal>());
    assert_debug_clean(&PHONE.parse::<telecrm::Decimal>());
    assert_debug_clean(&EMAIL.parse::<telecrm::ActionCode>());
    assert_debug_clean(&EMAIL.parse::<telecrm::Country>());
}

fn print_clients() {
    let refusal = Response::error(401, ErrorCode::NotAuthorized, ENTERPRISE);
    assert_debug_clean(&refusal);
    assert_debug_clean(&planted(Telecrm::builder(ENTERPRISE)));
    assert_debug_clean(&planted::filter());
    assert_debug_clean(&planted::action_filter());
    let fake = FakeTelecrm::of_enterprise(ENTERPRISE);
    let telecrm = planted(fake.builder()).build().expect("builds");
    assert_debug_clean(&fake);
    assert_debug_clean(&telecrm);
    assert_debug_clean(fake.clock());
    assert_debug_clean(&(telecrm.leads(), telecrm.ingest(), telecrm.raw()));
    assert_debug_clean(&(telecrm.schema(), telecrm.team_members()));
    assert_debug_clean(&telecrm.leads().actions("l1"));
    assert_debug_clean(&telecrm.leads().stream(Filter::new().eq("phone", PHONE)));
    assert_debug_clean(&telecrm.request(Method::Get, PHONE).query("email", EMAIL));
    assert_debug_clean(&telecrm.request(Method::Post, PHONE).json(&fields()));
}

// Generated types

fn a_generated_type_prints_no_value<T: serde::de::DeserializeOwned + Debug>(json: &Value) {
    let value: T = serde_json::from_str(&json.to_string()).expect("a value of the type");
    assert_debug_clean(&value);
}

#[test]
fn a_generated_lead_prints_no_value() {
    a_generated_type_prints_no_value::<telecrm::raw::sync::types::LeadRecord>(&row());
}

#[test]
fn a_generated_member_prints_no_value() {
    let member = json!({ "name": "Canary Jane", "email": EMAIL, "phone_number": PHONE,
        "role": "CALLER", "password": "canary-password" });
    type NewMember = telecrm::raw::sync::types::CreateTeamMemberRequest;
    a_generated_type_prints_no_value::<NewMember>(&member);
}

#[test]
fn a_generated_push_prints_no_value() {
    type Pushed = telecrm::raw::ingest::types::CreateOrUpdateLeadBody;
    a_generated_type_prints_no_value::<Pushed>(&row());
}

fn generated_types_do_not_derive_debug(generated: &str) {
    let derives_debug = |line: &&str| line.contains("Serialize") && line.contains("Debug");
    assert_eq!(generated.lines().find(derives_debug), None);
}

cases! { generated_types_do_not_derive_debug:
    of_the_sync_api(include_str!("../../generated/sync.rs"));
    of_the_async_api(include_str!("../../generated/async.rs"));
}

// Over a socket

/// The HTTP client has logs of its own.
#[tokio::test]
async fn no_layer_logs_what_goes_over_a_socket() {
    call_over_a_socket().await;
}

async fn call_over_a_socket() {
    let emulator = Emulator::builder().enterprise(ENTERPRISE).start().await;
    let emulator = emulator.expect("starts");
    let log = Log::default();
    let _guard = log.listen();
    let reports = Reports::default();
    let telecrm = Telecrm::builder(ENTERPRISE)
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(crate::support::sync_token(emulator.sync_token()))
        .async_token(crate::support::async_token(emulator.async_token()))
        .on_call(reports.collector())
        .verify_timeout(std::time::Duration::ZERO)
        .build()
        .expect("builds");
    for operation in Operation::ALL {
        match planted::call(&telecrm, *operation).await {
            Ok(printed) => assert_printed_clean(&printed),
            Err(error) => assert_error_clean(operation.id(), &error),
        }
    }
    let receipt = telecrm.ingest().push(&lead()).await.expect("queued");
    assert_debug_clean(&receipt);
    assert_debug_clean(&telecrm.ingest().baseline(&lead()).await.expect("read"));
    assert_debug_clean(&telecrm.ingest().verify(&receipt).await.expect("read"));
    let again = telecrm.leads().create(&lead()).await.expect_err("exists");
    assert!(again.is_already_exists());
    assert_error_clean("a second creation", &again);
    assert_debug_clean(&telecrm.leads().upsert(&lead()).await);
    let reply = telecrm.request(Method::Get, "/metadata").send().await;
    assert_debug_clean(&reply.expect("read"));
    let raw = telecrm.raw().sync().expect("a client");
    let decoded = raw.get_metadata(ENTERPRISE).await;
    assert_debug_clean(decoded.as_ref().expect("read"));
    let unknown = raw
        .get_lead(telecrm::raw::sync::parameters::GetLead {
            enterprise_id: ENTERPRISE,
            lead_id: PHONE,
            include_actions: None,
            limit: None,
            skip: None,
        })
        .await;
    assert_error_clean("a raw call", &unknown.expect_err("no such lead"));
    let reports = reports.take();
    assert!(reports.len() > Operation::ALL.len());
    assert_debug_clean(&reports);
    let log = log.text();
    assert!(log.contains("hyper"), "the layers below are recorded");
    for token in [emulator.sync_token(), emulator.async_token()] {
        assert!(!log.contains(token), "the log holds a token");
    }
    assert_clean("the log", &log);
}

// Completeness

/// Types that hold no text of a lead or a caller, or print nothing but a name.
const WITHOUT_DATA: &[&str] = &[
    // Names that the server or the workspace defines, kept as they are.
    "ActionKind",
    "ActionStatus",
    "Availability",
    "Currency",
    "ErrorCode",
    "FieldType",
    "FindingKind",
    "FieldPath",
    "PaymentStatus",
    "RemarkStatus",
    "TeamMemberRole",
    "TeamMemberStatus",
    // Printed by the errors of other tests.
    "ErrorDetail",
    // A record of the fake for assertions, which prints all of it.
    "RecordedRequest",
];

/// A new public type fails here until one of the functions above prints it.
#[tokio::test]
async fn every_public_type_is_printed_or_holds_no_data() {
    print_all_types();
    call_over_a_socket().await;
    let surface = own_surface();
    let lines: Vec<&str> = surface.lines().collect();
    let first_word = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.find(|word| !word.is_empty()).unwrap_or_default().to_owned()
    };
    let (mut seen, mut missing) = (0, Vec::new());
    for (index, line) in lines.iter().enumerate() {
        let is_in_token = index > 0 && lines[index - 1] == "token! {";
        // Inside of a macro, the definition is indented.
        let line = line.trim_start();
        let definition = line
            .strip_prefix("pub struct ")
            .or_else(|| line.strip_prefix("pub enum "))
            .or_else(|| is_in_token.then_some(line));
        let Some(definition) = definition else {
            continue;
        };
        let name = first_word(definition);
        seen += 1;
        // A type that can be copied holds no text.
        let mut attributes = lines[..index].iter().rev().take_while(|line| line.starts_with('#'));
        let is_copy = attributes.any(|line| line.contains("Copy"));
        let is_printed = PRINTED_TYPES.with_borrow(|types| types.contains(&name));
        if !is_copy && !is_printed && !WITHOUT_DATA.contains(&name.as_str()) {
            missing.push(name);
        }
    }
    assert_eq!(missing, [""; 0], "print these types in a function above");
    assert!(seen > 80, "the list has more than {seen} types");
}
