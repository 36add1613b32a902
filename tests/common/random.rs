//! Random values of proptest that a seed repeats.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A runner of this many cases, which are the same for the same seed.
pub(crate) fn cases(seed: u64, cases: u32) -> TestRunner {
    let mut bytes = *b"telecrm, what a seed repeats    ";
    for (byte, of_seed) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte ^= of_seed;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, rng)
}
