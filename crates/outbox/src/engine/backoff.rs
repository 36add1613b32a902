//! How long to wait before the next attempt.

use crate::clock::Millis;

const SECOND: Millis = 1000;
/// The longest wait of a lead.
const LONGEST: Millis = 600 * SECOND;

/// The wait of a lead after this many failures of its own. A random part spreads the attempts.
pub(crate) fn lead_backoff(fails: u32, random: f64) -> Millis {
    let longest = (SECOND << fails.saturating_sub(1).min(20)).min(LONGEST);
    // Half of the wait is fixed, so that a lead is never repeated at once.
    longest / 2 + (longest as f64 / 2.0 * random) as Millis
}

/// The wait of a token after this many refusals for the rate in a row, if the server names none.
pub(crate) fn rate_limit_backoff(refusals: u32) -> Millis {
    (SECOND << refusals.saturating_sub(1).min(6)).min(60 * SECOND)
}

/// The wait of all leads after this many failed connections in a row. From five on the circuit is
/// open, and one lead per wait probes it.
pub(crate) fn connection_backoff(failures: u32) -> Millis {
    if failures < 5 { SECOND } else { 5 * SECOND }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_waits_longer_after_each_failure_up_to_ten_minutes() {
        let waits: Vec<_> = (1..=12).map(|fails| lead_backoff(fails, 1.0)).collect();
        assert_eq!(&waits[..4], [1000, 2000, 4000, 8000]);
        assert_eq!(&waits[10..], [600_000, 600_000]);
        assert_eq!(lead_backoff(1, 0.0), 500);
    }

    #[test]
    fn a_refused_rate_waits_up_to_a_minute() {
        assert_eq!([1, 2, 3, 9].map(rate_limit_backoff), [1000, 2000, 4000, 60_000]);
    }
}
