//! How long a run takes, as far as the rate limits decide it.

use crate::clock;
use std::time::Duration;
use telecrm::{LimitState, RateLimit, Telecrm};

/// The rate limits of a run.
pub(crate) struct Paces {
    pushing: Pace,
    reading: Pace,
}

/// How many requests a row takes for being read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Without actions: one search.
    One,
    /// With actions: a search before and after, and the timeline of a lead that is there.
    OneOrMore,
}

/// Requests that leave at once, and how many an hour after them.
#[derive(Debug)]
struct Pace {
    at_once: u64,
    steady: u64,
}

impl Pace {
    /// Of limits that nothing has used yet.
    fn of(limit: RateLimit, fresh: &[LimitState]) -> Self {
        let bursts = fresh.iter().filter_map(|state| state.remaining);
        Self::new(limit, bursts.map(u64::from).collect::<Vec<_>>().as_slice())
    }

    fn new(limit: RateLimit, bursts: &[u64]) -> Self {
        // The burst is part of the hour's number.
        let steady = |burst: &u64| u64::from(limit.per_hour()).saturating_sub(*burst);
        Self {
            at_once: bursts.iter().sum(),
            steady: bursts.iter().map(steady).sum(),
        }
    }

    fn time(&self, requests: u64) -> Duration {
        let waiting = requests.saturating_sub(self.at_once);
        Duration::from_secs(waiting.saturating_mul(3600) / self.steady.max(1))
    }
}

impl Paces {
    /// The limits of a client that has sent nothing yet.
    pub(crate) fn of(telecrm: &Telecrm) -> Self {
        let reading: Vec<_> = telecrm.sync_limit().into_iter().collect();
        Self {
            pushing: Pace::of(RateLimit::ASYNC, &telecrm.async_limits()),
            reading: Pace::of(RateLimit::SYNC, &reading),
        }
    }

    /// What is to be said of so many rows, if they take long.
    pub(crate) fn estimate(&self, rows: u64, reads: Option<Reads>) -> Option<String> {
        let pushing = self.pushing.time(rows);
        let reading = reads.map(|_| self.reading.time(rows)).unwrap_or_default();
        let least = pushing.max(reading);
        if least <= Duration::from_secs(60) {
            return None;
        }
        let about = match reads {
            Some(Reads::OneOrMore) => "at least",
            Some(Reads::One) | None => "about",
        };
        let to_read = match reads {
            None => String::new(),
            Some(reads) => {
                let each = match reads {
                    Reads::One => "one a row",
                    Reads::OneOrMore => "one a row, up to six for a row with actions",
                };
                let per_hour = RateLimit::SYNC.per_hour();
                format!(", and to {per_hour}/hour for reading back, which takes {each}")
            }
        };
        Some(format!(
            "{rows} rows take {about} {}: telecrm limits requests to {}/hour for each Async token{to_read}",
            clock::readable(least),
            RateLimit::ASYNC.per_hour(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(rows: u64, tokens: usize, reads: Option<Reads>) -> Option<String> {
        let paces = Paces {
            pushing: Pace::new(RateLimit::ASYNC, &vec![60; tokens]),
            reading: Pace::new(RateLimit::SYNC, &[600]),
        };
        paces.estimate(rows, reads)
    }

    #[test]
    fn as9_the_limits_tell_how_long_a_run_takes() {
        assert_eq!(estimate(100, 1, None), None);
        assert_eq!(estimate(600, 3, Some(Reads::OneOrMore)), None);
        insta::assert_snapshot!(estimate(18_000, 1, None).expect("long"), @"18000 rows take about 1 h 0 min: telecrm limits requests to 18000/hour for each Async token");
        insta::assert_snapshot!(estimate(18_000, 3, None).expect("long"), @"18000 rows take about 19 min 51 s: telecrm limits requests to 18000/hour for each Async token");
        insta::assert_snapshot!(estimate(3_600, 3, Some(Reads::One)).expect("long"), @"3600 rows take about 1 h 0 min: telecrm limits requests to 18000/hour for each Async token, and to 3600/hour for reading back, which takes one a row");
        insta::assert_snapshot!(estimate(18_000, 3, Some(Reads::OneOrMore)).expect("long"), @"18000 rows take at least 5 h 48 min: telecrm limits requests to 18000/hour for each Async token, and to 3600/hour for reading back, which takes one a row, up to six for a row with actions");
    }
}
