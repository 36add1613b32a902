//! How many requests each token may send.

use crate::answer::ApiError;
use crate::lock;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many requests a token may send within any hour: the documented 18,000 of the Async API, for example.
///
/// ```
/// use telecrm_emulator::RateLimit;
///
/// // Ten times as fast: 18,000 within six minutes.
/// let limit = RateLimit::per_hour(18_000).sped_up(10.0).with_retry_after();
/// # let _ = limit;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct RateLimit {
    requests: usize,
    window: Duration,
    tells_when: bool,
}

impl RateLimit {
    /// So many requests within any hour; the next is answered 429.
    pub fn per_hour(requests: usize) -> Self {
        Self {
            requests,
            window: HOUR,
            tells_when: false,
        }
    }

    /// Lets the hour pass so many times as fast. A factor that is not above zero changes nothing.
    pub fn sped_up(mut self, factor: f64) -> Self {
        let seconds = self.window.as_secs_f64() / factor;
        if let Ok(window) = Duration::try_from_secs_f64(seconds)
            && factor > 0.0
        {
            self.window = window;
        }
        self
    }

    /// Says in `Retry-After` how long to wait, which telecrm is not documented to do.
    pub fn with_retry_after(mut self) -> Self {
        self.tells_when = true;
        self
    }
}

/// Keeps the limit, if there is one, for each of some tokens.
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    /// When each token's latest requests came, in Unix milliseconds.
    taken: Mutex<Vec<VecDeque<i64>>>,
}

/// A request too many.
pub(crate) struct TooMany {
    /// Whole seconds to wait, if the client is told.
    retry_after: Option<u64>,
}

impl IntoResponse for TooMany {
    fn into_response(self) -> Response {
        let mut response = ApiError::too_many("Too many requests within an hour").into_response();
        if let Some(seconds) = self.retry_after {
            let value = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self {
            limit,
            taken: Mutex::default(),
        }
    }

    /// Counts a request that the token in this place sends at this Unix time in milliseconds.
    pub(crate) fn take(&self, token: usize, now: i64) -> Result<(), TooMany> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let mut tokens = lock(&self.taken);
        if tokens.len() <= token {
            tokens.resize_with(token + 1, VecDeque::new);
        }
        let taken = &mut tokens[token];
        // The clock may have been set back, and then nobody should wait for it to come round again.
        let passed = |first: i64| Duration::from_millis(now.abs_diff(first));
        while taken
            .front()
            .is_some_and(|first| passed(*first) >= limit.window)
        {
            taken.pop_front();
        }
        if taken.len() < limit.requests {
            taken.push_back(now);
            return Ok(());
        }
        let wait = taken.front().map_or(limit.window, |first| {
            limit.window.saturating_sub(passed(*first))
        });
        Err(TooMany {
            retry_after: limit.tells_when.then(|| wait.as_secs_f64().ceil() as u64),
        })
    }

    /// Forgets what was taken.
    pub(crate) fn reset(&self) {
        lock(&self.taken).clear();
    }
}
