//! `workspace()`: discovery, what it understands, and who waits for whom.

use crate::support::clock::GatedClock;
use crate::support::{builder, cases, client, emulator};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::workspace::MatchedBy;
use telecrm::{CallOptions, Error, Operation, Phase, Workspace, WorkspaceFile};
use telecrm_emulator::Emulator;

async fn emulator_with(seed: WorkspaceFile) -> Emulator {
    let emulator = Emulator::builder().seed(seed).start().await;
    emulator.expect("starts")
}

// Discovery

/// The metadata declare one identifier, and `isLeadid` flags a field as it as well.
async fn en6_discovery_says_how_it_found_the_identifier(
    declared: &str,
    flagged: &str,
    (expected, matched_by): (&str, MatchedBy),
    disagreement: Option<&str>,
) {
    let mut seed = WorkspaceFile::sample();
    let metadata = seed.metadata.get_or_insert_default();
    metadata.insert("leadIdentifierFieldId".into(), declared.into());
    for field in &mut seed.custom_fields {
        let flag = field["apiName"] == flagged;
        field.insert("isLeadid".into(), flag.into());
    }
    // The emulator refuses such a seed; telecrm answers with what it has.
    let metadata = Response::json(json!(seed.metadata));
    let fields = Response::json(json!({ "customFields": seed.custom_fields }));
    let fake = FakeTelecrm::new()
        .always(Operation::GetMetadata, metadata)
        .always(Operation::ListCustomFields, fields);
    let workspace = fake.client().workspace().await.expect("discovered");
    let identifier = workspace.identifier();
    assert_eq!((identifier.api_name(), identifier.matched_by()), (expected, matched_by));
    assert_eq!(identifier.disagreement(), disagreement);
}

cases! { async en6_discovery_says_how_it_found_the_identifier:
    by_the_declared_id(
        "5f8a1b2c3d4e5f6a7b8c9d03", "phone", ("email", MatchedBy::Id), Some("phone"),
    );
    by_the_declared_name("email", "phone", ("email", MatchedBy::ApiName), Some("phone"));
    by_the_flag("unheard-of", "email", ("email", MatchedBy::IsLeadId), None);
    by_default("unheard-of", "", ("phone", MatchedBy::Default), None);
}

#[tokio::test]
async fn discovery_understands_the_reported_shape_of_the_pipeline() {
    let mut seed = WorkspaceFile::sample();
    let reported = json!({ "statuses": ["Fresh", { "label": "Hot" }], "lostReasons": ["No Need"] });
    seed.pipeline = reported.as_object().cloned();
    let emulator = emulator_with(seed).await;
    let workspace = client(&emulator).workspace().await.expect("discovered");
    let pipeline = workspace.pipeline().expect("a pipeline");
    assert_eq!(pipeline.active_statuses().collect::<Vec<_>>(), ["Fresh", "Hot"]);
    assert_eq!(pipeline.active_lost_reasons().collect::<Vec<_>>(), ["No Need"]);
}

#[tokio::test]
async fn a_workspace_that_cannot_be_understood_is_unreadable() {
    let fields = json!({ "customFields": [{ "apiName": 7 }] });
    let fake = FakeTelecrm::new().always(Operation::ListCustomFields, Response::json(fields));
    let error = fake.client().workspace().await.expect_err("no name");
    assert_eq!(error.phase(), Phase::Unreadable);
    assert!(!error.is_outcome_unknown() && !error.is_transient());
    assert_eq!(
        error.to_string(),
        "reading the workspace failed: the server answered 200 with a response that cannot be read: \
         customFields[0].apiName: expected a string, found a number"
    );
}

// Callers that share one discovery

#[tokio::test]
async fn concurrent_callers_share_one_discovery() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let (one, other) = tokio::join!(telecrm.workspace(), telecrm.workspace());
    assert!(Arc::ptr_eq(&one.expect("discovered"), &other.expect("discovered")));
    assert_eq!(emulator.log(0).len(), 4, "four requests, once");
}

#[tokio::test]
async fn a_refresh_discovers_the_workspace_again() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    telecrm.workspace().await.expect("discovered");
    telecrm.refresh_workspace().await.expect("discovered");
    assert_eq!(emulator.log(0).len(), 8);
}

/// On this clock a wait seems to take its time, and does not. That must not end the wait of others.
#[tokio::test]
async fn a_clock_without_waits_leaves_time_for_the_discovery_of_another_caller() {
    let emulator = emulator().await;
    let telecrm = builder(&emulator).clock(ManualClock::new()).build();
    let telecrm = telecrm.expect("builds");
    let (one, other) = tokio::join!(telecrm.workspace(), telecrm.workspace());
    let (one, other) = (one.expect("discovered"), other.expect("waited for"));
    assert!(Arc::ptr_eq(&one, &other));
}

#[track_caller]
fn assert_no_time_was_left(result: Result<Arc<Workspace>, Error>) {
    let error = result.expect_err("the time is over");
    assert_eq!((error.phase(), error.attempts()), (Phase::NotSent, 0));
    assert!(
        error.is_transient() && error.to_string().contains("the total timeout expired"),
        "{error}"
    );
}

#[tokio::test]
async fn a_caller_does_not_start_a_discovery_if_its_time_ended_while_another_failed() {
    let fake = FakeTelecrm::new().always(Operation::GetMetadata, Response::html(502));
    let clock = GatedClock::new();
    let telecrm = fake.builder().clock(clock.clone());
    let telecrm = telecrm.call_options(CallOptions::new().attempts(2)).build();
    let telecrm = telecrm.expect("builds");
    let options = CallOptions::new().total_timeout(Duration::from_secs(1));
    let hasty = telecrm.with_options(options);
    let (patient, hasty, ()) = tokio::join!(telecrm.workspace(), hasty.workspace(), async {
        clock.time.advance(Duration::from_secs(2));
        clock.gate.notify_one();
    });
    assert_eq!(patient.expect_err("no workspace").status_code(), Some(502));
    assert_no_time_was_left(hasty);
    assert_eq!(fake.requests_to(Operation::GetMetadata).len(), 2);
}

/// The discovery of another caller waits for its next attempt, and that wait never ends.
async fn a_caller_waits_for_the_discovery_of_another_no_longer_than_its_timeout(refresh: bool) {
    let fake = FakeTelecrm::new().always(Operation::GetMetadata, Response::html(502));
    let (_clock, telecrm) = GatedClock::client(&fake);
    let options = CallOptions::new().total_timeout(Duration::from_millis(20));
    let hasty = telecrm.with_options(options);
    let patient = tokio::spawn(async move { telecrm.workspace().await });
    tokio::task::yield_now().await;
    let waiting =
        async { if refresh { hasty.refresh_workspace().await } else { hasty.workspace().await } };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert_no_time_was_left(waited.expect("ends after 20 ms"));
    assert!(!patient.is_finished());
    patient.abort();
}

cases! { async a_caller_waits_for_the_discovery_of_another_no_longer_than_its_timeout:
    for_the_workspace(false);
    for_a_refresh(true);
}

// Outages

const HOUR: Duration = Duration::from_secs(3600);

/// A fake whose workspace was discovered an hour before telecrm answers in this way.
async fn an_hour_later(answer: Response) -> (FakeTelecrm, telecrm::Telecrm, Result<(), Error>) {
    let fake = FakeTelecrm::new();
    let telecrm = fake.client();
    telecrm.workspace().await.expect("discovered");
    fake.clock().advance(HOUR);
    let fake = fake.always(Operation::GetMetadata, answer);
    let result = telecrm.workspace().await.map(drop);
    (fake, telecrm, result)
}

#[tokio::test]
async fn an_old_workspace_is_used_while_telecrm_is_down_and_its_age_is_visible() {
    let (fake, telecrm, result) = an_hour_later(Response::connection_refused()).await;
    result.expect("the old one");
    assert!(telecrm.workspace_age().is_some_and(|age| age >= HOUR));
    let before = fake.requests().len();
    telecrm.workspace().await.expect("the old one");
    assert_eq!(fake.requests().len(), before, "not tried again at once");
    fake.clock().advance(Duration::from_secs(61));
    telecrm.workspace().await.expect("the old one");
    assert!(fake.requests().len() > before);
}

#[tokio::test]
async fn an_old_workspace_does_not_hide_that_the_token_is_refused() {
    let refused = Response::error(401, telecrm::ErrorCode::NotAuthorized, "no");
    let (_, _, result) = an_hour_later(refused).await;
    assert!(result.is_err_and(|error| error.is_not_authorized()));
}

#[tokio::test]
async fn a_given_workspace_is_used_until_one_is_discovered() {
    let down = FakeTelecrm::new().always(Operation::GetMetadata, Response::connection_refused());
    let given = || Workspace::sample();
    let telecrm = down.builder().workspace(given()).build().expect("builds");
    telecrm.workspace().await.expect("the given one");
    assert_eq!(telecrm.workspace_age(), None);

    let up = FakeTelecrm::new();
    let telecrm = up.builder().workspace(given()).build().expect("builds");
    telecrm.workspace().await.expect("discovered");
    assert_eq!((up.requests().len(), telecrm.workspace_age().is_some()), (4, true));
}

#[tokio::test]
async fn a_client_without_a_sync_token_checks_with_the_given_workspace() {
    let telecrm = telecrm::Telecrm::builder("ent")
        .async_token(crate::support::async_token("a"))
        .workspace(Workspace::sample())
        .build()
        .expect("builds");
    telecrm.workspace().await.expect("the given one");
}
