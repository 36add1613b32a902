//! Answers under 200 that are errors or no pages, and pages that hold less than was asked for.

use crate::canary::call;
use serde_json::{Value, json};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionFilter, CallOptions, CustomAction, Error, ErrorCode, Filter, Lead, Operation,
    PageRequest, Phase, Verification,
};

const NO_PAGES: [&str; 8] = [
    "{}",
    r#"{"message":"maintenance"}"#,
    r#"{"error":{"code":"X"}}"#,
    r#"{"leads":[{"id":"1"}]}"#,
    r#"{"data":[],"total_count":500}"#,
    r#"{"data":null}"#,
    r#"{"data":null,"total_count":500}"#,
    r#"{"data":{},"total_count":0}"#,
];

/// An error under a success: alone, in other forms, and beside everything that a success has.
const ERRORS: [(&str, Option<ErrorCode>, Option<&str>); 7] = [
    (
        r#"{"error":{"code":"NOT_AUTHORIZED","message":"Invalid or missing access token."}}"#,
        Some(ErrorCode::NotAuthorized),
        Some("Invalid or missing access token."),
    ),
    (r#"{"error":"maintenance"}"#, None, Some("maintenance")),
    (
        "\u{feff}{\"error\":true,\"message\":\"maintenance\"}",
        None,
        Some("maintenance"),
    ),
    (r#"{"status":"QUEUED","error":{"code":7}}"#, None, None),
    (
        r#"{"error":{"message":"cut \ud83d"},"took":1e999}"#,
        None,
        Some("cut \u{fffd}"),
    ),
    (
        r#"{"error":"first","error":"second"}"#,
        None,
        Some("second"),
    ),
    (
        r#"{"error":{"message":"half done"},"lead_id":"l1","id":"l1","fields":{"phone":"1"},"data":[],"total_count":0,
            "type":"1001","name":"n","email":"a@example.com","status":"QUEUED","apiName":"x","code":"ACTION_1001",
            "customFields":[],"customActions":[],"leadStages":[]}"#,
        None,
        Some("half done"),
    ),
];

#[tokio::test]
async fn an_error_under_a_success_is_an_error_of_every_operation() {
    for (body, code, message) in ERRORS {
        for operation in Operation::ALL.iter().copied() {
            let answer = Response::text(200, "application/json", body);
            let telecrm = FakeTelecrm::new().on(operation, answer).client();
            let what = format!("{operation} {body}");
            let error = call(&telecrm, operation).await.expect_err(&what);
            assert_eq!(error.phase(), Phase::Unreadable, "{what}");
            assert_eq!(error.code(), code.as_ref(), "{what}");
            assert_eq!(error.message(), message, "{what}");
            assert_eq!(error.operation(), Some(operation));
            assert_eq!(error.is_outcome_unknown(), !operation.is_read(), "{what}");
            assert!(!error.is_transient());
            let told = error.to_string();
            assert!(
                told.contains("an error body with success status 200"),
                "{told}"
            );
        }
    }
    for nothing in ["null", "false", "\" \"", "0", "[]", "{}"] {
        let body = format!(r#"{{"id":"62ab16e","error":{nothing}}}"#);
        let answer = Response::text(200, "application/json", body);
        let telecrm = FakeTelecrm::new().on(Operation::GetLead, answer).client();
        let lead = telecrm.leads().get("62ab16e").await;
        assert!(lead.is_ok(), "{nothing}");
    }
}

fn is_unreadable<T>(result: Result<T, Error>) -> bool {
    result.is_err_and(|error| error.phase() == Phase::Unreadable)
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_not_an_empty_one() {
    for body in NO_PAGES {
        let answer = || Response::text(200, "application/json", body);
        let telecrm = FakeTelecrm::new()
            .always(Operation::SearchLeads, answer())
            .always(Operation::SearchActions, answer())
            .always(Operation::ListTeamMembers, answer())
            .client();
        let leads = telecrm.leads();
        assert!(is_unreadable(leads.count(&Filter::new()).await), "{body}");
        let all = leads.stream(Filter::new()).collect().await;
        assert!(is_unreadable(all), "{body}");
        let actions = leads.actions("62ab16e");
        let all = actions.stream(ActionFilter::new()).collect().await;
        assert!(is_unreadable(all), "{body}");
        let team = telecrm.team_members();
        assert!(is_unreadable(team.stream().collect().await), "{body}");
    }
    for data in [json!([]), json!(null)] {
        let empty = Response::json(json!({ "data": data, "total_count": 0 }));
        let fake = FakeTelecrm::new().always(Operation::SearchLeads, empty);
        let telecrm = fake.client();
        assert_eq!(telecrm.leads().count(&Filter::new()).await.unwrap(), 0);
        let beyond = PageRequest { skip: 7, limit: 5 };
        let page = telecrm.leads().search(&Filter::new(), beyond).await;
        assert_eq!(page.unwrap().data, []);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_lead_is_not_an_empty_one() {
    for (body, lead) in [
        ("{}", false),
        (r#"{"error":{"code":"X"}}"#, false),
        (r#"{"message":"maintenance"}"#, false),
        (r#"{"fields":{}}"#, true),
        (r#"{"id":"62ab16e"}"#, true),
        (r#"{"status":"Fresh"}"#, true),
    ] {
        let answer = Response::text(200, "application/json", body);
        let telecrm = FakeTelecrm::new().on(Operation::GetLead, answer).client();
        let read = telecrm.leads().get("62ab16e").await;
        assert_eq!(is_unreadable(read), !lead, "{body}");
        let answer = Response::text(200, "application/json", body);
        let telecrm = FakeTelecrm::new()
            .on(Operation::UpdateLead, answer)
            .client();
        let changes = [("rating".to_owned(), 4.into())].into();
        let updated = telecrm.leads().update("62ab16e", changes).await;
        assert_eq!(is_unreadable(updated), !lead, "{body}");
    }
}

#[tokio::test]
async fn a_lead_is_created_whatever_the_answer_says_of_its_parts() {
    let answer = json!({ "lead_id": "l1", "actions": { "created": 1 }, "remarks": [7] });
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::json(answer.clone()))
        .on(Operation::CreateActions, Response::json(answer));
    let leads = fake.client().leads();
    let visit = CustomAction::new(1001).unwrap().field("note", "x");
    let lead = Lead::new()
        .set("phone", "919999999999")
        .action(visit.clone());
    let created = leads.create(&lead).await.expect("created");
    let appended = leads.actions("l1").create([visit]).await.expect("appended");
    for outcome in [created, appended] {
        let incomplete = outcome.complete().expect_err("not understood");
        assert!(incomplete.to_string().contains(r#"{"created":1}"#));
        assert_eq!(incomplete.into_outcome().accept_partial().lead_id, "l1");
    }
}

#[tokio::test]
async fn a_page_shorter_than_asked_is_not_the_end_while_more_are_counted() {
    let row = |serial: u32| json!({ "name": "Jane", "email": format!("{serial}@example.com") });
    let page = |from: u32| {
        let rows: Vec<Value> = (from..from + 3).map(row).collect();
        Response::json(json!({ "data": rows, "total_count": 9 }))
    };
    let fake = [0, 3, 6]
        .into_iter()
        .fold(FakeTelecrm::new(), |fake, from| {
            fake.on(Operation::ListTeamMembers, page(from))
        });
    let members = fake.client().team_members().stream().collect().await;
    assert_eq!(members.unwrap().len(), 9);
    let skipped: Vec<_> = fake
        .requests()
        .iter()
        .map(|request| request.query("skip").map(str::to_owned))
        .collect();
    assert_eq!(
        skipped.iter().flatten().collect::<Vec<_>>(),
        ["0", "3", "6"]
    );
}

#[tokio::test]
async fn limits_beyond_what_a_clock_can_tell_are_none() {
    let lead = Lead::new().set("phone", "919999999999");
    let found = json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::page([found]));
    let telecrm = fake
        .builder()
        .verify_timeout(Duration::MAX)
        .call_options(CallOptions::new().total_timeout(Duration::MAX))
        .build()
        .unwrap();
    let receipt = telecrm.ingest().push(&lead).await.unwrap();
    let verdict = telecrm.ingest().verify(&receipt).await.unwrap();
    assert!(matches!(verdict, Verification::Stored(_)), "{verdict:?}");
}

/// The newest entries first, and in whichever number the test wants them.
fn timeline(ids: impl IntoIterator<Item = u32>) -> Response {
    let entry = |id| {
        let note = match id {
            1 => "called".to_owned(),
            id => format!("note {id}"),
        };
        json!({ "id": format!("a{id}"), "type": "1001", "fields": { "note": note } })
    };
    let actions: Vec<_> = ids.into_iter().map(entry).collect();
    Response::json(json!({ "id": "62ab16e", "fields": {}, "actions": actions }))
}

/// A push of an action that is the oldest of the timeline, as these pages tell it.
async fn verified(pages: impl IntoIterator<Item = Response>) -> (Verification, Vec<String>) {
    let found = json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::page([found]));
    let fake = pages
        .into_iter()
        .fold(fake, |fake, page| fake.on(Operation::GetLead, page));
    let telecrm = fake
        .builder()
        .verify_timeout(Duration::ZERO)
        .build()
        .expect("builds");
    let visit = CustomAction::new(1001)
        .expect("a code")
        .field("note", "called");
    let lead = Lead::new().set("phone", "919999999999").action(visit);
    let receipt = telecrm.ingest().push(&lead).await.expect("queued");
    let verdict = telecrm.ingest().verify(&receipt).await.expect("read");
    let sent = fake.requests_to(Operation::GetLead);
    let skips = sent.iter().map(|sent| sent.query("skip").unwrap_or("0"));
    (verdict, skips.map(str::to_owned).collect())
}

#[tokio::test]
async fn a_page_of_a_timeline_shorter_than_asked_is_not_its_end() {
    let pages = [
        (16..=25).rev(),
        (7..=16).rev(),
        (1..=7).rev(),
        (1..=1).rev(),
    ];
    let (verdict, skips) = verified(pages.map(timeline)).await;
    assert!(matches!(verdict, Verification::Stored(_)), "{verdict:?}");
    assert_eq!(skips, ["0", "9", "18", "24"]);
}

#[tokio::test]
async fn a_timeline_that_changes_while_it_is_read_is_read_anew_or_said_to_be_unknown() {
    // One entry more, and everything moves over the edge of the page.
    let moved = || [timeline((2..=11).rev()), timeline([3, 2, 1])];
    let still = [timeline((2..=12).rev()), timeline([2, 1]), timeline([1])];
    let (verdict, skips) = verified(moved().into_iter().chain(still)).await;
    assert!(matches!(verdict, Verification::Stored(_)), "{verdict:?}");
    assert_eq!(skips, ["0", "9", "0", "10", "11"]);

    let (verdict, _) = verified((0..3).flat_map(|_| moved())).await;
    let Verification::Unknown { reason, .. } = verdict else {
        panic!("{verdict:?}");
    };
    assert!(reason.contains("changed during every read"), "{reason}");
}
