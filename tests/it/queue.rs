//! Calls that wait for the rate limit or for their next attempt, and are given up or stopped.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Clock, Error, Lead, Operation, RateLimit, Receipt, Telecrm, Verification};
use tokio::sync::watch;

const SECOND: Duration = Duration::from_secs(1);

/// A clock that stands still until it is advanced.
#[derive(Clone)]
struct Still {
    start: Instant,
    passed: Arc<watch::Sender<Duration>>,
}

impl Still {
    fn new(start: Instant) -> Self {
        let passed = Arc::new(watch::Sender::new(Duration::ZERO));
        Self { start, passed }
    }

    fn advance(&self, duration: Duration) {
        self.passed.send_modify(|passed| *passed += duration);
    }
}

impl Clock for Still {
    fn now(&self) -> Instant {
        self.start + *self.passed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut passed = self.passed.subscribe();
        let until = *passed.borrow() + duration;
        Box::pin(async move { _ = passed.wait_for(|passed| *passed >= until).await })
    }
}

/// A client that may push once a second.
fn one_a_second(fake: &FakeTelecrm) -> (Still, Telecrm) {
    let clock = Still::new(fake.clock().now());
    let telecrm = fake
        .builder()
        .async_limit(Some(RateLimit::new(3_601, 1)))
        .clock(clock.clone())
        .build()
        .expect("builds");
    (clock, telecrm)
}

type Push = Pin<Box<dyn Future<Output = Result<Receipt, Error>>>>;

fn push(telecrm: &Telecrm) -> Push {
    let telecrm = telecrm.clone();
    Box::pin(async move {
        let lead = Lead::new().set("phone", "919999999999");
        telecrm.ingest().push(&lead).await
    })
}

/// Goes on with a push as far as it comes without waiting; whether that is its end.
async fn has_left(push: &mut Push) -> bool {
    poll_fn(|context| Poll::Ready(push.as_mut().poll(context)))
        .await
        .is_ready()
}

#[tokio::test]
async fn as9_pushes_that_are_given_up_in_the_queue_cost_nobody_anything() {
    let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued());
    let (clock, telecrm) = one_a_second(&fake);
    assert!(has_left(&mut push(&telecrm)).await);
    let before = telecrm.async_limits();
    assert_eq!(before[0].next_free_in, SECOND);

    let mut queued: Vec<Push> = (0..10).map(|_| push(&telecrm)).collect();
    for push in &mut queued {
        assert!(!has_left(push).await);
    }
    let mut behind = push(&telecrm);
    assert!(!has_left(&mut behind).await);
    assert_eq!(telecrm.async_limits()[0].next_free_in, 12 * SECOND);

    queued.clear();
    assert!(!has_left(&mut behind).await, "moved up, and not yet free");
    clock.advance(SECOND);
    assert!(has_left(&mut behind).await);
    assert_eq!(telecrm.async_limits(), before);

    let mut next = push(&telecrm);
    clock.advance(SECOND - Duration::from_millis(1));
    assert!(!has_left(&mut next).await);
    clock.advance(Duration::from_millis(1));
    assert!(has_left(&mut next).await);
    assert_eq!(fake.requests().len(), 3, "none of those that were given up");
}

/// A push to a server that answers so, with the workspace known, so that a lead without actions may be sent again.
async fn stopped_while_waiting(answers: [Response; 2]) -> (Result<Receipt, Error>, FakeTelecrm) {
    let fake = answers
        .into_iter()
        .fold(FakeTelecrm::new(), |fake, answer| {
            fake.on(Operation::CreateOrUpdateLead, answer)
        });
    let clock = Still::new(fake.clock().now());
    let telecrm = fake.builder().clock(clock).build().expect("builds");
    telecrm.workspace().await.expect("discovered");
    let mut push = push(&telecrm);
    assert!(!has_left(&mut push).await, "waits for its next attempt");
    telecrm.clone().shutdown();
    (push.await, fake)
}

#[tokio::test]
async fn a_stopped_call_ends_with_what_its_last_attempt_brought() {
    for (answer, status, unknown) in [
        (Response::html(503), Some(503), true),
        (Response::connection_reset(), None, true),
        (Response::rate_limited(Some(20)), Some(429), false),
        (Response::connection_refused(), None, false),
    ] {
        let (pushed, fake) = stopped_while_waiting([answer, Response::queued()]).await;
        let error = pushed.expect_err("not sent again");
        assert_eq!(error.status_code(), status, "{error}");
        assert_eq!(error.is_outcome_unknown(), unknown, "{error}");
        assert_eq!(error.attempts(), 1);
        assert_eq!(fake.requests_to(Operation::CreateOrUpdateLead).len(), 1);
    }
}

#[tokio::test]
async fn a_stopped_client_lets_nothing_wait_for_its_limit() {
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, Response::queued())
        .on(Operation::CreateOrUpdateLead, Response::html(503))
        .always(Operation::CreateOrUpdateLead, Response::queued());
    let (clock, telecrm) = one_a_second(&fake);
    telecrm.workspace().await.expect("discovered");
    assert!(has_left(&mut push(&telecrm)).await);
    clock.advance(SECOND);
    // The one is in doubt and waits to be sent again, the other was never sent.
    let (mut doubtful, mut queued) = (push(&telecrm), push(&telecrm));
    assert!(!has_left(&mut doubtful).await && !has_left(&mut queued).await);
    clock.advance(SECOND / 2);
    assert!(!has_left(&mut doubtful).await, "in the queue by now");
    telecrm.shutdown();
    let sent = fake.requests_to(Operation::CreateOrUpdateLead).len();
    for (push, attempts, unknown) in [(doubtful, 1, true), (queued, 0, false)] {
        let error = push.await.expect_err("stopped");
        assert!(error.is_shutdown(), "{error}");
        assert_eq!(
            (error.attempts(), error.is_outcome_unknown()),
            (attempts, unknown)
        );
    }
    assert_eq!(fake.requests_to(Operation::CreateOrUpdateLead).len(), sent);
    // What need not wait goes on, once.
    clock.advance(SECOND);
    assert!(push(&telecrm).await.is_ok());
    assert!(push(&telecrm).await.expect_err("would wait").is_shutdown());
}

#[tokio::test]
async fn a_stopped_client_looks_no_further_for_a_lead() {
    let none = serde_json::json!({ "data": [], "total_count": 0 });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::json(none));
    let clock = Still::new(fake.clock().now());
    let telecrm = fake.builder().clock(clock).build().expect("builds");
    telecrm.workspace().await.expect("discovered");
    let receipt = push(&telecrm).await.expect("queued");
    let ingest = telecrm.ingest();
    let mut verify = Box::pin(ingest.verify(&receipt));
    let first = poll_fn(|context| Poll::Ready(verify.as_mut().poll(context))).await;
    assert!(first.is_pending(), "looks again later");
    telecrm.shutdown();
    // It may still come.
    let verdict = verify.await.expect("read");
    let Verification::Unknown { lead: None, reason } = verdict else {
        panic!("{verdict:?}");
    };
    assert!(reason.contains("shutting down"), "{reason}");
}

#[tokio::test]
async fn repeats_that_are_given_up_cost_nobody_anything() {
    let fake = FakeTelecrm::new().always(Operation::GetLead, Response::html(503));
    let clock = Still::new(fake.clock().now());
    let telecrm = fake.builder().clock(clock.clone()).build().expect("builds");
    let leads = telecrm.leads();
    for _ in 0..20 {
        let mut get = Box::pin(leads.get("l1"));
        let first = poll_fn(|context| Poll::Ready(get.as_mut().poll(context))).await;
        assert!(first.is_pending(), "waits for its next attempt");
    }
    let found = Response::json(serde_json::json!({ "id": "l1" }));
    let fake = fake
        .on(Operation::GetLead, Response::html(503))
        .always(Operation::GetLead, found);
    let mut get = Box::pin(leads.get("l1"));
    let first = poll_fn(|context| Poll::Ready(get.as_mut().poll(context))).await;
    assert!(first.is_pending(), "there are repeats left");
    clock.advance(SECOND);
    assert_eq!(get.await.expect("read").id(), Some("l1"));
    assert_eq!(fake.requests().len(), 20 + 2);
}

/// One that never left is no newer write over which an older one must not be repeated.
#[tokio::test]
async fn a_push_that_is_given_up_in_the_queue_keeps_no_older_one_from_its_repeat() {
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, Response::html(503))
        .always(Operation::CreateOrUpdateLead, Response::queued());
    let (clock, telecrm) = one_a_second(&fake);
    telecrm.workspace().await.expect("discovered");
    let mut older = push(&telecrm);
    assert!(!has_left(&mut older).await, "waits for its next attempt");
    let mut newer = push(&telecrm);
    assert!(!has_left(&mut newer).await, "waits for the limit");
    drop(newer);
    clock.advance(SECOND);
    let _ = older.await.expect("sent again");
    assert_eq!(fake.requests_to(Operation::CreateOrUpdateLead).len(), 2);
}

/// What `next` has begun goes on when it is called again.
#[tokio::test]
async fn an_item_that_was_given_up_is_not_missed() {
    let row = |serial: i64| serde_json::json!({ "id": serial.to_string(), "fields": { "created_on": serial } });
    for prefetch in [0, 2] {
        let page = |from: i64| Response::page((0..100).map(|serial| row(from - serial)));
        let fake = FakeTelecrm::new()
            .on(Operation::SearchLeads, Response::html(503))
            .on(Operation::SearchLeads, page(300))
            .on(Operation::SearchLeads, Response::html(503))
            .on(Operation::SearchLeads, page(201))
            .on(Operation::SearchLeads, Response::page([row(102)]));
        let clock = Still::new(fake.clock().now());
        let telecrm = fake.builder().clock(clock.clone()).build().expect("builds");
        let mut leads = telecrm.leads().stream(telecrm::Filter::new());
        if prefetch > 0 {
            leads = leads.prefetch(prefetch);
        }
        let mut found = Vec::new();
        let mut given_up = 0;
        loop {
            let next = poll_fn(|context| {
                // Dropped right after, whatever it brought.
                Poll::Ready(std::pin::pin!(leads.next()).poll(context))
            });
            match next.await {
                Poll::Ready(Some(lead)) => {
                    found.extend(lead.expect("read").id().map(str::to_owned))
                }
                Poll::Ready(None) => break,
                Poll::Pending => {
                    given_up += 1;
                    clock.advance(SECOND);
                    tokio::task::yield_now().await;
                }
            }
        }
        let expected: Vec<_> = (102..=300).rev().map(|serial| serial.to_string()).collect();
        assert_eq!(found, expected);
        assert!(given_up >= 2, "{given_up}");
    }
}
