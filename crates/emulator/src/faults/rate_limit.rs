//! Rate limits: how many requests each token may send.

use crate::sync::lock;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many requests a token may send within any hour, such as the documented 18,000 of the Async
/// API.
///
/// ```
/// use telecrm_emulator::RateLimit;
///
/// // Ten times as fast: 18,000 requests within six minutes.
/// let limit = RateLimit::per_hour(18_000).sped_up(10.0).with_retry_after();
/// # let _ = limit;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct RateLimit {
    requests: usize,
    window: Duration,
    // The name is part of the format of recordings.
    #[serde(rename = "tells_when")]
    has_retry_after: bool,
}

impl RateLimit {
    /// Allows this many requests within any hour. The next request is answered with 429.
    pub fn per_hour(requests: usize) -> Self {
        Self { requests, window: HOUR, has_retry_after: false }
    }

    /// Shortens the hour by this factor. A factor of zero or below is ignored.
    pub fn sped_up(mut self, factor: f64) -> Self {
        let seconds = self.window.as_secs_f64() / factor;
        if let Ok(window) = Duration::try_from_secs_f64(seconds)
            && factor > 0.0
        {
            self.window = window;
        }
        self
    }

    /// Adds a `Retry-After` header to the 429. telecrm does not document such a header.
    pub fn with_retry_after(mut self) -> Self {
        self.has_retry_after = true;
        self
    }
}

/// Enforces the limit, if there is one, for each token.
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    /// For each token, the times of its latest requests in Unix milliseconds.
    taken: Mutex<Vec<VecDeque<i64>>>,
}

/// The limit is used up.
pub(crate) struct LimitExceeded {
    /// The seconds to wait, if the answer names them.
    pub(crate) retry_after: Option<u64>,
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, taken: Mutex::default() }
    }

    /// Counts a request of the token with this index. `now` is in Unix milliseconds.
    pub(crate) fn take(&self, token: usize, now: i64) -> Result<(), LimitExceeded> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let mut tokens = lock(&self.taken);
        if tokens.len() <= token {
            tokens.resize_with(token + 1, VecDeque::new);
        }
        let taken = &mut tokens[token];
        // The distance, since a test may set the clock back: waiting until the old time would
        // take too long.
        let age = |first: i64| Duration::from_millis(now.abs_diff(first));
        while taken.front().is_some_and(|first| age(*first) >= limit.window) {
            taken.pop_front();
        }
        if taken.len() < limit.requests {
            taken.push_back(now);
            return Ok(());
        }
        let wait = match taken.front() {
            Some(first) => limit.window.saturating_sub(age(*first)),
            None => limit.window,
        };
        Err(LimitExceeded {
            retry_after: limit.has_retry_after.then(|| wait.as_secs_f64().ceil() as u64),
        })
    }

    /// Starts counting from 0.
    pub(crate) fn reset(&self) {
        lock(&self.taken).clear();
    }
}
