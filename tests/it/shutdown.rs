//! `shutdown()`: calls in flight end, and nothing waits or is retried any more.

use crate::support::cases;
use crate::support::clock::{Push, SECOND, SteppedClock, is_done, push};
use serde_json::json;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Error, Operation, Telecrm, Verification};

#[track_caller]
fn assert_stopped(error: &Error) {
    assert!(error.is_shutdown(), "{error}");
}

/// The push waits for its next attempt when the client shuts down.
async fn a_call_that_waits_for_a_retry_ends_with_the_result_of_its_last_attempt(
    answer: Response,
    status: Option<u16>,
    outcome_unknown: bool,
) {
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, answer)
        .on(Operation::CreateOrUpdateLead, Response::queued());
    let (_clock, telecrm) = SteppedClock::client(&fake);
    // Without a known workspace no push is retried.
    telecrm.workspace().await.expect("discovered");
    let mut push = push(&telecrm);
    assert!(!is_done(&mut push).await, "waits for its next attempt");
    telecrm.clone().shutdown();
    let error = push.await.expect_err("not sent again");
    assert_eq!(error.status_code(), status, "{error}");
    assert_eq!(error.is_outcome_unknown(), outcome_unknown, "{error}");
    let is_sent = status.is_some() || outcome_unknown;
    assert_eq!(error.attempts(), u32::from(is_sent));
    assert_eq!(fake.requests_to(Operation::CreateOrUpdateLead).len(), 1);
}

cases! { async a_call_that_waits_for_a_retry_ends_with_the_result_of_its_last_attempt:
    a_server_error(Response::html(503), Some(503), true);
    a_reset(Response::connection_reset(), None, true);
    a_rate_limit(Response::rate_limited(Some(20)), Some(429), false);
    a_refused_connection(Response::connection_refused(), None, false);
}

/// The state of a client that pushes once a second, one second after it was used up.
struct Queue {
    fake: FakeTelecrm,
    clock: SteppedClock,
    telecrm: Telecrm,
    /// Failed once, and waits for the limit before it is retried.
    doubtful: Push,
    /// Never sent, and waits for the limit.
    unsent: Push,
}

impl Queue {
    async fn fill() -> Self {
        let fake = FakeTelecrm::new()
            .on(Operation::CreateOrUpdateLead, Response::queued())
            .on(Operation::CreateOrUpdateLead, Response::html(503))
            .always(Operation::CreateOrUpdateLead, Response::queued());
        let (clock, telecrm) = SteppedClock::client_with_one_push_a_second(&fake);
        telecrm.workspace().await.expect("discovered");
        assert!(is_done(&mut push(&telecrm)).await);
        clock.advance(SECOND);
        let (mut doubtful, mut unsent) = (push(&telecrm), push(&telecrm));
        assert!(!is_done(&mut doubtful).await && !is_done(&mut unsent).await);
        clock.advance(SECOND / 2);
        assert!(!is_done(&mut doubtful).await, "in the queue by now");
        Self { fake, clock, telecrm, doubtful, unsent }
    }

    fn sent(&self) -> usize {
        self.fake.requests_to(Operation::CreateOrUpdateLead).len()
    }
}

#[tokio::test]
async fn calls_in_the_queue_of_the_rate_limit_end_unsent() {
    let queue = Queue::fill().await;
    let sent = queue.sent();
    queue.telecrm.shutdown();
    for (push, attempts, outcome_unknown) in [(queue.doubtful, 1, true), (queue.unsent, 0, false)] {
        let error = push.await.expect_err("the client shuts down");
        assert_stopped(&error);
        assert_eq!((error.attempts(), error.is_outcome_unknown()), (attempts, outcome_unknown));
    }
    let now_sent = queue.fake.requests_to(Operation::CreateOrUpdateLead).len();
    assert_eq!(now_sent, sent);
}

#[tokio::test]
async fn a_call_that_need_not_wait_is_still_sent_and_the_next_one_is_not() {
    let queue = Queue::fill().await;
    queue.telecrm.shutdown();
    assert!(queue.doubtful.await.is_err() && queue.unsent.await.is_err());
    queue.clock.advance(SECOND);
    assert!(push(&queue.telecrm).await.is_ok());
    let error = push(&queue.telecrm).await.expect_err("would wait");
    assert_stopped(&error);
}

#[tokio::test]
async fn verify_looks_no_further_and_leaves_the_outcome_unknown() {
    let no_leads = json!({ "data": [], "total_count": 0 });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::json(no_leads));
    let (_clock, telecrm) = SteppedClock::client(&fake);
    telecrm.workspace().await.expect("discovered");
    let receipt = push(&telecrm).await.expect("queued");
    let ingest = telecrm.ingest();
    let mut verify = Box::pin(ingest.verify(&receipt));
    assert!(!is_done(&mut verify).await, "looks again later");
    telecrm.shutdown();
    let verification = verify.await.expect("read");
    let Verification::Unknown { lead: None, reason } = verification else {
        panic!("{verification:?}");
    };
    assert!(reason.contains("the client is shutting down"), "{reason}");
}
