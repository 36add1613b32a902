//! Rounds of a random test. The number of a round is its seed, so every run has the same rounds.

use std::io::Write;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::time::Instant;

/// Runs one round, or rounds for as many seconds as `FUZZ_SECONDS` says. `FUZZ_ROUND` is the first
/// round, so that a round that failed can be run alone.
#[expect(clippy::disallowed_methods, reason = "the rounds end after some time of the machine")]
pub(crate) fn run(round: impl Fn(u64) + RefUnwindSafe) {
    let number = |name: &str| match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} should be a whole number")),
        Err(_) => 0,
    };
    let (first, seconds): (u64, u64) = (number("FUZZ_ROUND"), number("FUZZ_SECONDS"));
    let start = Instant::now();
    let mut seed = first;
    loop {
        let result = catch_unwind(|| round(seed));
        assert!(result.is_ok(), "round {seed} failed; run it alone with FUZZ_ROUND={seed}");
        seed += 1;
        if start.elapsed().as_secs() >= seconds {
            break;
        }
    }
    let report = format!("rounds {first} to {}\n", seed - 1);
    std::io::stdout().write_all(report.as_bytes()).expect("prints");
}
