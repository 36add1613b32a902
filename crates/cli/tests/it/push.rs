//! What is sent, in which order, and how it is read back.

use crate::{Local, TempFile, leads, run_with_stdin, telecrm};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const GOOD: &str = r#"{"fields": {"phone": "919999900001"}}"#;
/// An inferred loss: only a reading of ours.
const DOUBTFUL: &str = r#"{"fields": {"phone": "919999900002", "website": "no site yet"}}"#;
const LOSSY: &str = r#"{"fields": {"phone": "919999900003", "rating": 9}}"#;
const MENDED: &str = r#"{"fields": {"phone": "+91 99999 00004", "rating": "3"}}"#;

fn outcomes(options: &[&str], rows: &[&str]) -> (i32, Vec<String>) {
    let mut command = telecrm(&["push", "-", "--emulator", "--verify"]);
    command.args(options);
    let ran = run_with_stdin(command, &rows.join("\n"));
    (ran.exit, ran.outcomes())
}

fn said(exit: i32, outcomes: &[&str]) -> (i32, Vec<String>) {
    (
        exit,
        outcomes
            .iter()
            .map(|outcome| (*outcome).to_owned())
            .collect(),
    )
}

#[test]
fn on_finding_decides_what_becomes_of_leads_with_losses() {
    let rows = [GOOD, DOUBTFUL, LOSSY, MENDED];
    for (what, expected) in [
        ("send", ["stored", "differs", "differs", "stored"]),
        ("skip", ["stored", "skipped", "skipped", "stored"]),
        ("stop", ["stored", "differs", "skipped", "skipped"]),
    ] {
        assert_eq!(
            outcomes(&["--on-finding", what], &rows),
            said(3, &expected),
            "{what}"
        );
    }
    assert_eq!(
        outcomes(&["--on-finding", "stop"], &[GOOD, MENDED]),
        said(0, &["stored", "stored"])
    );
}

#[test]
fn options_that_are_created_are_told_and_no_loss() {
    let row = r#"{"fields": {"phone": "919999900001", "contact_source": "Billboard"}}"#;
    let ran = run_with_stdin(telecrm(&["push", "-", "--emulator", "--verify"]), row);
    assert_eq!((ran.exit, ran.outcomes()), said(0, &["stored"]));
    assert!(ran.stdout.contains("option_created"), "{ran:?}");
}

#[test]
fn rows_of_one_lead_follow_each_other() {
    // Each would differ if the next one overtook it before it was read back.
    let rows: Vec<String> = (1..=5)
        .flat_map(|rating| {
            ["+919999900001", "919999900001"].map(|phone| {
                format!(r#"{{"fields": {{"phone": "{phone}", "rating": {rating}}}, "actions": [{{"type": "ACTION_1001", "fields": {{"note": "Visit"}}}}]}}"#)
            })
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(outcomes(&[], &rows), said(0, &["stored"; 10]));
}

#[test]
fn reports_come_in_row_order_whatever_is_ready_first() {
    let many = leads(100);
    let mut rows: Vec<&str> = many.lines().collect();
    rows.insert(0, GOOD);
    rows.insert(40, GOOD);
    rows.insert(60, GOOD);
    let ran = run_with_stdin(
        telecrm(&["push", "-", "--emulator", "--verify"]),
        &rows.join("\n"),
    );
    assert_eq!(ran.exit, 0, "{ran:?}");
    let numbers: Vec<_> = ran
        .rows()
        .iter()
        .map(|row| row["row"].as_u64().expect("a number"))
        .collect();
    assert_eq!(numbers, (1..=103).collect::<Vec<_>>());
}

#[test]
fn le7_what_cannot_be_read_back_is_unknown() {
    let local = Local::start(&["--no-search-ids"]);
    let with_action =
        r#"{"fields": {"phone": "919999900002"}, "actions": [{"type": "ACTION_1001"}]}"#;
    let command = local.telecrm(&["push", "-", "--verify", "--verify-timeout", "300ms"]);
    let ran = run_with_stdin(command, &[GOOD, with_action].join("\n"));
    assert_eq!(
        (ran.exit, ran.outcomes()),
        said(7, &["stored", "unknown"]),
        "{ran:?}"
    );
    assert_eq!(ran.error_kinds()[1].as_deref(), Some("not_readable"));
}

#[test]
fn over_the_network_leads_are_discovered_checked_sent_and_read_back() {
    let local = Local::start(&[]);
    let command = local.telecrm(&["push", "-", "--verify"]);
    let ran = run_with_stdin(command, &[GOOD, LOSSY, MENDED].join("\n"));
    assert_eq!(
        (ran.exit, ran.outcomes()),
        said(3, &["stored", "differs", "stored"]),
        "{ran:?}"
    );
    // Unchecked, what is lost shows only by waiting for it.
    let command = local.telecrm(&[
        "push",
        "-",
        "--no-check",
        "--verify",
        "--verify-timeout",
        "300ms",
    ]);
    let ran = run_with_stdin(command, &[GOOD, LOSSY, MENDED].join("\n"));
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(ran.outcomes()[..2], ["stored", "differs"], "{ran:?}");
}

#[test]
fn without_reading_no_sync_token_is_needed() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    let ran = run_with_stdin(command, &[GOOD, GOOD].join("\n"));
    assert_eq!(
        (ran.exit, ran.outcomes()),
        said(0, &["accepted", "accepted"]),
        "{ran:?}"
    );
}

#[test]
fn a_refused_token_is_set_aside_and_named_by_its_place() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    let good = local.variable("TELECRM_ASYNC_TOKEN");
    command.env("TELECRM_ASYNC_TOKEN", format!("{good}, wrong"));
    let ran = run_with_stdin(command, &leads(3));
    assert_eq!(
        (ran.exit, ran.outcomes()),
        said(0, &["accepted"; 3]),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("refused token 2 of 2"), "{ran:?}");
}

#[test]
fn country_and_zone_decide_how_values_are_read() {
    let row = r#"{"fields": {"phone": "2025550123", "follow_up_date": "2026-06-01T10:30:00"}}"#;
    let said = |options: &[&str]| {
        let mut command = telecrm(&["push", "-", "--emulator"]);
        command.args(options);
        run_with_stdin(command, row).stdout
    };
    let ours = said(&[]);
    assert_eq!(
        ours,
        said(&["--default-country", "in", "--time-zone", "Asia/Kolkata"])
    );
    assert_ne!(ours, said(&["--default-country", "US"]));
    assert_ne!(ours, said(&["--time-zone", "America/New_York"]));
}

#[test]
fn as9_a_long_run_says_how_long_it_takes() {
    let local = Local::start(&[]);
    let file = TempFile::new("long.jsonl", leads(18_000).as_bytes());
    for (options, said) in [
        (
            &["--no-check"][..],
            "18000 rows take about 1 h 0 min: telecrm limits requests to 18000/hour",
        ),
        (&["--verify"], "18000 rows take at least 5 h 48 min: "),
    ] {
        let mut command = local.telecrm(&["push", file.path()]);
        command
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        stderr.read_line(&mut line).expect("says so");
        child.kill().expect("ends");
        child.wait().expect("ends");
        assert!(line.starts_with(said), "{line}");
    }
}
