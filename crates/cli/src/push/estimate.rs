//! Estimates how long a run takes under the rate limits.

use crate::clock;
use std::time::Duration;
use telecrm::{LimitState, RateLimit, Telecrm};

/// The rate limits of a run.
pub(crate) struct Limits {
    push: Throughput,
    read: Throughput,
}

/// How many requests it takes to read a row back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadRequests {
    /// A row without actions takes one search.
    One,
    /// A row with actions takes searches before and after it, and the lead's timeline.
    OneToSix,
}

/// How many requests leave at once, and how many per hour after them.
#[derive(Debug)]
struct Throughput {
    burst: u64,
    per_hour: u64,
}

impl Throughput {
    fn of(limit: RateLimit, tokens: &[LimitState]) -> Self {
        let bursts = tokens.iter().filter_map(|token| token.remaining);
        Self::new(limit, &bursts.map(u64::from).collect::<Vec<_>>())
    }

    /// Adds up tokens, each with the burst it has left.
    fn new(limit: RateLimit, bursts: &[u64]) -> Self {
        // The hourly number includes the burst.
        let after_burst = |burst: &u64| u64::from(limit.per_hour()).saturating_sub(*burst);
        Self { burst: bursts.iter().sum(), per_hour: bursts.iter().map(after_burst).sum() }
    }

    fn time(&self, requests: u64) -> Duration {
        let waiting = requests.saturating_sub(self.burst);
        Duration::from_secs(waiting.saturating_mul(3600) / self.per_hour.max(1))
    }
}

impl Limits {
    /// The limits of a client that has not sent anything yet.
    pub(crate) fn of(telecrm: &Telecrm) -> Self {
        Self {
            push: Throughput::of(RateLimit::ASYNC, &telecrm.async_limits()),
            read: Throughput::of(RateLimit::SYNC, telecrm.sync_limit().as_slice()),
        }
    }

    /// Says how long these rows take. Returns None for a run of up to a minute.
    pub(crate) fn estimate(&self, rows: u64, reads: Option<ReadRequests>) -> Option<String> {
        let mut time = self.push.time(rows);
        let mut about = "about";
        let mut and_reading = String::new();
        if let Some(reads) = reads {
            time = time.max(self.read.time(rows));
            let per_row = match reads {
                ReadRequests::One => "one per row",
                ReadRequests::OneToSix => {
                    about = "at least";
                    "one per row, up to six for a row with actions"
                }
            };
            and_reading = format!(
                " and {} requests per hour for reading back ({per_row})",
                RateLimit::SYNC.per_hour()
            );
        }
        if time <= Duration::from_secs(60) {
            return None;
        }
        Some(format!(
            "{rows} rows take {about} {}: telecrm allows {} requests per hour \
             for each Async token{and_reading}",
            clock::format_duration(time),
            RateLimit::ASYNC.per_hour(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(rows: u64, tokens: usize, reads: Option<ReadRequests>) -> Option<String> {
        let limits = Limits {
            push: Throughput::new(RateLimit::ASYNC, &vec![60; tokens]),
            read: Throughput::new(RateLimit::SYNC, &[600]),
        };
        limits.estimate(rows, reads)
    }

    #[test]
    fn as9_a_short_run_needs_no_estimate() {
        assert_eq!(estimate(100, 1, None), None);
        assert_eq!(estimate(600, 3, Some(ReadRequests::OneToSix)), None);
    }

    #[test]
    fn as9_several_async_tokens_add_up_their_limits() {
        insta::assert_snapshot!(estimate(18_000, 1, None).expect("long"), @"18000 rows take about 1 h 0 min: telecrm allows 18000 requests per hour for each Async token");
        insta::assert_snapshot!(estimate(18_000, 3, None).expect("long"), @"18000 rows take about 19 min 51 s: telecrm allows 18000 requests per hour for each Async token");
    }

    #[test]
    fn as9_reading_back_is_limited_by_the_sync_token() {
        insta::assert_snapshot!(estimate(3_600, 3, Some(ReadRequests::One)).expect("long"), @"3600 rows take about 1 h 0 min: telecrm allows 18000 requests per hour for each Async token and 3600 requests per hour for reading back (one per row)");
        insta::assert_snapshot!(estimate(18_000, 3, Some(ReadRequests::OneToSix)).expect("long"), @"18000 rows take at least 5 h 48 min: telecrm allows 18000 requests per hour for each Async token and 3600 requests per hour for reading back (one per row, up to six for a row with actions)");
    }
}
