//! `telecrm::testing`: the fake that users put in the place of the server in their own tests.

use crate::support::{bare_lead, bare_visit, cases};
use serde_json::json;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Error, ErrorCode, Filter, LeadRecord, Operation, PageRequest, Phase};

fn row(name: &str) -> LeadRecord {
    let row = json!({ "id": "l1", "fields": { "name": name } });
    serde_json::from_value(row).expect("a row")
}

#[tokio::test]
async fn the_fake_answers_in_order_and_then_with_what_it_always_answers() {
    let fake = FakeTelecrm::new()
        .always(Operation::GetLead, Response::json(row("always")))
        .on(Operation::GetLead, Response::json(row("first")))
        .on(Operation::GetLead, Response::json(row("second")));
    let telecrm = fake.client();
    for expected in ["first", "second", "always", "always"] {
        let lead = telecrm.leads().get("l1").await.expect("read");
        assert_eq!(lead.get("name"), Some(&expected.into()));
    }
    assert_eq!(fake.requests().len(), 4);
}

#[tokio::test]
async fn the_fake_shows_what_was_sent() {
    let fake = FakeTelecrm::new().on(Operation::SearchLeads, Response::page([row("found")]));
    let filter = Filter::new().eq("name", "found");
    let page = PageRequest { skip: 0, limit: 3 };
    let page = fake.client().leads().search(&filter, page).await;
    let page = page.expect("read");
    assert_eq!((page.data, page.total_count), (vec![row("found")], 1));
    let search = &fake.requests_to(Operation::SearchLeads)[0];
    assert_eq!((search.method(), search.path()), ("POST", "/lead/search"));
    assert_eq!(search.query("limit"), Some("3"));
    assert_eq!(search.body(), Some(&json!({ "fields": { "name": "found" } })));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_call_without_a_scripted_response_is_an_error() {
    let fake = FakeTelecrm::new();
    let error = fake.client().leads().get("l1").await;
    let error = error.expect_err("no response");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert_eq!(
        error.to_string(),
        "reading a lead failed: the fake has no response for this request"
    );
    assert_eq!(error.hint(), Some("add one with `FakeTelecrm::on`"));
    assert_eq!(fake.requests().len(), 1, "not retried");
}

#[tokio::test]
async fn the_fake_has_the_sample_workspace() {
    let workspace = FakeTelecrm::new().client().workspace().await;
    let workspace = workspace.expect("the sample");
    assert!(workspace.field("phone").is_some());
}

/// A fault of the fake leads to the same attempts and errors as a real one.
async fn a_fault_is_retried_and_reported_like_a_real_one(
    answer: Response,
    [attempts_to_read, attempts_to_append]: [usize; 2],
    is_expected: fn(&Error) -> bool,
) {
    let fake = |operation| FakeTelecrm::new().always(operation, answer.clone());
    let (reading, appending) = (fake(Operation::GetLead), fake(Operation::CreateActions));
    let read = reading.client().leads().get("l1").await.expect_err("a fault");
    let appended = appending.client().leads().actions("l1").create([bare_visit()]).await;
    let appended = appended.expect_err("a fault");
    for (error, fake, operation, attempts) in [
        (read, reading, Operation::GetLead, attempts_to_read),
        (appended, appending, Operation::CreateActions, attempts_to_append),
    ] {
        assert_eq!(fake.requests_to(operation).len(), attempts, "{operation}");
        let made = answer.clone().into_error(operation);
        assert!(is_expected(&error) && is_expected(&made), "{error:?} {made:?}");
        assert_eq!(error.to_string(), made.to_string());
        assert_eq!(error.is_outcome_unknown(), made.is_outcome_unknown());
    }
}

cases! { async a_fault_is_retried_and_reported_like_a_real_one:
    refused(Response::connection_refused(), [3, 3], |error| error.is_connect());
    timeout(Response::timeout(), [3, 1], |error| error.is_timeout());
    reset(Response::connection_reset(), [3, 1], |error| error.phase() == Phase::MaybeSent);
    server_error(Response::html(502), [3, 1], |error| error.status_code() == Some(502));
    rate_limit_with_a_long_wait(
        Response::rate_limited(Some(600)),
        [1, 1],
        |error| error.retry_after() == Some(Duration::from_secs(600)),
    );
    refusal(
        Response::error(404, ErrorCode::LeadNotFound, "no"),
        [1, 1],
        |error| error.is_not_found(),
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_for_a_minute() {
    let limited = Response::rate_limited(Some(20));
    let fake = FakeTelecrm::new().always(Operation::GetLead, limited);
    let error = fake.client().leads().get("l1").await.expect_err("limited");
    assert!(error.is_rate_limited());
    assert_eq!(fake.requests_to(Operation::GetLead).len(), 4, "after 0, 20, 40 and 60 s");
}

#[tokio::test]
async fn a_timeout_takes_its_time_on_the_clock_of_the_fake() {
    let fake = FakeTelecrm::new().on(Operation::CreateOrUpdateLead, Response::timeout());
    let error = fake.client().ingest().push(&bare_lead()).await;
    assert!(error.expect_err("no answer").is_outcome_unknown());
    assert_eq!(
        fake.clock().slept(),
        Duration::from_secs(30),
        "one attempt, since the workspace is not known"
    );
}

#[tokio::test]
async fn a_partial_success_can_be_scripted() {
    let fake = FakeTelecrm::new().on(
        Operation::CreateLead,
        Response::created_in_part("l1", [("rating", "Rating must be between 1 and 5")]),
    );
    let outcome = fake.client().leads().create(&bare_lead()).await;
    let outcome = outcome.expect("created");
    assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
}
