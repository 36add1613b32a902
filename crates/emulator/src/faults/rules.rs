//! The rules that are in force, and how many calls matched each.

use super::{Fault, FaultError, FaultKind};
use crate::sync::lock;
use serde_json::{Value, json};
use std::sync::Mutex;
use telecrm_core::Workspace;

pub(crate) struct Faults {
    rules: Mutex<Rules>,
    random_seed: u64,
}

#[derive(Default)]
struct Rules {
    rules: Vec<Rule>,
    next_id: u64,
}

struct Rule {
    /// Never reused, so that the random numbers of a rule survive the removal of another one.
    id: u64,
    fault: Fault,
    calls: u64,
}

impl Faults {
    pub(crate) fn new(random_seed: u64) -> Self {
        Self { rules: Mutex::default(), random_seed }
    }

    /// A number from 0 to 1 that always is the same for the same call of the same rule.
    fn random(&self, rule: u64, call: u64) -> f64 {
        let mixed = [rule, call]
            .into_iter()
            .fold(mix(self.random_seed), |mixed, part| mix(mixed ^ mix(part)));
        fastrand::Rng::with_seed(mixed).f64()
    }

    /// Adds all of these rules, or none if one is invalid.
    pub(crate) fn add(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        faults.iter().try_for_each(Fault::check)?;
        let mut rules = lock(&self.rules);
        for fault in faults {
            let id = rules.next_id;
            rules.next_id += 1;
            rules.rules.push(Rule { id, fault, calls: 0 });
        }
        Ok(())
    }

    /// The number of rules.
    #[cfg(feature = "web")]
    pub(crate) fn len(&self) -> usize {
        lock(&self.rules).rules.len()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.rules) = Rules::default();
    }

    /// Removes a rule. Returns false if no rule has this ID.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let rules = &mut lock(&self.rules).rules;
        let before = rules.len();
        rules.retain(|rule| rule.id != id);
        rules.len() < before
    }

    /// Sets the counts of matching calls back to 0.
    pub(crate) fn rewind(&self) {
        for rule in &mut lock(&self.rules).rules {
            rule.calls = 0;
        }
    }

    /// Each rule with its ID and the number of calls that matched it.
    pub(crate) fn to_json(&self) -> Value {
        let rules = lock(&self.rules);
        let shown = rules.rules.iter().map(|rule| {
            let mut shown = json!(rule.fault);
            shown["id"] = rule.id.into();
            shown["calls"] = rule.calls.into();
            shown
        });
        shown.collect()
    }

    /// Whether a rule for this operation and path compares values in the body.
    pub(crate) fn compares_body(&self, operation: Option<&str>, path: &str) -> bool {
        let rules = &lock(&self.rules).rules;
        let mut matching = rules.iter().filter(|rule| rule.fault.matches_route(operation, path));
        matching.any(|rule| !rule.fault.fields.is_empty())
    }

    /// Counts a request for every rule that matches it, and returns the fault of the first rule
    /// that applies. The body may be None unless a rule [compares it](Self::compares_body).
    pub(crate) fn apply(
        &self,
        operation: Option<&str>,
        path: &str,
        body: Option<(&Value, &Workspace)>,
    ) -> Option<FaultKind> {
        let mut first = None;
        for Rule { id, fault, calls } in &mut lock(&self.rules).rules {
            let matches_body = match body {
                Some((body, workspace)) => fault.matches_body(body, workspace),
                None => fault.fields.is_empty(),
            };
            if fault.matches_route(operation, path) && matches_body {
                *calls += 1;
                if first.is_none() && fault.applies(*calls, || self.random(*id, *calls)) {
                    first = Some(fault.kind.clone());
                }
            }
        }
        first
    }
}

/// The output function of SplitMix64. Without it, neighbouring seeds give related numbers.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: u64 = 20_000;

    /// Asserts that a tenth of these calls fail, for several seeds.
    fn assert_a_tenth_fails(calls: impl Fn(&Faults, &Faults) -> Vec<bool>) {
        for seed in [0, 1, 2, 42, u64::MAX] {
            let [faults, next] = [seed, seed ^ 1].map(Faults::new);
            let calls = calls(&faults, &next);
            let failed = calls.iter().filter(|is_failed| **is_failed).count();
            let share = failed as f64 / calls.len() as f64;
            // The standard deviation for 2,000 calls is 0.0067.
            assert!((share - 0.1).abs() < 0.03, "seed {seed}: {share}");
        }
    }

    fn fails(faults: &Faults, rule: u64, call: u64) -> bool {
        faults.random(rule, call) < 0.1
    }

    /// The calls that fail by rule 0.
    fn failed(faults: &Faults) -> impl Iterator<Item = u64> {
        (1..=CALLS).filter(|call| fails(faults, 0, *call))
    }

    #[test]
    fn a_chance_of_a_tenth_fails_a_tenth_of_all_calls() {
        assert_a_tenth_fails(|faults, _| (1..=CALLS).map(|call| fails(faults, 0, call)).collect());
    }

    #[test]
    fn failures_do_not_follow_each_other_more_often() {
        assert_a_tenth_fails(|faults, _| failed(faults).map(|c| fails(faults, 0, c + 1)).collect());
    }

    #[test]
    fn every_second_call_does_not_fail_more_often() {
        assert_a_tenth_fails(|faults, _| failed(faults).map(|c| fails(faults, 0, c + 2)).collect());
    }

    #[test]
    fn calls_of_a_pair_do_not_fail_together_more_often() {
        assert_a_tenth_fails(|faults, _| failed(faults).map(|c| fails(faults, 0, c ^ 1)).collect());
    }

    #[test]
    fn rules_fail_independently() {
        assert_a_tenth_fails(|faults, _| failed(faults).map(|c| fails(faults, 1, c)).collect());
    }

    #[test]
    fn seeds_fail_independently() {
        assert_a_tenth_fails(|faults, next| failed(faults).map(|c| fails(next, 0, c)).collect());
    }
}
