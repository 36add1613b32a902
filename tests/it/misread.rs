//! What could be taken for something else: another lead, an older action, a success, the end of a list.

use crate::support::builder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{
    ActionFilter, Availability, CallOptions, Clock, CustomAction, FieldPath, FieldValue, Filter,
    Lead, Operation, PageRequest, PaymentStatus, Phase, Telecrm, Upserted, Verification,
};
use telecrm_emulator::Emulator;
use tokio::sync::Notify;

fn workspace(identifier: &str) -> telecrm::WorkspaceFile {
    let field = |api_name: &str, kind: &str| json!({ "id": api_name, "type": kind, "apiName": api_name, "isLeadid": api_name == identifier });
    let file = json!({
        "metadata": { "leadIdentifierFieldId": identifier },
        "customFields": [
            field("phone", "PHONE"),
            field("email", "EMAIL"),
            field("customer", "TEXT"),
            field("rating", "RATING"),
        ],
        "customActions": [{ "code": "ACTION_1001", "fieldSchema": { "note": { "type": "TEXT" } } }],
        "leadStagePipeline": { "leadStages": [] },
    });
    telecrm::WorkspaceFile::from_json(file).expect("a workspace")
}

fn conflict() -> Response {
    Response::refusal(409, telecrm::ErrorCode::LeadAlreadyExists, "there is one")
}

#[tokio::test]
async fn id2_only_numbers_of_phones_are_the_same_with_a_sign_before_them() {
    for (identifier, mine, other) in [
        ("customer", "A12", "+A12"),
        ("customer", "5", "+5"),
        ("email", "jane@example.com", "+jane@example.com"),
    ] {
        let row = |id: &str, value: &str| json!({ "id": id, "fields": { identifier: value } });
        let fake = FakeTelecrm::new()
            .workspace(&workspace(identifier))
            .always(Operation::CreateLead, conflict())
            .on(
                Operation::SearchLeads,
                Response::page([row("other", other), row("mine", mine)]),
            )
            .always(
                Operation::SearchLeads,
                Response::page([row("other", other)]),
            )
            .always(
                Operation::UpdateLead,
                Response::json(json!({ "fields": { "rating": 4 } })),
            );
        let lead = Lead::new().set(identifier, mine).set("rating", 4);
        let upserted = fake.client().leads().upsert(&lead).await.expect("found");
        let Upserted::Updated { lead_id, .. } = upserted else {
            panic!("{upserted:?}");
        };
        assert_eq!(lead_id, "mine", "{mine} is not {other}");
        let asked = fake.sent_to(Operation::SearchLeads)[0].body().cloned();
        let asked = asked.expect("a body")["fields"][identifier].to_string();
        assert!(!asked.contains(other), "{asked}");
        // Where only the other one is there, the lead that is meant is not found.
        let error = fake.client().leads().upsert(&lead).await;
        assert!(error.expect_err("not found").is_already_exists());
        assert_eq!(fake.sent_to(Operation::UpdateLead).len(), 1);
    }
}

#[tokio::test]
async fn as5_a_push_is_queued_only_if_the_answer_says_so() {
    for (body, queued) in [
        (r#"{"status":"QUEUED"}"#, true),
        (r#"{"status":" queued "}"#, true),
        (r#""QUEUED""#, true),
        ("Queued", true),
        ("OK\n", true),
        ("", true),
        ("{}", true),
        (r#"{"status":"QUE"#, false),
        (r#"{"error":{"code":"NOT_AUTHORIZED","mess"#, false),
        (r#"{"status":null}"#, false),
        (r#"{"success":false}"#, false),
        (r#"{"errors":["no such enterprise"]}"#, false),
        (
            r#"{"statusCode":404,"message":"no such enterprise"}"#,
            false,
        ),
        (r#"{"data":{"status":"FAILED"}}"#, false),
        (r#"[{"status":"FAILED"}]"#, false),
        ("[]", false),
        ("null", false),
        ("false", false),
        ("0", false),
        (r#""FAILED""#, false),
        ("error code: 1020", false),
        ("Service Unavailable", false),
    ] {
        let answer = Response::text(200, "application/json", body);
        let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, answer);
        let lead = Lead::new().set("phone", "919999999999");
        let pushed = fake.client().ingest().push(&lead).await;
        match pushed {
            Ok(_) => assert!(queued, "{body}"),
            Err(error) => assert!(!queued && error.is_outcome_unknown(), "{body}: {error}"),
        }
    }
}

fn walked(fake: FakeTelecrm) -> FakeTelecrm {
    let row = |serial: i64| json!({ "id": serial.to_string(), "fields": { "created_on": serial } });
    let page = |from: i64| Response::page((0..100).map(move |serial| row(from - serial)));
    fake.on(Operation::SearchLeads, page(1000))
        .on(Operation::SearchLeads, page(901))
        .always(Operation::SearchLeads, page(802))
}

#[tokio::test]
async fn a_list_whose_task_dies_has_not_come_to_its_end() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let telecrm = walked(FakeTelecrm::new())
        .builder()
        .on_call(move |_| {
            let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert!(call < 2, "metrics are broken");
        })
        .build()
        .expect("builds");
    let stream = telecrm.leads().stream(Filter::new()).prefetch(1);
    let reading = tokio::spawn(stream.collect());
    assert!(reading.await.is_err(), "the panic goes on to the reader");
}

#[test]
fn a_list_whose_runtime_is_gone_has_not_come_to_its_end() {
    let telecrm: Telecrm = walked(FakeTelecrm::new()).client();
    let runtime = |_| tokio::runtime::Builder::new_current_thread().build();
    let [one, other] = [0, 1].map(|which| runtime(which).expect("a runtime"));
    let mut stream = one.block_on(async { telecrm.leads().stream(Filter::new()).prefetch(1) });
    assert!(matches!(one.block_on(stream.next()), Some(Ok(_))));
    drop(one);
    let error = other.block_on(stream.collect()).expect_err("there is more");
    assert!(!error.is_outcome_unknown(), "a read: {error}");
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[tokio::test]
async fn le4_an_older_action_is_not_taken_for_the_one_of_a_creation_in_doubt() {
    let call = CustomAction::new(1001)
        .expect("a code")
        .field("note", "called");
    let lead = Lead::new().set("phone", "919999999999").action(call);
    let date = FakeTelecrm::new().clock().date();
    let now = jiff::Timestamp::try_from(date)
        .expect("a date")
        .as_millisecond();
    let long_ago = now - 3_600_000;
    for (created_on, settled) in [
        (json!(now), true),
        (json!(long_ago), false),
        (Value::Null, false),
    ] {
        let fields = json!({ "phone": "919999999999", "created_on": created_on });
        let entry = json!({ "id": "a1", "type": "ACTION_1001", "fields": { "note": "called" } });
        let page = |actions: Value| Response::json(json!({ "fields": fields, "actions": actions }));
        let fake = FakeTelecrm::new()
            .on(Operation::CreateLead, Response::html(502))
            .on(Operation::CreateLead, conflict())
            .always(
                Operation::SearchLeads,
                Response::page([json!({ "id": "62ab16e", "fields": fields })]),
            )
            .on(Operation::GetLead, page(json!([entry])))
            .on(Operation::GetLead, page(json!([])))
            // An only entry is read again, to tell whether it is still there.
            .on(Operation::GetLead, page(json!([entry])));
        match fake.client().leads().create(&lead).await {
            Ok(outcome) => {
                assert!(settled, "created on {created_on}");
                assert_eq!(outcome.complete().expect("complete").lead_id, "62ab16e");
            }
            Err(error) => {
                assert!(!settled, "created on {created_on}: {error}");
                assert!(error.is_already_exists() && error.is_outcome_unknown());
            }
        }
    }
}

#[tokio::test]
async fn what_the_server_repeats_under_a_success_is_masked_as_well() {
    let enterprise = "ent-s3cret";
    let said = "jane.doe@example.com of +91 99999 99999 in ent-s3cret is invalid";
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("email", "jane.doe@example.com")
        .action(
            CustomAction::new(1001)
                .expect("a code")
                .field("note", "jane.doe@example.com"),
        );
    let remark = |field: &str| json!({ "field": field, "status": "IGNORED", "remark": said });
    let partly = |field: &str| {
        Response::json(
            json!({ "lead_id": "62ab16e", "actions": [{ "action_id": "a", "status": "CREATED" }], "remarks": [remark(field)] }),
        )
    };
    let fake = FakeTelecrm::of_enterprise(enterprise)
        .on(Operation::CreateLead, partly("fields.email"))
        .on(
            Operation::CreateLead,
            Response::json(json!({ "error": { "message": said } })),
        )
        .on(Operation::CreateActions, partly("actions[0].fields.note"));
    let telecrm = fake.client();
    let created = telecrm.leads().create(&lead).await.expect("created");
    assert_eq!(created.remarks()[0].remark, "… of … in … is invalid");
    let incomplete = created.complete().expect_err("not whole").to_string();
    assert_eq!(
        incomplete,
        "telecrm stored only a part: fields.email IGNORED: … of … in … is invalid"
    );
    let error = telecrm.leads().create(&lead).await.expect_err("an error");
    assert_eq!(error.message(), Some("… of … in … is invalid"));
    let actions = telecrm.leads().actions("62ab16e");
    let appended = actions.create(lead.actions().to_vec()).await;
    let incomplete = appended
        .expect("an answer")
        .complete()
        .expect_err("not whole");
    let incomplete = incomplete.to_string();
    assert!(
        incomplete.contains("… of +91 99999 99999 in …"),
        "only what was sent: {incomplete}"
    );
}

#[tokio::test]
async fn verifying_ends_in_time_also_if_the_server_stalls() {
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::timeout());
    let telecrm = fake.client();
    let (ingest, lead) = (telecrm.ingest(), Lead::new().set("phone", "919999999999"));
    let receipt = ingest.push(&lead).await.expect("queued");
    let verdict = ingest.verify(&receipt).await.expect("a verdict");
    assert!(matches!(verdict, Verification::Unknown { lead: None, .. }));
    // 30 s to verify, and an attempt of 30 s under way.
    assert!(
        fake.clock().slept() <= Duration::from_secs(60),
        "{:?}",
        fake.clock().slept()
    );
    assert!(!fake.sent_to(Operation::SearchLeads).is_empty());
}

#[tokio::test]
async fn a_filter_by_one_of_no_values_is_refused() {
    let fake = FakeTelecrm::new();
    let telecrm = fake.client();
    let leads = telecrm.leads();
    let nobody: [&str; 0] = [];
    let by_nobody = || ActionFilter::new().performed_by(nobody);
    for filter in [
        Filter::new().any_of("status", nobody),
        Filter::new().eq("name", "Jane").any_of("assignee", nobody),
        Filter::new().with_action(by_nobody()),
    ] {
        for error in [
            leads.count(&filter).await.expect_err("refused"),
            leads.stream(filter).collect().await.expect_err("refused"),
        ] {
            assert_eq!(error.phase(), Phase::NotBuilt);
            assert!(error.to_string().contains("one of no values"), "{error}");
        }
    }
    let actions = leads.actions("62ab16e");
    let error = actions.search(&by_nobody(), PageRequest::default()).await;
    assert_eq!(error.expect_err("refused").phase(), Phase::NotBuilt);
    assert!(fake.sent().is_empty());
}

#[tokio::test]
async fn an_update_with_null_is_refused_and_an_upsert_leaves_it_out() {
    let row = json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "rating": 4 } });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateLead, conflict())
        .always(Operation::SearchLeads, Response::page([row.clone()]))
        .always(Operation::UpdateLead, Response::json(row));
    let telecrm = fake.client();
    let leads = telecrm.leads();
    let nothing = || FieldValue::null();
    let error = leads.update(
        "62ab16e",
        BTreeMap::from([("rating".to_owned(), nothing())]),
    );
    let error = error.await.expect_err("nothing would change");
    let finding = error.finding().expect("told");
    assert_eq!(finding.path, FieldPath::Field("rating".to_owned()));
    assert!(finding.reason.contains("no way to clear"), "{finding}");
    assert!(fake.sent_to(Operation::UpdateLead).is_empty());

    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("name", "Jane")
        .set("rating", nothing());
    let upserted = leads.upsert(&lead).await.expect("updated");
    assert!(matches!(upserted, Upserted::Updated { .. }));
    let sent = fake.sent_to(Operation::UpdateLead)[0].body().cloned();
    assert_eq!(sent, Some(json!({ "fields": { "name": "Jane" } })));
}

#[tokio::test]
async fn le8_an_update_that_the_answered_lead_does_not_show_is_told() {
    // The status was archived a minute ago, which this client does not know yet.
    let row = json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "status": "Fresh", "rating": "4",
        "follow_up_date": 1_780_290_000_000_i64 } });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateLead, conflict())
        .always(Operation::SearchLeads, Response::page([row.clone()]))
        .always(Operation::UpdateLead, Response::json(row));
    let leads = fake.client().leads();
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("status", "contacted")
        .set("rating", 4)
        .set("follow_up_date", "01/06/2026 10:30")
        .set("name", FieldValue::blank());
    let mut changes = lead.fields().clone();
    changes.remove("phone");
    let updated = leads.update("62ab16e", changes).await.expect("answered");
    let Upserted::Updated { lead: upserted, .. } = leads.upsert(&lead).await.expect("answered")
    else {
        panic!("there was one");
    };
    for outcome in [updated, upserted] {
        let incomplete = outcome.complete().expect_err("the status is lost");
        assert_eq!(
            incomplete.to_string(),
            "telecrm stored only a part: fields.status not stored: sent, and the answer does not show it (LE8)"
        );
    }
}

#[tokio::test]
async fn a_creation_in_doubt_stays_so_if_it_cannot_be_read_back() {
    let lead = Lead::new().set("phone", "919999999999");
    for upsert in [false, true] {
        let fake = FakeTelecrm::new()
            .on(Operation::CreateLead, Response::reset())
            .always(Operation::CreateLead, conflict())
            .always(Operation::SearchLeads, Response::html(502));
        let leads = fake.client().leads();
        let error = match upsert {
            true => leads.upsert(&lead).await.map(drop),
            false => leads.create(&lead).await.map(drop),
        };
        let error = error.expect_err("nobody knows");
        assert!(error.is_outcome_unknown(), "{error}");
        assert_eq!(error.operation(), Some(Operation::CreateLead));
        let chain = format!("{error:#}");
        assert!(
            chain.ends_with(": searching leads failed: the server answered 502"),
            "{chain}"
        );
    }
}

#[tokio::test]
async fn a_workspace_that_cannot_be_understood_is_no_fault_of_the_caller() {
    let fields = json!({ "customFields": [{ "apiName": 7 }] });
    let fake = FakeTelecrm::new().always(Operation::ListCustomFields, Response::json(fields));
    let error = fake.client().workspace().await.expect_err("no name");
    assert_eq!(error.phase(), Phase::Unreadable);
    assert!(!error.is_outcome_unknown() && !error.is_transient());
    assert_eq!(
        error.to_string(),
        "reading the workspace failed: the server's answer could not be understood, with status 200: \
         customFields[0].apiName: expected a string, found a number"
    );
}

#[tokio::test]
async fn le7_an_upsert_that_cannot_go_on_says_why() {
    let nameless = json!({ "fields": { "phone": "919999999999" } });
    for (rows, reason) in [
        (vec![], "no search finds the lead"),
        (vec![nameless], "does not tell the ID of that lead (LE7)"),
    ] {
        let fake = FakeTelecrm::new()
            .always(Operation::CreateLead, conflict())
            .always(Operation::SearchLeads, Response::page(rows));
        let lead = Lead::new().set("phone", "919999999999");
        let error = fake
            .client()
            .leads()
            .upsert(&lead)
            .await
            .expect_err("stuck");
        assert!(error.is_already_exists() && !error.is_outcome_unknown());
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }
}

#[tokio::test]
async fn the_requests_of_one_call_share_its_time() {
    let row = json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "rating": 4 } });
    let waits = || Response::rate_limited(Some(40));
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, waits())
        .always(Operation::CreateLead, conflict())
        .on(Operation::SearchLeads, waits())
        .always(Operation::SearchLeads, Response::page([row.clone()]))
        .always(Operation::UpdateLead, Response::json(row));
    let minute = CallOptions::new().total_timeout(Duration::from_secs(60));
    let telecrm = fake.client().with_options(minute);
    let lead = Lead::new().set("phone", "919999999999").set("rating", 4);
    let error = telecrm.leads().upsert(&lead).await.expect_err("80 seconds");
    assert!(error.is_rate_limited() && !error.is_outcome_unknown());
    assert_eq!(error.operation(), Some(Operation::SearchLeads));
    assert_eq!(fake.clock().slept().as_secs(), 40);
}

#[tokio::test]
async fn an_update_of_an_action_loses_no_field_in_silence() {
    let entry = json!({ "type": "1001", "fields": { "note": "called", "outcome": "Interested" } });
    let fake = FakeTelecrm::new().always(Operation::UpdateAction, Response::json(entry));
    let timeline = fake.client().leads().actions("62ab16e");
    let visit = || CustomAction::new(1001).expect("a code");
    let dated = visit().created_on("2026-06-01T10:30:00+05:30".parse().expect("a time"));
    for (action, path) in [
        (visit().field("nte", "called"), "actions[0].fields.nte"),
        (dated, "actions[0].created_on"),
        (CustomAction::new(1999).expect("a code"), "actions[0]"),
    ] {
        let error = timeline.update("a1", action).await.map(drop);
        let error = error.expect_err("lost");
        assert_eq!(error.phase(), Phase::NotBuilt);
        assert_eq!(error.finding().expect("told").path.to_string(), path);
    }
    let error = timeline.set_payment_status("a1", "Paid".into()).await;
    assert_eq!(error.expect_err("no state").phase(), Phase::NotBuilt);
    assert!(fake.sent_to(Operation::UpdateAction).is_empty());

    // What the workspace had when this client last looked, and telecrm takes no more.
    for (action, lost) in [
        (visit().field("note", "called"), None),
        (
            visit().field("note", "twice"),
            Some("actions[0].fields.note"),
        ),
    ] {
        let outcome = timeline.update("a1", action).await.expect("answered");
        let lost_there = outcome.findings().first().map(|loss| loss.path.to_string());
        assert_eq!(lost_there.as_deref(), lost);
        assert_eq!(outcome.complete().is_err(), lost.is_some());
    }
}

#[tokio::test]
async fn an_update_of_an_action_whose_answer_is_no_entry_is_read_back() {
    let visit = || CustomAction::new(1001).expect("a code");
    let silent = || {
        let answer = json!({ "action_id": "a1" });
        FakeTelecrm::new().always(Operation::UpdateAction, Response::json(answer))
    };
    let entry = json!({ "type": "1001", "fields": { "note": "called" } });
    let fake = silent().always(Operation::GetAction, Response::json(entry));
    let timeline = fake.client().leads().actions("62ab16e");
    let called = timeline.update("a1", visit().field("note", "called")).await;
    let entry = called.expect("answered").complete().expect("nothing lost");
    assert_eq!(entry.field("note"), Some("called".into()));
    let twice = timeline.update("a1", visit().field("note", "twice")).await;
    assert!(twice.expect("answered").complete().is_err());

    // Written all the same where it cannot be read.
    let fake = silent().always(Operation::GetAction, Response::html(503));
    let timeline = fake.client().leads().actions("62ab16e");
    let called = timeline.update("a1", visit().field("note", "called")).await;
    let told = called.expect("answered");
    assert_eq!(told.findings()[0].path.to_string(), "actions[0]");
    assert!(told.complete().is_err());
}

/// A clock on which whoever waits does so until it is told.
#[derive(Clone)]
struct Gate(ManualClock, Arc<Notify>);

impl Clock for Gate {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let gate = self.1.clone();
        Box::pin(async move { gate.notified().await })
    }
}

#[tokio::test]
async fn an_older_update_is_not_repeated_over_a_newer_one() {
    let rated = |rating: i64| BTreeMap::from([("rating".to_owned(), rating.into())]);
    let action = || CustomAction::new(1001).expect("a code");
    let done = || {
        Response::json(
            json!({ "fields": { "rating": 5 }, "email": "jane@example.com", "status": "QUEUED" }),
        )
    };
    for operation in [
        Operation::CreateOrUpdateLead,
        Operation::UpdateLead,
        Operation::UpdateAction,
        Operation::SetTeamMemberState,
    ] {
        let fake = FakeTelecrm::new()
            .on(operation, Response::html(502))
            .always(operation, done());
        let gate = Gate(ManualClock::new(), Arc::default());
        let telecrm = fake.builder().clock(gate.clone()).build().expect("builds");
        telecrm.workspace().await.expect("known");
        let write = async |newer: bool| match operation {
            Operation::UpdateLead => {
                let rating = if newer { 5 } else { 3 };
                telecrm
                    .leads()
                    .update("62ab16e", rated(rating))
                    .await
                    .map(drop)
            }
            Operation::UpdateAction if newer => {
                let actions = telecrm.leads().actions("62ab16e");
                let status = actions.set_payment_status("a1", PaymentStatus::Completed);
                status.await.map(drop)
            }
            Operation::UpdateAction => {
                let actions = telecrm.leads().actions("62ab16e");
                actions.update("a1", action()).await.map(drop)
            }
            Operation::CreateOrUpdateLead => {
                let lead = Lead::new().set("phone", "919999999999").set("rating", 3);
                let ingest = telecrm.ingest();
                ingest.push(&lead).await.map(drop)
            }
            _ => {
                let state = if newer {
                    Availability::Working
                } else {
                    Availability::Inactive
                };
                let members = telecrm.team_members();
                members
                    .set_availability("Jane@Example.com", state)
                    .await
                    .map(drop)
            }
        };
        let (older, newer) = tokio::join!(write(false), async {
            let newer = write(true).await;
            gate.1.notify_one();
            newer
        });
        newer.expect("written");
        let error = older.expect_err("not repeated");
        assert!(error.is_outcome_unknown(), "{operation}: {error}");
        assert_eq!(fake.sent_to(operation).len(), 2, "{operation}");
    }
}

#[tokio::test]
async fn who_waited_in_vain_for_the_workspace_does_not_begin_when_the_time_is_over() {
    let fake = FakeTelecrm::new().always(Operation::GetMetadata, Response::html(502));
    let gate = Gate(ManualClock::new(), Arc::default());
    let telecrm = fake.builder().clock(gate.clone());
    let telecrm = telecrm.call_options(CallOptions::new().attempts(2)).build();
    let telecrm = telecrm.expect("builds");
    let options = CallOptions::new().total_timeout(Duration::from_secs(1));
    let hasty = telecrm.with_options(options);
    let (patient, hasty, ()) = tokio::join!(telecrm.workspace(), hasty.workspace(), async {
        gate.0.advance(Duration::from_secs(2));
        gate.1.notify_one();
    });
    assert_eq!(patient.expect_err("no workspace").status_code(), Some(502));
    let error = hasty.expect_err("no time");
    assert_eq!((error.phase(), error.attempts()), (Phase::NotSent, 0));
    assert!(
        error.is_transient() && error.to_string().contains("no time was left"),
        "{error}"
    );
    assert_eq!(fake.sent_to(Operation::GetMetadata).len(), 2);
}

#[tokio::test]
async fn who_waits_for_another_s_discovery_waits_no_longer_than_its_own_time() {
    let fake = FakeTelecrm::new().always(Operation::GetMetadata, Response::html(502));
    // The discovery waits for its next attempt, and nobody lets it go on.
    let gate = Gate(ManualClock::new(), Arc::default());
    let telecrm = fake.builder().clock(gate).build().expect("builds");
    let options = CallOptions::new().total_timeout(Duration::from_millis(20));
    let hasty = telecrm.with_options(options);
    let patient = telecrm.clone();
    let patient = tokio::spawn(async move { patient.workspace().await });
    tokio::task::yield_now().await;
    let waiting = async { [hasty.workspace().await, hasty.refresh_workspace().await] };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    for waited in waited.expect("long over") {
        let error = waited.expect_err("no time");
        assert_eq!((error.phase(), error.attempts()), (Phase::NotSent, 0));
        assert!(
            error.is_transient() && error.to_string().contains("no time was left"),
            "{error}"
        );
    }
    assert!(!patient.is_finished());
    patient.abort();
}

/// The clock of a test says that a wait took its time though it took none: that must not end what others wait for.
#[tokio::test]
async fn a_clock_without_waits_leaves_time_for_another_s_discovery() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = builder(&emulator).clock(ManualClock::new()).build();
    let telecrm = telecrm.expect("builds");
    let (one, other) = tokio::join!(telecrm.workspace(), telecrm.workspace());
    let (one, other) = (one.expect("discovered"), other.expect("waited for"));
    assert!(Arc::ptr_eq(&one, &other));
}

#[tokio::test]
async fn an_update_of_what_is_called_search_is_refused() {
    // It would be a search, and its answer that of an update.
    let fake = FakeTelecrm::new().workspace(&workspace("phone"));
    let telecrm = fake.client();
    let name = BTreeMap::from([("customer".to_owned(), FieldValue::from("Jane"))]);
    let lead = telecrm.leads().update("search", name).await.map(drop);
    let actions = telecrm.leads().actions("l1");
    let visit = CustomAction::new("1001").expect("a code");
    let action = actions.update("search", visit).await;
    let payment = actions.set_payment_status("search", PaymentStatus::Cancelled);
    for refused in [lead, action.map(drop), payment.await.map(drop)] {
        let refused = refused.expect_err("no ID");
        assert_eq!(refused.phase(), Phase::NotBuilt, "{refused}");
        assert!(
            refused.to_string().contains("`search` is no ID"),
            "{refused}"
        );
    }
    let sent = fake.sent();
    assert!(sent.iter().all(|request| request.method() == "GET"));
}

#[tokio::test]
async fn a_push_has_its_turn_while_the_workspace_is_discovered_anew() {
    let fake = FakeTelecrm::new();
    let gate = Gate(ManualClock::new(), Arc::default());
    let telecrm = fake.builder().clock(gate.clone()).build().expect("builds");
    telecrm.workspace().await.expect("known");
    let fake = fake
        .on(Operation::GetMetadata, Response::html(502))
        .on(Operation::CreateOrUpdateLead, Response::html(502))
        .always(Operation::CreateOrUpdateLead, Response::queued());
    let discovering = telecrm.clone();
    let discovering = tokio::spawn(async move { discovering.refresh_workspace().await });
    while fake.sent_to(Operation::GetMetadata).len() < 2 {
        tokio::task::yield_now().await;
    }
    let pushing = tokio::spawn(async move {
        let lead = Lead::new().set("phone", "919999999999").set("rating", 3);
        telecrm.ingest().push(&lead).await
    });
    while !(pushing.is_finished() && discovering.is_finished()) {
        tokio::task::yield_now().await;
        gate.1.notify_waiters();
    }
    let receipt = pushing.await.expect("no panic");
    assert!(receipt.is_ok(), "sent again, in its turn: {receipt:?}");
}
