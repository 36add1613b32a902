//! Calls that wait for the rate limit, and are given up.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use telecrm::testing::{Answer, FakeTelecrm};
use telecrm::{Clock, Error, Lead, Operation, RateLimit, Receipt, Telecrm};
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
    let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Answer::queued());
    let clock = Still::new(fake.clock().now());
    let telecrm = fake
        .builder()
        .async_limit(Some(RateLimit::new(3_601, 1)))
        .clock(clock.clone())
        .build()
        .expect("builds");
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
    assert_eq!(fake.sent().len(), 3, "none of those that were given up");
}
