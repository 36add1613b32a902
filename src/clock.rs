//! The only place that reads the clock and sleeps, so that everything else can be tested without waiting.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Handle;

/// Where a client takes the time from.
///
/// Give [`Builder::clock`](crate::Builder::clock) one of your own to test waits, limits and deadlines without waiting.
/// Timeouts of single requests are the HTTP client's, and real; so is the wait for those by which another call discovers the
/// workspace.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::pin::Pin;
/// use std::time::{Duration, Instant};
/// use telecrm::Clock;
///
/// /// Waits a tenth of the time.
/// struct Hurried;
///
/// impl Clock for Hurried {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///
///     fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
///         Box::pin(tokio::time::sleep(duration / 10))
///     }
/// }
///
/// let before = Hurried.now();
/// Hurried.sleep(Duration::from_millis(10)).await;
/// assert!(Hurried.now() > before);
/// assert!(Hurried.date() > std::time::SystemTime::UNIX_EPOCH);
/// let telecrm = telecrm::Telecrm::builder("enterprise-id").clock(Hurried).build()?;
/// # Ok(())
/// # }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// A point in time for measuring distances.
    fn now(&self) -> Instant;

    /// Ready after this time.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// The date and time of day, for what a server tells as a date and no distance; the machine's unless told otherwise.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// What comes of this, if it comes in time. By the machine's clock, for what others do on the network: a clock of which every wait is
/// over at once would leave them no time.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    // Outside a runtime there is none, and the call itself will say so.
    if Handle::try_current().is_err() {
        return Some(work.await);
    }
    tokio::time::timeout(limit, work).await.ok()
}
