//! The rate limit of the client: calls wait for it, and the places of dropped calls are given back.

use crate::support::clock::{Push, SECOND, SteppedClock, is_done, push};
use crate::support::{async_token, bare_lead, bare_visit, emulator};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{Operation, Phase, RateLimit, Telecrm};

#[tokio::test]
async fn a_call_that_would_wait_longer_than_its_timeout_sends_nothing() {
    let emulator = emulator().await;
    let telecrm = Telecrm::builder(emulator.enterprise())
        .async_url(emulator.async_url())
        .async_token(async_token(emulator.async_token()))
        .async_limit(Some(RateLimit::new(10, 1)))
        .clock(ManualClock::new())
        .build()
        .expect("builds");
    let lead = bare_lead().action(bare_visit());
    let _ = telecrm.ingest().push(&lead).await.expect("queued");
    let error = telecrm.ingest().push(&lead).await;
    let error = error.expect_err("the next place is free in six minutes");
    assert_eq!((error.phase(), error.is_outcome_unknown()), (Phase::NotSent, false));
    assert_eq!(
        error.to_string(),
        "pushing a lead failed: \
         the total timeout expired while waiting for the rate limit or another call"
    );
    assert_eq!(emulator.log(0).len(), 1);
}

#[tokio::test]
async fn as9_pushes_that_are_dropped_in_the_queue_give_their_places_back() {
    let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued());
    let (clock, telecrm) = SteppedClock::client_with_one_push_a_second(&fake);
    assert!(is_done(&mut push(&telecrm)).await);
    let before = telecrm.async_limits();
    assert_eq!(before[0].next_free_in, SECOND);

    let mut queued: Vec<Push> = (0..10).map(|_| push(&telecrm)).collect();
    for push in &mut queued {
        assert!(!is_done(push).await);
    }
    let mut behind = push(&telecrm);
    assert!(!is_done(&mut behind).await);
    assert_eq!(telecrm.async_limits()[0].next_free_in, 12 * SECOND);

    queued.clear();
    assert!(!is_done(&mut behind).await, "moved up, and not free yet");
    clock.advance(SECOND);
    assert!(is_done(&mut behind).await);
    assert_eq!(telecrm.async_limits(), before);

    let mut next = push(&telecrm);
    clock.advance(SECOND - Duration::from_millis(1));
    assert!(!is_done(&mut next).await);
    clock.advance(Duration::from_millis(1));
    assert!(is_done(&mut next).await);
    assert_eq!(fake.requests().len(), 3, "the dropped pushes were not sent");
}
