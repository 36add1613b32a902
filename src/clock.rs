//! Clocks: the only module that reads the time and sleeps. Everything else can therefore be tested
//! without waiting.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Handle;

/// The clock of a client.
///
/// Pass your own clock to [`Builder::clock`](crate::Builder::clock) to test waits, rate limits and
/// deadlines without waiting. Two things use real time with any clock: timeouts of attempts, which
/// belong to the HTTP client, and the wait while another call discovers the workspace.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::pin::Pin;
/// use std::time::{Duration, Instant};
/// use telecrm::Clock;
///
/// /// A clock whose waits take a tenth of the time.
/// struct Fast;
///
/// impl Clock for Fast {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///
///     fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
///         Box::pin(tokio::time::sleep(duration / 10))
///     }
/// }
///
/// let before = Fast.now();
/// Fast.sleep(Duration::from_millis(10)).await;
/// assert!(Fast.now() > before);
/// assert!(Fast.date() > std::time::SystemTime::UNIX_EPOCH);
/// let telecrm = telecrm::Telecrm::builder("enterprise-id").clock(Fast).build()?;
/// # Ok(())
/// # }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The current time, for measuring durations.
    fn now(&self) -> Instant;

    /// Waits for this duration.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// The current date, which is compared with dates that the server sends. The default is the
    /// date of the machine.
    #[expect(clippy::disallowed_methods, reason = "this module reads the clock")]
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this module reads the clock")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this module sleeps")]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The result of a future. Returns `None` if it takes longer than the limit.
///
/// This uses real time, because it waits for other calls on the network. A clock of tests, whose
/// waits end immediately, would leave them no time.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    // tokio's timers panic outside of a runtime. The call reports that itself.
    if Handle::try_current().is_err() {
        return Some(work.await);
    }
    tokio::time::timeout(limit, work).await.ok()
}
