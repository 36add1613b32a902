//! The table of losses in `tests/data/losses.jsonl`, written by hand from the documentation.
//!
//! The check and the emulator are compared with it separately.

use crate::support::{Losses, client, emulator, losses, losses_read_back, without_losses};
use serde_json::Value;
use telecrm::{Lead, Workspace};

struct Case {
    name: String,
    lead: Lead,
    losses: Losses,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../data/losses.jsonl");
    let cases: Vec<_> = text
        .lines()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).expect("JSON");
            let losses = row["losses"].as_array().expect("a list").iter();
            let text = |loss: &Value, key: &str| loss[key].as_str().expect("a text").to_owned();
            Case {
                name: text(&row, "case"),
                losses: losses.map(|l| (text(l, "path"), text(l, "kind"))).collect(),
                lead: Lead::from_json(row["lead"].take()).expect("a lead"),
            }
        })
        .collect();
    assert!(cases.len() > 80, "the table was cut short");
    cases
}

/// Collects the lines of the table that fail, so that one failure does not hide the others.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn expect_losses(&mut self, case: &Case, found: &Losses, expected: &Losses) {
        if found != expected {
            let name = &case.name;
            self.0.push(format!("{name}: found {found:?}, expected {expected:?}"));
        }
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n"));
    }
}

#[test]
fn the_check_predicts_the_losses_of_the_table() {
    let workspace = Workspace::sample();
    let mut failures = Failures::default();
    for case in cases() {
        let found = losses(workspace.check(&case.lead).findings());
        failures.expect_losses(&case, &found, &case.losses);
    }
    failures.assert_none();
}

#[test]
fn a_lead_without_its_losses_loses_nothing() {
    let workspace = Workspace::sample();
    let mut failures = Failures::default();
    for case in cases() {
        if let Ok(clean) = without_losses(workspace.check(&case.lead)) {
            let again = workspace.check(&clean);
            failures.expect_losses(&case, &losses(again.findings()), &Losses::new());
            if without_losses(again).as_ref() != Ok(&clean) {
                failures.0.push(format!("{}: a second check changes it", case.name));
            }
        }
    }
    failures.assert_none();
}

#[tokio::test]
async fn the_emulator_loses_what_the_table_says() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let mut failures = Failures::default();
    for case in cases() {
        let found = losses_read_back(&telecrm, &emulator, &case.lead).await;
        failures.expect_losses(&case, &found, &case.losses);
        emulator.reset();
    }
    failures.assert_none();
}

#[tokio::test]
async fn the_log_of_the_emulator_has_the_losses_of_the_table() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let mut failures = Failures::default();
    for case in cases() {
        let before = emulator.log(0).last().map_or(0, |entry| entry.seq);
        let _ = losses_read_back(&telecrm, &emulator, &case.lead).await;
        let log = emulator.log(before);
        let push =
            log.iter().find(|entry| entry.operation.as_deref() == Some("createOrUpdateLead"));
        let push = push.expect("the push is logged");
        failures.expect_losses(&case, &losses(&push.findings), &case.losses);
        emulator.reset();
    }
    failures.assert_none();
}
