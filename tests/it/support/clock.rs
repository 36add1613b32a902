//! Clocks that a test moves by hand, and pushes that wait on them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use telecrm::testing::{FakeTelecrm, ManualClock};
use telecrm::{Clock, Error, RateLimit, Receipt, Telecrm};
use tokio::sync::{Notify, watch};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A clock that stands still until a test advances it.
#[derive(Clone)]
pub(crate) struct SteppedClock {
    start: Instant,
    passed: Arc<watch::Sender<Duration>>,
}

impl SteppedClock {
    pub(crate) fn new(start: Instant) -> Self {
        let passed = Arc::new(watch::Sender::new(Duration::ZERO));
        Self { start, passed }
    }

    /// A client of the fake that lives on a clock of this kind.
    pub(crate) fn client(fake: &FakeTelecrm) -> (Self, Telecrm) {
        let clock = Self::new(fake.clock().now());
        let telecrm = fake.builder().clock(clock.clone()).build().expect("builds");
        (clock, telecrm)
    }

    /// As [`client`](Self::client), with a rate limit that lets one push through a second.
    pub(crate) fn client_with_one_push_a_second(fake: &FakeTelecrm) -> (Self, Telecrm) {
        let clock = Self::new(fake.clock().now());
        let telecrm = fake
            .builder()
            .async_limit(Some(RateLimit::new(3_601, 1)))
            .clock(clock.clone())
            .build()
            .expect("builds");
        (clock, telecrm)
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.passed.send_modify(|passed| *passed += duration);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Instant {
        self.start + *self.passed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut passed = self.passed.subscribe();
        let until = *passed.borrow() + duration;
        Box::pin(async move { _ = passed.wait_for(|passed| *passed >= until).await })
    }
}

/// A clock whose waits end when a test notifies the gate.
#[derive(Clone)]
pub(crate) struct GatedClock {
    pub(crate) time: ManualClock,
    pub(crate) gate: Arc<Notify>,
}

impl GatedClock {
    pub(crate) fn new() -> Self {
        Self { time: ManualClock::new(), gate: Arc::default() }
    }

    /// A client of the fake that lives on a clock of this kind.
    pub(crate) fn client(fake: &FakeTelecrm) -> (Self, Telecrm) {
        let clock = Self::new();
        let telecrm = fake.builder().clock(clock.clone()).build().expect("builds");
        (clock, telecrm)
    }
}

impl Clock for GatedClock {
    fn now(&self) -> Instant {
        self.time.now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let gate = self.gate.clone();
        Box::pin(async move { gate.notified().await })
    }
}

/// Polls a future once: it runs until it has to wait. Returns whether it is done.
pub(crate) async fn is_done<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await.is_ready()
}

pub(crate) type Push = Pin<Box<dyn Future<Output = Result<Receipt, Error>>>>;

/// A push of a lead without actions. It starts when it is polled.
pub(crate) fn push(telecrm: &Telecrm) -> Push {
    let telecrm = telecrm.clone();
    Box::pin(async move { telecrm.ingest().push(&super::bare_lead()).await })
}
