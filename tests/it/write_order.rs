//! Writes to the same lead or member: an older one is not retried over a newer one.

use crate::support::clock::{GatedClock, SECOND, SteppedClock, is_done, push};
use crate::support::{bare_lead, bare_visit, cases};
use serde_json::json;
use std::collections::BTreeMap;
use telecrm::response::Availability;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Error, Operation, PaymentStatus, Telecrm};

/// Which of two writes to the same resource.
#[derive(Clone, Copy, PartialEq)]
enum Write {
    Older,
    Newer,
}

async fn push_lead(telecrm: Telecrm, _: Write) -> Result<(), Error> {
    let lead = bare_lead().set("rating", 3);
    telecrm.ingest().push(&lead).await.map(drop)
}

async fn update_lead(telecrm: Telecrm, write: Write) -> Result<(), Error> {
    let rating: i64 = if write == Write::Newer { 5 } else { 3 };
    let fields = BTreeMap::from([("rating".to_owned(), rating.into())]);
    telecrm.leads().update("62ab16e", fields).await.map(drop)
}

async fn update_action(telecrm: Telecrm, write: Write) -> Result<(), Error> {
    let actions = telecrm.leads().actions("62ab16e");
    if write == Write::Newer {
        let status = actions.set_payment_status("a1", PaymentStatus::Completed);
        status.await.map(drop)
    } else {
        actions.update("a1", bare_visit()).await.map(drop)
    }
}

async fn set_availability(telecrm: Telecrm, write: Write) -> Result<(), Error> {
    let state = if write == Write::Newer { Availability::Working } else { Availability::Inactive };
    let members = telecrm.team_members();
    let changed = members.set_availability("Jane@Example.com", state);
    changed.await.map(drop)
}

/// The older write fails and waits for its retry. Meanwhile the newer one succeeds.
async fn an_older_write_is_not_retried_after_a_newer_one(
    operation: Operation,
    write: impl AsyncFn(Telecrm, Write) -> Result<(), Error>,
) {
    let done =
        json!({ "fields": { "rating": 5 }, "email": "jane@example.com", "status": "QUEUED" });
    let fake = FakeTelecrm::new()
        .on(operation, Response::html(502))
        .always(operation, Response::json(done));
    let (clock, telecrm) = GatedClock::client(&fake);
    telecrm.workspace().await.expect("discovered");
    let (older, newer) = tokio::join!(write(telecrm.clone(), Write::Older), async {
        let newer = write(telecrm.clone(), Write::Newer).await;
        clock.gate.notify_one();
        newer
    });
    newer.expect("written");
    let error = older.expect_err("not retried");
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(fake.requests_to(operation).len(), 2);
}

cases! { async an_older_write_is_not_retried_after_a_newer_one:
    pushes_of_one_lead(Operation::CreateOrUpdateLead, push_lead);
    updates_of_one_lead(Operation::UpdateLead, update_lead);
    updates_of_one_action(Operation::UpdateAction, update_action);
    states_of_one_member(Operation::SetTeamMemberState, set_availability);
}

#[tokio::test]
async fn a_push_that_is_dropped_in_the_queue_does_not_stop_the_retry_of_an_older_one() {
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, Response::html(503))
        .always(Operation::CreateOrUpdateLead, Response::queued());
    let (clock, telecrm) = SteppedClock::client_with_one_push_a_second(&fake);
    telecrm.workspace().await.expect("discovered");
    let mut older = push(&telecrm);
    assert!(!is_done(&mut older).await, "waits for its next attempt");
    let mut newer = push(&telecrm);
    assert!(!is_done(&mut newer).await, "waits for the limit");
    drop(newer);
    clock.advance(SECOND);
    let _ = older.await.expect("retried");
    assert_eq!(fake.requests_to(Operation::CreateOrUpdateLead).len(), 2);
}

#[tokio::test]
async fn a_push_is_retried_while_the_workspace_is_refreshed() {
    let fake = FakeTelecrm::new();
    let (clock, telecrm) = GatedClock::client(&fake);
    telecrm.workspace().await.expect("discovered");
    let fake = fake
        .on(Operation::GetMetadata, Response::html(502))
        .on(Operation::CreateOrUpdateLead, Response::html(502))
        .always(Operation::CreateOrUpdateLead, Response::queued());
    let refreshing = telecrm.clone();
    let refreshing = tokio::spawn(async move { refreshing.refresh_workspace().await });
    while fake.requests_to(Operation::GetMetadata).len() < 2 {
        tokio::task::yield_now().await;
    }
    let pushing = tokio::spawn(async move {
        let lead = bare_lead().set("rating", 3);
        telecrm.ingest().push(&lead).await
    });
    while !(pushing.is_finished() && refreshing.is_finished()) {
        tokio::task::yield_now().await;
        clock.gate.notify_waiters();
    }
    let receipt = pushing.await.expect("no panic");
    assert!(receipt.is_ok(), "{receipt:?}");
}

#[tokio::test]
async fn w16_an_older_push_is_not_retried_after_an_update_of_the_same_lead() {
    let lead = json!({ "id": "62ab16e", "fields": { "phone": "919999999999", "rating": 5 } });
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, Response::html(502))
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::UpdateLead, Response::json(lead));
    let (clock, telecrm) = GatedClock::client(&fake);
    telecrm.workspace().await.expect("discovered");
    let (push, update) = tokio::join!(push_lead(telecrm.clone(), Write::Older), async {
        let update = update_lead(telecrm.clone(), Write::Newer).await;
        clock.gate.notify_one();
        update
    });
    update.expect("written");
    assert!(push.expect_err("not retried").is_outcome_unknown());
    assert_eq!(fake.requests_to(Operation::CreateOrUpdateLead).len(), 1);
}
