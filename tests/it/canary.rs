//! Secrets and personal data are planted everywhere, and must not come out in anything that prints.
//!
//! What is data for people on request is not asked here: `Display` of values, findings and remarks.

use crate::support::Log;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    Action, ActionFilter, ActionRecord, AsyncToken, Availability, Builder, CallReport,
    CustomAction, Error, ErrorCode, FieldValue, Filter, Lead, LeadRecord, Method, NewTeamMember,
    Operation, Outcome, Page, PageRequest, PaymentStatus, Receipt, SyncToken, TeamMember,
    TeamMemberRole, Telecrm, Verification, Workspace, WorkspaceFile,
};
use telecrm_emulator::Emulator;

const SYNC_TOKEN: &str = "canary-sync-7f3a";
const ASYNC_TOKEN: &str = "canary-async-91c2";
const ENTERPRISE: &str = "canary-ent-55d0";
const PHONE: &str = "919812345678";
const PHONE_AS_WRITTEN: &str = "+91 98123 45678";
const EMAIL: &str = "canary.jane@example.com";

/// What nothing may print. The last part of the number is in each of its spellings.
const PLANTED: &[&str] = &["canary", "9812345678", "98123 45678"];

#[track_caller]
fn assert_clean(what: &str, printed: &str) {
    let lower = printed.to_lowercase();
    for planted in PLANTED {
        assert!(
            !lower.contains(planted),
            "{what} prints {planted}: {printed}"
        );
    }
}

#[track_caller]
fn assert_debug_clean(what: &impl Debug) {
    let name = std::any::type_name_of_val(what);
    let printed = format!("{what:?} {what:#?}");
    assert_clean(name, &printed);
    let words = [name, &printed].map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let words = words.into_iter().flatten().map(str::to_owned);
    DRIVEN.with_borrow_mut(|driven| driven.extend(words));
}

thread_local! {
    /// The names of types that were printed in this test, among other words.
    static DRIVEN: RefCell<BTreeSet<String>> = RefCell::default();
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

fn fields() -> Value {
    json!({ "phone": PHONE, "email": EMAIL, "name": "Canary Jane", "interests": [EMAIL] })
}

fn lead() -> Lead {
    let lead = Lead::from_json(json!({
        "fields": fields(),
        "actions": [{ "type": "ACTION_1001", "fields": { "note": EMAIL } }],
        "note": PHONE_AS_WRITTEN,
    }));
    lead.expect("a lead")
}

fn row() -> Value {
    json!({ "id": "l1", "fields": fields(), "employeeid": EMAIL, "phone": PHONE,
        "actions": [{ "id": "a1", "type": "ACTION_1001", "fields": { "note": PHONE } }] })
}

fn visit() -> CustomAction {
    CustomAction::new(1001)
        .expect("a code")
        .field("note", EMAIL)
}

fn member() -> NewTeamMember {
    NewTeamMember::new("Canary Jane", EMAIL, PHONE, TeamMemberRole::Caller)
        .password("canary-password")
}

fn planted(builder: Builder) -> Builder {
    builder
        .sync_token(SyncToken::new(SYNC_TOKEN).expect("a token"))
        .async_token(AsyncToken::new(ASYNC_TOKEN).expect("a token"))
}

/// Makes one call of each operation, with planted values wherever there is room, and prints what it brings.
pub(crate) async fn call(telecrm: &Telecrm, operation: Operation) -> Result<(), Error> {
    let leads = telecrm.leads();
    let actions = leads.actions(PHONE);
    let slice = PageRequest::default();
    match operation {
        Operation::CreateOrUpdateLead => assert_debug_clean(&telecrm.ingest().push(&lead()).await?),
        Operation::CreateLead => assert_debug_clean(&leads.create(&lead()).await?),
        Operation::GetLead => assert_debug_clean(&leads.get(PHONE).await?),
        Operation::UpdateLead => {
            let fields = BTreeMap::from([("email".to_owned(), EMAIL.into())]);
            assert_debug_clean(&leads.update(PHONE, fields).await?);
        }
        Operation::SearchLeads => {
            let filter = Filter::new().eq("phone", PHONE).eq("email", EMAIL);
            assert_debug_clean(&filter);
            assert_debug_clean(&leads.search(&filter, slice).await?);
        }
        Operation::CreateActions => assert_debug_clean(&actions.create([visit()]).await?),
        Operation::GetAction => assert_debug_clean(&actions.get(EMAIL).await?),
        Operation::UpdateAction => assert_debug_clean(&actions.update(EMAIL, visit()).await?),
        Operation::SearchActions => {
            let filter = ActionFilter::new().performed_by([EMAIL]);
            assert_debug_clean(&filter);
            assert_debug_clean(&actions.search(&filter, slice).await?);
        }
        Operation::ListTeamMembers => {
            assert_debug_clean(&telecrm.team_members().list(slice, false).await?);
        }
        Operation::GetTeamMember => {
            assert_debug_clean(&telecrm.team_members().get(EMAIL, true).await?);
        }
        Operation::CreateTeamMember => {
            assert_debug_clean(&telecrm.team_members().create(&member()).await?);
        }
        Operation::SetTeamMemberState => {
            let state = Availability::OnLeave;
            assert_debug_clean(
                &telecrm
                    .team_members()
                    .set_availability(EMAIL, state)
                    .await?,
            );
        }
        Operation::GetMetadata => assert_debug_clean(&telecrm.schema().metadata().await?),
        Operation::ListCustomFields => assert_debug_clean(&telecrm.schema().fields().await?),
        Operation::GetCustomField => assert_debug_clean(&telecrm.schema().field(EMAIL).await?),
        Operation::ListCustomActions => assert_debug_clean(&telecrm.schema().actions().await?),
        Operation::GetCustomAction => assert_debug_clean(&telecrm.schema().action(1001).await?),
        Operation::GetLeadStagePipeline => assert_debug_clean(&telecrm.schema().pipeline().await?),
        other => panic!("no canary calls {other}"),
    }
    Ok(())
}

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
        (
            "unknown code",
            Response::refusal(403, ENTERPRISE.into(), ASYNC_TOKEN),
        ),
        (
            "text",
            json(
                401,
                &json!({ "error": format!("no {ENTERPRISE} with {SYNC_TOKEN}, {ASYNC_TOKEN}") }),
            ),
        ),
        (
            "web page",
            Response::text(502, "text/html", format!("<p>{repeated}")),
        ),
        ("rate limit", Response::rate_limited(Some(600))),
        ("success of another shape", json(200, &json!([[repeated]]))),
        (
            "success of other types",
            json(
                200,
                &json!({ "fields": repeated, "data": repeated, "lead_id": [EMAIL] }),
            ),
        ),
        (
            "success that is text",
            Response::text(200, "text/plain", repeated),
        ),
        ("row", json(200, &row())),
        (
            "page",
            json(200, &json!({ "data": [row()], "total_count": EMAIL })),
        ),
        (
            "creation",
            json(
                201,
                &json!({ "lead_id": "l1", "remarks": [{ "field": "fields.phone", "status": "IGNORED", "remark": PHONE }] }),
            ),
        ),
        ("nobody listens", Response::refused()),
        ("nothing comes", Response::timeout()),
        ("the connection breaks", Response::reset()),
    ]
}

#[tokio::test]
async fn canary_no_call_prints_what_it_carries_whatever_is_answered() {
    let log = Log::default();
    let _guard = log.listen();
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    for operation in Operation::ALL {
        let mut failed = 0;
        for (what, answer) in answers() {
            let fake = FakeTelecrm::of_enterprise(ENTERPRISE);
            let seen = reports.clone();
            let telecrm = planted(fake.builder())
                .on_call(move |report| seen.lock().expect("not poisoned").push(report.clone()))
                .build()
                .expect("builds");
            assert_debug_clean(&telecrm);
            telecrm.workspace().await.expect("discovered");
            let _fake = fake.always(*operation, answer);
            if let Err(error) = call(&telecrm, *operation).await {
                assert_error_clean(&format!("{operation}, {what}"), &error);
                failed += 1;
            }
        }
        assert!(failed >= 8, "{operation} fails on {failed} of the answers");
    }
    assert_debug_clean(&reports);
    let log = log.text();
    for expected in [
        "telecrm.operation=\"updateLead\"",
        "http.request.method=\"POST\"",
        "http.response.status_code=502",
        "server.address=\"next.telecrm.in\"",
        "error.type=\"401\"",
        "resend_count=2",
    ] {
        assert!(log.contains(expected), "the log lacks {expected}");
    }
    assert_clean("the log", &log);
}

/// What the server repeats of a request's values is masked in its messages.
#[tokio::test]
async fn canary_values_that_the_server_repeats_are_masked() {
    let message =
        format!("{PHONE}, +91-98123-45678 or 9812345678 and CANARY.Jane@example.com are taken");
    let body = json!({ "error": { "code": "BAD_REQUEST", "message": message,
        "details": [{ "field": "fields.phone", "message": format!("{PHONE} is not {EMAIL}") }] } });
    let fake = FakeTelecrm::new().on(
        Operation::CreateLead,
        Response::text(400, "application/json", body.to_string()),
    );
    let written = Lead::new()
        .set("phone", PHONE_AS_WRITTEN)
        .set("email", EMAIL);
    let error = fake
        .client()
        .leads()
        .create(&written)
        .await
        .expect_err("400");
    assert_error_clean("a refusal", &error);
    assert_eq!(
        error.to_string(),
        "creating a lead failed: the server answered 400 BAD_REQUEST: …, … or … and … are taken; fields.phone: … is not …"
    );
    assert!(
        error
            .body()
            .windows(PHONE.len())
            .any(|part| part == PHONE.as_bytes())
    );
}

#[tokio::test]
async fn canary_what_is_refused_before_it_is_sent_is_not_quoted() {
    let fake = FakeTelecrm::of_enterprise(ENTERPRISE);
    let telecrm = planted(fake.builder()).build().expect("builds");
    let leads = telecrm.leads();
    let update = |name: &str, value: &str| {
        let fields = BTreeMap::from([(name.to_owned(), FieldValue::from(value))]);
        let leads = leads.clone();
        async move { leads.update("l1", fields).await.map(drop) }
    };
    let control = format!("{PHONE}\n{EMAIL}");
    let bad_member = NewTeamMember::new("Canary", EMAIL, PHONE_AS_WRITTEN, TeamMemberRole::Caller);
    let nobody = NewTeamMember::new("Canary", "canary", PHONE, TeamMemberRole::Caller);
    let members = telecrm.team_members();
    let request = |path: &str| telecrm.request(Method::Post, path).json(&fields());
    let none: [Action; 0] = [];
    let results = [
        update("phone", PHONE).await,
        update("status", EMAIL).await,
        update("lost_reason", PHONE).await,
        update("email", PHONE).await,
        update("rating", PHONE).await,
        leads.get(&control).await.map(drop),
        leads.actions(PHONE).create(none).await.map(drop),
        leads.actions(&control).get(EMAIL).await.map(drop),
        members.create(&bad_member).await.map(drop),
        members.create(&nobody).await.map(drop),
        members.get("canary", false).await.map(drop),
        members
            .set_availability(EMAIL, Availability::Unknown(EMAIL.into()))
            .await
            .map(drop),
        request(&format!("/lead/{PHONE}/../{EMAIL}"))
            .send()
            .await
            .map(drop),
        request(&format!("/lead/{PHONE}?email={EMAIL}"))
            .send()
            .await
            .map(drop),
        planted(Telecrm::builder(format!("{ENTERPRISE}:{SYNC_TOKEN}")))
            .build()
            .map(drop),
        planted(Telecrm::builder(ENTERPRISE))
            .sync_url(format!("https://{SYNC_TOKEN}@telecrm.in"))
            .build()
            .map(drop),
        planted(Telecrm::builder(ENTERPRISE))
            .sync_url(format!("http://{SYNC_TOKEN}.in"))
            .build()
            .map(drop),
        planted(Telecrm::builder(ENTERPRISE))
            .sync_url(SYNC_TOKEN)
            .build()
            .map(drop),
    ];
    for (index, result) in results.iter().enumerate() {
        let error = result
            .as_ref()
            .expect_err(&format!("number {index} is refused"));
        assert_error_clean(&format!("number {index}"), error);
    }
    assert_eq!(fake.sent_to(Operation::UpdateLead), []);
    assert_debug_clean(&request(PHONE).query("email", EMAIL));
    for text in [
        format!("Bearer {SYNC_TOKEN}"),
        format!("{SYNC_TOKEN} {EMAIL}"),
    ] {
        let error = SyncToken::new(&text).expect_err("not a token");
        assert_clean("TokenError", &format!("{error} {error:?}"));
    }
    let code = EMAIL
        .parse::<telecrm::ActionCode>()
        .expect_err("not a code");
    let amount = PHONE_AS_WRITTEN
        .parse::<telecrm::Amount>()
        .expect_err("not an amount");
    assert_clean(
        "parse errors",
        &format!("{code} {code:?} {amount} {amount:?}"),
    );
}

#[test]
fn canary_data_shows_its_structure_and_no_value() {
    print_data();
}

fn print_data() {
    let workspace = Workspace::sample();
    let record: LeadRecord = serde_json::from_value(row()).expect("a row");
    let entry: ActionRecord =
        serde_json::from_value(row()["actions"][0].clone()).expect("an entry");
    let member: TeamMember = serde_json::from_value(json!({
        "name": "Canary Jane", "email": EMAIL, "phone_number": PHONE, "license": { "status": EMAIL }
    }))
    .expect("a member");
    assert_debug_clean(&member.license());
    assert_debug_clean(&member);
    let metadata: telecrm::Metadata =
        serde_json::from_value(json!({ "id": ENTERPRISE, "name": "Canary" })).expect("metadata");
    assert_debug_clean(&metadata);
    let mut file = WorkspaceFile::sample();
    file.metadata = json!({ "id": ENTERPRISE }).as_object().cloned();
    file.team_members = vec![
        json!({ "email": EMAIL })
            .as_object()
            .cloned()
            .expect("an object"),
    ];
    assert_debug_clean(&file);
    assert_debug_clean(&Workspace::from_file(&file).expect("a workspace"));

    assert_debug_clean(&lead());
    assert_debug_clean(&lead().actions()[0]);
    assert_debug_clean(&FieldValue::from([PHONE, EMAIL]));
    assert_debug_clean(&visit());
    assert_debug_clean(&self::member());
    let payment = telecrm::Payment::new(
        PaymentStatus::Pending,
        telecrm::Currency::Inr,
        PHONE.parse().expect("an amount"),
    );
    assert_debug_clean(&payment);
    assert_debug_clean(&telecrm::DateFormat::new("DD/MM/YYYY"));
    let country = PHONE.parse::<telecrm::Country>();
    assert_debug_clean(&country.expect_err("a number"));
    assert_debug_clean(&Action::from(payment));

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
        assert_debug_clean(&workspace.check(&written).accept_partial());
        assert_debug_clean(&workspace.compare(
            &written,
            &record,
            Some(std::slice::from_ref(&entry)),
        ));
        for (name, value) in written.fields() {
            assert_debug_clean(&workspace.accept_field(name, value));
        }
    }
    assert_debug_clean(&record);
    assert_debug_clean(&entry);
    assert_debug_clean(&Page {
        data: vec![record.clone()],
        ..Page::default()
    });

    let answer = json!({ "lead_id": "l1", "actions": [{ "action_id": null, "status": "IGNORED" }],
        "remarks": [{ "field": "fields.phone", "status": "IGNORED", "remark": format!("no {PHONE}") }] });
    let outcome =
        Outcome::from_response(answer.to_string().as_bytes(), &lead()).expect("an outcome");
    assert_debug_clean(&outcome);
    assert_debug_clean(&outcome.remarks()[0]);
    assert_debug_clean(&outcome.complete().expect_err("ignored"));

    assert_debug_clean(&Receipt::unconfirmed(lead()));
    let losses = workspace.check(&lead()).report().to_vec();
    assert_debug_clean(&Verification::Differs {
        lead: record.clone(),
        losses: losses.clone(),
        unreadable: Vec::new(),
    });
    assert_debug_clean(&Verification::Missing(losses[0].clone()));
    assert_debug_clean(&Verification::Stored(record.clone()));
    assert_debug_clean(&telecrm::Upserted::Updated {
        lead_id: "l1".into(),
        lead: Outcome::updated(record, &lead()).with_findings(losses),
        actions: None,
    });
    assert_debug_clean(&Response::refusal(
        401,
        ErrorCode::NotAuthorized,
        ENTERPRISE,
    ));
    assert_debug_clean(&planted(Telecrm::builder(ENTERPRISE)));
    assert_debug_clean(&SyncToken::new(SYNC_TOKEN));
    assert_debug_clean(&AsyncToken::new(ASYNC_TOKEN));
    assert_debug_clean(&telecrm::raw::Context::bearer(SYNC_TOKEN));
    assert_debug_clean(&EMAIL.parse::<telecrm::Amount>());
    assert_debug_clean(&EMAIL.parse::<telecrm::Decimal>());
    assert_debug_clean(&PHONE.parse::<telecrm::Decimal>());
    assert_debug_clean(&EMAIL.parse::<telecrm::ActionCode>());
    assert_debug_clean(&Lead::from_json(json!([EMAIL, PHONE])));
    assert_debug_clean(&WorkspaceFile::from_json(json!([EMAIL, PHONE])));

    let fake = FakeTelecrm::of_enterprise(ENTERPRISE);
    let telecrm = planted(fake.builder()).build().expect("builds");
    assert_debug_clean(&fake);
    assert_debug_clean(fake.clock());
    assert_debug_clean(&(telecrm.leads(), telecrm.ingest(), telecrm.raw()));
    assert_debug_clean(&(telecrm.schema(), telecrm.team_members()));
    assert_debug_clean(&telecrm.leads().actions("l1"));
    assert_debug_clean(&telecrm.leads().stream(Filter::new().eq("phone", PHONE)));
    assert_debug_clean(&telecrm.request(Method::Get, PHONE).query("email", EMAIL));
}

/// What is generated holds the same data.
#[test]
fn canary_generated_types_print_no_value() {
    use telecrm::raw::{ingest, sync};
    let read = |json: &Value| json.to_string();
    let row = read(&row());
    assert_debug_clean(&serde_json::from_str::<sync::types::LeadRecord>(&row).expect("a lead"));
    let member = read(
        &json!({ "name": "Canary Jane", "email": EMAIL, "phone_number": PHONE,
        "role": "CALLER", "password": "canary-password" }),
    );
    type NewMember = sync::types::CreateTeamMemberRequest;
    assert_debug_clean(&serde_json::from_str::<NewMember>(&member).expect("a member"));
    type Pushed = ingest::types::CreateOrUpdateLeadBody;
    assert_debug_clean(&serde_json::from_str::<Pushed>(&row).expect("a lead"));
    for generated in [
        include_str!("../../generated/sync.rs"),
        include_str!("../../generated/async.rs"),
    ] {
        let printing = |line: &&str| line.contains("Serialize") && line.contains("Debug");
        assert_eq!(generated.lines().find(printing), None);
    }
}

/// The HTTP client below has logs of its own.
#[tokio::test]
async fn canary_no_layer_logs_what_goes_over_a_socket() {
    call_over_a_socket().await;
}

async fn call_over_a_socket() {
    let emulator = Emulator::builder()
        .enterprise(ENTERPRISE)
        .start()
        .await
        .expect("starts");
    let log = Log::default();
    let _guard = log.listen();
    let builder = Telecrm::builder(ENTERPRISE)
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
        .async_token(AsyncToken::new(emulator.async_token()).expect("a token"));
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let seen = reports.clone();
    let telecrm = builder
        .on_call(move |report| seen.lock().expect("not poisoned").push(report.clone()))
        .verify_timeout(std::time::Duration::ZERO)
        .build()
        .expect("builds");
    for operation in Operation::ALL {
        if let Err(error) = call(&telecrm, *operation).await {
            assert_error_clean(operation.id(), &error);
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
    let unknown = raw.get_lead(ENTERPRISE, PHONE, None, None, None).await;
    assert_error_clean("a raw call", &unknown.expect_err("nobody"));
    let reports = std::mem::take(&mut *reports.lock().expect("not poisoned"));
    assert!(reports.len() > Operation::ALL.len());
    assert_debug_clean(&reports);
    let log = log.text();
    assert!(log.contains("hyper"), "the layers below are heard");
    for planted in [emulator.sync_token(), emulator.async_token()] {
        assert!(!log.contains(planted), "the log holds a token");
    }
    assert_clean("the log", &log);
}

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
    // Driven by the errors above, of other tests.
    "ErrorDetail",
    // A record of the fake, for assertions: it prints all of it.
    "SentRequest",
];

/// So that a new type is thought of here too.
#[tokio::test]
async fn canary_every_public_type_is_driven_or_holds_no_data() {
    print_data();
    call_over_a_socket().await;
    let mut missing = Vec::new();
    let lines: Vec<&str> = include_str!("../../docs/public-api.txt").lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let word = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            words
                .find(|word| !word.is_empty())
                .unwrap_or_default()
                .to_owned()
        };
        let definition = line.trim_start();
        let definition = definition
            .strip_prefix("pub struct ")
            .or_else(|| definition.strip_prefix("pub enum "));
        let name = match definition {
            Some(definition) => word(definition),
            None if line.ends_with("! {") && !line.starts_with("operations") => {
                let next = lines[index + 1].trim_start();
                // The next line is a definition, which the loop reads by itself.
                if next.starts_with("pub ") {
                    continue;
                }
                word(next)
            }
            None => continue,
        };
        // Nothing that is copied holds a text.
        let attributes = lines[..index]
            .iter()
            .rev()
            .take_while(|line| line.starts_with('#'));
        let copied = attributes.into_iter().any(|line| line.contains("Copy"));
        let driven = DRIVEN.with_borrow(|driven| driven.contains(&name));
        if !copied && !driven && !WITHOUT_DATA.contains(&name.as_str()) {
            missing.push(name);
        }
    }
    assert_eq!(missing, [""; 0], "drive these types in the tests above");
}
