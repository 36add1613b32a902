//! How long to wait before the next attempt.

use std::time::Duration;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// The longest wait that a server can ask for. Without it, a mistake of the server would last
/// forever.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// A random part of a bound that doubles with each attempt, but at least what the server asks for,
/// up to a day. The randomness spreads out clients that failed at the same time.
pub(super) fn backoff(attempt: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let bound = (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY);
    bound.mul_f64(random).max(retry_after.unwrap_or_default().min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_bound() {
        assert_eq!(backoff(1, None, 1.0), Duration::from_millis(500));
        assert_eq!(backoff(3, None, 0.5), Duration::from_secs(1));
        assert_eq!(backoff(40, None, 1.0), LONGEST_DELAY);
    }

    #[test]
    fn a_delay_is_at_least_what_the_server_asks_for() {
        let asked = Duration::from_secs(17);
        assert_eq!(backoff(1, Some(asked), 0.1), asked);
    }

    #[test]
    fn a_server_cannot_ask_for_more_than_a_day() {
        assert_eq!(backoff(1, Some(Duration::MAX), 0.1), LONGEST_WAIT);
    }
}
