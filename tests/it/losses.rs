//! The table of losses, written by hand from the documentation, against each side on its own.

use crate::support::{Losses, client, losses, losses_read_back};
use serde_json::Value;
use telecrm::{Lead, Workspace};
use telecrm_emulator::Emulator;

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

#[test]
fn the_check_predicts_the_losses_of_the_table() {
    let workspace = Workspace::sample();
    for case in cases() {
        let checked = workspace.check(&case.lead);
        assert_eq!(losses(checked.findings()), case.losses, "{}", case.name);
    }
}

#[test]
fn a_cleaned_lead_loses_nothing() {
    let workspace = Workspace::sample();
    for case in cases() {
        if let Ok(clean) = workspace.check(&case.lead).accept_partial() {
            let again = workspace.check(&clean);
            assert_eq!(losses(again.findings()), Losses::new(), "{}", case.name);
            assert_eq!(again.complete().as_ref(), Ok(&clean), "{}", case.name);
        }
    }
}

#[tokio::test]
async fn the_emulator_loses_what_the_table_says() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    for case in cases() {
        let before = emulator.log(0).last().map_or(0, |entry| entry.seq);
        let found = losses_read_back(&telecrm, &emulator, &case.lead).await;
        assert_eq!(found, case.losses, "read back: {}", case.name);

        let log = emulator.log(before);
        let entry = log
            .iter()
            .find(|e| e.operation.as_deref() == Some("createOrUpdateLead"));
        let entry = entry.expect("the push is logged");
        assert_eq!(losses(&entry.findings), case.losses, "log: {}", case.name);
        emulator.reset();
    }
}
