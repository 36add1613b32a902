//! Retries: which calls are sent again, how long they wait first, and when they give up.

use crate::support::clock::{SECOND, SteppedClock, is_done};
use crate::support::planted;
use crate::support::socket::{ScriptedServer, Step, builder, client};
use crate::support::{
    async_token, bare_lead, cases, emulator, lead_exists, operation_cases, sync_token,
};
use serde_json::json;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{CallOptions, Error, Idempotency, Operation, Telecrm, Verification};

// Which calls are retried

async fn an_operation_is_retried_if_it_is_idempotent(operation: Operation) {
    let fake = FakeTelecrm::new();
    let telecrm = fake.client();
    telecrm.workspace().await.expect("discovered");
    let before = fake.requests_to(operation).len();
    let fake = fake.always(operation, Response::connection_reset());
    let error = planted::call(&telecrm, operation).await.map(drop);
    let error = error.expect_err("no answer");
    let attempts = match operation.idempotency() {
        Idempotency::NotIdempotent => 1,
        _ => 3,
    };
    assert_eq!(fake.requests_to(operation).len() - before, attempts);
    assert_eq!(error.attempts() as usize, attempts);
    assert_eq!(error.is_outcome_unknown(), !operation.is_read());
}

operation_cases!(an_operation_is_retried_if_it_is_idempotent);

async fn a_push_without_actions_is_retried_if_the_workspace_is_known(
    is_known: bool,
    script: &[Step],
) {
    let emulator = emulator().await;
    let server = ScriptedServer::start(script).await;
    let telecrm = Telecrm::builder(emulator.enterprise())
        .sync_url(emulator.sync_url())
        .sync_token(sync_token(emulator.sync_token()))
        .async_url(&server.url)
        .async_token(async_token("a"))
        .clock(ManualClock::new())
        .build()
        .expect("builds");
    if is_known {
        telecrm.workspace().await.expect("discovered");
    }
    let pushed = telecrm.ingest().push(&bare_lead()).await;
    assert_eq!(pushed.is_ok(), is_known);
    assert_eq!(server.requests().len(), script.len());
}

cases! { async a_push_without_actions_is_retried_if_the_workspace_is_known:
    unknown(false, &[Step::Answer(502, "")]);
    known(true, &[Step::Answer(502, ""), Step::Good]);
}

#[tokio::test]
async fn one_call_can_ask_for_a_single_attempt() {
    let server = ScriptedServer::start(&[Step::Answer(503, "")]).await;
    let telecrm = client(&server.url, &ManualClock::new());
    let once = telecrm.with_options(CallOptions::new().attempts(1));
    assert!(once.leads().get("l1").await.is_err());
    assert_eq!(server.requests().len(), 1);
}

// The retry budget

#[tokio::test]
async fn when_every_call_fails_the_client_stops_retrying() {
    let server = ScriptedServer::start(&[Step::Answer(503, ""); 40]).await;
    let telecrm = client(&server.url, &ManualClock::new());
    for _ in 0..20 {
        let _ = telecrm.leads().get("l1").await;
    }
    let (calls, retries_of_all_calls) = (20, 10);
    assert_eq!(server.requests().len(), calls + retries_of_all_calls);
}

#[tokio::test]
async fn a_retry_that_is_dropped_is_not_charged_to_the_budget() {
    let fake = FakeTelecrm::new().always(Operation::GetLead, Response::html(503));
    let (clock, telecrm) = SteppedClock::client(&fake);
    let leads = telecrm.leads();
    for _ in 0..20 {
        let mut get = Box::pin(leads.get("l1"));
        assert!(!is_done(&mut get).await, "waits for its next attempt");
    }
    let found = Response::json(json!({ "id": "l1" }));
    let fake = fake.on(Operation::GetLead, Response::html(503)).always(Operation::GetLead, found);
    let mut get = Box::pin(leads.get("l1"));
    assert!(!is_done(&mut get).await, "the budget has retries left");
    clock.advance(SECOND);
    assert_eq!(get.await.expect("read").id(), Some("l1"));
    assert_eq!(fake.requests().len(), 20 + 2);
}

// Waits

#[tokio::test]
async fn the_wait_that_the_server_asks_for_is_respected() {
    let server = ScriptedServer::start(&[Step::RetryAfter(17), Step::Good]).await;
    let clock = ManualClock::new();
    let read = client(&server.url, &clock).leads().get("l1").await;
    assert!(read.is_ok());
    let slept = clock.slept();
    assert!((17..18).contains(&slept.as_secs()), "{slept:?}");
}

/// The server's clock is decades behind, so that only the distance of the two dates counts.
const fn retry_until(date: &'static str) -> Step {
    Step::RetryUntil { date, now: "Mon, 01 Jun 1998 10:30:00 GMT" }
}

#[tokio::test]
async fn a_wait_until_a_date_is_measured_by_the_clock_of_the_server() {
    let soon = retry_until("Mon, 01 Jun 1998 10:30:17 GMT");
    let server = ScriptedServer::start(&[soon, Step::Good]).await;
    let clock = ManualClock::new();
    let read = client(&server.url, &clock).leads().get("l1").await;
    assert!(read.is_ok());
    let slept = clock.slept().as_secs();
    assert!((17..18).contains(&slept), "{slept}");
}

#[tokio::test]
async fn a_wait_until_tomorrow_is_an_error_at_once() {
    let tomorrow = retry_until("Tue, 02 Jun 1998 10:30:00 GMT");
    let server = ScriptedServer::start(&[tomorrow]).await;
    let clock = ManualClock::new();
    let error = client(&server.url, &clock).leads().get("l1").await;
    let error = error.expect_err("too late");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    assert_eq!(clock.slept(), Duration::ZERO);
}

// Timeouts

const SHORT: Duration = Duration::from_millis(100);

fn once() -> CallOptions {
    CallOptions::new().attempts(1)
}

#[track_caller]
fn assert_timeout(result: Result<impl std::fmt::Debug, Error>) {
    let error = result.expect_err("the server stalls");
    assert!(error.is_timeout(), "{error:#}");
}

/// An attempt may take 30 s by default, so that this limit shows that the option works.
const LIMIT: Duration = Duration::from_secs(10);

async fn an_option_of_the_client_limits_the_time(options: CallOptions) {
    let server = ScriptedServer::start(&[Step::Stall]).await;
    let builder = builder(&server.url, &ManualClock::new()).call_options(options);
    let leads = builder.build().expect("builds").leads();
    let read = tokio::time::timeout(LIMIT, leads.get("l1")).await;
    assert_timeout(read.expect("the call ends in time"));
}

cases! { async an_option_of_the_client_limits_the_time:
    of_an_attempt(once().attempt_timeout(SHORT));
    of_the_call(once().total_timeout(SHORT));
}

async fn an_option_of_one_call_limits_the_time(options: CallOptions) {
    let server = ScriptedServer::start(&[Step::Stall]).await;
    let builder = builder(&server.url, &ManualClock::new()).call_options(once());
    let telecrm = builder.build().expect("builds").with_options(options);
    let leads = telecrm.leads();
    let read = tokio::time::timeout(LIMIT, leads.get("l1")).await;
    assert_timeout(read.expect("the call ends in time"));
}

cases! { async an_option_of_one_call_limits_the_time:
    of_an_attempt(once().attempt_timeout(SHORT));
    of_the_call(once().total_timeout(SHORT));
}

#[tokio::test]
async fn a_wait_counts_towards_the_total_timeout() {
    let server = ScriptedServer::start(&[Step::RetryAfter(3)]).await;
    let telecrm = client(&server.url, &ManualClock::new());
    let hasty = telecrm.with_options(CallOptions::new().total_timeout(Duration::from_secs(2)));
    let error = hasty.leads().get("l1").await;
    let error = error.expect_err("the wait is too long");
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(3))));
}

#[tokio::test]
async fn all_requests_of_one_call_share_its_total_timeout() {
    let row = json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "rating": 4 } });
    let waits = || Response::rate_limited(Some(40));
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, waits())
        .always(Operation::CreateLead, lead_exists())
        .on(Operation::SearchLeads, waits())
        .always(Operation::SearchLeads, Response::page([row.clone()]))
        .always(Operation::UpdateLead, Response::json(row));
    let minute = CallOptions::new().total_timeout(Duration::from_secs(60));
    let telecrm = fake.client().with_options(minute);
    let upserted = telecrm.leads().upsert(&bare_lead().set("rating", 4)).await;
    let error = upserted.expect_err("two waits of 40 s");
    assert!(error.is_rate_limited() && !error.is_outcome_unknown());
    assert_eq!(error.operation(), Some(Operation::SearchLeads));
    assert_eq!(fake.clock().slept().as_secs(), 40);
}

#[tokio::test]
async fn a_timeout_longer_than_a_clock_can_express_is_unlimited() {
    let found = json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::page([found]));
    let telecrm = fake
        .builder()
        .verify_timeout(Duration::MAX)
        .call_options(CallOptions::new().total_timeout(Duration::MAX))
        .build()
        .expect("builds");
    let receipt = telecrm.ingest().push(&bare_lead()).await.expect("queued");
    let verification = telecrm.ingest().verify(&receipt).await.expect("read");
    assert!(matches!(verification, Verification::Stored(_)), "{verification:?}");
}
