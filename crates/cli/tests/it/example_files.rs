//! The example files, which the README pushes.

use crate::support::{Ran, example, run, telecrm};
use serde_json::Value;
use std::collections::BTreeSet;

const EXAMPLES: [&str; 2] = ["leads.csv", "leads.jsonl"];

fn push(name: &str, options: &[&str]) -> Ran {
    let mut command = telecrm(&["push", &example(name), "--emulator"]);
    command.args(options);
    run(command)
}

fn findings(row: &Value) -> impl Iterator<Item = &Value> {
    row["findings"].as_array().expect("a list").iter()
}

fn is_loss(finding: &Value) -> bool {
    finding["kind"].as_str().is_some_and(|kind| kind.ends_with("_dropped"))
}

fn losses(ran: &Ran) -> BTreeSet<(u64, String, String)> {
    let rows = ran.rows();
    let losses = rows.iter().flat_map(|row| {
        let number = row["row"].as_u64().expect("a number");
        let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
        findings(row)
            .filter(|finding| is_loss(finding))
            .map(move |finding| (number, text(finding, "path"), text(finding, "kind")))
    });
    losses.collect()
}

fn table_has_every_row(name: &str) {
    let ran = push(name, &["--verify", "--table"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    insta::assert_snapshot!(format!("table_{name}"), ran.stdout);
}

fn pipe_gets_json_lines(name: &str) {
    let ran = push(name, &["--verify"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    let rows = ran.rows();
    assert!(rows.len() >= 15, "{}", rows.len());
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["row"], index + 1);
        let keys: Vec<_> = row.as_object().expect("an object").keys().collect();
        assert_eq!(keys.len(), 6, "{keys:?}");
        let is_lost = findings(row).any(|f| is_loss(f) && f["repaired"] == false);
        let expected: &[&str] = if is_lost { &["differs", "rejected"] } else { &["stored"] };
        let outcome = row["outcome"].as_str().expect("a text");
        assert!(expected.contains(&outcome), "{row}");
    }
    assert_eq!(ran.stdout, push(name, &["--verify", "--json"]).stdout);
}

fn check_predicts_the_losses(name: &str) {
    let predicted = push(name, &["--verify"]);
    let found = push(name, &["--verify", "--no-check"]);
    assert_eq!(found.exit, 3, "{found:?}");
    assert!(!losses(&found).is_empty());
    assert_eq!(losses(&found), losses(&predicted));
}

tests! {
    the_table_of_the_csv_file_has_every_row: table_has_every_row("leads.csv");
    the_table_of_the_json_lines_file_has_every_row: table_has_every_row("leads.jsonl");
    a_pipe_gets_json_lines_of_the_csv_file: pipe_gets_json_lines("leads.csv");
    a_pipe_gets_json_lines_of_the_json_lines_file: pipe_gets_json_lines("leads.jsonl");
    as5_the_check_predicts_the_losses_of_the_csv_file: check_predicts_the_losses("leads.csv");
    as5_the_check_predicts_the_losses_of_the_json_lines_file:
        check_predicts_the_losses("leads.jsonl");
}

#[test]
fn together_the_files_have_every_silent_loss() {
    let rows: Vec<Value> = EXAMPLES.iter().flat_map(|name| push(name, &[]).rows()).collect();
    let all: Vec<&Value> = rows.iter().flat_map(findings).collect();
    let pitfalls: BTreeSet<_> = all.iter().filter_map(|f| f["pitfall"].as_str()).collect();
    for pitfall in ["AS1", "AS2", "AS3", "AS4", "AS6", "AS7", "LE8", "EN3", "EN5"] {
        assert!(pitfalls.contains(pitfall), "{pitfall}");
    }
    for kind in ["lead_dropped", "field_dropped", "action_dropped", "option_created", "doubtful"] {
        assert!(all.iter().any(|f| f["kind"] == kind), "{kind}");
    }
}

#[test]
fn without_verify_every_outcome_is_accepted() {
    let ran = push("leads.jsonl", &["--no-check"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.outcomes().iter().all(|outcome| outcome == "accepted"));
    assert!(ran.rows().iter().all(|row| findings(row).count() == 0));
}

#[test]
fn the_emulator_of_push_ignores_the_environment() {
    let mut command = telecrm(&["push", &example("leads.csv"), "--emulator"]);
    command.env("TELECRM_SYNC_URL", "not a url").env("TELECRM_ASYNC_TOKEN", "Bearer x");
    let ran = run(command);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert!(ran.stderr.contains("accepted"), "{ran:?}");
}
