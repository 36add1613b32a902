//! Call options: how long calls may take, and how often they are sent.

use super::deadline::Deadline;
use std::time::{Duration, Instant};

/// Timeouts and attempts of calls. [`Builder::call_options`](crate::Builder::call_options) sets
/// them for a client, [`Telecrm::with_options`](crate::Telecrm::with_options) for single calls.
///
/// ```
/// use std::time::Duration;
/// use telecrm::CallOptions;
///
/// let patient = CallOptions::new()
///     .attempts(5)
///     .attempt_timeout(Duration::from_secs(10))
///     .total_timeout(Duration::from_secs(120));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct CallOptions {
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) throttle_timeout: Duration,
    /// The deadline of the call that this one is a part of.
    parent: Option<Deadline>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            attempts: 3,
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(90),
            throttle_timeout: Duration::from_secs(60),
            parent: None,
        }
    }
}

impl CallOptions {
    /// Three attempts of at most 30 s each, within 90 s.
    pub fn new() -> Self {
        Self::default()
    }

    /// The largest number of attempts; 1 sends every request once. Attempts that were answered 429,
    /// or 401 while another token is left, do not count. Whether a request is retried depends on
    /// the [`Idempotency`](crate::Idempotency) of its operation.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The timeout of one attempt, from connecting to the end of the response.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The timeout of the whole call. It covers waits, retries, and every request of a method that
    /// sends several, such as [`upsert`](crate::Leads::upsert). Streams have this time for each
    /// page. [Verifying](crate::Builder::verify_timeout) has a timeout of its own.
    ///
    /// Calls that run at once share the rate limit: if `join_all` starts more of them than the
    /// limit lets through within this time, the rest fails unsent. Start fewer at a time, or allow
    /// more time.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// How long a call waits in total because the server answered 429, 60 s by default. A 429 uses
    /// up neither attempts nor the retry budget that all calls share. The wait also counts towards
    /// the total timeout.
    pub fn throttle_timeout(mut self, timeout: Duration) -> Self {
        self.throttle_timeout = timeout;
        self
    }

    /// The time by which the call ends, however long the timeouts are: for example when the request
    /// that your program serves does. It is a time of the client's [`Clock`](crate::Clock).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::testing::FakeTelecrm;
    /// use telecrm::{CallOptions, Clock};
    ///
    /// let fake = FakeTelecrm::new();
    /// let over = CallOptions::new().deadline(fake.clock().now());
    /// let error = fake.client().with_options(over).leads().get("62ab16e").await.unwrap_err();
    /// assert!(error.is_transient() && fake.requests().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn deadline(mut self, at: Instant) -> Self {
        let deadline = Deadline::at(at);
        self.parent = Some(self.parent.map_or(deadline, |parent| parent.earlier(deadline)));
        self
    }

    /// The largest number of attempts.
    pub fn get_attempts(&self) -> u32 {
        self.attempts
    }

    /// The timeout of one attempt.
    pub fn get_attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    /// The timeout of the whole call.
    pub fn get_total_timeout(&self) -> Duration {
        self.total_timeout
    }

    /// How long a call waits in total because the server answered 429.
    pub fn get_throttle_timeout(&self) -> Duration {
        self.throttle_timeout
    }

    /// The deadline of a call that begins now.
    pub(crate) fn deadline_from(&self, now: Instant) -> Deadline {
        let own = Deadline::after(self.total_timeout, now);
        match self.parent {
            Some(parent) => own.earlier(parent),
            None => own,
        }
    }

    /// The options for the parts of a call that begins now. The parts share its deadline.
    pub(crate) fn in_one_call(mut self, now: Instant) -> Self {
        self.parent = Some(self.deadline_from(now));
        self
    }
}
