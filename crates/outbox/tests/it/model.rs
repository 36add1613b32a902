//! Random histories against a simple model: a list of updates per lead.

use crate::support::{Fixture, Kind, lead, refused};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::collections::BTreeMap;
use telecrm_outbox::{Answer, State, Worker};
use tokio::runtime::Runtime;

const LEADS: u32 = 3;

/// What is expected: the updates of each lead in the order of their receipts.
#[derive(Debug, Clone, Default)]
struct Model {
    updates: BTreeMap<u32, Vec<u64>>,
    total: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Enqueue(u32),
    /// Sends what is due, and gets this answer for all of it.
    Drain(u8),
    Advance(u64),
    /// The process ends and another begins.
    Crash,
    /// Cancels the update with this number, if it waits.
    Cancel(u64),
    Prune,
    DateJump,
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        prop_oneof![
            4 => (0..LEADS).prop_map(Step::Enqueue),
            4 => (0..7_u8).prop_map(Step::Drain),
            3 => prop_oneof![Just(1_u64), Just(2), Just(30), Just(700)].prop_map(Step::Advance),
            1 => Just(Step::Crash),
            1 => (0..state.total.max(1)).prop_map(Step::Cancel),
            1 => Just(Step::Prune),
            1 => Just(Step::DateJump),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        if let Step::Enqueue(lead) = step {
            state.updates.entry(*lead).or_default().push(state.total);
            state.total += 1;
        }
        state
    }
}

struct System {
    runtime: Runtime,
    fixture: Fixture,
    worker: Option<Worker>,
    /// The item of each update.
    items: Vec<u64>,
}

impl StateMachineTest for System {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fixture = runtime.block_on(Fixture::new(Kind::Sqlite));
        let worker = Some(runtime.block_on(fixture.worker()));
        Self { runtime, fixture, worker, items: Vec::new() }
    }

    fn apply(mut system: Self, _: &Model, step: Step) -> Self {
        let fixture = &system.fixture;
        match step {
            Step::Enqueue(number) => {
                let new = lead(number, &format!("n{:04}", system.items.len()));
                system.items.extend(system.runtime.block_on(fixture.add([new])));
            }
            Step::Drain(answer) => {
                let answers = [
                    Answer::Accepted,
                    Answer::NoAnswer,
                    Answer::NotSent,
                    Answer::Unreadable,
                    refused(500),
                    refused(429),
                    refused(422),
                ];
                fixture.script.always(answers[usize::from(answer)].clone());
                let worker = system.worker.as_mut().unwrap();
                system.runtime.block_on(worker.drain()).unwrap();
            }
            Step::Advance(seconds) => fixture.clock.seconds(seconds),
            Step::Crash => {
                system.worker = None;
                system.fixture.outbox = system.runtime.block_on(fixture.reopen());
                system.worker = Some(system.runtime.block_on(system.fixture.worker()));
            }
            Step::Cancel(update) => {
                if let Some(seq) = system.items.get(usize::try_from(update).unwrap()) {
                    // What does not wait cannot be cancelled.
                    let _ = system.runtime.block_on(fixture.outbox.cancel(*seq));
                }
            }
            Step::Prune => {
                system.runtime.block_on(fixture.outbox.prune(std::time::Duration::ZERO)).unwrap();
            }
            Step::DateJump => {
                fixture.clock.step_date(|date| date + std::time::Duration::from_secs(86_400));
            }
        }
        system
    }

    fn check_invariants(system: &Self, _: &Model) {
        let report = system.runtime.block_on(system.fixture.outbox.check()).unwrap();
        assert!(report.is_clean(), "{report:?}");
        for number in 0..LEADS {
            let sent = system.fixture.script.sent_to(number);
            assert!(sent.is_sorted(), "sends of one lead go back: {sent:?}");
        }
    }

    /// In the end every update is accepted, dead, cancelled or merged, and the newest accepted one
    /// was sent last.
    fn teardown(mut system: Self, model: Model) {
        system.fixture.script.always(Answer::Accepted);
        let worker = system.worker.as_mut().unwrap();
        for _ in 0..200 {
            system.runtime.block_on(worker.drain()).unwrap();
            system.fixture.clock.seconds(60);
        }
        for (number, updates) in model.updates {
            let sent = system.fixture.script.sent_to(number);
            for update in updates {
                let seq = system.items[usize::try_from(update).unwrap()];
                let item = system.runtime.block_on(system.fixture.outbox.get(seq)).unwrap();
                // Only what is done is pruned.
                let state = item.map_or(State::Verified, |item| item.state);
                let was_sent = sent.contains(&format!("n{update:04}"));
                match state {
                    State::Accepted | State::Verified => {}
                    State::Dead => assert!(was_sent),
                    State::Cancelled | State::Merged => {}
                    other => panic!("update {update} is {other:?}"),
                }
                assert!(was_sent || state != State::Accepted, "{update}");
            }
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_histories_keep_the_promise(sequential 1..40 => System);
}
