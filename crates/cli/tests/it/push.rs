//! The order in which rows are sent, how they are read back, and how long a run takes.

use crate::support::{Local, Ran, TempFile, leads, run_with_stdin, telecrm};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const GOOD: &str = r#"{"fields": {"phone": "919999900001"}}"#;
const LOSS: &str = r#"{"fields": {"phone": "919999900003", "rating": 9}}"#;
const REPAIRED: &str = r#"{"fields": {"phone": "+91 99999 00004", "rating": "3"}}"#;

fn push_and_verify(rows: &[&str]) -> Ran {
    let command = telecrm(&["push", "-", "--emulator", "--verify"]);
    run_with_stdin(command, &rows.join("\n"))
}

#[test]
fn a_new_option_is_reported_and_is_no_loss() {
    let row = r#"{"fields": {"phone": "919999900001", "contact_source": "Billboard"}}"#;
    let ran = push_and_verify(&[row]);
    ran.assert_outcomes(0, &["stored"]);
    ran.assert_stdout("option_created");
}

#[test]
fn rows_of_one_lead_are_sent_one_by_one() {
    // Each row would differ if the next one was stored before it is read back.
    let row = |phone: &str, rating: u32| {
        format!(
            r#"{{"fields": {{"phone": "{phone}", "rating": {rating}}}, "actions": [{{"type": "ACTION_1001", "fields": {{"note": "Visit"}}}}]}}"#
        )
    };
    let rows: Vec<String> = (1..=5)
        .flat_map(|rating| ["+919999900001", "919999900001"].map(|phone| row(phone, rating)))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    push_and_verify(&rows).assert_outcomes(0, &["stored"; 10]);
}

#[test]
fn reports_are_in_file_order() {
    let many = leads(100);
    let mut rows: Vec<&str> = many.lines().collect();
    rows.insert(0, GOOD);
    rows.insert(40, GOOD);
    rows.insert(60, GOOD);
    let ran = push_and_verify(&rows);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let rows = ran.rows();
    let number = |row: &serde_json::Value| row["row"].as_u64().expect("a number");
    let numbers: Vec<_> = rows.iter().map(number).collect();
    assert_eq!(numbers, (1..=103).collect::<Vec<_>>());
}

#[test]
fn le7_a_lead_that_cannot_be_read_back_is_unknown() {
    let local = Local::start(&["--no-search-ids"]);
    let with_action =
        r#"{"fields": {"phone": "919999900002"}, "actions": [{"type": "ACTION_1001"}]}"#;
    let command = local.telecrm(&["push", "-", "--verify", "--verify-timeout", "300ms"]);
    let ran = run_with_stdin(command, &[GOOD, with_action].join("\n"));
    ran.assert_outcomes(7, &["stored", "unknown"]);
    assert_eq!(ran.error_kinds()[1].as_deref(), Some("not_readable"));
}

#[test]
fn leads_are_checked_sent_and_read_back_over_the_network() {
    let local = Local::start(&[]);
    let command = local.telecrm(&["push", "-", "--verify"]);
    let ran = run_with_stdin(command, &[GOOD, LOSS, REPAIRED].join("\n"));
    ran.assert_outcomes(3, &["stored", "differs", "stored"]);
}

#[test]
fn unchecked_leads_show_their_losses_when_read_back() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-", "--no-check", "--verify"]);
    command.args(["--verify-timeout", "300ms"]);
    let ran = run_with_stdin(command, &[GOOD, LOSS, REPAIRED].join("\n"));
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(ran.outcomes()[..2], ["stored", "differs"], "{ran:?}");
}

#[test]
fn unchecked_leads_that_are_not_read_back_need_no_sync_token() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    let ran = run_with_stdin(command, &[GOOD, GOOD].join("\n"));
    ran.assert_outcomes(0, &["accepted", "accepted"]);
}

#[test]
fn a_refused_token_is_not_used_again_and_named_by_its_number() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    let good = local.variable("TELECRM_ASYNC_TOKEN");
    command.env("TELECRM_ASYNC_TOKEN", format!("{good}, wrong"));
    let ran = run_with_stdin(command, &leads(3));
    ran.assert_outcomes(0, &["accepted"; 3]);
    ran.assert_stderr("warning: telecrm refused token 2 of 2");
}

/// Returns the report of a row with a national phone number and a date without a zone.
fn report_with(options: &[&str]) -> String {
    let row = r#"{"fields": {"phone": "2025550123", "follow_up_date": "2026-06-01T10:30:00"}}"#;
    let mut command = telecrm(&["push", "-", "--emulator"]);
    command.args(options);
    run_with_stdin(command, row).stdout
}

#[test]
fn the_default_zone_is_that_of_india() {
    let india = report_with(&["--default-country", "in", "--time-zone", "Asia/Kolkata"]);
    assert_eq!(report_with(&[]), india);
}

#[test]
fn the_default_country_decides_how_a_phone_number_is_read() {
    assert_ne!(report_with(&[]), report_with(&["--default-country", "US"]));
}

#[test]
fn the_time_zone_decides_how_a_date_is_read() {
    assert_ne!(report_with(&[]), report_with(&["--time-zone", "America/New_York"]));
}

/// Starts a push of 18,000 rows, and asserts the first line on standard error.
fn estimates(name: &str, options: &[&str], estimate: &str) {
    let local = Local::start(&[]);
    let file = TempFile::new(name, leads(18_000).as_bytes());
    let mut command = local.telecrm(&["push", file.path()]);
    command.args(options).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    stderr.read_line(&mut line).expect("prints");
    child.kill().expect("ends");
    child.wait().expect("ends");
    assert!(line.starts_with(estimate), "{line}");
}

tests! {
    as9_a_long_run_has_an_estimate: estimates(
        "long.jsonl",
        &["--no-check"],
        "18000 rows take about 1 h 0 min: telecrm allows 18000 requests per hour",
    );
    as9_a_long_run_with_verify_has_an_estimate:
        estimates("long-verify.jsonl", &["--verify"], "18000 rows take at least 5 h 48 min: ");
}
